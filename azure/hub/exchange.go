package hub

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
)

// TwinOp is what happened to a twin.
type TwinOp string

// What happens to twins.
const (
	TwinGet      TwinOp = "get"      // the device asked for it
	TwinReported TwinOp = "reported" // the device changed its reported properties
	TwinDesired  TwinOp = "desired"  // the hub told the device of a change
)

// TwinExchange is a request of the device with the hub's answer, or a
// notification of the hub's.
type TwinExchange struct {
	Op        TwinOp `json:"op"`
	RequestID string `json:"rid,omitempty"`
	Status    int    `json:"status,omitempty"`  // of the answer
	Version   int    `json:"version,omitempty"` // reported and desired: the section's after it
	Payload   []byte `json:"-"`                 // of the request or the notification
	Cut       bool   `json:"-"`                 // the payload is its beginning only: the record was full
	Unheard   bool   `json:"unheard,omitempty"` // the device has not subscribed to it
}

// String is one line for people.
func (x TwinExchange) String() string {
	s := fmt.Sprintf("twin %s", x.Op)
	if x.Status != 0 {
		s += fmt.Sprintf(": %d", x.Status)
	}
	if x.Version != 0 {
		s += fmt.Sprintf(", version %d", x.Version)
	}
	if x.Unheard {
		s += " (the device has not subscribed to it)"
	}
	return s
}

// Twin is a device's twin as the service sees it.
type Twin struct {
	Desired, Reported               json.RawMessage // objects as the device gets them, each with its $version at the end
	DesiredFull, ReportedFull       json.RawMessage // the same with $metadata
	DesiredVersion, ReportedVersion int             // from 1, one more with each change
	Tags                            json.RawMessage // an object, or nil where there are none
	ModelID                         string          // that the device said at its last connect
	Version                         int             // of the whole: from 2, one more with each change of any part
	Written                         int             // how often the service changed it, from 1: what its ETag is of
}

// MethodCall is a direct method on its way to the device, or its answer.
type MethodCall struct {
	Name      string `json:"name,omitempty"` // of the call; an answer to nothing has none
	RequestID string `json:"rid"`
	Answer    bool   `json:"answer"`
	Status    int    `json:"status,omitempty"` // of the answer
	Late      bool   `json:"late,omitempty"`   // an answer that nobody waits for
	Payload   []byte `json:"-"`
	Cut       bool   `json:"-"` // the payload is its beginning only: the record was full
}

// Device is an entry of a hub's registry: X.509 self-signed, as the guide
// registers it (section 3.1).
type Device struct {
	ID           string              // case-sensitive
	Thumbprints  []string            // primary and secondary; SHA-1 or SHA-256, any case
	Certificates []*x509.Certificate // of the thumbprints, where they are at hand: a broker may have to be given them
	Disabled     bool
	Generation   string // tells the device from an earlier one of its id; the hub gives it
}
