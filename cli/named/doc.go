// Package named finds what a person names on the command line: a run, run
// folders, a rig and its hub, a file, a key, a certificate, a device id.
//
// It promises that what is not there, or not what it was named for, is a usage
// error that says what was looked for where, with the cure; that a file which
// never ends is not read for ever; and that a key given in place of a file's name
// is never shown.
//
// It does not know which verb asks.
package named
