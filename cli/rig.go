package cli

import (
	"errors"
	"fmt"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
	"hilrig/suites"
)

// loadRig reads a rig file; no name is the built-in rig. The catalogue says what
// limits may be set for.
func loadRig(file string, catalogue []fixtures.Spec) (*rigfile.Rig, error) {
	if file == "" {
		return rigfile.Default(), nil
	}
	return rigfile.Load(file, suites.Measured(catalogue)...)
}

// rigAt is a rig with the hub of this name as its own; no name leaves it as it
// is.
func (a *app) rigAt(file, hub string) (*rigfile.Rig, error) {
	rig, err := loadRig(file, a.Catalogue)
	if err != nil || hub == "" {
		return rig, err
	}
	rig.Hub, err = rig.HubNamed(hub)
	return rig, err
}

// rigOfKind is rigAt for a verb that needs a rig file and a hub of one kind.
func (a *app) rigOfKind(kind, file, hub, verb string) (*rigfile.Rig, error) {
	if file == "" {
		return nil, record.NewFailure(record.Usage, "read", "--rig", errors.New("no rig file is named")).WithCure(verb + " --rig rig.yaml")
	}
	rig, err := a.rigAt(file, hub)
	if err == nil && rig.Hub.Kind != kind {
		err = record.NewFailure(record.Usage, "ask hub", rig.Hub.Name, fmt.Errorf("this hub is of kind %s", rig.Hub.Kind)).
			WithCure("--hub names another of the rig file")
	}
	return rig, err
}
