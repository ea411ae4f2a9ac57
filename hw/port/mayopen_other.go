//go:build !unix

package port

// PermissionCure is what lets this user open a port that may not be opened.
func PermissionCure(string) string {
	return "close the program that has it open; Windows gives a port to one at a time"
}
