# SPDX-License-Identifier: GPL-2.0-or-later
"""What the DNS proxy answers itself: kept answers, names of guests, of the host and of /etc/hosts; and TCP."""

import random
import socket
import struct
import threading
import time

import pytest

from tests.kit import daemon, lab as lab_module, outside, proc
from tests.net.nat_kit import ADAPTER, GATEWAY, nat_conf, resolve, udp
from tests.net.test_dns import ask, raw_query, rcode, set_resolvers

NAME = lab_module.SERVER_NAME
OUT = lab_module.SERVER_ADDRESS


@pytest.fixture
def guest(lab, vnetd):
    g = lab.guest("vmnet8")
    g.static("10.181.8.0/24", 10)
    return g


def reply_with(ttl, address=OUT):
    return lambda q, *_: q.reply([(1, ttl, socket.inet_aton(address))])


def tcp(guest, address=GATEWAY, timeout=5):
    with guest.enter():
        sock = socket.create_connection((address, 53), timeout)
    return sock


def exchange(sock, query):
    sock.sendall(struct.pack("!H", len(query)) + query)
    got = b""
    while len(got) < 2 or len(got) < 2 + struct.unpack("!H", got[:2])[0]:
        part = sock.recv(65536)
        if not part:
            return None
        got += part
    return got[2:]


# --- kept answers ----------------------------------------------------------------------------------


def test_an_answer_is_kept_for_its_time(lab, guest):
    lab.outside.dns.hook = reply_with(3)
    assert resolve(guest, "kept.example.test") == [OUT]
    other = lab.guest("vmnet8")
    other.static("10.181.8.0/24", 11)
    assert resolve(other, "KEPT.example.test") == [OUT]
    assert lab.outside.dns.asked("kept.example.test") == 1
    proc.wait_until("its time is over",
                    lambda: resolve(guest, "kept.example.test") and lab.outside.dns.asked("kept.example.test") == 2, 10)


def test_what_does_not_exist_is_kept_as_its_zone_says(lab, guest):
    soa = b"\1a\0\1b\0" + struct.pack("!IIIII", 1, 2, 3, 4, 60)
    record = b"\xc0\x0c" + struct.pack("!HHIH", 6, 1, 600, len(soa)) + soa

    def nothing(query, *_):
        body = bytearray(query.reply(rcode=outside.NXDOMAIN))
        body[8:10] = b"\0\1"
        return bytes(body) + record

    lab.outside.dns.hook = nothing
    for _ in range(3):
        assert rcode(ask(guest, raw_query("nobody.example.test"))) == 3
    assert lab.outside.dns.asked("nobody.example.test") == 1


def test_without_a_server_kept_answers_go_on(lab, guest):
    assert resolve(guest, NAME) == [OUT]
    lab.outside.dns.hook = lambda *_: None
    assert resolve(guest, NAME) == [OUT]


def test_other_resolvers_or_routes_void_what_was_kept(lab, guest):
    lab.outside.dns.hook = reply_with(600, "192.0.2.1")
    assert resolve(guest, "a.example.test") == ["192.0.2.1"]
    lab.outside.dns.hook = reply_with(600, "192.0.2.2")
    assert resolve(guest, "a.example.test") == ["192.0.2.1"]
    # A VPN comes up, behind the same local resolver.
    lab.host.run("ip", "link", "add", "vpn0", "type", "veth", "peer", "vpn1")
    lab.host.run("ip", "link", "set", "vpn0", "up")
    lab.host.run("ip", "route", "add", "10.99.0.0/16", "dev", "vpn0")
    proc.wait_until("the answer is asked for anew", lambda: resolve(guest, "a.example.test") == ["192.0.2.2"], 5)
    lab.outside.dns.hook = reply_with(600, "192.0.2.3")
    lab.host.set_resolvers(lab_module.OUTSIDE_ADDRESS, "198.51.100.77")
    proc.wait_until("and again", lambda: resolve(guest, "a.example.test") == ["192.0.2.3"], 5)


def test_resolv_conf_changes_under_load(lab, guest):
    """Two servers in turn, ten times: every query gets its answer, if only to its repetition as a frame may be lost."""
    stop, bad, count = threading.Event(), [], [0]

    def load():
        with udp(guest, timeout=8) as sock:
            while not stop.is_set():
                count[0] += 1
                query = raw_query(f"n{count[0]}.example.test", ident=count[0] & 0xffff)
                answer = ask(guest, query, sock=sock) or ask(guest, query, sock=sock)
                if answer is None or rcode(answer) != 0:
                    bad.append((count[0], answer))

    stub = outside.Dns(lab.host, address="127.0.0.53")
    stub.hook = lab.outside.dns.hook = reply_with(60)
    thread = threading.Thread(target=load)
    thread.start()
    try:
        for i in range(10):
            lab.host.set_resolvers("127.0.0.53" if i % 2 == 0 else lab_module.OUTSIDE_ADDRESS)
            server = stub if i % 2 == 0 else lab.outside.dns
            seen = len(server.queries)
            proc.wait_until("the other server is asked", lambda: len(server.queries) > seen, 60)
    finally:
        stop.set()
        thread.join()
        stub.close()
    assert not bad and count[0] > 20


# --- names -----------------------------------------------------------------------------------------


def test_guests_and_the_host_have_names(lab, vnetd):
    one, two, elsewhere = lab.guest("vmnet8"), lab.guest("vmnet8"), lab.guest("vmnet1")
    lease = one.dhcp("udhcpc", hostname="Web1", keep=True)
    two.dhcp("udhcpc", hostname="db", keep=True)
    elsewhere.dhcp("udhcpc", hostname="other", keep=True)
    proc.wait_until("the name is known", lambda: resolve(two, "web1.localdomain") == [lease.ip], 10)
    for name in ("web1", "WEB1.vmnet8", "web1.localdomain."):
        assert resolve(two, name) == [lease.ip]
    assert resolve(two, "web1.localdomain", kind="AAAA") == []
    assert two.resolve("-x", GATEWAY, kind=lease.ip) == ["web1.localdomain."]
    assert resolve(two, "host.vmnet") == [ADAPTER]
    assert rcode(ask(two, raw_query("other.vmnet1"))) == 3
    assert not [q for _, _, q in lab.outside.dns.queries if q.name.lower().startswith(("web1", "host", "other"))]
    # After a restart of either, too.
    for name in ("vnet-natd", "vnet-dhcpd", "engine"):
        lab.vnetd.kill_and_await(name)
        proc.wait_until(f"names are known after {name}", lambda: resolve(two, "web1.vmnet8") == [lease.ip], 15)


def test_the_host_asks_like_a_guest(lab, vnetd):
    """Over UDP and TCP, at the network's own address."""
    lease = lab.guest("vmnet8").dhcp("udhcpc", hostname="web1", keep=True)

    def dig(*args):
        return lab.host.run("dig", "+short", "+tries=2", "+time=2", f"@{GATEWAY}", *args, check=False).out.split()

    proc.wait_until("the name is known", lambda: dig("web1.vmnet8") == [lease.ip], 10)
    assert dig("+tcp", "web1.vmnet8") == [lease.ip]
    assert dig("-x", lease.ip) == ["web1.localdomain."]
    assert dig(NAME) == [OUT]
    assert rcode(exchange(tcp(lab.host), raw_query("nobody.vmnet8"))) == 3


def test_etc_hosts_is_answered_and_followed(lab, guest):
    lab.host.write_file("/etc/hosts", "127.0.0.1 localhost\n192.0.2.50 nas.home nas\n2001:db8::50 nas\n")
    proc.wait_until("the file is read", lambda: resolve(guest, "nas") == ["192.0.2.50"], 5)
    assert resolve(guest, "nas", kind="AAAA") == ["2001:db8::50"]
    assert guest.resolve("-x", GATEWAY, kind="192.0.2.50") == ["nas.home."]
    lab.host.write_file("/etc/hosts", "192.0.2.51 nas\n")
    proc.wait_until("the new one is read", lambda: resolve(guest, "nas") == ["192.0.2.51"], 5)


# --- TCP -------------------------------------------------------------------------------------------


def test_a_long_answer_comes_by_tcp(lab, guest):
    """64 KiB, truncated over UDP, which dig then asks for over TCP."""
    strings = b"".join(b"\xff" + bytes([65 + i % 26]) * 255 for i in range(16))
    records = [(outside.TXT, 60, strings)] * 15

    def long(query, _peer, protocol):
        return query.reply(records) if protocol == "tcp" else query.reply(flags=0x8380)

    lab.outside.dns.hook = long
    rows = guest.resolve("long.example.test", GATEWAY, kind="TXT", extra=("+tries=1",))
    assert len(rows) == 15 and all(row.count("A" * 255) for row in rows)
    with tcp(guest) as sock:
        answer = exchange(sock, raw_query("long.example.test", 16))
        assert len(answer) > 60000 and answer[:2] == b"\x12\x34"
        # Kept answers and our own names come on the same connection.
        lab.outside.dns.hook = reply_with(60)
        assert socket.inet_aton(OUT) in exchange(sock, raw_query("t.example.test", ident=5))
        asked = lab.outside.dns.asked("t.example.test")
        assert socket.inet_aton(OUT) in exchange(sock, raw_query("T.example.test", ident=6))
        assert socket.inet_aton(OUT) in ask(guest, raw_query("t.example.test", ident=7))
        assert lab.outside.dns.asked("t.example.test") == asked == 1
        assert socket.inet_aton(ADAPTER) in exchange(sock, raw_query("host.vmnet"))
        assert rcode(exchange(sock, raw_query("example.test", 252))) == 5


def test_over_tcp_the_next_server_is_asked(lab, guest):
    """One that refuses the port, one that closes the connection, one that lies, one that answers."""
    dead = "198.51.100.77"
    lab.outside.run("ip", "addr", "add", f"{dead}/32", "dev", "lo")
    lab.outside.run("nft", "-f", "-", stdin=f"""
table ip t {{ chain in {{ type filter hook input priority 0; ip daddr {dead} tcp dport 53 reject with tcp reset; }}; }}
""")
    stub = outside.Dns(lab.host, address="127.0.0.53")
    stub.hook = lambda *_: None
    lab.host.set_resolvers(dead, "127.0.0.53", lab_module.OUTSIDE_ADDRESS)
    proc.wait_until("resolv.conf is read", lambda: f"{dead}, 127.0.0.53" in lab.vnetd.log_text())
    try:
        with tcp(guest) as sock:
            sock.settimeout(15)
            assert socket.inet_aton(OUT) in exchange(sock, raw_query(NAME))
            stub.hook = lambda q, *_: outside.Query(bytes([q[0] ^ 1]) + bytes(q[1:])).reply(
                [(1, 60, socket.inet_aton("6.6.6.6"))])
            lab.outside.dns.hook = reply_with(60)
            assert socket.inet_aton("6.6.6.6") not in exchange(sock, raw_query("lie.example.test"))
            lab.outside.dns.hook = lambda *_: None
            assert rcode(exchange(sock, raw_query("nobody.example.test"))) == 2
    finally:
        stub.close()


def test_over_tcp_a_slow_server_is_waited_for(lab):
    """Longer than a time-out where it is the only one, on the one connection; not where there is another."""
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.write("vmnet8/nat/nat.conf", nat_conf(dns="[dns]\ntimeout = 1\nretries = 3\n"))
    stub = outside.Dns(lab.host, address="127.0.0.53")
    stub.hook = reply_with(0, "192.0.2.99")

    def slow(query, *_):
        time.sleep(1.7)
        return query.reply([(1, 0, socket.inet_aton(OUT))])

    lab.outside.dns.hook = slow
    try:
        lab.vnetd.start()
        guest = lab.guest("vmnet8")
        guest.static("10.181.8.0/24", 10)
        with tcp(guest, timeout=10) as sock:
            assert socket.inet_aton(OUT) in exchange(sock, raw_query("slow.example.test"))
            assert lab.outside.dns.asked("slow.example.test") == 1
            lab.outside.dns.hook = lambda *_: time.sleep(4)
            start = time.monotonic()
            assert rcode(exchange(sock, raw_query("never.example.test"))) == 2
            assert 2.9 < time.monotonic() - start < 4
            lab.outside.dns.hook = slow
            set_resolvers(lab, lab_module.OUTSIDE_ADDRESS, "127.0.0.53")
            assert socket.inet_aton("192.0.2.99") in exchange(sock, raw_query("slow.example.test", ident=7))
    finally:
        stub.close()


def test_garbage_over_tcp_is_survived(lab, guest):
    pid = lab.vnetd.pid_of("vnet-natd")
    rng = random.Random(2)
    for i in range(60):
        with tcp(guest) as sock:
            data = rng.randbytes(rng.randrange(0, 3000))
            if i % 2:
                data = struct.pack("!H", max(len(data), 1)) + data
            try:
                sock.sendall(data)
            except OSError:
                pass
    with tcp(guest) as sock:
        assert socket.inet_aton(OUT) in exchange(sock, raw_query(NAME))
    assert lab.vnetd.pid_of("vnet-natd") == pid


def test_one_guest_cannot_take_all_connections(lab, guest):
    other = lab.guest("vmnet8")
    other.static("10.181.8.0/24", 11)
    held = [tcp(guest) for _ in range(40)]
    with tcp(other) as sock:
        assert socket.inet_aton(OUT) in exchange(sock, raw_query(NAME))
    proc.wait_until("the seventeenth is closed", lambda: held[20].recv(1) == b"", 5)
    held[0].sendall(struct.pack("!H", len(raw_query(NAME))) + raw_query(NAME))
    assert len(held[0].recv(4096)) > 20
    for sock in held:
        sock.close()


# --- nat.conf's [dns] ------------------------------------------------------------------------------


def test_nat_conf_decides_about_servers_and_time(lab):
    """autodetect off: only the named server is asked, retries times, timeout seconds each."""
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.write("vmnet8/nat/nat.conf",
                    nat_conf(dns=f"[dns]\npolicy = order\ntimeout = 1\nretries = 2\nautodetect = 0\n"
                                 f"nameserver1 = {lab_module.OUTSIDE_ADDRESS}\n"))
    lab.host.set_resolvers("127.0.0.53")
    stub = outside.Dns(lab.host, address="127.0.0.53", records={NAME: "192.0.2.99"})
    lab.outside.dns.hook = lambda *_: None
    try:
        lab.vnetd.start()
        guest = lab.guest("vmnet8")
        guest.static("10.181.8.0/24", 10)
        start = time.monotonic()
        assert rcode(ask(guest, raw_query("x.example.test"), timeout=20)) == 2
        assert time.monotonic() - start > 1.9
        assert lab.outside.dns.asked("x.example.test") == 2 and not stub.queries
        lab.vnetd.write("vmnet8/nat/nat.conf", nat_conf(dns="[dns]\nautodetect = 0\n"))
        lab.vnetd.ctl("reload")
        proc.wait_until("status says so", lambda: any(
            "autodetect" in w["text"] for w in lab.vnetd.json("status")["warnings"]))
    finally:
        stub.close()


def test_burst_asks_all_at_once(lab):
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.write("vmnet8/nat/nat.conf", nat_conf(dns="[dns]\npolicy = burst\ntimeout = 30\n"))
    stub = outside.Dns(lab.host, address="127.0.0.53")
    stub.hook = lambda *_: None
    lab.host.set_resolvers("127.0.0.53", lab_module.OUTSIDE_ADDRESS)
    try:
        lab.vnetd.start()
        guest = lab.guest("vmnet8")
        guest.static("10.181.8.0/24", 10)
        assert ask(guest, raw_query(NAME), timeout=20) is not None
        proc.wait_until("both were asked", lambda: stub.asked(NAME) == 1 and lab.outside.dns.asked(NAME) == 1, 5)
    finally:
        stub.close()


# --- rebinding -------------------------------------------------------------------------------------


def test_names_of_the_internet_do_not_lead_into_private_networks(lab):
    """Only where rebind-protection is on, and not in private-domains; over UDP, over TCP and from kept answers."""
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    vnetd.write("vnetd.conf", "[vmnet8]\nrebind-protection = yes\nprivate-domains = corp.test\n")
    vnetd.start()
    guest = lab.guest("vmnet8")
    guest.static("10.181.8.0/24", 10)
    records = lab.outside.dns.records
    for name in ("evil.example.test", "www.corp.test", "printer"):
        records[name] = "192.168.1.1"
    records.update({"ours.example.test": "10.181.1.128", "mixed.example.test": [OUT, "127.0.0.1"]})
    for name in ("evil", "ours", "mixed", "EVIL"):
        out = guest.run("dig", f"@{GATEWAY}", f"{name}.example.test").out
        assert "status: REFUSED" in out and "ANSWER: 0" in out, name
    assert lab.outside.dns.asked("evil.example.test") == 1
    assert "EDE: 15 (Blocked)" in out
    with tcp(guest) as sock:
        for _ in range(2):
            assert rcode(exchange(sock, raw_query("evil.example.test"))) == 5
            assert rcode(exchange(sock, raw_query("ours.example.test"))) == 5
    assert resolve(guest, NAME) == [OUT]
    assert resolve(guest, "www.corp.test") == ["192.168.1.1"]
    assert resolve(guest, "printer") == ["192.168.1.1"]
    proc.wait_until("the log says so", lambda: 'vmnet8: 10.181.8.10 asked for "evil.example.test", whose address '
                    "192.168.1.1 is none of the Internet" in vnetd.log_text())
    # A reload is enough, in both directions.
    vnetd.write("vnetd.conf", "")
    vnetd.ctl("reload")
    proc.wait_until("it is off", lambda: resolve(guest, "evil.example.test") == ["192.168.1.1"], 5)
    vnetd.write("vnetd.conf", "[vmnet8]\nrebind-protection = yes\n")
    vnetd.ctl("reload")
    proc.wait_until("it is on", lambda: resolve(guest, "www.corp.test") == [], 5)
