#!/usr/bin/env bash
# go test, with the race detector where a C compiler allows it: one line for a
# package that passes, everything for one that does not, and at the end every
# skipped test by name with its reason.
#
# usage: scripts/test.sh PACKAGE...
set -euo pipefail
cd "$(dirname "$0")/.."

race=-race
if [ "$(go env CGO_ENABLED)" != 1 ] || ! command -v "$(go env CC | cut -d' ' -f1)" >/dev/null; then
	if [ "${CI:-}" = true ]; then
		echo "test: the race detector needs a C compiler and cgo" >&2
		exit 1
	fi
	echo "test: no C compiler or no cgo, so without the race detector" >&2
	race=
fi

# -v is what names skipped tests; go test keeps the output of packages apart
# and ends each with its result line. A test's reason is the last thing it logs.
go test $race -v -timeout 15m "$@" 2>&1 | awk '
	/^(ok  |FAIL|\?   )\t/ {
		if ($1 == "FAIL") printf "%s", held
		if ($1 != "?") print
		held = said = ""
		fflush()
		next
	}
	{ held = held $0 "\n" }
	/^ +[^ ]+\.go:[0-9]+: / { said = $0; sub(/^ +[^ ]+: /, "", said) }
	/^ *--- SKIP: / { skipped[++n] = $3 ": " said; said = "" }
	/^ *--- (PASS|FAIL): |^=== RUN / { said = "" }
	END {
		printf "%s", held
		if (n) print n " skipped:"
		for (i = 1; i <= n; i++) print "  " skipped[i]
	}'
