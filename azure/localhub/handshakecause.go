package localhub

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"hilrig/azure/tlswire"
)

// suiteOfIoTHub is the one of IoT Hub's four suites that Go has not.
const suiteOfIoTHub = 0xc028 // TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384

// groupsOfGo are the groups that crypto/tls has for TLS 1.2.
var groupsOfGo = []uint16{uint16(tls.X25519), uint16(tls.CurveP256), uint16(tls.CurveP384), uint16(tls.CurveP521)}

// Numbers of TLS (RFC 5246 section 7.2, 7.4).
const (
	alertHandshakeFailure = 40
	extensionGroups       = 10
)

// refusalCause says what the hub did not find in a ClientHello that it
// answered with handshake_failure, or what it could not read of a client's
// certificate. It is empty where crypto/tls says enough: its words name the
// suites, whatever was missing.
func refusalCause(o *tlswire.Observer, config *tls.Config) string {
	if why := unreadCertificate(o); why != "" {
		return why
	}
	hello := o.Hello()
	if hello == nil || o.Server() != nil || !refusedWith(o, alertHandshakeFailure) {
		return ""
	}
	shared := slices.ContainsFunc(hello.Suites, func(s uint16) bool { return slices.Contains(config.CipherSuites, s) })
	switch {
	case !shared && slices.Contains(hello.Suites, suiteOfIoTHub):
		return fmt.Sprintf("of IoT Hub's cipher suites the client offers %s alone: IoT Hub has it, this hub has not, because Go has not; client offers: %s",
			tlswire.SuiteName(suiteOfIoTHub), listed(hello.Suites, tlswire.SuiteName))
	case !shared:
		return fmt.Sprintf("no cipher suite that both have; client offers: %s; the hub takes: %s",
			listed(hello.Suites, tlswire.SuiteName), listed(config.CipherSuites, tlswire.SuiteName))
	}
	if _, said := hello.Extension(extensionGroups); !said {
		return "the client offers ECDHE suites and names no groups for them (no supported_groups extension): this hub chooses none then"
	}
	if !slices.ContainsFunc(hello.Groups, func(g uint16) bool { return slices.Contains(groupsOfGo, g) }) {
		return fmt.Sprintf("no group for ECDHE that both have; client offers: %s; the hub has: %s",
			listed(hello.Groups, tlswire.GroupName), listed(groupsOfGo, tlswire.GroupName))
	}
	return ""
}

// unreadCertificate says why a client's certificate ended the handshake: Go
// must read it to go on, where IoT Hub completes TLS and judges at CONNECT.
func unreadCertificate(o *tlswire.Observer) string {
	shown := o.ClientCertificates()
	if len(shown) == 0 {
		return ""
	}
	if _, err := x509.ParseCertificate(shown[0]); err != nil {
		key := tlswire.KeyName(shown[0])
		if key == "" {
			key = "not to be seen"
		}
		return fmt.Sprintf("the client's certificate cannot be read by this hub (%s; its key: %s); IoT Hub completes TLS and judges at CONNECT",
			strings.TrimPrefix(err.Error(), "x509: "), key)
	}
	return ""
}

func refusedWith(o *tlswire.Observer, number byte) bool {
	return slices.ContainsFunc(o.Alerts(), func(a tlswire.Alert) bool { return !a.FromClient && a.Number == number })
}

func listed(numbers []uint16, name func(uint16) string) string {
	if len(numbers) == 0 {
		return "none"
	}
	names := make([]string, len(numbers))
	for i, n := range numbers {
		names[i] = name(n)
	}
	return strings.Join(names, ", ")
}
