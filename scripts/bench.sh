#!/usr/bin/env bash
# The numbers that people ask for, measured with ./hilrig on this machine and
# printed as a table. Not a test: nothing here fails because it is slow.
#
# usage: scripts/bench.sh [RUNS] [shelf]   shelf: only what a shelf of boards costs
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-11} only=${2:-}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
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

rig() { # rig FILE DEVICES [PORT]: on one front door at PORT, each from its address; else on ports of their own
	{
		echo "rig: bench"
		echo "hub: {listen: 127.0.0.1}"
		echo "devices:"
		for i in $(seq "$2"); do
			echo "  - {name: emu-$i, device_id: NewDevice$i, ${3:+from: 127.0.1.$i, hub_port: $3, }serial: {emulated: {}}}"
		done
	} >"$1"
}

core() { timed ./hilrig run --rig "$work/$1.yaml" --label-filter core --out "$work/$1"; } # core RIG

# What flashing costs beside the flash tool, which is one that takes no time: of
# each board the seconds until it has said its version. The boards run by
# themselves before it, so that what is measured is ours and their answers alone.
flashed() { # flashed BOARDS
	local out=$work/flash-$1 port=$((30000 + RANDOM % 2000)) boards=()
	mkdir "$out"
	{
		echo "rig: flash"
		echo "hub: {listen: 127.0.0.1}"
		echo "types:"
		echo "  stand-in:"
		echo "    flash: {command: ['true']}"
		echo "    console: {recover: {quiet: 50ms}}"
		echo "    commands: {firmware_version: {send: VERSION, match: 'emulator (\S+)'}, board_serial: {send: SERIAL, match: 'serial (\S+)'}}"
		echo "devices:"
		for i in $(seq "$1"); do echo "  - {name: b-$i, device_id: Board$i, type: stand-in, hub_port: $((port + i)), serial: {path: $out/tty-$i}}"; done
	} >"$out/rig.yaml"
	for i in $(seq "$1"); do
		./hilrig emulate --link "$out/tty-$i" --device-id "Board$i" >"$out/ready-$i" 2>"$out/log-$i" &
		boards+=($!)
	done
	for i in $(seq "$1"); do
		for _ in $(seq 400); do [ -s "$out/ready-$i" ] && break; sleep 0.05; done
	done
	for i in 1 2 3; do
		echo "$1 $i" >"$work/image" # another one each time: a board is not flashed with what it has
		timed ./hilrig run --rig "$out/rig.yaml" --flash "$work/image" --spec identity/root --out "$out/runs" >/dev/null
	done
	kill "${boards[@]}"
	wait "${boards[@]}" 2>/dev/null || true
	cat "$out/runs"/2*/events.jsonl | awk -F '[:,]' '
		!/"kind":"flash"/ {next}
		{split($0, name, /"device":"|","source"/)}
		/"text":"flashing/ {began[name[2]] = $2}
		/"text":"flashed/ {print $2 - began[name[2]]}'
}

# the most memory that a process itself has held, in MB (VmHWM of proc(5))
held() {
	local pid
	"$@" >"$work/log" 2>&1 &
	pid=$!
	while grep VmHWM "/proc/$pid/status" >>"$work/held" 2>/dev/null; do sleep 0.2; done
	wait "$pid" || { cat "$work/log" >&2; exit 1; }
	awk '{kb = $2} END {printf "%.0f MB", kb / 1e3}' "$work/held"
}

# the most memory of a child of some runs, in MB
children() { cat "$@" | sed -n 's/.*"peak_memory_bytes": \([0-9]*\).*/\1/p' | sort -g | tail -n 1 | awk '{printf "%.0f MB", $1 / 1e6}'; }

# What a shelf costs: many boards against one, and one front door against ports
# of their own, in turns.
shelf() {
	local one many own door port=$((20000 + RANDOM % 10000))
	rig "$work/one.yaml" 1
	rig "$work/many.yaml" 32
	rig "$work/own.yaml" 20
	rig "$work/door.yaml" 20 "$port"
	for _ in 1 2 3; do
		one=$(core one) many=$(core many) own=$(core own) door=$(core door)
		awk -v a="$many" -v b="$one" 'BEGIN {printf "%.2f\n", a / b}' >>"$work/many.ratio"
		awk -v a="$door" -v b="$own" 'BEGIN {printf "%.2f\n", a / b}' >>"$work/door.ratio"
	done
	row "core, 32 devices in parallel against one" "$(median <"$work/many.ratio") x" "<= 3 x"
	row "core, twenty on one front door against ports of their own" "$(median <"$work/door.ratio") x" "<= 1.1 x"
	row "flash and verify beside the flash tool, one board" "$(flashed 1 | median) s" "<= 0.5 s"
	row "  twenty at once, of a board" "$(flashed 20 | median) s" "<= 0.5 s"
	row "the run's own process, 32 devices, most memory" "$(held ./hilrig run --rig "$work/many.yaml" --label-filter core --out "$work/many")" "<= 100 MB"
	row "the child of a device, highest of 32" "$(children "$work"/many/2*/run.json)" "<= 60 MB"
}

# A broker, with a device at it that runs by itself and whose port is $work/board.
# Debian keeps mosquitto where an ordinary user's PATH does not lead.
at_broker() {
	export PATH=$PATH:/usr/sbin ROOT=$work/root.pem BROKER=localhost:$port DEVICE_ID=NewDevice LG_DEVICE=$work/board
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=bench root" -keyout "$work/root.key" -out "$ROOT"
	openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout "$work/server.key" |
		openssl x509 -req -CA "$ROOT" -CAkey "$work/root.key" -CAcreateserial -days 2 \
			-extfile <(echo subjectAltName=DNS:localhost) -out "$work/server.pem"
	printf '%s\n' "listener $port 127.0.0.1" "certfile $work/server.pem" "keyfile $work/server.key" \
		"persistence false" "allow_anonymous true" >"$work/mosquitto.conf"
	[ "$(id -u)" -ne 0 ] || echo "user root" >>"$work/mosquitto.conf" # the key is root's
	mosquitto -c "$work/mosquitto.conf" &
	./hilrig emulate --link "$work/board" --hub "$BROKER" >"$work/ready" &
	for _ in $(seq 200); do [ -s "$work/ready" ] && break; sleep 0.05; done
	cat >"$work/broker.yaml" <<-END
		hub: {kind: broker, url: "ssl://$BROKER", root: root.pem}
		types: # it prints nothing late, and is on this machine, as its broker
		  quick: {commands: {connect: CONNECT}, console: {recover: {quiet: 50ms}}, timing: {arrives_within: 5ms}}
		devices: [{name: board, device_id: $DEVICE_ID, type: quick, serial: {path: $work/board}}]
	END
}

timed ./hilrig run --label-filter smoke --out "$work/warm" >/dev/null # makes the rig's root
if [ "$only" = shelf ]; then
	shelf
	exit
fi
for _ in $(seq "$runs"); do timed ./hilrig run --label-filter smoke --out "$work/smoke"; done >"$work/smoke.s"
for _ in 1 2 3; do timed ./hilrig run --label-filter core --out "$work/core"; done >"$work/core.s"
rig "$work/four.yaml" 4
rig "$work/one.yaml" 1
for _ in 1 2 3; do
	one=$(core one) four=$(core four)
	awk -v a="$four" -v b="$one" 'BEGIN {printf "%.2f\n", a / b}'
done >"$work/ratio"

row "what" "measured" "asked"
row "----" "--------" "-----"
share=$(cat "$work"/smoke/2*/devices/emu-1/emulator.log | sed -n 's/.*msg="file taken".* share=//p' | median)
row "9270 transfer at 115200, share of the line rate" "$(awk -v s="$share" 'BEGIN {printf "%.1f %%", 100 * s}')" ">= 97 %"
row "hilrig run --label-filter smoke, whole process, median" "$(median <"$work/smoke.s") s" "<= 1.5 s"
row "peak memory of a device's child, highest" "$(children "$work"/{core,smoke}/2*/run.json)" "<= 60 MB"
row "hilrig run --label-filter core, whole process, median" "$(median <"$work/core.s") s" "<= 20 s"
row "core, four devices in parallel against one" "$(median <"$work/ratio") x" "<= 1.3 x"
shelf

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

# The history of a million results: of all questions the one that takes longest.
go test ./reports/history -run '^$' -bench AMillionResults -benchtime 1x 2>/dev/null | awk '
	/^BenchmarkAMillionResults/ {
		for (i = 3; i < NF; i += 2) {
			what = $(i + 1)
			if (what == "ms-end" || what == "ms-begin") {if ($i > tell) tell = $i} else if (what ~ /^ms-/ && $i > ask) ask = $i
		}
	}
	END {
		if (!ask) {print "the history was not measured" > "/dev/stderr"; exit 1}
		printf "%-58s %10s %10s\n", "history of 1,000,000 results: the slowest question", sprintf("%.0f ms", ask), "<= 200 ms"
		printf "%-58s %10s %10s\n", "  a run of 1,800 results appended", sprintf("%.0f ms", tell), "<= 100 ms"
	}'

# What readers of a big run wait for: its reports, and a browser that opens them.
pages() { # pages BENCHMARK TIMES
	go test ./cli -run '^$' -bench "$1" -benchtime "$2" 2>/dev/null
}
pages ReportOfAHundredBoards 3x | awk '
	/^BenchmarkReportOfAHundredBoards/ {
		for (i = 3; i < NF; i += 2) m[$(i + 1)] = $i
		printf "%-58s %10s %10s\n", "junit.xml and report.html, 100 boards x 90 specs", sprintf("%.2f s", m["ns/op"] / 1e9), "<= 2 s"
		printf "%-58s %10s %10s\n", "  processor time", sprintf("%.2f s", m["cpu-s"]), ""
		printf "%-58s %10s %10s\n", "  most memory", sprintf("%.0f MB", m["MB"]), "<= 200 MB"
	}'
pages PagesInChromium 5x | awk '
	/^BenchmarkPagesInChromium/ {
		for (i = 3; i < NF; i += 2) m[$(i + 1)] = $i
		what = $1 ~ /report/ ? "report.html of 5,000 results" : "history.html of a year, 20 boards, a firmware a night"
		printf "%-58s %10s %10s\n", what ": ready", sprintf("%.0f ms", m["ms-ready"]), "<= 1000 ms"
		printf "%-58s %10s %10s\n", "  loaded", sprintf("%.0f ms", m["ms-load"]), "<= 1000 ms"
		printf "%-58s %10s %10s\n", "  size", sprintf("%.1f MB", m["MB"]), "<= 5 MB"
		n++
	}
	END {if (n < 2) print "pages were not opened: they need Chromium" > "/dev/stderr"}'

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

# Smoke at mosquitto, in turns with the same flow as pytest and labgrid have it
# (scripts/labgrid), on the same device.
port=$((20000 + RANDOM % 10000))
at_broker >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
peer=
if /usr/bin/python3 -c 'import labgrid, paho.mqtt.client' 2>/dev/null; then peer=labgrid; fi
for _ in $(seq "$runs"); do
	ours=$(timed ./hilrig run --rig "$work/broker.yaml" --label-filter smoke --out "$work/broker")
	echo "$ours" >>"$work/broker.s"
	if [ -n "$peer" ]; then
		theirs=$(timed /usr/bin/python3 -m pytest -q -p no:cacheprovider --lg-env scripts/labgrid/rig.yaml scripts/labgrid/test_smoke.py)
		awk -v a="$ours" -v b="$theirs" 'BEGIN {printf "%.2f\n", a / b}' >>"$work/peer"
	fi
done
# seconds from a device's process to the observer that listens
for f in "$work"/broker/2*/events.jsonl; do
	awk -F '[:,]' '/"kind":"child.started"/ {from = $2} /"kind":"listening"/ {print $2 - from; exit}' "$f"
done >"$work/ready.s"
row "an observer at mosquitto listens, from the process's start" "$(median <"$work/ready.s") s" "<= 0.3 s"
row "hilrig run --label-filter smoke, at mosquitto" "$(median <"$work/broker.s") s" ""
if [ -n "$peer" ]; then
	row "  over the same flow in pytest and labgrid" "$(median <"$work/peer") x" "<= 0.6 x"
else
	echo "pytest and labgrid were not measured: apt-get install python3-labgrid python3-pytest python3-paho-mqtt" >&2
fi
