// Package port opens one serial line, a real one, a pseudo-terminal or one that
// a server on the network has (raw TCP, or Telnet with RFC 2217), and holds it
// exclusively.
//
// It promises that nobody else of this host who also asks opens the same line
// (a lock that dies with its holder and names it, one for all names of a
// line); that a write after Close reaches nothing, whatever the system does
// with the descriptor's number; that a write is whole or an error, in bounded
// time, and leaves nothing running behind; and that a line that was unplugged
// is told apart from one that was closed. Its errors are of class rig:port (a
// lock folder that cannot be used: rig:host) and name port, step and cure.
//
// It does not know what is said on the line, nor when it comes back after it
// was unplugged: that is a new Open.
package port
