package terminal

import "time"

// Within runs f and does not wait for it longer than d. It reports whether f
// has ended.
func Within(d time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
		return true
	case <-time.After(d):
		return false
	}
}
