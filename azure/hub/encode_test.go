package hub

import (
	"crypto/x509"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"hilrig/azure/tlswire"
)

// Whatever an event says is in its JSON form: a field that differs makes a
// line that differs. What the form has by another name is left to itself.
func TestTheJSONFormLosesNothing(t *testing.T) {
	elsewhere := map[string]string{
		"Handshake.Hello":        "its bytes, from which it was read",
		"Handshake.Certificates": "their bytes, from which they were read",
	}
	plain := encoded(t, Event{})
	var walk func(name string, at reflect.Type, put func(e *Event, v reflect.Value))
	walk = func(name string, at reflect.Type, put func(e *Event, v reflect.Value)) {
		for i := range at.NumField() {
			f := at.Field(i)
			full := strings.TrimPrefix(name+"."+f.Name, ".")
			if elsewhere[full] != "" {
				continue
			}
			within := func(e *Event, v reflect.Value) {
				whole := reflect.New(at).Elem()
				whole.Field(i).Set(v)
				put(e, whole)
			}
			if k := f.Type; k.Kind() == reflect.Pointer && k.Elem().Kind() == reflect.Struct && f.Name != "Will" {
				walk(full, k.Elem(), func(e *Event, v reflect.Value) {
					p := reflect.New(k.Elem())
					p.Elem().Set(v)
					within(e, p)
				})
				continue
			}
			var e, zero Event
			within(&e, sample(t, full, f.Type))
			within(&zero, reflect.Zero(f.Type))
			if got := encoded(t, e); got == plain || got == encoded(t, zero) {
				t.Errorf("%s is not in %s", full, got)
			}
		}
	}
	walk("", reflect.TypeFor[Event](), func(e *Event, v reflect.Value) { *e = v.Interface().(Event) })

	hs := &Handshake{Hello: &tlswire.ClientHello{Raw: []byte("raw hello")}, Certificates: []*x509.Certificate{{Raw: []byte("raw certificate")}}}
	got := encoded(t, Event{Handshake: hs})
	for _, want := range []string{`"client_hello":"cmF3IGhlbGxv"`, `"certificates":["cmF3IGNlcnRpZmljYXRl"]`} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
}

func encoded(t *testing.T, e Event) string {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// sample is a value of a type that is not zero.
func sample(t *testing.T, name string, of reflect.Type) reflect.Value {
	t.Helper()
	v := reflect.New(of).Elem()
	switch of.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8, reflect.Uint16:
		v.SetUint(7)
	case reflect.Map:
		v = reflect.ValueOf(map[string]string{"k": "v"})
	case reflect.Slice:
		v = reflect.MakeSlice(of, 1, 1)
		if of.Elem().Kind() != reflect.Struct {
			v.Index(0).Set(sample(t, name, of.Elem()))
		}
	case reflect.Pointer:
		v = reflect.New(of.Elem())
	case reflect.Struct:
		if of == reflect.TypeFor[time.Time]() {
			return reflect.ValueOf(time.Unix(1e9, 0))
		}
		for i := range of.NumField() {
			v.Field(i).Set(sample(t, name, of.Field(i).Type))
		}
	default:
		t.Fatalf("%s: no sample of %s", name, of)
	}
	return v
}
