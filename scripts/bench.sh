#!/usr/bin/env bash
# The numbers that people ask for, measured with ./hilrig on this machine and
# printed as a table. Not a test: nothing here fails because it is slow.
#
# usage: scripts/bench.sh [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-11}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HILRIG_STATE=$work/state NO_COLOR=1

# median of the numbers on standard input
median() { sort -g | awk '{v[NR] = $1} END {if (NR) print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# seconds of a whole process, wall clock
timed() {
	local began ended
	began=$(date +%s%N)
	"$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
	ended=$(date +%s%N)
	awk -v d=$((ended - began)) 'BEGIN {printf "%.3f\n", d / 1e9}'
}

row() { printf '%-58s %10s %10s\n' "$@"; }

rig() { # rig FILE DEVICES
	{
		echo "rig: bench"
		echo "devices:"
		for i in $(seq "$2"); do
			echo "  - {name: emu-$i, device_id: NewDevice$i, serial: {emulated: {}}}"
		done
	} >"$1"
}

timed ./hilrig run --label-filter smoke --out "$work/warm" >/dev/null # makes the rig's root
for _ in $(seq "$runs"); do timed ./hilrig run --label-filter smoke --out "$work/smoke"; done >"$work/smoke.s"
for _ in 1 2 3; do timed ./hilrig run --label-filter core --out "$work/core"; done >"$work/core.s"
rig "$work/four.yaml" 4
rig "$work/one.yaml" 1
for _ in 1 2 3; do
	one=$(timed ./hilrig run --rig "$work/one.yaml" --label-filter core --out "$work/one")
	four=$(timed ./hilrig run --rig "$work/four.yaml" --label-filter core --out "$work/four")
	awk -v a="$four" -v b="$one" 'BEGIN {printf "%.2f\n", a / b}'
done >"$work/ratio"

row "what" "measured" "asked"
row "----" "--------" "-----"
share=$(cat "$work"/smoke/2*/devices/emu-1/emulator.log | sed -n 's/.*msg="file taken".* share=//p' | median)
row "9270 transfer at 115200, share of the line rate" "$(awk -v s="$share" 'BEGIN {printf "%.1f %%", 100 * s}')" ">= 97 %"
row "hilrig run --label-filter smoke, whole process, median" "$(median <"$work/smoke.s") s" "<= 1.5 s"
memory=$(cat "$work"/core/2*/run.json "$work"/smoke/2*/run.json | sed -n 's/.*"peak_memory_bytes": \([0-9]*\).*/\1/p' | sort -g | tail -n 1)
row "peak memory of a device's child, highest" "$(awk -v b="$memory" 'BEGIN {printf "%.0f MB", b / 1e6}')" "<= 60 MB"
row "hilrig run --label-filter core, whole process, median" "$(median <"$work/core.s") s" "<= 20 s"
row "core, four devices in parallel against one" "$(median <"$work/ratio") x" "<= 1.3 x"

# The hub beside mosquitto: in turns, with the same client.
go test ./azure/localhub -run '^$' -bench AgainstMosquitto -benchtime 1x 2>/dev/null | awk '
	/^BenchmarkAgainstMosquitto/ {
		split($1, name, /[\/-]/)
		for (i = 2; i <= NF; i++) {if ($i == "ratio") r[name[2]] = $(i - 1); if ($i == "cpu-ratio") c[name[2]] = $(i - 1)}
	}
	function line(what, of, asked) {
		if (!(of in r)) {print "the hub beside mosquitto was not measured" > "/dev/stderr"; exit 1}
		printf "%-58s %10s %10s\n", what ", over mosquitto'"'"'s", sprintf("%.2f x", r[of]), asked
		printf "%-58s %10s %10s\n", "  for the same processor time", sprintf("%.2f x", c[of]), ""
	}
	END {
		line("mutual TLS 1.2 handshakes a second", "handshakes", ">= 1 x")
		line("connects a second, to CONNACK", "connects", ">= 1.15 x")
		line("QoS 1 messages a second", "messages", ">= 1 x")
	}'

go test ./reports/compare -run '^$' -bench TwoRuns 2>/dev/null | awk '
	/^BenchmarkTwoRuns/ {printf "%-58s %10s %10s\n", "hilrig compare, two runs of 100 devices x 90 specs", sprintf("%.2f s", $3 / 1e9), "<= 0.5 s"}'

# A tap beside the line without it, in turns.
go test ./azure/tap -run '^$' -bench BesideTheLine -benchtime 1x 2>/dev/null | awk '
	/^BenchmarkBesideTheLine/ {for (i = 3; i < NF; i += 2) m[$(i + 1)] = $i}
	END {
		if (!("handshakes/s" in m)) {print "the tap was not measured" > "/dev/stderr"; exit 1}
		printf "%-58s %10s %10s\n", "a tap: added to a round trip at p99", sprintf("%.2f ms", m["added-ms-p99"]), "<= 1 ms"
		printf "%-58s %10s %10s\n", "  handshakes a second, both ends on the same processors", sprintf("%.0f", m["handshakes/s"]), ">= 300"
		printf "%-58s %10s %10s\n", "  the same, over the line without it", sprintf("%.2f x", m["handshakes-ratio"]), ""
		printf "%-58s %10s %10s\n", "  throughput, over the line without it", sprintf("%.2f x", m["throughput-ratio"]), ">= 0.8 x"
	}'
