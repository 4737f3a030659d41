# SPDX-License-Identifier: GPL-2.0-or-later
"""DHCP: ours beside Kea (with one thread and with two), ISC dhcpd and dnsmasq.

One client namespace with a veth at each server: a network of ours with 65,000 addresses in a namespace with vnetd, or a
server alone in its own. All lease files are in one folder of one disk. Only the server that is measured runs.

    exchanges    dhcpload.c: DISCOVER to ACK begun at their times, whatever the server does, by 15,000 clients of whom
                 nobody knows; the highest rate of which 99 % end with an ACK, found in steps of an eighth, and then
                 of a sixteenth; a rate counts as too high when it failed twice, or one pause of the machine would
                 end a search early
    perfdhcp     the same by Kea's own tool
    with N       N leases are there already, of other clients
    CPU          of all of the server's processes, for an exchange, at four fifths of the rate that it bears, and at a lower
                 one, where fewer exchanges share a sync
    delay        p95 at 200 a second; beside the time in which this disk syncs as many bytes
    start        of the server, vnetd and all, with 50,000 leases, to its first OFFER
    memory       PSS of all of the server's processes after that start

Kea does not sync leases to the disk; the others do, each lease before its ACK.
"""

import contextlib
import ipaddress
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time

from kit import daemon, lab as labs, ns, ports, proc
from table import Table

CLIENT_CPU = 1
# No more clients than addresses that are free beside the most leases.
CLIENTS, MILLISECONDS, MANY = 15_000, 1000, (10_000, 50_000)
STEPS, LEAST_ACKS = (1 + 1 / 8, 1 + 1 / 16), 0.99
FLOOR = 20  # a rate that a server has to bear for its figure to mean anything
DELAY_RATE, DELAY_MS = 200, 3000
RAW_MAX = 100_000  # more than any of them gets to
NET = ipaddress.ip_network("10.184.0.0/16")
# A relay agent, as which perfdhcp asks, is a guest: its address is none of the network's own. OURS is where our
# DHCP server has its address in any network; a peer has the host's.
HOST, RELAY, OURS = "10.184.0.1", "10.184.0.9", "10.184.255.254"
FIRST, LAST = "10.184.1.0", "10.184.255.253"
# Where the search begins, and a lower rate for the CPU of an exchange.
BEGIN = {"vnet-dhcpd": 12_000, "kea": 5000, "kea-mt": 7000, "dhcpd": 900, "dnsmasq": 600}
EASY = {"vnet-dhcpd": 4000, "kea": 3000, "kea-mt": 3000, "dhcpd": 400, "dnsmasq": 300}
WITH_MANY = {"dnsmasq": 100, "dhcpd": 900}
PEERS = [name for name in BEGIN if name != "vnet-dhcpd"]

NETWORKING = f"""VERSION=1,0
answer VNET_8_DHCP yes
answer VNET_8_HOSTONLY_NETMASK {NET.netmask}
answer VNET_8_HOSTONLY_SUBNET {NET.network_address}
answer VNET_8_NAT no
answer VNET_8_VIRTUAL_ADAPTER yes
"""
# A port with many clients behind it, as an access switch would be.
VNETD_CONF = """[vmnet8]
broadcast-limit = 0
dhcp-leases-per-port = unlimited
dhcp-rate-per-port = unlimited

[port load]
mac-policy = any
"""


def mac(i):
    return f"02:aa:{i >> 24 & 255:02x}:{i >> 16 & 255:02x}:{i >> 8 & 255:02x}:{i & 255:02x}"


def others(n):
    """(address, MAC address) of n leases of other clients, from the top of the pool down."""
    top = int(ipaddress.ip_address(LAST))
    return ((ipaddress.ip_address(top - i), mac(i)) for i in range(n))


def isc_lease(address, who, starts, ends, **more):
    when = lambda t: time.strftime("%w %Y/%m/%d %H:%M:%S", time.gmtime(t))
    lines = "".join(f"\t{key.replace('_', ' ')} {value};\n" for key, value in more.items())
    return f"lease {address} {{\n\tstarts {when(starts)};\n\tends {when(ends)};\n{lines}\thardware ethernet {who};\n}}\n"


class Server:
    """One that can be started with leases; `.client` reaches it by `.ifname`."""

    def __init__(self, name, tmp, tools):
        self.name, self.load = name, tools / "dhcpload"
        self.tmp = tmp / name
        self.tmp.mkdir(mode=0o755)
        self._made = contextlib.ExitStack()

    def close(self):
        self._made.close()

    def restart(self, leases=0):
        self.stop()
        self.fill(leases)
        self.start()
        self.offers()

    def offers(self):
        proc.wait_until(f"{self.name} offers", lambda: self.run(500, 10, 5)[1] > 0, timeout=120)

    def run(self, rate, ms=MILLISECONDS, clients=CLIENTS):
        """What dhcpload prints: begun, offers, acks, naks, late, OFFER p50, p95, ACK p50, p95."""
        out = self.client.run(self.load, self.ifname, rate, ms, clients, CLIENT_CPU).out
        return [float(word) for word in out.split()]

    def bears(self, rate, leases):
        self.restart(leases)
        begun, _, acks, *_ = self.run(rate)
        return acks >= LEAST_ACKS * begun

    def perfdhcp(self, rate):
        """It asks as a relay does, from the client's own address."""
        self.restart()
        argv = ["perfdhcp", "-4", "-l", self.ifname, "-r", int(rate), "-R", CLIENTS, "-p", 2, "-W", 500_000, self.at]
        out = self.client.run(*argv, check=False).out
        sent, received = ([int(n) for n in re.findall(rf"{word} packets: (\d+)", out)] for word in ("sent", "received"))
        if len(received) != 2:
            raise proc.Failed(out)
        return received[1] >= LEAST_ACKS * sent[0] and sent[0] >= 0.95 * 2 * rate

    def ticks(self):
        total = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total

    def cpu_us(self, rate, ms=3000):
        self.restart()
        before = self.ticks()
        acks = self.run(rate, ms)[2]
        if not acks:
            raise proc.Failed(f"{self.name} grants nothing at {rate} a second")
        return (self.ticks() - before) * 1e6 / os.sysconf("SC_CLK_TCK") / acks

    def pss_mb(self):
        text = "".join(pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in self.pids())
        return sum(map(int, re.findall(r"^Pss:\s+(\d+)", text, re.M))) / 1024

    def first_offer_ms(self, leases):
        """From the start of the server to its first OFFER."""
        self.stop()
        self.fill(leases)
        argv = [self.load, self.ifname, 500, 240_000, CLIENTS, CLIENT_CPU, "first"]
        child = self.client.popen(*argv)
        child.stdout.readline()
        began = time.time_ns()
        self.start()
        return (int(child.communicate(timeout=250)[0]) - began) / 1e6


class Ours(Server):
    def __init__(self, name, tmp, tools):
        super().__init__(name, tmp, tools)
        self.lab = labs.Lab(self.tmp, daemon.stage())
        self._made.callback(self.lab.close)
        vnetd = self.lab.vnetd
        vnetd.write("networking", NETWORKING)
        vnetd.write("vnetd.conf", VNETD_CONF)
        vnetd.start()
        path = "vmnet8/dhcpd/dhcpd.conf"
        vnetd.write(path, re.sub(r"range \S+ \S+;", f"range {FIRST} {LAST};", vnetd.read(path)))
        vnetd.ctl("reload")
        self.client, self.ifname = self.lab.guest("vmnet8", name="load", label="load"), "eth0"
        self.at = OURS
        ports.wait(vnetd, "load", policy="any")
        self.client.run("ip", "addr", "add", f"{RELAY}/16", "dev", "eth0")
        self.client.run("ip", "link", "set", "eth0", "up")

    def fill(self, n):
        now = time.time()
        text = "".join(isc_lease(a, m, now, now + 100_000) for a, m in others(n))
        path = self.lab.vnetd.state / "vmnet8/dhcpd.leases"
        path.unlink(missing_ok=True)
        if n:
            path.write_text(text)
            shutil.chown(path, "_vnet", "_vnet")

    def start(self):
        self.lab.vnetd.start(wait=False)

    def restart(self, leases=0):
        super().restart(leases)
        proc.wait_until("the port is there", lambda: ports.row(self.lab.vnetd, "load"))

    def stop(self):
        if self.lab.vnetd.process and self.lab.vnetd.process.poll() is None:
            self.lab.vnetd.stop()

    def pids(self):
        return [pid for pids in self.lab.vnetd.pids().values() for pid in pids]


class Peer(Server):
    def __init__(self, name, tmp, tools):
        super().__init__(name, tmp, tools)
        self.child = None
        self.host, self.client = (ns.Netns(f"vb{os.getpid()}-{name}{end}") for end in "sc")
        self._made.callback(self.host.delete)
        self._made.callback(self.client.delete)
        self.ifname, self.at = "c0", HOST
        ns.veth(self.client, "c0", self.host, "s0")
        self.host.run("ip", "addr", "add", f"{HOST}/16", "dev", "s0")
        self.client.run("ip", "addr", "add", f"{RELAY}/16", "dev", "c0")
        self.file = self.tmp / "leases"
        self._made.callback(self.stop)

    def start(self):
        env = {**os.environ, "KEA_PIDFILE_DIR": str(self.tmp), "KEA_LOCKFILE_DIR": str(self.tmp)}
        self.child = self.host.popen(*self.argv(), log=self.tmp / "log", env=env)

    def stop(self):
        if self.child:
            proc.kill_group(self.child.pid)
            self.child.wait()
            self.child = None

    def pids(self):
        return [self.child.pid, *proc.descendants(self.child.pid)]


class Kea(Peer):
    threads = 0

    def fill(self, n):
        for old in self.tmp.glob("leases*"):
            old.unlink()
        ends = int(time.time()) + 100_000
        text = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"
        self.file.write_text(text + "".join(f"{a},{m},,100000,{ends},1,0,0,,0,\n" for a, m in others(n)))

    def argv(self):
        data = [{"name": name, "data": HOST} for name in ("routers", "domain-name-servers")]
        conf = {"Dhcp4": {
            "interfaces-config": {"interfaces": ["s0"], "dhcp-socket-type": "raw"},
            "lease-database": {"type": "memfile", "persist": True, "name": str(self.file), "lfc-interval": 0},
            "valid-lifetime": 3600,
            "multi-threading": {
                "enable-multi-threading": self.threads > 0, "thread-pool-size": self.threads, "packet-queue-size": 64,
            },
            "subnet4": [
                {"id": 1, "subnet": str(NET), "pools": [{"pool": f"{FIRST}-{LAST}"}], "option-data": data},
            ],
            "loggers": [
                {"name": "kea-dhcp4", "severity": "ERROR", "output_options": [{"output": str(self.tmp / "kea.log")}]},
            ],
        }}
        (self.tmp / "kea.conf").write_text(json.dumps(conf))
        return ["kea-dhcp4", "-c", self.tmp / "kea.conf"]


class KeaThreads(Kea):
    threads = 2


class Dhcpd(Peer):
    def fill(self, n):
        now = time.time()
        self.file.write_text("".join(
            isc_lease(a, m, now, now + 100_000, binding_state="active", next_binding_state="free") for a, m in others(n)
        ))

    def argv(self):
        (self.tmp / "dhcpd.conf").write_text(f"""default-lease-time 3600; max-lease-time 3600; authoritative;
ping-check false;
subnet {NET.network_address} netmask {NET.netmask} {{
  range {FIRST} {LAST}; option routers {HOST}; option domain-name-servers {HOST};
}}
""")
        return ["dhcpd", "-4", "-f", "-q", "--no-pid", "-user", "root", "-group", "root", "-cf", self.tmp / "dhcpd.conf",
                "-lf", self.file, "s0"]


class Dnsmasq(Peer):
    def fill(self, n):
        ends = int(time.time()) + 100_000
        self.file.write_text("".join(f"{ends} {m} {a} * *\n" for a, m in others(n)))

    def argv(self):
        return ["dnsmasq", "-k", "--conf-file=/dev/null", "--port=0", "--interface=s0", "--bind-interfaces", "--user=root",
                "--pid-file=", "--no-ping", "--dhcp-authoritative", "--quiet-dhcp", "--log-facility=/dev/null",
                "--dhcp-lease-max=100000", f"--dhcp-range={FIRST},{LAST},{NET.netmask},1h",
                f"--dhcp-leasefile={self.file}"]


KINDS = {"vnet-dhcpd": Ours, "kea": Kea, "kea-mt": KeaThreads, "dhcpd": Dhcpd, "dnsmasq": Dnsmasq}


def highest(bears_once, begin):
    """The highest rate that it bears, in STEPS; 0: it does not even bear FLOOR."""
    bears = lambda rate: bears_once(rate) or bears_once(rate)
    rate = begin
    while not bears(rate):
        rate /= 2
        if rate < FLOOR:
            return 0
    for step in STEPS:
        while rate < RAW_MAX and bears(rate * step):
            rate *= step
    return rate


def sync_ms(folder, bytes_each=300, times=400):
    """p95 of appending so many bytes and syncing them."""
    taken = []
    with open(folder / "sync", "ab", buffering=0) as out:
        for _ in range(times):
            out.write(b"x" * bytes_each)
            began = time.monotonic()
            os.fdatasync(out.fileno())
            taken.append((time.monotonic() - began) * 1e3)
            time.sleep(1 / DELAY_RATE)  # a disk and a processor that have slept longer take longer
    return sorted(taken)[times * 95 // 100]


def one_round(servers, number, table, got, folder):
    names = list(servers) if number % 2 == 0 else list(servers)[::-1]
    for name in names:
        server, row = servers[name], {}
        row["rate"] = highest(lambda rate, s=server: s.bears(rate, 0), BEGIN[name])
        row["perfdhcp"] = highest(server.perfdhcp, min(BEGIN[name], 7000))
        for n in MANY:
            begin = WITH_MANY.get(name, BEGIN[name])
            row[f"rate {n}"] = highest(lambda rate, s=server, n=n: s.bears(rate, n), begin)
        row["start"] = server.first_offer_ms(MANY[-1])
        row["mb"] = server.pss_mb()
        row["cpu"] = server.cpu_us(row["rate"] * 0.8)
        row["easy"] = server.cpu_us(EASY[name])
        server.restart()
        *_, row["offer"], _, row["ack"] = server.run(DELAY_RATE, DELAY_MS)
        server.stop()
        for figure, value in row.items():
            got[name].setdefault(figure, []).append(value)
        table.raw(round=number, server=name, **{k.replace(" ", "_"): round(v, 2) for k, v in row.items()})
    got["sync"].setdefault("ms", []).append(sync_ms(folder))


def best_of(got, figure, better):
    return better(PEERS, key=lambda name: statistics.median(got[name][figure]))


def report(table, got):
    ours = got["vnet-dhcpd"]
    for figure, what, unit in (
        ("rate", "exchanges", "/s"), ("perfdhcp", "by perfdhcp", "/s"), ("rate 10000", "with 10,000 leases", "/s"),
        ("rate 50000", "with 50,000 leases", "/s"), ("cpu", "CPU of an exchange", "us"),
        ("offer", f"OFFER p95 at {DELAY_RATE}/s", "us"), ("ack", f"ACK p95 at {DELAY_RATE}/s", "us"),
        ("mb", "memory with 50,000 leases", "MB PSS"), ("start", "start with 50,000 leases", "ms"),
    ):
        for name in KINDS:
            table.info(f"{what}: {name}", got[name][figure], unit)
    for name in KINDS:
        table.info(f"CPU of an exchange at {EASY[name]:,}/s: {name}", got[name]["easy"], "us")
    best = best_of(got, "rate", max)
    table.ratio(f"exchanges: vnet-dhcpd / {best}", ours["rate"], got[best]["rate"], least=2)
    best = best_of(got, "perfdhcp", max)
    table.ratio(f"by perfdhcp: vnet-dhcpd / {best}", ours["perfdhcp"], got[best]["perfdhcp"], least=1)
    for n in MANY:
        table.ratio(f"with {n:,} leases / with none", ours[f"rate {n}"], ours["rate"], least=0.95)
    table.at_most("CPU of an exchange", ours["cpu"], 40, "us")
    table.at_most(f"OFFER p95 at {DELAY_RATE}/s", ours["offer"], 200, "us")
    sync = statistics.median(got["sync"]["ms"])
    note = f"this disk: {sync:.3g} ms"
    table.at_most(f"ACK p95 at {DELAY_RATE}/s", [v / 1e3 for v in ours["ack"]], round(sync + 0.3, 3), "ms", note)
    table.at_most("memory with 50,000 leases", ours["mb"], 16, "MB PSS")
    table.at_most("start with 50,000 leases", ours["start"], 200, "ms")


def measure(*, tools, raw, pairs):
    """One round of all for each five pairs that are asked for; some minutes each."""
    labs.need_users()
    table = Table("dhcp: leases", raw)
    subprocess.run(["sync"], check=True)
    with tempfile.TemporaryDirectory(prefix="vb-", dir=raw) as folder, contextlib.ExitStack() as made:
        tmp = pathlib.Path(folder)
        tmp.chmod(0o755)
        servers = {}
        for name, kind in KINDS.items():
            servers[name] = kind(name, tmp, tools)
            made.callback(servers[name].close)
            servers[name].stop()
        got = {name: {} for name in (*KINDS, "sync")}
        for i in range(max(1, pairs // 5)):
            one_round(servers, i, table, got, tmp)
        report(table, got)
    return table
