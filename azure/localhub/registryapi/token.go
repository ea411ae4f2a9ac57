package registryapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// policy is the name of the one key there is: the policy of a new IoT Hub that
// may do everything.
const policy = "iothubowner"

const maxToken = 4 << 10 // bytes

// token is a shared access signature (Azure: iot-hub-dev-guide-sas, "SAS token
// structure").
type token struct {
	resource  string // sr as it was sent: that is what is signed
	signature []byte
	expires   int64 // seconds since 1970
	policy    string
}

// errToken is wrapped by every error about a token's form.
var errToken = errors.New("not a shared access signature")

// parseToken reads "SharedAccessSignature sr=…&sig=…&se=…&skn=…", its fields in
// any order, each once. The error repeats nothing of it.
func parseToken(text string) (token, error) {
	wrong := func(format string, args ...any) (token, error) {
		return token{}, fmt.Errorf("%w: %s", errToken, fmt.Sprintf(format, args...))
	}
	scheme, rest, _ := strings.Cut(text, " ")
	switch {
	case len(text) > maxToken:
		return wrong("over %d bytes", maxToken)
	case !strings.EqualFold(scheme, "SharedAccessSignature"):
		return wrong("the scheme is another")
	}
	fields := map[string]string{}
	for pair := range strings.SplitSeq(rest, "&") {
		name, value, ok := strings.Cut(pair, "=")
		_, twice := fields[name]
		switch {
		case !ok || value == "":
			return wrong("a field without a value")
		case twice:
			return wrong("a field twice")
		}
		fields[name] = value
	}
	for _, name := range []string{"sr", "sig", "se", "skn"} {
		if fields[name] == "" {
			return wrong("%s is missing", name)
		}
	}
	if len(fields) != 4 {
		return wrong("a field that is not known")
	}
	return decodeToken(fields, wrong)
}

func decodeToken(fields map[string]string, wrong func(string, ...any) (token, error)) (token, error) {
	t := token{resource: fields["sr"]}
	plain, err := url.QueryUnescape(fields["sig"])
	if err != nil {
		return wrong("sig is not percent-encoded")
	}
	// A '+' of base64 that was left as it is has become a space.
	if t.signature, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(plain, " ", "+")); err != nil {
		return wrong("sig is not base64")
	}
	if t.expires, err = strconv.ParseInt(fields["se"], 10, 64); err != nil || t.expires < 0 {
		return wrong("se is no number of seconds")
	}
	if t.policy, err = url.QueryUnescape(fields["skn"]); err != nil {
		return wrong("skn is not percent-encoded")
	}
	return t, nil
}

// sign is HMAC-SHA256 over the resource as it is sent, a line feed, and the
// expiry.
func (k Key) sign(resource string, expires int64) []byte {
	mac := hmac.New(sha256.New, k.secret)
	fmt.Fprintf(mac, "%s\n%d", resource, expires)
	return mac.Sum(nil)
}

// Token is a shared access signature for the whole hub. It is a secret.
func (k Key) Token(host string, expires time.Time) string {
	resource := url.QueryEscape(host)
	sig := base64.StdEncoding.EncodeToString(k.sign(resource, expires.Unix()))
	return fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&se=%d&skn=%s", resource, url.QueryEscape(sig), expires.Unix(), policy)
}

// authorize demands a token that is signed by the key, for this hub and path,
// and not run out.
func (s *Server) authorize(r *http.Request) error {
	given := r.Header.Get("Authorization")
	if given == "" {
		return unauthorized("no Authorization header")
	}
	t, err := parseToken(given)
	switch {
	case err != nil:
		return unauthorized(err.Error())
	case t.policy != policy:
		return unauthorized("skn names another policy than " + policy)
	case !hmac.Equal(t.signature, s.config.Key.sign(t.resource, t.expires)):
		return unauthorized("the signature is not by this hub's key")
	case t.expires <= s.config.Now().Unix():
		return unauthorized("the token ran out on " + time.Unix(t.expires, 0).UTC().Format(time.RFC3339))
	case !covers(t.resource, s.config.Host, r.URL.EscapedPath()):
		return unauthorized("the token is for another resource")
	}
	return nil
}

// covers reports whether a token's resource is the hub, with or without the
// registry's port, or something that the path is at or below.
func covers(resource, host, path string) bool {
	plain, err := url.QueryUnescape(resource)
	if err != nil {
		return false
	}
	name, scope, _ := strings.Cut(plain, "/")
	if bare, port, ok := strings.Cut(name, ":"); ok && isPort(port) {
		name = bare
	}
	if !strings.EqualFold(name, host) {
		return false
	}
	scope = strings.TrimSuffix("/"+scope, "/")
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	return path == scope || strings.HasPrefix(path, scope+"/")
}

func isPort(s string) bool {
	_, err := strconv.ParseUint(s, 10, 16)
	return err == nil
}
