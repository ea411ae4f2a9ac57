// Package selftest holds the suites against firmware whose fault is known: a
// harness is worth what it catches, and worth nothing if it cries wolf.
//
// It promises for each fault a device and the specs named for it, and a
// judgement: caught only where such a spec is red by the device's fault, or
// warns, with words that name the cause. Sound firmware must pass everything.
//
// It does not run anything: a run makes the record that is judged here.
package selftest
