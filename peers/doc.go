// Package peers finds the programs of other people that tests try the project's
// own against. Only tests import it.
//
// The rule is one: where a peer is not installed the test is skipped and says
// which, in CI (CI=true) it fails.
package peers
