//go:build !unix

package port

// MayOpen is nil: it cannot be said without opening.
func MayOpen(string) error { return nil }

// PermissionCure is what lets this user open a port that may not be opened.
func PermissionCure(string) string {
	return "close the program that has it open; Windows gives a port to one at a time"
}
