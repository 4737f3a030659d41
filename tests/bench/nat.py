# SPDX-License-Identifier: GPL-2.0-or-later
"""NAT and port forwards: our table beside plain routing, a minimal one-rule masquerade and a bare map.

The path is guest namespace -> vmnet8 -> host namespace -> outside namespace, and there are several such hosts, made
alike by vnetd; of the peers' vnetd is stopped then (links and addresses stay) and its table deleted.

    vnetd      vmnet1 and vmnet8 as they come
    full       every network from vmnet1 to vmnet255, and 10,000 forwards; no port held
    one rule   `masquerade`, and nothing else
    guarded    the same and one rule in forward, the least that keeps networks apart
    map        one rule and ten forwards in one map
    both       map and the rule in forward
    plain      no table at all; the outside has a route to the guest

    TCP        one stream from the guest to the outside
    UDP        datagrams of 1,400 bytes that come to the outside's interface
    new        connections from the guest to the outside, 16 at a time, each closed at once by the server
    forwarded  the same from the outside to the guest, through the last forward there is

A round measures each host in turn; every second one goes backwards and each begins with another host, so that
drift cancels: many short turns say more than few long ones. After TURNS rounds all hosts are made anew, since two that
are alike differ by as much as two per cent for as long as they live. Sender and receiver have a processor each: where
the scheduler puts them otherwise decides more than any rule set. The receivers (traffic.c) live as long as their host;
a connection that NAT does not carry ends the benchmark with the sentence that says where.

Loading 10,000 forwards is `vnetctl reload` from its start to its end, when they are in force, beside `nft -f` with
the same number in a map; adding one of 10,000 is the process `vnetctl forward add` beside `nft add element`, and of
it what the kernel takes for the transaction, as strace sees it in vnetd. Ours puts a file on the disk before, whose
sync takes 0.3 ms or 1.5 on the same machine, for minutes each; what that alone takes is a row of its own. The
milliseconds asked for were set on a faster machine, where nft took 74 for the load and 2.3 for the element; the ratios
beside them hold on any.
"""

import contextlib
import os
import pathlib
import re
import tempfile
import time

import fastened
from kit import daemon, lab as labs, ns, proc
from table import Table

TURNS = 4  # of each, with the same hosts
TCP_MS, UDP_MS, UDP_BYTES, NEW_MS = 300, 150, 1400, 300
SENDER_CPU, RECEIVER_CPU = 0, 1
CLOSER = 7004  # traffic.c's
FORWARDS, FEW, FIRST_PORT = 10000, 10, 20001
LOADS, ADDS = 7, 11
GUEST = ns.nth(daemon.SUBNETS[8], 50)

ONE_RULE = """table ip onerule {
	chain post { type nat hook postrouting priority srcnat; oifname "up0" masquerade; }
}
"""
FORWARD_RULE = """table ip guard {
	chain forward { type filter hook forward priority filter; iifname "vmnet9" drop; }
}
"""
MAP = """table ip %s {
	map forwards { type inet_service : ipv4_addr . inet_service; elements = { %s } }
	chain pre { type nat hook prerouting priority dstnat; fib daddr type local dnat ip to tcp dport map @forwards; }
}
"""


def elements(count, first=FIRST_PORT):
    return ", ".join(f"{port} : {GUEST} . {CLOSER}" for port in range(first, first + count))


def every_network():
    """vmnet8 as the others have it, and all other networks there can be."""
    text = daemon.NETWORKING
    for n in (n for n in range(2, 256) if n != 8):
        text += (f"answer VNET_{n}_DHCP yes\nanswer VNET_{n}_HOSTONLY_NETMASK 255.255.255.0\n"
                 f"answer VNET_{n}_HOSTONLY_SUBNET 10.182.{n}.0\nanswer VNET_{n}_NAT yes\n"
                 f"answer VNET_{n}_VIRTUAL_ADAPTER yes\n")
    return text


def nat_conf(count):
    return "[incomingtcp]\n" + "".join(f"{FIRST_PORT + i} = {GUEST}:{CLOSER}\n" for i in range(count))


class Host:
    """A host with a guest on vmnet8 and an outside that serves."""

    def __init__(self, lab, traffic, networking=daemon.NETWORKING, files=()):
        self.lab, self._traffic = lab, traffic
        lab.vnetd.write("networking", networking)
        for name, text in files:
            lab.vnetd.write(name, text)
        lab.vnetd.start(timeout=60)
        self.guest = lab.guest("vmnet8")
        self.guest.static(daemon.SUBNETS[8], 50)
        for where in (lab.outside, self.guest):
            server = where.popen(traffic, "serve", RECEIVER_CPU)
            if server.stdout.readline() != b"ready\n":
                raise proc.Failed(server.stderr.read().decode())

    def peer(self, rules, *, route=False):
        """Instead of vnetd: this rule set. What the guest's port costs is the same for all."""
        fastened.wait(self.lab, 1)
        self.lab.vnetd.stop()
        self.lab.host.run("nft", "delete", "table", "inet", "vnetd")
        self.lab.host.run("nft", "-f", "-", stdin=rules)
        if route:
            self.lab.outside.run("ip", "route", "add", daemon.SUBNETS[8], "via", labs.HOST_ADDRESS)
        return self

    def ready(self):
        """NAT is in force, and the gate is what it will be."""
        proc.wait_until("the guest reaches the outside", lambda: self.guest.ping(labs.SERVER_ADDRESS, wait=1))
        fastened.wait(self.lab, 1)
        return self

    def _send(self, who, what, to, *args):
        return who.run(self._traffic, what, to, SENDER_CPU, *args).out.split()

    def tcp(self):
        """Gbit/s"""
        return float(self._send(self.guest, "tcp", labs.SERVER_ADDRESS, TCP_MS)[0]) / 1e9

    def _came(self):
        return self.lab.outside.ip("-s", "link", "show", "dev", "eth0")[0]["stats64"]["rx"]["packets"]

    def udp(self):
        """Thousands a second."""
        before = self._came()
        took = int(self._send(self.guest, "udp", labs.SERVER_ADDRESS, UDP_MS, 0, UDP_BYTES)[1])
        return (self._came() - before) / took * 1e6

    def new(self):
        """Thousands a second."""
        return float(self._send(self.guest, "conns", labs.SERVER_ADDRESS, NEW_MS, CLOSER)[0]) / 1e3

    def forwarded(self, port):
        """Thousands a second."""
        return float(self._send(self.lab.outside, "conns", labs.HOST_ADDRESS, NEW_MS, port)[0]) / 1e3


@contextlib.contextmanager
def all_hosts(traffic):
    with tempfile.TemporaryDirectory(prefix="vb-") as folder, contextlib.ExitStack() as made:
        pathlib.Path(folder).chmod(0o755)

        def host(name, **kw):
            tmp = pathlib.Path(folder) / name
            tmp.mkdir(mode=0o755)
            lab = labs.Lab(tmp, daemon.stage())
            made.callback(lab.close)
            return Host(lab, traffic, **kw)

        yield {
            "vnetd": host("vnetd").ready(),
            "full": host("full", networking=every_network(), files=(
                ("vnetd.conf", "[global]\nhold-ports = 0\n"), ("vmnet8/nat/nat.conf", nat_conf(FORWARDS)))).ready(),
            "one rule": host("onerule").peer(ONE_RULE).ready(),
            "map": host("map").peer(ONE_RULE + MAP % ("few", elements(FEW))).ready(),
            "guarded": host("guarded").peer(ONE_RULE + FORWARD_RULE).ready(),
            "both": host("both").peer(ONE_RULE + FORWARD_RULE + MAP % ("few", elements(FEW))).ready(),
            "plain": host("plain").peer("", route=True).ready(),
        }


# --- traffic ---------------------------------------------------------------------------------------

KINDS = (
    ("tcp", ("vnetd", "full", "one rule", "guarded", "plain")),
    ("udp", ("vnetd", "full", "one rule", "guarded", "plain")),
    ("new", ("vnetd", "full", "one rule", "guarded", "plain")),
    ("forwarded", ("full", "map", "both")),
)
LAST = {"full": FIRST_PORT + FORWARDS - 1, "map": FIRST_PORT + FEW - 1, "both": FIRST_PORT + FEW - 1}


def in_turn(names, number):
    names = names[number % len(names):] + names[: number % len(names)]
    return names if number % 2 == 0 else names[::-1]


def rounds(hosts, got, table):
    """Adds to {"tcp": {host: [values]}, ...}."""
    for i in range(TURNS):
        for what, names in KINDS:
            for name in in_turn(names, i):
                args = (LAST[name],) if what == "forwarded" else ()
                got[what][name].append(getattr(hosts[name], what)(*args))
            table.raw(round=i, what=what, **{n.replace(" ", "_"): round(v[-1], 3) for n, v in got[what].items()})


def report(table, got):
    tcp, udp, new = got["tcp"], got["udp"], got["new"]
    for what, unit, v in (("TCP", "Gbit/s", tcp), ("UDP, 1,400 bytes", "thousand/s", udp),
                          ("new connections", "thousand/s", new)):
        table.info(f"{what}: plain routing", v["plain"], unit)
        table.ratio(f"{what}: one rule / plain", v["one rule"], v["plain"])
        table.ratio(f"{what}: one more in forward / one rule", v["guarded"], v["one rule"])
    table.ratio("TCP: 2 networks / one rule", tcp["vnetd"], tcp["one rule"], least=0.98)
    table.ratio("TCP: all networks, 10,000 forwards / one rule", tcp["full"], tcp["one rule"], least=1.0)
    table.ratio("UDP: 2 networks / one rule", udp["vnetd"], udp["one rule"])
    table.ratio("UDP: all networks, 10,000 forwards / one rule", udp["full"], udp["one rule"], least=1.0)
    table.ratio("new connections: 2 networks / one rule", new["vnetd"], new["one rule"], least=0.97)
    table.ratio("new connections: all networks / one rule", new["full"], new["one rule"], least=0.95)
    table.ratio("the last of 10 in a map, one rule in forward / none", got["forwarded"]["both"], got["forwarded"]["map"])
    table.ratio("the last of 10,000 forwards / of 10 in a map", got["forwarded"]["full"], got["forwarded"]["map"],
                least=1.0)


# --- changes ---------------------------------------------------------------------------------------



def in_host(host, *argv):
    """A command's own milliseconds, without those of entering the namespace."""
    clock = 'a=$EPOCHREALTIME; "$@" >/dev/null || exit 1; b=$EPOCHREALTIME; echo $(( ${b/./} - ${a/./} ))'
    return int(host.run("bash", "-c", clock, "_", *argv, timeout=60).out) / 1e3


def answers(host, port):
    """Somebody outside gets through this forward."""
    return host.lab.outside.run("bash", "-c", f"exec 3<>/dev/tcp/{labs.HOST_ADDRESS}/{port}", check=False).rc == 0


def load(full, peer, table):
    """Milliseconds for FORWARDS of them, in turn."""
    ours, theirs = [], []
    rules = peer.lab.tmp / "rules.nft"
    rules.write_text(MAP % ("many", elements(FORWARDS)))
    vnetd = full.lab.vnetd
    for i in range(LOADS):
        vnetd.write("vmnet8/nat/nat.conf", nat_conf(0))
        vnetd.ctl("reload", timeout=60)
        vnetd.write("vmnet8/nat/nat.conf", nat_conf(FORWARDS))
        ours.append(in_host(full.lab.host, "vnetctl", *vnetd.dirs, "reload"))
        if not answers(full, LAST["full"]):
            raise proc.Failed("`vnetctl reload` ended before its forwards were in force")
        theirs.append(in_host(peer.lab.host, "nft", "-f", rules))
        peer.lab.host.run("nft", "delete", "table", "ip", "many")
        table.raw(load=i, vnetctl_ms=ours[-1], nft_ms=theirs[-1])
    table.info("load 10,000 forwards: nft -f, one map", theirs, "ms")
    table.at_most("load 10,000 forwards: vnetctl reload", ours, 75, "ms")
    table.ratio("load 10,000 forwards: vnetctl reload / nft -f", ours, theirs, most=1.0)


def on_disk(path, text):
    """Milliseconds to replace a file durably, which `vnetctl forward add` does, too."""
    new, began = path.with_name("new"), time.perf_counter()
    with open(new, "w", encoding="ascii") as f:
        f.write(text)
        f.flush()
        os.fdatasync(f.fileno())
        new.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)
    return (time.perf_counter() - began) * 1e3


def add(full, peer, table):
    """One more, ADDS times, in turn."""
    ours, theirs, kernel, disk = [], [], [], []
    rules = peer.lab.tmp / "rules.nft"
    peer.lab.host.run("nft", "-f", rules)
    vnetd = full.lab.vnetd
    for i in range(ADDS):
        port = 1001 + i
        ours.append(in_host(full.lab.host, "vnetctl", *vnetd.dirs, "forward", "add", "vmnet8",
                            "tcp", port, GUEST, CLOSER))
        theirs.append(in_host(peer.lab.host, "nft", "add", "element", "ip", "many", "forwards",
                              f"{{ {elements(1, port)} }}"))
        disk.append(on_disk(full.lab.tmp / "file", vnetd.read("networking")))
        if not answers(full, port):
            raise proc.Failed("`vnetctl forward add` ended before its forward was in force")
    with vnetd.traced("priv", "-T", "-e", "trace=sendmsg,sendto") as trace:
        for i in range(ADDS):
            vnetd.ctl("forward", "add", "vmnet8", "tcp", 2001 + i, GUEST, CLOSER)
    # A transaction begins and ends with messages of its own; nothing else that is sent has them.
    for line in trace.read_text().splitlines():
        if "NFNL_MSG_BATCH_BEGIN" in line and (found := re.search(r"<([\d.]+)>$", line)):
            kernel.append(float(found[1]) * 1e3)
    if len(kernel) < ADDS:
        raise proc.Failed(f"{ADDS} forwards were added by {len(kernel)} transactions")
    table.raw(add="vnetctl", ms=",".join(map(str, ours)))
    table.raw(add="nft", ms=",".join(map(str, theirs)))
    table.raw(add="disk", ms=",".join(f"{ms:.3f}" for ms in disk))
    table.raw(add="kernel", ms=",".join(f"{ms:.3f}" for ms in kernel))
    table.info("add one to 10,000: nft add element", theirs, "ms")
    table.info("add one to 10,000: to replace the file alone", disk, "ms")
    table.at_most("add one to 10,000: vnetctl forward add", ours, 3, "ms")
    table.ratio("add one to 10,000: vnetctl forward add / nft", ours, theirs, most=1.3)
    table.at_most("add one to 10,000: the kernel's transaction", kernel, 0.3, "ms", "as strace sees it")


def measure(*, tools, raw, pairs):
    """The table, after TURNS rounds with each of `pairs` sets of hosts."""
    labs.need_users()
    table = Table("nat: from guests to the outside, and back in", raw)
    got = {what: {name: [] for name in names} for what, names in KINDS}
    with all_hosts(tools / "traffic") as hosts:
        rounds(hosts, got, table)
        # While anybody on the machine listens for changes of rule sets, in whatever namespace, everybody's cost more.
        hosts["vnetd"].lab.vnetd.stop()
        load(hosts["full"], hosts["map"], table)
        add(hosts["full"], hosts["map"], table)
    for _ in range(pairs - 1):
        with all_hosts(tools / "traffic") as hosts:
            rounds(hosts, got, table)
    report(table, got)
    return table
