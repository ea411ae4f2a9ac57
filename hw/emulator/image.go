package emulator

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"hilrig/record"
)

// image is what an emulated device takes as a firmware image: a JSON text that
// says what it runs from its next boot on.
type image struct {
	Version string   `json:"version"`
	Faults  []string `json:"faults,omitempty"`
	Refused bool     `json:"refused,omitempty"` // its loader refuses it, and the old one stays
}

// imageOf is where a device whose state is in a file keeps its image.
func imageOf(state string) string { return state + ".image" }

// Flash puts an image into the device whose state is in a file, as a flash tool
// does. The device boots it when it is switched on again. What is no image, and
// one with a fault that nobody knows, is a usage error.
func Flash(file, state string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return record.NewFailure(record.Usage, "flash", "", err)
	}
	var i image
	if err = json.Unmarshal(data, &i); err == nil && i.Version == "" {
		err = errors.New("it has no version")
	}
	if err != nil {
		return record.NewFailure(record.Usage, "flash", file, err).WithCure(`an image of an emulated device is {"version": "2.4.1", "faults": []}`)
	}
	for _, f := range i.Faults {
		if _, err := FindFault(f); err != nil {
			return err
		}
	}
	if i.Refused {
		return nil // as a tool that does not look
	}
	if err := replaceFile(imageOf(state), data); err != nil {
		return record.NewFailure(record.RigHost, "flash", state, err)
	}
	return nil
}

// flashed is c as the image in the device has it.
func (c Config) flashed() (Config, error) {
	if c.State == "" {
		return c, nil
	}
	data, err := os.ReadFile(imageOf(c.State))
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	var i image
	if err == nil {
		err = json.Unmarshal(data, &i)
	}
	if err != nil {
		return c, record.NewFailure(record.Usage, "read image", imageOf(c.State), err)
	}
	c.Firmware, c.Faults = []string{i.Version}, append(c.Faults[:len(c.Faults):len(c.Faults)], i.Faults...)
	return c, nil
}
