package peers

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
)

// Port is the loopback's address of a port that a peer dials and cannot be told.
// Where somebody else listens there the rule is that of a missing peer; who may
// not listen there skips, in CI too.
func Port(t Test, port int) (address string) {
	t.Helper()
	address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	l, err := net.Listen("tcp", address)
	if err == nil {
		err = l.Close()
	}
	switch {
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0:
		t.Skip("only root may listen at port", port, "which the peer dials:", err)
	case err != nil:
		Missing(t, fmt.Sprintf("a place for the hub at port %d, which the peer dials: %v", port, err))
	}
	return address
}
