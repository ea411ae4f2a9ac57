package certs

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// facts is openssl's reading, taken out of what it printed.
func (a answers) facts() map[string]string {
	values := map[string]string{}
	for line := range strings.Lines(a.x509) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && values[name] == "" {
			values[name] = value
		}
	}
	_, sha256, _ := strings.Cut(a.sha256, "= ") // "SHA2-256(stdin)= ", or without the name
	size := between(a.x509, "Public-Key: (", ")")
	return map[string]string{
		factVersion:    between(a.x509, "Version: ", " "),
		factSerial:     trimZeros(values["serial"]),
		factSubject:    indented(a.x509, "subject="),
		factIssuer:     indented(a.x509, "issuer="),
		factFrom:       values["notBefore"],
		factTo:         values["notAfter"],
		factAlgorithm:  between(a.x509, "Public Key Algorithm: ", "\n"),
		factSize:       size,
		factPublicKey:  digest(publicKeyBlock(a.x509)),
		factSignature:  between(a.x509, "Signature Algorithm: ", "\n"),
		factExtensions: extensionsIn(a.asn1),
		factSHA1:       strings.ReplaceAll(values["sha1 Fingerprint"], ":", ""),
		factSHA256:     strings.ToUpper(strings.TrimSpace(sha256)),
		factFits:       fmt.Sprint(a.publicKey != "" && digest(a.publicKey) == digest(publicKeyBlock(a.x509))),
	}
}

// trimZeros takes away what makes openssl's serial an even number of digits.
func trimZeros(s string) string {
	if s = strings.TrimLeft(s, "0"); s == "" {
		return "0"
	}
	return s
}

func publicKeyBlock(text string) string {
	const begin, end = "-----BEGIN PUBLIC KEY-----\n", "\n-----END PUBLIC KEY-----"
	return begin + between(text, begin, end) + end
}

// digest makes a long text one line that can be compared by eye.
func digest(s string) string {
	sum := sha256.Sum256([]byte(strings.TrimSpace(s)))
	return "SHA-256 " + strings.ToUpper(hex.EncodeToString(sum[:]))
}

func between(s, a, b string) string {
	_, s, ok := strings.Cut(s, a)
	if !ok {
		return ""
	}
	s, _, _ = strings.Cut(s, b)
	return strings.TrimSpace(s)
}

// nameIndent is what openssl's sep_multiline puts before each line of a name.
const nameIndent = "    "

// indented are the lines of a name behind its title, joined.
func indented(text, title string) string {
	_, text, ok := strings.Cut("\n"+text, "\n"+title+"\n")
	if !ok {
		return ""
	}
	var lines []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, nameIndent) {
			break
		}
		lines = append(lines, strings.TrimSuffix(strings.TrimPrefix(line, nameIndent), "\n"))
	}
	return strings.Join(lines, ", ")
}

// nameLines is a name as openssl's oid,sep_multiline,utf8,esc_ctrl prints it.
func nameLines(raw []byte) string {
	var name pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &name); err != nil {
		return err.Error()
	}
	var lines []string
	for _, set := range name {
		var parts []string
		for _, attribute := range set {
			parts = append(parts, fmt.Sprintf("%s=%s", attribute.Type, escapeControls(fmt.Sprint(attribute.Value))))
		}
		lines = append(lines, strings.Join(parts, " + "))
	}
	return strings.Join(lines, ", ")
}

func escapeControls(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 && unicode.IsControl(r) {
			fmt.Fprintf(&b, "\\%02X", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func keySize(c *x509.Certificate) int {
	if k, ok := c.PublicKey.(*ecdsa.PublicKey); ok {
		return k.Params().BitSize
	}
	return KeyBits(c)
}

// extensionNames are openssl's names of the extensions that identities have.
var extensionNames = map[string]string{
	"2.5.29.14": "X509v3 Subject Key Identifier", "2.5.29.15": "X509v3 Key Usage",
	"2.5.29.17": "X509v3 Subject Alternative Name", "2.5.29.19": "X509v3 Basic Constraints",
	"2.5.29.35": "X509v3 Authority Key Identifier", "2.5.29.37": "X509v3 Extended Key Usage",
}

// extensionsOf are our reading of the extensions: name, critical, bytes. One
// that is not in the table has no name, here and in openssl's reading.
func extensionsOf(c *x509.Certificate) string {
	var all []string
	for _, e := range c.Extensions {
		all = append(all, extension(extensionNames[e.Id.String()], e.Critical, strings.ToUpper(hex.EncodeToString(e.Value))))
	}
	return strings.Join(all, ", ")
}

func extension(name string, critical bool, value string) string {
	if critical {
		name += " critical"
	}
	return name + " " + value
}

// extensionLine is a line of openssl asn1parse below the extensions: an
// object, whether it is critical, and its bytes.
var extensionLine = regexp.MustCompile(`prim: (OBJECT|BOOLEAN|OCTET STRING) +(?::|\[HEX DUMP\]:)(.*)$`)

// extensionsIn are openssl's: the objects behind the tag [3] of a certificate
// (RFC 5280 section 4.1).
func extensionsIn(text string) string {
	_, text, ok := strings.Cut(text, "cont [ 3 ]")
	if !ok {
		return ""
	}
	known := slices.Collect(maps.Values(extensionNames))
	var all []string
	var name string
	var critical bool
	for line := range strings.Lines(text) {
		m := extensionLine.FindStringSubmatch(strings.TrimRight(line, "\n"))
		if m == nil {
			continue
		}
		switch m[1] {
		case "OBJECT":
			name, critical = m[2], false
			if !slices.Contains(known, name) {
				name = ""
			}
		case "BOOLEAN":
			critical = m[2] != "0"
		case "OCTET STRING":
			all = append(all, extension(name, critical, m[2]))
		}
	}
	return strings.Join(all, ", ")
}
