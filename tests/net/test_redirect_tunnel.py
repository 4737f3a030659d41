# SPDX-License-Identifier: GPL-2.0-or-later
"""The example examples/tunnel, built from its own files: a moved server keeps its old address.

    client - vmnet2 [A: vnetd, stunnel] up0 - eth0 [outside: the Internet] eth1 - up0 [B: vnetd, stunnel] vmnet2 - web
"""

import re
import socket
from pathlib import Path

import pytest

from tests.kit import capture, lab as lab_module, ns, outside, programs, proc

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/tunnel"
OLD = ("192.168.10.5", 80)  # where the clients know the server
PUBLIC = "203.0.113.20"  # B's address in the example
SIZE = 300_000


class Site:
    """One side of the example: a host with vnetd, with the files that its README has copied there."""

    def __init__(self, vnetd, name):
        self.vnetd, self.host, self.name = vnetd, vnetd.host, name
        readme = (EXAMPLE / "README.md").read_text()
        vnetd.write("networking", "VERSION=1,0\n")
        vnetd.start()
        create = re.search(rf"vnetctl (create .*?) +# on {name[-1].upper()}'s host", readme)[1]
        vnetd.ctl(*create.split())
        openssl = re.search(r"openssl req .*\\\n.*", readme)[0].replace("site-a", name)
        self.host.sh(f"cd /etc/stunnel; {openssl}")

    def certificate(self):
        return self.host.run("cat", f"/etc/stunnel/{self.name}.crt").out

    def copy(self, service, other):
        self.host.write_file(f"/etc/stunnel/{other.name}.crt", other.certificate())
        conf = "/etc/stunnel/vnet-tunnel.conf"
        text = (EXAMPLE / self.name / "vnet-tunnel.conf").read_text()
        self.host.write_file(conf, text)
        self.service, self._text = service, (EXAMPLE / self.name / service).read_text()
        self.vnetd.write(f"redirect.d/{service}", self._text)
        self.vnetd.ctl("check")
        self.vnetd.ctl("reload")
        accept = re.search(r"^accept = (\S+):(\d+)$", text, re.MULTILINE)
        programs.stunnel(self.host, conf, *accept.groups(), self.vnetd.log.with_name(f"{self.name}.log"))

    def change(self):
        """Changes the service, and reloads."""
        text = self._text.replace("}\n", "\tinstances = 50\n}\n")
        self.vnetd.write(f"redirect.d/{self.service}", text)
        self.vnetd.ctl("reload")

    def remove(self):
        (self.vnetd.config / "redirect.d" / self.service).unlink()
        self.vnetd.ctl("reload")

    def listed(self):
        return self.vnetd.json("redirect", "list")["redirections"][0]

    def connections(self):
        return [c["id"] for c in self.vnetd.json("redirect", "show", self.service)["connections"]]


class Tunnel:
    """Both sites with the Internet between them, a client in A, the server in B."""

    def __init__(self, lab):
        internet, vnetd_b = lab.outside, lab.another_host("hostb")
        ns.veth(vnetd_b.host, "up0", internet, "eth1")
        vnetd_b.host.run("ip", "addr", "add", f"{PUBLIC}/24", "dev", "up0")
        internet.run("ip", "addr", "add", "203.0.113.1/24", "dev", "eth1")
        vnetd_b.host.run("ip", "route", "add", "default", "via", "203.0.113.1")
        vnetd_b.host.set_resolvers("203.0.113.1")
        internet.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        # What the example says of A: its host has a web server of its own, at port 80 of all addresses.
        self.own_web = lab.host.keep(outside.Http(lab.host))
        self.a, self.b = Site(lab.vnetd, "site-a"), Site(vnetd_b, "site-b")
        self.client = lab.guest("vmnet2")
        self.client.dhcp()
        server = lab.guest("vmnet2", vnetd=vnetd_b)
        server.dhcp(hostname="web")
        self.web = server.keep(outside.Http(server))
        self.b.copy("web", self.a)
        self.a.copy("old-web", self.b)

    def connect(self, timeout=20):
        with self.client.enter():
            return socket.create_connection(OLD, timeout=timeout)

    def fetch(self, host=OLD[0]):
        return self.client.fetch(f"http://{host}/bytes/{SIZE}")


@pytest.fixture
def tunnel(lab):
    return Tunnel(lab)


def test_client_reaches_the_moved_server_at_its_old_address(tunnel):
    assert tunnel.fetch() == outside.blob(SIZE)
    assert len(tunnel.web.requests) == 1 and not tunnel.own_web.requests
    gateway = tunnel.a.host.addresses("vmnet2")[0].split("/")[0]
    assert tunnel.fetch(gateway) == outside.blob(SIZE)
    assert len(tunnel.web.requests) == 1 and len(tunnel.own_web.requests) == 1
    near, far = (site.listed() for site in (tunnel.a, tunnel.b))
    assert (near["accepted"], far["accepted"]) == (1, 1)
    assert near["bytes_out"] == far["bytes_out"] > SIZE
    assert near["bytes_in"] == far["bytes_in"] > 0


def streams(packets):
    """The bytes of each direction of each TCP connection, whose packets have all been seen from the first one on."""
    first, parts = {}, {}
    names = ("tcp.srcport", "tcp.dstport", "tcp.flags.syn", "tcp.seq_raw", "tcp.payload")
    for source, target, syn, seq, payload in packets.fields("tcp", *names):
        way, seq = (source, target), int(seq)
        if syn in ("1", "True"):
            first[way] = seq + 1
        elif payload:
            parts.setdefault(way, {})[(seq - first[way]) % 2**32] = bytes.fromhex(payload.replace(":", ""))
    whole = {}
    for way, found in parts.items():
        data = b""
        for at, part in sorted(found.items()):
            assert at <= len(data), f"bytes of {way} were not captured"
            data += part[len(data) - at :]
        whole[way] = data
    return whole


def tls_only(stream):
    """Whether it is a row of whole TLS records and nothing else."""
    while stream:
        kind, major, size = stream[0], stream[1], int.from_bytes(stream[3:5], "big")
        if kind not in (20, 21, 22, 23) or major != 3 or len(stream) < 5 + size:
            return False
        stream = stream[5 + size :]
    return True


def test_nothing_but_tls_is_on_the_wire_between_the_sites(lab, tunnel, folder):
    buffer = ("-B", "65536")
    inside = capture.Capture(tunnel.a.host, "vmnet2", folder / "inside.pcap", more=buffer)
    between = capture.Capture(lab.outside, "eth0", folder / "between.pcap", more=buffer)
    assert tunnel.fetch() == outside.blob(SIZE)
    proc.wait_until("the connection has ended", lambda: tunnel.a.listed()["connections"] == 0)
    plain = [b"GET /bytes/", b"application/octet-stream", outside.blob(SIZE)[1000:1032]]
    seen = inside.stop().path.read_bytes()
    assert all(text in seen for text in plain)
    seen = between.stop().path.read_bytes()
    assert not any(text in seen for text in plain)
    assert between.fields(f"ip.addr == {PUBLIC} && !(tcp.port == 8443)", "frame.number") == []
    found = streams(between)
    assert len(found) == 2 and all("8443" in way for way in found)
    assert max(len(stream) for stream in found.values()) > SIZE
    assert all(tls_only(stream) for stream in found.values())
    assert not tls_only(b"GET / HTTP/1.0\r\n\r\n")


def test_stranger_is_not_talked_to(tunnel, folder):
    """Who has no certificate that B knows does not get through its stunnel; who has, does."""
    programs.certificate(folder, "stranger")
    said = {}
    for who in ("/etc/stunnel/site-a", folder / "stranger"):
        argv = ["s_client", "-quiet", "-connect", f"{PUBLIC}:8443", "-cert", f"{who}.crt", "-key", f"{who}.key"]
        request = "GET /bytes/0 HTTP/1.0\r\n\r\n"
        said[who] = tunnel.a.host.run(programs.find("openssl"), *argv, stdin=request, check=False).out
    assert [text.startswith("HTTP/1.0 200") for text in said.values()] == [True, False]
    assert tunnel.b.listed()["accepted"] == len(tunnel.web.requests) == 1


def test_reload_keeps_the_connection(tunnel):
    """Half a request before the reloads of both sides, the other half after them."""
    with tunnel.connect() as conn, conn.makefile("rb") as answer:
        conn.sendall(f"GET /bytes/{SIZE} HTTP/1.0\r\n".encode())
        proc.wait_until("it goes all the way", lambda: tunnel.b.listed()["bytes_in"])
        before = [site.connections() for site in (tunnel.a, tunnel.b)]
        for site in (tunnel.a, tunnel.b):
            site.change()
        assert [site.connections() for site in (tunnel.a, tunnel.b)] == before
        assert [len(ids) for ids in before] == [1, 1]
        conn.sendall(b"\r\n")
        head, body = answer.read().split(b"\r\n\r\n", 1)
        assert b" 200 " in head and body == outside.blob(SIZE)
    assert tunnel.fetch() == outside.blob(SIZE)


def test_killed_processes_and_a_restart_leave_the_tunnel(tunnel):
    sites = (tunnel.a, tunnel.b)
    with tunnel.connect() as conn, conn.makefile("rb") as answer:
        conn.sendall(f"GET /bytes/{SIZE} HTTP/1.0\r\n".encode())
        proc.wait_until("it goes all the way", lambda: tunnel.b.listed()["bytes_in"])
        for site in sites:
            for name in ("engine", "vnet-natd"):
                site.vnetd.kill_and_await(name)
        conn.sendall(b"\r\n")
        assert answer.read().endswith(outside.blob(SIZE))
    for site in sites:
        site.vnetd.restart()
        proc.wait_until("it leads somewhere again", lambda: site.listed()["state"] == "ok")
        assert tunnel.fetch() == outside.blob(SIZE)


def test_without_the_file_alias_and_capture_are_gone(tunnel):
    host = tunnel.a.host
    ruleset = lambda: host.run("nft", "list", "ruleset").out
    assert f"{OLD[0]}/32" in host.addresses("vmnet2") and OLD[0] in ruleset()
    with tunnel.connect() as conn:
        conn.sendall(b"GET ")
        proc.wait_until("it goes all the way", lambda: tunnel.b.listed()["bytes_in"])
        tunnel.a.remove()
        with pytest.raises(ConnectionResetError):
            conn.recv(1)
    assert f"{OLD[0]}/32" not in host.addresses("vmnet2")
    proc.wait_until("the rule is gone", lambda: OLD[0] not in ruleset())
    with pytest.raises(OSError), tunnel.connect(timeout=2):
        pass
    assert not tunnel.client.ping(OLD[0])
    proc.wait_until("the redirector has ended", lambda: "vnet-redird" not in tunnel.a.vnetd.pids())
    assert tunnel.b.listed()["state"] == "ok"
