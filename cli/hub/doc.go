// Package hub is the verb hub: the local hub on its own, and by hand, from another
// terminal, what the cloud does.
//
// It promises that the first line says where the hub listens and with which root,
// that nobody who does not read holds it up, and that no secret is printed.
//
// It does not know IoT Hub's rules: azure/localhub has them.
package hub
