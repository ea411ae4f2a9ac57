package cli

import (
	"hilrig/azure"
	"hilrig/certs"
	"hilrig/record"
)

// checkDeviceID refuses, before anything is made or touched, what the hub would
// not take as a device id.
func checkDeviceID(step, subject, id string) error {
	if err := azure.CheckDeviceID(id); err != nil {
		return record.NewFailure(record.Usage, step, subject, err).WithCure("IoT Hub takes " + azure.DeviceIDForm)
	}
	return nil
}

// checkOwner refuses a certificate whose common name, which is to be the
// device's id, cannot be one. A certificate without a common name is known by
// its thumbprint alone.
func checkOwner(files certs.Files, certificate string) error {
	if files.Identity.DeviceID == "" {
		return nil
	}
	return checkDeviceID("read common name of", certificate, files.Identity.DeviceID)
}
