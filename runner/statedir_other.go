//go:build !unix

package runner

// writable is never true where /var/lib does not exist.
func writable(string) bool { return false }
