package tlswire

import "time"

// ClientHello is what a client said first. Numbers are as on the wire, in the
// order of the wire, GREASE among them.
type ClientHello struct {
	At                  time.Time
	RecordVersion       uint16 // of the record it came in; 0 for an SSLv2-style hello
	Version             uint16 // legacy_version: the highest before supported_versions
	Random              []byte
	SessionID           []byte
	Suites              []uint16
	Compression         []byte
	HasExtensions       bool // an extensions block is there, be it empty
	Extensions          []Extension
	ServerName          string // server_name (SNI), without the extension empty
	Versions            []uint16
	Groups              []uint16
	PointFormats        []byte
	SignatureAlgorithms []uint16
	ALPN                []string
	SecureRenegotiation bool     // renegotiation_info or its signalling suite
	Fallback            bool     // TLS_FALLBACK_SCSV: the client was refused something higher before
	SSLv2               bool     // the SSLv2-compatible form
	SSLv2Suites         []uint32 // suites of SSL 2 in it, three bytes each
	Malformed           string   // what kept it from being read to its end; fields before that are set
	Truncated           bool     // longer than 32 KiB: only its beginning was read
	Raw                 []byte   // the message with its header, at most 32 KiB; of SSLv2 the record's body
}

// Extension is one extension of a hello.
type Extension struct {
	Type uint16
	Name string
	Body []byte
}

// ServerHello is the server's choice.
type ServerHello struct {
	At         time.Time
	Version    uint16 // negotiated: supported_versions if it is there, else legacy_version
	Suite      uint16
	Retry      bool // a HelloRetryRequest
	Resumed    bool // TLS 1.2: echoes the session id of the hello
	Extensions []Extension
}

// Extension finds the first extension of type t.
func (h *ClientHello) Extension(t uint16) (Extension, bool) {
	for _, e := range h.Extensions {
		if e.Type == t {
			return e, true
		}
	}
	return Extension{}, false
}

// MaxVersion is the highest version that h offers, GREASE aside.
func (h *ClientHello) MaxVersion() uint16 {
	highest := uint16(0)
	for _, v := range h.Versions {
		if !IsGREASE(v) && v <= 0x03ff {
			highest = max(highest, v)
		}
	}
	if highest == 0 {
		return h.Version
	}
	return highest
}

// IsGREASE reports whether v is one of the numbers that a client sprinkles in
// to keep servers tolerant (RFC 8701): 0x0a0a, 0x1a1a … 0xfafa.
func IsGREASE(v uint16) bool { return v>>8 == v&0xff && v&0x0f == 0x0a }
