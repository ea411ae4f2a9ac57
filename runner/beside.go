package runner

import (
	"slices"

	"hilrig/azure/frontdoor"
	"hilrig/fixtures/rigfile"
)

// beside are the client ids of the other boards of the rig that dial the port of
// an entry and that nothing tells from it before a certificate, whether the run
// is for them or not. They are powered, and dial when they please; an emulated
// one lives only while its own process runs.
func (p *Plan) beside(e Entry) (ids []string) {
	i := slices.IndexFunc(p.Hubs, func(h rigfile.Hub) bool { return h.Name == e.Hub.Name })
	at := e.Hub.Endpoint(e.Device)
	if i < 0 || at == "" || e.HubPort == 0 {
		return nil
	}
	var boards []frontdoor.Board
	var others []rigfile.Device
	for _, d := range p.Around {
		o := Entry{Device: d.At(p.Hubs[i]), Hub: p.Hubs[i].For(d)}
		if o.Hub.Endpoint(o.Device) != at {
			continue
		}
		b := frontdoor.Board{Name: d.Name, Host: o.Hub.Host}
		b.From, _ = frontdoor.ParseSource(o.From) // the rig file was checked
		boards, others = append(boards, b), append(others, d)
	}
	turns := frontdoor.Turns(boards, e.Board())
	for _, d := range others {
		if d.Name != e.Board() && d.Serial.Emulated == nil && slices.Contains(turns, d.Name) {
			ids = append(ids, d.Type.MQTT.ClientIDFor(d.DeviceID, p.Hubs[i].For(d).Host))
		}
	}
	return ids
}
