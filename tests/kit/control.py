# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of vnetd's socket that stays, as vnetctl does not: for what is asked thousands of times.

    with control.Client(vnetd) as client:
        client.ask("FORWARD_REMOVE", net=8, proto=0, port=8080)     -> the REPLY, or the test fails
"""

import socket

from . import msg


class Client:
    def __init__(self, vnetd, timeout=20):
        self._ids = 0
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._sock.settimeout(timeout)
        self._sock.connect(str(vnetd.run / "vnetd.sock"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sock.close()

    def ask(self, name, fds=(), **fields):
        """Sends a request, with descriptors, and waits for its REPLY; rows that come before it are not kept."""
        self._ids += 1
        socket.send_fds(self._sock, [msg.encode(name, self._ids, **fields)], fds)
        while True:
            data = self._sock.recv(65536)
            assert data, f"vnetd ended the connection at {name}"
            got = msg.decode(data)
            if got.type == "REPLY" and got.id == self._ids:
                assert got.err == 0, f"{name}: {got.text}"
                return got
