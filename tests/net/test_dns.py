# SPDX-License-Identifier: GPL-2.0-or-later
"""The DNS proxy on .2: raw forwarding, whom it asks, and what it survives."""

import os
import random
import socket
import struct
import time

import pytest

from tests.kit import daemon, lab as lab_module, outside, proc
from tests.net.nat_kit import GATEWAY, nat_conf, resolve, udp

NAME = lab_module.SERVER_NAME
OUT = lab_module.SERVER_ADDRESS
UPSTREAM = lab_module.OUTSIDE_ADDRESS


@pytest.fixture
def guest(lab, vnetd):
    g = lab.guest("vmnet8")
    g.static("10.181.8.0/24", 10)
    return g


def raw_query(name, qtype=1, ident=0x1234, flags=0x0100, extra=b"", arcount=0):
    question = b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + b"\0"
    return struct.pack("!HHHHHH", ident, flags, 1, 0, 0, arcount) + question + struct.pack("!HH", qtype, 1) + extra


def ask(guest, query, *, timeout=3, sock=None):
    """The raw answer to a raw query, or None."""
    own = sock or udp(guest, timeout=timeout)
    try:
        own.sendto(query, (GATEWAY, 53))
        while True:
            answer, source = own.recvfrom(65535)
            assert source == (GATEWAY, 53)
            if answer[:2] == query[:2]:
                return answer
    except TimeoutError:
        return None
    finally:
        if sock is None:
            own.close()


def rcode(answer):
    return answer[3] & 15


def dns_warning(vnetd):
    return [w["text"] for w in vnetd.json("status")["warnings"] if "vmnet8" in w["text"]]


# --- what is forwarded -----------------------------------------------------------------------------


def test_a_name_is_resolved(lab, guest):
    assert resolve(guest, NAME) == [OUT]
    assert resolve(guest, "nobody.example.test") == []
    assert lab.outside.dns.asked(NAME) == 1
    assert {source for _, source, _ in lab.outside.dns.queries} == {lab_module.HOST_ADDRESS}


def test_messages_pass_untouched(lab, guest):
    """EDNS with the DNSSEC bit, an unknown type, 0x20 spelling: only the id is ours to change."""
    opt = b"\0" + struct.pack("!HHIH", 41, 4096, 0x8000, 0)
    for i, (qtype, name, extra) in enumerate(
        [(1, "wWw.ExAmPle.test", b""), (65280, "www.example.test", opt), (46, "example.test", opt)]
    ):
        tail = bytes(random.randrange(256) for _ in range(30))
        lab.outside.dns.hook = lambda q, *_: bytes(q)[:2] + b"\x85\x80" + bytes(q)[4:] + tail
        query = raw_query(name, qtype, 0x4000 + i, 0x0130, extra, 1 if extra else 0)
        answer = ask(guest, query)
        asked = lab.outside.dns.queries[-1][2]
        assert bytes(asked)[2:] == query[2:]
        assert answer == query[:2] + b"\x85\x80" + query[4:] + tail


def test_large_and_truncated_answers_pass(lab, guest):
    opt = b"\0" + struct.pack("!HHIH", 41, 4096, 0, 0)
    text = b"".join(b"\xff" + bytes([65 + i]) * 255 for i in range(14))
    lab.outside.dns.hook = lambda q, *_: q.reply([(outside.TXT, 60, text)])
    answer = ask(guest, raw_query("big.example.test", 16, extra=opt, arcount=1))
    assert len(answer) > 3500 and text in answer
    lab.outside.dns.hook = lambda q, *_: q.reply(flags=0x8380)
    assert ask(guest, raw_query("cut.example.test"))[2] & 2


def test_ids_and_ports_are_not_predictable(lab, guest):
    seen = []
    lab.outside.dns.hook = lambda q, peer, _: seen.append((q.id, peer[1])) or q.reply()
    for i in range(60):
        assert ask(guest, raw_query(f"n{i}.example.test", ident=7)) is not None
    ids, ports = {i for i, _ in seen}, {p for _, p in seen}
    assert len(ids) > 50 and len(ports) > 8


# --- whom it asks ----------------------------------------------------------------------------------


def test_a_stub_on_the_hosts_loopback(lab, vnetd):
    """systemd-resolved's 127.0.0.53: guests cannot reach it, the proxy asks it for them."""
    stub = outside.Dns(lab.host, address="127.0.0.53", records={"stub.example.test": "192.0.2.77"})
    try:
        lab.host.set_resolvers("127.0.0.53")
        guest = lab.guest("vmnet8")
        guest.static("10.181.8.0/24", 10)
        proc.wait_until("the stub answers", lambda: resolve(guest, "stub.example.test") == ["192.0.2.77"], 3)
        assert stub.asked("stub.example.test") >= 1
        assert lab.outside.dns.asked("stub.example.test") <= 1
    finally:
        stub.close()


@pytest.mark.parametrize("how", ["renamed", "written in place", "another link"])
def test_changes_of_resolv_conf_are_followed(lab, guest, how):
    lab.outside.dns.hook = lambda q, *_: q.reply([(1, 60, socket.inet_aton("192.0.2.1"))])
    assert resolve(guest, "a.example.test") == ["192.0.2.1"]
    # The new resolver lives elsewhere; the old one falls silent.
    vpn = lab.netns("vpn")
    lab_module.ns.veth(lab.host, "vpn0", vpn, "eth0")
    lab.host.run("ip", "addr", "add", "192.0.2.129/25", "dev", "vpn0")
    vpn.run("ip", "addr", "add", "192.0.2.130/25", "dev", "eth0")
    new = outside.Dns(vpn, records={"b.example.test": "192.0.2.2"})
    lab.outside.dns.hook = lambda *_: None
    try:
        text = "# made by a VPN\nsearch example.test\nnameserver 192.0.2.130\n"
        if how == "renamed":
            lab.host.write_file("/etc/resolv.conf", text)
        elif how == "written in place":
            lab.host.run("bash", "-c", "cat >/etc/resolv.conf", stdin=text)
        else:
            lab.host.write_file("/etc/resolv.vpn", text)
            lab.host.run("ln", "-sfn", "/etc/resolv.vpn", "/etc/resolv.conf")
        start = time.monotonic()
        # One query may still have gone to the old resolver.
        proc.wait_until("the new resolver answers",
                        lambda: resolve(guest, "b.example.test", extra=("+time=1",)) == ["192.0.2.2"], 5)
        proc.wait_until("it was asked soon", lambda: new.asked("b.example.test"))
        assert time.monotonic() - start < 3
        # The changed file is followed as well, once it is a link's target.
        if how == "another link":
            lab.outside.dns.hook = lambda q, *_: q.reply([(1, 60, socket.inet_aton("192.0.2.3"))])
            lab.host.run("bash", "-c", f"echo nameserver {UPSTREAM} >/etc/resolv.vpn")
            proc.wait_until("the target is followed", lambda: resolve(guest, "c.example.test") == ["192.0.2.3"], 5)
    finally:
        new.close()


def set_resolvers(lab, *addresses):
    """Writes resolv.conf and waits until the proxy has read it."""
    lab.host.set_resolvers(*addresses)
    line = f"names are asked of {', '.join(addresses)}\n"
    proc.wait_until("resolv.conf is read", lambda: line in lab.vnetd.log_text())


def test_the_next_server_is_asked(lab, guest):
    """One that is silent costs its two seconds, one that refuses the port nothing."""
    dead = "198.51.100.77"
    lab.outside.run("ip", "addr", "add", f"{dead}/32", "dev", "lo")
    for verdict, least, most in (("drop", 1.5, 3.5), ("reject", 0, 1.5)):
        lab.outside.run("nft", "-f", "-", stdin=f"""
flush ruleset
table ip t {{ chain in {{ type filter hook input priority 0; ip daddr {dead} udp dport 53 {verdict}; }}; }}
""")
        set_resolvers(lab, dead, UPSTREAM)
        start = time.monotonic()
        assert ask(guest, raw_query(NAME), timeout=5) is not None
        assert least <= time.monotonic() - start < most, verdict
        set_resolvers(lab, UPSTREAM)


def test_name_servers_of_nat_conf_come_first(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    mine = lab.netns("mine")
    lab_module.ns.veth(lab.host, "mine0", mine, "eth0")
    lab.host.run("ip", "addr", "add", "192.0.2.129/25", "dev", "mine0")
    mine.run("ip", "addr", "add", "192.0.2.130/25", "dev", "eth0")
    server = outside.Dns(mine, records={"x.example.test": "192.0.2.4"})
    try:
        vnetd.write("vmnet8/nat/nat.conf", nat_conf(dns="[dns]\nnameserver1 = 192.0.2.130\n"))
        vnetd.start()
        guest = lab.guest("vmnet8")
        guest.static("10.181.8.0/24", 10)
        assert resolve(guest, "x.example.test") == ["192.0.2.4"]
        assert lab.outside.dns.asked("x.example.test") == 0
    finally:
        server.close()


def test_our_own_address_is_not_asked(lab, guest):
    """A host that resolves through .2 would ask in a circle."""
    lab.host.set_resolvers(GATEWAY)
    text = proc.wait_until("status says so", lambda: dns_warning(lab.vnetd))
    assert "resolv.conf" in text[0]
    answer = ask(guest, raw_query(NAME))
    assert answer is not None and rcode(answer) == 2
    lab.host.set_resolvers(GATEWAY, UPSTREAM)
    proc.wait_until("status is content", lambda: not dns_warning(lab.vnetd))
    assert resolve(guest, NAME) == [OUT]


def test_without_any_server_that_answers_guests_are_told(lab, guest):
    lab.outside.dns.hook = lambda *_: None
    start = time.monotonic()
    answer = ask(guest, raw_query(NAME), timeout=12)
    assert answer is not None and rcode(answer) == 2
    assert 3 < time.monotonic() - start < 10


# --- what it survives ------------------------------------------------------------------------------


def test_lies_are_not_believed(lab, guest):
    """Answers from elsewhere, with another id, to another question: the right one still counts."""
    asked = []

    def lie(query, peer, _):
        asked.append(query)
        body = bytes(query.reply([(1, 60, socket.inet_aton("6.6.6.6"))]))
        with lab.outside.enter(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
            elsewhere.sendto(body, peer)
        if len(asked) == 1:
            return struct.pack("!H", query.id ^ 1) + body[2:]
        if len(asked) == 2:
            other = outside.Query(bytes(query[:12]) + b"\3bad\0" + struct.pack("!HH", 1, 1))
            return other.reply([(1, 60, socket.inet_aton("6.6.6.6"))])
        return query.reply([(1, 60, socket.inet_aton(OUT))])

    lab.outside.dns.hook = lie
    answer = ask(guest, raw_query("lies.example.test"), timeout=12)
    assert socket.inet_aton("6.6.6.6") not in answer
    assert socket.inet_aton(OUT) in answer
    assert len(asked) == 3


def test_garbage_is_survived(lab, guest):
    pid = lab.vnetd.pid_of("vnet-natd")
    rng = random.Random(1)
    good = raw_query(NAME)
    with udp(guest) as sock:
        for _ in range(2000):
            kind = rng.randrange(3)
            if kind == 0:
                data = rng.randbytes(rng.randrange(0, 1400))
            else:
                data = bytearray(good)
                for _ in range(rng.randrange(1, 4)):
                    data[rng.randrange(len(data))] = rng.randrange(256)
                data = bytes(data[: rng.randrange(len(data) + 1)] if kind == 1 else data)
            sock.sendto(data, (GATEWAY, 53))
    assert resolve(guest, NAME) == [OUT]
    assert lab.vnetd.pid_of("vnet-natd") == pid


def test_one_guest_cannot_starve_another(lab, guest):
    """A guest with hundreds of queries that nobody answers, and one that asks once."""
    quiet = lambda q, *_: None if q.name.startswith("dead") else q.reply([(1, 60, socket.inet_aton(OUT))])
    lab.outside.dns.hook = quiet
    other = lab.guest("vmnet8")
    other.static("10.181.8.0/24", 11)
    with udp(guest) as sock:
        for i in range(3000):
            sock.sendto(raw_query(f"dead{i}.example.test", ident=i), (GATEWAY, 53))
        assert resolve(other, NAME) == [OUT]


@pytest.mark.parametrize("name", ["vnet-natd", "engine"])
def test_it_comes_back(lab, guest, name):
    assert resolve(guest, NAME) == [OUT]
    lab.vnetd.kill_and_await(name)
    proc.wait_until("names are resolved again", lambda: resolve(guest, NAME) == [OUT], 5)


def test_without_an_engine_it_goes_on(lab, guest):
    os.kill(lab.vnetd.pid_of("engine"), 19)
    assert resolve(guest, NAME) == [OUT]
    lab.host.set_resolvers("127.0.0.53")
    stub = outside.Dns(lab.host, address="127.0.0.53", records={NAME: "192.0.2.5"})
    try:
        proc.wait_until("the stub answers", lambda: resolve(guest, NAME) == ["192.0.2.5"], 5)
    finally:
        stub.close()
        os.kill(lab.vnetd.pid_of("engine"), 18)


def test_port_53_taken(lab):
    """A resolver of the host that listens on every address."""
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    with lab.host.enter():
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taken.bind(("0.0.0.0", 53))
    vnetd.start()
    text = proc.wait_until("status says so", lambda: dns_warning(vnetd))
    assert "53" in text[0]
    taken.close()
    guest = lab.guest("vmnet8")
    guest.static("10.181.8.0/24", 10)
    proc.wait_until("it is tried again", lambda: resolve(guest, NAME) == [OUT], 10)
    proc.wait_until("status is content", lambda: not dns_warning(vnetd))


def test_networks_without_nat_have_no_proxy(lab, vnetd):
    guest = lab.guest("vmnet1")
    guest.static("10.181.1.0/24", 10)
    assert resolve(guest, NAME, "10.181.1.1", timeout=15) == []
    assert lab.outside.dns.asked(NAME) == 0


def test_addresses_follow_the_configuration(lab, guest):
    """The subnet moves: the proxy answers on the new gateway address."""
    lab.vnetd.write("networking", daemon.NETWORKING.replace("10.181.8.0", "10.181.9.0"))
    lab.vnetd.ctl("reload")
    moved = lab.guest("vmnet8")
    moved.static("10.181.9.0/24", 10)
    proc.wait_until("names are resolved", lambda: resolve(moved, NAME, "10.181.9.2") == [OUT], 5)
