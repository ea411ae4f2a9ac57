package tap_test

import (
	"crypto/tls"
	"io"
	"net"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hilrig/azure/tap"
)

// BenchmarkBesideTheLine measures a tap beside the line without it, in turns:
// what it adds to a round trip, the handshakes a second through it, and the
// shares of the line's handshakes and throughput that are left. The clients and
// the server run on the same processors: of the handshakes the share says what
// the tap costs, the rate mostly what they do.
func BenchmarkBesideTheLine(b *testing.B) {
	const turns, trips, bulk = 5, 400, 32 << 20
	config := &tls.Config{Certificates: []tls.Certificate{makePKI().server}, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert}
	x := open(b, opens(func(c net.Conn) { _, _ = io.Copy(c, c) }), tap.Config{})
	secure := open(b, opens(func(c net.Conn) { _, _ = io.Copy(io.Discard, tls.Server(c, config)) }), tap.Config{})
	direct := x.inner.(*opaque).l.Addr().String()
	line := secure.inner.(*opaque).l.Addr().String()
	var added, share, hands, handsShare []float64
	for b.Loop() {
		for range turns {
			added = append(added, p99(b, x.addr, trips)-p99(b, direct, trips))
			share = append(share, throughput(b, x.addr, bulk)/throughput(b, direct, bulk))
			through, without := handshakes(b, secure.addr, secure.config()), handshakes(b, line, secure.config())
			hands, handsShare = append(hands, through), append(handsShare, through/without)
		}
	}
	b.ReportMetric(middle(added), "added-ms-p99")
	b.ReportMetric(middle(share), "throughput-ratio")
	b.ReportMetric(middle(hands), "handshakes/s")
	b.ReportMetric(middle(handsShare), "handshakes-ratio")
}

// handshakes is how many a second clients get that dial without a pause, one for
// each processor.
func handshakes(b *testing.B, addr string, config *tls.Config) float64 {
	b.Helper()
	began, clients := time.Now(), runtime.GOMAXPROCS(0)
	var n atomic.Int64
	var dialling sync.WaitGroup
	for range clients {
		dialling.Go(func() {
			for ; time.Since(began) < time.Second; n.Add(1) {
				c, err := tls.Dial("tcp", addr, config)
				if err != nil {
					b.Error(err)
					return
				}
				_ = c.Close() // its answer is not waited for
			}
		})
	}
	dialling.Wait()
	return float64(n.Load()) / time.Since(began).Seconds()
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
