// Package hub is what a hub saw and what may be asked of one, whatever kind it
// is: the embedded one, a broker, Azure. Its record [Events] is the evidence
// that specs judge by.
//
// It promises that the record is in the order in which things happened, that a
// watcher knows of an event before the device is answered, and that the record
// stays within its bounds. It tells the connections of the device from those of
// strangers, and says why a device does not come ([Events.Diagnose]).
//
// It does not know how any kind of hub works, and judges nothing.
package hub
