package record

import (
	"crypto/sha1" //nolint:gosec // Azure's thumbprint
	"crypto/sha256"
	"fmt"
	"strings"
	"time"
)

// Schema is the version of run.json that this package writes.
const Schema = 1

// Record is the record of a run, run.json: everything else is derived from it
// and from the files in devices/.
type Record struct {
	Schema   int            `json:"schema"`
	Run      Run            `json:"run"`
	Firmware Firmware       `json:"firmware"`
	Devices  []DeviceRecord `json:"devices"`
	Selftest *Selftest      `json:"selftest,omitempty"` // of a run against faulty firmware: what it shows of the suites
}

// Run says who ran what, where and when.
type Run struct {
	ID          string    `json:"id"` // sorts by time: 20261122T231501Z-7f3a
	Rig         string    `json:"rig"`
	Host        string    `json:"host"`
	Version     string    `json:"hilrig"` // version of this binary
	Started     time.Time `json:"started"`
	Ended       time.Time `json:"ended,omitzero"`
	Arguments   []string  `json:"arguments"`
	Hub         string    `json:"hub"` // kinds of the hubs: local, broker or azure; of several with commas
	Interrupted bool      `json:"interrupted"`
	TimedOut    bool      `json:"timed_out,omitempty"`
	Broke       string    `json:"broke,omitempty"` // why hilrig itself ended before the run had: a panic, SIGQUIT
	Lost        string    `json:"lost,omitempty"`  // what a record made anew from the events could not be given back
	Verdict     Verdict   `json:"verdict"`
	Round       int       `json:"round,omitempty"`  // 1-based, with --repeat
	Rounds      int       `json:"rounds,omitempty"` // of how many
	Selection   Selection `json:"selection,omitzero"`
	UnderWay    bool      `json:"-"` // whoever read the record knows that the run goes on: it has no end yet
}

// Selection says which part of the catalogue was asked. The zero Selection is
// that of a record that does not say.
type Selection struct {
	Specs       []string `json:"specs,omitempty"`  // ids and patterns as typed; none: all
	LabelFilter string   `json:"label_filter"`     // empty: none
	Chosen      int      `json:"chosen"`           // specs that were asked
	Catalogue   int      `json:"catalogue"`        // specs that there are
	Digest      string   `json:"catalogue_sha256"` // of the specs that there are
	Default     bool     `json:"default"`          // exactly what is asked where nobody chooses
	Whole       bool     `json:"whole"`            // all of that, and maybe more
}

// Firmware is what is under test. All fields may be empty.
type Firmware struct {
	Version string `json:"version"`
	File    string `json:"file"`
	SHA256  string `json:"sha256"`
}

// DeviceRecord is what was found of one device.
type DeviceRecord struct {
	Name     string  `json:"name"`
	Type     string  `json:"type"`
	DeviceID string  `json:"device_id"`
	Emulated bool    `json:"emulated"`              // made of software: it says nothing of a firmware
	Shared   *Shared `json:"shared_port,omitempty"` // where other boards dial the same host and port
	Verdict  Verdict `json:"verdict"`
	Cause    string  `json:"cause,omitempty"` // why the device as a whole has no verdict: lease, child died
	Class    Class   `json:"class,omitempty"` // of Cause
	DeviceFacts
	Specs []SpecResult `json:"specs"`
}

// Shared says how a board is told from others that dial the same host and port.
type Shared struct {
	Port  string   `json:"port"`            // host:port where the rig listens
	From  string   `json:"from,omitempty"`  // the board's source address or prefix; empty: what belongs to no other
	Host  string   `json:"host,omitempty"`  // the hub's name that it sends (SNI), where that tells it from others of its address
	Turns []string `json:"turns,omitempty"` // boards that nothing tells apart before the client certificate, this one among them: they took turns
}

// DeviceFacts is what the child learns of its device while it runs.
type DeviceFacts struct {
	Port        string      `json:"port,omitempty"`
	Hub         Hub         `json:"hub,omitzero"`          // at which it was tested
	HubAddress  string      `json:"hub_address,omitempty"` // in place of Hub in a record of an older hilrig: see Load
	Sources     []string    `json:"sources,omitempty"`     // at a shared port: addresses from which it came with its certificate
	Silent      []string    `json:"silent,omitempty"`      // client ids of boards that it takes turns with and that did not dial in its turn, as long as one may stay away
	Lease       *Lease      `json:"lease,omitempty"`
	Firmware    string      `json:"firmware_version,omitempty"` // as the device says
	Running     Running     `json:"firmware,omitzero"`
	Hardware    Hardware    `json:"board,omitzero"`
	Thumbprints Thumbprints `json:"thumbprints,omitzero"`
	Root        string      `json:"root_sha256,omitempty"` // of the root loaded
	Loads       int         `json:"loads"`                 // files loaded with 9270: flash wears out
	PowerCycles int         `json:"power_cycles"`
	Faults      []string    `json:"faults,omitempty"` // emulated devices: the faulty firmware asked for
	LeftWith    string      `json:"left_with,omitempty"`
	PeakMemory  int64       `json:"peak_memory_bytes,omitempty"` // of the device's child process
}

// Hub is what stood at the end of the device's connection.
type Hub struct {
	Name    string `json:"name"`              // in the rig file; its kind where it has none there
	Kind    string `json:"kind"`              // local, broker or azure
	Address string `json:"address,omitempty"` // host:port the device dials
	Tap     bool   `json:"tap,omitempty"`     // a pass-through stood in front of it
}

// Thumbprints of a certificate, upper-case hex without separators, as Azure
// wants them.
type Thumbprints struct {
	SHA1   string `json:"sha1"`
	SHA256 string `json:"sha256"`
}

// ThumbprintsOf are those of a certificate in DER.
func ThumbprintsOf(der []byte) Thumbprints {
	s1, s256 := sha1.Sum(der), sha256.Sum256(der) //nolint:gosec // Azure's thumbprint
	return Thumbprints{SHA1: fmt.Sprintf("%X", s1), SHA256: fmt.Sprintf("%X", s256)}
}

// Lease says who holds a device.
type Lease struct {
	PID   int       `json:"pid"`
	Run   string    `json:"run"`
	Since time.Time `json:"since"`
}

// SpecResult is one spec on one device.
type SpecResult struct {
	ID           string        `json:"id"`
	Text         string        `json:"text"`
	Labels       []string      `json:"labels"`
	Verdict      Verdict       `json:"verdict"`
	Class        Class         `json:"class,omitempty"`
	Message      string        `json:"message,omitempty"` // one line: what was expected, what was seen
	Expected     string        `json:"expected,omitempty"`
	Seen         string        `json:"seen,omitempty"`
	Why          string        `json:"why,omitempty"`  // what a fleet in the field pays for it
	Look         string        `json:"look,omitempty"` // what to look at first
	At           float64       `json:"at,omitempty"`   // of the event that decided, in seconds of the run's clock; 0: none is known
	Cause        string        `json:"cause,omitempty"`
	Started      time.Time     `json:"started,omitzero"`
	Seconds      float64       `json:"seconds"`
	Flaky        bool          `json:"flaky,omitempty"` // passed after a failed attempt
	Attempts     []Attempt     `json:"attempts,omitempty"`
	Steps        []Step        `json:"steps,omitempty"`
	Measurements []Measurement `json:"measurements,omitempty"`
	Evidence     Evidence      `json:"evidence,omitzero"`
	Warnings     []string      `json:"warnings,omitempty"`
	Output       []string      `json:"output,omitempty"` // last transcript lines around a failure, masked
	Rounds       []RoundResult `json:"rounds,omitempty"` // in the record that sums a repeated run up: one for each round that was run
}

// RoundResult is how a spec ended in one round of a repeated run. The round's
// own record, in round-NN, has the rest.
type RoundResult struct {
	Round   int       `json:"round"` // from 1
	Started time.Time `json:"started,omitzero"`
	Seconds float64   `json:"seconds"`
	Verdict Verdict   `json:"verdict"`
	Class   Class     `json:"class,omitempty"`
	Message string    `json:"message,omitempty"`
	Cause   string    `json:"cause,omitempty"`
	Flaky   bool      `json:"flaky,omitempty"`
}

// Attempt is one try of a spec.
type Attempt struct {
	Started time.Time `json:"started"`
	Seconds float64   `json:"seconds"`
	Verdict Verdict   `json:"verdict"`
	Class   Class     `json:"class,omitempty"`
	Message string    `json:"message,omitempty"`
}

// Step is a named part of a spec and when it began, in seconds of the run's clock.
type Step struct {
	At   float64 `json:"at"`
	Text string  `json:"text"`
}

// Evidence points into the streamed files: byte offsets at which the spec
// began and ended.
type Evidence struct {
	TranscriptFrom int64 `json:"transcript_from"`
	TranscriptTo   int64 `json:"transcript_to"`
	TimelineFrom   int64 `json:"timeline_from"`
	TimelineTo     int64 `json:"timeline_to"`
}

// Measurement is a number with its limits. A nil limit is no limit.
type Measurement struct {
	Name    string   `json:"name"`
	Value   float64  `json:"value"`
	Unit    string   `json:"unit"`
	Low     *float64 `json:"low"`
	High    *float64 `json:"high"`
	Verdict Verdict  `json:"verdict"`
}

// Judge sets the verdict of m from its limits and returns it.
func (m Measurement) Judge() Measurement {
	m.Verdict = Pass
	if m.Low != nil && m.Value < *m.Low || m.High != nil && m.Value > *m.High {
		m.Verdict = Fail
	}
	return m
}

// Unended is why a record has no verdict: nothing was put back, cleaned up and
// found in order at its end. Empty: the run came to its end.
func (r *Record) Unended() string {
	switch {
	case r.Run.Lost != "":
		return "the record was made anew, and is not whole: " + r.Run.Lost
	case !r.Run.Ended.IsZero():
		return ""
	case r.Run.Broke != "":
		return "hilrig broke off: " + r.Run.Broke
	}
	return "the record has no end: the run was killed, or is still going on"
}

// Conclude derives the verdict of every device and of the run from the specs.
// A device without specs, and one with a cause of its own, cannot be green. A
// record that has no end has no verdict, whatever its specs say.
func (r *Record) Conclude() {
	unended := r.Unended() != ""
	var run []Verdict
	for i := range r.Devices {
		d := &r.Devices[i]
		var vs []Verdict
		for _, s := range d.Specs {
			vs = append(vs, s.Verdict)
		}
		d.Verdict = Worst(vs...)
		if d.Cause != "" {
			d.Verdict = Worst(d.Verdict, verdictOf(d.Class))
		}
		if unended {
			d.Verdict = Worst(d.Verdict, NotRun)
		}
		run = append(run, d.Verdict)
	}
	r.Run.Verdict = Worst(run...)
	if unended {
		r.Run.Verdict = NotRun
	}
}

func verdictOf(c Class) Verdict {
	if c == ClassDevice {
		return Fail
	}
	return Error
}

// EntryName is what the entry of a device at one of several hubs is called:
// device@hub. No name of a rig file holds an @.
func EntryName(board, hub string) string { return board + "@" + hub }

// Board is the device's name in the rig file, whichever hub its entry is of.
func (d DeviceRecord) Board() string { return strings.TrimSuffix(d.Name, EntryName("", d.Hub.Name)) }

// Device finds a device by name; nil if there is none.
func (r *Record) Device(name string) *DeviceRecord {
	for i := range r.Devices {
		if r.Devices[i].Name == name {
			return &r.Devices[i]
		}
	}
	return nil
}

// Put replaces the result of the spec with s.ID, or appends it.
func (d *DeviceRecord) Put(s SpecResult) {
	for i := range d.Specs {
		if d.Specs[i].ID == s.ID {
			d.Specs[i] = s
			return
		}
	}
	d.Specs = append(d.Specs, s)
}

// Count says how many specs of the run have each verdict.
func (r *Record) Count() map[Verdict]int {
	n := map[Verdict]int{}
	for _, d := range r.Devices {
		for _, s := range d.Specs {
			n[s.Verdict]++
		}
	}
	return n
}
