//go:build linux

package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// begun starts a command line in the folder.
func (c *cloud) begun(args ...string) (*exec.Cmd, *bytes.Buffer) {
	c.t.Helper()
	cmd := exec.Command("hilrig", args...)
	cmd.Dir, cmd.Env = c.dir, c.env
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	return cmd, &out
}

// registered waits until the hub knows a device.
func (c *cloud) registered() {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	for len(c.hub.Devices()) == 0 {
		select {
		case <-ctx.Done():
			c.t.Fatal("no device was registered")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// family is a process and all that come of it.
func family(pid int) []int {
	parents := map[int]int{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, behind, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(behind)
		child, err1 := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		parent, err2 := strconv.Atoi(fields[1])
		if err1 == nil && err2 == nil {
			parents[child] = parent
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		for child, parent := range parents {
			if parent == all[i] {
				all = append(all, child)
			}
		}
	}
	return all
}

// What a run registered whose processes were all killed is removed by the next
// one, or by hand.
func TestAKilledRunLeavesNothingBehindForLong(t *testing.T) {
	for _, x := range []struct {
		name string
		next []string
		says string
	}{
		{"the next run", []string{"run", "--rig", "rig.yaml", "--hub", "azure", "--spec", "provisioning/root", "--out", "next"}, "provisioning/root"},
		{"sweep", []string{"azure", "sweep", "--rig", "rig.yaml"}, "NewDevice  removed"},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := openCloud(t)
			c.write("rig.yaml", azureRig)
			cmd, out := c.begun("run", "--rig", "rig.yaml", "--hub", "azure", "--label-filter", "core", "--out", "killed")
			c.registered()
			for _, pid := range family(cmd.Process.Pid) {
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
					t.Error(err)
				}
			}
			if err := cmd.Wait(); err == nil {
				t.Fatalf("it was not killed\n%s", out)
			}
			if left := c.hub.Devices(); len(left) != 1 {
				t.Fatalf("the killed run left %v", left)
			}
			code, said := c.hilrig(x.next...)
			if code != 0 || !strings.Contains(said, x.says) {
				t.Errorf("exit code %d\n%s", code, said)
			}
			if left := c.hub.Devices(); len(left) > 0 {
				t.Errorf("left behind: %v\n%s", left, said)
			}
		})
	}
}

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

// A run is given a connection string by a variable and one by a file. Neither,
// nor a token made of it, is in what it prints or writes, nor in what programs it
// starts are told; the process that opens the hub alone has the variable.
func TestNoSecretOfARunIsShown(t *testing.T) {
	c := openCloud(t)
	var secrets []string
	for _, key := range c.keys {
		secrets = append(secrets, forms(strings.Fields(key)[0])...)
	}
	secrets = append(secrets, "SharedAccessSignature sr=", "&sig=", "%26sig%3D")
	shown := func(where string, text []byte) {
		for _, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds %q", where, secret)
			}
		}
	}
	c.write("events.txt", c.amqp.Events())
	c.env = slices.DeleteFunc(c.env, func(v string) bool { return strings.HasPrefix(v, "IOTHUB_EVENTS=") })
	c.write("rig.yaml", strings.Replace(azureRig, "events: {connection_string_env: IOTHUB_EVENTS", "events: {connection_string_file: events.txt", 1))
	cmd, out := c.begun("--verbose", "run", "--rig", "rig.yaml", "--hub", "azure", "--label-filter", "core")
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	looked := map[string]bool{}
	for running := true; running; {
		select {
		case err := <-over:
			running = false
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		case <-time.After(20 * time.Millisecond):
			for _, pid := range family(cmd.Process.Pid) {
				at := fmt.Sprintf("/proc/%d/", pid)
				argv, err := os.ReadFile(at + "cmdline")
				if err != nil || len(argv) == 0 {
					continue // it has ended
				}
				name := strings.ReplaceAll(strings.TrimRight(string(argv), "\x00"), "\x00", " ")
				shown("argv of "+name, argv)
				if pid == cmd.Process.Pid || strings.Contains(name, " child") {
					continue // opens the hub
				}
				environ, err := os.ReadFile(at + "environ")
				if err == nil && len(environ) > 0 {
					looked[strings.Fields(name)[min(1, len(strings.Fields(name))-1)]] = true
					shown("environment of "+name, environ)
				}
			}
		}
	}
	if !looked["emulate"] {
		t.Errorf("no other process was looked at: %v", looked)
	}
	shown("output", out.Bytes())
	for _, dir := range []string{"reports", "state"} {
		err := filepath.WalkDir(filepath.Join(c.dir, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			text, err := os.ReadFile(path)
			shown(path, text)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
