package tlswire

import (
	"bytes"
	"crypto/tls"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestHelloAgreesWithGo compares what we read of a ClientHello with what
// crypto/tls' server reads of the same bytes, for clients of Go and openssl.
func TestHelloAgreesWithGo(t *testing.T) {
	insecure := func(c *tls.Config) *tls.Config { c.InsecureSkipVerify = true; return c }
	tests := []struct {
		name string
		dial func(string)
	}{
		{"go", goClient(insecure(&tls.Config{ServerName: "hub.test"}))},
		{"go 1.2", goClient(insecure(&tls.Config{ServerName: "hub.test", MaxVersion: tls.VersionTLS12, NextProtos: []string{"mqtt", "x-amzn-mqtt-ca"}}))},
		{"go without a name", goClient(insecure(&tls.Config{MaxVersion: tls.VersionTLS12}))},
		{"openssl", openssl(t, "-servername", "hub.test")},
		{"openssl 1.2", openssl(t, "-tls1_2", "-servername", "hub.test", "-alpn", "mqtt")},
		{"openssl, everything", openssl(t, "-tls1_2", "-noservername", "-cipher", "ALL:COMPLEMENTOFALL:eNULL@SECLEVEL=0")},
		{"openssl, few", openssl(t, "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256", "-curves", "P-256", "-sigalgs", "ECDSA+SHA256:RSA+SHA1")},
		{"openssl, fallback", openssl(t, "-tls1_2", "-fallback_scsv")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := serve(t, &tls.Config{Certificates: []tls.Certificate{certificate(t)}}, tt.dial)
			h := out.Hello()
			if h == nil || out.info == nil {
				t.Fatalf("no hello: %v", out.err)
			}
			if h.Malformed != "" || h.RecordVersion != 0x0301 && h.RecordVersion != 0x0303 || h.Version != 0x0303 || len(h.Random) != 32 {
				t.Errorf("hello %+v", h)
			}
			want := out.info
			same(t, "suites", h.Suites, want.CipherSuites)
			same(t, "points", h.PointFormats, want.SupportedPoints)
			same(t, "alpn", h.ALPN, want.SupportedProtos)
			if h.ServerName != want.ServerName {
				t.Errorf("server name %q, want %q", h.ServerName, want.ServerName)
			}
			if len(h.Groups) != len(want.SupportedCurves) || len(h.SignatureAlgorithms) != len(want.SignatureSchemes) {
				t.Errorf("groups %v of %v, signatures %v of %v", h.Groups, want.SupportedCurves, h.SignatureAlgorithms, want.SignatureSchemes)
			}
			var order []uint16
			for _, e := range h.Extensions {
				order = append(order, e.Type)
			}
			same(t, "extensions", order, want.Extensions)
			if h.MaxVersion() != slices.Max(want.SupportedVersions) {
				t.Errorf("max version %#x of %v", h.MaxVersion(), want.SupportedVersions)
			}
			if !h.SecureRenegotiation || h.Fallback != strings.Contains(tt.name, "fallback") {
				t.Errorf("renegotiation %v, fallback %v", h.SecureRenegotiation, h.Fallback)
			}
			if int(h.Raw[1])<<16|int(h.Raw[2])<<8|int(h.Raw[3]) != len(h.Raw)-4 {
				t.Errorf("raw is %d bytes", len(h.Raw))
			}
		})
	}
}

func same[T comparable](t *testing.T, what string, got, want []T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s %v, want %v", what, got, want)
	}
}

// TestFullHandshake12 reads a whole TLS 1.2 handshake with a client
// certificate.
func TestFullHandshake12(t *testing.T) {
	cert := certificate(t)
	out := serve(t, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert, SessionTicketsDisabled: true},
		goClient(&tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{cert}}))
	if out.err != nil {
		t.Fatal(out.err)
	}
	var names []string
	for _, m := range out.Messages() {
		who := "< "
		if m.FromClient {
			who = "> "
		}
		names = append(names, who+m.Name)
		if m.Records != 1 || m.At.IsZero() {
			t.Errorf("%+v", m)
		}
	}
	want := "> client_hello, < server_hello, < certificate, < server_key_exchange, < certificate_request, < server_hello_done, > certificate, > client_key_exchange, > certificate_verify"
	if got := strings.Join(names, ", "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if s := out.Server(); s == nil || s.Version != 0x0303 || SuiteName(s.Suite) != "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" || s.Retry || s.Resumed {
		t.Errorf("server hello %+v", s)
	}
	if shown := out.ClientCertificates(); !out.Over() || out.Lost() || len(shown) != 1 || !bytes.Equal(shown[0], cert.Certificate[0]) {
		t.Errorf("over %v, lost %v, %d certificates", out.Over(), out.Lost(), len(shown))
	}
	if out.ChangeCipherSpec(true).IsZero() || out.ChangeCipherSpec(false).IsZero() {
		t.Error("no ChangeCipherSpec")
	}
	if a := out.Alerts(); len(a) == 0 || !a[0].Encrypted || !a[0].FromClient || a[0].Name != "encrypted" {
		t.Errorf("the client's close_notify: %+v", a)
	}
	if len(out.Garbage()) > 0 || out.Bytes(true) == 0 {
		t.Errorf("garbage %v", out.Garbage())
	}
}

func TestHandshake13(t *testing.T) {
	out := serve(t, &tls.Config{Certificates: []tls.Certificate{certificate(t)}, CurvePreferences: []tls.CurveID{tls.CurveP384}},
		goClient(&tls.Config{InsecureSkipVerify: true}))
	if s := out.Server(); out.err != nil || s == nil || s.Version != 0x0304 || s.Retry {
		t.Fatalf("%v %+v", out.err, s)
	}
	for _, a := range out.Alerts() {
		t.Errorf("alert %+v, yet TLS 1.3 hides them", a)
	}
	retries := 0
	for _, m := range out.Messages() {
		if m.Name == "server_hello" {
			retries++
		}
	}
	if retries != 2 {
		t.Errorf("%d server hellos: P-384 was to cost a HelloRetryRequest", retries)
	}
}

// TestRefusalAlerts has real clients refuse our certificate, or us theirs: the
// alert's number is read in clear.
func TestRefusalAlerts(t *testing.T) {
	plain := &tls.Config{Certificates: []tls.Certificate{certificate(t)}, MaxVersion: tls.VersionTLS12}
	old := &tls.Config{Certificates: plain.Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	tests := []struct {
		name     string
		config   *tls.Config
		dial     func(string)
		byClient bool
		want     []string
	}{
		{"go, unknown root", plain, goClient(&tls.Config{ServerName: "hub.test"}), true, []string{"bad_certificate"}},
		{"openssl, unknown root", plain, openssl(t, "-verify_return_error"), true, []string{"unknown_ca", "bad_certificate"}},
		{"go offers no TLS 1.1", old, goClient(&tls.Config{InsecureSkipVerify: true}), false, []string{"protocol_version"}},
		{"openssl refuses the ServerHello", old, openssl(t, "-tls1_2"), true, []string{"protocol_version"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := serve(t, tt.config, tt.dial)
			alerts := out.Alerts()
			if len(alerts) == 0 {
				t.Fatalf("no alert; server says %v", out.err)
			}
			a := alerts[0]
			if a.Level != 2 || !slices.Contains(tt.want, a.Name) || a.Encrypted || a.At.IsZero() {
				t.Errorf("alert %+v, want one of %v", a, tt.want)
			}
			if a.FromClient != tt.byClient {
				t.Errorf("alert %+v is of the wrong side", a)
			}
		})
	}
}

// seenOf is all an Observer tells, at no particular time.
func seenOf(segments []segment) any {
	o := NewObserver(func() time.Time { return time.Time{} })
	for _, s := range segments {
		if s.fromClient {
			o.FromClient(s.b)
		} else {
			o.FromServer(s.b)
		}
	}
	return []any{o.Hello(), o.Server(), o.Messages(), o.Alerts(), o.Garbage(), o.Bytes(true), o.Bytes(false)}
}

// TestEverySplit replays one real handshake with every segment cut at every
// position, and all of it byte by byte.
func TestEverySplit(t *testing.T) {
	cert := certificate(t)
	out := serve(t, &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequestClientCert},
		goClient(&tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{cert}}))
	whole := seenOf(out.segments)
	var bytewise []segment
	for i, s := range out.segments {
		for cut := range s.b {
			bytewise = append(bytewise, segment{s.fromClient, s.b[cut : cut+1]})
			pieces := slices.Clone(out.segments[:i])
			pieces = append(pieces, segment{s.fromClient, s.b[:cut]}, segment{s.fromClient, s.b[cut:]})
			if got := seenOf(append(pieces, out.segments[i+1:]...)); !reflect.DeepEqual(got, whole) {
				t.Fatalf("segment %d cut at %d: %+v\nwant %+v", i, cut, got, whole)
			}
		}
	}
	if got := seenOf(bytewise); !reflect.DeepEqual(got, whole) {
		t.Fatalf("byte by byte: %+v\nwant %+v", got, whole)
	}
}

// record wraps a body into a TLS record.
func record(kind byte, body []byte) []byte {
	return append([]byte{kind, 3, 3, byte(len(body) >> 8), byte(len(body))}, body...)
}

// TestMessageOverManyRecords splits a ClientHello over records of one byte.
func TestMessageOverManyRecords(t *testing.T) {
	message := handmade(nil)
	o := NewObserver(nil)
	for i := range message {
		o.FromClient(record(recordHandshake, message[i:i+1]))
	}
	m := o.Messages()
	if len(m) != 1 || m[0].Records != len(message) || m[0].Length != len(message)-4 || o.Hello() == nil {
		t.Fatalf("%+v", m)
	}
	two := append(bytes.Clone(message), message...)
	o = NewObserver(nil)
	o.FromClient(record(recordHandshake, two[:len(message)+10]))
	o.FromClient(record(recordHandshake, two[len(message)+10:]))
	if m := o.Messages(); len(m) != 2 || m[0].Records != 1 || m[1].Records != 2 {
		t.Fatalf("two messages in two records: %+v", m)
	}
}

func TestAlertBytes(t *testing.T) {
	o := NewObserver(nil)
	o.FromClient(record(recordAlert, []byte{2}))
	o.FromClient(record(recordAlert, []byte{48, 1, 0, 2, 199}))
	o.FromClient(record(recordChangeCipherSpec, []byte{1}))
	o.FromClient(record(recordAlert, make([]byte, 26)))
	o.FromServer(record(recordAlert, []byte{2, 40}))
	var got []string
	for _, a := range o.Alerts() {
		got = append(got, a.Name)
	}
	if s := strings.Join(got, " "); s != "unknown_ca close_notify alert 199 encrypted handshake_failure" {
		t.Fatal(s)
	}
}

func TestGarbage(t *testing.T) {
	tests := []struct{ name, bytes, want string }{
		{"MQTT", "\x10\x25\x00\x04MQTT", "no TLS record begins with 10: looks like MQTT without TLS"},
		{"HTTP", "GET / HTTP/1.1", "no TLS record begins with"},
		{"version 4", "\x16\x04\x00\x00\x00", "no TLS record begins with 16 04"},
		{"record too long", "\x16\x03\x03\xff\xff", "no TLS record begins with 16 03 03 ff ff"},
		{"SSLv2 length, other type", "\x80\x2e\x02\x00\x00", "no TLS record begins with 80 2e 02"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := NewObserver(nil)
			for i := range tt.bytes {
				o.FromClient([]byte(tt.bytes[i : i+1]))
			}
			g := o.Garbage()
			if len(g) != 1 || !g[0].FromClient || !strings.HasPrefix(g[0].Text, tt.want) {
				t.Fatalf("%+v", g)
			}
			if int(o.Bytes(true)) != len(tt.bytes) {
				t.Errorf("%d bytes counted", o.Bytes(true))
			}
		})
	}
}

// TestMemory feeds the largest hello there can be, and endless alerts and
// messages.
func TestMemory(t *testing.T) {
	o := NewObserver(nil)
	o.FromClient(record(recordHandshake, []byte{1, 0xff, 0xff, 0xff, 3, 3}))
	for range 2000 {
		o.FromClient(record(recordHandshake, make([]byte, 1<<14)))
	}
	if len(o.client.message) > maxKept {
		t.Errorf("%d bytes kept", len(o.client.message))
	}
	if h := o.Hello(); h == nil || !h.Truncated || len(h.Raw) > maxKept {
		t.Error("the hello is not there, or not truncated")
	}
	for range 1000 {
		o.FromServer(record(recordAlert, []byte{1, 0}))
		o.FromServer(record(recordHandshake, []byte{14, 0, 0, 0}))
	}
	if len(o.Alerts()) > maxAlerts || len(o.Messages()) > maxMessages {
		t.Errorf("%d alerts, %d messages", len(o.Alerts()), len(o.Messages()))
	}
}
