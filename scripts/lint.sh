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

complexity() { # tests are tables, and longer
	go run github.com/fzipp/gocyclo/cmd/gocyclo@v0.6.0 -over 20 -ignore _test.go .
}

spelling() { # British, but for names that are others'
	find . \( -name '*.go' -o -name '*.md' -o -name '*.sh' -o -name '*.yaml' \) -not -path './reports/out/*' -print0 |
		xargs -0 go run github.com/golangci/misspell/cmd/misspell@v0.8.0 -error -locale UK -i "$names"
}

# Words in Go's, HTML's, programs' and the protocols' own names, and typing slips of tests.
names=color,artifact,artifacts,organization,unauthorized,unrecognized,recognized,signaled,mosquitto,verison,versoin,analyze

check formatted
check go vet ./...
# Files for other systems, and numbers that are too big for 32 bits.
check env CGO_ENABLED=0 GOOS=windows GOARCH=amd64 go vet ./...
check env CGO_ENABLED=0 GOOS=linux GOARCH=arm go vet ./...
# staticcheck.conf says which checks.
check go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
check go run github.com/kisielk/errcheck@v1.30.0 -ignoretests -exclude scripts/errcheck.txt ./...
check bash scripts/deadcode.sh
check complexity
check spelling
for script in scripts/*.sh .ci/run; do
	check bash -n "$script"
done
exit $failed
