# SPDX-License-Identifier: GPL-2.0-or-later
"""What the NAT, firewall and DNS tests share: sockets inside namespaces, servers in guests, nat.conf."""

import contextlib
import socket
import threading

from tests.kit import daemon, ns, outside, proc

HOSTONLY, NAT = 1, 8
SUBNET = daemon.SUBNETS[NAT]
GATEWAY = ns.nth(SUBNET, 2)
ADAPTER = ns.nth(SUBNET, 1)


def try_tcp(where, address, port, *, timeout=2, source=None):
    """Connects from inside `where`: the socket, or the exception that says why not."""
    with where.enter():
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    sock.settimeout(timeout)
    try:
        if source:
            sock.bind((source, 0))
        sock.connect((address, port))
    except OSError as why:
        sock.close()
        return why
    return sock


def talks(where, address, port, *, timeout=2):
    """Whether an echo server answers over TCP."""
    sock = try_tcp(where, address, port, timeout=timeout)
    return isinstance(sock, socket.socket) and echoes(sock)


def echoes(sock, data=b"hello"):
    """Whether an open connection to an echo server is alive."""
    try:
        sock.sendall(data)
        got = b""
        while len(got) < len(data):
            part = sock.recv(4096)
            if not part:
                return False
            got += part
        return got == data
    except OSError:
        return False


def udp(where, *, timeout=2, family=socket.AF_INET):
    """A UDP socket inside `where`."""
    with where.enter():
        sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(timeout)
    return sock


def udp_asks(sock, address, port, data=b"hello"):
    """Whether an echo server answers over UDP; also from another address than the one asked."""
    try:
        sock.sendto(data, (address, port))
        return sock.recv(4096) == data
    except OSError:
        return False


def udp_talks(where, address, port, *, timeout=2):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with udp(where, timeout=timeout, family=family) as sock:
        return udp_asks(sock, address, port)


@contextlib.contextmanager
def echo(where, port=7):
    """An echo server (TCP and UDP) inside `where`; `.peers` says who came."""
    server = outside.Echo(where, port)
    try:
        yield server
    finally:
        server.close()


@contextlib.contextmanager
def listener(where, address, port):
    """A UDP socket that records what it gets: a list of (data, source)."""
    with where.enter():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((address, port))
    sock.settimeout(0.1)
    got, stop = [], threading.Event()

    def work():
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                got.append(sock.recvfrom(4096))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield got
    finally:
        stop.set()
        thread.join(5)
        sock.close()


def nat_conf(tcp=(), udp_forwards=(), timeout=30, dns=""):
    """A nat.conf with forwards (host port, guest address, guest port)."""
    line = "{} = {}:{}\n".format
    return (
        f"[host]\nip = {GATEWAY}/24\n[udp]\ntimeout = {timeout}\n{dns}"
        "[incomingtcp]\n"
        + "".join(line(*f) for f in tcp)
        + "[incomingudp]\n"
        + "".join(line(*f) for f in udp_forwards)
    )


def write_nat_conf(vnetd, *args, **kw):
    vnetd.write("vmnet8/nat/nat.conf", nat_conf(*args, **kw))


def table(where):
    """Text of table inet vnetd, or "" when there is none."""
    return where.run("nft", "list", "table", "inet", "vnetd", check=False).out


def flows(where, *args):
    """Lines of the connection tracking table."""
    out = where.run("conntrack", "-L", *args, check=False).out
    return [line for line in out.splitlines() if line.strip()]


def wait_for_table(where, word):
    """Until the table says `word`."""
    proc.wait_until(f"table inet vnetd says {word}", lambda: word in table(where) + " ")


def resolve(guest, name, server=GATEWAY, **kw):
    """Addresses of a name as the proxy gives them; empty when nobody answers."""
    return [row for row in guest.resolve(name, server, **kw) if not row.startswith(";;")]
