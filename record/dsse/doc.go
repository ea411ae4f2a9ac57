// Package dsse signs and verifies bytes in DSSE envelopes (secure-systems-lab,
// v1). It knows no kind of payload but by its type.
package dsse
