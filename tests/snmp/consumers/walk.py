"""Walks the MIBs of keepalived with pysnmp, and prints each object as OID, type and value."""

import sys

from pysnmp.hlapi import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    nextCmd,
)

agent, community, *roots = sys.argv[1:]
host, port = agent.split(":")
engine = SnmpEngine()
for root in roots:
    answers = nextCmd(
        engine,
        CommunityData(community),
        UdpTransportTarget((host, int(port))),
        ContextData(),
        ObjectType(ObjectIdentity(root)),
        lexicographicMode=False,
        lookupMib=False,
    )
    for error, status, place, objects in answers:
        if error or status:
            sys.exit(f"{error or status.prettyPrint()} at {place}")
        for name, value in objects:
            octets = hasattr(value, "asOctets")
            shown = value.asOctets().hex() if octets else int(value)
            print(name, type(value).__name__, shown)
