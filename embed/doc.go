// Package embed is hilrig inside of a program of somebody else: their specs
// stand beside those of the catalogue, their program starts the run, and the
// record comes back.
//
// It promises that a run is what `hilrig run` makes of the same rig file: one
// process for each device (the program itself, started again), the same
// evidence, the same record. Everything that a spec of somebody else needs is
// in package fixtures.
//
// It does not know what a program makes of the record.
package embed
