// Package identity judges what the rig is about to give the device, before the
// device is touched. A red spec here is the rig's fault, never the device's.
package identity
