package tap_test

import (
	"crypto/tls"
	"io"
	"net"
	"sort"
	"testing"
	"time"

	"hilrig/azure/tap"
)

// BenchmarkBesideTheLine measures a tap beside the line without it, in turns:
// what it adds to a round trip, the handshakes a second through it, and the
// share of the line's throughput that is left.
func BenchmarkBesideTheLine(b *testing.B) {
	const turns, trips, bulk = 5, 400, 32 << 20
	config := &tls.Config{Certificates: []tls.Certificate{makePKI().server}, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert}
	x := open(b, opens(func(c net.Conn) { _, _ = io.Copy(c, c) }), tap.Config{})
	secure := open(b, opens(func(c net.Conn) { _, _ = io.Copy(io.Discard, tls.Server(c, config)) }), tap.Config{})
	direct := x.inner.(*opaque).l.Addr().String()
	var added, share, hands []float64
	for b.Loop() {
		for range turns {
			added = append(added, p99(b, x.addr, trips)-p99(b, direct, trips))
			share = append(share, throughput(b, x.addr, bulk)/throughput(b, direct, bulk))
			began, n := time.Now(), 0
			for ; time.Since(began) < time.Second; n++ {
				c, err := tls.Dial("tcp", secure.addr, secure.config())
				if err != nil {
					b.Fatal(err)
				}
				_ = c.Close()
			}
			hands = append(hands, float64(n)/time.Since(began).Seconds())
		}
	}
	b.ReportMetric(middle(added), "added-ms-p99")
	b.ReportMetric(middle(share), "throughput-ratio")
	b.ReportMetric(middle(hands), "handshakes/s")
}

func middle(v []float64) float64 {
	sort.Float64s(v)
	return v[len(v)/2]
}

// p99 is of round trips of a small message, in milliseconds.
func p99(b *testing.B, addr string, trips int) float64 {
	b.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	said, all := make([]byte, 100), make([]float64, trips)
	for i := range all {
		began := time.Now()
		if _, err := c.Write(said); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c, said); err != nil {
			b.Fatal(err)
		}
		all[i] = float64(time.Since(began).Microseconds()) / 1000
	}
	sort.Float64s(all)
	return all[trips*99/100]
}

// throughput is bytes a second there and back.
func throughput(b *testing.B, addr string, n int64) float64 {
	b.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	began := time.Now()
	go func() {
		said := make([]byte, 1<<16)
		for left := n; left > 0; left -= int64(len(said)) {
			if _, err := c.Write(said); err != nil {
				return
			}
		}
		_ = c.(*net.TCPConn).CloseWrite()
	}()
	if got, err := io.Copy(io.Discard, c); err != nil || got != n {
		b.Fatal(got, err)
	}
	return float64(n) / time.Since(began).Seconds()
}
