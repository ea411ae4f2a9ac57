// Package uart is the serial port of a small controller on top of anything
// that carries bytes at once, such as a pseudo-terminal: bytes take their time
// on the line in both directions (ten bits each at 8N1), and buffers are as
// small as the controller's.
//
// It promises a rate that a loaded host does not lower. Every byte has its
// moment on an absolute schedule: a byte that was waiting follows the one
// before it without a gap, however late this process was to fetch it, and only
// an idle line starts the schedule anew. What the firmware does has its place
// on the same clock: it takes a byte when that has arrived, is busy for as long
// as it says, and its receive buffer overruns by that arithmetic, never
// because this process was not scheduled.
//
// It does not know what the bytes mean.
package uart
