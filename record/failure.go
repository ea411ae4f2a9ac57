package record

import (
	"errors"
	"net"
	"strings"
)

// Failure is an error that says whose fault it is, at which step, on what.
// Libraries below fixtures return it (wrapped or bare); nobody matches texts.
type Failure struct {
	Class   Class
	Step    string // what was being done: "open port", "wait for COMMAND PROCESSED OK"
	Subject string // on what: "/dev/ttyUSB0", "slot 20"
	Cure    string // what a person can do about it; may be empty
	Cause   error  // may be nil where Step says it all
}

// NewFailure makes a Failure.
func NewFailure(class Class, step, subject string, cause error) *Failure {
	return &Failure{Class: class, Step: step, Subject: subject, Cause: cause}
}

// WithCure says what to do about it and returns f.
func (f *Failure) WithCure(cure string) *Failure {
	f.Cure = cure
	return f
}

// Error is one line: step, subject, cause, cure.
func (f *Failure) Error() string {
	var b strings.Builder
	b.WriteString(f.Step)
	if f.Subject != "" {
		b.WriteString(" ")
		b.WriteString(f.Subject)
	}
	if f.Cause != nil {
		b.WriteString(": ")
		b.WriteString(f.Cause.Error())
	}
	if f.Cure != "" {
		b.WriteString(" (")
		b.WriteString(f.Cure)
		b.WriteString(")")
	}
	return b.String()
}

// Unwrap gives errors.Is and errors.As the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// ClassOf says whose fault err is: the class of the outermost [Failure] in its
// chain, or Harness where there is none, because an error that nobody
// classified is a bug of ours. ClassOf(nil) is empty.
func ClassOf(err error) Class {
	if err == nil {
		return ""
	}
	var f *Failure
	if errors.As(err, &f) {
		return f.Class
	}
	return Harness
}

// WithoutAddress is what the system says of a connection, for a message that has
// named its address already; what the other end says is said whole.
func WithoutAddress(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op != "remote error" {
		return op.Err
	}
	return err
}
