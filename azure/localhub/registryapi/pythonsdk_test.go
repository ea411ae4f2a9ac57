package registryapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"hilrig/peers"
)

// pythonToken makes a shared access signature by the rules of Microsoft's service
// SDK for Python (azure-iot-hub 2.x), with the quoting of Python's own: the
// resource by quote_plus, the signature by quote, which leaves a slash, and the
// name of the policy as it is.
const pythonToken = `
import base64, hashlib, hmac, sys, time
from urllib.parse import quote, quote_plus
fields = dict(f.split("=", 1) for f in sys.stdin.read().strip().split(";"))
resource, expires = quote_plus(fields["HostName"]), int(time.time() + 3600)
mac = hmac.HMAC(base64.b64decode(fields["SharedAccessKey"]), ("%s\n%d" % (resource, expires)).encode(), hashlib.sha256)
print("SharedAccessSignature sr=%s&sig=%s&se=%d&skn=%s" % (resource, quote(base64.b64encode(mac.digest())), expires, fields["SharedAccessKeyName"]))
`

// What that SDK asks, as it asks it: device ids percent-encoded in paths, bodies
// without what is not set, ETags in quotes and "*" in quotes where there is none,
// a Content-Type with its characters.
func TestRulesOfTheServiceSDKForPython(t *testing.T) {
	python := peers.Find(t, "/usr/bin/python3")
	r := start(t)
	dir := t.TempDir()
	path, err := r.key.WriteConnectionString(dir, "localhost", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8443})
	if err != nil {
		t.Fatal(err)
	}
	connection, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	making := exec.CommandContext(t.Context(), python, "-c", pythonToken)
	making.Stdin = bytes.NewReader(connection)
	token, err := making.Output()
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, body string, headers ...string) answer {
		t.Helper()
		headers = append(headers, "Authorization", strings.TrimSpace(string(token)), "Accept", "application/json", "User-Agent", "azsdk-python-iot-hub/2.6.1 Python/3.11.2")
		if body != "" {
			headers = append(headers, "Content-Type", "application/json; charset=utf-8")
		}
		return r.do(method, path, body, headers...)
	}
	const at, twin = "/devices/line%3A4?" + version, "/twins/line%3A4?" + version
	body := func(status, more string) string {
		return fmt.Sprintf(`{"deviceId": "line:4", "status": %q%s, "authentication": {"x509Thumbprint": {"primaryThumbprint": %q, "secondaryThumbprint": %q}, "type": "selfSigned"}, "capabilities": {"iotEdge": false}}`, status, more, sha1a, sha1b)
	}
	first := ""
	for _, x := range []struct {
		call, method, path, body, match string // match: If-Match; empty: none
		status                          int
		holds                           string
	}{
		{"create_device_with_x509", "PUT", at, body("enabled", ""), "", 200, sha1a},
		{"create_device_with_x509, again", "PUT", at, body("enabled", ""), "", 409, "DeviceAlreadyExists"},
		{"get_device", "GET", at, "", "", 200, `"deviceId":"line:4"`},
		{"update_device_with_x509", "PUT", at, body("disabled", `, "statusReason": "by hand"`), "first", 200, `"statusReason":"by hand"`},
		{"update_device_with_x509, of before", "PUT", at, body("enabled", ""), "first", 412, "PreconditionFailed"},
		{"update_device_with_x509, without an ETag", "PUT", at, body("enabled", ""), `"*"`, 200, `"status":"enabled"`},
		{"get_twin", "GET", twin, "", "", 200, `"desired"`},
		{"update_twin", "PATCH", twin, `{"properties": {"desired": {"interval": 5}}}`, `"*"`, 200, `"interval":5`},
		{"replace_twin", "PUT", twin, `{"properties": {"desired": {"interval": 6}}}`, `"*"`, 200, `"interval":6`},
		{"query_iot_hub", "POST", "/devices/query?" + version, `{"query": "SELECT * FROM devices"}`, "", 200, "line:4"},
		{"get_devices", "GET", "/devices?top=10&" + version, "", "", 200, "line:4"},
		{"get_device_registry_statistics", "GET", "/statistics/devices?" + version, "", "", 200, `"totalDeviceCount":1`},
		{"get_service_statistics", "GET", "/statistics/service?" + version, "", "", 200, `"connectedDeviceCount":0`},
		{"bulk_create_or_update_devices", "POST", "/devices?" + version, `[{"id": "second", "importMode": "create", "status": "enabled", "authentication": {"x509Thumbprint": {"primaryThumbprint": "` + sha256a + `"}, "type": "selfSigned"}}]`, "", 200, `"isSuccessful":true`},
		{"invoke_device_method, nobody there", "POST", "/twins/line%3A4/methods?" + version, `{"methodName": "reboot", "payload": "", "responseTimeoutInSeconds": 5, "connectTimeoutInSeconds": 0}`, "", 404, "404103"},
		{"delete_device", "DELETE", at, "", `"*"`, 204, ""},
		{"delete_device, again", "DELETE", at, "", `"*"`, 404, "DeviceNotFound"},
	} {
		var headers []string
		switch x.match {
		case "":
		case "first":
			headers = []string{"If-Match", `"` + first + `"`}
		default:
			headers = []string{"If-Match", x.match}
		}
		a := ask(x.method, x.path, x.body, headers...)
		if a.status != x.status || !strings.Contains(a.body, x.holds) {
			t.Errorf("%s: %d %s, want %d with %q", x.call, a.status, a.body, x.status, x.holds)
		}
		var got struct{ ETag string }
		if first == "" && json.Unmarshal([]byte(a.body), &got) == nil {
			first = got.ETag
		}
	}
}
