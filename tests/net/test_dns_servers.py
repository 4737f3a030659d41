# SPDX-License-Identifier: GPL-2.0-or-later
"""The DNS proxy in front of real servers: nsd with a zone of its own, and unbound that asks it."""

import pytest

from tests.kit import lab as lab_module, proc
from tests.net.nat_kit import GATEWAY, resolve

NSD = """server:
 ip-address: {at}
 database: ""
 zonesdir: "{tmp}"
 xfrdfile: "{tmp}/xfrd"
 zonelistfile: "{tmp}/zones"
 pidfile: "{tmp}/nsd.pid"
 username: root
 server-count: 1
 ipv4-edns-size: 1232
remote-control:
 control-enable: no
zone:
 name: zone.example
 zonefile: zone
"""
UNBOUND = """server:
 num-threads: 1
 interface: 127.0.0.53
 do-not-query-localhost: no
 do-daemonize: no
 chroot: ""
 username: ""
 directory: "{tmp}"
 pidfile: "{tmp}/unbound.pid"
 logfile: "{tmp}/unbound.log"
 use-syslog: no
 module-config: "iterator"
remote-control:
 control-enable: no
forward-zone:
 name: "."
 forward-addr: {server}
"""
ZONE = """$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 2
@ NS ns
ns A 192.0.2.1
www A 192.0.2.2
www AAAA 2001:db8::2
alias CNAME www
odd TYPE65280 \\# 3 010203
"""


@pytest.fixture(params=["nsd", "unbound"])
def guest(lab, vnetd, request):
    """A guest whose names are asked of nsd, or of an unbound on the host that asks nsd."""
    (lab.tmp / "nsd.conf").write_text(NSD.format(at=lab_module.SERVER_ADDRESS, tmp=lab.tmp))
    (lab.tmp / "zone").write_text(ZONE + "".join(f'long TXT "{i:03} {"x" * 240}"\n' for i in range(40)))
    lab.outside.dns.close()
    lab.outside.popen("nsd", "-d", "-c", lab.tmp / "nsd.conf", log=lab.tmp / "nsd.log")
    server = lab_module.SERVER_ADDRESS
    if request.param == "unbound":
        (lab.tmp / "unbound.conf").write_text(UNBOUND.format(tmp=lab.tmp, server=server))
        lab.host.popen("unbound", "-d", "-c", lab.tmp / "unbound.conf", log=lab.tmp / "unbound.out")
        server = "127.0.0.53"
    lab.host.set_resolvers(server)
    g = lab.guest("vmnet8")
    g.static("10.181.8.0/24", 10)
    proc.wait_until("the server answers", lambda: resolve(g, "ns.zone.example") == ["192.0.2.1"], 20)
    return g


def test_everything_that_a_server_knows_comes_through(guest):
    assert resolve(guest, "www.zone.example") == ["192.0.2.2"]
    assert resolve(guest, "WWW.zone.example", kind="AAAA") == ["2001:db8::2"]
    for _ in range(2):  # asked for, and kept
        assert resolve(guest, "alias.zone.example") == ["www.zone.example.", "192.0.2.2"]
        assert resolve(guest, "odd.zone.example", kind="TYPE65280") == ["\\# 3 010203"]
        assert "status: NXDOMAIN" in guest.run("dig", f"@{GATEWAY}", "no.zone.example").out
        out = guest.run("dig", f"@{GATEWAY}", "www.zone.example", "MX").out
        assert "status: NOERROR" in out and "SOA" in out
        assert "EDNS: version: 0, flags: do" in guest.run("dig", "+dnssec", f"@{GATEWAY}", "www.zone.example").out
        assert "EDNS" not in guest.run("dig", "+noedns", f"@{GATEWAY}", "www.zone.example").out


def test_what_is_too_long_for_udp_comes_over_tcp(guest):
    assert ";; Truncated" in guest.run("dig", f"@{GATEWAY}", "long.zone.example", "TXT").out
    for extra in ((), ("+tcp",), ("+noedns",)):
        rows = resolve(guest, "long.zone.example", kind="TXT", extra=extra)
        assert sorted(r[1:4] for r in rows) == [f"{i:03}" for i in range(40)]
