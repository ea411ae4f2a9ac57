package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func twinValues(t *testing.T, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%.80s: %v", text, err)
	}
	return v
}

// TestTwinContent: "Understand and use device twins", "Tags and properties
// format"; the depth is that of its own valid example.
func TestTwinContent(t *testing.T) {
	nested := func(levels int) string {
		return strings.Repeat(`{"level":`, levels) + `{"property":"value"}` + strings.Repeat("}", levels)
	}
	for _, x := range []struct {
		name, text string
		legal      bool
	}{
		{"the documentation's ten levels", nested(10), true},
		{"eleven levels", nested(11), false},
		{"ten levels in an array", `{"a":[` + nested(9) + `]}`, true},
		{"eleven levels in an array", `{"a":[` + nested(10) + `]}`, false},
		{"a key of 1 KB", `{"` + strings.Repeat("k", 1024) + `":1}`, true},
		{"a longer key", `{"` + strings.Repeat("k", 1025) + `":1}`, false},
		{"a dot in a key", `{"a":{"b.c":1}}`, false},
		{"a dollar in a key", `{"a$":1}`, false},
		{"a blank in a key", `{"a b":1}`, false},
		{"a control character in a key", `{"a\u0007b":1}`, false},
		{"a C1 control character in a key", `{"a\u0085b":1}`, false},
		{"a key in an array", `{"a":[{"b.c":1}]}`, false},
		{"a letter beyond ASCII in a key", `{"größe":1}`, true},
		{"a string of 4 KB", `{"a":"` + strings.Repeat("x", 4096) + `"}`, true},
		{"a longer string", `{"a":"` + strings.Repeat("x", 4097) + `"}`, false},
		{"a longer string of two-byte letters", `{"a":"` + strings.Repeat("ü", 2049) + `"}`, false},
		{"a longer string in an array", `{"a":["` + strings.Repeat("x", 4097) + `"]}`, false},
		{"the largest integer", `{"a":4503599627370495}`, true},
		{"a larger one", `{"a":4503599627370496}`, false},
		{"the least integer", `{"a":-4503599627370496}`, true},
		{"a lesser one", `{"a":-4503599627370497}`, false},
		{"an integer of many digits", `{"a":` + strings.Repeat("9", 400) + `}`, false},
		{"a large number that is no integer", `{"a":1e300}`, true},
		{"a fraction", `{"a":9999999999999999.5}`, true},
		{"everything else", `{"a":true,"b":null,"c":[1,"x",[2]],"d":{}}`, true},
	} {
		if err := CheckTwin(twinValues(t, x.text)); (err == nil) != x.legal || err != nil && (!errors.Is(err, ErrTwin) || len(err.Error()) > 1200) {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}

// TestTwinSize: "Device twin size".
func TestTwinSize(t *testing.T) {
	for text, want := range map[string]int{
		`{}`:                       0,
		`{"abc":"de"}`:             5,
		`{"abc":1}`:                11,
		`{"abc":12345678901.5}`:    11,
		`{"abc":true}`:             7,
		`{"a":{"bc":{"d":false}}}`: 8,
		`{"a":[1,2,"x"]}`:          18,
		`{"ü":"é"}`:                4,
		`{"a":"x\u0001\u0085y"}`:   3,
	} {
		if got := TwinSize(twinValues(t, text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
	flags := make([]string, 3000)
	for i := range flags {
		flags[i] = fmt.Sprintf(`"f%04d":true`, i)
	}
	if got := TwinSize(twinValues(t, "{"+strings.Join(flags, ",")+"}")); got != 27000 || got > MaxTwinProperties {
		t.Errorf("3,000 flags: %d", got)
	}
}
