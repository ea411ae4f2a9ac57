// Package brokers runs MQTT brokers of other people for tests: each with TLS, a
// root of its own, a certificate for localhost and a free port of 127.0.0.1.
//
// It promises that a broker which it started ends with its test.
package brokers
