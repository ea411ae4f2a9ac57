package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"time"
)

// TokenCure is for a token by key that the hub does not take.
const TokenCure = "is the key whole and still the policy's (IoT Hub, Shared access policies)? Is this machine's clock right (timedatectl)?"

var signatures = regexp.MustCompile(`(?i)(sig=|Bearer\s+|SharedAccessKey=)[^\s&;"']+`)

// Masked is a text of somebody else's without the tokens and keys that stand in it
// by name.
func Masked(text string) string { return signatures.ReplaceAllString(text, "${1}(masked)") }

// Token is a shared access signature for a resource, the hub's host name or
// something below it (Azure: iot-hub-dev-guide-sas, "SAS token structure"). It
// is a secret.
func (c Connection) Token(resource string, expires time.Time) string {
	resource = url.QueryEscape(resource)
	mac := hmac.New(sha256.New, c.key())
	fmt.Fprintf(mac, "%s\n%d", resource, expires.Unix())
	signature := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	return fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&skn=%s&se=%d", resource, url.QueryEscape(signature), url.QueryEscape(c.KeyName), expires.Unix())
}
