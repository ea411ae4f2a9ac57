package tlswire

import (
	"crypto/tls"
	"encoding/binary"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ingredients of a hand-made ClientHello; nil fields take a sound default.
type ingredients struct {
	version     uint16
	suites      []uint16
	compression []byte
	extensions  []Extension
}

func u16(v ...uint16) []byte {
	var b []byte
	for _, n := range v {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	return b
}

func list16(v ...uint16) []byte { return append(u16(uint16(2*len(v))), u16(v...)...) }

var (
	soundGroups     = Extension{Type: extGroups, Body: list16(29, 23)}
	soundSignatures = Extension{Type: extSignatureAlgorithms, Body: list16(0x0401, 0x0804, 0x0201)}
	soundPoints     = Extension{Type: extPointFormats, Body: []byte{1, 0}}
	soundReneg      = Extension{Type: extRenegotiation, Body: []byte{0}}
)

// handmade builds the handshake message of a ClientHello.
func handmade(i *ingredients) []byte {
	if i == nil {
		i = &ingredients{}
	}
	if i.version == 0 {
		i.version = 0x0303
	}
	if i.suites == nil {
		i.suites = []uint16{0xc02f}
	}
	if i.compression == nil {
		i.compression = []byte{0}
	}
	if i.extensions == nil {
		i.extensions = []Extension{soundGroups, soundSignatures, soundPoints, soundReneg}
	}
	body := append(u16(i.version), make([]byte, 33)...)
	body = append(body, list16(i.suites...)...)
	body = append(append(body, byte(len(i.compression))), i.compression...)
	var block []byte
	for _, e := range i.extensions {
		block = append(append(block, u16(e.Type, uint16(len(e.Body)))...), e.Body...)
	}
	if len(block) > 0 {
		body = append(append(body, u16(uint16(len(block)))...), block...)
	}
	return append([]byte{1, byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}, body...)
}

func helloOf(t *testing.T, message []byte) *ClientHello {
	t.Helper()
	o := NewObserver(func() time.Time { return time.Unix(5, 0) })
	o.FromClient(record(recordHandshake, message))
	if o.Hello() == nil {
		t.Fatal("no hello")
	}
	return o.Hello()
}

// TestReport spoils one thing a case; want is what is not OK.
func TestReport(t *testing.T) {
	with := func(replace ...Extension) []Extension {
		all := []Extension{soundGroups, soundSignatures, soundPoints, soundReneg}
		for _, r := range replace {
			if i := slices.IndexFunc(all, func(e Extension) bool { return e.Type == r.Type }); i >= 0 {
				all[i] = r
			} else {
				all = append(all, r)
			}
		}
		return all
	}
	tests := []struct {
		name  string
		hello ingredients
		want  string
	}{
		{"sound", ingredients{}, ""},
		{"GREASE everywhere", ingredients{suites: []uint16{0x1a1a, 0xc02f}, extensions: with(
			Extension{Type: 0x2a2a}, Extension{Type: extGroups, Body: list16(0x3a3a, 29)},
			Extension{Type: extSignatureAlgorithms, Body: list16(0x0a0a, 0x0401)},
			Extension{Type: extVersions, Body: append([]byte{6}, u16(0x4a4a, 0x0304, 0x0303)...)})}, ""},
		{"compression", ingredients{compression: []byte{1, 0}}, "compression:warn"},
		{"no null compression", ingredients{compression: []byte{1}}, "compression:fail"},
		{"SSL 3", ingredients{version: 0x0300}, "ssl:warn"},
		{"SSL 3 among versions", ingredients{extensions: with(Extension{Type: extVersions, Body: append([]byte{4}, u16(0x0303, 0x0300)...)})}, "ssl:warn"},
		{"before TLS 1.2 there are no signature algorithms", ingredients{version: 0x0302, extensions: []Extension{soundGroups, soundPoints, soundReneg}}, ""},
		{"TLS 1.3 alone needs no secure renegotiation", ingredients{extensions: []Extension{soundGroups, soundSignatures, soundPoints, {Type: extVersions, Body: append([]byte{4}, u16(0x3a3a, 0x0304)...)}}}, ""},
		{"MD5", ingredients{extensions: with(Extension{Type: extSignatureAlgorithms, Body: list16(0x0401, 0x0101)})}, "signature-algorithms:warn"},
		{"anonymous", ingredients{extensions: with(Extension{Type: extSignatureAlgorithms, Body: list16(0x0401, 0x0400)})}, "signature-algorithms:warn"},
		{"SHA-1 only", ingredients{extensions: with(Extension{Type: extSignatureAlgorithms, Body: list16(0x0201, 0x0203)})}, "signature-algorithms:warn"},
		{"ed25519 is not taken for MD5", ingredients{extensions: with(Extension{Type: extSignatureAlgorithms, Body: list16(0x0807, 0x0401)})}, ""},
		{"no signature algorithms", ingredients{extensions: []Extension{soundGroups, soundPoints, soundReneg}}, "signature-algorithms:warn"},
		{"weak group", ingredients{extensions: with(Extension{Type: extGroups, Body: list16(23, 19)})}, "groups:warn"},
		{"no common group", ingredients{extensions: with(Extension{Type: extGroups, Body: list16(26, 30)})}, "groups:warn"},
		{"x448 is no group of IoT Hub's", ingredients{extensions: with(Extension{Type: extGroups, Body: list16(30)})}, "groups:warn"},
		{"no groups: the server chooses (RFC 8422 4)", ingredients{extensions: []Extension{soundSignatures, soundPoints, soundReneg}}, ""},
		{"compressed points only", ingredients{extensions: with(Extension{Type: extPointFormats, Body: []byte{1, 1}})}, "point-formats:fail"},
		{"no renegotiation_info", ingredients{extensions: []Extension{soundGroups, soundSignatures, soundPoints}}, "renegotiation:warn"},
		{"its suite instead", ingredients{suites: []uint16{0xc02f, 0x00ff}, extensions: []Extension{soundGroups, soundSignatures, soundPoints}}, ""},
		{"renegotiation_info not empty", ingredients{extensions: with(Extension{Type: extRenegotiation, Body: []byte{1, 9}})}, "renegotiation:fail"},
		{"an extension twice", ingredients{extensions: with(Extension{Type: 5}, Extension{Type: 6}, soundGroups, Extension{Type: 5})}, ""},
		{"body that does not fit", ingredients{extensions: with(Extension{Type: extGroups, Body: []byte{0, 9, 1}})}, "message:fail"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range Report(helloOf(t, handmade(&tt.hello))) {
				got = append(got, f.Name+":"+string(f.Severity))
			}
			if strings.Join(got, " ") != tt.want {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
		})
	}
	twice := handmade(&ingredients{extensions: []Extension{soundGroups, soundGroups, soundSignatures, soundReneg}})
	if f := Report(helloOf(t, twice)); len(f) != 1 || f[0].Severity != Fail || !strings.Contains(f[0].Text, "twice") {
		t.Errorf("an extension twice: %+v", f)
	}
}

// The IANA registry of groups names curves by their bits; half of them are the
// strength (NIST SP 800-57 part 1, table 2). 112 bits, so 224 of the curve, are the
// least that RFC 9325 4.5 takes: 224-bit curves have them, P-192 does not.
func TestAGroupIsWeakBelow112Bits(t *testing.T) {
	bits := regexp.MustCompile(`^sec[pt](\d+)`)
	judged := 0
	for _, g := range groups {
		m := bits.FindStringSubmatch(g.name)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		judged++
		if weak := n < 224; weakGroup(g.number) != weak {
			t.Errorf("%s: weak %v, want %v", g.name, !weak, weak)
		}
	}
	if judged != 25 {
		t.Errorf("%d curves judged, want the registry's 25", judged)
	}
	for _, own := range []uint16{0xff01, 0xff02} {
		if !weakGroup(own) {
			t.Errorf("%#04x, an explicit curve, is not weak", own)
		}
	}
}

func TestSSLv2Hello(t *testing.T) {
	body := append([]byte{1, 3, 1}, u16(9, 0, 16)...)
	body = append(body, 0, 0, 0x2f, 1, 0, 0x80, 0, 0, 0xff)
	body = append(body, make([]byte, 16)...)
	o := NewObserver(nil)
	for _, b := range append([]byte{0x80, byte(len(body))}, body...) {
		o.FromClient([]byte{b})
	}
	h := o.Hello()
	if h == nil || !h.SSLv2 || h.Version != 0x0301 || h.Malformed != "" || !h.SecureRenegotiation {
		t.Fatalf("%+v", h)
	}
	same(t, "suites", h.Suites, []uint16{0x002f, 0x00ff})
	same(t, "SSL 2 suites", h.SSLv2Suites, []uint32{0x010080})
	if f := Report(h); len(f) != 1 || f[0].Name != "ssl" || f[0].Severity != Warn {
		t.Errorf("%+v", f)
	}
	o.FromClient(record(recordAlert, []byte{2, 70}))
	if a := o.Alerts(); len(a) != 1 || a[0].Name != "protocol_version" {
		t.Errorf("behind it: %+v", a)
	}
}

// TestMalformedHello cuts a hello's message short at every length: it never
// panics, keeps what it read, and says so.
func TestMalformedHello(t *testing.T) {
	message := handmade(nil)
	for n := range len(message) - 4 {
		short := slices.Clone(message[:4+n])
		short[1], short[2], short[3] = 0, byte(n>>8), byte(n)
		h := helloOf(t, short)
		soundWithoutExtensions := n == 2+33+4+2
		if (h.Malformed == "") != soundWithoutExtensions {
			t.Errorf("cut to %d bytes: malformed %q", n, h.Malformed)
		}
		Report(h)
	}
}

func TestWeakness(t *testing.T) {
	tests := []struct {
		suite    uint16
		name     string
		severity Severity
	}{
		{0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", OK},
		{0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", OK},
		{0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", OK},
		{0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", OK},
		{0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", OK},
		{0x1301, "TLS_AES_128_GCM_SHA256", OK},
		{0x00ff, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", OK},
		{0x5600, "TLS_FALLBACK_SCSV", OK},
		{0x2a2a, "GREASE", OK},
		{0x0000, "TLS_NULL_WITH_NULL_NULL", Fail},
		{0x003b, "TLS_RSA_WITH_NULL_SHA256", Fail},
		{0xc0b4, "TLS_SHA256_SHA256", Fail},
		{0x0003, "TLS_RSA_EXPORT_WITH_RC4_40_MD5", Fail},
		{0x0004, "TLS_RSA_WITH_RC4_128_MD5", Fail},
		{0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA", Fail},
		{0x0009, "TLS_RSA_WITH_DES_CBC_SHA", Fail},
		{0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA", Fail},
		{0x0023, "TLS_KRB5_WITH_3DES_EDE_CBC_MD5", Fail},
		{0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", Warn},
		{0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Warn},
		{0x0007, "TLS_RSA_WITH_IDEA_CBC_SHA", Warn},
		{0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", Warn},
		{0xc031, "TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256", Warn},
		{0x7777, "0x7777", Warn},
	}
	for _, tt := range tests {
		severity, why := Weakness(tt.suite)
		if SuiteName(tt.suite) != tt.name || severity != tt.severity || (why == "") != (severity == OK) {
			t.Errorf("0x%04x is %s, %s %q; want %s, %s", tt.suite, SuiteName(tt.suite), severity, why, tt.name, tt.severity)
		}
	}
}

// TestTables: they ascend, and agree with crypto/tls where it has a name.
func TestTables(t *testing.T) {
	for name, table := range map[string][]named{"suites": suites, "versions": versions, "alerts": alertNames, "messages": messageNames,
		"extensions": extensionNames, "groups": groups, "signatures": signatures} {
		if !slices.IsSortedFunc(table, func(a, b named) int { return int(a.number) - int(b.number) }) {
			t.Errorf("%s do not ascend", name)
		}
	}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if SuiteName(s.ID) != s.Name {
			t.Errorf("0x%04x is %s, crypto/tls says %s", s.ID, SuiteName(s.ID), s.Name)
		}
	}
	for _, s := range tls.CipherSuites() {
		if severity, _ := Weakness(s.ID); severity == Fail {
			t.Errorf("%s is secure, says crypto/tls", s.Name)
		}
	}
	for number, want := range map[uint16]string{0x0401: "rsa_sha256", 0x0203: "ecdsa_sha1", 0x0101: "rsa_md5", 0x0804: "rsa_pss_rsae_sha256", 0x9999: "0x9999"} {
		if got := SignatureName(number); got != want {
			t.Errorf("signature 0x%04x is %s, want %s", number, got, want)
		}
	}
	if VersionName(0x0303) != "TLS 1.2" || GroupName(23) != "secp256r1" || AlertName(48) != "unknown_ca" || ExtensionName(0) != "server_name" {
		t.Error("names")
	}
}
