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
from tests.net.test_dns_known import reply_with

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
