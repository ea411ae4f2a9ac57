// Package delivery judges that telemetry arrives: where it should, whole, in
// order, none lost.
package delivery
