# SPDX-License-Identifier: GPL-2.0-or-later
"""What ends a capture, whatever its reader and its client do: the permission, vnetd, a teardown."""

import array
import errno
import fcntl
import os
import signal
import socket
import termios
import threading
import time

import pytest

from tests.kit import control, msg, proc, traffic
from tests.net.test_capture import Running, capture, numbered, seg  # noqa: F401 - a fixture

PIPE = 60000  # bytes of a pipe that is all but full


class Fifo:
    """A pipe with a name, into which anybody may write; it is read only when told."""

    def __init__(self, folder):
        folder.chmod(0o777)
        self.path = folder / "fifo.pcapng"
        os.mkfifo(self.path)
        self.path.chmod(0o666)
        self.fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)

    def waiting(self):
        """Bytes in it."""
        n = array.array("i", [0])
        fcntl.ioctl(self.fd, termios.FIONREAD, n)
        return n[0]

    def read_slowly(self, pause=0.005):
        """Reads in a thread, 64 KiB and then a pause, until close()."""
        def run():
            while self.fd >= 0:
                try:
                    os.read(self.fd, 1 << 16)
                except (BlockingIOError, OSError):
                    pass
                time.sleep(pause)

        self._thread = threading.Thread(target=run)
        self._thread.start()

    def close(self):
        fd, self.fd = self.fd, -1
        if hasattr(self, "_thread"):
            self._thread.join()
        if fd >= 0:
            os.close(fd)


@pytest.fixture
def fifo(folder):
    made = Fifo(folder)
    yield made
    made.close()


def stuck(seg, fifo, user=None):
    """A capture whose worker waits for a reader: (what runs, the worker's process id)."""
    run = capture(seg.vnetd, fifo.path, user=user)
    worker = seg.vnetd.pids()["vnet-capture"][0]
    seg.send("a", *numbered(seg, "a", seg.mac["b"], 200, size=1400))
    proc.wait_until("the pipe is full", lambda: fifo.waiting() > PIPE)
    return run, worker


@pytest.mark.parametrize("how", ["revoke", "stop", "teardown", "start"])
def test_a_capture_whose_reader_does_not_read_ends(seg, fifo, member, how):
    """teardown, start: of a vnetd that was killed."""
    vnetd = seg.vnetd
    vnetd.ctl("promisc", "allow", f"capture:{member}", "--for", "1h")
    run, worker = stuck(seg, fifo, member)
    if how == "revoke":
        vnetd.ctl("promisc", "revoke", f"capture:{member}")
    elif how == "stop":
        vnetd.stop()
    else:
        vnetd.stop(signal.SIGKILL, but="vnet-capture")
        assert proc.alive(worker)
    if how == "teardown":
        vnetd.teardown()
    if how == "start":
        vnetd.start()
    proc.wait_until("the worker has ended", lambda: not proc.alive(worker))
    assert run.process.wait(10) == 1


def test_what_is_captured_live_ends_with_the_permission(seg, fifo, member):
    """Frames come faster than they are read, so that there are always some in the ring."""
    vnetd = seg.vnetd
    vnetd.ctl("promisc", "allow", f"capture:{member}", "--for", "1h")
    run = capture(vnetd, fifo.path, user=member)
    fifo.read_slowly()
    flood = traffic.Flood(seg.guests["a"], "eth0", sources=[seg.mac["a"]], targets=[seg.mac["b"]], rate=300_000)
    time.sleep(2)
    vnetd.ctl("promisc", "revoke", f"capture:{member}")
    assert run.process.wait(10) == 1
    flood.stop()
    assert "vnetd ended it" in run.said


def test_a_capture_that_was_never_begun_ends_with_vnetd(vnetd):
    mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mine.settimeout(10)
    with control.Client(vnetd) as client:
        client.ask("CAPTURE", fds=[theirs.fileno()], net=8)
        theirs.close()
        vnetd.stop()
    last = msg.decode(mine.recv(65536))
    assert (last.type, last.err) == ("REPLY", errno.ECANCELED), last
    mine.close()


def tool(seg, fifo, name):
    """A program that captures into the pipe, or prints lines into it, until that is full."""
    vnetd = seg.vnetd
    run_dir = f"--run-dir={vnetd.run}"
    words = {
        "vnetctl": ["vnetctl", *vnetd.dirs, "capture", "vmnet8", "-w", fifo.path],
        "lines": ["sh", "-c", f'exec "$@" > {fifo.path}', "_", "vnetctl", *vnetd.dirs, "capture", "vmnet8"],
        "vnet-sniffer": ["vnet-sniffer", run_dir, "-w", fifo.path, "vmnet8"],
        "vnet-extcap": ["sh", "-c", f'exec $(find /usr/lib -name vnet-extcap) "$@"', "_", run_dir,
                        "--extcap-interface=vnet-vmnet8", "--capture", "--fifo", fifo.path],
    }[name]
    run = Running(vnetd.host, words, fifo.path, ready="")
    proc.wait_until("it captures", lambda: vnetd.pids().get("vnet-capture"))
    time.sleep(0.3)
    seg.send("a", *numbered(seg, "a", seg.mac["b"], 2000))
    proc.wait_until("the pipe is full", lambda: fifo.waiting() > PIPE)
    return run


@pytest.mark.parametrize("signals", [1, 2])
@pytest.mark.parametrize("name", ["vnetctl", "lines", "vnet-sniffer", "vnet-extcap"])
def test_a_signal_ends_a_tool_whose_reader_does_not_read(seg, fifo, name, signals):
    run = tool(seg, fifo, name)
    for _ in range(signals):
        run.process.send_signal(signal.SIGINT)
        time.sleep(1.2)
    if signals == 2:
        assert run.process.wait(2) == 1
    else:
        assert run.process.poll() is None and run.process.wait(10) == 1
    assert "told to end, but still writes to what is not read" in run.said


def test_a_slow_reader_gets_what_came_before_the_signal(seg, fifo):
    """That takes longer than a tool waits for a worker of which it hears nothing."""
    run = capture(seg.vnetd, fifo.path, "--filter", "ether proto 0x88b5")
    seg.send("a", *numbered(seg, "a", seg.mac["b"], 8000, size=1400))
    proc.wait_until("the pipe is full", lambda: fifo.waiting() > PIPE)
    time.sleep(0.3)
    run.process.send_signal(signal.SIGINT)
    fifo.read_slowly(pause=0.05)
    assert run.process.wait(30) == 0, run.said
    assert "vmnet8, 8000 packets, 0 dropped" in run.said


def test_the_last_words_are_heard_when_the_worker_has_ended_before(seg, fifo):
    run, worker = stuck(seg, fifo)
    run.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    run.process.send_signal(signal.SIGSTOP)
    fifo.read_slowly()
    proc.wait_until("the worker has ended", lambda: not proc.alive(worker))
    run.process.send_signal(signal.SIGCONT)
    assert run.process.wait(10) == 0, run.said
