package localhub_test

import (
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
)

// forDevice makes a hub one device's own, and shows it where the device lives:
// at 127.0.0.1.
func forDevice(t *testing.T) *bench {
	t.Helper()
	b := start(t, func(c *localhub.Config) { c.For = deviceID })
	b.comesAndGoes()
	return b
}

func (b *bench) comesAndGoes() {
	b.t.Helper()
	mark := b.hub.Events().Mark()
	c := b.client()
	if err := wait(b.t, c.Connect()); err != nil {
		b.t.Fatalf("the device: %v", err)
	}
	c.Disconnect(10)
	b.await(mark, "the end of the device's session", kind(hub.KindDisconnected))
}

// from opens connections from a loopback address; they end with the test.
func (b *bench) from(address string, n int) (conns []net.Conn) {
	b.t.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 5 * time.Second}
	for range n {
		c, err := d.DialContext(b.t.Context(), "tcp", b.addr)
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			b.t.Skip("no second loopback address here: ", err)
		}
		if err != nil {
			b.t.Fatal(err)
		}
		b.t.Cleanup(func() { c.Close() })
		conns = append(conns, c)
	}
	return conns
}

// halfHello is the beginning of a TLS record that never ends.
var halfHello = []byte{22, 3, 1, 2, 0, 1}

// A stranger's connections keep nobody out but himself.
func TestTheDeviceComesThroughACrowdOfStrangers(t *testing.T) {
	for name, c := range map[string]struct {
		address string
		n       int
		say     []byte
	}{
		"300 half handshakes":                           {"127.0.0.2", 300, halfHello},
		"300 half handshakes from the device's address": {"127.0.0.1", 300, halfHello},
		"2100 silent sockets":                           {"127.0.0.3", 2100, nil},
		"2100 silent sockets from the device's address": {"127.0.0.1", 2100, nil},
		"2100 half handshakes":                          {"127.0.0.2", 2100, halfHello},
	} {
		t.Run(name, func(t *testing.T) {
			b := forDevice(t)
			for _, x := range b.from(c.address, c.n) {
				if _, err := x.Write(c.say); err != nil && len(c.say) > 0 {
					continue // closed to make room
				}
			}
			began := time.Now()
			b.comesAndGoes()
			t.Logf("the device came and went in %s", time.Since(began))
		})
	}
}

// Only what the device shows makes a connection its own.
func TestAConnectionIsTheDevicesByWhatProvesIt(t *testing.T) {
	b := start(t, func(c *localhub.Config) { c.For = deviceID })
	v := b.hub.Events()
	proof := func(mark int, k hub.EventKind) hub.Proof {
		t.Helper()
		return v.Proof(b.await(mark, string(k), kind(k)).Conn)
	}
	bare := func(address string) hub.Proof {
		t.Helper()
		mark := v.Mark()
		b.from(address, 1)
		return proof(mark, hub.KindAccepted)
	}
	if got := bare("127.0.0.2"); got != hub.ProofPossible {
		t.Errorf("before the device was ever seen: %s", got)
	}
	mark := v.Mark()
	b.comesAndGoes()
	if got := proof(mark, hub.KindConnect); got != hub.ProofCertificate {
		t.Errorf("the device: %s", got)
	}
	if got := bare("127.0.0.1"); got != hub.ProofAddress {
		t.Errorf("a bare connection from its address: %s", got)
	}
	if got := bare("127.0.0.2"); got != hub.ProofNone {
		t.Errorf("a bare connection from elsewhere: %s", got)
	}
	for _, c := range []struct { // in this order: where the certificate comes from is the device's address, too
		name   string
		config *tls.Config
		want   hub.Proof
	}{
		{"no certificate", &tls.Config{InsecureSkipVerify: true}, hub.ProofNone}, //nolint:gosec // a stranger
		{"its certificate", b.tls(b.id), hub.ProofCertificate},
	} {
		mark := v.Mark()
		conn := b.from("127.0.0.2", 1)[0]
		_ = tls.Client(conn, c.config).HandshakeContext(t.Context())
		if got := proof(mark, hub.KindHandshake); got != c.want {
			t.Errorf("TLS from elsewhere with %s: %s", c.name, got)
		}
	}
}

// A fault is shown to the device, and to nobody who happens to knock meanwhile.
func TestAFaultIsNotSpentOnAStranger(t *testing.T) {
	b := forDevice(t)
	showing := b.hub.Show(hub.Fault{Name: "cut", CutAfter: 2}, 1)
	mark := b.hub.Events().Mark()
	_ = tls.Client(b.from("127.0.0.2", 1)[0], &tls.Config{InsecureSkipVerify: true}).HandshakeContext(t.Context()) //nolint:gosec // a stranger
	b.await(mark, "the stranger's handshake", kind(hub.KindHandshake))
	if n := showing.Count(); n != 0 {
		t.Errorf("shown %d times to a stranger", n)
	}
	_ = wait(t, b.client().Connect())
	if n := showing.Count(); n != 1 {
		t.Errorf("shown %d times to the device", n)
	}
}

// Whoever knocks for hours must not push the device's evidence out of the
// record: what is too much of him is counted.
func TestALoudStrangerIsCounted(t *testing.T) {
	b := forDevice(t)
	mark := b.hub.Events().Mark()
	const n = 400
	for range 4 {
		for _, c := range b.from("127.0.0.2", n/4) {
			c.Close()
		}
	}
	told, recorded := 0, 0
	deadline := time.Now().Add(20 * time.Second)
	for told+recorded < n && time.Now().Before(deadline) {
		time.Sleep(300 * time.Millisecond)
		b.comesAndGoes() // what is counted is told with what is recorded
		told, recorded = 0, 0
		for _, e := range b.hub.Events().Since(mark) {
			switch {
			case e.Kind == hub.KindNoise:
				told += e.Noise.Connections
				if e.Noise.Address != "127.0.0.2" || e.Noise.AtDevice || e.Noise.Crowded() {
					t.Errorf("told of %+v", e.Noise)
				}
			case e.Kind == hub.KindAccepted && b.hub.Events().Proof(e.Conn) == hub.ProofNone:
				recorded++
			}
		}
	}
	if told+recorded != n || recorded > n/4 {
		t.Errorf("%d of %d recorded, %d more counted", recorded, n, told)
	}
}

// Somebody else at the device's own address who is in its way is told as such:
// the two cannot be told apart, and it is the rig's to mend.
func TestACrowdAtTheDevicesAddressIsTold(t *testing.T) {
	b := forDevice(t)
	mark := b.hub.Events().Mark()
	b.from("127.0.0.1", 2100)
	b.comesAndGoes()
	b.hub.Events().Tell()
	crowded := false
	for _, e := range b.hub.Events().Since(mark) {
		crowded = crowded || e.Kind == hub.KindNoise && e.Noise.Crowded() && e.Noise.Address == "127.0.0.1"
	}
	if !crowded {
		t.Error("nobody was told of 2100 silent connections from the device's own address")
	}
}
