# SPDX-License-Identifier: GPL-2.0-or-later
"""Services of redirect.d, and servers to redirect to: what the tests of redirections share."""

import contextlib
import socket
import threading

import pytest

from . import lab as lab_module

HOST = lab_module.HOST_ADDRESS
NEAR = lab_module.OUTSIDE_ADDRESS  # a client's address, and where the targets are


class Server:
    """A TCP server in a namespace: says its name, then echoes; counts what it got."""

    def __init__(self, where, address, port, name=b""):
        self.name, self.got, self.conns = name, 0, []
        with where.enter():
            self._sock = socket.create_server((address, port), backlog=1024)
        self._sock.settimeout(0.2)
        self._end = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._end:
            try:
                conn, _ = self._sock.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn):
        with contextlib.suppress(OSError), conn:
            conn.sendall(self.name)
            while data := conn.recv(1 << 16):
                self.got += len(data)
                conn.sendall(data)

    def close(self):
        self._end = True
        self._sock.close()
        self._thread.join()


def service(name, port, target, *lines):
    body = ["type = UNLISTED", f"port = {port}", f"redirect = {target}", *lines]
    return f"service {name}\n{{\n" + "".join(f"\t{line}\n" for line in body) + "}\n"


def dial(lab, port, address=HOST, timeout=5):
    with lab.outside.enter():
        return socket.create_connection((address, port), timeout=timeout)


def read_name(conn, size=1):
    data = b""
    while len(data) < size:
        more = conn.recv(size - len(data))
        assert more, "the connection ended"
        data += more
    return data


def says(lab, port, **kw):
    """What a server behind the port says first."""
    with dial(lab, port, **kw) as conn:
        return read_name(conn)


@pytest.fixture
def servers(lab):
    made = {}
    for n, name in enumerate((b"a", b"b", b"c")):
        made[name] = lab.outside.keep(Server(lab.outside, NEAR, 9001 + n, name))
    return made


@pytest.fixture
def two(vnetd, servers):
    """Two redirections, one, 7001 to a, and two, 7002 to b."""
    vnetd.write("redirect.d/one", service("one", 7001, f"{NEAR} 9001"))
    vnetd.write("redirect.d/two", service("two", 7002, f"{NEAR} 9002", "cps = 0 0"))
    vnetd.ctl("reload")
    return vnetd


def echo(conn, data=b"x" * 1000):
    conn.sendall(data)
    assert read_name(conn, len(data)) == data


def row(vnetd, name):
    rows = vnetd.json("redirect", "list")["redirections"]
    return next(r for r in rows if r["name"] == name)
