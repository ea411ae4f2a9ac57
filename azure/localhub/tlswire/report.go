package tlswire

// Severity is how bad a finding is.
type Severity string

// The severities, mildest first.
const (
	OK   Severity = "ok"
	Warn Severity = "warn"
	Fail Severity = "fail"
)

// Finding is one thing said of a ClientHello.
type Finding struct {
	Name     string // stable: "compression", "signature-algorithms"
	Severity Severity
	Text     string // one line for people, with the numbers
}

// Report judges h in the manner of howsmyssl.
func Report(h *ClientHello) []Finding { return nil }

// Weakness says how weak a cipher suite is and why; OK comes with an empty why.
func Weakness(suite uint16) (Severity, string) { return OK, "" }

// SuiteName is the IANA name of a cipher suite, or its number as "0x1234".
func SuiteName(suite uint16) string { return "" }

// VersionName is "TLS 1.2" for 0x0303, or the number.
func VersionName(v uint16) string { return "" }

// AlertName is the name of RFC 5246 7.2 or a later RFC, or the number.
func AlertName(n byte) string { return "" }

// GroupName is the IANA name of a named group, or its number.
func GroupName(g uint16) string { return "" }

// SignatureName is the name of a signature algorithm, or its number.
func SignatureName(s uint16) string { return "" }
