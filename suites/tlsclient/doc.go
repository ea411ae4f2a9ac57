// Package tlsclient judges the device as the TLS client that the hub sees.
package tlsclient
