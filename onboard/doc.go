// Package onboard makes a device type of a board that nobody has written one
// for, and a rig file of what is plugged in.
//
// It promises that a board is watched before it is touched, that a person is
// asked before anything is loaded into it, that every wait is bounded and said
// before it begins, and that what it writes is what the rig file's own checks
// take. What could not be learnt is left out and named, with the reason.
//
// It does not know what a terminal is: whom it tells and asks is handed to it
// ([Contact]). How a console is found out is the room below, probe.
package onboard
