package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"unicode"

	"hilrig/record/wording"
)

// form is what a file is in place of one plain PEM block.
type form string

// The forms that files come in.
const (
	formEmpty      form = "empty"
	formUTF16      form = "UTF-16 text, as PowerShell's > writes it"
	formUTF16LE    form = "UTF-16 text without a byte order mark"
	formUTF16BE    form = "UTF-16 text without a byte order mark, high bytes first"
	formMark       form = "text with a byte order mark before the BEGIN line"
	formPKCS12     form = "a PKCS#12 archive (.pfx, .p12)"
	formPKCS7      form = "a PKCS#7 bundle (.p7b)"
	formPKCS7DER   form = "a PKCS#7 bundle (.p7b) in DER"
	formDERCert    form = "a certificate in DER"
	formDERKey     form = "a private key in DER"
	formDERSecret  form = "an encrypted private key in DER"
	formDERRequest form = "a certificate request in DER"
	formDER        form = "DER of another kind"
	formJKS        form = "a Java key store"
	formPage       form = "a web page"
	formOpenSSHKey form = "a private key of OpenSSH"
	formOpenSSHPub form = "a public key of OpenSSH"
	formPutty      form = "a private key of PuTTY"
	formArchive    form = "a zip archive"
	formECFirst    form = "EC PARAMETERS before the private key"
	formUnbroken   form = "without its line breaks"
	formTrusted    form = "a TRUSTED CERTIFICATE of openssl"
	formRequest    form = "a CERTIFICATE REQUEST, which nobody has signed yet"
)

// formError says what a file is instead. It wraps what kind of mistake that is.
type formError struct {
	form  form
	label string // of the PEM block whose line breaks were lost
	is    error
}

func (e *formError) Error() string {
	switch e.form {
	case formEmpty:
		return e.is.Error() + ": the file is empty"
	case formUnbroken:
		return e.is.Error() + ": its line breaks were lost"
	}
	return e.is.Error() + ": it is " + string(e.form)
}

func (e *formError) Unwrap() error { return e.is }

// formOf tells by its bytes what a file is that holds no plain PEM block; empty:
// nothing that is known. The label is that of [formUnbroken].
func formOf(data []byte) (f form, label string) {
	text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	utf16 := wording.UTF16(data)
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return formEmpty, ""
	case utf16 != "":
		return map[string]form{"UTF-16": formUTF16, "UTF-16LE": formUTF16LE, "UTF-16BE": formUTF16BE}[utf16], ""
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}):
		return formJKS, ""
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		return formArchive, ""
	case data[0] == 0x30:
		return formOfDER(data), ""
	case isPage(text):
		return formPage, ""
	case bytes.HasPrefix(text, []byte("ssh-")), bytes.HasPrefix(text, []byte("ecdsa-sha2-")):
		return formOpenSSHPub, ""
	case bytes.HasPrefix(text, []byte("PuTTY-User-Key-File")):
		return formPutty, ""
	}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		if block, _ := pem.Decode(text); block != nil {
			return formMark, ""
		}
	}
	if label := unbroken(data); label != "" {
		return formUnbroken, label
	}
	return "", ""
}

func isPage(text []byte) bool {
	if !bytes.HasPrefix(text, []byte("<")) {
		return false
	}
	begin := bytes.ToLower(text[:min(len(text), 1024)])
	for _, sign := range []string{"<!doctype", "<html", "<head", "<body", "<?xml", "<!--", "<pre"} {
		if bytes.Contains(begin, []byte(sign)) {
			return true
		}
	}
	return false
}

// formOfDER looks into the first element: the formats begin differently.
func formOfDER(data []byte) form {
	der := data
	var whole asn1.RawValue
	if rest, err := asn1.Unmarshal(data, &whole); err == nil {
		der = data[:len(data)-len(rest)] // some tools append a line end
	}
	if _, err := x509.ParseCertificate(der); err == nil {
		return formDERCert
	}
	if isDERKey(der) {
		return formDERKey
	}
	if _, err := x509.ParseCertificateRequest(der); err == nil {
		return formDERRequest
	}
	if len(data) < 2 || data[1] < 0x80 && int(data[1])+2 > len(bytes.TrimSpace(data)) {
		return ""
	}
	inner := data[2:] // also of an indefinite length, which BER has and DER has not
	if n := int(data[1] & 0x7f); data[1] > 0x80 {
		if n > 4 || n > len(inner) {
			return ""
		}
		inner = inner[n:]
	}
	switch {
	case bytes.HasPrefix(inner, []byte{0x06}):
		return formPKCS7DER // contentInfo: its type comes first (RFC 2315 section 7)
	case bytes.HasPrefix(inner, []byte{0x02, 0x01, 0x03, 0x30}):
		return formPKCS12 // version 3, then contentInfo (RFC 7292 section 4)
	case bytes.HasPrefix(inner, []byte{0x02, 0x01}):
		return formDERKey // of a kind that the library cannot read
	}
	var algorithm, encrypted asn1.RawValue
	if rest, err := asn1.Unmarshal(inner, &algorithm); err == nil && algorithm.Tag == asn1.TagSequence {
		if _, err := asn1.Unmarshal(rest, &encrypted); err == nil && encrypted.Tag == asn1.TagOctetString {
			return formDERSecret // algorithm, then the encrypted key (RFC 5958 section 3)
		}
		return formDER
	}
	return ""
}

func isDERKey(der []byte) bool {
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return true
	}
	if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return true
	}
	_, err := x509.ParseECPrivateKey(der)
	return err == nil
}

// unbroken is the label of a PEM block in which line ends became something
// else, or nothing: a variable of a CI server, a JSON text, a mail, an editor
// that indents. Empty: it is none.
func unbroken(data []byte) string {
	begin := bytes.Index(data, beginMark)
	if begin < 0 {
		return ""
	}
	label, rest, ok := bytes.Cut(data[begin+len(beginMark):], []byte("-----"))
	if !ok || blockName(string(label)) != string(label) {
		return ""
	}
	body, _, ok := bytes.Cut(rest, []byte("-----END "+string(label)+"-----"))
	if !ok || bytes.Contains(body, beginMark) {
		return ""
	}
	text := strings.NewReplacer(`\r`, "", `\n`, "", `"`, "").Replace(string(body))
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text)
	if der, err := base64.StdEncoding.DecodeString(text); err != nil || len(der) == 0 || der[0] != 0x30 {
		return ""
	}
	return string(label)
}

// wellFormed reports whether DER is whole: every length fits what is around it.
// What is whole and cannot be read is not damaged.
func wellFormed(der []byte) bool {
	var whole asn1.RawValue
	rest, err := asn1.Unmarshal(der, &whole)
	return err == nil && len(rest) == 0 && whole.Tag == asn1.TagSequence && whole.Class == asn1.ClassUniversal &&
		len(whole.Bytes) > 0 && nests(whole.Bytes, 0)
}

// deepest bounds how far a file is looked into.
const deepest = 32

func nests(der []byte, depth int) bool {
	for len(der) > 0 {
		var v asn1.RawValue
		rest, err := asn1.Unmarshal(der, &v)
		if err != nil || v.IsCompound && depth < deepest && !nests(v.Bytes, depth+1) {
			return false
		}
		der = rest
	}
	return true
}
