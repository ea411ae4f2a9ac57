#!/usr/bin/env bash
# Names every function that no verb reaches, on Linux and on Windows, and that
# scripts/deadcode.txt does not explain; and every explanation that is no longer
# needed. What only tests call is dead too.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
GOBIN=$tools go install golang.org/x/tools/cmd/deadcode@v0.51.0

# on lists what one system does not reach, as "folder function".
on() {
	GOOS=$1 CGO_ENABLED=0 "$tools/deadcode" ./... |
		sed -En 's#^([^:]*/)?[^/:]+\.go:[0-9]+:[0-9]+: unreachable func: (.*)$#\1 \2#p' | sed 's#/ # #; s#^ #. #' | sort -u
}

on linux >"$tools/linux"
on windows >"$tools/windows"
comm -12 "$tools/linux" "$tools/windows" >"$tools/dead"
awk '
	FNR == NR && (/^#/ || NF == 0) {next}
	FNR == NR {
		name = $0
		if (!sub(/: .+$/, "", name)) {print "scripts/deadcode.txt: no reason: " $0; bad = 1}
		explained[name] = 0
		next
	}
	$0 in explained {explained[$0]++; next}
	($1 " *") in explained {explained[$1 " *"]++; next}
	{print "no verb reaches " $0 ": use it, remove it, or say why in scripts/deadcode.txt"; bad = 1}
	END {
		for (name in explained) {
			if (!explained[name]) {print "scripts/deadcode.txt: " name " is reached or gone: remove the line"; bad = 1}
		}
		exit bad
	}' scripts/deadcode.txt "$tools/dead"
