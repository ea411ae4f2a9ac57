// Package usb finds the serial ports of this machine, and says which adapter
// each belongs to, by what the kernel tells of them in sysfs and udev in
// /dev/serial.
//
// It promises that nothing is opened (a port that is opened may reset the
// board behind it, or be somebody else's), and that a selector which fits no port,
// or several, is a failure of class rig:port that names what is there.
//
// It does not know what is behind a port, nor whether it may be opened.
package usb
