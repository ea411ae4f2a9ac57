//go:build !unix

package frontdoor

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"
)

var errNotHere = errors.New("boards cannot share a port on this system: no process can hand a connection to another")

func supported() error { return errNotHere }

func pair() (*net.UnixConn, *os.File, error) { return nil, nil, errNotHere }

func asConn(*os.File) (*net.UnixConn, error) { return nil, errNotHere }

func hand(*net.UnixConn, *net.TCPConn) error { return errNotHere }

func warn(*net.UnixConn, netip.Addr) error { return errNotHere }

func take(*net.UnixConn) (net.Conn, netip.Addr, error) { return nil, netip.Addr{}, errNotHere }

func helloName(*net.TCPConn, time.Time) string { return "" }
