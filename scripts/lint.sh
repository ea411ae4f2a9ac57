#!/usr/bin/env bash
# What the tests do not say about the sources. Every check runs, then it fails
# if one did.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=0
check() {
	echo "lint: $*"
	"$@" || failed=1
}

formatted() {
	local files
	files=$(gofmt -l -s .) || return
	[ -z "$files" ] || { printf 'not gofmt -s: %s\n' $files; return 1; }
}

check formatted
check go vet ./...
# Files for other systems, and numbers that are too big for 32 bits.
check env CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go vet ./...
check env CGO_ENABLED=0 GOOS=linux GOARCH=arm go vet ./...
# staticcheck.conf says which checks.
check go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
for script in scripts/*.sh .ci/run; do
	check bash -n "$script"
done
exit $failed
