#!/usr/bin/env bash
# The three journeys, as `make regression|gate|nightly` takes them. Ends with
# the exit code of the verb that decides: run, or gate.
#
# usage: RIG=rig.yaml [FIRMWARE=fw.bin] [POLICY=gate.yaml] [VERSION=2.4.1] [RUNFLAGS=...] [GATEFLAGS=...] [SELFTESTFLAGS=...] scripts/journey.sh NAME
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

# block is what a command said, for a page.
block() {
	printf '\n```\n'
	sed 's/```/` ` `/g' "$1"
	printf '```\n'
}

# night_page says on standard output what is known of this night.
night_page() {
	echo "# Night of $began, $RIG"
	case $proof in
	0) printf '\nThe suites catch what they must (selftest passed).\n' ;;
	*) printf '\n**The selftest ended with %s: what the suites say of the devices tonight is not to be trusted.**\n' "$proof" ;;
	esac
	block "$said/selftest"
	printf '\n## Devices: %s\n' "$(answer "$code")"
	block "$said/run"
	if [ -s "$said/compare" ]; then
		sed 's/^#/##/' "$said/compare"
	else
		printf '\nThere is no night to compare with.\n'
	fi
	printf '\n## Verdicts that changed with one firmware on one board\n'
	block "$said/flaky"
	printf '\n## Streams of old nights\n'
	block "$said/prune"
	[ ! -s "$out/history.html" ] || printf '\nAll nights and firmwares: [history.html](history.html), beside this page.\n'
}

answer() {
	case $1 in
	0) echo all passed ;;
	1) echo a device failed ;;
	3) echo rig or harness trouble ;;
	130) echo interrupted ;;
	*) echo "nothing was run (exit code $1)" ;;
	esac
}

# night runs the selftest and the devices and leaves a page, whatever comes of
# them. Its runs have a folder of their own, so that the one before is the last
# night's and nobody's of the day.
night() {
	local out began proof=0 code=0 said
	out=reports/nightly/$(basename "${RIG%.*}")
	began=$(date -u +%Y-%m-%d)
	mkdir -p "$out"
	said=$(mktemp -d)
	# shellcheck disable=SC2064 # the folder of now
	trap "rm -rf '$said'" EXIT
	# shellcheck disable=SC2086 # SELFTESTFLAGS holds words
	./hilrig selftest ${SELFTESTFLAGS:-} >"$said/all" 2>&1 || proof=$?
	tail -n 40 "$said/all" >"$said/selftest"
	[ $proof != 130 ] || exit 130
	# A harness that misses a fault, or cries wolf, still says what changed.
	local before
	before=$(readlink "$out/latest" || true)
	# shellcheck disable=SC2086 # RUNFLAGS holds words
	./hilrig run --rig "$RIG" --label-filter '' --timeout 10h ${RUNFLAGS:-} --out "$out" >"$said/all" 2>&1 || code=$?
	tail -n 60 "$said/all" >"$said/run"
	if [ -n "$before" ] && [ "$(readlink "$out/latest")" != "$before" ]; then
		./hilrig compare "$out/$before" "$out/latest" --markdown >"$said/compare" || true # 1 and 3 are answers
	fi
	./hilrig runs prune --out "$out" >"$said/prune" 2>&1 || true # it says why it cannot
	./hilrig history flaky >"$said/flaky" 2>&1 || true # it says why it cannot
	./hilrig history page --out "$out/history.html" >"$said/history" 2>&1 || cat "$said/history" >>"$said/flaky" # it says why it cannot
	night_page >"$out/.nightly.md"
	mv "$out/.nightly.md" "$out/nightly.md"
	cat "$out/nightly.md"
	echo "$out/nightly.md"
	[ $proof = 0 ] || [ $code = 130 ] || [ $code = 2 ] || code=3
	exit $code
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
	before=$(readlink reports/out/latest || true)
	run_devices $put "$FIRMWARE" "${version[@]}"
	if [ "$(readlink reports/out/latest || true)" = "$before" ]; then # latest is another's
		echo "gate: this run left no record in reports/out" >&2
		exit 3
	fi
	code=0
	# shellcheck disable=SC2086 # GATEFLAGS holds words
	./hilrig gate --policy "$policy" --firmware-file "$FIRMWARE" "${version[@]}" ${GATEFLAGS:-} latest || code=$?
	exit $code
	;;
nightly)
	night
	;;
*) usage "there is regression, gate and nightly" ;;
esac
