// Package session judges MQTT as IoT Hub needs it.
package session
