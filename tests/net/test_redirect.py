# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP redirection under the real vnetd: files of redirect.d, reload, killed processes, names, vnetctl.

The client is in the outside's namespace, the targets are servers in the host's own and in guests'.
"""

import contextlib
import socket
import threading

import pytest

from tests.kit import proc
from tests.kit.redirects import (  # noqa: F401 - fixtures are found by their names
    HOST, NEAR, dial, echo, read_name, row, says, Server, service, servers, two,
)

MB = 1 << 20


def test_files_make_redirections_and_their_end_ends_the_process(lab, two):
    assert (says(lab, 7001), says(lab, 7002)) == (b"a", b"b")
    held = dial(lab, 7001)
    assert read_name(held) == b"a"
    for name in ("one", "two"):
        (two.config / "redirect.d" / name).unlink()
    two.ctl("reload")
    with pytest.raises(ConnectionRefusedError):
        dial(lab, 7001)
    echo(held)  # its service is gone, it is not
    pid = two.pid_of("vnet-redird")
    # One that is about to end takes up a service that comes meanwhile.
    two.write("redirect.d/two", service("two", 7002, f"{NEAR} 9002"))
    two.ctl("reload")
    assert says(lab, 7002) == b"b" and two.pid_of("vnet-redird") == pid
    (two.config / "redirect.d/two").unlink()
    two.ctl("reload")
    echo(held)
    held.close()
    proc.wait_until("the redirector has ended", lambda: "vnet-redird" not in two.pids())
    two.write("redirect.d/one", service("one", 7001, f"{NEAR} 9001"))
    two.ctl("reload")
    assert says(lab, 7001) == b"a"


def test_at_the_start_with_the_port_of_etc_services(lab, servers):
    """The example of xinetd: its port is that of the name."""
    services = lab.host.run("cat", "/etc/services").out
    lab.host.write_file("/etc/services", services + "hoge-ssh\t10022/tcp\n")
    lab.vnetd.write(
        "redirect.d/hoge-ssh",
        "service hoge-ssh\n{\n\tdisable = no\n\tsocket_type = stream\n\tprotocol = tcp\n\twait = no\n"
        f"\tuser = daemon\n\tgroup = sys\n\tredirect = {NEAR} 9001\n}}\n",
    )
    lab.vnetd.start()
    assert says(lab, 10022) == b"a"


def test_reload_changes_one_service_and_leaves_connections_alone(lab, two):
    pid = two.pid_of("vnet-redird")
    one, other = dial(lab, 7001), dial(lab, 7002)
    assert (read_name(one), read_name(other)) == (b"a", b"b")
    two.write("redirect.d/two", service("two", 7002, f"{NEAR} 9003"))
    two.ctl("reload")
    assert (says(lab, 7001), says(lab, 7002)) == (b"a", b"c")
    two.write("redirect.d/two", service("two", 7012, f"{NEAR} 9003"))
    two.ctl("reload")
    assert says(lab, 7012) == b"c"
    with pytest.raises(ConnectionRefusedError):
        dial(lab, 7002)
    echo(one)
    echo(other)
    assert two.pid_of("vnet-redird") == pid


def test_rules_limits_banners_and_logs(lab, vnetd, servers):
    """Everything that the redirector does beside relaying, below its filter."""
    vnetd.write("redirect.d/banners/hi", "hi ")
    vnetd.write(
        "redirect.d/all",
        "defaults\n{\n\tlog_on_success = HOST PID DURATION EXIT TRAFFIC\n\tlog_on_failure = HOST\n"
        "\tlog_type = SYSLOG daemon info\n}\n"
        + service("all", 7001, f"{NEAR} 9001", "access_times = 0:00-24:00", "max_load = 1000.0",
                  "per_source = 2", "banner_success = banners/hi", "flags = KEEPALIVE",
                  "only_from = 198.51.100.0", "timeout_idle = 1")
        + service("never", 7002, f"{NEAR} 9001", "no_access = 0.0.0.0/0"),
    )
    vnetd.ctl("reload")
    pid = vnetd.pid_of("vnet-redird")
    with dial(lab, 7001) as conn:
        assert read_name(conn, 4) == b"hi a"
        echo(conn, b"x" * (4 * MB // 64))
        conn.settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            assert conn.recv(1) == b""  # idle for too long
    with pytest.raises(ConnectionError), dial(lab, 7002) as conn:
        read_name(conn)
    def logged(text):
        proc.wait_until(text, lambda: text in vnetd.log_text())
    logged(f"START: all pid=0 from={NEAR}")
    logged("EXIT: all status=")
    logged("TRAFFIC: all in=65536(bytes) out=65537(bytes)")
    logged(f"FAIL: never address from={NEAR}")
    assert vnetd.pid_of("vnet-redird") == pid


def test_broken_file_is_told_with_its_place_and_the_old_service_stays(lab, two):
    text = service("one", 7001, f"{NEAR} 9003").replace("redirect =", "redirekt =")
    two.write("redirect.d/one", text)
    two.write("redirect.d/two", service("two", 7002, f"{NEAR} 9003"))
    res = two.ctl("reload", check=False)
    assert res.rc == 1
    assert "redirect.d/one:5:2: " in res.err and "redirekt" in res.err
    assert "Redirection one keeps its running configuration" in res.err
    assert (says(lab, 7001), says(lab, 7002)) == (b"a", b"c")
    check = two.ctl("check", check=False)
    assert check.rc == 1 and "redirect.d/one:5:2: " in check.out
    alone = two.host.run("vnetd", "-n", *two.dirs, check=False)
    assert alone.rc == 1 and "redirect.d/one:5:2: " in alone.err
    assert "redirection one: a newer version of it has errors" in two.ctl("status").out


def test_good_service_takes_the_id_of_a_bad_one(lab, two):
    """The redirector hears of no two services of one name, which it would refuse."""
    held = dial(lab, 7001)
    assert read_name(held) == b"a"
    bad = service("one", 7001, f"{NEAR} 9001").replace("redirect =", "redirekt =")
    two.write("redirect.d/one", bad + service("one", 7011, f"{NEAR} 9003"))
    assert two.ctl("reload", check=False).rc == 1
    assert (says(lab, 7011), says(lab, 7002)) == (b"c", b"b")
    two.write("redirect.d/one", service("one", 7001, f"{NEAR} 9003"))
    two.ctl("reload")
    assert (says(lab, 7001), says(lab, 7002)) == (b"c", b"b")
    echo(held)


def test_redirection_to_an_address_of_the_host_leads_nobody_to_itself(lab, vnetd, servers):
    vnetd.write("redirect.d/one", service("one", 7001, f"{HOST} 7001", "cps = 0 0"))
    vnetd.ctl("reload")
    with pytest.raises(ConnectionError), dial(lab, 7001) as conn:
        read_name(conn)
    assert row(vnetd, "one")["state"] == "failed" and row(vnetd, "one")["accepted"] == 1
    assert f"it redirects to itself: it listens at {HOST}:7001" in vnetd.ctl("status").out
    lab.host.run("ip", "addr", "del", f"{HOST}/24", "dev", "up0")
    proc.wait_until("it is another's", lambda: row(vnetd, "one")["state"] == "ok")


def test_link_local_addresses_follow_their_interface(lab, vnetd, servers):
    """An interface that is made anew has its name, and another number."""
    host = lab.host

    def make():
        host.run("ip", "link", "add", "ll0", "type", "veth", "peer", "name", "ll1")
        host.run("ip", "link", "set", "ll1", "up")
        host.run("ip", "link", "set", "ll0", "up")
        host.run("ip", "addr", "add", "fe80::77/64", "dev", "ll0", "nodad")

    def served():
        with host.enter(), socket.create_connection(("fe80::77%ll0", 7001), timeout=5) as conn:
            return read_name(conn)

    def led():
        with contextlib.suppress(OSError, AssertionError):
            return says(lab, 7002)

    make()
    vnetd.write("redirect.d/one", service("one", 7001, f"{NEAR} 9001", "bind = fe80::77%ll0"))
    vnetd.write("redirect.d/two", service("two", 7002, "fe80::77%ll0 7001"))
    vnetd.ctl("reload")
    assert (served(), led()) == (b"a", b"a")
    host.run("ip", "link", "del", "ll0")
    proc.wait_until("it is missed", lambda: row(vnetd, "one")["state"] == "failed")
    assert 'there is no interface "ll0"' in vnetd.ctl("status").out
    make()
    proc.wait_until("it listens", lambda: row(vnetd, "one")["state"] == "ok")
    assert served() == b"a"
    proc.wait_until("it leads there", lambda: led() == b"a")
    # Made anew while nobody looks.
    vnetd.stop(proc.signal.SIGKILL)
    host.run("ip", "link", "del", "ll0")
    make()
    vnetd.start()
    proc.wait_until("it listens", lambda: row(vnetd, "one")["state"] == "ok")
    assert (served(), led()) == (b"a", b"a")


def is_full(lab, port):
    with pytest.raises(ConnectionError), dial(lab, port) as conn:
        read_name(conn)
    return True


def test_limits_and_counters_outlive_names_that_are_not_known(lab, vnetd, servers):
    """A killed engine, or a reload with another name, knows none of them at first."""
    def write(*lines):
        vnetd.write("redirect.d/one", service("one", 7001, "target.example.test 9001", "per_source = 2",
                                              *lines))
        vnetd.ctl("reload")

    lab.host.write_file("/etc/hosts", f"{NEAR} target.example.test\n203.0.113.9 foe.example.test\n")
    write()
    conns = [dial(lab, 7001) for _ in range(2)]
    assert [read_name(conn) for conn in conns] == [b"a", b"a"]
    assert is_full(lab, 7001)
    pid = vnetd.pid_of("vnet-redird")
    vnetd.kill_and_await("engine")
    proc.wait_until("it is known", lambda: row(vnetd, "one")["resolved"] == NEAR)
    assert is_full(lab, 7001)
    write("no_access = foe.example.test")
    assert is_full(lab, 7001)
    there = row(vnetd, "one")
    assert (there["connections"], there["accepted"]) == (2, 2)
    assert vnetd.pid_of("vnet-redird") == pid
    for conn in conns:
        echo(conn)


def test_killed_engine_refuses_nobody_at_an_own_address_by_name(lab, vnetd, servers):
    lab.outside.dns.records["me.example.test"] = HOST
    vnetd.write("redirect.d/one", service("one", 7001, f"{NEAR} 9001", "bind = me.example.test",
                                          "cps = 0 0"))
    vnetd.ctl("reload")
    proc.wait_until("it listens", lambda: says(lab, 7001) == b"a")
    load = Load(lab, 7001)
    for _ in range(3):
        before = load.served
        proc.wait_until("clients are served", lambda: load.served > before + 50)
        vnetd.kill_and_await("engine")
    before = load.served
    proc.wait_until("clients are served again", lambda: load.served > before + 50)
    load.end()
    assert (load.refused, load.cut) == (0, 0)


def test_taken_port_is_told_and_taken_over_when_free(lab, vnetd, servers):
    with lab.host.enter():
        other = socket.create_server(("0.0.0.0", 7001))
    vnetd.write("redirect.d/one", service("one", 7001, f"{NEAR} 9001"))
    vnetd.ctl("reload")
    assert "redirection one: TCP port 7001 of that address is taken" in vnetd.ctl("status").out
    other.close()
    proc.wait_until("it listens", lambda: says(lab, 7001) == b"a")


class Load:
    """Clients that connect one after the other, each with a name to read; what was refused is kept."""

    def __init__(self, lab, port, clients=4):
        self.refused, self.served, self.cut = 0, 0, 0
        self._end, self._lock = False, threading.Lock()
        self._threads = [
            threading.Thread(target=self._run, args=(lab, port), daemon=True) for _ in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def _run(self, lab, port):
        while not self._end:
            outcome = "served"
            try:
                with dial(lab, port, timeout=10) as conn:
                    # A killed redirector cuts what it had accepted.
                    with contextlib.suppress(ConnectionResetError):
                        outcome = "served" if conn.recv(1) else "cut"
            except ConnectionRefusedError:
                outcome = "refused"
            except ConnectionResetError:
                outcome = "cut"
            with self._lock:
                setattr(self, outcome, getattr(self, outcome) + 1)

    def end(self):
        self._end = True
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


@pytest.mark.parametrize("who", ["vnet-redird", "engine"])
def test_killed_process_refuses_nobody(lab, two, who):
    load = Load(lab, 7002)
    for _ in range(3):
        before = load.served
        proc.wait_until("clients are served", lambda: load.served > before + 50)
        two.kill_and_await(who)
    before = load.served
    proc.wait_until("clients are served again", lambda: load.served > before + 50)
    load.end()
    assert load.refused == 0
    if who == "engine":
        assert load.cut == 0


def test_connection_outlives_the_engine(lab, two):
    held = dial(lab, 7001)
    assert read_name(held) == b"a"
    two.kill_and_await("engine")
    echo(held)
    two.ctl("reload")
    echo(held)


@pytest.mark.parametrize("sig", [proc.signal.SIGTERM, proc.signal.SIGKILL])
def test_connection_outlives_vnetd(lab, two, sig):
    held = dial(lab, 7001)
    assert read_name(held) == b"a"
    old = two.pid_of("vnet-redird")
    two.stop(sig, but="vnet-redird")
    echo(held)
    with pytest.raises(OSError):
        dial(lab, 7001)
    two.start()
    assert (says(lab, 7001), says(lab, 7002)) == (b"a", b"b")
    assert two.pid_of("vnet-redird") != old
    echo(held, b"y" * MB)
    held.close()
    proc.wait_until("the old one has ended", lambda: not proc.alive(old))
    assert (says(lab, 7001), says(lab, 7002)) == (b"a", b"b")


def test_teardown_ends_connections_too(lab, two):
    held = dial(lab, 7001)
    assert read_name(held) == b"a"
    old = two.pid_of("vnet-redird")
    two.stop(but="vnet-redird")
    echo(held)
    two.teardown()
    proc.wait_until("it has ended", lambda: not proc.alive(old))
    with pytest.raises(OSError):
        held.sendall(b"x" * MB)
        assert held.recv(1) != b""


def test_works_again_after_a_restart(lab, two):
    two.restart()
    assert (says(lab, 7001), says(lab, 7002)) == (b"a", b"b")
    two.stop(proc.signal.SIGKILL)
    two.start()
    assert (says(lab, 7001), says(lab, 7002)) == (b"a", b"b")


def aliases(lab, ifname="up0"):
    rows = lab.host.ip("addr", "show", "dev", ifname)
    return sorted(a["local"] for r in rows for a in r["addr_info"] if a["local"].endswith("77"))


def test_address_of_a_moved_server_is_added_and_removed(lab, vnetd, servers):
    old, six = "198.51.100.77", "2001:db8::77"
    one = service("one", 7001, f"{NEAR} 9001", f"bind = {old}", "listen_alias = yes")
    two = service("two", 7001, f"{NEAR} 9002", f"bind = {six}", "listen_alias = up0")
    vnetd.write("redirect.d/one", one + two)
    vnetd.ctl("reload")
    assert aliases(lab) == [old, six]
    assert says(lab, 7001, address=old) == b"a"
    vnetd.kill_and_await("engine")
    lab.host.run("ip", "addr", "del", f"{old}/32", "dev", "up0")
    proc.wait_until("the address is back", lambda: aliases(lab) == [old, six])
    vnetd.stop(proc.signal.SIGKILL)
    vnetd.write("redirect.d/one", one)
    vnetd.start()
    assert aliases(lab) == [old]
    assert says(lab, 7001, address=old) == b"a"
    (vnetd.config / "redirect.d/one").unlink()
    vnetd.ctl("reload")
    assert aliases(lab) == []
    assert f"{HOST}/24" in lab.host.addresses("up0")
    vnetd.write("redirect.d/one", one)
    vnetd.ctl("reload")
    vnetd.stop()
    assert aliases(lab) == [old]
    vnetd.teardown()
    assert aliases(lab) == []


def test_neighbours_of_the_moved_server_find_its_address_at_once(lab, vnetd, servers):
    """They have the old server's MAC in their caches, and get the interface's without asking."""
    old, six, mac = "198.51.100.77", "2001:db8::77", "02:00:00:00:00:99"
    ours = lab.host.links()["up0"]["address"]

    def remember(address):
        argv = ("lladdr", mac, "dev", "eth0", "nud", "stale")
        lab.outside.run("ip", "neigh", "replace", address, *argv)

    def found(address):
        rows = lab.outside.ip("neigh", "show", address, "dev", "eth0")
        return [r.get("lladdr") for r in rows] == [ours]

    for address in (old, six):
        remember(address)
    vnetd.write(
        "redirect.d/one",
        service("one", 7001, f"{NEAR} 9001", f"bind = {old}", "listen_alias = yes")
        + service("two", 7001, f"{NEAR} 9002", f"bind = {six}", "listen_alias = up0"),
    )
    vnetd.ctl("reload")
    for address in (old, six):
        proc.wait_until(f"{address} is known", lambda a=address: found(a))
    assert says(lab, 7001, address=old) == b"a"
    # And once more, as one frame may get lost.
    for address in (old, six):
        remember(address)
    for address in (old, six):
        proc.wait_until(f"{address} is known again", lambda a=address: found(a))
    # Guests are neighbours too, behind the gate of our own bridge.
    guest = lab.guest("vmnet8")
    guest.dhcp("udhcpc")
    inside = vnetd.address(8, 77)
    guest.run("ip", "neigh", "replace", inside, "lladdr", mac, "dev", "eth0", "nud", "stale")
    vnetd.write("redirect.d/three", service("three", 7003, f"{NEAR} 9003", f"bind = {inside}",
                                            "listen_alias = yes"))
    vnetd.ctl("reload")
    bridge = lab.host.links()["vmnet8"]["address"]

    def known():
        rows = guest.ip("neigh", "show", inside, "dev", "eth0")
        return [r.get("lladdr") for r in rows] == [bridge]

    proc.wait_until("the guest knows it", known)


def test_connection_ends_with_its_added_address(lab, vnetd, servers):
    """Clients are told by a reset while the address is there; who shares it, or came elsewhere, goes on."""
    old, other = "198.51.100.77", "198.51.100.177"

    def write(**binds):
        for name, (port, bind) in binds.items():
            lines = (f"bind = {bind}", "listen_alias = yes") if bind else ()
            vnetd.write(f"redirect.d/{name}", service(name, port, f"{NEAR} 9001", *lines))
        for file in (vnetd.config / "redirect.d").iterdir():
            if file.name not in binds:
                file.unlink()
        vnetd.ctl("reload")

    write(one=(7001, old), two=(7002, old), here=(7003, None))
    conns = [dial(lab, 7001, address=old), dial(lab, 7002, address=old), dial(lab, 7003)]
    for conn in conns:
        assert read_name(conn) == b"a"
    one, two, here = conns
    # The address is another's too, so it stays.
    write(two=(7002, old))
    assert aliases(lab) == [old]
    echo(one)
    echo(here)
    # It becomes another one: what was connected to it is told.
    write(two=(7002, other))
    assert aliases(lab) == [other]
    for conn in (one, two):
        with pytest.raises(ConnectionResetError):
            conn.recv(1)
    assert says(lab, 7002, address=other) == b"a"
    two = dial(lab, 7002, address=other)
    read_name(two)
    # Disabled is removed.
    vnetd.write("redirect.d/two", service("two", 7002, f"{NEAR} 9001", f"bind = {other}",
                                          "listen_alias = yes", "disable = yes"))
    vnetd.ctl("reload")
    assert aliases(lab) == []
    with pytest.raises(ConnectionResetError):
        two.recv(1)
    echo(here)
    here.close()
    proc.wait_until("the redirector has ended", lambda: "vnet-redird" not in vnetd.pids())


def test_connection_of_an_address_that_others_took_away_ends(lab, vnetd, servers):
    """Nobody tells the redirector that its client cannot be reached: it asks after a while, and gets no answer."""
    old = "198.51.100.77"
    keys = {"time": 1, "intvl": 1, "probes": 2}
    lab.host.run("sysctl", "-qw", *(f"net.ipv4.tcp_keepalive_{key}={n}" for key, n in keys.items()))
    vnetd.write("redirect.d/one", service("one", 7001, f"{NEAR} 9001", f"bind = {old}",
                                          "listen_alias = yes"))
    vnetd.ctl("reload")
    held = dial(lab, 7001, address=old)
    assert read_name(held) == b"a"
    left = vnetd.pid_of("vnet-redird")
    vnetd.stop(but="vnet-redird")
    lab.host.run("ip", "addr", "del", f"{old}/32", "dev", "up0")
    proc.wait_until("the redirector has ended", lambda: not proc.alive(left))


def test_captured_port_comes_to_the_service(lab, vnetd, servers):
    """As iptables -j REDIRECT: another port of the bound address, and of no other."""
    lab.host.run("ip", "addr", "add", "198.51.100.5/32", "dev", "up0")
    one = service("one", 10080, f"{NEAR} 9001", f"bind = {HOST}", "capture_port = 80")
    vnetd.write("redirect.d/one", one)
    vnetd.ctl("reload")
    assert (says(lab, 10080), says(lab, 80)) == (b"a", b"a")
    with lab.host.enter(), socket.create_connection((HOST, 80), timeout=5) as conn:
        assert read_name(conn) == b"a"
    guest = lab.guest("vmnet8")
    guest.dhcp("udhcpc")
    with guest.enter(), socket.create_connection((HOST, 80), timeout=5) as conn:
        assert read_name(conn) == b"a"
    with pytest.raises(ConnectionRefusedError):
        dial(lab, 80, address="198.51.100.5")
    held = dial(lab, 80)
    read_name(held)
    (vnetd.config / "redirect.d/one").unlink()
    vnetd.ctl("reload")
    with pytest.raises(ConnectionRefusedError):
        dial(lab, 80)
    echo(held)


def test_captured_port_of_an_ipv6_address_comes_to_the_service(lab, vnetd, servers):
    six, near = "2001:db8::1", "2001:db8::2"
    lab.host.run("ip", "addr", "add", f"{six}/64", "dev", "up0", "nodad")
    lab.host.run("ip", "addr", "add", "2001:db8::5/64", "dev", "up0", "nodad")
    lab.outside.run("ip", "addr", "add", f"{near}/64", "dev", "eth0", "nodad")
    one = service("one", 10080, f"{NEAR} 9001", f"bind = {six}", "capture_port = 80")
    vnetd.write("redirect.d/one", one)
    vnetd.ctl("reload")
    assert says(lab, 10080, address=six) == b"a"
    proc.wait_until("the rule is there", lambda: six in lab.host.run("nft", "list", "ruleset").out)
    assert says(lab, 80, address=six) == b"a"
    with lab.host.enter(), socket.create_connection((six, 80), timeout=5) as conn:
        assert read_name(conn) == b"a"
    for address in ("2001:db8::5", HOST):
        with pytest.raises(ConnectionRefusedError):
            dial(lab, 80, address=address)
    held = dial(lab, 80, address=six)
    read_name(held)
    (vnetd.config / "redirect.d/one").unlink()
    vnetd.ctl("reload")
    with pytest.raises(ConnectionRefusedError):
        dial(lab, 80, address=six)
    echo(held)


# --- names --------------------------------------------------------------------------------------


def test_name_of_a_guest_is_its_lease(lab, vnetd):
    """The target's name is that of a guest: known as soon as it has a lease, and followed."""
    vnetd.write("redirect.d/db", service("db", 7001, "db 9001"))
    vnetd.ctl("reload")
    assert row(vnetd, "db")["state"] in ("starting", "waiting")
    first = lab.guest("vmnet8", mac="52:54:00:00:00:01")
    lease = first.dhcp("udhcpc", hostname="db")
    first.keep(Server(first, "0.0.0.0", 9001, b"1"))
    proc.wait_until("its address is known", lambda: row(vnetd, "db")["resolved"] == lease.ip)
    proc.wait_until("it is served", lambda: says(lab, 7001) == b"1")
    shown = vnetd.json("redirect", "show", "db")["redirection"]
    assert (shown["target"], shown["state"]) == ("db:9001", "ok")


def test_name_of_the_hosts_resolvers(lab, vnetd, servers):
    lab.outside.dns.records["target.example.test"] = NEAR
    lab.outside.dns.records["friend.example.test"] = "203.0.113.99"
    vnetd.write("redirect.d/one", service("one", 7001, "target.example.test 9001"))
    vnetd.write(
        "redirect.d/two", service("two", 7002, f"{NEAR} 9002", "only_from = friend.example.test")
    )
    vnetd.ctl("reload")
    proc.wait_until("the name is known", lambda: row(vnetd, "one")["resolved"] == NEAR)
    assert says(lab, 7001) == b"a"
    with pytest.raises(ConnectionError), dial(lab, 7002) as conn:
        read_name(conn)
    lab.host.write_file("/etc/hosts", f"{NEAR} friend.example.test\n")
    vnetd.kill_and_await("vnet-natd")  # names are asked for again when it is back
    proc.wait_until("the friend is let in", lambda: says(lab, 7002) == b"b")


# --- vnetctl redirect ---------------------------------------------------------------------------


def test_list_counts_bytes_as_they_were_sent(lab, two, servers):
    """Bytes of redirect list equal the bytes sent: both ways, ended connections and live ones."""
    sent = {"one": [0, 0], "two": [0, 0]}
    live = []
    for name, port, sizes in (("one", 7001, (1, 70000)), ("two", 7002, (3 * MB + 1,))):
        for size in sizes:
            conn = dial(lab, port, timeout=20)
            read_name(conn)
            feeder = threading.Thread(target=conn.sendall, args=(b"x" * size,))
            feeder.start()
            read_name(conn, size)
            feeder.join()
            sent[name][0] += size
            sent[name][1] += size + 1  # and the server's name
            live.append(conn)
    live.pop(0).close()
    for name, (n_in, n_out) in sent.items():
        proc.wait_until("the last bytes are counted", lambda: row(two, name)["bytes_out"] == n_out)
        got = row(two, name)
        assert (got["bytes_in"], got["bytes_out"]) == (n_in, n_out)
    assert sum(s.got for s in servers.values()) == sum(s[0] for s in sent.values())
    got = row(two, "one")
    assert (got["listen"], got["target"], got["state"]) == ("[::]:7001", f"{NEAR}:9001", "ok")
    assert (got["accepted"], got["connections"], got["source"]) == (2, 1, "redirect.d/one:1")
    table = two.ctl("redirect", "list").out.splitlines()
    assert table[0].split() == "NAME LISTEN TARGET STATE CONNECTIONS IN OUT REFUSED".split()
    assert table[1].split()[:5] == ["one", "[::]:7001", f"{NEAR}:9001", "ok", "1"]


def test_list_counts_refusals_by_reason(lab, vnetd, servers):
    vnetd.write("redirect.d/no", service("no", 7001, f"{NEAR} 9001", f"no_access = {NEAR}"))
    vnetd.write("redirect.d/full", service("full", 7002, f"{NEAR} 9001", "instances = 1"))
    vnetd.write("redirect.d/dead", service("dead", 7003, f"{NEAR} 9"))
    vnetd.ctl("reload")
    for _ in range(2):
        with pytest.raises(ConnectionError), dial(lab, 7001) as conn:
            read_name(conn)
    held = dial(lab, 7002)
    read_name(held)
    with pytest.raises(ConnectionError), dial(lab, 7002) as conn:
        read_name(conn)
    with pytest.raises((ConnectionError, AssertionError)), dial(lab, 7003) as conn:
        read_name(conn)
    assert row(vnetd, "no")["refused"]["address"] == 2
    assert row(vnetd, "full")["refused"] == {
        "address": 0, "time": 0, "load": 0, "cps": 0, "instances": 1, "per_source": 0}
    proc.wait_until("the dead target is counted", lambda: row(vnetd, "dead")["no_target"] == 1)
    events = vnetd.host.run("timeout", "1", "vnetctl", *vnetd.dirs, "events", check=False).out
    assert "redirect-no-target" in events and "redirect-up" in events


def test_show_and_kill(lab, two, member):
    one, other, third = dial(lab, 7001), dial(lab, 7002), dial(lab, 7002)
    for conn in (one, other, third):
        read_name(conn)
    shown = two.json("redirect", "show", "two")
    assert shown["redirection"]["name"] == "two"
    by_client = {c["client"]: c for c in shown["connections"]}
    assert len(by_client) == 2
    mine = by_client[f"{NEAR}:{other.getsockname()[1]}"]
    assert (mine["target"], mine["state"], mine["bytes_out"]) == (f"{NEAR}:9002", "open", 1)
    assert two.ctl("redirect", "list", user=member).out.count("\n") == 3
    assert two.ctl("redirect", "kill", "two", user=member, check=False).rc == 1
    assert two.ctl("redirect", "kill", str(mine["id"])).out == f"connection {mine['id']} is ended\n"
    with pytest.raises(ConnectionResetError):
        other.recv(1)
    echo(third)
    assert two.ctl("redirect", "kill", "two").out == "1 connection of two ended\n"
    with pytest.raises(ConnectionResetError):
        third.recv(1)
    echo(one)
    assert says(lab, 7002) == b"b"
    res = two.ctl("redirect", "kill", "999999", check=False)
    assert res.rc == 1 and "there is no connection 999999" in res.err
    res = two.ctl("redirect", "show", "nosuch", check=False)
    assert res.rc == 1 and 'there is no redirection "nosuch"' in res.err


def test_connections_of_removed_services_are_shown_and_killed(lab, two):
    one, other = dial(lab, 7001), dial(lab, 7002)
    assert (read_name(one), read_name(other)) == (b"a", b"b")
    (two.config / "redirect.d/one").unlink()
    two.ctl("reload")
    echo(one)
    got = row(two, "one")
    assert (got["state"], got["connections"], got["listen"]) == ("removed", 1, None)
    assert (got["bytes_in"], got["bytes_out"]) == (1000, 1001)
    assert row(two, "two")["state"] == "ok"
    shown = two.json("redirect", "show", "one")
    assert shown["redirection"]["state"] == "removed"
    assert [c["client"] for c in shown["connections"]] == [f"{NEAR}:{one.getsockname()[1]}"]
    # A service of that name comes again, and both are there.
    two.write("redirect.d/one", service("one", 7011, f"{NEAR} 9003"))
    two.ctl("reload")
    rows = two.json("redirect", "list")["redirections"]
    assert sorted(r["state"] for r in rows if r["name"] == "one") == ["ok", "removed"]
    assert len(two.json("redirect", "show", "one")["connections"]) == 1
    (two.config / "redirect.d/one").unlink()
    (two.config / "redirect.d/two").unlink()
    two.ctl("reload")
    assert two.ctl("redirect", "kill", "one").out == "1 connection of one ended\n"
    with pytest.raises(ConnectionResetError):
        one.recv(1)
    res = two.ctl("redirect", "kill", "one", check=False)
    assert res.rc == 1 and 'there is no redirection "one"' in res.err
    echo(other)
    rows = two.json("redirect", "list")["redirections"]
    assert [(r["name"], r["state"]) for r in rows] == [("two", "removed")]
    other.close()
    proc.wait_until("nothing is left", lambda: not two.json("redirect", "list")["redirections"])
    for verb in ("show", "kill"):
        res = two.ctl("redirect", verb, "two", check=False)
        assert res.rc == 1 and 'there is no redirection "two"' in res.err
