#!/usr/bin/env bash
# The three journeys, as `make regression|gate|nightly` takes them. Ends with
# the exit code of the verb that decides: run, or gate.
#
# usage: RIG=rig.yaml [FIRMWARE=fw.bin] [POLICY=gate.yaml] [VERSION=2.4.1] [RUNFLAGS=...] [GATEFLAGS=...] [SELFTESTFLAGS=...] scripts/journey.sh NAME
set -Eeuo pipefail
trap 'exit 3' ERR # what goes wrong here (a full disk, for one) is nothing that a device did
cd "$(dirname "$0")/.."

usage() {
	echo "$1" >&2
	exit 2
}

# verb demands that this binary has a verb before hours are spent on a run.
verb() {
	./hilrig --help | grep -q "^  $1 " || usage "this hilrig has no verb $1"
}

# killed says that an exit code is of a program that was killed, by the system
# where memory ran out: no answer, and no code that a CI server knows.
killed() { [ "$1" -gt 128 ] && [ "$1" != 130 ]; }

# run_devices runs the rig; 1 and 3 are answers that a journey goes on from,
# everything else ends it. The run's folder is in mine: "latest" may be that of
# another run in this checkout.
run_devices() {
	code=0
	told=$(mktemp)
	# shellcheck disable=SC2064 # the file of now
	trap "rm -f '$told'" EXIT
	# shellcheck disable=SC2086 # RUNFLAGS holds words
	./hilrig run --rig "$RIG" "$@" ${RUNFLAGS:-} --tell-folder "$told" || code=$?
	mine=$(cat "$told")
	if killed $code; then
		echo "hilrig run was killed (signal $((code - 128)))" >&2
		code=3
	fi
	case $code in
	0 | 1 | 3) ;;
	*) exit $code ;;
	esac
}

# show opens the report for somebody at a screen; its path is printed anyway.
show() {
	local report=$mine/report.html
	if [ "${CI:-}" != true ] && [ -t 1 ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] &&
		[ -f "$report" ] && command -v xdg-open >/dev/null; then
		xdg-open "$report" >/dev/null 2>&1 || true
	fi
}

# block is what a command said, for a page.
block() {
	printf '\n```\n'
	sed 's/```/` ` `/g' "$1"
	printf '```\n'
}

# night_page says on standard output what is known of this night, what a reader
# asks first on top.
night_page() {
	echo "# Night of $began, $RIG"
	printf '\nDevices: %s.\n' "$(answer "$code")"
	case $proof in
	0) printf '\nThe suites catch what they must (selftest passed).\n' ;;
	none) printf '\nThe selftest was not begun.\n' ;;
	*) printf '\n**The selftest ended with %s: what the suites say of the devices tonight is not to be trusted.**\n' "$proof" ;;
	esac
	if [ -s "$said/compare" ]; then
		printf '\n## Since the last night: %s\n' "$(sed -n '1s/^# //p' "$said/compare")"
		sed -e 1d -e 's/^#/##/' "$said/compare"
	else
		printf '\nThere is no night to compare with.\n'
	fi
	printf '\n## Devices\n'
	block "$said/run"
	printf '\n## Verdicts that changed with one firmware on one board\n'
	block "$said/flaky"
	if [ -s "$said/selftest" ]; then
		printf '\n## Selftest\n'
		block "$said/selftest"
	fi
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
	*) if killed "$1"; then
		echo "the run was killed (signal $(($1 - 128)))"
	else
		echo "nothing was run (exit code $1)"
	fi ;;
	esac
}

# begin_night marks the page of the night before for as long as this one lasts:
# whoever reads it then, or after a night that was killed, does not take it for
# this one's.
begin_night() {
	{
		printf '**A night began %s UTC and has not come to its end: it goes on, or it was killed. Below is the one before.**\n\n' "$(date -u '+%Y-%m-%d %H:%M')"
		[ ! -f "$out/nightly.md" ] || sed '/^\*\*A night began /,+1d' "$out/nightly.md"
	} >"$out/.nightly.md"
	mv "$out/.nightly.md" "$out/nightly.md"
}

# alone lets one night at a time run on a rig, where the system has flock: the
# second's page would tell of the first's runs. What runs in it does not hold it.
alone() {
	command -v flock >/dev/null || return 0
	exec 9>"$out/.lock"
	if ! flock -n 9; then
		echo "nightly: another night of $RIG is going on" >&2
		exit 3
	fi
}

# prove runs the selftest, but for a rig that cannot be run: a slip in its file
# is told at once.
prove() {
	# shellcheck disable=SC2086 # the flags hold words
	./hilrig run --rig "$RIG" --label-filter '' ${RUNFLAGS:-} --dry-run >"$said/run" 2>&1 9>&- || code=$?
	if [ $code = 2 ]; then
		return
	fi
	code=0 proof=0
	# shellcheck disable=SC2086 # SELFTESTFLAGS holds words
	./hilrig selftest ${SELFTESTFLAGS:-} >"$said/all" 2>&1 9>&- || proof=$?
	# What was caught, as it must be, is a line each; the page needs the others.
	sed -E '/^ *[0-9]+\/[0-9]+ +pass /d' "$said/all" | tail -n 40 >"$said/selftest"
	if [ $proof = 130 ]; then
		code=130
		echo "The selftest was interrupted before a device was run." >"$said/run"
	fi
}

# night runs the selftest and the devices and leaves a page, whatever comes of
# them. Its runs have a folder of their own, so that the one before is the last
# night's and nobody's of the day.
night() {
	local out began proof=none code=0 said before mine=
	out=reports/nightly/$(basename "${RIG%.*}")
	began=$(date -u +%Y-%m-%d)
	mkdir -p "$out"
	alone
	said=$(mktemp -d)
	# shellcheck disable=SC2064 # the folder of now
	trap "rm -rf '$said'" EXIT
	begin_night
	prove
	# A harness that misses a fault, or cries wolf, still says what changed.
	before=$(readlink "$out/latest" || true)
	if [ $code = 0 ]; then
		# shellcheck disable=SC2086 # RUNFLAGS holds words
		./hilrig run --rig "$RIG" --label-filter '' --timeout 10h ${RUNFLAGS:-} --out "$out" --tell-folder "$said/folder" >"$said/all" 2>&1 9>&- || code=$?
		mine=$(cat "$said/folder" 2>/dev/null || true) # it says why there is none
		tail -n 60 "$said/all" >"$said/run"
	fi
	if [ -n "$before" ] && [ -n "$mine" ]; then
		./hilrig compare "$out/$before" "$mine" --markdown >"$said/compare" || true # 1 and 3 are answers
	fi
	./hilrig runs prune --out "$out" >"$said/prune" 2>&1 || true # it says why it cannot
	./hilrig history flaky >"$said/flaky" 2>&1 || true # it says why it cannot
	./hilrig history page --out "$out/history.html" >"$said/history" 2>&1 || cat "$said/history" >>"$said/flaky" # it says why it cannot
	night_page >"$out/.nightly.md"
	mv "$out/.nightly.md" "$out/nightly.md"
	cat "$out/nightly.md"
	echo "$out/nightly.md"
	case $code in
	2 | 130) ;;
	*) if killed $code || [ "$proof" != 0 ]; then code=3; fi ;;
	esac
	exit $code
}

[ -n "${RIG:-}" ] || usage "which rig? make ${1:-regression} RIG=rig.yaml"
[ -x ./hilrig ] || usage "there is no ./hilrig here: make build"
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
	if [ -z "$mine" ]; then
		echo "gate: this run left no record in reports/out" >&2
		exit 3
	fi
	code=0
	# shellcheck disable=SC2086 # GATEFLAGS holds words
	./hilrig gate --policy "$policy" --firmware-file "$FIRMWARE" "${version[@]}" ${GATEFLAGS:-} "$mine" || code=$?
	if killed $code; then
		echo "hilrig gate was killed (signal $((code - 128)))" >&2
		code=3
	fi
	exit $code
	;;
nightly)
	night
	;;
*) usage "there is regression, gate and nightly" ;;
esac
