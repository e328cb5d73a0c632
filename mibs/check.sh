#!/bin/sh
# Checks the MIB modules of this directory: smilint has nothing to say about
# them, and net-snmp resolves their names with no module but these.
# Exits 1 at the first message; needs smilint (smitools) and snmptranslate (snmp).
set -eu

cd "$(dirname "$0")"

for tool in smilint:smitools snmptranslate:snmp; do
    command -v "${tool%:*}" >/dev/null || {
        echo "mibs/check.sh: ${tool%:*} is missing; install the package ${tool#*:}" >&2
        exit 1
    }
done

# No configuration or state of the host takes part.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/cert_indexes"
export SMIPATH=.:base SNMPCONFPATH="$scratch" SNMP_PERSISTENT_DIR="$scratch"

# smilint exits 0 whatever it finds, so its silence is the result.
silent() {
    said=$("$@" 2>&1) || said="$said
exit status $?"
    [ -z "$said" ] || {
        printf '%s\n' "mibs/check.sh: $*" "$said" >&2
        exit 1
    }
}

# same NAME OID: the name translates to that OID, and nothing else is printed.
same() {
    oid=$(snmptranslate -Pw -M .:base -m "${1%%::*}" -On "$1" 2>&1 |
        grep -v ' MACRO (lines .* parsed and ignored)\.$') || oid="$oid (failed)"
    [ "$oid" = "$2" ] || {
        printf '%s\n' "mibs/check.sh: $1 should be $2, snmptranslate says:" "$oid" >&2
        exit 1
    }
}

for module in KEEPALIVED-MIB STEADFAST-MIB VRRP-MIB VRRPV3-MIB; do
    silent smilint -c /dev/null -s -l 6 "./$module.txt"
done
# The stand-ins only name things: they have no groups, which level 4 asks for.
for module in base/*.txt; do
    silent smilint -c /dev/null -s -l 3 "./$module"
done

keepalived=.1.3.6.1.4.1.9586.100.5
same KEEPALIVED-MIB::version.0 $keepalived.1.1.0
same KEEPALIVED-MIB::emailAddress.1 $keepalived.1.3.5.1.2.1
same KEEPALIVED-MIB::vrrpInstanceState.1 $keepalived.2.3.1.4.1
same KEEPALIVED-MIB::vrrpTrackedScriptName.1.2 $keepalived.2.5.1.2.1.2
same KEEPALIVED-MIB::vrrpAddressValue.1.1 $keepalived.2.6.1.3.1.1
same KEEPALIVED-MIB::vrrpScriptTimeoutUsec.1 $keepalived.2.9.1.12.1
same KEEPALIVED-MIB::vrrpInstanceStateChange $keepalived.2.10.0.2
same STEADFAST-MIB::steadfastNotificationsLost $keepalived.1000.0.1
same STEADFAST-MIB::steadfastLostCount.0 $keepalived.1000.1.1.0
same STEADFAST-MIB::steadfastLostTotal.0 $keepalived.1000.1.2.0
same STEADFAST-MIB::steadfastAgentState.0 $keepalived.1000.1.3.1.0
same STEADFAST-MIB::steadfastRejectionsUntold.0 $keepalived.1000.1.4.5.0
same KEEPALIVED-MIB::realServerWeight.1.2 $keepalived.3.4.1.7.1.2
same VRRP-MIB::vrrpOperState.3.41 .1.3.6.1.2.1.68.1.3.1.3.3.41
same VRRPV3-MIB::vrrpv3OperationsStatus.3.41.ipv4 .1.3.6.1.2.1.207.1.1.1.1.6.3.41.1
same SNMPv2-MIB::snmpTrapOID.0 .1.3.6.1.6.3.1.1.4.1.0
same SNMPv2-MIB::sysUpTime.0 .1.3.6.1.2.1.1.3.0
same SNMPv2-MIB::sysORDescr.1 .1.3.6.1.2.1.1.9.1.3.1
same SNMPv2-MIB::snmpSilentDrops.0 .1.3.6.1.2.1.11.31.0
same SNMP-FRAMEWORK-MIB::snmpEngineTime.0 .1.3.6.1.6.3.10.2.1.3.0
same SNMP-MPD-MIB::snmpInvalidMsgs.0 .1.3.6.1.6.3.11.2.1.2.0
same SNMP-TARGET-MIB::snmpUnknownContexts.0 .1.3.6.1.6.3.12.1.5.0
same SNMP-USER-BASED-SM-MIB::usmStatsWrongDigests.0 .1.3.6.1.6.3.15.1.1.5.0
same IF-MIB::ifIndex.1 .1.3.6.1.2.1.2.2.1.1.1

echo "mibs: all modules are clean, all names resolve"
