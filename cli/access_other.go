//go:build !unix

package cli

// mayOpen cannot be said without opening.
func mayOpen(string) error { return nil }
