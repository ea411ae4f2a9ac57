// Package signing is the flags that say how something is to be signed, by a key
// or by a program, and the signer that comes of them.
//
// It promises that nothing that a key or a program was given is in an error or
// in a record, and that a program which signs has an end: in time, and in what it
// may print.
//
// It does not know what is signed.
package signing
