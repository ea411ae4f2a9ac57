package azure

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Form is one of the shapes of a user name that the hub accepts.
type Form string

// The accepted forms of a user name.
const (
	FormDocumented Form = "documented" // {host}/{id}/?api-version=…   (IoT Hub MQTT)
	FormEdge       Form = "edge"       // {host}/{id}/api-version=…    (Edge Hub, older SDKs)
	FormGuide      Form = "guide"      // {host}/{id}?api-version=…    (guide, section 5)
)

// Why a user name is refused; errors of [ParseUserName] wrap one of these, or
// [ErrDeviceID].
var (
	ErrUserNameForm = errors.New("user name has none of the accepted forms")
	ErrNoAPIVersion = errors.New("user name carries no api-version")
)

// UserName is what the user name of a CONNECT says.
type UserName struct {
	Host       string // as written: IoT Hub's own code compares it with nothing (Edge Hub)
	DeviceID   string // case as written; ids are case-sensitive
	APIVersion string // never blank; its value is not checked (Edge Hub)
	Form       Form
	Properties map[string]string // every property, api-version among them, values percent-decoded
}

// ParseUserName reads a user name in one of the three accepted forms.
//
// Segments are parted by "/". "?" parts the properties only as the first
// character of the last segment, because it is legal in a device id (Edge Hub,
// MqttUsernameParser); in the guide's form, which has two segments, the first
// "?" with an api-version behind it does. Of a property given twice the first
// counts; unknown ones are kept and ignored.
func ParseUserName(s string) (UserName, error) {
	u, bag, err := splitUserName(s)
	if err != nil {
		return UserName{}, err
	}
	u.Properties = userNameProperties(bag)
	u.APIVersion = u.Properties[apiVersion]
	switch {
	case strings.TrimSpace(u.Host) == "":
		return UserName{}, fmt.Errorf("user name %q: the host before the first / is empty: %w", s, ErrUserNameForm)
	case strings.TrimSpace(u.APIVersion) == "":
		return UserName{}, fmt.Errorf("user name %q: %w", s, ErrNoAPIVersion)
	}
	if err := CheckDeviceID(u.DeviceID); err != nil {
		return UserName{}, fmt.Errorf("user name %q: %w", s, err)
	}
	return u, nil
}

// ModelID is the IoT Plug and Play model that the device says it has; empty
// where it says none (Azure: "IoT Plug and Play device developer guide").
func (u UserName) ModelID() string { return u.Properties["model-id"] }

const apiVersion = "api-version"

// splitUserName finds the form and cuts s into host, device id and properties.
func splitUserName(s string) (UserName, string, error) {
	segments := strings.Split(s, "/")
	switch len(segments) {
	case 1:
		return UserName{}, "", fmt.Errorf("user name %q: no / after the host: %w", s, ErrUserNameForm)
	case 2:
		id, bag, ok := cutGuideForm(segments[1])
		if !ok {
			return UserName{}, "", fmt.Errorf("user name %q: %w", s, ErrNoAPIVersion)
		}
		return UserName{Host: segments[0], DeviceID: id, Form: FormGuide}, bag, nil
	case 3:
		u := UserName{Host: segments[0], DeviceID: segments[1], Form: FormEdge}
		bag, documented := strings.CutPrefix(segments[2], "?")
		if documented {
			u.Form = FormDocumented
		}
		return u, bag, nil
	}
	if strings.Contains(segments[2], apiVersion+"=") {
		return UserName{}, "", fmt.Errorf("user name %q: a / in the properties must be written %%2F: %w", s, ErrUserNameForm)
	}
	if len(segments) == 4 {
		return UserName{}, "", fmt.Errorf("user name %q: names module %q, a device has none: %w", s, segments[2], ErrUserNameForm)
	}
	return UserName{}, "", fmt.Errorf("user name %q: %d parts between slashes, 2 or 3 are expected: %w", s, len(segments), ErrUserNameForm)
}

// cutGuideForm cuts "{id}?{properties}" at the first "?" that has an
// api-version among the properties behind it. An id may hold "?" and "=", but
// no "&", so an earlier "?" is the id's own.
func cutGuideForm(s string) (id, bag string, ok bool) {
	const bound = 4 * MaxDeviceID // far behind the end of any id: keeps hostile input cheap
	for i := range min(len(s), bound) {
		if s[i] != '?' {
			continue
		}
		if _, found := userNameProperties(s[i+1:])[apiVersion]; found {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

func userNameProperties(bag string) map[string]string {
	properties := map[string]string{}
	for pair := range strings.SplitSeq(bag, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name == "" {
			continue
		}
		if _, twice := properties[name]; !twice {
			properties[name] = unescape(value)
		}
	}
	return properties
}

// unescape percent-decodes s; what is no valid escape stays as it is, as .NET's
// Uri.UnescapeDataString leaves it. "+" is a plus.
func unescape(s string) string {
	if d, err := url.PathUnescape(s); err == nil {
		return d
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if d, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(d)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
