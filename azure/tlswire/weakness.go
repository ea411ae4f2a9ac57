package tlswire

import "strings"

// weaknesses judges a suite by its IANA name; the first rule that fits counts,
// the worst come first. Fail is what protects nothing or is broken (catalogue:
// NULL, anonymous, EXPORT, RC4, DES, MD5), warn what RFC 9325 says should not
// be negotiated.
var weaknesses = []struct {
	in       string // part of the name
	severity Severity
	why      string
}{
	{"NULL", Fail, "no encryption"},
	{"TLS_SHA256_SHA256", Fail, "no encryption (RFC 9150)"},
	{"TLS_SHA384_SHA384", Fail, "no encryption (RFC 9150)"},
	{"_anon_", Fail, "nobody is authenticated"},
	{"EXPORT", Fail, "export grade, 40 or 56 bits (RFC 4346, FREAK, Logjam)"},
	{"_RC4_", Fail, "RC4 is broken (RFC 7465)"},
	{"_DES_CBC_", Fail, "DES, 56 bits (RFC 5469)"},
	{"_RC2_", Fail, "RC2 is broken"},
	{"_MD5", Fail, "MD5 is broken (RFC 6151)"},
	{"_3DES_", Warn, "3DES has blocks of 64 bits (Sweet32, RFC 9325 4.1)"},
	{"_IDEA_", Warn, "IDEA has blocks of 64 bits (RFC 5469)"},
	{"CHACHA20_POLY1305_OLD", Warn, "a draft's number, never standardised"},
	{"_DHE_DSS_", Warn, "DSA certificates (RFC 9155)"},
}

// staticKeys are the key exchanges without forward secrecy, as names begin
// (RFC 9325 4.1).
var staticKeys = []string{
	"TLS_RSA_WITH_", "TLS_RSA_PSK_WITH_", "TLS_PSK_WITH_", "TLS_KRB5_WITH_",
	"TLS_DH_RSA_WITH_", "TLS_DH_DSS_WITH_", "TLS_ECDH_RSA_WITH_", "TLS_ECDH_ECDSA_WITH_", "SSL_RSA_FIPS_WITH_",
}

// Weakness says how weak a cipher suite is and why. OK comes with an empty
// why; signalling suites and GREASE are OK. A number nobody knows is a warning.
func Weakness(suite uint16) (Severity, string) {
	name, known := nameOf(suites, suite)
	if !known {
		if IsGREASE(suite) {
			return OK, ""
		}
		return Warn, "not in the registry"
	}
	for _, w := range weaknesses {
		if strings.Contains(name, w.in) {
			return w.severity, w.why
		}
	}
	for _, prefix := range staticKeys {
		if strings.HasPrefix(name, prefix) {
			return Warn, "no forward secrecy (RFC 9325 4.1)"
		}
	}
	return OK, ""
}
