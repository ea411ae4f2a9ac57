//go:build !linux

package control

import "net"

// checkPeer leaves it to the mode of the socket and its folder.
func checkPeer(net.Conn) error { return nil }
