// Package recovery judges that a device comes back by itself: the field is not
// the lab.
package recovery
