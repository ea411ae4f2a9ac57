package record

import (
	"os"
	"runtime"
	"slices"
	"strings"
)

// Environ is this process's environment for a program that it starts: without
// the variables whose names are given, because they hold secrets.
func Environ(secret []string) []string { return Without(os.Environ(), secret) }

// Without is an environment without the variables whose names are given.
func Without(env, secret []string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.ContainsFunc(secret, func(s string) bool {
			return s == name || runtime.GOOS == "windows" && strings.EqualFold(s, name)
		})
	})
}

// ToolEnviron is what of this process's environment a tool of the host needs,
// such as openssl: where things are and how to write. Whatever else is there
// may be a secret.
func ToolEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(strings.ToUpper(v), "=")
		return !slices.Contains(toolVariables, name) &&
			!slices.ContainsFunc(toolPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	})
}

var (
	toolVariables = []string{"PATH", "HOME", "USER", "TMPDIR", "TEMP", "TMP", "TZ", "LANG", "SYSTEMROOT", "WINDIR", "PATHEXT"}
	toolPrefixes  = []string{"LC_", "LD_", "OPENSSL_"}
)
