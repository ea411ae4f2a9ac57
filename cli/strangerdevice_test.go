//go:build unix

package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hilrig/peers"
	"hilrig/peers/brokers"
	"hilrig/record"
)

// stranger is a device of which nothing is ours but its terminal: its MQTT and
// its TLS are mosquitto_pub's, which is started anew with what it was given.
type stranger struct {
	t    *testing.T
	pub  string // the client's path
	dir  string
	port string // of the broker
	says string // each message, with the number that it has for %d
	mu   sync.Mutex
	end  context.CancelFunc // of the client that runs
	gone chan struct{}
}

// serve answers to the guide's commands on each connection of a line.
func (d *stranger) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		stop := context.AfterFunc(d.t.Context(), func() { _ = c.Close() })
		d.terminal(c)
		stop()
		_ = c.Close()
	}
}

func (d *stranger) terminal(c net.Conn) {
	r := bufio.NewReader(io.TeeReader(c, c)) // it echoes
	for {
		line, err := r.ReadString('\r')
		if err != nil {
			return
		}
		slot, ours := strings.CutPrefix(strings.Trim(line, "*\r\n"), "9270,")
		name := map[string]string{"10": "root.pem", "20": "device.pem", "30": "device.key"}[slot]
		if !ours || name == "" {
			fmt.Fprint(c, "\r\n? \r\n")
			continue
		}
		fmt.Fprint(c, "\r\nSEND FILE...\r\n")
		file, err := r.ReadString('*')
		if err != nil {
			return
		}
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(strings.TrimSuffix(file, "*")), 0o600); err != nil {
			d.t.Error(err)
			return
		}
		fmt.Fprint(c, "\r\nCOMMAND PROCESSED OK\r\n")
		if slot == "30" {
			d.connect()
		}
	}
}

// connect runs the client with the files that there are, and feeds it.
func (d *stranger) connect() {
	d.stop()
	ctx, end := context.WithCancel(d.t.Context())
	pub := exec.CommandContext(ctx, d.pub, "-h", "localhost", "-p", d.port, "-V", "mqttv311", "-i", "NewDevice",
		"--cafile", "root.pem", "--cert", "device.pem", "--key", "device.key", "-q", "1", "-l", "-t", "devices/NewDevice/messages/events/")
	pub.Dir = d.dir
	in, err := pub.StdinPipe()
	if err == nil {
		err = pub.Start()
	}
	if err != nil {
		d.t.Error(err)
		end()
		return
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		tick := time.NewTicker(300 * time.Millisecond)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-ctx.Done():
				_ = pub.Wait() // it was killed
				return
			case <-tick.C:
				_, _ = fmt.Fprintf(in, d.says+"\n", n) // one that is gone takes none
			}
		}
	}()
	d.mu.Lock()
	d.end, d.gone = end, gone
	d.mu.Unlock()
}

func (d *stranger) stop() {
	d.mu.Lock()
	end, gone := d.end, d.gone
	d.end = nil
	d.mu.Unlock()
	if end != nil {
		end()
		<-gone
	}
}

// A client of somebody else behind the guide's terminal is judged from its
// certificate to its messages at a broker of somebody else.
func TestAStrangersClientIsTestedAtABroker(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says string
		code int
		red  string
	}{
		"a sound one":              {`{"seq":%d,"temperature":21.5}`, 0, ""},
		"one that is not of UTF-8": {"{\"seq\":%d,\"unit\":\"\xb0C\"}", 1, "delivery/payload"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := brokers.Mosquitto(t, "allow_anonymous true", nil)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			d := &stranger{t: t, pub: peers.Find(t, "mosquitto_pub"), dir: t.TempDir(), port: b.Port, says: c.says}
			var served sync.WaitGroup
			served.Go(func() { d.serve(l) })
			t.Cleanup(func() { _ = l.Close(); served.Wait(); d.stop() })
			s := rigAt(t, b, `
hub: {kind: broker, url: "BROKER", root: root.pem}
types:
  theirs:
    console: {recover: {quiet: 50ms}}
    timing: {connect_within: 10s, publish_within: 10s, interval: 300ms, reconnect_within: 10s, abort_within: 2s}
    payload: {sequence: /seq}
devices:
  - {name: board-1, device_id: NewDevice, type: theirs, serial: {url: "tcp://`+l.Addr().String()+`"}}
`)
			r, out := s.run(c.code, "--spec", "provisioning/root", "--spec", "provisioning/certificate", "--spec", "provisioning/key",
				"--spec", "delivery/first-message", "--spec", "delivery/topic", "--spec", "delivery/payload", "--spec", "delivery/interval")
			for id, v := range verdicts(t, r, "board-1") {
				if want := map[bool]record.Verdict{true: record.Fail, false: record.Pass}[id == c.red]; v.Verdict != want {
					t.Errorf("%s: %s, want %s: %s%s\n%s", id, v.Verdict, want, v.Message, v.Cause, out)
				}
			}
		})
	}
}
