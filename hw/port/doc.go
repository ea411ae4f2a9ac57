// Package port opens one serial line, a real one or a pseudo-terminal, and
// holds it exclusively.
//
// It promises that nobody else of this host who also asks opens the same line
// (an flock that dies with its holder, under one name for all names of a
// line), that a write after Close reaches nothing, that a write ends in
// bounded time, and that an unplugged line is told apart from a closed one.
// Its errors are of class rig:port (a folder that cannot be written: rig:host)
// and name port, step and cure.
//
// It does not know what is said on the line.
package port
