package azure

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxDeviceID is the longest device id in characters (IoT Hub, identity
// registry).
const MaxDeviceID = 128

// ErrDeviceID is wrapped by every error about a device id.
var ErrDeviceID = errors.New("not a device id")

// deviceIDSpecials are the characters beyond ASCII letters and digits that a
// device id may hold (IoT Hub, "Device identity properties"; `+` and `#` are
// out of the list since January 2023: in a topic they are wildcards).
const deviceIDSpecials = "-.%_*?!(),:=@$'"

// DeviceIDForm says what a device id may be.
const DeviceIDForm = "1 to 128 ASCII letters, digits and " + deviceIDSpecials

// CheckDeviceID says what keeps id from being a device id, and names the first
// character that does: 1 to 128 ASCII letters, digits and the specials of the
// registry's documentation.
func CheckDeviceID(id string) error {
	if id == "" {
		return fmt.Errorf("%w: it is empty", ErrDeviceID)
	}
	for i, r := range id {
		if !isAlphanumeric(r) && !strings.ContainsRune(deviceIDSpecials, r) {
			return fmt.Errorf("%w: %q holds %s", ErrDeviceID, id, characterAt(id, i, r))
		}
	}
	if len(id) > MaxDeviceID {
		return fmt.Errorf("%w: %d characters, at most %d are allowed", ErrDeviceID, len(id), MaxDeviceID)
	}
	return nil
}

// characterAt names a character as one can look for it: what cannot be seen, or
// looks like another, by its code point, and where it is.
func characterAt(text string, at int, r rune) string {
	name := fmt.Sprintf("%q", r)
	switch {
	case r == ' ':
		name = "' ' (a blank)"
	case r == utf8.RuneError:
		name = fmt.Sprintf("the byte 0x%02x, which is not UTF-8", text[at])
	case r > unicode.MaxASCII:
		name = fmt.Sprintf("%q (U+%04X)", r, r)
	}
	return fmt.Sprintf("%s at character %d", name, utf8.RuneCountInString(text[:at])+1)
}

// CheckClientID says what is wrong with the client id of a CONNECT whose user
// name names deviceID: it must be a device id and equal to it, case and all
// (IoT Hub MQTT; Edge Hub, DeviceIdentityProvider).
func CheckClientID(clientID, deviceID string) error {
	if err := CheckDeviceID(clientID); err != nil {
		return fmt.Errorf("client id: %w", err)
	}
	if clientID == deviceID {
		return nil
	}
	if strings.EqualFold(clientID, deviceID) {
		return fmt.Errorf("client id %q differs from the user name's %q in case: %w", clientID, deviceID, ErrClientID)
	}
	return fmt.Errorf("client id %q is not the user name's %q: %w", clientID, deviceID, ErrClientID)
}

// ErrClientID is wrapped when a client id is not the device id.
var ErrClientID = errors.New("client id and device id differ")

func isAlphanumeric(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}
