package named

import (
	"hilrig/azure"
	"hilrig/record"
)

// DeviceID refuses, before anything is made or touched, what the hub would not
// take as a device id.
func DeviceID(step, subject, id string) error {
	if err := azure.CheckDeviceID(id); err != nil {
		return record.NewFailure(record.Usage, step, subject, err).WithCure("IoT Hub takes " + azure.DeviceIDForm)
	}
	return nil
}
