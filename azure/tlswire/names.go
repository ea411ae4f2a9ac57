package tlswire

import (
	"cmp"
	"fmt"
	"slices"
)

// named is one row of a table of names.
type named struct {
	number uint16
	name   string
}

var versions = []named{
	{0x0002, "SSL 2"},
	{0x0300, "SSL 3"},
	{0x0301, "TLS 1.0"},
	{0x0302, "TLS 1.1"},
	{0x0303, "TLS 1.2"},
	{0x0304, "TLS 1.3"},
}

// alertNames: RFC 5246 7.2 and 8446 6, the reserved ones with their old names;
// 110 to 116 and 120 from RFC 6066, 4279, 7301, 8446.
var alertNames = []named{
	{0, "close_notify"},
	{10, "unexpected_message"},
	{20, "bad_record_mac"},
	{21, "decryption_failed"},
	{22, "record_overflow"},
	{30, "decompression_failure"},
	{40, "handshake_failure"},
	{41, "no_certificate"},
	{42, "bad_certificate"},
	{43, "unsupported_certificate"},
	{44, "certificate_revoked"},
	{45, "certificate_expired"},
	{46, "certificate_unknown"},
	{47, "illegal_parameter"},
	{48, "unknown_ca"},
	{49, "access_denied"},
	{50, "decode_error"},
	{51, "decrypt_error"},
	{60, "export_restriction"},
	{70, "protocol_version"},
	{71, "insufficient_security"},
	{80, "internal_error"},
	{86, "inappropriate_fallback"},
	{90, "user_canceled"},
	{100, "no_renegotiation"},
	{109, "missing_extension"},
	{110, "unsupported_extension"},
	{111, "certificate_unobtainable"},
	{112, "unrecognized_name"},
	{113, "bad_certificate_status_response"},
	{114, "bad_certificate_hash_value"},
	{115, "unknown_psk_identity"},
	{116, "certificate_required"},
	{120, "no_application_protocol"},
}

// messageNames: RFC 5246 7.4, 8446 4, 4507, 6066, 8879.
var messageNames = []named{
	{0, "hello_request"},
	{1, "client_hello"},
	{2, "server_hello"},
	{3, "hello_verify_request"},
	{4, "new_session_ticket"},
	{5, "end_of_early_data"},
	{8, "encrypted_extensions"},
	{11, "certificate"},
	{12, "server_key_exchange"},
	{13, "certificate_request"},
	{14, "server_hello_done"},
	{15, "certificate_verify"},
	{16, "client_key_exchange"},
	{20, "finished"},
	{21, "certificate_url"},
	{22, "certificate_status"},
	{23, "supplemental_data"},
	{24, "key_update"},
	{25, "compressed_certificate"},
	{67, "next_protocol"},
}

// The extensions that this package reads.
const (
	extServerName          = 0
	extGroups              = 10
	extPointFormats        = 11
	extSignatureAlgorithms = 13
	extALPN                = 16
	extVersions            = 43
	extRenegotiation       = 0xff01
)

var extensionNames = []named{
	{0, "server_name"},
	{1, "max_fragment_length"},
	{2, "client_certificate_url"},
	{3, "trusted_ca_keys"},
	{4, "truncated_hmac"},
	{5, "status_request"},
	{6, "user_mapping"},
	{7, "client_authz"},
	{8, "server_authz"},
	{9, "cert_type"},
	{10, "supported_groups"},
	{11, "ec_point_formats"},
	{12, "srp"},
	{13, "signature_algorithms"},
	{14, "use_srtp"},
	{15, "heartbeat"},
	{16, "application_layer_protocol_negotiation"},
	{17, "status_request_v2"},
	{18, "signed_certificate_timestamp"},
	{19, "client_certificate_type"},
	{20, "server_certificate_type"},
	{21, "padding"},
	{22, "encrypt_then_mac"},
	{23, "extended_master_secret"},
	{24, "token_binding"},
	{25, "cached_info"},
	{27, "compress_certificate"},
	{28, "record_size_limit"},
	{34, "delegated_credential"},
	{35, "session_ticket"},
	{41, "pre_shared_key"},
	{42, "early_data"},
	{43, "supported_versions"},
	{44, "cookie"},
	{45, "psk_key_exchange_modes"},
	{47, "certificate_authorities"},
	{48, "oid_filters"},
	{49, "post_handshake_auth"},
	{50, "signature_algorithms_cert"},
	{51, "key_share"},
	{54, "connection_id"},
	{57, "quic_transport_parameters"},
	{13172, "next_protocol_negotiation"},
	{0x4469, "application_settings"},
	{0xfe0d, "encrypted_client_hello"},
	{0xff01, "renegotiation_info"},
}

var groups = []named{
	{1, "sect163k1"}, {2, "sect163r1"}, {3, "sect163r2"}, {4, "sect193r1"}, {5, "sect193r2"},
	{6, "sect233k1"}, {7, "sect233r1"}, {8, "sect239k1"}, {9, "sect283k1"}, {10, "sect283r1"},
	{11, "sect409k1"}, {12, "sect409r1"}, {13, "sect571k1"}, {14, "sect571r1"},
	{15, "secp160k1"}, {16, "secp160r1"}, {17, "secp160r2"}, {18, "secp192k1"}, {19, "secp192r1"},
	{20, "secp224k1"}, {21, "secp224r1"}, {22, "secp256k1"}, {23, "secp256r1"}, {24, "secp384r1"}, {25, "secp521r1"},
	{26, "brainpoolP256r1"}, {27, "brainpoolP384r1"}, {28, "brainpoolP512r1"},
	{29, "x25519"}, {30, "x448"},
	{31, "brainpoolP256r1tls13"}, {32, "brainpoolP384r1tls13"}, {33, "brainpoolP512r1tls13"},
	{256, "ffdhe2048"}, {257, "ffdhe3072"}, {258, "ffdhe4096"}, {259, "ffdhe6144"}, {260, "ffdhe8192"},
	{512, "MLKEM512"}, {513, "MLKEM768"}, {514, "MLKEM1024"},
	{0x11eb, "SecP256r1MLKEM768"}, {0x11ec, "X25519MLKEM768"}, {0x11ed, "SecP384r1MLKEM1024"},
	{0xff01, "arbitrary_explicit_prime_curves"}, {0xff02, "arbitrary_explicit_char2_curves"},
}

// signatures are the schemes that TLS 1.3 names as one number. Others are named
// from their two halves, hash and signature (RFC 5246 7.4.1.4.1).
var signatures = []named{
	{0x0804, "rsa_pss_rsae_sha256"}, {0x0805, "rsa_pss_rsae_sha384"}, {0x0806, "rsa_pss_rsae_sha512"},
	{0x0807, "ed25519"}, {0x0808, "ed448"},
	{0x0809, "rsa_pss_pss_sha256"}, {0x080a, "rsa_pss_pss_sha384"}, {0x080b, "rsa_pss_pss_sha512"},
	{0x081a, "ecdsa_brainpoolP256r1tls13_sha256"}, {0x081b, "ecdsa_brainpoolP384r1tls13_sha384"}, {0x081c, "ecdsa_brainpoolP512r1tls13_sha512"},
	{0x0904, "mldsa44"}, {0x0905, "mldsa65"}, {0x0906, "mldsa87"},
}

var (
	hashNames      = [...]string{"none", "md5", "sha1", "sha224", "sha256", "sha384", "sha512"}
	signatureNames = [...]string{"anonymous", "rsa", "dsa", "ecdsa"}
)

// nameOf finds number in a table that ascends.
func nameOf(table []named, number uint16) (string, bool) {
	i, found := slices.BinarySearchFunc(table, number, func(n named, want uint16) int { return cmp.Compare(n.number, want) })
	if !found {
		return "", false
	}
	return table[i].name, true
}

// orNumber is the number's name, "GREASE", or the number.
func orNumber(table []named, number uint16) string {
	if name, ok := nameOf(table, number); ok {
		return name
	}
	if IsGREASE(number) {
		return "GREASE"
	}
	return fmt.Sprintf("0x%04x", number)
}

// SuiteName is the IANA name of a cipher suite, "GREASE", or its number as
// "0x1234".
func SuiteName(suite uint16) string { return orNumber(suites, suite) }

// VersionName is "TLS 1.2" for 0x0303, "GREASE", or the number.
func VersionName(v uint16) string { return orNumber(versions, v) }

// GroupName is the IANA name of a named group, "GREASE", or its number.
func GroupName(g uint16) string { return orNumber(groups, g) }

// ExtensionName is the IANA name of an extension, "GREASE", or its number.
func ExtensionName(e uint16) string { return orNumber(extensionNames, e) }

// AlertName is the name of an alert in its RFC, or its number as "alert 99".
func AlertName(n byte) string {
	if name, ok := nameOf(alertNames, uint16(n)); ok {
		return name
	}
	return fmt.Sprintf("alert %d", n)
}

// SignatureName is the name of a signature algorithm: "rsa_pkcs1_sha256" goes
// by its TLS 1.2 form "rsa_sha256". What has no name is its number.
func SignatureName(s uint16) string {
	if name, ok := nameOf(signatures, s); ok {
		return name
	}
	hash, signature := int(s>>8), int(s&0xff)
	if hash < len(hashNames) && signature < len(signatureNames) {
		return signatureNames[signature] + "_" + hashNames[hash]
	}
	return orNumber(nil, s)
}

func messageName(t byte) string {
	if name, ok := nameOf(messageNames, uint16(t)); ok {
		return name
	}
	return fmt.Sprintf("message %d", t)
}
