package port

import (
	"errors"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"go.bug.st/serial"

	"hilrig/record"
)

// What can be wrong with a line, beside [ErrBusy]; errors.Is finds them.
var (
	ErrMissing    = errors.New("no such port")
	ErrPermission = errors.New("permission denied")
	ErrNotSerial  = errors.New("not a serial port")
	ErrClosed     = errors.New("port closed")
	ErrUnplugged  = errors.New("port is gone: unplugged, or the adapter has lost its power")
	ErrStuck      = errors.New("the other side takes no bytes")
)

// cures are what a person can do, by cause.
var cures = []struct {
	cause error
	cure  string
}{
	{ErrBusy, "wait for it, or end it"},
	{ErrMissing, "is the adapter plugged in? ls -l /dev/serial/by-id shows those that are"},
	{ErrNotSerial, "name a serial port, as /dev/ttyUSB0"},
	{ErrUnplugged, "check cable, adapter and the hub it is on; dmesg says more"},
	{ErrStuck, "is the device's side of the line open, and flow control off?"},
}

// networkCures are those of a line on the network.
var networkCures = []struct {
	cause error
	cure  string
}{
	{ErrBusy, "a server of ports takes one client at a time: wait for it, or end it"},
	{ErrNotSerial, "name it as rfc2217://host:4000 or tcp://host:4001"},
	{ErrUnreachable, "is its server (ser2net, socat, a terminal server) running, and this its port? a firewall between?"},
	{ErrNoControl, "switch RFC 2217 on there (ser2net: accepter: telnet(rfc2217),tcp,4000), or name the line tcp://, with the rate set at the server"},
	{ErrUnplugged, "is the server of the port still running, and the adapter plugged in there?"},
	{ErrStuck, "the server of the port takes no bytes: is its line open, and flow control off?"},
}

// failure puts an error of the system or the library into our words.
func failure(step, path string, err error) *record.Failure {
	f := record.NewFailure(record.RigPort, step, path, plain(err))
	all := cures
	if strings.Contains(path, "://") {
		all = networkCures
	}
	if errors.Is(f.Cause, ErrPermission) && !strings.Contains(path, "://") {
		return f.WithCure(PermissionCure(path))
	}
	if errors.As(err, new(*SharedError)) {
		return f.WithCure("end that program")
	}
	for _, c := range all {
		if errors.Is(f.Cause, c.cause) {
			return f.WithCure(c.cure)
		}
	}
	return f
}

// plain is an error with the sentinel that stands for it. What the sentinel
// says already is not said twice.
func plain(err error) error {
	var own *serial.PortError // has no Unwrap: only its code can be asked
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ErrMissing
	case errors.Is(err, fs.ErrPermission):
		return ErrPermission
	case errors.Is(err, syscall.EBUSY):
		return &BusyError{}
	case errors.Is(err, syscall.ENOTTY):
		return ErrNotSerial
	case errors.As(err, &own):
		if cause, ok := libraryCodes[own.Code()]; ok {
			return because(cause, err)
		}
	}
	return reason(err)
}

// libraryCodes are the codes of go.bug.st/serial that have a name here.
var libraryCodes = map[serial.PortErrorCode]error{
	serial.PortBusy:          &BusyError{},
	serial.PortNotFound:      ErrMissing,
	serial.PermissionDenied:  ErrPermission,
	serial.InvalidSerialPort: ErrNotSerial,
	serial.PortClosed:        ErrUnplugged, // what was closed by us is told before
}

// gone marks the errors by which the system says that the line is no more: a
// read that ends, or an I/O error, after a hang-up.
func gone(err error) error {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, syscall.EIO, syscall.ENXIO, syscall.ENODEV} {
		if errors.Is(err, e) {
			return because(ErrUnplugged, reason(err))
		}
	}
	return err
}

// because is a sentinel with what the system said, one line.
func because(cause, detail error) error { return &explained{cause, detail} }

type explained struct{ cause, detail error }

func (e *explained) Error() string   { return e.cause.Error() + " (" + e.detail.Error() + ")" }
func (e *explained) Unwrap() []error { return []error{e.cause, e.detail} }
