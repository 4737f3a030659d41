# SPDX-License-Identifier: GPL-2.0-or-later
"""priv's verbs about redirections. The test is the engine and vnet-redird."""

import errno
import fcntl
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


def test_only_added_addresses_are_announced(priv):
    priv.host.sh(
        "sysctl -qw net.ipv6.conf.default.disable_ipv6=1; ip link add d0 type veth peer d9;"
        "ip link set d0 up; ip link set d9 up; ip addr add 10.9.9.9/32 dev d0"
    )
    where = {"addr": mapped("10.9.9.7"), "ifname": "d0"}
    text = priv.engine.ask("ALIAS_ANNOUNCE", err=errno.EADDRNOTAVAIL, **where).text
    assert text == "d0: no redirection added the address"
    assert priv.engine.ask("ALIAS_SET", **where).text == "added"
    assert priv.engine.ask("ALIAS_SET", **where).text == ""

    def sent():
        return priv.host.ip("-s", "link", "show", "d0")[0]["stats64"]["tx"]

    before = sent()
    priv.engine.ask("ALIAS_ANNOUNCE", **where)
    after = sent()
    assert (after["packets"] - before["packets"], after["bytes"] - before["bytes"]) == (1, 60)
    host = {"addr": mapped("10.9.9.9"), "ifname": "d0"}
    assert priv.engine.ask("ALIAS_SET", **host).text == ""
    priv.engine.ask("ALIAS_ANNOUNCE", err=errno.EADDRNOTAVAIL, **host)
    priv.host.run("ip", "link", "set", "d0", "down")
    priv.engine.ask("ALIAS_ANNOUNCE", **where)
    assert sent()["packets"] == after["packets"]
    priv.engine.ask("ALIAS_ANNOUNCE", err=errno.ENODEV, addr=where["addr"], ifname="d1")


@pytest.fixture
def logs(priv):
    """A folder where user _vnet may write; only root may in the one above it."""
    folder = priv.config.parent / "log" / "ours"
    folder.mkdir(parents=True)
    priv.host.run("chown", "_vnet", folder)
    return folder


def set_log(priv, path):
    return int(priv.engine.ask("LOG_SET", path=str(path)).text)


def append(priv, number, text):
    fds = priv.redird.ask("LOG_TAKE", log=number).fds
    os.write(fds[0], text)
    return fds[0]


def test_logs_that_the_engine_named_are_opened_by_number(priv, logs):
    want(priv)
    priv.redird.ask("LOG_TAKE", err=errno.ENOENT, log=1)  # there is none so far
    number = set_log(priv, logs / "a")
    fd = append(priv, number, b"one ")
    flags = fcntl.fcntl(fd, fcntl.F_GETFL)
    assert flags & os.O_APPEND and flags & os.O_ACCMODE == os.O_WRONLY
    (logs / "a").rename(logs / "b")
    append(priv, number, b"two")
    assert ((logs / "b").read_text(), (logs / "a").read_text()) == ("one ", "two")
    other = set_log(priv, logs / "c")
    assert set_log(priv, logs / "a") == number != other
    priv.engine.ask("LOG_SWEEP")
    set_log(priv, logs / "c")
    priv.engine.ask("LOG_SWEEP")
    priv.redird.ask("LOG_TAKE", err=errno.ENOENT, log=number)
    append(priv, other, b"three")
    assert set_log(priv, logs / "a") not in (number, other)


def test_log_that_cannot_be_is_said(priv, logs):
    (logs / "link").symlink_to(logs / "a")
    (logs / "proc").symlink_to("/proc/sys/net/ipv4")  # where it may write
    os.mkfifo(logs / "fifo")
    (logs / "fifo").chmod(0o666)
    reader = os.open(logs / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    for path, err, why in (
        (logs.parent / "roots", errno.EACCES, "user _vnet cannot write to"),
        (logs, errno.EINVAL, "is not a regular file"),
        (logs / "link", errno.ELOOP, "is a symbolic link"),
        (logs / "fifo", errno.EINVAL, "is not a regular file"),
        (logs / "proc" / "ip_forward", errno.EINVAL, "is not a regular file"),
        ("/proc/sys/net/ipv4/ip_forward", errno.EPERM, ""),
    ):
        assert why in priv.engine.ask("LOG_SET", err=err, path=str(path)).text
    os.close(reader)
    assert not (logs / "a").exists() and not (logs.parent / "roots").exists()


RESTART = """
import os, socket, sys
from_fd = int(sys.argv[1])
os.dup2(from_fd, 4); os.dup2(os.open("/dev/null", os.O_RDONLY), 3); os.dup2(3, 5)
os.environ.update(LISTEN_FDS="3", LISTEN_PID=str(os.getpid()),
                  LISTEN_FDNAMES="x:" + sys.argv[2] + ":redirect-1-2-zz-")
os.execv(sys.argv[3], sys.argv[3:])
"""


def test_service_manager_keeps_sockets_over_a_restart(host, folder):
    host.run("ip", "link", "set", "lo", "up")
    made = relay.Priv(host, folder)
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(folder / "notify"))
    os.chmod(folder / "notify", 0o777)
    manager.settimeout(5)
    env = {**os.environ, "NOTIFY_SOCKET": str(folder / "notify")}
    try:
        made.process = host.popen(*made.argv(), log=made.log, env=env)
        listen(made, **at(7001))
        state, fds, _, _ = socket.recv_fds(manager, 1000, 4)
        first, name = state.decode().splitlines()
        assert first == "FDSTORE=1" and len(fds) == 1
        made.stop()
        assert manager.recv(1000) == b"STOPPING=1"
        waiting = connect(made, 7001)  # nobody serves, and nobody is refused
        os.set_inheritable(fds[0], True)
        argv = ["/usr/bin/python3", "-c", RESTART, fds[0], name.removeprefix("FDNAME="),
                *made.argv("-d")]
        made.process = host.popen(*argv, log=made.log, env=env, pass_fds=[fds[0]])
        want(made)
        got = take(made, listen(made, **at(7001)))
        assert inode(got) == os.fstat(fds[0]).st_ino
        got.settimeout(5)
        conn, peer = got.accept()
        assert peer == waiting.getsockname()
        made.engine.ask("LISTEN_SWEEP")
        assert manager.recv(1000).decode() == "FDSTOREREMOVE=1\n" + name
    finally:
        made.close()
        manager.close()


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
