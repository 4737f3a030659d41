# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers that lie, die or are replaced while guests ask: whose answer counts, and how long a guest waits for it."""

import socket
import statistics
import struct
import threading
import time

import pytest

from tests.kit import daemon, lab as lab_module, outside, proc
from tests.net.nat_kit import nat_conf, udp
from tests.net.test_dns import ask, raw_query, rcode
from tests.net.test_dns_known import exchange, reply_with, tcp

OUT = lab_module.SERVER_ADDRESS
UPSTREAM = lab_module.OUTSIDE_ADDRESS
LIE = socket.inet_aton("6.6.6.6")


@pytest.fixture
def guest(lab):
    """With a time-out that no test waits for: whatever is answered was not asked twice."""
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.write("vmnet8/nat/nat.conf", nat_conf(dns="[dns]\ntimeout = 30\n"))
    lab.vnetd.start()
    g = lab.guest("vmnet8")
    g.static("10.181.8.0/24", 10)
    return g


def datagram(source, port, peer, payload):
    """UDP over IPv4 as a raw socket sends it, from any address and port."""
    body = struct.pack("!HHHH", port, peer[1], 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, 17, 0,
                       socket.inet_aton(source), socket.inet_aton(peer[0]))
    return head + body


@pytest.mark.parametrize("wrong", ["address", "port", "id", "question", "type", "opcode bit"])
def test_an_answer_counts_only_if_all_of_it_fits(lab, guest, wrong):
    """A lie comes first, wrong in one thing, from who knows everything else; the answer comes behind it."""

    def hook(query, peer, _protocol):
        lie = bytearray(query.reply([(1, 60, LIE)]))
        source, port = UPSTREAM, 53
        if wrong == "address":
            source = "198.51.100.99"
        elif wrong == "port":
            port = 54
        elif wrong == "id":
            lie[1] ^= 1
        elif wrong == "question":
            lie[13] ^= 0x04
        elif wrong == "type":
            lie[12 + len(query.name) + 3] = 28
        else:
            lie[2] &= 0x7f  # a query
        with lab.outside.enter(), socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            for _ in range(5):
                raw.sendto(datagram(source, port, peer, bytes(lie)), (peer[0], 0))
        time.sleep(0.2)
        return query.reply([(1, 60, socket.inet_aton(OUT))])

    lab.outside.dns.hook = hook
    answer = ask(guest, raw_query("name.example.test"), timeout=10)
    assert answer is not None and LIE not in answer and socket.inet_aton(OUT) in answer
    assert lab.outside.dns.asked("name.example.test") == 1


def test_the_spelling_of_a_query_comes_back(lab, guest):
    """0x20: as the guest spelled it, whether a server answers or an answer was kept; the server sees it, too."""
    lab.outside.dns.hook = reply_with(60)
    for spelling in ("nAmE.ExAmPlE.tEsT", "NAME.example.test", "name.EXAMPLE.Test"):
        answer = ask(guest, raw_query(spelling))
        assert outside.Query(answer).name == spelling
    assert [q.name for _, _, q in lab.outside.dns.queries if q.name.lower() == "name.example.test"] == ["nAmE.ExAmPlE.tEsT"]


def test_queries_move_to_the_new_servers_at_once(lab, guest):
    """resolv.conf is swapped ten times while a guest asks, each time because the server of before has died.

    With a time-out of 30 seconds only the change itself can bring those queries to the new one.
    """
    stub = outside.Dns(lab.host, address="127.0.0.53")
    servers = {UPSTREAM: lab.outside.dns, "127.0.0.53": stub}
    stop, waits, lost = threading.Event(), [], []

    def load():
        with udp(guest, timeout=10) as sock:
            for n in range(1 << 16):
                if stop.is_set():
                    return
                start = time.monotonic()
                answer = ask(guest, raw_query(f"n{n}.example.test", ident=n), sock=sock)
                waits.append((start, time.monotonic() - start))
                if answer is None or rcode(answer) != 0:
                    lost.append((n, answer))

    lab.outside.dns.hook = reply_with(60)
    thread = threading.Thread(target=load)
    thread.start()
    swaps = []
    try:
        for i in range(10):
            new = "127.0.0.53" if i % 2 == 0 else UPSTREAM
            for address, server in servers.items():
                server.hook = reply_with(60) if address == new else lambda *_: None
            seen = len(servers[new].queries)
            swaps.append(time.monotonic())
            lab.host.set_resolvers(new)
            proc.wait_until("the new server is asked", lambda: len(servers[new].queries) > seen + 5, 20)
    finally:
        stop.set()
        thread.join()
        stub.close()
    assert not lost and len(waits) > 60
    # The longest wait around each swap; half of them may have met a busy machine.
    longest = [max(w for start, w in waits if start - 0.05 <= swap + 1 and start + w >= swap) for swap in swaps]
    assert statistics.median(longest) < 1, longest


def test_rotate_begins_with_each_server_in_turn(lab):
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.write("vmnet8/nat/nat.conf", nat_conf(dns="[dns]\npolicy = rotate\ntimeout = 30\n"))
    stub = outside.Dns(lab.host, address="127.0.0.53")
    stub.hook = lab.outside.dns.hook = reply_with(0)
    lab.host.set_resolvers("127.0.0.53", UPSTREAM)
    try:
        lab.vnetd.start()
        guest = lab.guest("vmnet8")
        guest.static("10.181.8.0/24", 10)
        for i in range(20):
            assert ask(guest, raw_query(f"n{i}.example.test", ident=i), timeout=10) is not None
        counts = [sum(q.name.startswith("n") for _, _, q in s.queries) for s in (stub, lab.outside.dns)]
        assert sum(counts) >= 20 and min(counts) >= 8, counts
    finally:
        stub.close()


@pytest.mark.parametrize("over", ["udp", "tcp"])
def test_a_name_that_is_asked_for_often_is_asked_for_in_advance(lab, guest, over):
    """Within the last tenth of its time a guest gets the kept answer, and the server is asked beside it."""
    query = raw_query("hot.example.test")
    lab.outside.dns.hook = reply_with(20)
    start = time.monotonic()
    for _ in range(4):
        assert ask(guest, query) is not None
    assert lab.outside.dns.asked("hot.example.test") == 1
    time.sleep(start + 18.3 - time.monotonic())
    # Whoever asks now need not wait for a server, which does not even answer at first.
    lab.outside.dns.hook = lambda *_: None
    if over == "tcp":
        with tcp(guest) as sock:
            answer = exchange(sock, query)
    else:
        answer = ask(guest, query, timeout=5)
    assert answer is not None and socket.inet_aton(OUT) in answer
    proc.wait_until("the server is asked", lambda: lab.outside.dns.asked("hot.example.test") == 2, 5)


@pytest.mark.parametrize("how", ["down", "deleted"])
def test_a_vpn_that_goes_takes_its_answers_along(lab, guest, how):
    """Its link goes down or away and with it its route: what was kept is asked for anew, without a change of resolv.conf."""
    lab.host.run("ip", "tuntap", "add", "vpn0", "mode", "tun")
    lab.host.run("ip", "link", "set", "vpn0", "up")
    lab.host.run("ip", "route", "add", "10.99.0.0/16", "dev", "vpn0")
    lab.outside.dns.hook = reply_with(600, "10.99.0.1")
    name = raw_query("intranet.example.test")

    def address():
        answer = ask(guest, name)
        return answer and socket.inet_ntoa(answer[-4:])

    # The route's own event may still be on its way when the first answer is kept.
    proc.wait_until("the answer is kept", lambda: address() == "10.99.0.1", 5)
    lab.outside.dns.hook = reply_with(600, "192.0.2.2")
    lab.host.run("ip", "link", *(("set", "vpn0", "down") if how == "down" else ("del", "vpn0")))
    proc.wait_until("it is asked for anew", lambda: address() == "192.0.2.2", 5)
