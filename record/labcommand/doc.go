// Package labcommand runs the commands that a rig file names.
//
// It promises that a command ends within its bound with all that it started,
// that a terminal's Ctrl-C does not reach it, and that what is shown of its
// output is short and has no secret that its environment tells.
//
// It does not know what a command is for, nor whose fault it is when it fails.
package labcommand
