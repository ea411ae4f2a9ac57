package record

// Origin says how something of a device is known.
type Origin string

// The origins, from best to worst.
const (
	Flashed   Origin = "flashed" // hilrig put it there, and the board said nothing else
	Asked     Origin = "asked"   // the board said it
	OfAdapter Origin = "adapter" // its serial adapter said it: another board may hang on it tomorrow
	Claimed   Origin = "claimed" // somebody typed it, or wrote it into the rig file
)

// Told reports whether a thing is known by more than a person's word.
func (o Origin) Told() bool { return o == Flashed || o == Asked }

// Running is the firmware that is on a device.
type Running struct {
	Version string `json:"version"`
	SHA256  string `json:"sha256"` // of its image; empty: a board that says its version does not say this
	Known   Origin `json:"known"`
}

// Claimed is what somebody said of the firmware, where nothing else is known.
func (f Firmware) Claimed() Running {
	if f.Version == "" && f.SHA256 == "" {
		return Running{}
	}
	return Running{Version: f.Version, SHA256: f.SHA256, Known: Claimed}
}

// Hardware is the board that a device is: a slot of the rig file is a place.
type Hardware struct {
	Serial   string `json:"serial,omitempty"`
	Known    Origin `json:"known,omitempty"` // how its serial is known
	Revision string `json:"revision,omitempty"`
}
