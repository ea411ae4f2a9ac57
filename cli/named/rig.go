package named

import (
	"errors"
	"fmt"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/suites"
)

// Rig reads a rig file; no name is the built-in rig. The catalogue says what
// limits may be set for.
func Rig(file string, catalogue []fixtures.Spec) (*rigfile.Rig, error) {
	if file == "" {
		return rigfile.Default(), nil
	}
	return rigfile.Load(file, suites.Measured(catalogue)...)
}

// RigAt is a rig with the hub of this name as its own; no name leaves it as it
// is.
func RigAt(file, hub string, catalogue []fixtures.Spec) (*rigfile.Rig, error) {
	rig, err := Rig(file, catalogue)
	if err != nil || hub == "" {
		return rig, err
	}
	rig.Hub, err = rig.HubNamed(hub)
	return rig, err
}

// RigOfKind is RigAt for a verb that needs a rig file and a hub of one kind.
func RigOfKind(kind, file, hub, verb string, catalogue []fixtures.Spec) (*rigfile.Rig, error) {
	if file == "" {
		return nil, record.NewFailure(record.Usage, "read", "--rig", errors.New("no rig file is named")).WithCure(verb + " --rig rig.yaml")
	}
	rig, err := RigAt(file, hub, catalogue)
	if err == nil && rig.Hub.Kind != kind {
		err = record.NewFailure(record.Usage, "ask hub", rig.Hub.Name, fmt.Errorf("this hub is of kind %s", rig.Hub.Kind)).
			WithCure("--hub names another of the rig file")
	}
	return rig, err
}
