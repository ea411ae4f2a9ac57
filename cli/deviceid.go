package cli

import (
	"hilrig/certs"
	"hilrig/cli/named"
)

// checkOwner refuses a certificate whose common name, which is to be the
// device's id, cannot be one. A certificate without a common name is known by
// its thumbprint alone.
func checkOwner(files certs.Files, certificate string) error {
	if files.Identity.DeviceID == "" {
		return nil
	}
	return named.DeviceID("read common name of", certificate, files.Identity.DeviceID)
}
