# SPDX-License-Identifier: GPL-2.0-or-later
"""DNSSEC through the DNS proxy: a signed zone in nsd, and real validators (unbound) on either side of the proxy."""

import re

import pytest

from tests.kit import lab as lab_module, proc
from tests.net.nat_kit import GATEWAY
from tests.net.test_dns_servers import NSD, UNBOUND

ZONE = """$TTL 60
@ SOA ns.zone.example. hostmaster.zone.example. 1 3600 600 86400 60
@ NS ns.zone.example.
ns A 192.0.2.1
www A 192.0.2.2
forged A 192.0.2.66
*.wild A 192.0.2.3
"""
LONG = "".join(f'long TXT "{i:03} {"x" * 240}"\n' for i in range(40))
STUB = "127.0.0.53"


def signed_zone(tmp):
    """Writes tmp/zone, signed by ldns, and tmp/anchor.  One record is changed behind the signer's back."""
    (tmp / "plain").write_text(ZONE + LONG)
    keys = []
    for flags in ((), ("-k",)):
        out = proc.run(["ldns-keygen", *flags, "-a", "ECDSAP256SHA256", "zone.example"], cwd=tmp).out
        keys.append(out.strip())
    proc.run(["ldns-signzone", "-n", "-o", "zone.example", "-f", "zone", "plain", *keys], cwd=tmp)
    text = (tmp / "zone").read_text()
    assert "192.0.2.66" in text and "NSEC3" in text
    (tmp / "zone").write_text(text.replace("192.0.2.66", "192.0.2.67"))
    (tmp / "anchor").write_text((tmp / f"{keys[1]}.key").read_text())


def unbound(where, tmp, name, address, server, validates):
    """An unbound that asks `server`."""
    text = UNBOUND.format(tmp=tmp, server=server).replace("127.0.0.53", address).replace("unbound.", f"{name}.")
    if validates:
        text = text.replace('"iterator"', f'"validator iterator"\n trust-anchor-file: "{tmp}/anchor"')
    (tmp / f"{name}.conf").write_text(text)
    where.popen("unbound", "-d", "-c", tmp / f"{name}.conf", log=tmp / f"{name}.out")


@pytest.fixture
def signed(lab, vnetd):
    """A guest, and outside an nsd with the signed zone; resolv.conf is the test's."""
    signed_zone(lab.tmp)
    (lab.tmp / "nsd.conf").write_text(NSD.format(at=lab_module.SERVER_ADDRESS, tmp=lab.tmp))
    lab.outside.dns.close()
    lab.outside.popen("nsd", "-d", "-c", lab.tmp / "nsd.conf", log=lab.tmp / "nsd.log")
    guest = lab.guest("vmnet8")
    guest.static("10.181.8.0/24", 10)
    return guest


def dig(guest, *args, server=GATEWAY):
    return guest.run("dig", f"@{server}", "+tries=3", "+time=5", *args).out


def flags(out):
    return re.search(r"flags: ([a-z ]*);", out)[1].split()


def await_answer(guest, server=GATEWAY):
    proc.wait_until("the servers answer", lambda: "192.0.2.1" in dig(guest, "ns.zone.example", server=server), 20)


def test_what_a_validator_on_the_host_has_found_arrives(lab, signed):
    """AD and signatures for who asks for them, SERVFAIL for a forgery unless CD is set: at first, and when kept."""
    unbound(lab.host, lab.tmp, "unbound", STUB, lab_module.SERVER_ADDRESS, True)
    lab.host.set_resolvers(STUB)
    await_answer(signed)
    for _ in range(2):
        out = dig(signed, "+dnssec", "www.zone.example")
        assert "192.0.2.2" in out and re.search(r"RRSIG\s+A 13 3 60 ", out) and "ad" in flags(out)
        assert "flags: do" in out
        out = dig(signed, "+noadflag", "www.zone.example")
        assert "192.0.2.2" in out and "RRSIG" not in out and "ad" not in flags(out)
        out = dig(signed, "+dnssec", "no.zone.example")
        assert "status: NXDOMAIN" in out and "NSEC3" in out and "ad" in flags(out)
        assert "status: SERVFAIL" in dig(signed, "+dnssec", "forged.zone.example")
        out = dig(signed, "+dnssec", "+cdflag", "forged.zone.example")
        assert "192.0.2.67" in out and "RRSIG" in out and "ad" not in flags(out) and "cd" in flags(out)


@pytest.mark.parametrize("upstream", ["nsd", "unbound"])
def test_a_validator_in_a_guest_validates_through_us(lab, signed, upstream):
    """All it knows comes through the proxy: keys, signatures, proofs that there is nothing, what needs TCP."""
    server = lab_module.SERVER_ADDRESS
    if upstream == "unbound":
        unbound(lab.host, lab.tmp, "unbound", STUB, server, False)
        server = STUB
    lab.host.set_resolvers(server)
    unbound(signed, lab.tmp, "stub", "127.0.0.1", GATEWAY, True)
    await_answer(signed, "127.0.0.1")
    for name, address in (("www", "192.0.2.2"), ("any.wild", "192.0.2.3")):
        out = dig(signed, f"{name}.zone.example", server="127.0.0.1")
        assert address in out and "ad" in flags(out), name
    out = dig(signed, "no.zone.example", server="127.0.0.1")
    assert "status: NXDOMAIN" in out and "ad" in flags(out)
    out = dig(signed, "www.zone.example", "AAAA", server="127.0.0.1")
    assert "status: NOERROR" in out and "ANSWER: 0" in out and "ad" in flags(out)
    out = dig(signed, "long.zone.example", "TXT", server="127.0.0.1")
    assert out.count("xxx\"") == 40 and "ad" in flags(out)
    assert "status: SERVFAIL" in dig(signed, "forged.zone.example", server="127.0.0.1")
