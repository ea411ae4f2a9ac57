package record

// Verdict is the outcome of a spec, a device, a measurement or a run.
type Verdict string

// The verdicts, from best to worst as [Worst] orders them.
const (
	NotApplicable Verdict = "not-applicable" // the device or rig cannot be asked this; the reason is in Cause
	Pass          Verdict = "pass"
	Warn          Verdict = "warn"    // works, but worth a look; never turns a run red by itself
	NotRun        Verdict = "not-run" // expected, and has no result; the cause is in Cause
	Error         Verdict = "error"   // the rig or the harness is to blame
	Fail          Verdict = "fail"    // the device is to blame
)

// rank orders verdicts for a roll-up. A device's failure outranks everything:
// a release manager must see it even when the rig broke afterwards.
var rank = map[Verdict]int{NotApplicable: 0, Pass: 1, Warn: 2, NotRun: 3, Error: 4, Fail: 5}

// Valid reports whether v is one of the six verdicts.
func (v Verdict) Valid() bool {
	_, ok := rank[v]
	return ok
}

// Green reports whether v leaves a run green: pass, warn and not-applicable do.
func (v Verdict) Green() bool { return v == Pass || v == Warn || v == NotApplicable }

// WorstFirst are all verdicts, in the order in which somebody must see them.
func WorstFirst() []Verdict { return []Verdict{Fail, Error, NotRun, Warn, Pass, NotApplicable} }

// Worst rolls verdicts up into one. Of no verdicts at all it says not-run: an
// empty selection proves nothing, and neither does a verdict that nobody knows.
func Worst(vs ...Verdict) Verdict {
	if len(vs) == 0 {
		return NotRun
	}
	worst := NotApplicable
	for _, v := range vs {
		if !v.Valid() {
			v = NotRun
		}
		if rank[v] > rank[worst] {
			worst = v
		}
	}
	return worst
}

// Class says whose fault a failure is.
type Class string

// The classes of failure.
const (
	ClassDevice Class = "device"
	RigPort     Class = "rig:port"
	RigPower    Class = "rig:power"
	RigHub      Class = "rig:hub"
	RigCloud    Class = "rig:cloud"
	RigHost     Class = "rig:host"
	RigFirmware Class = "rig:firmware" // another firmware than asked for
	Usage       Class = "usage"        // never in a record: a usage error is found before a run exists
	Harness     Class = "harness"
)

// Rig reports whether c is one of the rig's classes.
func (c Class) Rig() bool {
	switch c {
	case RigPort, RigPower, RigHub, RigCloud, RigHost, RigFirmware:
		return true
	}
	return false
}
