# SPDX-License-Identifier: GPL-2.0-or-later
"""priv's verbs about redirections. The test is the engine and vnet-redird."""

import errno
import os
import socket
import stat

import pytest

from tests.kit import msg, proc, relay
from tests.kit.relay import close, guest, host, priv  # noqa: F401 - fixtures

N = msg.NUMBERS
IP4, IP6, DUAL = (N[f"REDIRECT_{name}"] for name in ("IP4", "IP6", "DUAL"))


def mapped(address):
    return bytes(10) + b"\xff\xff" + socket.inet_aton(address)


def at(port, address="127.0.0.1", family=IP4):
    addr = mapped(address) if family == IP4 else socket.inet_pton(socket.AF_INET6, address)
    return {"addr": addr, "port": port, "family": family}


def listen(priv, **where):
    return int(priv.engine.ask("SOCK_LISTEN", **where).text)


def take(priv, number):
    fds = priv.redird.ask("LISTEN_TAKE", listener=number).fds
    return socket.socket(fileno=os.dup(fds[0]))


def connect(priv, port, address="127.0.0.1"):
    with priv.host.enter():
        return socket.create_connection((address, port), timeout=5)


def want(priv, on=True):
    priv.engine.tell("WORKER_WANT", role=N["ROLE_REDIRD"], on=on)


def inode(sock):
    return os.fstat(sock.fileno()).st_ino


def test_redirector_runs_when_the_engine_wants_it(priv):
    assert len(proc.descendants(priv.process.pid)) == 4  # priv, engine, two workers
    want(priv)
    pid = priv.pid_of("redird")
    proc.kill(pid)
    again = priv.successor("redird", pid)
    want(priv, False)
    priv.engine.ask("LISTEN_SWEEP")  # priv has read what was said before
    assert proc.alive(again)  # it ends by itself, and stays ended
    proc.kill(again)
    proc.wait_until("it has ended", lambda: not proc.alive(again))
    priv.engine.ask("LISTEN_SWEEP")
    assert len(proc.descendants(priv.process.pid)) == 4
    priv.forget_peers("redird")
    want(priv)
    assert priv.pid_of("redird") not in (pid, again)


def test_listening_socket_outlives_engine_and_redirector(priv):
    priv.host.run("ip", "link", "set", "lo", "up")
    want(priv)
    number = listen(priv, **at(7001))
    first = take(priv, number)
    waiting = connect(priv, 7001)
    for role in ("redird", "engine"):
        pid = priv.pid_of(role)
        proc.kill(pid)
        first.close()
        priv.successor(role, pid)
        assert listen(priv, **at(7001)) == number
        first = take(priv, number)
        more = connect(priv, 7001)
    first.setblocking(True)
    first.settimeout(5)
    got, _ = first.accept()
    assert got.getpeername() == waiting.getsockname()
    got, _ = first.accept()
    more.close()


def test_sweep_ends_what_was_not_kept_in_the_worker_too(priv):
    priv.host.run("ip", "link", "set", "lo", "up")
    want(priv)
    stay, go = listen(priv, **at(7001)), listen(priv, **at(7002))
    kept, lost = take(priv, stay), take(priv, go)
    priv.engine.tell("LISTEN_KEEP", **at(7001))
    priv.engine.tell("LISTEN_KEEP", **at(7003))  # there is none: nothing happens
    priv.engine.ask("LISTEN_SWEEP")
    connect(priv, 7001).close()
    with pytest.raises(ConnectionRefusedError):
        connect(priv, 7002)
    with pytest.raises(OSError) as why:
        lost.accept()
    assert why.value.errno == errno.EINVAL
    priv.redird.ask("LISTEN_TAKE", err=errno.ENOENT, listener=go)
    # The port is free although the worker still holds its copy.
    assert listen(priv, **at(7002)) not in (stay, go)
    assert inode(take(priv, stay)) == inode(kept)


def test_kinds_of_sockets(priv):
    priv.host.run("ip", "link", "set", "lo", "up")
    want(priv)
    both = take(priv, listen(priv, **at(7001, "::", DUAL)))
    six = take(priv, listen(priv, **at(7002, "::", IP6)))
    away = take(priv, listen(priv, **at(7003, "192.0.2.99")))  # an address that nobody has yet
    low = take(priv, listen(priv, **at(80, "0.0.0.0")))
    assert [s.family for s in (both, six, away, low)] == [10, 10, 2, 2]
    assert away.getsockname() == ("192.0.2.99", 7003)
    connect(priv, 7001).close()
    connect(priv, 7001, "::1").close()
    connect(priv, 7002, "::1").close()
    with pytest.raises(ConnectionRefusedError):
        connect(priv, 7002)


def test_taken_port_and_missing_interface_are_said(priv):
    priv.host.run("ip", "link", "set", "lo", "up")
    with priv.host.enter():
        other = socket.create_server(("127.0.0.1", 7001))
    text = priv.engine.ask("SOCK_LISTEN", err=errno.EADDRINUSE, **at(7001)).text
    assert "TCP port 7001" in text and "ss -ltnp" in text
    other.close()
    listen(priv, **at(7001))
    link_local = {**at(7001, "fe80::1", IP6), "ifname": "nosuch0"}
    text = priv.engine.ask("SOCK_LISTEN", err=errno.ENODEV, **link_local).text
    assert text == 'there is no interface "nosuch0"'


def files(priv):
    rows, reply = priv.engine.answer(priv.engine.request("REDIRECT_FILES"))
    assert reply.err == 0, reply.text
    return rows


def test_files_below_redirect_d(priv):
    assert files(priv) == []
    top = priv.config / "redirect.d"
    (top / "more" / "banners").mkdir(parents=True)
    (top / "web").write_text("web")
    (top / "more" / "banners" / "hi").write_text("hello")
    (top / ".hidden").write_text("no")
    os.mkfifo(top / "fifo")
    (top / "inside").symlink_to("more/banners/hi")
    (top / "outside").symlink_to("/etc/passwd")
    (top / "secret").write_text("x")
    (top / "secret").chmod(0o600)
    os.chown(top / "secret", 0, 0)
    got = {row.name: row for row in files(priv)}
    assert list(got) == [
        f"redirect.d/{name}" for name in ("inside", "more/banners/hi", "outside", "secret", "web")
    ]
    for name, text in (("web", b"web"), ("inside", b"hello"), ("more/banners/hi", b"hello")):
        fd = got[f"redirect.d/{name}"].fds[0]
        assert stat.S_ISREG(os.fstat(fd).st_mode) and os.read(fd, 100) == text
    assert (got["redirect.d/outside"].err, got["redirect.d/outside"].fds) == (errno.EXDEV, [])
    assert got["redirect.d/secret"].err == errno.EACCES
    assert "chmod a+r" in got["redirect.d/secret"].text


def test_too_many_files_are_an_error(priv):
    top = priv.config / "redirect.d"
    top.mkdir(parents=True)
    for n in range(201):
        (top / f"f{n}").write_text("")
    rows, reply = priv.engine.answer(priv.engine.request("REDIRECT_FILES"))
    assert reply.err == errno.E2BIG and "more than 200 files" in reply.text
    (top / "f0").unlink()
    assert len(files(priv)) == 200
