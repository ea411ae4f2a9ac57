package suites

import (
	"slices"

	"hilrig/fixtures"
	"hilrig/suites/delivery"
	"hilrig/suites/identity"
	"hilrig/suites/provisioning"
	"hilrig/suites/recovery"
	"hilrig/suites/session"
	"hilrig/suites/soak"
	"hilrig/suites/tlsclient"
)

// All is the catalogue, in the order in which specs run.
func All() []fixtures.Spec {
	return slices.Concat(
		identity.Specs(), provisioning.Specs(), tlsclient.Specs(),
		session.Specs(), delivery.Specs(), recovery.Specs(),
		session.Closing(), soak.Specs(), provisioning.Closing(),
	)
}
