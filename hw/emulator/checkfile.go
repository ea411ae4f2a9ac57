package emulator

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

// Why a file is refused; the words that the console prints.
var (
	errNotPEM     = errors.New("not a PEM file")
	errCut        = errors.New("incomplete PEM file")
	errKind       = errors.New("wrong kind of file")
	errUnreadable = errors.New("cannot be read")
)

// checkFile is what sound firmware does before it says OK.
func (b *behaviour) checkFile(slot int, data string) error {
	data = strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")
	block, _ := pem.Decode([]byte(data))
	if block == nil {
		return b.forgive(data)
	}
	isKey := strings.HasSuffix(block.Type, "PRIVATE KEY")
	if isKey != (slot == slotKey) {
		if b.acceptKind || b.acceptGarbage {
			return nil
		}
		return errKind
	}
	if isKey {
		return checkKey(block)
	}
	if _, err := x509.ParseCertificate(block.Bytes); err != nil {
		return errUnreadable
	}
	return nil
}

// forgive decides on a file without a whole PEM block.
func (b *behaviour) forgive(data string) error {
	begins := strings.Contains(data, "-----BEGIN ")
	switch {
	case b.acceptGarbage, begins && (b.acceptCut || b.keepBytes > 0 || b.needs != ""):
		return nil
	case begins:
		return errCut
	}
	return errNotPEM
}

func checkKey(block *pem.Block) error {
	if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
		return nil
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return nil
	}
	if _, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return nil
	}
	return errUnreadable
}

// usable is what the TLS stack makes of a stored file: parsers that are
// pickier than the check are a defect of their own (fault names begin with
// needs-, drops- and counts-).
func (b *behaviour) usable(data string) string {
	switch b.needs {
	case "lf":
		if strings.Contains(data, "\r") {
			return ""
		}
	case "final-newline":
		if !strings.HasSuffix(data, "\n") {
			return ""
		}
	case "newlines": // they are lost on the way into storage
		if strings.Contains(data, "\r") {
			return ""
		}
	case "nul": // a parser that counts the terminating NUL loses the last character
		if !strings.HasSuffix(data, "\n") {
			return data[:max(0, len(data)-1)]
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(data, "\r\n", "\n"), "\r", "\n")
}
