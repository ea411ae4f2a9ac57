package localhub_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/azure/hub"
	"hilrig/azure/localhub"
	"hilrig/azure/mqttwire"
	"hilrig/peers"
)

// BenchmarkAgainstMosquitto measures the hub beside mosquitto, with the same
// client, certificates and machine, in turns: the ratios (hub over mosquitto,
// median of the turns) are what can be compared between machines. The ratio of
// processor time, clients and all, is the same on a machine that is busy with
// something else.
func BenchmarkAgainstMosquitto(b *testing.B) {
	const clients, turn, turns = 4, time.Second, 5
	id := rsaIdentity(b)
	ours := hubForSpeed(b, id, clients)
	theirs, cpuOfTheirs := mosquitto(b, id)
	roots := x509.NewCertPool()
	roots.AddCert(makePKI().root)
	config := &tls.Config{
		RootCAs: roots, ServerName: "localhost", Certificates: []tls.Certificate{id},
		MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384},
	}
	for _, m := range []struct {
		what    string
		measure func(testing.TB, string, *tls.Config, int, time.Duration) float64
	}{{"handshakes", handshakesPerSecond}, {"connects", connectsPerSecond}, {"messages", messagesPerSecond}} {
		b.Run(m.what, func(b *testing.B) {
			for range b.N {
				var hub, other, ratio, cpu []float64
				for range turns {
					began := cpuOf(b, os.Getpid())
					h := m.measure(b, ours, config, clients, turn)
					between, theirsBegan := cpuOf(b, os.Getpid()), cpuOfTheirs()
					o := m.measure(b, theirs, config, clients, turn)
					ended, theirsEnded := cpuOf(b, os.Getpid()), cpuOfTheirs()
					hub, other, ratio = append(hub, h), append(other, o), append(ratio, h/o)
					cpu = append(cpu, (ended-between+theirsEnded-theirsBegan)/o/((between-began)/h))
				}
				b.ReportMetric(median(cpu), "cpu-ratio")
				b.ReportMetric(median(hub), "hub/s")
				b.ReportMetric(median(other), "mosquitto/s")
				b.ReportMetric(median(ratio), "ratio")
			}
		})
	}
}

func median(v []float64) float64 {
	sort.Float64s(v)
	return v[len(v)/2]
}

func rsaIdentity(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: deviceID},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func deviceOf(client int) string { return fmt.Sprintf("%s%d", deviceID, client) }

func hubForSpeed(t testing.TB, id tls.Certificate, clients int) string {
	t.Helper()
	c := localhub.Config{Host: "localhost", Certificate: makePKI().server}
	for i := range clients {
		c.Devices = append(c.Devices, hub.Device{ID: deviceOf(i), Thumbprints: []string{sha256Of(id)}})
	}
	hub, err := localhub.New(c)
	if err != nil {
		t.Fatal(err)
	}
	addr, err := hub.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_ = hub.Close(ctx)
	})
	return addr.String()
}

// mosquitto takes the device's certificate as the hub does: by knowing it.
func mosquitto(t testing.TB, id tls.Certificate) (address string, cpu func() float64) {
	t.Helper()
	server := makePKI().server
	_, cert, key := files(t, makePKI().root, server)
	device, _, _ := files(t, leafOf(t, id), server)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	_ = l.Close() // mosquitto cannot be given a listener
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nrequire_certificate true\ncafile %s\ncertfile %s\nkeyfile %s\ntls_version tlsv1.2\nmax_inflight_messages 0\nlog_type none\nuser root\n", addr.Port, device, cert, key)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(peers.Find(t, "mosquitto"), "-c", conf)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		c, err := net.Dial("tcp", addr.String())
		if err == nil {
			_ = c.Close()
			return addr.String(), func() float64 { return cpuOf(t, cmd.Process.Pid) }
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

// cpuOf is the processor time of a process, in ticks (proc(5)).
func cpuOf(t testing.TB, pid int) float64 {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	var user, system float64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		t.Fatal(err)
	}
	return user + system
}

func leafOf(t testing.TB, c tls.Certificate) *x509.Certificate {
	t.Helper()
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// handshakesPerSecond are full ones, with a certificate on both sides.
func handshakesPerSecond(t testing.TB, addr string, config *tls.Config, clients int, during time.Duration) float64 {
	t.Helper()
	var n atomic.Int64
	began := time.Now()
	each(t, clients, func(int) error {
		for time.Since(began) < during {
			c, err := tls.Dial("tcp", addr, config)
			if err != nil {
				return err
			}
			if err := c.Close(); err != nil {
				return err
			}
			n.Add(1)
		}
		return nil
	})
	return float64(n.Load()) / time.Since(began).Seconds()
}

// connectsPerSecond are sessions from TCP to CONNACK, and their good-bye.
func connectsPerSecond(t testing.TB, addr string, config *tls.Config, clients int, during time.Duration) float64 {
	t.Helper()
	var n atomic.Int64
	began := time.Now()
	each(t, clients, func(i int) error {
		for time.Since(began) < during {
			c, err := session(addr, config, i)
			if err != nil {
				return err
			}
			if _, err := c.Write([]byte{mqttwire.DISCONNECT << 4, 0}); err != nil {
				return err
			}
			_ = c.Close() // the hub may have closed it by now
			n.Add(1)
		}
		return nil
	})
	return float64(n.Load()) / time.Since(began).Seconds()
}

// session is a session of a client, and nothing more.
func session(addr string, config *tls.Config, client int) (*tls.Conn, error) {
	c, err := tls.Dial("tcp", addr, config)
	if err != nil {
		return nil, err
	}
	id := deviceOf(client)
	body := append(text("MQTT"), 4, 0x82, 0, 240) // a user name, a clean session
	body = append(append(body, text(id)...), text("localhost/"+id+"/?api-version=2021-04-12")...)
	if _, err := c.Write(append([]byte{mqttwire.CONNECT << 4, byte(len(body))}, body...)); err != nil {
		return nil, err
	}
	answer := make([]byte, 4)
	if _, err := io.ReadFull(c, answer); err != nil {
		return nil, err
	}
	if answer[0] != mqttwire.CONNACK<<4 || answer[3] != 0 {
		return nil, fmt.Errorf("answered with % x", answer)
	}
	return c, nil
}

// messagesPerSecond are QoS 1 messages of 200 bytes, acknowledged, with 32 of
// each client on their way.
func messagesPerSecond(t testing.TB, addr string, config *tls.Config, clients int, during time.Duration) float64 {
	t.Helper()
	var n atomic.Int64
	payload := make([]byte, 200)
	connected := make([]mqtt.Client, clients)
	for i := range connected {
		o := mqtt.NewClientOptions().AddBroker("ssl://" + addr).SetClientID(deviceOf(i)).SetAutoReconnect(false).
			SetUsername("localhost/" + deviceOf(i) + "/?api-version=2021-04-12").SetTLSConfig(config).SetProtocolVersion(4)
		o.SetWriteTimeout(5 * time.Second)
		connected[i] = mqtt.NewClient(o)
		if tok := connected[i].Connect(); !tok.WaitTimeout(10*time.Second) || tok.Error() != nil {
			t.Fatalf("connect to %s: %v", addr, tok.Error())
		}
		defer connected[i].Disconnect(0)
	}
	began := time.Now()
	each(t, clients, func(i int) error {
		var on []mqtt.Token
		topic := "devices/" + deviceOf(i) + "/messages/events/"
		for {
			for len(on) < 32 && time.Since(began) < during {
				on = append(on, connected[i].Publish(topic, 1, false, payload))
			}
			if len(on) == 0 {
				return nil
			}
			if !on[0].WaitTimeout(10 * time.Second) {
				return io.ErrNoProgress
			}
			if err := on[0].Error(); err != nil {
				return err
			}
			on = on[1:]
			n.Add(1)
		}
	})
	return float64(n.Load()) / time.Since(began).Seconds()
}

// each runs one of do for every client and ends with the test at the first
// error.
func each(t testing.TB, clients int, do func(int) error) {
	t.Helper()
	var all sync.WaitGroup
	errs := make([]error, clients)
	for i := range clients {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}
