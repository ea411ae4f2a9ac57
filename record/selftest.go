package record

// Selftest is what a run against faulty firmware shows of the suites
// themselves: which fault is caught by which spec, and that sound firmware
// passes. It stands beside the record of that run, in which a faulty device
// that fails is as it should be.
type Selftest struct {
	Verdict  Verdict      `json:"verdict"` // fail: a fault was missed or sound firmware was not all pass; not-run: a verdict is missing
	Sound    []SoundRow   `json:"sound"`
	Faults   []FaultRow   `json:"faults"`
	Unproven []string     `json:"unproven"` // specs asked for that no fault of the gallery turned red or to a warn
	Specs    []SpecTurned `json:"specs"`
}

// OfSelftest reports whether a run was against faulty firmware, also one that
// was killed before it could say what it shows.
func (r *Record) OfSelftest() bool {
	return r.Selftest != nil || len(r.Run.Arguments) > 0 && r.Run.Arguments[0] == "selftest"
}

// SoundRow is sound firmware of one timing profile.
type SoundRow struct {
	Device  string   `json:"device"`
	Profile string   `json:"profile"`
	Verdict Verdict  `json:"verdict"`
	Passed  int      `json:"passed"`
	Others  []Caught `json:"others"` // every spec that neither passed nor does not apply
	Seconds float64  `json:"seconds"`
}

// FaultRow is one faulty firmware.
type FaultRow struct {
	Fault      string   `json:"fault"`
	Doc        string   `json:"doc"`
	Stands     string   `json:"stands_for"`
	Device     string   `json:"device"`
	Verdict    Verdict  `json:"verdict"` // pass: caught by a spec named for it, with words that name the cause and a whole diagnosis
	Named      []Caught `json:"named"`   // the specs named for it
	Collateral []Caught `json:"collateral"`
	Missing    string   `json:"missing,omitempty"` // why it was not caught
}

// Caught is how one spec ended on a device whose fault is known.
type Caught struct {
	Spec    string  `json:"spec"`
	Verdict Verdict `json:"verdict"`
	Class   Class   `json:"class,omitempty"`
	Message string  `json:"message,omitempty"`
	Names   bool    `json:"names_cause"` // the message holds the words that name the fault
}

// SpecTurned says which faults turned a spec red, or to a warn.
type SpecTurned struct {
	Spec   string   `json:"spec"`
	Faults []string `json:"faults"`
}
