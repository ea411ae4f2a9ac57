#!/usr/bin/env bash
# The three journeys, as `make regression|gate|nightly` takes them. Ends with
# the exit code of the verb that decides: run, or gate.
#
# usage: RIG=rig.yaml [FIRMWARE=fw.bin] [POLICY=gate.yaml] [VERSION=2.4.1] [RUNFLAGS=...] [GATEFLAGS=...] scripts/journey.sh NAME
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
	echo "$1" >&2
	exit 2
}

# verb demands that this binary has a verb before hours are spent on a run.
verb() {
	./hilrig --help | grep -q "^  $1 " || usage "this hilrig has no verb $1"
}

# run_devices runs the rig; 1 and 3 are answers that a journey goes on from,
# everything else ends it.
run_devices() {
	code=0
	# shellcheck disable=SC2086 # RUNFLAGS holds words
	./hilrig run --rig "$RIG" "$@" ${RUNFLAGS:-} || code=$?
	case $code in
	0 | 1 | 3) ;;
	*) exit $code ;;
	esac
}

# show opens the report for somebody at a screen; its path is printed anyway.
show() {
	local report=reports/out/latest/report.html
	if [ "${CI:-}" != true ] && [ -t 1 ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] &&
		[ -f $report ] && command -v xdg-open >/dev/null; then
		xdg-open $report >/dev/null 2>&1 || true
	fi
}

[ -n "${RIG:-}" ] || usage "which rig? make ${1:-regression} RIG=rig.yaml"
case ${1:-} in
regression)
	run_devices
	show
	exit $code
	;;
gate)
	[ -n "${FIRMWARE:-}" ] || usage "which firmware? make gate RIG=$RIG FIRMWARE=fw.bin"
	verb gate
	policy=${POLICY:-gate.yaml}
	./hilrig gate explain --policy "$policy" >/dev/null || exit $? # before hours are spent on a run
	version=(${VERSION:+--firmware "$VERSION"})
	put=--firmware-file # a board whose type cannot be flashed must say what it runs
	# shellcheck disable=SC2086 # RUNFLAGS holds words
	if ./hilrig run --rig "$RIG" --flash "$FIRMWARE" --dry-run ${RUNFLAGS:-} >/dev/null 2>&1; then
		put=--flash
	fi
	run_devices $put "$FIRMWARE" "${version[@]}"
	code=0
	# shellcheck disable=SC2086 # GATEFLAGS holds words
	./hilrig gate --policy "$policy" --firmware-file "$FIRMWARE" "${version[@]}" ${GATEFLAGS:-} latest || code=$?
	exit $code
	;;
nightly)
	# A harness that misses a fault, or cries wolf, has nothing to say tonight.
	./hilrig selftest || exit $?
	before=$(readlink reports/out/latest || true)
	run_devices --label-filter '' --timeout 10h
	if [ -n "$before" ] && ./hilrig --help | grep -q '^  compare '; then
		./hilrig compare "$before" latest || echo "nightly: no comparison with $before" >&2
	fi
	exit $code
	;;
*) usage "there is regression, gate and nightly" ;;
esac
