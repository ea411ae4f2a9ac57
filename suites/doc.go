// Package suites is the catalogue: every spec by its stable id, and the way to
// run a selection of them through Ginkgo on an injected Bench.
//
// It promises that specs run in the catalogue's order, that each has a time
// limit from the named table, and that however a spec ends (verdict, panic,
// time limit, interrupt) a result of it is sent.
//
// It does not know how a device is reached, nor who reads the results.
package suites
