package port

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Schemes of a line on the network.
const (
	schemeRaw     = "tcp"     // the bytes of the line and nothing else
	schemeRFC2217 = "rfc2217" // Telnet, by which the rate can be set too
)

// address is a line on the network: tcp://host:port or rfc2217://host:port.
type address struct{ scheme, host, port string }

// parseAddress tells a line on the network from one of this machine.
func parseAddress(path string) (a address, network bool, err error) {
	scheme, rest, network := strings.Cut(path, "://")
	if !network {
		return a, false, nil
	}
	if scheme != schemeRaw && scheme != schemeRFC2217 {
		return a, true, fmt.Errorf("%w: %s:// is not known; tcp:// and rfc2217:// are", ErrNotSerial, scheme)
	}
	host, number, err := net.SplitHostPort(strings.TrimSuffix(rest, "/"))
	if err != nil {
		return a, true, fmt.Errorf("%w: want %s://host:port", ErrNotSerial, scheme)
	}
	if n, err := strconv.ParseUint(number, 10, 16); err != nil || n == 0 || host == "" {
		return a, true, fmt.Errorf("%w: want %s://host:port", ErrNotSerial, scheme)
	}
	return address{scheme, strings.ToLower(host), number}, true, nil
}

func (a address) String() string { return net.JoinHostPort(a.host, a.port) }

// What can be wrong with a line on the network; errors.Is finds them.
var (
	ErrUnreachable = errors.New("nothing serves the port there")
	ErrNoControl   = errors.New("the server does not let the line be set")
)
