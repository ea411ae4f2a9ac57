#!/usr/bin/env bash
# Has the programs at hand that the tests use as real peers: installs what is
# missing when it may (Debian, as root or with a sudo that asks nothing). What
# stays missing is named, and its tests skip by name; with CI=true that is an
# error.
set -euo pipefail

# program, package, what is tested on it
peers='
openssl openssl identities and handshakes
mosquitto mosquitto the broker, against another
mosquitto_pub mosquitto-clients delivery, with a client not ours
paho_cs_pub paho.mqtt.c-examples the local hub, with the C client of most gateways
paho_cs_sub paho.mqtt.c-examples the local hub, with the C client of most gateways
gnutls-cli gnutls-bin handshakes, with a second TLS stack
/usr/lib/python3/dist-packages/paho/mqtt/client.py python3-paho-mqtt the local hub, with paho for Python
socat socat serial lines as pairs of pseudo-terminals
ser2net ser2net serial lines over the network
pdudaemon pdudaemon power by requests
chromium chromium report.html in a real browser
xmllint libxml2-utils junit.xml against its schema
systemd-analyze systemd units of a nightly run
tmux tmux live progress in a real terminal
tio tio the emulated device, by hand
picocom picocom the emulated device, by hand
cc gcc the race detector
ssh-keygen openssh-client files that people have in place of PEM
curl curl the device registry, by a client not ours
node nodejs the local hub, with the SDKs of Microsoft and MQTT.js; the broker Aedes; AMQP; a statement
npm npm the local hub, with the SDKs of Microsoft and MQTT.js; the broker Aedes; AMQP; a statement
/usr/lib/rabbitmq/bin/rabbitmq-server rabbitmq-server the broker, against another
'

# folder with a lock file, what it brings
node_peers='
azure/localhub/testdata/sdk the SDKs of Microsoft
azure/localhub/testdata/mqttjs MQTT.js
peers/brokers/aedes Aedes
azure/iothub/standin/testdata/amqp rhea and the reader of Event Hubs of Microsoft
reports/gate/testdata/sigstore the reader of DSSE of Sigstore
cli/testdata/workflows readers of the files for GitHub and GitLab
reports/interchange/testdata/readers readers of reports: Allure, CTRF, JUnit
'

missing() {
	local program package purpose
	while read -r program package purpose; do
		[ -z "$program" ] || command -v "$program" >/dev/null || [ -e "$program" ] || echo "$program $package $purpose"
	done <<<"$peers"
}

# as_root runs a command with the right to install, or fails without asking.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

may_install() {
	command -v apt-get >/dev/null && as_root true 2>/dev/null
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive timeout 600 \
		apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" </dev/null >&2
}

# install_all takes all packages at once, and one by one where that fails: a
# package that this release lacks does not cost the others.
install_all() {
	local package
	apt_get update || echo "peers: package lists are not fresh" >&2
	apt_get install --no-install-recommends "$@" && return
	for package in "$@"; do
		apt_get install --no-install-recommends "$package" || echo "peers: $package was not installed" >&2
	done
}

# quiet_services keeps the daemons that came with a package from holding a port
# of this machine: the tests start their own.
quiet_services() {
	[ -d /run/systemd/system ] || return 0
	local package
	for package in "$@"; do
		case $package in
		mosquitto | ser2net | pdudaemon | rabbitmq-server) as_root systemctl disable --now "$package.service" >&2 || true ;;
		esac
	done
}

# node_packages has npm's packages in the cache folder, a folder for each lock
# file, named by its hash; the tests look there. A file says that it is whole.
node_packages() {
	local from purpose into failed=
	command -v npm >/dev/null || return 0
	while read -r from purpose; do
		[ -n "$from" ] || continue
		into=${XDG_CACHE_HOME:-$HOME/.cache}/hilrig/${from##*/}-$(sha256sum "$from/package-lock.json" | cut -c1-12)
		[ ! -e "$into/installed" ] || continue
		echo "peers: installing $purpose into $into" >&2
		mkdir -p "$into"
		cp "$from/package.json" "$from/package-lock.json" "$into"
		if (cd "$into" && timeout 600 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2); then
			touch "$into/installed"
			continue
		fi
		echo "peers: npm could not install $purpose: its tests skip" >&2
		failed=yes
	done <<<"$node_peers"
	[ -z "$failed" ] || [ "${CI:-}" != true ]
}

cd "$(dirname "$0")/.."
wanting=$(missing)
if [ -z "$wanting" ]; then
	node_packages
	exit
fi

if may_install; then
	# shellcheck disable=SC2046 # package names have no spaces
	set -- $(awk '{print $2}' <<<"$wanting" | sort -u)
	echo "peers: installing $*" >&2
	install_all "$@"
	quiet_services "$@"
	wanting=$(missing)
fi
node_packages
[ -n "$wanting" ] || exit 0

while read -r program package purpose; do
	echo "peers: $program is missing ($purpose); on Debian: apt-get install $package" >&2
done <<<"$wanting"
if [ "${CI:-}" = true ]; then
	echo "peers: CI=true, so a missing peer is an error" >&2
	exit 1
fi
