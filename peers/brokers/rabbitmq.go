package brokers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"hilrig/peers"
)

// rabbitServer is where Debian's package has the program that anybody may run:
// the one in PATH becomes the user of the service first.
const rabbitServer = "/usr/lib/rabbitmq/bin/rabbitmq-server"

// RabbitMQ starts one with its MQTT plug-in, which has MQTT 3.1.1 alone in
// Debian's, and grants QoS 1 at most. Only this user is let in. It takes a quarter
// of a minute to start.
func RabbitMQ(t testing.TB, user, password string) *Broker {
	t.Helper()
	return rabbitMQ(t, user, password, "")
}

// RabbitMQWithoutRoom is one that holds its disk for full: it raises an alarm,
// and answers nobody.
func RabbitMQWithoutRoom(t testing.TB, user, password string) *Broker {
	t.Helper()
	return rabbitMQ(t, user, password, "disk_free_limit.absolute = 1000000000000000\n")
}

func rabbitMQ(t testing.TB, user, password, lines string) *Broker {
	t.Helper()
	program, names := peers.Find(t, rabbitServer), peers.Find(t, "epmd")
	b := prepare(t, map[string][]byte{"enabled_plugins": []byte("[rabbitmq_mqtt].")})
	Write(t, b.Dir, "rabbitmq.conf", fmt.Appendf(nil, `listeners.tcp = none
mqtt.listeners.tcp = none
mqtt.listeners.ssl.default = 127.0.0.1:%[2]s
mqtt.allow_anonymous = false
ssl_options.certfile = %[1]s/server.crt
ssl_options.keyfile = %[1]s/server.key
ssl_options.verify = verify_none
default_user = %[3]s
default_pass = %[4]s
%[5]s`, b.Dir, b.Port, user, password, lines))
	// Erlang's register of names would else be a process that outlives the test.
	register := exec.Command(names, "-address", "127.0.0.1", "-port", freePort(t))
	if err := register.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = register.Process.Kill()
		_ = register.Wait()
	})
	at := register.Args[len(register.Args)-1]
	awaitPort(t, "127.0.0.1:"+at, b.Log)
	own := os.Environ()
	for name, value := range map[string]string{
		"HOME": b.Dir, "ERL_EPMD_PORT": at, "RABBITMQ_NODENAME": "hilrig" + b.Port + "@localhost", "RABBITMQ_DIST_PORT": freePort(t),
		"RABBITMQ_CONF_ENV_FILE": filepath.Join(b.Dir, "none"), "RABBITMQ_CONFIG_FILE": filepath.Join(b.Dir, "rabbitmq"),
		"RABBITMQ_BASE": b.Dir, "RABBITMQ_MNESIA_BASE": filepath.Join(b.Dir, "mnesia"), "RABBITMQ_ENABLED_PLUGINS_FILE": filepath.Join(b.Dir, "enabled_plugins"),
		"RABBITMQ_LOG_BASE": filepath.Join(b.Dir, "logs"), "RABBITMQ_LOGS": "-", "RABBITMQ_ALLOW_INPUT": "yes", // no shell between, that would have to be ended too
	} {
		own = append(own, name+"="+value)
	}
	return b.run(func() *exec.Cmd {
		c := exec.Command(program, "-noinput")
		c.Env = own
		return c
	})
}
