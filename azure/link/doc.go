// Package link makes the link to a hub a bad one: far away, narrow, now and
// then standing still, or gone.
//
// It shapes one accepted connection, in front of TLS, with toxics of
// github.com/Shopify/toxiproxy: of that project the pipeline alone, without
// its proxy, its HTTP server and its metrics. So the device dials the address
// it always dials and is known by it, and a connection that is not shaped goes
// through nothing of this.
//
// It promises order, and that nothing is lost but what the end that a shape
// names takes along: what a side has sent before it closes arrives, at the
// link's pace. TCP's own handshake is the kernel's and is not delayed.
package link
