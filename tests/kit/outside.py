# SPDX-License-Identifier: GPL-2.0-or-later
"""What stands "outside" a NAT network: an HTTP server, a DNS server and echo ports.

They run as threads of pytest whose sockets were made inside a namespace, so that a test can look
at what arrived and change what is answered while it runs.

HTTP   GET /bytes/N            N bytes that `blob(N)` computes again
       GET /bytes/N?rate=R     the same, at most R bytes a second
DNS    answers from `Dns.records`, or from `Dns.hook(query bytes, source, "udp"|"tcp")`
Echo   TCP and UDP port 7 send back what they get
"""

import contextlib
import hashlib
import http.server
import ipaddress
import socketserver
import struct
import threading
import time
import urllib.parse

A, TXT, AAAA = 1, 16, 28
NXDOMAIN = 3


def blob(size):
    """`size` bytes that no compression shrinks and that are the same in each run."""
    out = bytearray()
    counter = 0
    while len(out) < size:
        out += hashlib.sha256(counter.to_bytes(8, "big")).digest()
        counter += 1
    return bytes(out[:size])


def sha256(size):
    """The checksum of blob(size) in hex: what a guest must find."""
    return hashlib.sha256(blob(size)).hexdigest()


class Server:
    """A socketserver in a thread of its own; the listening socket decides the namespace."""

    def __init__(self, ns, make):
        with ns.enter():
            self._server = make()
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class Tcp(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    request_queue_size = 128


class Udp(socketserver.ThreadingUDPServer):
    max_packet_size = 65535


class Http(Server):
    """`requests` holds (client address, path) of every GET, in order."""

    def __init__(self, ns, address="0.0.0.0", port=80):
        self.requests = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                outer.requests.append((self.client_address[0], self.path))
                url = urllib.parse.urlsplit(self.path)
                kind, _, size = url.path.lstrip("/").partition("/")
                if kind != "bytes" or not size.isdigit():
                    self.send_error(404)
                    return
                rate = urllib.parse.parse_qs(url.query).get("rate", ["0"])[0]
                self.send_response(200)
                self.send_header("Content-Type", "application/octet-stream")
                self.send_header("Content-Length", size)
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    _send(self.wfile, blob(int(size)), int(rate))

        super().__init__(ns, lambda: Tcp((address, port), Handler))


def _send(out, data, rate):
    """Writes `data`, at `rate` bytes a second where that is not 0."""
    if rate == 0:
        out.write(data)
        return
    step = max(1, rate // 20)
    start = time.monotonic()
    for at in range(0, len(data), step):
        out.write(data[at : at + step])
        out.flush()
        ahead = (at + step) / rate - (time.monotonic() - start)
        if ahead > 0:
            time.sleep(ahead)


class Echo:
    """TCP and UDP port 7; `peers` holds (protocol, source address, source port)."""

    def __init__(self, ns, port=7):
        self.peers = []
        outer = self

        class OverTcp(socketserver.BaseRequestHandler):
            def handle(self):
                outer.peers.append(("tcp", *self.client_address))
                with contextlib.suppress(ConnectionError):
                    while data := self.request.recv(65536):
                        self.request.sendall(data)

        class OverUdp(socketserver.BaseRequestHandler):
            def handle(self):
                outer.peers.append(("udp", *self.client_address))
                data, sock = self.request
                sock.sendto(data, self.client_address)

        self._servers = [
            Server(ns, lambda: Tcp(("0.0.0.0", port), OverTcp)),
            Server(ns, lambda: Udp(("0.0.0.0", port), OverUdp)),
        ]

    def close(self):
        for server in self._servers:
            server.close()


class Query(bytes):
    """A DNS query as it arrived, with its question taken apart."""

    @property
    def id(self):
        return struct.unpack_from("!H", self)[0]

    @property
    def name(self):
        labels, at = [], 12
        while self[at]:
            labels.append(self[at + 1 : at + 1 + self[at]].decode("latin-1"))
            at += 1 + self[at]
        return ".".join(labels)

    @property
    def question(self):
        """The question section's bytes."""
        return self[12 : 12 + len(self.name) + 2 + 4]

    @property
    def qtype(self):
        return struct.unpack("!H", self.question[-4:-2])[0]

    def reply(self, answers=(), rcode=0, flags=0x8180, extra=b""):
        """A response to this query; `answers` are (type, ttl, rdata bytes)."""
        head = struct.pack("!HHHHHH", self.id, flags | rcode, 1, len(answers), 0, 1 if extra else 0)
        body = b"".join(
            struct.pack("!HHHIH", 0xC00C, kind, 1, ttl, len(data)) + data
            for kind, ttl, data in answers
        )
        return head + self.question + body + extra


class Dns:
    """A name server on UDP and TCP.

    records   {name: IPv4 address or list of them}; other names give NXDOMAIN, other types no data
    hook      None, or a function (Query, (address, port), "udp"|"tcp") -> bytes, None (say nothing)
    queries   everything received: (protocol, source address, Query)
    """

    def __init__(self, ns, address="0.0.0.0", port=53, records=None):
        self.records = dict(records or {})
        self.hook = None
        self.queries = []
        outer = self

        class OverUdp(socketserver.BaseRequestHandler):
            def handle(self):
                data, sock = self.request
                answer = outer._answer(Query(data), self.client_address, "udp")
                if answer is not None:
                    sock.sendto(answer, self.client_address)

        class OverTcp(socketserver.StreamRequestHandler):
            def handle(self):
                with contextlib.suppress(ConnectionError, struct.error):
                    while head := self.rfile.read(2):
                        query = Query(self.rfile.read(struct.unpack("!H", head)[0]))
                        answer = outer._answer(query, self.client_address, "tcp")
                        if answer is None:
                            return
                        self.wfile.write(struct.pack("!H", len(answer)) + answer)

        self._servers = [
            Server(ns, lambda: Udp((address, port), OverUdp)),
            Server(ns, lambda: Tcp((address, port), OverTcp)),
        ]

    def _answer(self, query, source, protocol):
        self.queries.append((protocol, source[0], query))
        if self.hook is not None:
            return self.hook(query, source, protocol)
        known = self.records.get(query.name.lower())
        if known is None:
            return query.reply(rcode=NXDOMAIN)
        if query.qtype != A:
            return query.reply()
        many = [known] if isinstance(known, str) else known
        return query.reply([(A, 60, ipaddress.ip_address(a).packed) for a in many])

    def asked(self, name):
        """How many queries for this name have come."""
        return sum(1 for _, _, q in self.queries if q.name.lower() == name.lower())

    def close(self):
        for server in self._servers:
            server.close()
