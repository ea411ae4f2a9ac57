// Package console talks to a device's terminal: it keeps the transcript, finds
// answers, brings the console back from whatever state it was left in, and
// does the 9270 transfer of the manufacturer's guide (section 4).
//
// It promises that every byte of both directions is in the transcript, time
// stamped, before anything looks at it; that a private key reaches no file, no
// event and no error; that nothing received is ever thrown away, so that a
// matcher may look back; and that every wait is bounded. Its errors say
// whether the device or the line is to blame.
//
// It does not know what the line is made of, nor what the files mean.
package console
