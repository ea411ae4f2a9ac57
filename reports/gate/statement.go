package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"hilrig/record"
	"hilrig/record/dsse"
)

// The types of what is signed (in-toto attestation framework, Statement v1, and
// its predicate test-result v0.1).
const (
	payloadType   = "application/vnd.in-toto+json"
	statementType = "https://in-toto.io/Statement/v1"
	testResult    = "https://in-toto.io/attestation/test-result/v0.1"
)

// Statement says of the SHA-256 of a firmware what the gate said.
type Statement struct {
	Type          string     `json:"_type"`
	Subject       []resource `json:"subject"`
	PredicateType string     `json:"predicateType"`
	Predicate     Predicate  `json:"predicate"`
}

// Predicate is what holds of the subject: a test-result with the whole verdict
// beside its fields.
type Predicate struct {
	Result        string     `json:"result"`        // PASSED or FAILED
	Configuration []resource `json:"configuration"` // the policy, then each run that it stands on
	PassedTests   []string   `json:"passedTests,omitempty"`
	FailedTests   []string   `json:"failedTests,omitempty"`
	Verdict       *Verdict   `json:"verdict"`
}

// resource is an in-toto ResourceDescriptor.
type resource struct {
	Name        string            `json:"name,omitempty"`
	Digest      map[string]string `json:"digest"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

func digestOf(sum string) map[string]string { return map[string]string{"sha256": sum} }

// NewStatement makes the statement of a verdict, about an image by its name.
// There is none where there is no answer, nor where the image is not known.
func NewStatement(v *Verdict, image string) (*Statement, error) {
	results := map[Word]string{Pass: "PASSED", Fail: "FAILED"}
	refuse := func(err error) error { return record.NewFailure(record.Usage, "make statement", "", err) }
	switch {
	case results[v.Verdict] == "":
		return nil, refuse(fmt.Errorf("of %s there is none", v.Verdict))
	case v.Firmware.SHA256 == "":
		return nil, record.NewFailure(record.Usage, "make statement", "", errors.New("nobody says the SHA-256 of the firmware")).WithCure("--firmware-file names the image")
	}
	s := &Statement{Type: statementType, PredicateType: testResult, Subject: []resource{{Name: image, Digest: digestOf(v.Firmware.SHA256)}}}
	p := Predicate{Result: results[v.Verdict], Verdict: v}
	p.Configuration = append(p.Configuration, resource{Name: "policy " + v.Policy.Name, Digest: digestOf(v.Policy.SHA256)})
	for _, r := range v.Runs {
		if r.Accepted {
			p.Configuration = append(p.Configuration, resource{Name: "run " + r.ID, Digest: digestOf(r.SHA256), Annotations: map[string]string{"firmware_known": string(v.Firmware.Known)}})
		}
	}
	for _, r := range v.Rules {
		if r.Verdict == Pass {
			p.PassedTests = append(p.PassedTests, r.Name)
		} else {
			p.FailedTests = append(p.FailedTests, r.Name)
		}
	}
	s.Predicate = p
	return s, nil
}

// Sign puts the statement into an envelope.
func (s *Statement) Sign(sign dsse.Signer) ([]byte, error) {
	payload, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode statement: %w", err)
	}
	return dsse.Sign(payloadType, payload, sign)
}

// Verify opens an envelope that a public key (PEM) has signed and returns its
// statement. It asks nobody.
func Verify(envelope, publicKey []byte) (*Statement, error) {
	payload, err := dsse.Verify(payloadType, envelope, publicKey)
	if err != nil {
		return nil, err
	}
	return readStatement(payload)
}

// readStatement takes a payload that says what a statement of ours says, and
// whose parts agree.
func readStatement(payload []byte) (*Statement, error) {
	var s Statement
	if err := json.Unmarshal(payload, &s); err != nil {
		return nil, fmt.Errorf("its payload is no statement: %w", err)
	}
	v := s.Predicate.Verdict
	switch {
	case s.Type != statementType || s.PredicateType != testResult:
		return nil, fmt.Errorf("it is a %s of %s, not a test-result of hilrig", s.Type, s.PredicateType)
	case len(s.Subject) != 1 || v == nil || s.Subject[0].Digest["sha256"] == "" || s.Subject[0].Digest["sha256"] != v.Firmware.SHA256:
		return nil, errors.New("its subject is not the firmware of its verdict")
	case !slices.Contains([]string{"PASSED PASS", "FAILED FAIL"}, s.Predicate.Result+" "+string(v.Verdict)):
		return nil, errors.New("its result is not that of its verdict")
	}
	return &s, nil
}
