package doctor

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"hilrig/fixtures/rigfile"
)

const dropping = "table inet filter {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t\ttcp dport 22 accept\nRULE\t}\n}\n"

// A firewall that keeps boards out is named with the command that lets them in.
func TestAFirewallIsFound(t *testing.T) {
	for _, c := range []struct {
		name   string
		listen string
		files  map[string]string
		rules  string
		state  State
		says   string
	}{
		{"none", "0.0.0.0", nil, "", OK, "none was found"},
		{"hub on this machine only", "127.0.0.1", map[string]string{"etc/ufw/ufw.conf": "ENABLED=yes\n"}, "", OK, ""},
		{"ufw off", "0.0.0.0", map[string]string{"etc/ufw/ufw.conf": "ENABLED=no\n"}, "", OK, "none was found"},
		{"ufw", "0.0.0.0", map[string]string{"etc/ufw/ufw.conf": "# x\nENABLED=yes\n"}, "", Warn, "sudo ufw allow 8883/tcp"},
		{"ufw, let in", "0.0.0.0", map[string]string{
			"etc/ufw/ufw.conf": "ENABLED=yes\n", "etc/ufw/user.rules": "-A ufw-user-input -p tcp --dport 8883 -j ACCEPT\n"}, "", OK, "none was found"},
		{"ufw, another port let in", "0.0.0.0", map[string]string{
			"etc/ufw/ufw.conf": "ENABLED=yes\n", "etc/ufw/user.rules": "-A ufw-user-input -p tcp --dport 18883 -j ACCEPT\n"}, "", Warn, "8883/tcp"},
		{"firewalld", "192.0.2.10", map[string]string{"proc/312/comm": "firewalld\n"}, "", Warn, "sudo firewall-cmd --add-port=8883/tcp"},
		{"nftables", "0.0.0.0", nil, dropping, Warn, "tcp dport 8883"},
		{"nftables, let in", "0.0.0.0", nil, strings.Replace(dropping, "RULE", "\t\ttcp dport { 443, 8883 } accept\n", 1), OK, "none was found"},
		{"nftables that drops what goes out", "0.0.0.0", nil, strings.Replace(dropping, "hook input", "hook output", 1), OK, "none was found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range c.files {
				name = filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			rig := rigAt("hub.rig.lan", 8883)
			rig.Hub.Listen = c.listen
			h := &Host{Rig: rig, Root: root, Rules: func(context.Context) string { return c.rules }}
			state, words := worst(checkFirewall(t.Context(), h))
			if state != c.state || !strings.Contains(words, c.says) {
				t.Errorf("%s, want %s with %q:\n%s", state, c.state, c.says, words)
			}
		})
	}
	h := &Host{Rig: rigfile.Default(), Root: t.TempDir(), Rules: func(context.Context) string { return dropping }}
	if found := checkFirewall(t.Context(), h); len(found) > 0 {
		t.Errorf("an emulated device comes from nowhere: %+v", found)
	}
}
