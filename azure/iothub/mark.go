package iothub

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"hilrig/azure/iothub/registry"
)

// Mark says in a device's statusReason who made it, or uses it. Tags would need
// a second call, and the right to write twins.
type Mark struct {
	Rig, Run string
	Expires  time.Time // when the run is over at the latest
}

const (
	markWord = "hilrig"
	mostMark = 128 // characters of a statusReason (Azure: iot-hub-devguide-identity-registry)
	mostRig  = 60
	mostRun  = 38
)

// NewMark is a mark that fits: longer names are cut, and told apart by a hash.
func NewMark(rig, run string, expires time.Time) Mark {
	return Mark{fitting(rig, mostRig), fitting(run, mostRun), expires.UTC().Truncate(time.Second)}
}

// String is what stands in the registry.
func (m Mark) String() string {
	return strings.Join([]string{markWord, m.Rig, m.Run, m.Expires.Format(time.RFC3339)}, " ")
}

// fitting is a name without blanks, of at most so many bytes.
func fitting(name string, most int) string {
	name = strings.Join(strings.Fields(name), "_")
	if name == "" {
		return "-"
	}
	if len(name) <= most {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:most-9] + "~" + hex.EncodeToString(sum[:4])
}

// ParseMark reads one; false for a reason that somebody else gave.
func ParseMark(reason string) (Mark, bool) {
	words := strings.Split(reason, " ")
	if len(words) != 4 || words[0] != markWord {
		return Mark{}, false
	}
	expires, err := time.Parse(time.RFC3339, words[3])
	return Mark{words[1], words[2], expires}, err == nil
}

// taken says why a device with this mark is not another rig's to take; empty:
// its time is over, or it is the rig's own.
func (m Mark) taken(rig string, now time.Time) string {
	if m.Rig == fitting(rig, mostRig) || now.After(m.Expires) {
		return ""
	}
	return fmt.Sprintf("rig %s uses it until %s", m.Rig, m.Expires.Format(time.RFC3339))
}

// Left reports whether a device's reason is the mark of a run whose time is over.
func Left(reason string, now time.Time) bool {
	m, made := ParseMark(reason)
	return made && now.After(m.Expires)
}

// InUse says which run uses a device at present; empty: none.
func InUse(d registry.Device) string {
	m, made := ParseMark(d.StatusReason)
	if !made {
		return ""
	}
	return m.taken("", time.Now())
}
