#!/usr/bin/env bash
# azure-live.sh: the way of a run at a real IoT Hub, with an emulated device, in
# at most 400 messages; nothing stays. IOTHUB_SERVICE and IOTHUB_EVENTS are the
# connection strings of docs/azure.md. RIG names a rig file in place of its own.
set -u
: "${IOTHUB_SERVICE:?the connection string of the hub}" "${IOTHUB_EVENTS:?that of its Event Hubs-compatible endpoint}"
hilrig=${HILRIG:-./hilrig}
dir=$(mktemp -d) || exit 3
trap 'rm -rf "$dir"' EXIT
host=$(printf %s "$IOTHUB_SERVICE" | sed -n 's/.*HostName=\([^;]*\).*/\1/p')
rig=${RIG:-$dir/rig.yaml}
if [ "$rig" = "$dir/rig.yaml" ]; then
	cat >"$rig" <<EOF
rig: azure-live
hubs:
  azure: {kind: azure, host: "$host", registry: {connection_string_env: IOTHUB_SERVICE}, events: {connection_string_env: IOTHUB_EVENTS, consumer_group: "${GROUP:-hilrig}"}}
devices:
  - {name: live, type: live, device_id: hilrig-azure-live, serial: {emulated: {interval: 2s}}}
types:
  live: {timing: {interval: 2s}}
EOF
fi
worst=0
step() {
	echo "== hilrig $*"
	"$hilrig" "$@" 2>&1
	code=$?
	echo "== exit code $code"
	[ "$code" -le "$worst" ] || worst=$code
}
# A message comes every 2 s: ten minutes are 300 of them.
echo "report of $("$hilrig" --version), $(uname -sm), $(date -u +%FT%TZ)"
step azure check --rig "$rig"
step run --rig "$rig" --hub azure --label-filter smoke --dry-run
[ "$worst" = 0 ] && step run --rig "$rig" --hub azure --label-filter smoke --timeout 3m --out "$dir/out"
[ "$worst" = 0 ] && step run --rig "$rig" --hub azure --label-filter core --timeout 7m --out "$dir/out"
step azure sweep --rig "$rig"
echo "== worst exit code $worst: send this report back; no key is in it"
exit "$worst"
