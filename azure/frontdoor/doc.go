// Package frontdoor is one listener for the boards of a shelf: production
// firmware dials one host name and one port, and each board has a process of its
// own here that plays its hub.
//
// It promises that a connection goes to the process of the board that its source
// address belongs to, or of those at one address the board whose hub its
// ClientHello names, untouched and with that address; that a board which
// listens no more refuses only its own; and that a connection of nobody is said
// and served nothing. Boards that neither tells apart come in one at a time:
// who starts them sees to it, by [Turns].
//
// It reads nothing else of what is spoken over a connection, and that only where
// boards of one address dial hubs of several names. A TCP connection cannot be
// refused for one source alone: on a shared port refused means accepted, and
// reset before a byte.
package frontdoor
