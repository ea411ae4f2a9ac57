package tlswire

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
)

// certificateList are the certificates of a Certificate message of TLS 1.2 (RFC
// 5246 section 7.4.2), as far as they are whole.
func certificateList(body []byte) (list [][]byte) {
	c := &cursor{b: body}
	c.number(3)
	for len(c.b) > 0 {
		der := c.run(3)
		if len(der) == 0 {
			break
		}
		list = append(list, slices.Clone(der))
	}
	return list
}

// curves that certificates name (RFC 5480, SEC 2, RFC 5639).
var curves = map[string]string{
	"1.3.132.0.10": "secp256k1", "1.3.132.0.31": "secp192k1", "1.3.132.0.32": "secp224k1", "1.3.132.0.33": "P-224",
	"1.2.840.10045.3.1.1": "P-192", "1.2.840.10045.3.1.7": "P-256", "1.3.132.0.34": "P-384", "1.3.132.0.35": "P-521",
	"1.3.36.3.3.2.8.1.1.3": "brainpoolP192r1", "1.3.36.3.3.2.8.1.1.5": "brainpoolP224r1",
	"1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.8": "brainpoolP256t1",
	"1.3.36.3.3.2.8.1.1.9": "brainpoolP320r1", "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1", "1.3.36.3.3.2.8.1.1.12": "brainpoolP384t1",
	"1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1", "1.3.36.3.3.2.8.1.1.14": "brainpoolP512t1",
}

// keys that are of an algorithm without parameters to tell apart.
var keys = map[string]string{
	"1.2.840.113549.1.1.1": "RSA", "1.2.840.113549.1.1.10": "RSA-PSS", "1.2.840.10040.4.1": "DSA",
	"1.3.101.112": "Ed25519", "1.3.101.113": "Ed448",
}

// KeyName names the public key of a certificate by its curve or its algorithm,
// also where crypto/x509 does not read it; empty where even that cannot be seen.
func KeyName(der []byte) string {
	var c struct {
		TBS struct {
			Version                                      int `asn1:"optional,explicit,default:0,tag:0"`
			Serial, Signature, Issuer, Validity, Subject asn1.RawValue
			Key                                          struct {
				Algorithm pkix.AlgorithmIdentifier
				Key       asn1.BitString
			}
		}
	}
	if _, err := asn1.Unmarshal(der, &c); err != nil {
		return ""
	}
	a := c.TBS.Key.Algorithm
	if name := keys[a.Algorithm.String()]; name != "" {
		return name
	}
	const elliptic = "1.2.840.10045.2.1"
	if a.Algorithm.String() != elliptic {
		return "algorithm " + a.Algorithm.String()
	}
	var curve asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(a.Parameters.FullBytes, &curve); err != nil {
		return "a curve with explicit parameters"
	}
	if name := curves[curve.String()]; name != "" {
		return name
	}
	return "curve " + curve.String()
}
