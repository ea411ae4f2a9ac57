// Command hilrig drives devices, real or emulated, from a fresh identity to
// delivered telemetry, and says with evidence whether their firmware may ship.
package main

import (
	"os"

	"hilrig/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
