package access

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"regexp"
	"strings"

	"hilrig/record"
)

const maxFile = 64 << 10 // bytes of a key file

const (
	serviceCure = "copy the connection string of a shared access policy: Azure portal, IoT Hub, Security settings, Shared access policies"
	masked      = "(key masked)"
)

// Connection is a hub and a shared access policy of it. Printed in any way the
// key is masked.
type Connection struct {
	HostName string        // the hub's
	Port     string        // of its HTTPS; empty: 443. Azure's strings have none, the local registry's may
	KeyName  string        // the policy's
	key      func() []byte // not bytes: fmt looks into a field of somebody else's by reflection
}

// String names the hub and the policy.
func (c Connection) String() string { return c.HostName + ", policy " + c.KeyName + " " + masked }

// Format masks the key for every verb.
func (c Connection) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue masks the key in a log.
func (c Connection) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText masks the key in JSON and YAML.
func (c Connection) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// ConnectionString is the connection as Azure writes it. It is a secret.
func (c Connection) ConnectionString() string {
	host := c.HostName
	if c.Port != "" {
		host = net.JoinHostPort(host, c.Port)
	}
	return "HostName=" + host + ";SharedAccessKeyName=" + c.KeyName + ";SharedAccessKey=" + base64.StdEncoding.EncodeToString(c.key())
}

// Its length is looked at beside it: with a bound in it, it would take every
// process five milliseconds to compile.
var hostNames = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`)

const longestHost = 253 // octets, RFC 1035 section 2.3.4 without the root's

// ParseConnectionString reads "HostName=…;SharedAccessKeyName=…;SharedAccessKey=…".
// The error is of class usage and repeats nothing of the text.
func ParseConnectionString(text string) (Connection, error) {
	return parse("connection string", text)
}

func parse(subject, text string) (Connection, error) {
	c, err := read(text)
	if err != nil {
		return Connection{}, record.NewFailure(record.Usage, "read", subject, err).WithCure(serviceCure)
	}
	return c, nil
}

func read(text string) (Connection, error) {
	fields, err := fieldsOf(text)
	if err != nil {
		return Connection{}, err
	}
	switch {
	case fields["endpoint"] != "":
		return Connection{}, errors.New("it is that of the Event Hubs-compatible endpoint, the hub's own is meant")
	case fields["deviceid"] != "":
		return Connection{}, errors.New("it is a device's, that of a shared access policy is meant")
	}
	for _, name := range []string{"HostName", "SharedAccessKeyName", "SharedAccessKey"} {
		if fields[strings.ToLower(name)] == "" {
			return Connection{}, fmt.Errorf("%s is missing", name)
		}
	}
	c := Connection{HostName: fields["hostname"], KeyName: fields["sharedaccesskeyname"]}
	if host, port, err := net.SplitHostPort(c.HostName); err == nil {
		c.HostName, c.Port = host, port
	}
	secret, err := base64.StdEncoding.DecodeString(fields["sharedaccesskey"])
	switch {
	case err != nil:
		return Connection{}, errors.New("SharedAccessKey is not base64: is it whole?")
	case len(secret) < 16 || len(secret) > 64: // Azure: the length of a key
		return Connection{}, fmt.Errorf("SharedAccessKey has %d bytes, Azure's have 16 to 64: is it whole?", len(secret))
	case len(c.HostName) > longestHost || !hostNames.MatchString(c.HostName):
		return Connection{}, errors.New("HostName is no host name")
	case len(c.KeyName) > 64:
		return Connection{}, errors.New("SharedAccessKeyName has more than 64 characters")
	}
	c.key = func() []byte { return secret }
	return c, nil
}

// fieldsOf reads "name=value;…". Names are of any case, as in Microsoft's SDKs.
func fieldsOf(text string) (map[string]string, error) {
	if text = bare(text); text == "" {
		return nil, errors.New("it is empty")
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimSuffix(text, ";"), ";") {
		name, value, ok := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := fields[name]; twice {
			return nil, errors.New("a field stands in it twice")
		}
		if !ok {
			return nil, errors.New("it does not have the form NAME=VALUE;…")
		}
		fields[name] = strings.TrimSpace(value)
	}
	return fields, nil
}

// bare is a text without what editors and shells leave around it.
func bare(text string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(text), "\ufeff"), `"'`)
}

// FromFile reads a connection string that stands alone in a file. Failures are
// of class usage.
func FromFile(path string) (Connection, error) {
	text, err := TextFromFile(path)
	if err != nil {
		return Connection{}, err
	}
	return parse("connection string in "+path, text)
}

// TextFromFile is a connection string of any kind that stands alone in a file.
// It is a secret. What is no regular file, a pipe that nobody writes to, is
// refused and not waited for. Failures are of class usage.
func TextFromFile(path string) (string, error) {
	const cure = "the file holds a connection string and nothing else"
	info, err := os.Stat(path) // before opening: opening a FIFO waits for its writer
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return "", record.NewFailure(record.Usage, "open", path, withoutPath(err)).WithCure(cure)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", record.NewFailure(record.Usage, "open", path, withoutPath(err)).WithCure(cure)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return "", record.NewFailure(record.Usage, "read", path, withoutPath(err)).WithCure(cure)
	}
	return bare(string(text)), nil
}

func withoutPath(err error) error {
	var in *os.PathError
	if errors.As(err, &in) {
		return in.Err
	}
	return err
}

var variableNames = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// FromEnvironment reads a connection string from a variable. Failures are of
// class usage; a name that may be the secret itself is not repeated.
func FromEnvironment(name string) (Connection, error) {
	text, err := TextFromEnvironment(name)
	if err != nil {
		return Connection{}, err
	}
	return parse("connection string in "+name, text)
}

// TextFromEnvironment is a connection string of any kind in a variable, and is
// read as [FromEnvironment] reads it. It is a secret.
func TextFromEnvironment(name string) (string, error) {
	if !variableNames.MatchString(name) {
		return "", record.NewFailure(record.Usage, "read", "connection string", errors.New("the name of an environment variable is meant, and not what is in it")).
			WithCure("export the connection string as a variable, and give its name")
	}
	text, set := os.LookupEnv(name)
	if !set {
		return "", record.NewFailure(record.Usage, "read", "connection string", fmt.Errorf("the environment has no %s", name)).
			WithCure("export " + name + ", or name a file with connection_string_file")
	}
	return bare(text), nil
}
