package arm

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/iothub/armiothub"

	"hilrig/record"
)

// Certificate is one that a hub trusts to sign devices' certificates, once it is
// verified.
type Certificate struct {
	Name       string    `json:"name"`
	Subject    string    `json:"subject"`
	Thumbprint string    `json:"thumbprint"` // SHA-1
	Verified   bool      `json:"verified"`
	Expires    time.Time `json:"expires"`
	etag       string
}

func certificateOf(d armiothub.CertificateDescription) Certificate {
	p := of(d.Properties)
	return Certificate{of(d.Name), of(p.Subject), strings.ToUpper(of(p.Thumbprint)), of(p.IsVerified), of(p.Expiry), of(d.Etag)}
}

// Certificates reads all of a hub.
func (c *Client) Certificates(ctx context.Context) ([]Certificate, error) {
	got, err := c.certificates.ListByIotHub(ctx, c.id.Group, c.id.Name, nil)
	if err != nil {
		return nil, c.failed(ctx, "list", "certificates", err)
	}
	all := []Certificate{}
	for _, d := range got.Value {
		all = append(all, certificateOf(*d))
	}
	return all, nil
}

func (c *Client) certificate(ctx context.Context, name string) (Certificate, error) {
	got, err := c.certificates.Get(ctx, c.id.Group, c.id.Name, name, nil)
	if err != nil {
		return Certificate{}, c.failed(ctx, "read", "certificate "+name, err)
	}
	return certificateOf(got.CertificateDescription), nil
}

// SignsDevices says why uploading a certificate gives its key's holder more than
// one device; empty: it does not.
func SignsDevices(certificate *x509.Certificate) string {
	if !certificate.IsCA {
		return ""
	}
	return "the certificate is CA:TRUE: whoever has its key makes certificates for every device that the hub registers as X.509 CA signed. Devices by thumbprint need no certificate at the hub"
}

// AddCertificate uploads a certificate and marks it verified. One of that name
// is never replaced by another: the same one is verified where it was not.
func (c *Client) AddCertificate(ctx context.Context, name string, certificate *x509.Certificate) (Certificate, error) {
	subject := "certificate " + name
	o := &armiothub.CertificatesClientCreateOrUpdateOptions{}
	switch there, err := c.certificate(ctx, name); {
	case errors.Is(err, ErrNotFound): // the hub's being there is told by the upload
	case err != nil:
		return Certificate{}, err
	case there.Thumbprint != record.ThumbprintsOf(certificate.Raw).SHA1:
		return Certificate{}, record.NewFailure(record.RigCloud, "add", subject+" of "+c.id.Name, fmt.Errorf("%w, with thumbprint %s", ErrConflict, there.Thumbprint)).
			WithCure("take another name, or remove that one first")
	case there.Verified:
		return there, nil
	default:
		o.IfMatch = to.Ptr(there.etag)
	}
	got, err := c.certificates.CreateOrUpdate(ctx, c.id.Group, c.id.Name, name, armiothub.CertificateDescription{
		Properties: &armiothub.CertificateProperties{Certificate: to.Ptr(base64.StdEncoding.EncodeToString(certificate.Raw)), IsVerified: to.Ptr(true)},
	}, o)
	if err != nil {
		return Certificate{}, c.failed(ctx, "add", subject, err)
	}
	return certificateOf(got.CertificateDescription), nil
}

// RemoveCertificate removes the version of a certificate that is there.
func (c *Client) RemoveCertificate(ctx context.Context, name string) error {
	there, err := c.certificate(ctx, name)
	if err != nil {
		return err
	}
	_, err = c.certificates.Delete(ctx, c.id.Group, c.id.Name, name, there.etag, nil)
	return c.failed(ctx, "remove", "certificate "+name, err)
}
