package hub

import (
	"encoding/json"
	"sync"
	"time"

	"hilrig/azure/hub"
	"hilrig/record"
	"hilrig/record/wording"
)

// printer prints events as JSON lines; the hub calls it from several
// goroutines.
type printer struct {
	mu  sync.Mutex
	enc *json.Encoder
}

// mark is a line that stands for those that nobody read in time.
func mark(n int) []byte {
	return append(record.MustData(hub.Line{Event: "dropped", At: time.Now().UTC().Round(0),
		Text: wording.Plural(n, "line") + " dropped here: nobody read standard output"}), '\n')
}

// readyLine is the first line.
type readyLine struct {
	Event   string `json:"event"`
	Address string `json:"address"`
	Root    string `json:"root"`              // PEM, for 9270,10
	Control string `json:"control,omitempty"` // socket for hilrig hub send, invoke, patch, fault
	registryReady
}

// ready prints the first line. The caller holds the lock.
func (p *printer) ready(l readyLine) {
	l.Event = "ready"
	_ = p.enc.Encode(l)
}

func (p *printer) print(l hub.Line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.enc.Encode(l) // a reader that went away does not stop the hub
}

func (p *printer) event(e hub.Event) { p.print(hub.LineOf(e)) }
