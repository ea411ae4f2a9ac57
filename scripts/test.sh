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
# and ends each with its result line. What does not build is said on stderr.
# Much of it waits: for backoffs, for devices that never come. More run at once
# than there are processors.
go test $race -v -parallel 6 -timeout 30m "$@" | awk '
	/^(ok  |FAIL|\?   )\t/ {
		if ($1 == "FAIL") printf "%s", held
		if ($1 != "?") print
		for (i = 1; i <= n; i++) skipped[++all] = $2 " " name[i] ": " said[name[i]]
		held = ""; n = 0
		split("", said)
		fflush()
		next
	}
	{ held = held $0 "\n" }
	/^=== (RUN|CONT|NAME) / { current = $3 }
	/^ +[^ ]+\.go:[0-9]+: / { said[current] = $0; sub(/^ +[^ ]+: /, "", said[current]) }
	/^ *--- SKIP: / { name[++n] = $3 }
	END {
		printf "%s", held
		if (all) print all " skipped:"
		for (i = 1; i <= all; i++) print "  " skipped[i]
	}'
