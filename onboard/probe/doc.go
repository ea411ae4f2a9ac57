// Package probe finds out how the console of an unknown board talks: whether it
// echoes, what ends a command, what it says before a file and after it, and how
// long it takes.
//
// It promises to be gentle: before [Board.Load] it sends nothing but one
// harmless line per line end that is tried, no `*` and no command; Load does
// what the manufacturer's guide does by hand, once. Every wait is bounded and
// says before it begins what is waited for. What the board says unasked is told
// from its answers by having been listened to first.
//
// It knows nothing of hubs, and of files only their bytes.
package probe
