package localhub

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/tlswire"
)

// lateConn is one on a host that is late for every tenth byte.
type lateConn struct {
	net.Conn
	bytes, most int
}

func (c *lateConn) Write(b []byte) (int, error) {
	if c.bytes++; c.bytes%10 == 0 {
		time.Sleep(8 * time.Millisecond)
	}
	c.most = max(c.most, len(b))
	return len(b), nil
}

// A handshake that is slowed down takes as long as it should, and not longer on
// a host that is late now and then: a device's patience is its own.
func TestASlowHandshakeMakesUpForALateHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &lateConn{}
		s := &faultyConn{Conn: c, fault: hub.Fault{ByteEvery: time.Millisecond}, o: tlswire.NewObserver(time.Now)}
		began := time.Now()
		if _, err := s.Write(make([]byte, 200)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 200*time.Millisecond || took > 209*time.Millisecond || c.bytes != 200 || c.most != 1 {
			t.Errorf("200 bytes, one every millisecond, took %s in %d writes of %d bytes at most", took, c.bytes, c.most)
		}
	})
}
