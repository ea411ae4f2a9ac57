// Package console talks to a device's terminal: it keeps the transcript, finds
// answers, brings the console back from whatever state it was left in, and
// does the 9270 transfer of the manufacturer's guide (section 4).
//
// It promises that every byte of both directions is in the transcript, time
// stamped, before anything looks at it; that a private key reaches no file, no
// event and no error text; that nothing received is ever drained, so that a
// matcher may look back; that every wait takes a context and is bounded; and
// that an error says whether the device (class device), the line (rig:port) or
// what was asked for (usage) is to blame.
//
// It does not know what the line is made of, what the files mean, or when a
// line that went away comes back.
package console
