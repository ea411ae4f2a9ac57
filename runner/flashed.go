package runner

import (
	"fmt"

	"hilrig/fixtures"
	"hilrig/fixtures/rigfile"
	"hilrig/record"
)

// remember keeps what a board was flashed with, for its next round or hub: it
// keeps it too. An emulated one is another each time; one that was not flashed
// well is flashed again.
func (r *run) remember(led *recorder, d rigfile.Device, at Entry) {
	led.mu.Lock()
	dev := led.rec.Device(at.Name)
	running, well := dev.Running, dev.Cause == ""
	led.mu.Unlock()
	if r.plan.Flash == "" || d.Serial.Emulated != nil || !well || running.SHA256 != r.plan.Firmware.SHA256 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.flashed[d.Name] = running
}

// flashedWith is what this run has put onto a board; empty where it has not yet.
func (r *run) flashedWith(d rigfile.Device) record.Running {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.flashed[d.Name]
}

// keptOld says of each board that was flashed, and says the version that it said
// before, that it kept its old image, where others have shown by now that the
// image has another version: which board is through first tells nothing.
func (r *run) keptOld(led *recorder) {
	led.mu.Lock()
	defer led.mu.Unlock()
	for i := range led.rec.Devices {
		d := &led.rec.Devices[i]
		if d.Running.Known != record.Flashed || d.Cause != "" {
			continue
		}
		want := fixtures.VersionOf(r.StateDir, d.Running.SHA256)
		if want == "" || want == d.Running.Version {
			continue
		}
		err := record.NewFailure(record.RigFirmware, "find firmware", want,
			fmt.Errorf("%s was flashed and says that it runs %s, as before, and others with the same image say %s: it kept its old image", d.Name, d.Running.Version, want)).
			WithCure("devices/" + d.Name + "/flash.log has what the tool said")
		led.keep(led.events.write(led.state(led.own(d.Name, KindDeviceEnded, err.Error(), deviceEnd{err.Error(), record.RigFirmware}))))
	}
}
