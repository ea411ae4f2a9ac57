package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"time"
)

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
