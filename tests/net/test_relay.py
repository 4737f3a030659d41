# SPDX-License-Identifier: GPL-2.0-or-later
"""Forwards on ::1: who connects to localhost of the host reaches the guest, whichever address comes first."""

import contextlib
import hashlib
import os
import random
import shutil
import socket
import threading

import pytest

from tests.kit import built, daemon, lab as lab_module, proc
from tests.net.nat_kit import echo, echoes, talks, try_tcp, udp, udp_asks, udp_talks

HOST = lab_module.HOST_ADDRESS
GUEST, OTHER, ADAPTER = "10.181.8.10", "10.181.8.11", "10.181.8.1"
LOOP = "::1"
CONNS_MAX = 512  # RELAYTCP_CONNS_MAX
PEERS_MAX = 256  # RELAYUDP_PEERS_MAX


def line(port, guest=GUEST, to=7, proto="tcp"):
    return f"add_nat_portfwd 8 {proto} {port} {guest} {to}\n"


def start(lab, *lines):
    lab.vnetd.write("networking", daemon.NETWORKING + "".join(lines))
    lab.vnetd.start()
    guest = lab.guest("vmnet8")
    guest.static("10.181.8.0/24", 10)
    return guest


def await_talk(where, port, timeout=10):
    proc.wait_until(f"[::1]:{port} leads to the guest", lambda: talks(where, LOOP, port), timeout)


def is_refused(where, port):
    return isinstance(try_tcp(where, LOOP, port), ConnectionRefusedError)


def is_reset(sock):
    """What was open has been ended, and not as if all were said."""
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        return True
    except OSError:
        pass
    return False


def test_localhost_leads_to_the_guest(lab):
    bound = line(f"{HOST}:8090") + line("127.0.0.1:8091")
    guest = start(lab, line(8080), line(81), line("8000-8002", to="6-8"), line("20000-22000", to="1-2001"), bound)
    with echo(guest) as server:
        await_talk(lab.host, 8080)
        assert server.peers[-1][1] == ADAPTER
        await_talk(lab.host, 81)
        await_talk(lab.host, 8001)
        # Of one address; a range of more ports than are held at most; nothing is forwarded.
        for port in (8090, 8091, 20006, 8082):
            assert is_refused(lab.host, port), port
        assert talks(lab.host, "127.0.0.1", 20006) and talks(lab.host, "127.0.0.1", 8091)
        # A new forward, and none.
        lab.vnetd.ctl("forward", "add", "vmnet8", "tcp", "8085", GUEST, "7")
        await_talk(lab.host, 8085)
        lab.vnetd.write("vnetd.conf", "[global]\nhold-ports = 0\n")
        lab.vnetd.ctl("reload")
        proc.wait_until("no port is bound", lambda: all(is_refused(lab.host, p) for p in (8080, 81, 8001, 8085)))
        assert talks(lab.host, "127.0.0.1", 8080)


@contextlib.contextmanager
def served(where, port, work):
    """A server that has each connection handled by work(sock)."""
    with where.enter():
        server = socket.create_server(("0.0.0.0", port), backlog=2000)
    socks = []

    def run():
        with contextlib.suppress(OSError):
            while True:
                sock, _ = server.accept()
                socks.append(sock)
                work(sock)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield socks
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)
        for sock in socks:
            sock.close()


def test_bytes_and_their_end_come_through(lab):
    """Megabytes in both directions, one after the other: the answer begins when the question has ended."""
    question, answer = bytes(range(256)) * 40000, bytes(range(255, -1, -1)) * 40000

    def work(sock):
        digest = hashlib.sha256()
        while part := sock.recv(65536):
            digest.update(part)
        sock.sendall(digest.digest() + answer)
        sock.shutdown(socket.SHUT_WR)

    guest = start(lab, line(8080), line(8081, to=9))
    with echo(guest), served(guest, 9, work):
        await_talk(lab.host, 8080)
        sock = try_tcp(lab.host, LOOP, 8081, timeout=20)
        sock.sendall(question)
        sock.shutdown(socket.SHUT_WR)
        with sock.makefile("rb") as stream:
            got = stream.read()
        assert got[:32] == hashlib.sha256(question).digest()
        assert got[32:] == answer
        sock.close()


def test_errors_are_resets(lab):
    def work(sock):
        sock.recv(1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()

    guest = start(lab, line(8080), line(8081, to=9), line(8082, to=10))
    with echo(guest), served(guest, 9, work):
        await_talk(lab.host, 8080)
        # The guest ends what had begun; nobody serves there.
        sock = try_tcp(lab.host, LOOP, 8081)
        sock.sendall(b"x")
        assert is_reset(sock)
        sock.close()
        sock = try_tcp(lab.host, LOOP, 8082)
        assert isinstance(sock, ConnectionResetError) or is_reset(sock)


def test_a_client_that_gives_up_is_noticed_by_the_guest(lab):
    guest = start(lab, line(8080), line(8081, to=9))
    with echo(guest), served(guest, 9, lambda sock: sock.settimeout(10)) as socks:
        await_talk(lab.host, 8080)
        sock = try_tcp(lab.host, LOOP, 8081)
        sock.sendall(b"x")
        proc.wait_until("the guest has it", lambda: socks)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
        assert is_reset(socks[0])


def test_connections_end_with_their_forward_and_no_others(lab):
    guest = start(lab, line(8080), line(8081), line(8082))
    vnetd = lab.vnetd
    with echo(guest):
        for port in (8080, 8081, 8082):
            await_talk(lab.host, port)
        kept, gone, moved = (try_tcp(lab.host, LOOP, port) for port in (8080, 8081, 8082))
        assert echoes(kept) and echoes(gone) and echoes(moved)
        vnetd.ctl("forward", "remove", "vmnet8", "tcp", "8081")
        assert is_reset(gone) and is_refused(lab.host, 8081)
        vnetd.write("networking", daemon.NETWORKING + line(8080) + line(8082, guest=OTHER) + line(8083))
        vnetd.ctl("reload")
        assert is_reset(moved)
        await_talk(lab.host, 8083)
        # It goes on through reloads and a new engine, and ends with natd, which nobody can pass it on to.
        vnetd.ctl("reload")
        vnetd.kill_and_await("engine")
        assert echoes(kept)
        vnetd.kill_and_await("vnet-natd")
        assert not echoes(kept)
        await_talk(lab.host, 8080)
        vnetd.restart()
        await_talk(lab.host, 8080)
        for sock in (kept, gone, moved):
            sock.close()


@pytest.mark.parametrize("address", [LOOP, "::"])
def test_a_service_of_the_host_keeps_its_port(lab, address):
    """One that was there first, on ::1 or, for IPv6 alone, on all addresses."""
    with lab.host.enter():
        service = socket.create_server((address, 8080), family=socket.AF_INET6, dualstack_ipv6=False)
    guest = start(lab, line(8080), line(8081))
    vnetd = lab.vnetd
    with echo(guest):
        await_talk(lab.host, 8081)
        sock = try_tcp(lab.host, LOOP, 8080)
        assert service.accept()
        sock.close()
        assert talks(lab.host, "127.0.0.1", 8080)
        proc.wait_until("status says it", lambda: "tcp port 8080 is not forwarded on ::1" in vnetd.ctl("status").out)
        assert "ss -ltnp 'sport = :8080'" in vnetd.ctl("status").out
        vnetd.ctl("reload")
        assert "not forwarded on ::1" in vnetd.ctl("status").out
        service.close()
        await_talk(lab.host, 8080, 20)
        proc.wait_until("status is quiet", lambda: "not forwarded" not in vnetd.ctl("status").out)


def test_a_host_without_the_address_is_left_alone(lab):
    lab.host.run("sysctl", "-qw", "net.ipv6.conf.lo.disable_ipv6=1")
    guest = start(lab, *(line(8000 + i) for i in range(50)))
    with echo(guest):
        proc.wait_until("forwards work", lambda: talks(lab.host, "127.0.0.1", 8000))
        assert "::1" not in lab.vnetd.ctl("status").out and "::1" not in lab.vnetd.log_text()
        lab.host.run("sysctl", "-qw", "net.ipv6.conf.lo.disable_ipv6=0")
        await_talk(lab.host, 8049, 20)
        assert talks(lab.host, LOOP, 8000)
        # It comes and goes without natd.
        lab.host.run("sysctl", "-qw", "net.ipv6.conf.lo.disable_ipv6=1")
        assert not talks(lab.host, LOOP, 8000)
        lab.host.run("sysctl", "-qw", "net.ipv6.conf.lo.disable_ipv6=0")
        await_talk(lab.host, 8000)


def test_no_more_than_so_many_connections(lab):
    guest = start(lab, line(8080), line(8081, to=9))
    with echo(guest), served(guest, 9, lambda sock: None) as accepted:
        await_talk(lab.host, 8080)
        socks = [try_tcp(lab.host, LOOP, 8081) for _ in range(CONNS_MAX)]
        proc.wait_until("all are there", lambda: len(accepted) == CONNS_MAX)
        more = [try_tcp(lab.host, LOOP, port) for port in (8080, 8081)]
        assert all(isinstance(sock, ConnectionResetError) or is_reset(sock) for sock in more)
        assert "connections to forwards by ::1 are open" in lab.vnetd.log_text()
        # By IPv4 there is no such limit; and once there is room again, there is none here.
        assert talks(lab.host, "127.0.0.1", 8080)
        for sock in socks[:2]:
            sock.close()
        for sock in accepted[:]:
            sock.close()
        await_talk(lab.host, 8080)
        for sock in socks:
            sock.close()


def udp6(lab):
    return udp(lab.host, family=socket.AF_INET6)


def await_answer(lab, port):
    proc.wait_until(f"[::1]:{port} answers", lambda: udp_talks(lab.host, LOOP, port, timeout=0.5))


def test_datagrams_find_their_way_back(lab):
    guest = start(lab, line(8080, proto="udp"), line(8081, to=9, proto="udp"), line(53, proto="udp"))
    vnetd = lab.vnetd
    with echo(guest) as server, contextlib.ExitStack() as stack:
        await_answer(lab, 8080)
        assert server.peers[-1][1] == ADAPTER
        socks = [stack.enter_context(udp6(lab)) for _ in range(PEERS_MAX + 10)]
        # Several at once, each with its own answer, and large ones.
        for n, sock in enumerate(socks[:5]):
            sock.sendto(b"%d" % n * 8000, (LOOP, 8080))
        for n, sock in enumerate(socks[:5]):
            assert sock.recv(9000) == b"%d" % n * 8000
        # More than are known at once: whoever was forgotten asks again.
        assert all(udp_asks(sock, LOOP, 8080) for sock in socks)
        assert udp_asks(socks[0], LOOP, 8080)
        # Nobody serves there, and then somebody does.
        socks[0].settimeout(0.3)
        assert not udp_asks(socks[0], LOOP, 8081)
        with echo(guest, 9):
            assert udp_asks(socks[0], LOOP, 8081)
        # What vnetd has itself is not taken.
        assert not udp_asks(socks[0], LOOP, 53)
        vnetd.ctl("reload")
        assert udp_asks(socks[1], LOOP, 8080)
        vnetd.kill_and_await("vnet-natd")
        await_answer(lab, 8080)
        vnetd.ctl("forward", "remove", "vmnet8", "udp", "8080")
        assert not udp_asks(socks[0], LOOP, 8080)
        with lab.host.enter(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind((LOOP, 8080))


def count(lab, proto):
    forwards = lab.vnetd.json("forward", "list", "vmnet8")["forwards"]
    f = next(f for f in forwards if f["protocol"] == proto)
    return f["connections"], f["bytes_in"] or 0, f["bytes_out"] or 0


def test_they_are_counted_for_their_forward(lab):
    guest = start(lab, line(8080), line("8070-8072", to="17-19", proto="udp"))
    with echo(guest), echo(guest, 18), contextlib.ExitStack() as stack:
        await_talk(lab.host, 8080)
        sock = stack.enter_context(try_tcp(lab.host, LOOP, 8080))
        sock.sendall(b"x" * 5000)
        got = 0
        while got < 5000:
            got += len(sock.recv(65536))
        v4 = stack.enter_context(try_tcp(lab.host, "127.0.0.1", 8080))
        live, to_guest, from_guest = count(lab, "tcp")
        assert live >= 2 and to_guest > 5000 and from_guest > 5000
        asker = stack.enter_context(udp6(lab))
        proc.wait_until("datagrams pass", lambda: udp_asks(asker, LOOP, 8071))
        assert count(lab, "udp")[0] == 1 and count(lab, "udp")[1] > 0
        # The list of connections says so too, and of the host's own connection to the guest it does not.
        own = stack.enter_context(try_tcp(lab.host, GUEST, 7))
        conns = lab.vnetd.json("connections", "vmnet8")["connections"]
        by = {(c["protocol"], c["peer_port"]): c["forward"] for c in conns}
        assert by["tcp", own.getsockname()[1]] is None
        assert sorted(f for (p, _), f in by.items() if p == "udp") == [8071]
        assert [f for (p, _), f in by.items() if p == "tcp"].count(8080) == live
        assert v4.fileno() >= 0
        sock.close()
        lab.vnetd.kill_and_await("vnet-natd")
        assert count(lab, "udp")[0] == 0


# --- the sanitizers look on ------------------------------------------------------------------------


@pytest.fixture
def guarded(machine, stage, folder):
    """A lab whose vnet-natd has the sanitizers."""
    mine = folder / "stage"
    shutil.copytree(stage, mine, symlinks=True)
    shutil.copy(built.program("tests/net/vnet-natd-asan"), mine / "usr/libexec/vnet/vnet-natd")
    made = lab_module.Lab(folder, mine)
    yield made
    made.close()


class Visitor(threading.Thread):
    """Connects again and again, says more or less, and goes in one way or another."""

    def __init__(self, lab, seed):
        super().__init__(daemon=True)
        self.lab, self.rng, self.stop, self.whole, self.why = lab, random.Random(seed), threading.Event(), 0, None

    def run(self):
        try:
            while not self.stop.is_set():
                self._tcp()
                with udp(self.lab.host, timeout=0.05, family=socket.AF_INET6) as sock:
                    udp_asks(sock, LOOP, 8080)
        except AssertionError as why:
            self.why = why

    def _tcp(self):
        sock = try_tcp(self.lab.host, LOOP, self.rng.choice((8080, 8081, 8082)), timeout=5)
        if not isinstance(sock, socket.socket):
            return
        data = self.rng.randbytes(self.rng.choice((1, 100, 20000, 300000)))
        with contextlib.closing(sock), contextlib.suppress(OSError):
            how = self.rng.randrange(4)
            if how == 0:
                sock.sendall(data)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                return
            if how == 1:
                return
            broken = []
            writer = threading.Thread(target=self._write, args=(sock, data, broken))
            writer.start()
            got = b""
            while part := sock.recv(65536):
                got += part
            writer.join()
            # Whoever got the end, and no reset, of which one of both threads is told, has got everything.
            if not broken:
                assert got == data, f"{len(got)} of {len(data)} bytes"
                self.whole += 1

    @staticmethod
    def _write(sock, data, broken):
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except OSError as why:
            broken.append(why)


@contextlib.contextmanager
def visited(lab, n):
    """So many visitors come and go meanwhile."""
    visitors = [Visitor(lab, seed) for seed in range(n)]
    for visitor in visitors:
        visitor.start()
    try:
        yield visitors
    finally:
        for visitor in visitors:
            visitor.stop.set()
        for visitor in visitors:
            visitor.join(20)
    assert not any(visitor.is_alive() for visitor in visitors)
    assert not (why := [visitor.why for visitor in visitors if visitor.why]), why


def test_forwards_come_and_go_among_many_connections(guarded):
    lines = line(8080), line(8081), line(8080, proto="udp")
    guest = start(guarded, *lines)
    vnetd = guarded.vnetd
    vnetd.host.run("grep", "-q", "__asan_init", "/usr/libexec/vnet/vnet-natd")
    with echo(guest):
        await_talk(guarded.host, 8080)
        natd = vnetd.pid_of("vnet-natd")
        descriptors = lambda: len(os.listdir(f"/proc/{natd}/fd"))
        before = descriptors()
        with visited(guarded, 12) as visitors:
            for i in range(60):
                verb = ("add", GUEST, "7") if i % 2 == 0 else ("remove",)
                vnetd.ctl("forward", verb[0], "vmnet8", "tcp", "8082", *verb[1:])
                if i % 10 == 0:
                    now = lines[:2] if i % 20 == 0 else lines
                    vnetd.write("networking", daemon.NETWORKING + "".join(now) + line(8082))
                    vnetd.ctl("reload")
                assert vnetd.pid_of("vnet-natd") == natd, vnetd.log_text()
        assert sum(visitor.whole for visitor in visitors) > 50
        # Nothing is left of them; but for what UDP keeps for a while.
        proc.wait_until("connections are closed", lambda: descriptors() <= before + PEERS_MAX)
        vnetd.ctl("forward", "remove", "vmnet8", "udp", "8080")
        proc.wait_until("so is the rest", lambda: descriptors() < before)
    assert "Sanitizer" not in vnetd.log_text() and "runtime error" not in vnetd.log_text()
