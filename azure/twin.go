package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// The limits of a twin (Azure: "Understand and use device twins", "Tags and
// properties format", "Device twin size").
const (
	MaxTwinTags       = 8 << 10             // bytes of the tags, as [TwinSize] counts them
	MaxTwinProperties = 32 << 10            // bytes of the desired and of the reported properties
	MaxTwinDepth      = 10                  // objects within the tags or within a section
	MaxTwinKey        = 1 << 10             // bytes of a key
	MaxTwinString     = 4 << 10             // bytes of a string
	MaxTwinInteger    = 4503599627370495    // 2^52-1
	MinTwinInteger    = -MaxTwinInteger - 1 // -2^52
)

// ErrTwin is wrapped by [CheckTwin].
var ErrTwin = errors.New("not a twin's content")

// CheckTwin says what keeps values from being the tags or a section of a twin,
// or a patch of one: a key, a value, the depth. Numbers are [json.Number], as a
// decoder with UseNumber gives them. The size is [TwinSize]'s matter.
func CheckTwin(values map[string]any) error { return checkTwin(values, 0) }

func checkTwin(v any, depth int) error {
	switch v := v.(type) {
	case map[string]any:
		if depth > MaxTwinDepth {
			return fmt.Errorf("%w: more than %d objects within each other", ErrTwin, MaxTwinDepth)
		}
		for key, value := range v {
			if err := checkTwinKey(key); err != nil {
				return err
			}
			if err := checkTwin(value, depth+1); err != nil {
				return err
			}
		}
	case []any: // taken; only objects count as a level
		for _, value := range v {
			if err := checkTwin(value, depth); err != nil {
				return err
			}
		}
	case string:
		if len(v) > MaxTwinString {
			return fmt.Errorf("%w: a string of %d bytes, at most %d are allowed", ErrTwin, len(v), MaxTwinString)
		}
	case json.Number:
		return checkTwinNumber(v)
	}
	return nil
}

func checkTwinKey(key string) error {
	switch {
	case len(key) > MaxTwinKey:
		return fmt.Errorf("%w: a key of %d bytes, at most %d are allowed", ErrTwin, len(key), MaxTwinKey)
	case strings.ContainsAny(key, ".$ "):
		return fmt.Errorf("%w: key %q holds a dot, a dollar or a blank", ErrTwin, key)
	case strings.ContainsFunc(key, unicode.IsControl): // C0 and C1
		return fmt.Errorf("%w: key %q holds a control character", ErrTwin, key)
	}
	return nil
}

// checkTwinNumber bounds integers; a number with a fraction or an exponent is
// none.
func checkTwinNumber(n json.Number) error {
	if strings.ContainsAny(n.String(), ".eE") {
		return nil
	}
	i, err := strconv.ParseInt(n.String(), 10, 64)
	if err != nil || i < MinTwinInteger || i > MaxTwinInteger {
		return fmt.Errorf("%w: integer %s, allowed are %d to %d", ErrTwin, shortened(n.String()), int64(MinTwinInteger), int64(MaxTwinInteger))
	}
	return nil
}

func shortened(s string) string {
	const most = 30
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// TwinSize is the size of tags or of a section as IoT Hub counts it: keys and
// strings in bytes without control characters, 8 for a number, 4 for a boolean.
// Of an array its elements count.
func TwinSize(v any) int {
	switch v := v.(type) {
	case map[string]any:
		size := 0
		for key, value := range v {
			size += textSize(key) + TwinSize(value)
		}
		return size
	case []any:
		size := 0
		for _, value := range v {
			size += TwinSize(value)
		}
		return size
	case string:
		return textSize(v)
	case json.Number:
		return 8
	case bool:
		return 4
	}
	return 0
}

func textSize(s string) int {
	size := len(s)
	for _, r := range s {
		switch {
		case !unicode.IsControl(r):
		case r < 0x80:
			size--
		default:
			size -= 2
		}
	}
	return size
}
