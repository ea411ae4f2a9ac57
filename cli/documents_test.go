package cli

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"hilrig/certs"
	"hilrig/cli/named"
	"hilrig/cli/verb"
)

// notRun are the commands of README.md and docs/ that no test runs, each with
// its reason. Their verbs and flags are checked all the same.
var notRun = map[string]string{
	`hilrig hub send NewDevice '{"led":true}'`:                                                     byHandRuns,
	"hilrig hub invoke NewDevice reboot":                                                           byHandRuns,
	`hilrig hub patch NewDevice '{"interval":5}'`:                                                  byHandRuns,
	"hilrig hub fault connack-3 --times 2":                                                         byHandRuns,
	"hilrig broker check --rig rig.yaml":                                                           "TestThePageOfBrokers runs it",
	"hilrig run --flash fw.json --firmware 2.4.1 --label-filter smoke":                             pageOfGate,
	"hilrig gate init latest > gate.yaml":                                                          pageOfGate,
	"hilrig gate explain --policy gate.yaml":                                                       pageOfGate,
	"hilrig gate --policy gate.yaml --firmware-file fw.json":                                       pageOfGate,
	"openssl genpkey -algorithm ed25519 -out release.pem":                                          pageOfGate,
	"openssl pkey -in release.pem -pubout -out release.pub":                                        pageOfGate,
	"hilrig gate --policy gate.yaml --firmware-file fw.json --statement fw.dsse --key release.pem": pageOfGate,
	"hilrig gate verify fw.dsse --key release.pub --firmware-file fw.json":                         pageOfGate,
	"hilrig gate --policy gate.yaml --verdict verdict.json --junit gate.xml --markdown gate.md":    pageOfGate,
	"hilrig run --flash fw.json --firmware 2.4.1 --label-filter smoke --seal --key release.pem":    pageOfGate,
	"hilrig runs verify latest --key release.pub":                                                  pageOfGate,
	"hilrig gate --policy gate.yaml --firmware-file fw.json --seal-key release.pub":                pageOfGate,
	"hilrig report --rebuild":                                                                      "a pattern; the script rebuild.txtar runs it",
	"hilrig runs prune":                                                                            "the script prune.txtar runs it",
	"hilrig gate":                                                                                  "its forms with a policy are run",
	"hilrig history":                                                                               "the script history.txtar runs it",
	"hilrig history page":                                                                          "the script history.txtar runs it",
	"hilrig history import DIR":                                                                    "a pattern; the script history.txtar runs it",
	"hilrig schema policy":                                                                         "the script gate.txtar runs it",
	"hilrig run --spec tls/unknown-root --spec tls/version --requirements thermostat.yaml --markdown summary.md": pageOfRequirements,
	"hilrig report latest --requirements guide": pageOfRequirements,
	"hilrig report latest --requirements device-advisor --ctrf ctrf.json --allure allure-results --metrics hilrig.prom": pageOfRequirements,
	"hilrig schema requirements": pageOfRequirements,
	"hilrig report":              "its forms with a run are run",
	"hilrig schema waivers":      "the script gate.txtar runs it",
	"make gate RIG=rig.yaml FIRMWARE=fw.bin VERSION=2.4.1":                                 "TestTheJourneyOfTheGate runs its script",
	"hilrig runs prune --dry-run":                                                          "the script prune.txtar runs it",
	"RIG=rig.yaml scripts/journey.sh nightly":                                              "TestTheJourneyOfTheNight runs it",
	"make nightly RIG=rig.yaml":                                                            "TestTheJourneyOfTheNight runs its script",
	`make nightly RIG=rig.yaml RUNFLAGS="--label-filter !soak"`:                            "TestTheJourneyOfTheNight runs its script",
	"RIG=rig.yaml scripts/journey.sh regression":                                           "TestTheJourneyOfARegression runs it",
	"hilrig run --rig rig.yaml --rerun latest":                                             "TestTheJourneyOfARegression runs it",
	"make regression RIG=rig.yaml":                                                         "TestTheJourneyOfARegression runs its script",
	`make regression RIG=rig.yaml RUNFLAGS="--spec tls/*"`:                                 "TestTheJourneyOfARegression runs its script",
	"hilrig history spec tls/unknown-root":                                                 "TestTheJourneyOfARegression runs it",
	"make azure-live":                                                                      "TestTheScriptForARealHub runs its script at what stands in for one",
	"hilrig azure check --rig azure.yaml":                                                  pageOfAzure,
	"hilrig run --rig azure.yaml --hub azure --label-filter smoke --dry-run":               pageOfAzure,
	"hilrig run --rig azure.yaml --hub azure --label-filter smoke":                         pageOfAzure,
	"hilrig azure sweep --rig azure.yaml":                                                  pageOfAzure,
	"hilrig azure hub create --resource ID --location REGION":                              pageOfAzure,
	"hilrig azure hub create":                                                              "its form with a resource is run",
	"hilrig azure device list --rig azure.yaml --left":                                     pageOfAzure,
	"hilrig azure device add NewDevice --certificate identity/device.crt --rig azure.yaml": pageOfAzure,
	"hilrig azure device show NewDevice --rig azure.yaml":                                  pageOfAzure,
	"hilrig azure device remove NewDevice --rig azure.yaml":                                pageOfAzure,
	"hilrig hub --list-faults":                                                             byHandRuns,
	"hilrig report RUN --rebuild":                                                          "a pattern; the script rebuild.txtar runs it",
	"hilrig run":                                                                           "takes two minutes; the test of the catalogue runs every spec",
	"hilrig selftest":                                                                      "takes minutes; narrowed forms are run, and the gallery is a test",
	"make build":                                                                           "make run does it, and .ci/run runs that",
	"make run":                                                                             ".ci/run runs it",
	"make test":                                                                            "this is it",
	"tio /tmp/board":                                                                       "a person's terminal; the emulator's tests do what a person types there",
	"hilrig run --rig rig.yaml --label-filter core":                                        "takes minutes on a board of the guide's type; --label-filter smoke is run",
	"hilrig run --rig rig.yaml":                                                            "takes minutes on a board of the guide's type; here it runs with --label-filter",
	"hilrig run --fault NAME --spec ID":                                                    "a pattern; the gallery's tests run them all",
	"hilrig VERB --help":                                                                   "a pattern; TestHelp runs every one",
	"hilrig learn --port P":                                                                "its form with a port is run",
	"hilrig learn":                                                                         "its form with a port is run",
	"hilrig learn --port /dev/ttyUSB0":                                                     "its form with a hub is run",
	"hilrig provision":                                                                     "its form with files is run",
	"go test ./suites -run TestEveryRowIsWhole":                                            "a test of the suites",
	"go test ./suites -run TestSpecsDocument -update":                                      "writes into the checkout; without -update it is a test",
	"go test ./suites -run TestGallery":                                                    "is a test",
	"go test ./fixtures/rigfile -update":                                                   "writes into the checkout; without -update it is a test",
	"hilrig devices --rig rig.yaml --watch":                                                "TestAShelfIsWatchedUntilAnInterrupt runs it",
	"hilrig flash --rig lab.yaml --device ads300-a fw.bin":                                 flashRuns,
	"hilrig run --rig lab.yaml --flash fw.bin":                                             flashRuns,
	"hilrig run --rig rig.yaml --flash fw.bin":                                             flashRuns,
	"hilrig flash fw.bin":                                                                  flashRuns,
	"hilrig run --flash fw.bin":                                                            flashRuns,
	"hilrig emulate --flash fw.json --state board.json":                                    flashRuns,
	"openssl s_client -connect MyVeryFirstHub.azure-devices.net:8883 -servername MyVeryFirstHub.azure-devices.net -CAfile root.pem": "needs the lab's DNS; the tests of certs hold openssl s_client against every certificate of a hub",
	"openssl req -x509 -nodes -sha256 -days 365 -newkey rsa:2048 …":                                                                 "what hilrig certs new replaces; its tests run openssl",
}

const flashRuns = "needs an image; the script flash.txtar runs it"

const byHandRuns = "the test of the verbs that speak to a hub runs it, with a device at the other end"

const pageOfRequirements = "TestThePageOfRequirements runs it"

const pageOfGate = "TestThePageOfTheGate runs it"

const pageOfAzure = "TestThePageOfAzure runs it"

// documented are the commands of README.md and docs/, in order, each once: the
// lines after a prompt and the code spans that begin with a program's name.
func documented(t *testing.T) (commands []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile("(?m)^\\s*\\$ (.*)$|`((?:\\./)?(?:hilrig|make|go test|openssl|tio|picocom|socat|mosquitto_pub) [^`\n]+)`")
	seen := map[string]bool{}
	for _, name := range append([]string{filepath.Join("..", "README.md")}, files...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range command.FindAllStringSubmatch(string(text), -1) {
			c := strings.TrimPrefix(m[1]+m[2], "./")
			if !seen[c] {
				seen[c] = true
				commands = append(commands, c)
			}
		}
	}
	return commands
}

// Every command that the documents show has a verb and flags that exist.
func TestDocumentedFlagsExist(t *testing.T) {
	root := (&app{App: &verb.App{}}).root()
	for _, c := range documented(t) {
		words := strings.Fields(c)
		if words[0] != "hilrig" || words[1] == "VERB" {
			continue
		}
		cmd, rest, err := root.Find(words[1:])
		if err != nil || cmd == root {
			t.Errorf("%s: no such verb", c)
			continue
		}
		for _, w := range rest {
			name, isFlag := strings.CutPrefix(w, "--")
			name, _, _ = strings.Cut(name, "=")
			if isFlag && name != "help" && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil {
				t.Errorf("%s: no flag --%s", c, name)
			}
		}
	}
}

// stage is a place where the documents' commands run for real: an emulated
// device stands for the board.
type stage struct {
	t     *testing.T
	dir   string
	names *strings.Replacer // of the documents, into what they are here
	seen  map[string]bool
}

func (s *stage) command(ctx context.Context, documented string, more ...string) *exec.Cmd {
	s.seen[documented] = true
	words := append(strings.Fields(s.names.Replace(documented)), more...)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "HOME="+filepath.Join(s.dir, "home"), "HILRIG_STATE=", "XDG_STATE_HOME="+filepath.Join(s.dir, "state"))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// run demands one of the exit codes.
func (s *stage) run(documented string, codes ...int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 3*time.Minute)
	defer cancel()
	out, err := s.command(ctx, documented).CombinedOutput()
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		s.t.Fatalf("%s: %v", documented, err)
	}
	for _, c := range append(codes, 0) {
		if c == code {
			return
		}
	}
	s.t.Fatalf("%s: exit code %d\n%s", documented, code, out)
}

// start runs a command until stop, and waits for a file that it makes.
func (s *stage) start(documented, file string, more ...string) (stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	cmd := s.command(ctx, documented, more...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	stop = func() { cancel(); <-ended }
	for limit := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(s.dir, file)); err == nil {
			return stop
		}
		select {
		case <-ended:
			s.t.Fatalf("%s ended:\n%s", documented, &out)
		default:
		}
		if time.Now().After(limit) {
			stop()
			s.t.Fatalf("%s: no %s:\n%s", documented, file, &out)
		}
	}
}

// The documents' commands, run as a newcomer does, with the rig file of the
// README.
func TestDocumentedCommandsRun(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("emulated devices need Linux")
	}
	s := newStage(t)
	s.run("hilrig devices")
	s.run("hilrig doctor", 3) // it may find something on this machine
	s.run("hilrig schema rig")
	s.run("hilrig emulate --list-faults")
	s.run("hilrig list --json")
	s.run("hilrig list --help")
	s.run("hilrig list --hub broker --tap")
	s.run("hilrig list --hub local --tap")
	s.run("hilrig certs new --device-id NewDevice --out identity")
	s.run("hilrig certs show identity/device.crt")
	s.useThumbprint()
	stopHub := s.start("hilrig hub --device NewDevice=THUMBPRINT --root-out root.pem", "root.pem")
	stopBoard := s.start("hilrig emulate --link /tmp/board --hub localhost:8883", "board")
	s.run("hilrig provision --port /dev/ttyUSB0 --root root.pem --certificate identity/device.crt --key identity/device.key")
	stopBoard()
	stopHub()
	s.start("hilrig hub --registry :8443 --root-out registry-root.pem", "registry-root.pem")()
	defer s.start("hilrig emulate --link /tmp/board --hub localhost:8883 --state /tmp/board.json", "board")()
	s.run("hilrig rig init", 2) // the README's rig file is there, and is not overwritten
	s.run("hilrig learn --port /dev/ttyUSB0 --host hub.rig.lan --listen 0.0.0.0 --out board.yaml")
	s.run("hilrig doctor --rig rig.yaml", 0, 3)
	s.run("hilrig rig check --rig rig.yaml", 0, 3)
	s.run("hilrig run --rig rig.yaml --dry-run")
	s.run("hilrig run --rig rig.yaml --label-filter smoke")
	s.run("hilrig run --rig hubs.yaml --hub lab --hub spare --label-filter smoke")
	s.run("hilrig compare latest~1 latest", 3) // of other devices, at other hubs
	s.run("hilrig run --rerun latest", 2)      // all of it passed
	s.run("hilrig run --firmware 2.4.1", 3)    // the emulated device runs another
	for _, c := range documented(t) {
		if !s.seen[c] && notRun[c] == "" {
			t.Errorf("nothing runs the documented command %q, and nothing says why not", c)
		}
		if s.seen[c] && notRun[c] != "" {
			t.Errorf("%q is run and said not to be", c)
		}
	}
	all := strings.Join(documented(t), "\n") + "\n"
	for c := range notRun {
		if !strings.Contains(all, c+"\n") {
			t.Errorf("%q is in no document", c)
		}
	}
	for c := range s.seen {
		if !strings.Contains(all, c+"\n") {
			t.Errorf("%q is run and in no document", c)
		}
	}
}

func newStage(t *testing.T) *stage {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	names := []string{
		"/dev/ttyUSB0", filepath.Join(dir, "board"), "/tmp/board", filepath.Join(dir, "board"),
		"localhost:8883", "localhost:" + port, "hilrig hub", "hilrig hub --listen 127.0.0.1:" + port,
		"hub.rig.lan", "localhost", "0.0.0.0", "127.0.0.1", "--registry :8443", "--registry 127.0.0.1:0", "hilrig learn", "hilrig learn --yes --watch 300ms --hub-port " + port,
	}
	s := &stage{t: t, dir: dir, names: strings.NewReplacer(names...), seen: map[string]bool{}}
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("no rig file in the README")
	}
	// The port is another one here, and the device is not of the guide's time.
	rig := strings.ReplaceAll(s.names.Replace(string(block[1])), "serial: {", "hub_port: "+port+"\n       serial: {")
	if err := os.WriteFile(filepath.Join(dir, "rig.yaml"), []byte(rig), 0o600); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "docs", "device-types.md"))
	if err != nil {
		t.Fatal(err)
	}
	hubs := regexp.MustCompile("(?s)```yaml\n(hubs:.*?)```").FindSubmatch(page)
	if hubs == nil {
		t.Fatal("no rig file with hubs on the page about it")
	}
	text := strings.ReplaceAll(s.names.Replace(string(hubs[1])), ", port: 8884", "")
	if err := os.WriteFile(filepath.Join(dir, "hubs.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// useThumbprint puts that of the certificate made by now in place of the
// documents' word.
func (s *stage) useThumbprint() {
	s.t.Helper()
	c, err := named.Certificate(filepath.Join(s.dir, "identity", "device.crt"))
	if err != nil {
		s.t.Fatal(err)
	}
	before, print := s.names, certs.ThumbprintsOf(c).SHA256
	names := []string{"THUMBPRINT", print}
	for _, n := range []string{"hilrig hub", "hilrig learn", "/dev/ttyUSB0", "/tmp/board", "localhost:8883", "hub.rig.lan", "0.0.0.0", "--registry :8443"} {
		names = append(names, n, before.Replace(n))
	}
	s.names = strings.NewReplacer(names...)
}
