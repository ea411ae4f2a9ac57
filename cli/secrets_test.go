//go:build linux

package cli

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"hilrig/azure/iothub/access"
	"hilrig/azure/iothub/standin"
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
	found   map[string]bool
}

// hides are the keys of the hub, which only the environment may hold, and what a
// token begins with that is made of one.
func (c *cloud) hides() hidden {
	h := hidden{c.t, []string{"SharedAccessSignature sr=", "&sig=", "%26sig%3D"}, map[string]bool{}}
	for _, key := range c.keys {
		h.secrets = append(h.secrets, forms(key)...)
	}
	return h
}

func (h hidden) shown(where string, text []byte) {
	for _, secret := range h.secrets {
		if found := where + secret; bytes.Contains(text, []byte(secret)) && !h.found[found] {
			h.found[found] = true // a process is looked at again and again
			h.Errorf("%s holds %q", where, secret)
		}
	}
}

// during looks at a run, and at all that it starts, until it is over. The run
// alone has the variables.
func (h hidden) during(cmd *exec.Cmd) error {
	h.Helper()
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	looked := map[string]bool{}
	for {
		select {
		case err := <-over:
			if !looked["emulate"] || !looked["child"] {
				h.Errorf("not each process was looked at: %v", looked)
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

// process looks at one: at its environment where it is not the run itself, and
// says then which verb it runs.
func (h hidden) process(pid int, itself bool) (verb string) {
	at := fmt.Sprintf("/proc/%d/", pid)
	argv, err := os.ReadFile(at + "cmdline")
	if err != nil || len(argv) == 0 {
		return "" // it has ended
	}
	name := strings.ReplaceAll(strings.TrimRight(string(argv), "\x00"), "\x00", " ")
	h.shown("argv of "+name, argv)
	if itself {
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

// programs puts a signer and a command that registers into a folder. Each prints as
// many bytes as a signature has, and writes down what it was given.
func programs(t *testing.T, dir string) {
	t.Helper()
	const script = "#!/bin/sh\nmkdir -p given\ntr '\\0' '\\n' </proc/$$/environ >given/$(basename $0)-$$\nhead -c 64 /dev/zero\n"
	for _, name := range []string{"sign", "register"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil { //nolint:gosec // it is to be run
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "out"), 0o700); err != nil {
		t.Fatal(err)
	}
}

// given looks at what programs of the lab were given, and that they have what is
// theirs.
func (h hidden) given(dir string, names ...string) {
	h.Helper()
	for _, name := range names {
		files, err := filepath.Glob(filepath.Join(dir, "given", name+"-*"))
		if err != nil || len(files) == 0 {
			h.Errorf("%s was not called: %v", name, err)
		}
		for _, f := range files {
			if text, err := os.ReadFile(f); err != nil || !bytes.Contains(text, []byte("PDU_PASSWORD=the lab's own\n")) {
				h.Errorf("%s lacks what is its own: %v", name, err)
			}
		}
	}
	h.below(filepath.Join(dir, "given"))
}

// all is everything that a run can write.
func all(args ...string) []string {
	return append(args, "--ctrf", "out/ctrf.json", "--allure", "out/allure", "--metrics", "out/metrics.txt", "--markdown", "out/summary.md", "--annotations", "--requirements", "guide")
}

// A run is given connection strings by variables, or by a variable and a file.
// Neither, nor a token made of it, is in what it prints or writes, nor in what any
// program that it starts is told.
func TestNoSecretOfARunIsShown(t *testing.T) {
	for name, file := range map[string]bool{"by variables": false, "by a variable and a file": true} {
		t.Run(name, func(t *testing.T) {
			c := openCloud(t)
			h := c.hides()
			programs(t, c.dir)
			c.env = append(c.env, "PDU_PASSWORD=the lab's own")
			rig := azureRig
			if file {
				c.write("events.txt", c.amqp.Events())
				c.env = slices.DeleteFunc(c.env, func(v string) bool { return strings.HasPrefix(v, "IOTHUB_EVENTS=") })
				rig = strings.Replace(azureRig, "events: {connection_string_env: IOTHUB_EVENTS", "events: {connection_string_file: events.txt", 1)
			}
			c.write("rig.yaml", rig)
			if code, out := c.hilrig("run", "--rig", "rig.yaml", "--hub", "azure", "--dry-run", "--json"); code != 0 {
				t.Errorf("dry run: exit code %d\n%s", code, out)
			} else {
				h.shown("dry run", []byte(out))
			}
			cmd, out := c.begun(all("--verbose", "run", "--rig", "rig.yaml", "--hub", "azure", "--label-filter", "core", "--seal", "--sign-command", "./sign")...)
			if err := h.during(cmd); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			h.shown("output", out.Bytes())
			h.given(c.dir, "sign")
			h.below(filepath.Join(c.dir, "reports"), filepath.Join(c.dir, "state"), filepath.Join(c.dir, "out"))
		})
	}
}

// The same of Entra: neither what the machine signs in by nor a token is shown.
func TestNoTokenOfEntraIsShown(t *testing.T) {
	const own, registryToken, eventsToken = "own.servicebus.windows.net", "entra's token for the registry", "entra's token for events"
	c := openCloudAt(t, standin.Config{Namespace: own, Tokens: []string{eventsToken}})
	programs(t, c.dir)
	h := c.hides()
	for _, secret := range []string{registryToken, eventsToken, "swordfish of the machine", "swordfish of an application"} {
		h.secrets = append(h.secrets, forms(secret)...)
	}
	identity := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-IDENTITY-HEADER") != "swordfish of the machine" {
			http.Error(w, "{}", http.StatusUnauthorized)
			return
		}
		token := registryToken
		if strings.Contains(r.URL.Query().Get("resource"), "eventhubs") {
			token = eventsToken
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q,"expires_on":"%d","resource":%q,"token_type":"Bearer"}`, token, time.Now().Add(time.Hour).Unix(), r.URL.Query().Get("resource"))
	}))
	defer identity.Close()
	way, err := access.ParseConnectionString(strings.TrimPrefix(c.own[1], "IOTHUB_SERVICE="))
	if err != nil {
		t.Fatal(err)
	}
	registry := c.presents(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer "+registryToken {
			r.Header.Set("Authorization", way.Token("localhost", time.Now().Add(time.Hour)))
		}
		c.api.ServeHTTP(w, r)
	}), c.server)
	c.env = append(slices.DeleteFunc(c.env, func(v string) bool { return strings.HasPrefix(v, "IOTHUB_") }),
		"IDENTITY_ENDPOINT="+identity.URL, "IDENTITY_HEADER=swordfish of the machine", "AZURE_CLIENT_SECRET=swordfish of an application", "AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential")
	c.write("rig.yaml", strings.NewReplacer("registry: {connection_string_env: IOTHUB_SERVICE}", "registry: {entra: true}",
		"events: {connection_string_env: IOTHUB_EVENTS,", "events: {namespace: "+own+", name: "+standin.Entity+", entra: true,",
		"endpoints: {", `endpoints: {registry: "`+registry+`", `).Replace(azureRig))
	cmd, out := c.begun(all("--verbose", "run", "--rig", "rig.yaml", "--hub", "azure", "--label-filter", "core")...)
	if err := h.during(cmd); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	h.shown("output", out.Bytes())
	h.below(filepath.Join(c.dir, "reports"), filepath.Join(c.dir, "state"), filepath.Join(c.dir, "out"))
}

// The same of MQTT passwords: the device's by a variable, the observer's by a
// variable or a file; and of the key that a run is sealed with.
func TestNoPasswordOfARunIsShown(t *testing.T) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for name, observer := range map[string]string{"by a file": "password_file: secret", "by a variable": "password_env: BOARD_PASSWORD"} {
		t.Run(name, func(t *testing.T) {
			b := brokers.Mosquitto(t, "password_file %[1]s/passwords", map[string][]byte{"passwords": brokers.Passwords(t, "board", "swordfish")})
			s := rigAt(t, b, strings.Replace(`
hub: {kind: broker, url: "BROKER", root: root.pem, observer: {user: board, `+observer+`}, register: {add: [./register, "{thumbprint}"], remove: [./register, "{thumbprint}"]}}`+quick, "  quick:\n", "  quick:\n    mqtt: {user_name: board, password_env: BOARD_PASSWORD}\n", 1),
				"BOARD_PASSWORD=swordfish", "PDU_PASSWORD=the lab's own", "BENCH_KEY="+key)
			brokers.Write(t, s.dir, "secret", []byte("swordfish\n"))
			programs(t, s.dir)
			h := hidden{t, append(forms("swordfish"), forms(base64.StdEncoding.EncodeToString(der))...), map[string]bool{}}
			cmd, out := s.hilrig(all("--verbose", "run", "--rig", "rig.yaml", "--out", "runs", "--label-filter", "core", "--seal", "--key-env", "BENCH_KEY")...), &bytes.Buffer{}
			cmd.Stdout, cmd.Stderr = out, out
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if err := h.during(cmd); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			h.shown("output", out.Bytes())
			h.given(s.dir, "register")
			h.below(filepath.Join(s.dir, "runs"), filepath.Join(s.dir, "state"), filepath.Join(s.dir, "out"))
		})
	}
}
