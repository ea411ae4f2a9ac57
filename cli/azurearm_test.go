//go:build linux

package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"hilrig/azure/iothub/arm"
	"hilrig/certs"
	"hilrig/cli/verb"
	"hilrig/record"
	"hilrig/runner"
	"hilrig/suites"
)

const aHub = "/subscriptions/91d12660-3dec-467a-be2a-213b5544ddc0/resourceGroups/a-group/providers/Microsoft.Devices/IotHubs/a-hub"

// manager stands in for Azure Resource Manager: a hub, its quota and what
// certificates it trusts.
type manager struct {
	certificate string // that it has as "c"
	changes     []string
	sku         string // B1
	host        string // a-hub.azure-devices.net
	signedOut   bool
	unsaid      bool   // how many messages there are
	vacant      bool   // there is no hub yet
	meanwhile   bool   // somebody makes it once it was read that there is none
	name        string // why the hub's name is not free; empty: it is
	code        int    // of the latest verb, where it ended without an error
}

func (m *manager) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if m.signedOut {
		return azcore.AccessToken{}, record.NewFailure(record.RigCloud, "sign in at", "Microsoft Entra", nil).WithCure("az login")
	}
	return azcore.AccessToken{Token: "nobody's", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func (m *manager) Do(r *http.Request) (*http.Response, error) {
	status, body := 200, ""
	switch _, what, _ := strings.Cut(r.URL.Path, aHub); {
	case strings.HasSuffix(r.URL.Path, "/checkNameAvailability"):
		body = fmt.Sprintf(`{"nameAvailable":%t,"reason":"AlreadyExists","message":%q}`, m.name == "", m.name)
	case what == "" && r.Method == "PUT":
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		m.changes, m.vacant = append(m.changes, string(sent)), false
		body = `{"name":"a-hub","properties":{"provisioningState":"Succeeded"}}`
	case what == "" && m.vacant:
		m.vacant = !m.meanwhile
		status, body = 404, `{"error":{"code":"ResourceNotFound","message":"no"}}`
	case r.Method == "PUT":
		var sent struct {
			Properties struct{ IsVerified bool }
		}
		if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
			return nil, err
		}
		m.changes = append(m.changes, "added")
		m.certificate = `{"name":"c","etag":"AAAA","properties":{"thumbprint":"0A","isVerified":true,"subject":"CN=NewDevice","expiry":"Sat, 31 Dec 2039 23:59:59 GMT"}}`
		body = m.certificate
	case r.Method == "DELETE":
		m.changes = append(m.changes, "removed "+r.Header["If-Match"][0])
		status = 204
	case what == "/quotaMetrics" && m.unsaid:
		body = `{"value":[]}`
	case what == "/quotaMetrics":
		body = `{"value":[{"name":"TotalMessages","currentValue":7900,"maxValue":8000},{"name":"TotalDeviceCount","currentValue":3,"maxValue":500}]}`
	case what == "":
		body = `{"name":"a-hub","location":"westeurope","sku":{"name":"` + cmp.Or(m.sku, "B1") + `","tier":"Basic","capacity":1},"properties":{"state":"Active","hostName":"` + cmp.Or(m.host, "a-hub.azure-devices.net") + `","minTlsVersion":"1.2",
"disableLocalAuth":true,"publicNetworkAccess":"Disabled","routing":{"routes":[{"name":"store","source":"DeviceMessages","endpointNames":["s"],"isEnabled":true}],"fallbackRoute":{"isEnabled":true}}}}`
	case what == "/certificates":
		body = `{"value":[` + m.certificate + `]}`
	case m.certificate == "":
		status, body = 404, `{"error":{"code":"CertificateNotFound","message":"no"}}`
	default:
		body = m.certificate
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// azure runs a verb below hilrig azure at that stand-in.
func (m *manager) azure(t *testing.T, typed string, args ...string) (out, errs string, err error) {
	t.Helper()
	return m.hilrig(t, typed, append([]string{"azure"}, args...)...)
}

func (m *manager) hilrig(t *testing.T, typed string, args ...string) (out, errs string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := &app{App: verb.New(nil, strings.NewReader(typed), &stdout, &stderr)}
	if a.Catalogue, err = suites.With(); err != nil {
		t.Fatal(err)
	}
	a.manager = func(id arm.ID) (*arm.Client, error) {
		return arm.New(id, m, arm.Options{Client: azcore.ClientOptions{Transport: m, Retry: policy.RetryOptions{MaxRetries: -1}}})
	}
	root := a.root()
	root.SetArgs(args)
	err = root.ExecuteContext(t.Context())
	m.code = a.Code
	return stdout.String(), stderr.String(), err
}

func TestAzureHubShow(t *testing.T) {
	out, _, err := (&manager{}).azure(t, "", "hub", "show", "--resource", aHub)
	for _, want := range []string{"B1 Basic, 1 unit(s); no twins", "7900 of 8000", "not taken: by Entra alone", "by private link alone", "route store takes every message elsewhere"} {
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%v, no %q in\n%s", err, want, out)
		}
	}
	out, _, err = (&manager{}).azure(t, "", "hub", "show", "--resource", aHub, "--json")
	var shown struct {
		arm.Hub
		Quota arm.Quota
	}
	if err != nil || json.Unmarshal([]byte(out), &shown) != nil || shown.Tier != "Basic" || shown.Quota.Messages != 7900 || shown.LocalAuth {
		t.Errorf("%v: %s", err, out)
	}
	if _, _, err := (&manager{}).azure(t, "", "hub", "show", "--resource", "a-hub"); err == nil || !strings.Contains(err.Error(), "Resource ID") {
		t.Errorf("got %v", err)
	}
}

// A hub is made where there is none, once what it is and costs was said and
// somebody said yes. One that is there is only read.
func TestAzureHubCreate(t *testing.T) {
	const body = `{"location":"westeurope","properties":{"minTlsVersion":"1.2"},"sku":{"capacity":1,"name":"F1"}}`
	for _, x := range []struct {
		name, typed, args string
		at                manager
		says, changes     string
		code              int
	}{
		{"told", "", "--dry-run", manager{vacant: true}, "would create IoT Hub a-hub in westeurope, 1 unit(s) of F1, minimum TLS 1.2: F1 costs nothing", "", 0},
		{"told to a program", "", "--dry-run --json", manager{vacant: true}, `{"would":"create IoT Hub a-hub`, "", 0},
		{"a paid one, told", "", "--sku S1 --units 2 --dry-run", manager{vacant: true}, "2 unit(s) of S1, minimum TLS 1.2: 50 USD a month (list price) until it is deleted, whatever is sent", "", 0},
		{"agreed", "y\n", "", manager{vacant: true, sku: "F1"}, "created a-hub.azure-devices.net, F1", body, 0},
		{"not asked", "", "--yes --json", manager{vacant: true, sku: "F1"}, `"sku":"F1"`, body, 0},
		{"nobody agrees", "n\n", "", manager{vacant: true}, "nobody said yes", "", runner.ExitUsage},
		{"one that is there", "", "--yes", manager{}, "it is only ever read", "", runner.ExitUsage},
		{"one that is made while it is asked", "y\n", "", manager{vacant: true, meanwhile: true}, "it is only ever read", "", runner.ExitUsage},
		{"another's name", "", "--yes", manager{vacant: true, name: "IotHub name 'a-hub' is not available"}, "'a-hub' is not available (another name", "", runner.ExitUsage},
		{"of a kind that is not known", "", "--sku G2 --yes", manager{vacant: true}, "B1, B2, B3, F1, S1, S2, S3", "", runner.ExitUsage},
		{"two free units", "", "--units 2 --yes", manager{vacant: true}, "F1 has one unit", "", runner.ExitUsage},
	} {
		args := append([]string{"hub", "create", "--resource", aHub, "--location", "westeurope"}, strings.Fields(x.args)...)
		out, errs, err := x.at.azure(t, x.typed, args...)
		code := 0
		if err != nil {
			out, code = out+err.Error(), runner.ExitOf(err)
		}
		if code != x.code || !strings.Contains(out, x.says) || strings.Join(x.at.changes, ", ") != x.changes {
			t.Errorf("%s: exit code %d, changes %q\n%s%s", x.name, code, x.at.changes, out, errs)
		}
	}
}

// What a run takes of the day's messages is said before it starts; one that
// takes more than the day has left does not start.
func TestMessagesBeforeARun(t *testing.T) {
	rig := filepath.Join(t.TempDir(), "rig.yaml")
	write := func(resource string) {
		t.Helper()
		text := strings.NewReplacer("HUBPORT", "8883", "AMQP", "127.0.0.1:5671", "    kind: azure\n", "    kind: azure\n    resource_id: "+resource+"\n").Replace(azureRig)
		if err := os.WriteFile(rig, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []struct {
		name, resource, args string
		at                   manager
		says                 string
		code                 int
	}{
		{"on the free tier", aHub, "--label-filter smoke --dry-run", manager{sku: "F1"}, "messages at the least, each begun 0.5 kB one, of the 100 that the day has left until 00:00 UTC; F1 costs nothing", 0},
		{"paid", aHub, "--label-filter smoke --dry-run", manager{}, "each begun 4 kB one, of the 100 that the day has left until 00:00 UTC; they cost nothing beside the 10 USD that B1 costs a month and unit", 0},
		{"of a kind that is not known", aHub, "--label-filter smoke --dry-run", manager{sku: "G2"}, "what G2 costs is not known", 0},
		{"for a program", aHub, "--label-filter smoke --dry-run --json", manager{}, "of the 100 that the day has left", 0},
		{"not asked", `""`, "--label-filter smoke --dry-run", manager{}, "is read where the hub's entry has a resource_id", 0},
		{"nobody is signed in", aHub, "--label-filter smoke --dry-run", manager{signedOut: true}, "how many the day has left is not known: sign in at Microsoft Entra (az login)", 0},
		{"of a day that is not told of", aHub, "--label-filter smoke --dry-run", manager{unsaid: true}, "how many the day has left is not known: no quota is in what Azure Resource Manager answers", 0},
		{"no resource id", "a-hub", "--label-filter smoke --dry-run", manager{}, "resource id", runner.ExitUsage},
		{"more than there are, told", aHub, "--label-filter smoke --repeat 101 --dry-run", manager{}, "it takes 101 at the least, and 100 of 8000 are left (fewer specs", runner.ExitRig},
		{"more than there are", aHub, "--label-filter smoke --repeat 101", manager{}, "it takes 101 at the least, and 100 of 8000 are left (fewer specs", runner.ExitRig},
	} {
		write(x.resource)
		reports := filepath.Join(t.TempDir(), "out")
		out, errs, err := x.at.hilrig(t, "", append([]string{"run", "--rig", rig, "--hub", "azure", "--out", reports}, strings.Fields(x.args)...)...)
		code := 0
		if err != nil {
			out, code = out+err.Error(), runner.ExitOf(err)
		}
		if code != x.code || !strings.Contains(strings.Join(strings.Fields(out), " "), x.says) {
			t.Errorf("%s: exit code %d\n%s%s", x.name, code, out, errs)
		}
		if _, err := os.Stat(reports); err == nil {
			t.Errorf("%s: a run was begun", x.name)
		}
	}
}

// What a certificate at a hub lets its key do is said and asked before it is
// uploaded.
func TestAzureCertificate(t *testing.T) {
	id, err := certs.NewIdentity(t.Context(), certs.IdentitySpec{DeviceID: "NewDevice", Days: 365, Bits: 2048})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "identity")
	if err := id.Write(dir); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "device.pem")
	for _, x := range []struct {
		typed, args string
		out         string
		changes     string
		refused     bool
	}{
		{"", "add c FILE --dry-run", "would upload", "", false},
		{"n\n", "add c FILE", "[y/N]", "", true},
		{"", "add c FILE", "[y/N] no", "", true},
		{"y\n", "add c FILE", "verified  until 2039-12-31  0A  CN=NewDevice", "added", false},
		{"", "add c FILE --yes --json", `"verified":true`, "added", false},
		{"", "remove c --dry-run", "would remove certificate c of a-hub", "", false},
		{"y\n", "remove c", "removed c", "removed AAAA", false},
		{"", "remove c --yes --json", `{"removed":"c"}`, "removed AAAA", false},
		{"", "list", "CN=NewDevice", "", false},
		{"", "list --json", `"name":"c"`, "", false},
	} {
		m := &manager{}
		if !strings.HasPrefix(x.args, "add") {
			m.certificate = `{"name":"c","etag":"AAAA","properties":{"thumbprint":"0A","isVerified":true,"subject":"CN=NewDevice","expiry":"Sat, 31 Dec 2039 23:59:59 GMT"}}`
		}
		args := strings.Fields("certificate " + x.args + " --resource " + aHub)
		for i := range args {
			args[i] = strings.Replace(args[i], "FILE", file, 1)
		}
		out, errs, err := m.azure(t, x.typed, args...)
		if (err != nil) != x.refused || !strings.Contains(out, x.out) || strings.Join(m.changes, ", ") != x.changes {
			t.Errorf("%s: %v, changes %q\n%s", x.args, err, m.changes, out)
		}
		if warned := strings.Contains(errs, "CA:TRUE"); warned != strings.HasPrefix(x.args, "add") {
			t.Errorf("%s: said %q", x.args, errs)
		}
	}
}
