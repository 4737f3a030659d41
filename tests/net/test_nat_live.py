# SPDX-License-Identifier: GPL-2.0-or-later
"""A download that is under way goes on, whatever happens to vnetd; and what passes costs natd nothing."""

import contextlib
import socket
import tempfile
import threading
from pathlib import Path

import pytest

from tests.kit import control, daemon, lab as lab_module, msg, outside, proc
from tests.net.nat_kit import table, wait_for_table, write_nat_conf

OUT = lab_module.SERVER_ADDRESS
SIZE, RATE = 24_000_000, 3_000_000  # about eight seconds
GIGABYTE = 1 << 30
CHANGES = 10_000
TCP = msg.NUMBERS["PROTO_TCP"]


@pytest.fixture
def in_memory(lab):
    """The configuration's folder: what a disk takes for each durable change is not what is looked for."""
    with tempfile.TemporaryDirectory(prefix="vt", dir="/dev/shm") as folder:
        lab.vnetd.config = Path(folder)
        lab.vnetd.config.chmod(0o755)
        yield
        lab.vnetd.stop()


def start(lab):
    lab.vnetd.write("networking", daemon.NETWORKING)
    write_nat_conf(lab.vnetd, [(8080, "10.181.8.10", 7)])
    lab.vnetd.start()
    wait_for_table(lab.host, "tcp . 8080 ")
    guest = lab.guest("vmnet8")
    guest.static("10.181.8.0/24", 10)
    return guest


@contextlib.contextmanager
def download(lab, guest):
    """Under way at the beginning and at the end, and whole thereafter."""
    child = guest.start_fetch(lab.url(SIZE, RATE))
    body = guest.tmp / "body"
    proc.wait_until("it is under way", lambda: body.exists() and body.stat().st_size > 0)
    yield
    assert child.poll() is None, "the download ended before what it was to survive"
    assert child.wait(30) == 0
    assert body.read_bytes() == outside.blob(SIZE)
    assert len(lab.outside.http.requests) == 1


def test_a_download_survives_reload_kill_restart_and_flush(lab):
    guest = start(lab)
    with download(lab, guest):
        write_nat_conf(lab.vnetd, [(8081, "10.181.8.10", 7)], timeout=99)
        lab.vnetd.ctl("reload")
        wait_for_table(lab.host, "tcp . 8081 ")
        lab.vnetd.kill_and_await("vnet-natd")
        lab.host.run("nft", "flush", "ruleset")
        lab.vnetd.restart()
        wait_for_table(lab.host, "tcp . 8081 ")


class Stream:
    """Numbers that a server outside sends for as long as one likes, read in a guest."""

    def __init__(self, lab, guest):
        with lab.outside.enter():
            server = socket.create_server((OUT, 9998))
        with guest.enter():
            self._sock = socket.socket()
        self._sock.settimeout(10)
        self._sock.connect((OUT, 9998))
        self._far, self.source = server.accept()
        server.close()
        self._stop, self.read, self.why = threading.Event(), 0, None
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._send, self._receive)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        n = 0
        while not self._stop.is_set():
            self._far.sendall(n.to_bytes(8, "big") * 512)
            n += 1
            self._stop.wait(0.005)
        self._far.shutdown(socket.SHUT_WR)

    def _receive(self):
        with self._sock.makefile("rb") as lines:
            while block := lines.read(4096):
                if block != self.read.to_bytes(8, "big") * 512:
                    self.why = f"block {self.read} is {block[:8].hex()}"
                    return
                self.read += 1

    def close(self):
        """Ends it and says how many blocks came, all of them and in their order."""
        self._stop.set()
        for thread in self._threads:
            thread.join(15)
            assert not thread.is_alive()
        self._far.close()
        self._sock.close()
        assert self.why is None, self.why
        return self.read


def test_a_download_survives_thousands_of_changes_of_a_forward(lab, in_memory):
    guest = start(lab)
    stream = Stream(lab, guest)
    proc.wait_until("it is under way", lambda: stream.read > 2)
    with control.Client(lab.vnetd) as client:
        for i in range(CHANGES):
            client.ask("FORWARD_ADD", net=8, proto=TCP, port=9000, guest="10.181.8.10", guest_port=7)
            if i % 1000 == 0:
                assert "tcp . 9000 :" in table(lab.host)
            client.ask("FORWARD_REMOVE", net=8, proto=TCP, port=9000)
            if i % 1000 == 0:
                assert "tcp . 9000 :" not in table(lab.host)
    before = stream.read
    proc.wait_until("it goes on", lambda: stream.read > before)
    assert stream.close() > before


def ticks(pid):
    """Processor time that a process has used, in clock ticks."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_a_gigabyte_costs_natd_no_time(lab):
    guest = start(lab)
    with lab.outside.enter():
        server = socket.create_server((OUT, 9999))

    def send():
        chunk = bytes(1 << 20)
        with contextlib.suppress(OSError), server.accept()[0] as sock:
            for _ in range(GIGABYTE // len(chunk)):
                sock.sendall(chunk)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    natd = lab.vnetd.pid_of("vnet-natd")
    before = ticks(natd)
    with guest.enter():
        sock = socket.socket()
    sock.settimeout(30)
    sock.connect((OUT, 9999))
    buf, got = bytearray(1 << 20), 0
    while n := sock.recv_into(buf):
        got += n
    used = ticks(natd) - before
    sock.close()
    thread.join(10)
    server.close()
    assert got == GIGABYTE
    # Its packets would be some 20 000 even at 64 kB each; a timer or a scan is a tick or two.
    assert used <= 5, f"{used} ticks"
