#!/usr/bin/env bash
# Makes the pictures of the README anew, from real runs of ./hilrig on emulated
# devices: a recorded terminal session, a report, a history. Needs asciinema,
# Chromium, and npx for svg-term-cli.
#
# usage: scripts/pictures.sh
set -euo pipefail
cd "$(dirname "$0")/.."
to=$PWD/docs/pictures
hilrig=$PWD/hilrig
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HILRIG_STATE=$work/state ASCIINEMA_CONFIG_HOME=$work/asciinema
cd "$work"

# Four boards of software, and three images for them: the first publishes with
# RETAIN, the last takes a certificate that has expired.
cat >shelf.yaml <<-END
	rig: shelf
	devices:
	  - {name: board-1, device_id: NewDevice1, type: soft, serial: {emulated: {}}}
	  - {name: board-2, device_id: NewDevice2, type: soft, serial: {emulated: {}}}
	  - {name: board-3, device_id: NewDevice3, type: soft, serial: {emulated: {}}}
	  - {name: board-4, device_id: NewDevice4, type: soft, serial: {emulated: {}}}
	types:
	  soft:
	    flash: {command: [sh, -c, '"\$0" emulate --flash "\$1" --state "\$HILRIG_BOARD_STATE"', "$hilrig", "{file}"]}
	    commands: {connect: CONNECT, firmware_version: {send: VERSION, match: 'emulator (\S+)'}}
	    console: {recover: {quiet: 50ms}}
	    timing: {abort_within: 2s, interval: 500ms}
END
echo '{"version": "2.3.0", "faults": ["retained"]}' >fw-2.3.0.bin
echo '{"version": "2.4.0"}' >fw-2.4.0.bin
echo '{"version": "2.4.1", "faults": ["no-expiry-check"]}' >fw-2.4.1.bin

# The history: three firmwares, two nights each.
for version in 2.3.0 2.3.0 2.4.0 2.4.0 2.4.1; do
	"$hilrig" run --rig shelf.yaml --flash fw-$version.bin --label-filter core >>runs.txt || [ $? -eq 1 ] || { cat runs.txt; exit 3; }
done

cat >session.sh <<-END
	export PATH=$(dirname "$hilrig"):\$PATH
	line='hilrig run --rig shelf.yaml --flash fw-2.4.1.bin --label-filter core'
	printf '\033[1;32m\$\033[0m '
	sleep 0.5
	for ((i = 0; i < \${#line}; i++)); do printf '%s' "\${line:i:1}"; sleep 0.03; done
	sleep 0.4
	echo
	\$line || true
	sleep 4
END

mkdir -p "$to"
asciinema rec -q --cols 100 --rows 30 -c 'bash session.sh' session.cast
npx --yes svg-term-cli --in session.cast --out "$to/run.svg" --window --width 100 --height 30

picture() { # picture PAGE NAME
	chromium --headless --no-sandbox --hide-scrollbars --screenshot="$to/$2.png" --window-size=1200,900 "file://$1" 2>>chromium.txt
}
picture "$(ls -d "$work"/reports/out/2*/report.html | tail -n 1)" report
"$hilrig" history page --out history.html >>runs.txt
picture "$work/history.html" history
