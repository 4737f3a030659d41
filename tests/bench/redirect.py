# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP redirection: ours beside haproxy, systemd-socket-proxyd, rinetd, xinetd, redir and socat.

client namespace - redirectors' namespace - server namespace, by veth. All redirectors run all the time, each on an
address of its own, and the one that is measured is the only one with anything to do. A round measures each once; every
second round goes backwards, and each begins with another one. Those that start a process for each connection take part
in a few rounds only.

    streams      iperf3, one stream and eight; the CPU is the redirector's own, children included
    new          wrk with "Connection: close", 32 at once, three bytes from nginx: connections a second
    keep-alive   wrk, 16 connections: requests a second and p99
    ping         conns.c: 64 bytes there and back, p50
    idle         conns.c: 9,000 connections one after the other (1,000 for a process each, and for rinetd, whose cost
                 for each grows with their number; 3,000 for socket-proxyd, which takes six descriptors for one)

A peer's best figure is what ours is compared with; for p50 it is the best of haproxy, redir, rinetd and socat, as
xinetd's and socket-proxyd's depend on where the scheduler happens to put them.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile

from kit import lab as labs, ns, proc
from table import Table

CLIENT, NEAR, FAR, SERVER = "10.182.1.2", "10.182.1.1", "10.182.2.1", "10.182.2.2"
STREAM, WEB, ECHO = 5201, 8080, 9000  # of each redirector
ROUNDS_MAX, ROUNDS_SLOW = 9, 3
SECONDS = 1
PINGS = 4000
IDLE = {"redird": 9000, "haproxy": 9000, "proxyd": 3000}
IDLE_OTHERS = 1000
SLOW = ("xinetd", "redir", "socat")
PING_PEERS = ("haproxy", "redir", "rinetd", "socat")
PEERS = ("redird", "haproxy", "proxyd", "rinetd", *SLOW)

NGINX = """worker_processes 1; daemon off; pid {tmp}/nginx.pid; error_log {tmp}/nginx.err; user root;
events {{ worker_connections 16384; }}
http {{ access_log off; client_body_temp_path {tmp}/b; proxy_temp_path {tmp}/p; fastcgi_temp_path {tmp}/f;
uwsgi_temp_path {tmp}/u; scgi_temp_path {tmp}/s; open_file_cache max=10; keepalive_requests 1000000000;
server {{ {listens} root {tmp}/www; }} }}
"""
HAPROXY = """global
 maxconn 9500
 maxpipes 200
 nbthread 1
defaults
 mode tcp
 option splice-auto
 option splice-request
 option splice-response
 maxconn 9500
 timeout connect 10s
 timeout client 600s
 timeout server 600s
"""
XINETD = """service r{port}
{{
 type = UNLISTED
 socket_type = stream
 protocol = tcp
 wait = no
 user = root
 bind = {at}
 port = {port}
 redirect = {to} {to_port}
 flags = REUSE NODELAY
 instances = UNLIMITED
 per_source = UNLIMITED
 cps = 1000000 1
}}
"""


class Peer:
    """A redirector on its own address: `.at`, and the processes that it consists of."""

    def __init__(self, name, at, started):
        self.name, self.at, self._started = name, at, started

    def _stats(self):
        """/proc/PID/stat behind the name, for every process of its sessions, whoever is the parent now."""
        sessions = {str(child.pid) for child in self._started}
        for pid in proc.every_pid():
            try:
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[3] in sessions:
                yield pid, fields

    def ticks(self):
        """Hundredths of a second of CPU, those of ended children included."""
        return sum(int(fields[i]) for _, fields in self._stats() for i in (11, 12, 13, 14))

    def pss_kb(self):
        total = 0
        for pid, _ in self._stats():
            try:
                rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            total += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M).group(1))
        return total


class Path:
    """The namespaces, the servers and the redirectors."""

    def __init__(self, tmp, tools):
        self.tmp, self.conns, self._alone = tmp, tools / "conns", tools / "redird-alone"
        self.client, self.mid, self.server = self._ns = [ns.Netns(f"vt{os.getpid()}-b{c}") for c in "cms"]
        self.peers, self._iperf = {}, {}

    def close(self):
        for each in self._ns:
            each.delete()

    def make(self):
        ns.veth(self.client, "c0", self.mid, "m0")
        ns.veth(self.server, "s0", self.mid, "m1")
        for where, ifname, address in (
            (self.client, "c0", CLIENT), (self.mid, "m0", NEAR), (self.mid, "m1", FAR), (self.server, "s0", SERVER),
        ):
            where.run("ip", "addr", "add", f"{address}/24", "dev", ifname)
            where.run(
                "sysctl", "-qw", "net.ipv4.ip_local_port_range=1024 65535", "net.ipv4.tcp_tw_reuse=1",
                "net.core.somaxconn=8192", "net.ipv4.tcp_max_syn_backlog=8192",
            )
        (self.tmp / "www").mkdir()
        (self.tmp / "www/index.html").write_text("ok\n")
        listens = " ".join(f"listen {WEB + i} backlog=8192;" for i in range(len(PEERS)))
        (self.tmp / "nginx.conf").write_text(NGINX.format(tmp=self.tmp, listens=listens))
        self.server.popen("nginx", "-c", self.tmp / "nginx.conf", log=self.tmp / "nginx.log")
        self.server.popen(self.conns, "echo", ECHO, log=self.tmp / "echo.log")
        for i, name in enumerate(PEERS):
            at = f"10.182.1.{10 + i}"
            self.mid.run("ip", "addr", "add", f"{at}/24", "dev", "m0")
            # A server each: one that a redirector left in the middle would be busy for the next.
            self._serve_streams(name)
            routes = [(STREAM, STREAM + i), (WEB, WEB + i), (ECHO, ECHO)]
            log = self.tmp / f"{name}.log"
            started = [self.mid.popen(*argv, log=log, **kw) for argv, kw in getattr(self, f"_{name}")(at, routes)]
            self.peers[name] = Peer(name, at, started)
            argv = [self.conns, "ping", at, ECHO, 10]
            proc.wait_until(f"{name} answers", lambda a=argv: self.client.run(*a, check=False).rc == 0)

    def _serve_streams(self, name):
        argv = ["iperf3", "-s", "-p", STREAM + PEERS.index(name)]
        self._iperf[name] = self.server.popen(*argv, log=self.tmp / "iperf.log")

    # --- how each is started: pairs of an argument list and keywords for popen -----------------------

    def _redird(self, at, routes):
        argv = [self._alone]
        for i, (p, q) in enumerate(routes):
            argv += [*(["--"] if i else []), f"{at}:{p}", f"{SERVER}:{q}"]
        return [(argv, {"stdin": subprocess.PIPE})]

    def _haproxy(self, at, routes):
        listens = (f"listen l{p}\n bind {at}:{p}\n server s {SERVER}:{q}\n" for p, q in routes)
        (self.tmp / "haproxy.cfg").write_text(HAPROXY + "".join(listens))
        return [(["haproxy", "-db", "-f", self.tmp / "haproxy.cfg"], {})]

    def _proxyd(self, at, routes):
        daemon = ["/lib/systemd/systemd-socket-proxyd", "--connections-max=20000"]
        return [(["systemd-socket-activate", "-l", f"{at}:{p}", *daemon, f"{SERVER}:{q}"], {}) for p, q in routes]

    def _rinetd(self, at, routes):
        (self.tmp / "rinetd.conf").write_text("".join(f"{at} {p} {SERVER} {q}\n" for p, q in routes))
        return [(["rinetd", "-f", "-c", self.tmp / "rinetd.conf"], {})]

    def _xinetd(self, at, routes):
        text = "".join(XINETD.format(port=p, at=at, to=SERVER, to_port=q) for p, q in routes)
        (self.tmp / "xinetd.conf").write_text(text)
        argv = ["xinetd", "-dontfork", "-f", self.tmp / "xinetd.conf", "-pidfile", self.tmp / "xinetd.pid"]
        return [(argv, {})]

    def _redir(self, at, routes):
        return [(["redir", "-n", "-l", "error", f"{at}:{p}", f"{SERVER}:{q}"], {}) for p, q in routes]

    def _socat(self, at, routes):
        listen = "TCP-LISTEN:{},bind={},fork,reuseaddr,backlog=4096,nodelay"
        return [(["socat", listen.format(p, at), f"TCP:{SERVER}:{q},nodelay"], {}) for p, q in routes]

    # --- figures -----------------------------------------------------------------------------------

    def stream(self, peer, count):
        """(Gbit/s, CPU in percent); (0, 0) when a peer lost the connection, as socket-proxyd does at times with eight."""
        before = peer.ticks()
        argv = ["iperf3", "-c", peer.at, "-p", STREAM, "-t", SECONDS, "-P", count, "-J"]
        done = self.client.run(*argv, check=False)
        rate = json.loads(done.out).get("end", {}).get("sum_received", {}).get("bits_per_second", 0) / 1e9
        if rate:
            return rate, (peer.ticks() - before) / SECONDS
        if peer.name == "redird":
            raise proc.Failed(str(done))
        proc.kill_group(self._iperf[peer.name].pid)
        self._serve_streams(peer.name)
        return 0, 0

    def _wrk(self, peer, *args):
        argv = ["wrk", "-t1", f"-d{SECONDS}s", "--latency", *args, f"http://{peer.at}:{WEB}/index.html"]
        out = self.client.run(*argv).out
        number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
        return rate, float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]

    def new(self, peer):
        return self._wrk(peer, "-c32", "-H", "Connection: close")[0]

    def keep_alive(self, peer):
        return self._wrk(peer, "-c16")

    def ping(self, peer):
        return float(self.client.run(self.conns, "ping", peer.at, ECHO, PINGS).out.split()[0])

    def idle(self, peer, count):
        """(kB of PSS for each connection, milliseconds for all)"""
        before = peer.pss_kb()
        child = self.client.popen(self.conns, "idle", peer.at, ECHO, count, stdin=subprocess.PIPE)
        line = child.stdout.readline().split()
        if len(line) != 2:
            raise proc.Failed(f"{peer.name}: {child.stderr.read().decode()}")
        grown = peer.pss_kb() - before
        child.communicate(timeout=60)
        return grown / count, float(line[1])


FIGURES = ("stream", "stream_cpu", "streams", "new", "keep_alive", "p99", "ping")


def one_round(path, table, number, names, got):
    order = names[number % len(names) :] + names[: number % len(names)]
    for name in order if number % 2 == 0 else reversed(order):
        peer = path.peers[name]
        row = {}
        row["stream"], row["stream_cpu"] = path.stream(peer, 1)
        row["streams"], _ = path.stream(peer, 8)
        row["new"] = path.new(peer)
        row["keep_alive"], row["p99"] = path.keep_alive(peer)
        row["ping"] = path.ping(peer)
        for figure, value in row.items():
            if row["stream" if figure.startswith("stream_") else figure]:  # what failed is no figure
                got[name][figure].append(value)
        table.raw(round=number, peer=name, **{k: round(v, 2) for k, v in row.items()})


def compare(table, got, figure, what, unit, *, peers, least=None, most=None):
    """Our row beside the best peer's, and the peers' own. The best peer's name."""
    better = max if least is not None else min
    medians = {name: statistics.median(got[name][figure]) for name in peers if got[name][figure]}
    best = better(medians, key=medians.get)
    ours, theirs = got["redird"][figure], got[best][figure]
    count = min(len(ours), len(theirs))
    table.ratio(f"{what}: redird / {best}", ours[:count], theirs[:count], least=least, most=most)
    for name in PEERS:
        if got[name][figure]:
            table.info(f"  {name}", got[name][figure], unit)
        else:
            table.absent(f"  {name}", "it lost every connection")
    return best


def measure(*, tools, raw, pairs):
    """At most ten minutes; `pairs` up to ROUNDS_MAX is the number of rounds."""
    labs.need_root()
    table = Table("redirect: TCP redirection", raw)
    with tempfile.TemporaryDirectory(prefix="vb-") as folder:
        tmp = pathlib.Path(folder)
        tmp.chmod(0o755)
        path = Path(tmp, tools)
        try:
            path.make()
            rounds = min(pairs, ROUNDS_MAX)
            got = {name: {figure: [] for figure in FIGURES} for name in PEERS}
            for i in range(rounds):
                names = [n for n in PEERS if n not in SLOW or i < ROUNDS_SLOW]
                one_round(path, table, i, names, got)
            report(table, got)
            idle(path, table)
        finally:
            path.close()
    return table


def report(table, got):
    others = [name for name in PEERS if name != "redird"]
    best = compare(table, got, "stream", "1 stream", "Gbit/s", peers=others, least=1.0)
    # Whoever carries more needs more: what is compared is the price of a gigabit.
    cost = [[c / g for c, g in zip(got[n]["stream_cpu"], got[n]["stream"])] for n in ("redird", best)]
    table.ratio(f"% of a processor for a Gbit/s: redird / {best}", *(c[: min(map(len, cost))] for c in cost), most=1.0)
    for name in PEERS:
        if got[name]["stream_cpu"]:
            table.info(f"  {name}, of the processor in all", got[name]["stream_cpu"], "%")
    compare(table, got, "streams", "8 streams", "Gbit/s", peers=others, least=1.0)
    compare(table, got, "new", "new connections", "/s", peers=others, least=1.15)
    compare(table, got, "keep_alive", "keep-alive requests", "/s", peers=others, least=1.0)
    compare(table, got, "p99", "their p99", "us", peers=others, most=1.0)
    compare(table, got, "ping", "64 bytes there and back, p50", "us", peers=PING_PEERS, most=0.95)


def idle(path, table):
    for name in PEERS:
        count = IDLE.get(name, IDLE_OTHERS)
        kb, ms = path.idle(path.peers[name], count)
        table.raw(idle=count, peer=name, kb=round(kb, 3), ms=ms)
        if name == "redird":
            table.at_most(f"an idle connection of {count:,}: redird", [kb], 0.5, "kB PSS")
            table.at_most(f"{count:,} opened one after the other: redird", [ms], 1500, "ms")
        else:
            table.info(f"  an idle connection of {count:,}: {name}", [kb], "kB PSS")
            table.info(f"  {count:,} opened: {name}", [ms], "ms")
