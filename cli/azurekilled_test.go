//go:build linux

package cli

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// begun starts a command line in the folder.
func (c *cloud) begun(args ...string) (*exec.Cmd, *bytes.Buffer) {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), "hilrig", args...) // none outlives a test that gave up
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

// A run that cannot take out again what it registered says so, and how it goes.
func TestARunSaysWhatItLeaves(t *testing.T) {
	t.Parallel()
	c := openCloud(t)
	for _, x := range []struct {
		name     string
		registry http.Handler
		left     int
		says     string
	}{
		{"an answer that never comes right", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "DELETE" {
				answers(500, "ServerError")(w, r)
				return
			}
			c.api.ServeHTTP(w, r)
		}), 1, "hilrig azure sweep"},
		{"one that does", then("DELETE", 1, answers(429, "ThrottlingException", "Retry-After", "1"), c.api), 0, "PASS"},
		{"a device that was changed meanwhile", then("DELETE", 1, answers(412, "PreconditionFailed"), c.api), 0, "PASS"},
	} {
		at := c.presents(x.registry, c.server)
		c.write("rig.yaml", strings.Replace(azureRig, "endpoints: {", `endpoints: {registry: "`+at+`", `, 1))
		code, out := c.hilrig("run", "--rig", "rig.yaml", "--hub", "azure", "--spec", "provisioning/root")
		if left := c.hub.Devices(); code != 0 || len(left) != x.left || !strings.Contains(out, x.says) || x.left == 0 && strings.Contains(out, "WARN") {
			t.Errorf("%s: exit code %d, left behind %v\n%s", x.name, code, left, out)
		}
		c.write("rig.yaml", azureRig)
		if code, out := c.hilrig("azure", "sweep", "--rig", "rig.yaml"); code != 0 || len(c.hub.Devices()) > 0 {
			t.Errorf("%s: sweep: exit code %d\n%s", x.name, code, out)
		}
	}
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
