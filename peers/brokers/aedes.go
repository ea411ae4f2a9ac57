package brokers

import (
	_ "embed" // the server, and what npm is to bring for it
	"os"
	"os/exec"
	"testing"

	"hilrig/peers"
)

var (
	//go:embed aedes/server.js
	aedesServer []byte
	//go:embed aedes/package-lock.json
	aedesLock []byte
)

// Aedes starts the broker of npm's aedes, which has MQTT 3.1.1 alone. Only this
// user is let in, or everybody where there is none.
func Aedes(t testing.TB, user, password string) *Broker {
	t.Helper()
	node, modules := peers.NodeOf(t, "aedes", aedesLock, "Aedes (npm aedes)")
	b := prepare(t, map[string][]byte{"server.js": aedesServer})
	return b.run(func() *exec.Cmd {
		c := exec.Command(node, "server.js", b.Port)
		c.Env = append(os.Environ(), "NODE_MODULES="+modules, "BROKER_USER="+user, "BROKER_PASSWORD="+password)
		return c
	})
}
