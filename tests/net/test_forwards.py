# SPDX-License-Identifier: GPL-2.0-or-later
"""Port forwards: one among ten thousand, ports of the host that are held, services that are in the way."""

import contextlib
import errno
import os
import pathlib
import re
import select
import socket
import threading

import pytest

from tests.kit import built, daemon, lab as lab_module, proc
from tests.net.nat_kit import (
    echo, echoes, flows, table, talks, try_tcp, udp, udp_asks, udp_talks, wait_for_table, write_nat_conf,
)

HOST = lab_module.HOST_ADDRESS
GUEST, OTHER = "10.181.8.10", "10.181.8.11"


def guest_on(lab, last):
    g = lab.guest("vmnet8")
    g.run("ip", "addr", "add", f"10.181.8.{last}/24", "dev", "eth0")
    g.run("ip", "route", "add", "default", "via", "10.181.8.2")
    return g


def line(port, guest=GUEST, to=7, proto="tcp", text=""):
    return f"add_nat_portfwd 8 {proto} {port} {guest} {to}{text}\n"


@contextlib.contextmanager
def monitored(where):
    """What `nft monitor` tells, element by element: a function that waits for a word of the table first."""
    monitor = where.popen("nft", "monitor", text=True)

    def heard():
        for verb in ("add", "delete"):
            where.run("nft", verb, "table", "ip", "probe")
        return select.select([monitor.stdout], [], [], 0.2)[0]

    proc.wait_until("the monitor listens", heard)

    def told():
        where.run("nft", "add table ip end")
        lines = []
        while not lines or "add table ip end" not in lines[-1]:
            lines.append(monitor.stdout.readline().strip())
            assert lines[-1] or monitor.poll() is None
        where.run("nft", "delete table ip end")
        return [text for text in lines if text[:1] != "#" and " table ip " not in text]

    yield told
    monitor.terminate()


def test_one_forward_among_ten_thousand(lab):
    """It is one line of the file, one message of the engine, and one set element."""
    vnetd = lab.vnetd
    text = daemon.NETWORKING + "".join(line(20000 + i) for i in range(10000)) + "# the end\n"
    vnetd.write("networking", text)
    vnetd.start()
    wait_for_table(lab.host, "tcp . 29999 ")
    guest = guest_on(lab, 10)
    with echo(guest):
        kept = try_tcp(lab.outside, HOST, 20000)
        assert echoes(kept)
        with monitored(lab.host) as told:
            vnetd.ctl("forward", "add", "vmnet8", "tcp", "40000", GUEST, "7", "the new one")
            assert told() == [f"create element inet vnetd forwards {{ tcp . 40000 : {GUEST} . 7 }}"]
            assert talks(lab.outside, HOST, 40000) and talks(lab.host, "127.0.0.1", 40000)
            added = text.replace("# the end", line(40000, text=" the new one") + "# the end")
            assert vnetd.read("networking") == added
            gone = try_tcp(lab.outside, HOST, 40000)
            assert echoes(gone)
            vnetd.ctl("forward", "remove", "vmnet8", "tcp", "40000")
            assert told() == [f"delete element inet vnetd forwards {{ tcp . 40000 : {GUEST} . 7 }}"]
        assert vnetd.read("networking") == text
        assert not echoes(gone) and echoes(kept)
        assert isinstance(try_tcp(lab.outside, HOST, 40000), ConnectionRefusedError)
        # What the others think of it: a reload finds nothing to do, a new natd and a new engine know it.
        vnetd.ctl("forward", "add", "vmnet8", "tcp", "40001", GUEST, "7")
        before = table(lab.host)
        for name in ("vnet-natd", "engine"):
            vnetd.kill_and_await(name)
            assert talks(lab.outside, HOST, 40001), name
        vnetd.ctl("reload", timeout=60)
        assert table(lab.host) == before
        rows = vnetd.json("forward", "list")["forwards"]
        assert len(rows) == 10001 and rows[-1]["port"] == 40001
        # Somebody's own edit, which nobody has read so far, is not lost.
        vnetd.write("networking", vnetd.read("networking") + line(40002))
        vnetd.ctl("forward", "add", "vmnet8", "tcp", "40003", GUEST, "7", timeout=60)
        assert talks(lab.outside, HOST, 40002) and talks(lab.outside, HOST, 40003)
        assert echoes(kept)
        kept.close()
        gone.close()


def test_forward_is_on_disk_before_it_is_in_force(lab):
    """The folder is synced while the others go on already, but before the kernel is told."""
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING + line(8080))
    vnetd.start()
    wait_for_table(lab.host, "tcp . 8080 ")
    with vnetd.traced("priv", "-e", "trace=fdatasync,renameat,fsync,sendto") as trace:
        vnetd.ctl("forward", "add", "vmnet8", "tcp", "8081", GUEST, "7")
        assert "tcp . 8081 " in table(lab.host)
    calls = [row.split("(")[0] for row in trace.read_text().splitlines() if re.match(r"\w+\(", row)]
    assert calls[:4] == ["fdatasync", "renameat", "fsync", "sendto"]
    with vnetd.traced("priv", "-e", "inject=fsync:error=EIO"):
        vnetd.ctl("forward", "add", "vmnet8", "tcp", "8082", GUEST, "7")
    assert "tcp . 8082 " in table(lab.host)
    assert f"{vnetd.config}: what has just been written may not survive a power cut: Input/output error" in vnetd.log_text()



def bind(where, kind, port, address="0.0.0.0"):
    """A service that starts: None, or why it cannot."""
    with where.enter():
        sock = socket.socket(socket.AF_INET, kind)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        if kind == socket.SOCK_STREAM:
            sock.listen()
    except OSError as why:
        return why.errno
    finally:
        sock.close()
    return None


def taken(where, port):
    """Whether services are kept off this port, by protocol."""
    found = [bind(where, kind, port) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)]
    assert set(found) <= {None, errno.EADDRINUSE}
    return [e is not None for e in found]


def await_taken(where, port, want):
    proc.wait_until(f"port {port} is taken: {want}", lambda: taken(where, port) == want)


def held(vnetd):
    return {(row["protocol"], row["port"]): row["held"] for row in vnetd.json("forward", "list")["forwards"]}


def await_held(vnetd, want):
    proc.wait_until(f"held: {want}", lambda: held(vnetd) == want)


def test_ports_of_forwards_are_held(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING + line(81) + line(8080) + line(8080, proto="udp"))
    vnetd.start()
    guest = guest_on(lab, 10)
    await_held(vnetd, {("tcp", 81): True, ("tcp", 8080): True, ("udp", 8080): True})
    assert "yes" in vnetd.ctl("forward", "list").out
    assert taken(lab.host, 81) == [True, False] and taken(lab.host, 8080) == [True, True]
    assert bind(lab.host, socket.SOCK_STREAM, 8080, HOST) == errno.EADDRINUSE
    with echo(guest):
        for port in (81, 8080):
            assert talks(lab.outside, HOST, port) and talks(lab.host, "127.0.0.1", port)
        assert udp_talks(lab.outside, HOST, 8080) and udp_talks(lab.host, HOST, 8080)
        live = try_tcp(lab.outside, HOST, 8080)
        # They outlive everything but priv.
        for name in ("vnet-natd", "engine"):
            vnetd.kill_and_await(name)
            assert taken(lab.host, 8080) == [True, True], name
            assert echoes(live) and talks(lab.outside, HOST, 8080), name
        vnetd.restart()
        await_held(vnetd, {("tcp", 81): True, ("tcp", 8080): True, ("udp", 8080): True})
        assert echoes(live)
        # They end with their forwards, and come with new ones.
        vnetd.ctl("forward", "remove", "vmnet8", "udp", "8080")
        await_taken(lab.host, 8080, [True, False])
        vnetd.ctl("forward", "add", "vmnet8", "udp", "8081", GUEST, "7")
        await_held(vnetd, {("tcp", 81): True, ("tcp", 8080): True, ("udp", 8081): True})
        assert taken(lab.host, 8081) == [False, True]
        # No more than so many; none.
        vnetd.write("vnetd.conf", "[global]\nhold-ports = 1\n")
        vnetd.ctl("reload")
        await_held(vnetd, {("tcp", 81): True, ("tcp", 8080): False, ("udp", 8081): False})
        await_taken(lab.host, 8080, [False, False])
        vnetd.write("vnetd.conf", "[global]\nhold-ports = 0\n")
        vnetd.ctl("reload")
        await_taken(lab.host, 81, [False, False])
        assert not any(held(vnetd).values())
        assert echoes(live)
        live.close()


@contextlib.contextmanager
def service(where, port, address="0.0.0.0"):
    """A service of the host that says hello."""
    with where.enter():
        sock = socket.create_server((address, port))
    stop = threading.Event()

    def work():
        while not stop.is_set():
            if select.select([sock], [], [], 0.1)[0]:
                peer, _ = sock.accept()
                peer.sendall(b"host")
                peer.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
        sock.close()


def hears(where, address, port):
    """What a service says at once."""
    sock = try_tcp(where, address, port)
    if not isinstance(sock, socket.socket):
        return ""
    with contextlib.closing(sock):
        try:
            return sock.recv(16).decode()
        except TimeoutError:
            return ""


def test_a_service_of_the_host_is_not_hidden(lab, vnetd):
    guest = guest_on(lab, 10)
    with echo(guest):
        with service(lab.host, 8080):
            write_nat_conf(vnetd, [(8080, GUEST, 7), (8081, GUEST, 7)])
            vnetd.ctl("reload")
            assert hears(lab.outside, HOST, 8080) == "host"
            assert talks(lab.outside, HOST, 8081)
            text = vnetd.ctl("status").out
            assert "tcp port 8080 is not forwarded: a program of uid 0 has it on 0.0.0.0." in text
            assert "ss -ltnp 'sport = :8080'" in text
            assert "tcp port 8080 is not forwarded" in vnetd.log_text()
            assert held(vnetd) == {("tcp", 8080): False, ("tcp", 8081): True}
            # Whoever adds one is told which program it is.
            why = vnetd.ctl("forward", "add", "vmnet8", "tcp", "8080", OTHER, "7", check=False)
            assert why.rc == 1 and "is in use by" in why.err and "pid" in why.err and "--shadow" in why.err
            # Natd, engine and vnetd come and go.
            vnetd.kill_and_await("vnet-natd")
            assert hears(lab.outside, HOST, 8080) == "host"
            # Somebody means it.
            vnetd.write("vnetd.conf", "[vmnet8]\nshadow = tcp/8080\n")
            vnetd.ctl("reload")
            assert talks(lab.outside, HOST, 8080)
            assert "not forwarded" not in vnetd.ctl("status").out
            vnetd.write("vnetd.conf", "")
            vnetd.ctl("reload")
            assert hears(lab.outside, HOST, 8080) == "host"
        # The service has gone: no reload is needed.
        proc.wait_until("the forward is in force", lambda: talks(lab.outside, HOST, 8080), 20)
        assert "not forwarded" not in vnetd.ctl("status").out
        with service(lab.host, 9090):
            vnetd.ctl("forward", "add", "vmnet8", "tcp", "9090", GUEST, "7", "--shadow")
            assert talks(lab.outside, HOST, 9090)
            assert "shadow = tcp/9090" in vnetd.read("vnetd.conf")
        # It can be started again: its port is not held.
        assert taken(lab.host, 9090) == [False, False] and not held(vnetd)[("tcp", 9090)]
        with service(lab.host, 9090):
            assert talks(lab.outside, HOST, 9090)
            vnetd.ctl("forward", "remove", "vmnet8", "tcp", "9090")
            assert "shadow" not in vnetd.read("vnetd.conf")
            assert hears(lab.outside, HOST, 9090) == "host"


def test_a_port_in_use_is_refused_by_the_name_of_who_has_it(lab, vnetd):
    guest = guest_on(lab, 10)
    with echo(guest), echo(lab.host, 8080):
        forward = ["forward", "add", "vmnet8", "tcp", "8080", "10.181.8.10", "7"]
        bad = vnetd.ctl(*forward, check=False)
        mine = pathlib.Path("/proc/self/comm").read_text().strip()
        assert bad.rc == 1
        assert f"tcp port 8080 is in use by {mine} (pid {os.getpid()}) on " in bad.err
        assert "--shadow" in bad.err and vnetd.json("forward", "list")["forwards"] == []
        vnetd.ctl(*forward, "--shadow")
        assert talks(lab.outside, HOST, 8080)
        [row] = vnetd.json("forward", "list")["forwards"]
        assert row["connections"] == 1
        # It has gone when the forward goes, and the service is asked again.
        vnetd.ctl("forward", "remove", "vmnet8", "tcp", "8080")
        assert talks(lab.outside, HOST, 8080)


def ftp_ports(lab):
    return lab.host.run("nft", "list", "set", "inet", "vnetd", "ftp_ports").out.split("elements = ")[-1].split("}")[0]


def test_two_addresses_of_the_host_lead_to_ftp_by_one_port(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING + line(f"{HOST}:2121", to=21) + line("127.0.0.1:2121", OTHER, to=21))
    vnetd.start()
    wait_for_table(lab.host, f"{HOST} . 2121 ")
    assert "2121" in ftp_ports(lab)
    # One may change, and go; the port is FTP's as long as the other is there.
    vnetd.write("networking", daemon.NETWORKING + line(f"{HOST}:2121", OTHER, to=21) + line("127.0.0.1:2121", OTHER, to=21))
    vnetd.ctl("reload")
    wait_for_table(lab.host, f"{HOST} . 2121 : {OTHER}")
    vnetd.ctl("forward", "remove", "vmnet8", "tcp", f"{HOST}:2121")
    assert "2121" in ftp_ports(lab)
    vnetd.ctl("forward", "remove", "vmnet8", "tcp", "127.0.0.1:2121")
    assert "2121" not in ftp_ports(lab)
    assert not [row for row in vnetd.json("status")["networks"] if row["state"] != "ok" and row["name"] != "vmnet0"]


def connection_ids(lab, port, proto="udp"):
    lines = flows(lab.host, "-p", proto, "--orig-port-dst", str(port), "-o", "id")
    return [word for text in lines for word in text.split() if word.startswith("id=")]


def test_a_forward_keeps_its_port_whoever_opens_it_later(lab):
    """Ranges are not held; a resolver's sockets come and go on any port."""
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING + line("30000-30009", proto="udp", to="40000-40009"))
    vnetd.start()
    wait_for_table(lab.host, "udp . 30009 ")
    guest = guest_on(lab, 10)
    with udp(lab.host) as late, echo(guest, 40004):
        late.bind(("0.0.0.0", 30004))
        with udp(lab.outside) as sock:
            assert udp_asks(sock, HOST, 30004)
            begun = connection_ids(lab, 30004)
            vnetd.ctl("reload")
            assert udp_asks(sock, HOST, 30004)
            assert begun and connection_ids(lab, 30004) == begun
    assert "is not forwarded" not in vnetd.log.read_text()


def test_a_forward_that_goes_while_nobody_looks_ends_its_connections(lab):
    """And no others: not by a forward that stays, and none to the guest itself."""
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING + line(7) + line(8080) + line(8081))
    vnetd.start()
    guest = guest_on(lab, 10)
    with echo(guest):
        gone, stays = try_tcp(lab.outside, HOST, 8080), try_tcp(lab.outside, HOST, 8081)
        itself = try_tcp(lab.host, GUEST, 7)
        assert echoes(gone) and echoes(stays) and echoes(itself)
        begun = connection_ids(lab, 7, "tcp")
        vnetd.stop()
        vnetd.write("networking", daemon.NETWORKING + line(8081))
        vnetd.start()
        proc.wait_until("it ends", lambda: not echoes(gone))
        assert echoes(stays) and echoes(itself)
        vnetd.ctl("forward", "add", "vmnet8", "tcp", "7", GUEST, "7")
        vnetd.ctl("forward", "remove", "vmnet8", "tcp", "7")
        assert echoes(itself) and begun and connection_ids(lab, 7, "tcp") == begun


def test_ranges_and_addresses_of_the_host(lab):
    vnetd = lab.vnetd
    bound = line(f"{HOST}:8080") + line(f"{HOST}:8080", proto="udp") + line("127.0.0.1:8081")
    vnetd.write("networking", daemon.NETWORKING + line("8000-8002", to="6-8") + bound)
    vnetd.start()
    guest = guest_on(lab, 10)
    # No port of a range is held, and one that is bound on its address alone.
    await_held(
        vnetd, {("tcp", 8000): False, ("tcp", 8080): True, ("tcp", 8081): True, ("udp", 8080): True}
    )
    assert bind(lab.host, socket.SOCK_STREAM, 8001) is None
    assert bind(lab.host, socket.SOCK_STREAM, 8080, HOST) == errno.EADDRINUSE
    assert bind(lab.host, socket.SOCK_STREAM, 8080, "127.0.0.1") is None
    with echo(guest):
        # Each port of a range leads to the one that belongs to it.
        assert talks(lab.outside, HOST, 8001) and talks(lab.host, "127.0.0.1", 8001)
        for port in (8000, 8002, 8003):
            assert isinstance(try_tcp(lab.outside, HOST, port), ConnectionRefusedError), port
        assert talks(lab.outside, HOST, 8080) and udp_talks(lab.outside, HOST, 8080)
        assert talks(lab.host, HOST, 8080)
        assert isinstance(try_tcp(lab.host, "127.0.0.1", 8080), ConnectionRefusedError)
        assert talks(lab.host, "127.0.0.1", 8081)
        assert isinstance(try_tcp(lab.outside, HOST, 8081), ConnectionRefusedError)
        text = vnetd.ctl("forward", "list").out
        assert "8000-8002" in text and "6-8" in text and f"{HOST}:8080" in text
        # Their connections are theirs.
        live = [try_tcp(lab.outside, HOST, port) for port in (8001, 8080)]
        assert all(echoes(sock) for sock in live)
        rows = {row["port"]: row for row in vnetd.json("forward", "list")["forwards"] if row["protocol"] == "tcp"}
        assert rows[8000]["connections"] >= 1 and rows[8000]["ports"] == 3 and rows[8080]["host"] == HOST
        # What has a port in common is refused, and what is there replaced, by its own name.
        for words in (("8002", "7"), ("8002-8003", "7-8"), (f"{HOST}:8001", "7"), ("8080", "7")):
            why = vnetd.ctl("forward", "add", "vmnet8", "tcp", words[0], GUEST, words[1], check=False)
            assert why.rc == 1 and "vmnet8 forwards" in why.err, words
        vnetd.ctl("forward", "add", "vmnet8", "tcp", "10.181.8.1:8080", GUEST, "7")
        vnetd.ctl("forward", "remove", "vmnet8", "tcp", f"{HOST}:8080")
        assert not echoes(live[1]) and talks(lab.host, "10.181.8.1", 8080)
        assert isinstance(try_tcp(lab.outside, HOST, 8080), ConnectionRefusedError)
        vnetd.ctl("forward", "remove", "vmnet8", "tcp", "8000-8002")
        assert not echoes(live[0])
        vnetd.ctl("forward", "add", "vmnet8", "tcp", "9000-9300", GUEST, "7-307")
        assert talks(lab.outside, HOST, 9000)
        before = table(lab.host)
        vnetd.kill_and_await("vnet-natd")
        vnetd.ctl("reload")
        assert table(lab.host) == before
        # A mistake in a file has a place.
        vnetd.write("networking", vnetd.read("networking") + line(9300))
        why = vnetd.ctl("check", check=False)
        assert why.rc == 1 and "networking:" in why.out + why.err and "9000-9300" in why.out + why.err
        for sock in live:
            sock.close()


@pytest.mark.parametrize("kernel", ["new", "old"])
def test_a_removed_forward_is_forgotten_whatever_the_kernel_can_filter(lab, kernel):
    """One alone, and many at once: their connections end, and no others."""
    vnetd = lab.vnetd
    lines = [line(8080), line(8080, proto="udp"), line(8081), line("8200-8499", to="7-306")]
    vnetd.write("networking", daemon.NETWORKING + "".join(lines))
    vnetd.start(env={"LD_PRELOAD": str(built.program("tests/net/libold-kernel.so"))} if kernel == "old" else {})
    guest = guest_on(lab, 10)
    with echo(guest):
        proc.wait_until("forwards work", lambda: talks(lab.outside, HOST, 8200))
        one, stays, many = (try_tcp(lab.outside, HOST, port) for port in (8080, 8081, 8200))
        other = udp(lab.outside)
        assert echoes(one) and echoes(stays) and echoes(many) and udp_asks(other, HOST, 8080)
        vnetd.ctl("forward", "remove", "vmnet8", "tcp", "8080")
        assert not echoes(one) and not flows(lab.host, "-p", "tcp", "--orig-port-dst", "8080")
        assert echoes(stays) and echoes(many) and udp_asks(other, HOST, 8080)
        vnetd.ctl("forward", "remove", "vmnet8", "tcp", "8200-8499")
        assert not echoes(many) and not flows(lab.host, "-p", "tcp", "--orig-port-dst", "8200")
        assert echoes(stays) and udp_asks(other, HOST, 8080)
        for sock in (one, stays, many, other):
            sock.close()
