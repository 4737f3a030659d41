# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that ask without end: they wait, and nobody else notices."""

import contextlib
import errno
import os
import re
import signal
import socket
from pathlib import Path

from tests.kit import msg, proc


def connect(vnetd):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(str(vnetd.run / "vnetd.sock"))
    return sock


def resident(pid):
    """MiB."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def replies(sock):
    """Each REPLY that comes; the other rows are passed over."""
    while True:
        got = msg.decode(sock.recv(65536))
        if got.type == "REPLY":
            yield got


def test_who_does_not_read_is_not_heard(vnetd):
    """It gets every answer in the end; they do not pile up in the engine until then."""
    engine = vnetd.pid_of("engine")
    before = resident(engine)
    for request in ("NET_LIST", "EVENT_WATCH"):
        with contextlib.closing(connect(vnetd)) as sock:
            sent = 0
            sock.settimeout(1)
            with contextlib.suppress(TimeoutError):
                while sent < 50_000:
                    fields = {"net": 0xFFFF} if request == "NET_LIST" else {}
                    sock.send(msg.encode(request, sent + 1, **fields))
                    sent += 1
            assert sent > 10
            assert resident(engine) < before + 8
            assert vnetd.ctl("status").rc == 0
            if request == "NET_LIST":
                assert sent < 50_000
                sock.settimeout(10)
                got = replies(sock)
                assert [next(got).id for _ in range(sent)] == list(range(1, sent + 1))
    assert vnetd.pid_of("engine") == engine


def test_a_flood_of_attaches_ends_nobody(lab, vnetd):
    """Each sends a descriptor on to priv, where only so many can wait."""
    engine = vnetd.pid_of("engine")
    kind = msg.NUMBERS["PORT_NETNS"]
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(contextlib.closing(connect(vnetd))) for _ in range(10)]
        with lab.outside.enter():
            ns = os.open("/proc/self/ns/net", os.O_RDONLY)
        stack.callback(os.close, ns)
        proc.kill(vnetd.pid_of("priv"), signal.SIGSTOP)
        stack.callback(proc.kill, vnetd.pid_of("priv"), signal.SIGCONT)
        sent = [0] * len(socks)
        for i, sock in enumerate(socks):
            sock.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                for sent[i] in range(100):
                    # The namespace has an interface of that name: nothing is made.
                    data = msg.encode("ATTACH", sent[i] + 1, net=8, kind=kind, ifname="eth0", peer="outside")
                    socket.send_fds(sock, [data], [ns])
        assert 64 < sum(sent) < 900, "some were heard, and not all"
        proc.kill(vnetd.pid_of("priv"), signal.SIGCONT)
        for sock, n in zip(socks, sent):
            sock.settimeout(20)
            got = replies(sock)
            for number in range(1, n + 1):
                reply = next(got)
                assert (reply.id, reply.err) == (number, errno.EEXIST), reply.text
    assert vnetd.pid_of("engine") == engine


def test_a_member_has_so_many_ports_and_no_more(vnetd, member):
    vnetd.write("vnetd.conf", "[group vnet]\nmax-ports = 2\n")
    vnetd.ctl("reload")
    argv = ("vnetctl", *vnetd.dirs, "attach", "vmnet8", "--", "sleep", "100")
    running = [vnetd.host.popen(*argv, user=member) for _ in range(2)]
    proc.wait_until("two ports", lambda: len(vnetd.json("ports")["ports"]) == 2)
    refused = vnetd.host.run(*argv, user=member, check=False)
    assert refused.rc != 0
    assert "you have 2 ports already" in refused.err and "`max-ports`" in refused.err
    # Nobody else is concerned, and one that goes makes room.
    with contextlib.closing(connect(vnetd)):
        root = vnetd.host.popen(*argv)
        proc.wait_until("a third", lambda: len(vnetd.json("ports")["ports"]) == 3)
        proc.kill(root.pid)
    proc.kill(running[0].pid)
    proc.wait_until("one goes", lambda: len(vnetd.json("ports")["ports"]) == 1)
    again = vnetd.host.popen(*argv, user=member)
    proc.wait_until("two again", lambda: len(vnetd.json("ports")["ports"]) == 2)
    for process in (running[1], again):
        proc.kill(process.pid)
