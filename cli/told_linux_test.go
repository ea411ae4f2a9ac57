package cli

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"hilrig/cli/verb"
)

// untold is what a verb says whose words found no room.
const untold = ": write standard output: no space left on device (what it says did not all arrive: "

// typed are the verbs as they are typed in the folder of a bench. Those that need
// more than such a folder has are asked for their help.
var typed = map[string]struct{ line, needs string }{
	"run":                      {line: "run --spec tls/version --out another"},
	"list":                     {line: "list --json"},
	"certs new":                {line: "certs new --device-id Another --out another"},
	"certs show":               {line: "certs show board/device.pem"},
	"certs check":              {line: "certs check --root root.pem --certificate board/device.pem --key board/device.key"},
	"devices":                  {line: "devices --rig rig.yaml"},
	"doctor":                   {line: "doctor"},
	"report":                   {line: "report latest"},
	"compare":                  {line: "compare latest latest"},
	"gate":                     {line: "gate --policy gate.yaml --firmware-file sound.json"},
	"gate init":                {line: "gate init latest"},
	"gate explain":             {line: "gate explain --policy gate.yaml"},
	"gate verify":              {line: "gate verify sound.dsse --key bench.pub"},
	"history runs":             {line: "history runs"},
	"history spec":             {line: "history spec tls/unknown-root"},
	"history flaky":            {line: "history flaky"},
	"history board":            {line: "history board EMU-NewDevice"},
	"history firmware":         {line: "history firmware"},
	"history suspects":         {line: "history suspects"},
	"history import":           {line: "history import reports/out"},
	"history page":             {line: "history page"},
	"history rebuild":          {line: "history rebuild"},
	"runs prune":               {line: "runs prune --dry-run"},
	"runs verify":              {line: "runs verify latest --key bench.pub"},
	"schema":                   {line: "schema rig"},
	"version":                  {line: "version"},
	"selftest":                 {line: "selftest --fault no-host-check --spec tls/wrong-name"},
	"flash":                    {line: "flash --rig rig.yaml sound.json"},
	"rig check":                {line: "rig check --rig rig.yaml"},
	"rig init":                 {needs: "ports of USB"},
	"learn":                    {needs: "a board"},
	"provision":                {needs: "a board"},
	"emulate":                  {needs: "an interrupt to end"},
	"hub":                      {needs: "an interrupt to end"},
	"hub send":                 {needs: "a hub"},
	"hub invoke":               {needs: "a hub"},
	"hub patch":                {needs: "a hub"},
	"hub fault":                {needs: "a hub"},
	"broker check":             {needs: "a broker"},
	"azure check":              {needs: "a cloud"},
	"azure sweep":              {needs: "a cloud"},
	"azure hub create":         {needs: "a cloud"},
	"azure hub show":           {needs: "a cloud"},
	"azure device add":         {needs: "a cloud"},
	"azure device list":        {needs: "a cloud"},
	"azure device show":        {needs: "a cloud"},
	"azure device send":        {needs: "a cloud"},
	"azure device remove":      {needs: "a cloud"},
	"azure certificate add":    {needs: "a cloud"},
	"azure certificate list":   {needs: "a cloud"},
	"azure certificate remove": {needs: "a cloud"},
	"child":                    {needs: "a run that starts it"},
}

// verbsOf are the verbs below a command, as they are typed.
func verbsOf(c *cobra.Command) (names []string) {
	for _, sub := range c.Commands() {
		if !sub.HasSubCommands() || sub.HasLocalFlags() {
			names = append(names, strings.TrimPrefix(sub.CommandPath(), "hilrig "))
		}
		names = append(names, verbsOf(sub)...)
	}
	return names
}

// bench is a folder with a run that passed, is sealed and was judged, and with
// one before that failed.
func bench(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	secret, errSecret := x509.MarshalPKCS8PrivateKey(private)
	open, errOpen := x509.MarshalPKIXPublicKey(public)
	if errSecret != nil || errOpen != nil {
		t.Fatal(errSecret, errOpen)
	}
	for name, text := range map[string]string{
		"bench.pem":   string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})),
		"bench.pub":   string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open})),
		"sound.json":  `{"version": "2.4.1"}`,
		"faulty.json": `{"version": "2.4.2", "faults": ["no-verify"]}`,
		"rig.yaml":    "devices: [{name: board, device_id: NewDevice, serial: {emulated: {}}}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in(t, dir, "hilrig run --flash faulty.json --firmware 2.4.2 --spec tls/unknown-root --spec tls/version", 1)
	in(t, dir, "hilrig run --flash sound.json --firmware 2.4.1 --spec tls/unknown-root --spec tls/version --seal --key bench.pem", 0)
	in(t, dir, "hilrig gate init latest >gate.yaml", 0)
	in(t, dir, "hilrig gate --policy gate.yaml --firmware-file sound.json --statement sound.dsse --key bench.pem", 0)
	in(t, dir, "hilrig certs new --device-id NewDevice --out board && cp board/device.pem root.pem", 0)
	return dir
}

// What standard output does not take is no success, whichever verb says it; a
// verdict that is none stays what it was, and a reader that has read enough is no
// failure.
func TestWhatCannotBeToldIsNoSuccess(t *testing.T) {
	t.Parallel()
	dir := bench(t)
	a := &app{App: verb.New(nil, strings.NewReader(""), os.Stdout, os.Stderr)}
	known := verbsOf(a.root())
	for _, name := range slices.Sorted(maps.Keys(typed)) {
		if !slices.Contains(known, name) {
			t.Errorf("there is no verb %s", name)
		}
	}
	for _, name := range append(known, "") {
		how, listed := typed[name]
		if name != "" && !listed {
			t.Errorf("%s is not held against a full disk", name)
		}
		line := how.line
		if line == "" {
			line = strings.TrimSpace(name + " --help")
		}
		said := in(t, dir, "hilrig "+line+" >/dev/full", 3)
		if n := strings.Count(said, untold); n != 1 {
			t.Errorf("hilrig %s says %d times what is lost:\n%s", line, n, said)
		}
	}
	for line, code := range map[string]int{
		"gate --policy gate.yaml --firmware-file sound.json --json":           3,
		"gate --policy gate.yaml --firmware-file faulty.json latest~1":        1,
		"gate --policy gate.yaml --firmware-file faulty.json --json latest~1": 1,
		"run --spec tls/version --out another --json":                         3,
		"run --spec tls/version --dry-run":                                    3,
		"run --spec tls/unknown-root --fault no-verify --out another":         1,
		"completion bash": 3,
	} {
		if said := in(t, dir, "hilrig "+line+" >/dev/full", code); !strings.Contains(said, untold) {
			t.Errorf("hilrig %s does not say what is lost:\n%s", line, said)
		}
	}
	if said := in(t, dir, "hilrig no-such-verb >/dev/full", 2); strings.Contains(said, untold) {
		t.Errorf("nothing was to be told: %s", said)
	}
	for _, line := range []string{"gate explain --policy gate.yaml", "list", "history runs", "help"} {
		said := in(t, dir, `trap "" PIPE; { sleep 0.2; hilrig `+line+`; echo $? >&2; } | :`, 0)
		if strings.Contains(said, untold) || strings.Contains(said, "no space") {
			t.Errorf("hilrig %s | : says %s", line, said)
		}
	}
}
