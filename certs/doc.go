// Package certs makes and checks what a device and a hub prove themselves
// with: device identities, roots, thumbprints, the hub's server certificate,
// and server certificates that are wrong in exactly one way.
//
// It promises that what it writes is what openssl reads, that no error and no
// log line ever holds private key text, that two processes at once get the
// same rig root, and that a damaged file of a rig's root is named, never
// silently replaced: devices hold that root.
//
// It does not know who presents or loads what it makes, nor how a file gets
// into a device.
package certs
