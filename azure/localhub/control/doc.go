// Package control is how a person at a desk speaks to a hub that runs: send a
// cloud-to-device message, call a method, write a twin, show a fault. A hub
// listens at a socket in a folder of its owner's; requests are HTTP with JSON.
//
// It promises that nobody but the owner of the socket, and root, is listened to
// (folder 0700, socket 0600, the caller's user asked from the kernel where it
// says), that the socket goes with its hub, that what a killed hub leaves
// behind is told from one that lives and is swept by the next, and that errors
// arrive with their class, so that exit codes are those of the hub's own calls.
//
// It does not know certificates, rig files or how a person types.
package control
