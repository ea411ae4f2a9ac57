package runner

import (
	"fmt"
	"slices"

	"hilrig/certs"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// beside are the other boards of the rig that dial the port of an entry and that
// nothing tells from it before a certificate, whether the run is for them or not,
// and their client ids. They are powered, and dial when they please; an emulated
// one lives only while its own process runs.
func (p *Plan) beside(e Entry) (names, ids []string) {
	i := slices.IndexFunc(p.Hubs, func(h rigfile.Hub) bool { return h.Name == e.Hub.Name })
	if i < 0 {
		return nil, nil
	}
	for _, d := range p.Hubs[i].Beside(p.Around, e.Board()) {
		if d.Serial.Emulated == nil {
			names, ids = append(names, d.Name), append(ids, p.Hubs[i].ClientIDOf(d))
		}
	}
	return names, ids
}

// besideOf tells a job which boards are beside its own, and which of them were
// silent in the turns before.
func (r *run) besideOf(e Entry) (ids, silent []string) {
	names, ids := r.plan.beside(e)
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, id := range ids {
		if r.silent[names[i]] {
			silent = append(silent, id)
		}
	}
	return ids, silent
}

// heardBeside keeps what an entry's turn has told of the boards beside it: who is
// silent is listened for once, and not in each turn. A turn in which its own board
// did not come in says nothing; one in which it did brings it to life.
func (r *run) heardBeside(led *recorder, e Entry) {
	led.mu.Lock()
	dev := led.rec.Device(e.Name)
	came, silent := len(dev.Sources) > 0, dev.Silent
	led.mu.Unlock()
	if !came {
		return
	}
	names, ids := r.plan.beside(e)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.silent, e.Board())
	for i, id := range ids {
		delete(r.silent, names[i])
		if slices.Contains(silent, id) {
			r.silent[names[i]] = true
		}
	}
}

// checkCertificates refuses boards that only their certificates could tell apart,
// and that have the same. A file that cannot be read is for whoever runs the board.
func (p *Plan) checkCertificates() error {
	for _, h := range p.Hubs {
		for _, d := range p.Devices {
			print := printOf(d)
			if print == "" {
				continue
			}
			for _, o := range h.Beside(p.Around, d.Name) {
				if printOf(o) != print {
					continue
				}
				return record.NewFailure(record.Usage, "tell apart", d.Name+" and "+o.Name, fmt.Errorf(
					"both dial %s and have one certificate, thumbprint %s (%s, %s)", h.Endpoint(d), print, d.Identity.Certificate, o.Identity.Certificate)).
					WithCure("give each an identity of its own, or from (its source address), hub_port or listen")
			}
		}
	}
	return nil
}

// printOf is the thumbprint of the certificate that a device has whatever
// happens; empty where it gets one from the run.
func printOf(d rigfile.Device) string {
	if d.Identity == nil {
		return ""
	}
	data, err := certs.ReadFile(d.Identity.Certificate)
	if err != nil {
		return ""
	}
	c, err := certs.ParseCertificate(data)
	if err != nil {
		return ""
	}
	return certs.ThumbprintsOf(c).SHA256
}
