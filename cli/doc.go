// Package cli is the verbs of hilrig: flags in, exit code out.
//
// It promises that results go to standard output and everything else to
// standard error; that an error is said in one line that names what, where and
// the cure; that a usage error ends with 2 before anything is touched; and that
// colour and moving progress appear only at a terminal that wants them.
//
// It does not know how anything is done: each verb is a file, or a room of its
// own where it has many below it, that turns flags into a call of a lower room and
// the answer into lines. What verbs share lies in rooms below them.
package cli
