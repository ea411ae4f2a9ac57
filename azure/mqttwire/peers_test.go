package mqttwire

import (
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

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"hilrig/peers"
)

// broker starts a real mosquitto on a free port of loopback.
func broker(t *testing.T) string {
	t.Helper()
	program := peers.Find(t, "mosquitto")
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	_, port, _ := net.SplitHostPort(addr)
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := fmt.Sprintf("listener %s 127.0.0.1\nallow_anonymous true\npersistence false\n", port)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 100 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return addr
		}
		time.Sleep(20 * time.Millisecond) // mosquitto says nothing when it listens
	}
	t.Fatal("mosquitto does not listen")
	return ""
}

// tap is a byte proxy that judges every connection, and can withhold PUBACKs
// and cut.
type tap struct {
	Addr     string
	sessions *Sessions

	mu         sync.Mutex
	violations []Violation
	packets    []Packet
	withhold   bool // PUBACKs of the broker
	conns      []net.Conn
	seen       chan Packet
}

func newTap(t *testing.T, upstream string) *tap {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{Addr: ln.Addr().String(), sessions: NewSessions(), seen: make(chan Packet, 10_000)}
	t.Cleanup(func() { ln.Close(); p.cut() })
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", upstream)
			if err != nil {
				client.Close()
				return
			}
			p.serve(client, server)
		}
	}()
	return p
}

func (p *tap) serve(client, server net.Conn) {
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	p.mu.Unlock()
	c := NewChecker(p.sessions)
	go p.pump(c, client, server, true)
	go p.pump(c, server, client, false)
}

func (p *tap) pump(c *Checker, from, to net.Conn, fromClient bool) {
	defer from.Close()
	defer to.Close()
	s := NewSplitter(0, nil)
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		for _, f := range s.Feed(buf[:n]) {
			p.mu.Lock()
			held := p.withhold && !fromClient && f.Type() == PUBACK
			p.mu.Unlock()
			if held {
				continue
			}
			packet, vs := c.Feed(f, fromClient)
			p.mu.Lock()
			p.violations = append(p.violations, vs...)
			p.packets = append(p.packets, packet)
			p.mu.Unlock()
			p.seen <- packet
			to.Write(f.Raw)
		}
		if err != nil {
			vs := c.End(time.Now(), fromClient && err == io.EOF)
			p.mu.Lock()
			p.violations = append(p.violations, vs...)
			p.mu.Unlock()
			return
		}
	}
}

func (p *tap) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *tap) hold(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.withhold = on
}

// await waits for a packet of the client.
func (p *tap) await(t *testing.T, what string, match func(Packet) bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case packet := <-p.seen:
			if match(packet) {
				return
			}
		case <-deadline:
			t.Fatalf("no %s; seen %d packets", what, len(p.packets))
		}
	}
}

func (p *tap) judge(t *testing.T, want ...byte) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, v := range p.violations {
		t.Errorf("false alarm: %v", v)
	}
	found := map[byte]int{}
	for _, packet := range p.packets {
		if packet.Malformed != "" {
			t.Errorf("malformed: %+v", packet)
		}
		found[packet.Type]++
	}
	for _, w := range want {
		if found[w] == 0 {
			t.Errorf("no %s passed; the test proves nothing of it", TypeName(w))
		}
	}
}

func runPeer(t *testing.T, stdin string, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, peers.Find(t, name), args...)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// TestMosquittoClientsAreSound has mosquitto_pub and mosquitto_sub talk at all
// three QoS through the tap: nothing is held against them.
func TestMosquittoClientsAreSound(t *testing.T) {
	p := newTap(t, broker(t))
	host, port, _ := net.SplitHostPort(p.Addr)
	where := []string{"-h", host, "-p", port, "-V", "mqttv311"}
	arg := func(more ...string) []string { return append(append([]string(nil), where...), more...) }

	runPeer(t, "", "mosquitto_sub", arg("-i", "keeper", "-c", "-q", "1", "-t", "a/#", "-E")...)
	lines := strings.Repeat("same\n", 40)
	for q := range 3 {
		qos := fmt.Sprint(q)
		runPeer(t, lines, "mosquitto_pub", arg("-i", "pub-"+qos, "-q", qos, "-t", "a/"+qos, "-l", "--will-topic", "w", "--will-payload", "gone", "-u", "user", "-P", "pw")...)
		runPeer(t, "", "mosquitto_pub", arg("-i", "kept-"+qos, "-c", "-q", qos, "-t", "a/"+qos, "-m", "one", "-r")...)
	}
	runPeer(t, "", "mosquitto_sub", arg("-i", "keeper", "-c", "-q", "1", "-t", "a/#", "-t", "b", "-U", "b", "-C", "60")...)
	runPeer(t, "", "mosquitto_sub", arg("-i", "two", "-q", "2", "-t", "a/2", "-C", "1")...)
	p.judge(t, CONNECT, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT)
}

// TestPahoIsSoundThroughCuts withholds PUBACKs from paho and cuts it, in a
// clean and in a kept session: its re-deliveries are not held against it.
func TestPahoIsSoundThroughCuts(t *testing.T) {
	upstream := broker(t)
	for _, clean := range []bool{true, false} {
		t.Run(fmt.Sprintf("clean=%v", clean), func(t *testing.T) {
			p := newTap(t, upstream)
			o := mqtt.NewClientOptions().AddBroker("tcp://"+p.Addr).SetClientID(fmt.Sprintf("paho-%v", clean)).
				SetCleanSession(clean).SetProtocolVersion(4).SetAutoReconnect(true).SetMaxReconnectInterval(200*time.Millisecond).
				SetKeepAlive(2*time.Second).SetUsername("u").SetPassword("p").SetWill("w", "x", 1, true)
			client := mqtt.NewClient(o)
			within(t, client.Connect())
			within(t, client.SubscribeMultiple(map[string]byte{"in": 1, "in2": 2}, func(mqtt.Client, mqtt.Message) {}))
			within(t, client.Publish("in", 1, false, "echo"))
			within(t, client.Publish("in2", 2, false, "echo"))
			p.hold(true)
			for i := range 5 {
				client.Publish("out", 1, false, fmt.Sprint("held ", i))
			}
			client.Publish("out", 1, false, "same")
			client.Publish("out", 1, false, "same")
			p.await(t, "held message", func(q Packet) bool { return q.Type == PUBLISH && q.FromClient && string(q.Payload) == "same" })
			p.hold(false)
			p.cut()
			p.await(t, "re-delivery with DUP", func(q Packet) bool { return q.FromClient && q.Dup })
			for i := range 8 {
				within(t, client.Publish("out", 1, false, fmt.Sprint("new ", i)))
			}
			p.await(t, "ping", func(q Packet) bool { return q.Type == PINGREQ })
			within(t, client.Unsubscribe("in"))
			client.Disconnect(500)
			p.await(t, "DISCONNECT", func(q Packet) bool { return q.Type == DISCONNECT })
			p.judge(t, CONNECT, PUBLISH, PUBACK, PUBREL, SUBSCRIBE, UNSUBSCRIBE, PINGREQ, DISCONNECT)
		})
	}
}

func within(t *testing.T, token mqtt.Token) {
	t.Helper()
	select {
	case <-token.Done():
	case <-time.After(15 * time.Second):
		t.Fatal("paho does not come back")
	}
	if err := token.Error(); err != nil {
		t.Fatal(err)
	}
}
