// Package power switches a device on and off: by the commands of a rig file,
// or, for a device made of software, by starting and killing its process.
//
// It promises that Off is whole (an emulated device is gone in whatever state
// it was, also in the middle of a write), that every command is bounded, and
// that its errors are of class rig:power.
//
// It does not know what a device does with its power.
package power
