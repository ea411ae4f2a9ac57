// Package devices is the verb devices: the serial ports of this machine, who holds
// them, and which devices of a rig can be reached, once or as it changes.
//
// It promises that no port is opened, and that what an adapter calls itself steers
// no terminal.
//
// It does not know how ports are found: hw/usb and hw/port do, and doctor says
// whether a device can be reached.
package devices
