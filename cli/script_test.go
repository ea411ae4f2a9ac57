package cli

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"hilrig/certs"
	"hilrig/cli/named"
)

// The test binary is hilrig when a script runs it under that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"hilrig": func() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("HILRIG_STATE", filepath.Join(e.WorkDir, "state"))
			return freePort(e)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "await": await, "thumbprint": thumbprint, "await-spec": awaitSpec, "fits": fits, "await-text": awaitText, "holds": holds, "listens": listens, "authorize": authorize},
		Condition: func(name string) (bool, error) {
			_, err := exec.LookPath(name)
			if err != nil && os.Getenv("CI") == "true" {
				return false, err // in CI a peer that is missing is a failure, not a skip
			}
			return err == nil, nil
		},
	})
}

// freePort sets $HUBPORT, $RAWPORT and $SETPORT to ports that nobody has now.
func freePort(e *testscript.Env) error {
	for _, name := range []string{"HUBPORT", "RAWPORT", "SETPORT"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close() // not before all three are chosen
		_, p, err := net.SplitHostPort(l.Addr().String())
		if err != nil {
			return err
		}
		e.Setenv(name, p)
	}
	return nil
}

// listens waits until some process listens at a port, without connecting: a
// server of ports takes one client (/proc/net/tcp: state 0A). listens PORT.
func listens(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	row := regexp.MustCompile(fmt.Sprintf(`(?m)^ *\d+: [0-9A-F]+:%04X [0-9A-F]+:0000 0A `, n))
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		data, err := os.ReadFile("/proc/net/tcp")
		ts.Check(err)
		if row.Match(data) {
			return
		}
	}
	ts.Fatalf("nobody listens at %d", n)
}

// exits runs a command and demands its exit code: exits CODE COMMAND...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%v: exit code %d, want %d", args[1:], got, want)
	}
}

// await waits for a file that a process in the background makes: await FILE.
func await(ts *testscript.TestScript, neg bool, args []string) {
	name := ts.MkAbs(args[0])
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(name); err == nil {
			return
		}
	}
	ts.Fatalf("%s never came", args[0])
}

// awaitSpec waits until the newest run has begun a spec: await-spec ID.
func awaitSpec(ts *testscript.TestScript, neg bool, args []string) {
	begun := []byte(`"kind":"spec.started","spec":"` + args[0] + `"`)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		runs, err := filepath.Glob(ts.MkAbs("reports/out/2*/events.jsonl"))
		ts.Check(err)
		for _, name := range runs {
			data, err := os.ReadFile(name)
			if err == nil && bytes.Contains(data, begun) && !bytes.Contains(data, []byte(`"kind":"run.ended"`)) {
				return
			}
		}
	}
	ts.Fatalf("no run came to %s", args[0])
}

// awaitText waits until a file holds a text: await-text FILE TEXT. In FILE, *
// stands for anything.
func awaitText(ts *testscript.TestScript, neg bool, args []string) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		names, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err == nil && bytes.Contains(data, []byte(args[1])) {
				return
			}
		}
	}
	ts.Fatalf("%s never held %q", args[0], args[1])
}

// holds demands that an emulated device has these three files in use: holds
// STATE ROOT CERTIFICATE KEY.
func holds(ts *testscript.TestScript, neg bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	var state struct {
		Used map[string]string `json:"used"`
	}
	ts.Check(json.Unmarshal(data, &state))
	for i, slot := range []string{"10", "20", "30"} {
		file, err := os.ReadFile(ts.MkAbs(args[i+1]))
		ts.Check(err)
		if has := state.Used[slot] == string(file); has == neg {
			ts.Fatalf("slot %s holds %s: %v", slot, args[i+1], has)
		}
	}
}

// fits holds a file against the schema of a format: fits FORMAT FILE. A file
// named .jsonl has one document a line.
func fits(ts *testscript.TestScript, neg bool, args []string) {
	s, err := compile(args[0])
	ts.Check(err)
	data, err := os.ReadFile(ts.MkAbs(args[1]))
	ts.Check(err)
	for _, err := range misfits(s, data, filepath.Ext(args[1]) == ".jsonl") {
		ts.Fatalf("%s: %v", args[1], err)
	}
}

// thumbprint sets a variable to a certificate's SHA-256: thumbprint NAME FILE.
func thumbprint(ts *testscript.TestScript, neg bool, args []string) {
	c, err := named.Certificate(ts.MkAbs(args[1]))
	ts.Check(err)
	ts.Setenv(args[0], certs.ThumbprintsOf(c).SHA256)
}

// authorize writes the header that a connection string allows, made as Azure's
// page says and not as hilrig does: authorize CONNECTION-FILE FILE.
func authorize(ts *testscript.TestScript, neg bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	parts := map[string]string{}
	for _, p := range strings.Split(strings.TrimSpace(string(data)), ";") {
		name, value, _ := strings.Cut(p, "=")
		parts[name] = value
	}
	key, err := base64.StdEncoding.DecodeString(parts["SharedAccessKey"])
	ts.Check(err)
	resource, expires := url.QueryEscape(parts["HostName"]), strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(resource + "\n" + expires))
	sig := url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte("Authorization: SharedAccessSignature sr="+resource+"&sig="+sig+"&se="+expires+"&skn="+parts["SharedAccessKeyName"]+"\n"), 0o600))
}
