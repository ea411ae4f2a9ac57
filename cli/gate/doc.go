// Package gate is the verb gate: whether a firmware may ship, by a policy, with
// a verdict and a statement that others can check.
//
// It promises that no file of an earlier answer is left where this one comes to
// none; that a run is held against what it was when it ended, by the history of
// this host and by its seal; and that a run of the firmware which was not given
// counts all the same.
//
// It does not know how a verdict is found: reports/gate judges.
package gate
