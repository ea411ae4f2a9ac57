//go:build linux

package cli

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/peers/brokers"
)

// forms are those in which a secret may stand somewhere.
func forms(secret string) (all []string) {
	bare := []string{secret}
	if decoded, err := base64.StdEncoding.DecodeString(secret); err == nil {
		bare = append(bare, string(decoded))
	}
	for _, s := range bare {
		all = append(all, s, hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))), base64.StdEncoding.EncodeToString([]byte(s)),
			base64.RawURLEncoding.EncodeToString([]byte(s)), url.QueryEscape(s), url.PathEscape(s), fmt.Sprintf("%q", s))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// hidden is what no output, no argument and no other process's environment may
// hold.
type hidden struct {
	*testing.T
	secrets []string
}

// hides are the keys of the hub, which only the environment may hold, and what a
// token begins with that is made of one.
func (c *cloud) hides() hidden {
	h := hidden{c.t, []string{"SharedAccessSignature sr=", "&sig=", "%26sig%3D"}}
	for _, key := range c.keys {
		h.secrets = append(h.secrets, forms(key)...)
	}
	return h
}

func (h hidden) shown(where string, text []byte) {
	for _, secret := range h.secrets {
		if bytes.Contains(text, []byte(secret)) {
			h.Errorf("%s holds %q", where, secret)
		}
	}
}

// during looks at a run, and at all that it starts, until it is over. Who opens
// the hub has the variable: the run, and its process for the device.
func (h hidden) during(cmd *exec.Cmd) error {
	h.Helper()
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	looked := map[string]bool{}
	for {
		select {
		case err := <-over:
			if !looked["emulate"] {
				h.Errorf("no other process was looked at: %v", looked)
			}
			return err
		case <-time.After(20 * time.Millisecond):
			for _, pid := range family(cmd.Process.Pid) {
				if name := h.process(pid, pid == cmd.Process.Pid); name != "" {
					looked[name] = true
				}
			}
		}
	}
}

// process looks at one: at its environment where it does not open the hub, and
// says then which verb it runs.
func (h hidden) process(pid int, itself bool) (verb string) {
	at := fmt.Sprintf("/proc/%d/", pid)
	argv, err := os.ReadFile(at + "cmdline")
	if err != nil || len(argv) == 0 {
		return "" // it has ended
	}
	name := strings.ReplaceAll(strings.TrimRight(string(argv), "\x00"), "\x00", " ")
	h.shown("argv of "+name, argv)
	if itself || strings.Contains(name, " child") {
		return ""
	}
	environ, err := os.ReadFile(at + "environ")
	if err != nil || len(environ) == 0 {
		return ""
	}
	h.shown("environment of "+name, environ)
	words := strings.Fields(name)
	return words[min(1, len(words)-1)]
}

// below looks at the files of folders.
func (h hidden) below(dirs ...string) {
	h.Helper()
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			h.shown(path, text)
			return err
		})
		if err != nil {
			h.Error(err)
		}
	}
}

// A run is given a connection string by a variable and one by a file. Neither,
// nor a token made of it, is in what it prints or writes, nor in what programs it
// starts are told; the process that opens the hub alone has the variable.
func TestNoSecretOfARunIsShown(t *testing.T) {
	c := openCloud(t)
	h := c.hides()
	c.write("events.txt", c.amqp.Events())
	c.env = slices.DeleteFunc(c.env, func(v string) bool { return strings.HasPrefix(v, "IOTHUB_EVENTS=") })
	c.write("rig.yaml", strings.Replace(azureRig, "events: {connection_string_env: IOTHUB_EVENTS", "events: {connection_string_file: events.txt", 1))
	cmd, out := c.begun("--verbose", "run", "--rig", "rig.yaml", "--hub", "azure", "--label-filter", "core")
	if err := h.during(cmd); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	h.shown("output", out.Bytes())
	h.below(filepath.Join(c.dir, "reports"), filepath.Join(c.dir, "state"))
}

// The same of MQTT passwords: the observer's by a file, the device's by a
// variable.
func TestNoPasswordOfARunIsShown(t *testing.T) {
	b := brokers.Mosquitto(t, "password_file %[1]s/passwords", map[string][]byte{"passwords": brokers.Passwords(t, "board", "swordfish")})
	s := rigAt(t, b, strings.Replace(`
hub: {kind: broker, url: "BROKER", root: root.pem, observer: {user: board, password_file: secret}}`+quick, "  quick:\n", "  quick:\n    mqtt: {user_name: board, password_env: BOARD_PASSWORD}\n", 1), "BOARD_PASSWORD=swordfish")
	brokers.Write(t, s.dir, "secret", []byte("swordfish\n"))
	h := hidden{t, forms("swordfish")}
	cmd, out := s.hilrig("--verbose", "run", "--rig", "rig.yaml", "--out", "runs", "--label-filter", "core"), &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := h.during(cmd); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	h.shown("output", out.Bytes())
	h.below(filepath.Join(s.dir, "runs"), filepath.Join(s.dir, "state"))
}
