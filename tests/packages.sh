#!/bin/sh
# Installs the Debian packages that the tests and the demo run against. Needs root; does nothing when all are there.
set -eu

packages='crun dbus-bin dbus-daemon frr groff-base ipvsadm iproute2 keepalived nftables openssl procps smitools snmp snmpd snmptrapd systemd tcpdump util-linux'
# What people watch keepalived with.
packages="$packages centreon-plugins curl libnet-ip-perl libsnmp-perl nagios-snmp-plugins prometheus-snmp-exporter python3-pysnmp4 snmptt"
# What checks ask in a guest, and what stands between it and its kernel.
packages="$packages dnsmasq-base ncat nginx-light python3 strace"
# What a guest boots with.
packages="$packages busybox-static cpio kmod qemu-system-x86"

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

[ "$(id -u)" = 0 ] || {
    echo "missing packages:$missing; run as root: apt-get install$missing" >&2
    exit 1
}
# The daemons are started by the tests, never by the packages.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
apt-get install -y -qq --no-install-recommends $missing >/dev/null
