# SPDX-License-Identifier: GPL-2.0-or-later
"""Real programs through a redirection: ssh, HTTP/1.1 and HTTP/2, PostgreSQL, stunnel on either side.

    client [outside] ---- host: vnetd, redirection ---- vmnet8 ---- guest: the server

The outside has no route to the guest. What `vnetctl redirect list` counts is compared with the sequence numbers
of the connections on the client's cable.
"""

import contextlib
import hashlib
import re
import socket
import threading

import pytest

from tests.kit import capture, lab as lab_module, outside, programs, proc

HOST = lab_module.HOST_ADDRESS
PORT = 7000  # of the redirection
MB = 1 << 20


class Redirected:
    """A guest whose server is reached by a redirection, "door", at PORT of the host."""

    def __init__(self, lab, vnetd, folder):
        self.client, self.folder, self._vnetd = lab.outside, folder, vnetd
        self.guest = lab.guest("vmnet8")
        self.address = self.guest.dhcp().ip

    def open(self, port):
        """Redirects to a port of the guest; before that, nobody answers there."""
        with pytest.raises(ConnectionRefusedError):
            with self.client.enter():
                socket.create_connection((HOST, PORT), timeout=5)
        self._wire = capture.TcpBytes(self.client, "eth0", self.folder / "wire.pcap", PORT)
        self._vnetd.write(
            "redirect.d/door",
            f"service door\n{{\n\ttype = UNLISTED\n\tport = {PORT}\n\tredirect = {self.address} {port}\n"
            "\tcps = 0 0\n}\n",
        )
        self._vnetd.ctl("reload")

    def run(self, *argv, **kw):
        """Runs a program of the client's."""
        return self.client.run(*argv, timeout=60, **kw)

    def file(self, name, size):
        """A file of so many bytes that do not repeat."""
        path = self.folder / name
        path.write_bytes(outside.blob(size))
        return path

    def listed(self):
        return self._vnetd.json("redirect", "list")["redirections"][0]

    def ended(self):
        """Once all connections have ended and are counted as the wire has it: (connections, in, out)."""
        proc.wait_until("all connections have ended", lambda: self.listed()["connections"] == 0)
        on_wire = self._wire.stop().count()
        row = self.listed()
        assert (row["accepted"], row["bytes_in"], row["bytes_out"]) == on_wire
        return on_wire


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def door(lab, vnetd, folder):
    return Redirected(lab, vnetd, folder)


def test_ssh(door):
    ssh = [*programs.sshd(door.guest, door.folder, door.address), "-p", PORT, f"root@{HOST}"]
    door.open(22)
    said = door.run(*ssh, "echo $SSH_CONNECTION; echo why >&2; exit 7", check=False)
    assert (said.rc, said.err) == (7, "why\n")
    assert said.out.split()[2:] == [door.address, "22"]
    blob = door.file("blob", 8 * MB)
    door.run("bash", "-euc", 'exec "${@:3}" <"$1" >"$2"', "-", blob, door.folder / "back", *ssh, "cat")
    assert sha256(door.folder / "back") == sha256(blob)
    conns, n_in, n_out = door.ended()
    assert conns == 2 and min(n_in, n_out) > 8 * MB


# --- HTTP ------------------------------------------------------------------------------------------

# What curl says of each transfer: the connections that it made for it, and its bytes with all headers.
SAID = "%{http_code} %{num_connects} %{size_request} %{size_upload} %{size_header} %{size_download}\n"


def curl(door, *args):
    """curl's exit status is that of its worst transfer; what it says of each, as numbers."""
    argv = [programs.find("curl"), "-q", "-sS", "--noproxy", "*", "--fail-early", "-m", 50, "-w", SAID]
    return [[int(n) for n in line.split()] for line in door.run(*argv, *args).out.splitlines()]


def test_http_keep_alive(door):
    """A few uploads and two hundred answers over one connection, each as it should be, and so is each byte's count."""
    root = programs.nginx(door.guest, door.folder, door.address)
    sizes = [1, 100, 16384, 16385, 3 * MB]
    blobs = {size: outside.blob(size) for size in sizes}
    for size in sizes:
        (root / str(size)).write_bytes(blobs[size])
    blob = door.file("blob", 5 * MB)
    got = door.folder / "got"
    door.open(80)
    url = f"http://{HOST}:{PORT}"
    puts = [word for n in range(3) for word in ("-o", got / f"put{n}", "-T", blob, f"{url}/up{n}")]
    gets = [word for n in range(200) for word in ("-o", got / str(n), f"{url}/{sizes[n % len(sizes)]}")]
    said = curl(door, "--http1.1", "--create-dirs", *puts, *gets)
    assert [row[0] for row in said] == [201] * 3 + [200] * 200
    assert sum(row[1] for row in said) == 1
    for n in range(200):
        assert (got / str(n)).read_bytes() == blobs[sizes[n % len(sizes)]]
    assert {sha256(root / f"up{n}") for n in range(3)} == {sha256(blob)}
    sums = [sum(column) for column in zip(*said)]
    assert door.ended() == (1, sums[2] + sums[3], sums[4] + sums[5])


def test_http_with_many_connections(door):
    root = programs.nginx(door.guest, door.folder, door.address)
    blob = root / "blob"
    blob.write_bytes(outside.blob(400_000))
    got = door.folder / "got"
    door.open(80)
    parallel = ["-Z", "--parallel-immediate", "--parallel-max", 40]
    url = f"http://{HOST}:{PORT}/blob?[1-160]"
    said = curl(door, "--http1.1", *parallel, "--create-dirs", "-o", f"{got}/#1", url)
    assert len(said) == 160 and {row[0] for row in said} == {200}
    assert [sha256(got / str(n)) for n in range(1, 161)] == [sha256(blob)] * 160
    sums = [sum(column) for column in zip(*said)]
    assert door.ended() == (sums[1], sums[2], sums[4] + sums[5])
    assert sums[1] == 40


def test_http2_streams(door):
    """A hundred streams at once in one connection, and then uploads beside each other in another one."""
    root = programs.nginx(door.guest, door.folder, door.address, 443, tls=True)
    blob = root / "blob"
    blob.write_bytes(outside.blob(400_000))
    large = door.file("large", 3 * MB)
    got = door.folder / "got"
    door.open(443)
    url = f"https://{HOST}:{PORT}"
    h2 = ["--http2", "-k", "-Z", "--parallel-max", 100, "--create-dirs", "-w", "%{http_version} " + SAID]
    said = curl(door, *h2, "-o", f"{got}/#1", f"{url}/blob?[1-100]")
    assert [row[:2] for row in said] == [[2, 200]] * 100
    assert sum(row[2] for row in said) == 1
    assert [sha256(got / str(n)) for n in range(1, 101)] == [sha256(blob)] * 100
    puts = [word for n in range(8) for word in ("-o", got / f"put{n}", "-T", large, f"{url}/up{n}")]
    said = curl(door, *h2, *puts)
    assert [row[:2] for row in said] == [[2, 201]] * 8
    assert {sha256(root / f"up{n}") for n in range(8)} == {sha256(large)}
    conns, n_in, n_out = door.ended()
    assert conns == 2
    assert n_in > 8 * 3 * MB and n_out > 100 * 400_000


# --- PostgreSQL ------------------------------------------------------------------------------------


def test_postgresql(door):
    psql, pgbench = programs.postgres(door.guest, door.folder, door.address)
    where = ["-h", HOST, "-p", PORT, "-U", "postgres"]
    sql = [psql, "-X", "-v", "ON_ERROR_STOP=1", "-At", *where, "-d", "postgres", "-c"]
    door.open(5432)
    assert door.run(*sql, "select inet_server_addr(), inet_server_port()").out == f"{door.address}|5432\n"

    rows = "".join(f"{n}\t{hashlib.sha256(b'%d' % n).hexdigest()}\n" for n in range(80_000))
    (door.folder / "rows").write_text(rows)
    door.run(*sql, "create table t (n int, sum text)")
    door.run(*sql, f"\\copy t from '{door.folder}/rows'")
    differ = "select count(*), count(*) filter (where sum <> encode(sha256(n::text::bytea), 'hex')) from t"
    assert door.run(*sql, differ).out == "80000|0\n"
    door.run(*sql, f"\\copy (select * from t order by n) to '{door.folder}/back'")
    assert (door.folder / "back").read_text() == rows

    door.run(pgbench, "-i", "-q", *where, "postgres")
    done = door.run(pgbench, "-c", 6, "-j", 2, "-T", 3, *where, "postgres").out
    transactions = int(re.search(r"transactions actually processed: (\d+)", done)[1])
    assert transactions > 0 and "number of failed transactions: 0 " in done
    sums = [f"(select sum({column}) from pgbench_{table})" for column, table in (
        ("abalance", "accounts"), ("bbalance", "branches"), ("tbalance", "tellers"), ("delta", "history"))]
    *money, count = door.run(*sql, f"select {', '.join(sums)}, (select count(*) from pgbench_history)").out.split("|")
    assert len(set(money)) == 1
    assert int(count) == transactions
    _, n_in, n_out = door.ended()
    assert min(n_in, n_out) > len(rows)


# --- stunnel ---------------------------------------------------------------------------------------


class Digest:
    """A TCP server: a client says a line with a number and so many bytes, and gets their SHA-256 and themselves.

    Nobody half-closes: that stunnel may cut what comes in the other direction then, without us too.
    """

    def __init__(self, ns, address, port):
        with ns.enter():
            self._sock = socket.create_server((address, port))
        ns.keep(self)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=self._sock.accept()[:1], daemon=True).start()

    def _serve(self, conn):
        with contextlib.suppress(OSError), conn, conn.makefile("rb") as said:
            while line := said.readline():
                body = said.read(int(line))
                conn.sendall(hashlib.sha256(body).digest() + body)

    def close(self):
        self._sock.close()


SIZES = (1, 100_000, 8 * MB)  # that a Digest is asked for, each in a connection of its own
ASKED = sum(len(f"{size}\n") + size for size in SIZES)
ANSWERED = sum(32 + size for size in SIZES)


def ask_digests(ns, address, port):
    for size in SIZES:
        body = outside.blob(size)
        with ns.enter():
            conn = socket.create_connection((address, port), timeout=20)
        with conn, conn.makefile("rb") as answer:
            conn.sendall(b"%d\n" % size + body)
            assert answer.read(32 + size) == hashlib.sha256(body).digest() + body


def stunnel_pair(folder, server, client):
    """Configurations of a stunnel that has a certificate and one that knows it; each is given its service's lines."""
    both = programs.certificate(folder, "tunnel")
    common = "foreground = yes\npid =\nsyslog = no\n"
    (folder / "server.conf").write_text(f"{common}[far]\ncert = {both}\n{server}")
    (folder / "client.conf").write_text(
        f"{common}[near]\nclient = yes\nCAfile = {both.with_suffix('.crt')}\nverifyPeer = yes\n{client}"
    )
    return folder / "server.conf", folder / "client.conf"


def test_stunnel_server_behind_and_client_in_front(door):
    """TLS passes: client - stunnel [outside] - redirection - stunnel [guest] - server."""
    server, client = stunnel_pair(
        door.folder,
        f"accept = {door.address}:8443\nconnect = 127.0.0.1:9000\n",
        f"accept = 127.0.0.1:9000\nconnect = {HOST}:{PORT}\n",
    )
    Digest(door.guest, "127.0.0.1", 9000)
    programs.stunnel(door.guest, server, door.address, 8443, door.folder / "server.log")
    door.open(8443)
    programs.stunnel(door.client, client, "127.0.0.1", 9000, door.folder / "client.log")
    ask_digests(door.client, "127.0.0.1", 9000)
    conns, n_in, n_out = door.ended()
    assert conns == len(SIZES)
    assert n_in > ASKED and n_out > ANSWERED


def test_stunnel_client_behind_and_server_as_its_peer(door):
    """A plain connection is redirected to stunnel, which goes on in TLS: client - redirection - stunnel [guest] -
    NAT - stunnel [outside] - server."""
    far = lab_module.OUTSIDE_ADDRESS
    server, client = stunnel_pair(
        door.folder,
        f"accept = {far}:8443\nconnect = 127.0.0.1:9000\n",
        f"accept = {door.address}:9000\nconnect = {far}:8443\n",
    )
    Digest(door.client, "127.0.0.1", 9000)
    programs.stunnel(door.client, server, far, 8443, door.folder / "server.log")
    programs.stunnel(door.guest, client, door.address, 9000, door.folder / "client.log")
    door.open(9000)
    ask_digests(door.client, HOST, PORT)
    assert door.ended() == (len(SIZES), ASKED, ANSWERED)
