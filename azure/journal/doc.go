// Package journal says what a process has made at a hub, so that a later process
// removes what one that died left behind.
//
// It promises that an entry is on disk before what it tells of is begun, that a
// journal is complete or absent, and that nobody takes the journal of a process
// that lives: its lock ends with the process, however that ends.
//
// It does not know how anything is removed.
package journal
