# SPDX-License-Identifier: GPL-2.0-or-later
"""Guest to guest over one network: our gate beside a plain bridge, the filters that others put there, and VDE.

Every switch has two guests of its own, namespaces with a veth (VDE: with its tap), and all of them are there for
the whole run. A round measures each in turn; every second one goes backwards, and each begins with another switch,
so that drift cancels. Rows are ratios to the plain bridge of the same rounds.

    plain     a Linux bridge
    nft       the same with a rule for each port in nftables' bridge family, as libvirt and Proxmox VE filter
    locked    its ports locked, learning off, their addresses static: what the kernel has without any program
    vde       vde_switch with two vde_plug2tap
    empty     a plain bridge whose ports have a program that does nothing, by tcx: the least that any gate costs
    mirred    a plain bridge with a third guest that gets a copy of all that the two send, by tc's own mirror
    gate      vmnet8 as it comes, with 2 ports; with 1,000 more taps on it in the row that says so
    mac only  a network without DHCP, its ports without any guard that can be switched off
    guards    a network with DHCP and `ip-guard = yes`; its guests have leases
    mirror    as gate, and a third guest to which promiscuous mode is granted

The sender has processor 0 and the receiver processor 1, at the highest priority (traffic.c). A veth carries a
frame on the sender's processor through the bridge up to the receiver's socket, so packets a second are what
one processor can send, which is the cost of the path, and nothing of it is left to the scheduler. bridge-nf
is off for all of them: where it is on, every bridge on a host that does NAT has its frames tracked as
connections, with and without us, at a price that is a multiple of a gate's.
Attaching is measured by attachprobe.c, from the call to vnetd to the first frame at a neighbour.
"""

import contextlib
import pathlib
import shutil
import statistics
import subprocess
import tempfile

import fastened
from kit import daemon, lab as labs, ns, ports, proc, tcx
from table import Table

ROUNDS = 2  # for each pair that is asked for
TCP_MS, UDP_MS, TRIPS = 250, 150, 2500
COPIES_MS, COPIES_RATE = 1000, 100_000
PORTS, ATTACH_TIMES, ATTACH_REPEAT = 1000, 20, 3
SENDER_CPU, RECEIVER_CPU = 0, 1
PLAIN_SUBNET = "10.181.20.0/24"

SUBNETS = {n: f"10.181.{n}.0/24" for n in (1, 2, 3, 8)}
WITHOUT_DHCP = 1
NETWORKING = "VERSION=1,0\n" + "".join(
    f"answer VNET_{n}_DHCP {'no' if n == WITHOUT_DHCP else 'yes'}\n"
    f"answer VNET_{n}_HOSTONLY_NETMASK 255.255.255.0\n"
    f"answer VNET_{n}_HOSTONLY_SUBNET 10.181.{n}.0\n"
    f"answer VNET_{n}_NAT {'no' if n == WITHOUT_DHCP else 'yes'}\n"
    f"answer VNET_{n}_VIRTUAL_ADAPTER yes\n"
    for n in SUBNETS
)
VNETD_CONF = """
[vmnet1]
broadcast-limit = 0
dhcp-leases-per-port = unlimited
dhcp-rate-per-port = unlimited

[port mac1]
ra = allow

[port mac2]
ra = allow

[vmnet2]
ip-guard = yes

[port watcher]
promiscuous = allow
"""
NO_BRIDGE_NF = "for f in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $f ] || echo 0 >$f; done"
# What `vnetctl ports --json` says of a port on a NAT network without a word about it in vnetd.conf.
AS_IT_COMES = {"dhcp_server": "deny", "ra": "deny", "broadcast_limit": 10000, "ip_guard": False}


class Pair:
    """Two guests of one switch: `.sender`, and `.receiver` with `.address`, where traffic.c serves."""

    def __init__(self, traffic, sender, receiver, address):
        self._traffic = traffic
        self.sender, self.receiver, self.address = sender, receiver, address
        server = receiver.popen(traffic, "serve", RECEIVER_CPU)
        if server.stdout.readline() != b"ready\n":
            raise proc.Failed(server.stderr.read().decode())
        proc.wait_until(f"{address} answers {sender.name}", lambda: sender.ping(address, wait=1))

    def _send(self, what, *args):
        return self.sender.run(self._traffic, what, self.address, SENDER_CPU, *args).out.split()

    def tcp(self):
        """Gbit/s of one stream."""
        return float(self._send("tcp", TCP_MS)[0]) / 1e9

    def ping(self):
        """Microseconds there and back, the median."""
        return float(self._send("ping", TRIPS)[0])

    def _received(self):
        return self.receiver.ip("-s", "link", "show", "dev", "eth0")[0]["stats64"]["rx"]["packets"]

    def udp(self):
        """Thousands of 64-byte datagrams a second that come to the receiver's interface."""
        before = self._received()
        ns_taken = int(self._send("udp", UDP_MS, 0)[1])
        return (self._received() - before) / ns_taken * 1e6

    def copies(self, watcher):
        """A second at COPIES_RATE: (sent, copies, different copies, no room for, how many a second)."""
        argv = [self._traffic, "sniff", "eth0", RECEIVER_CPU]
        sniffer = watcher.popen(*argv, stdin=subprocess.PIPE)
        if sniffer.stdout.readline() != b"ready\n":
            raise proc.Failed(sniffer.stderr.read().decode())
        sent, ns_taken = map(int, self._send("udp", COPIES_MS, COPIES_RATE))
        out, err = sniffer.communicate(timeout=10)
        if sniffer.returncode != 0:
            raise proc.Failed(err.decode())
        return sent, *map(int, out.split()), sent / ns_taken * 1e9


class Switches:
    """All of the switches and their guests."""

    def __init__(self, tmp, traffic):
        self._tmp, self._traffic = tmp, traffic
        self._made = contextlib.ExitStack()
        self._serial = 0
        self.pair = {}

    def netns(self, label):
        self._serial += 1
        made = ns.Netns(f"vb{self._tmp.name[-4:]}{self._serial}{label}")
        self._made.callback(made.delete)
        return made

    def lab(self, name):
        """A host with our vnetd, ready."""
        (self._tmp / name).mkdir(mode=0o755)
        made = labs.Lab(self._tmp / name, daemon.stage())
        self._made.callback(made.close)
        made.host.sh(NO_BRIDGE_NF)
        made.vnetd.write("networking", NETWORKING)
        made.vnetd.write("vnetd.conf", VNETD_CONF)
        made.vnetd.start()
        return made

    def close(self):
        self._made.close()

    # --- others ------------------------------------------------------------------------------------

    def _addressed(self, name, first, second):
        """Two guests that have their eth0: gives them addresses, and the pair its name."""
        for n, guest in ((1, first), (2, second)):
            guest.run("ip", "addr", "add", f"{ns.nth(PLAIN_SUBNET, n)}/24", "dev", "eth0")
            guest.run("ip", "link", "set", "eth0", "up")
        self.pair[name] = Pair(self._traffic, first, second, ns.nth(PLAIN_SUBNET, 2))

    def bridge(self, name, configure):
        """A bridge in a namespace of its own; configure(its namespace, the guests' addresses)."""
        switch = self.netns("s")
        switch.sh(NO_BRIDGE_NF)
        switch.sh("ip link add br0 type bridge stp_state 0 forward_delay 0; ip link set br0 up")
        guests = [self.netns("g") for _ in range(2)]
        for n, guest in enumerate(guests):
            ns.veth(guest, "eth0", switch, f"p{n}")
            switch.run("ip", "link", "set", f"p{n}", "master", "br0")
        configure(switch, [guest.links()["eth0"]["address"] for guest in guests])
        self._addressed(name, *guests)

    def mirred(self):
        """A bridge with tc's mirror of both ports."""
        watcher = self.netns("g")

        def watch(switch, macs):
            ns.veth(watcher, "eth0", switch, "p2")
            switch.run("ip", "link", "set", "p2", "master", "br0")
            watcher.sh("ip link set eth0 up promisc on")
            for port in ("p0", "p1"):
                every = "protocol all u32 match u32 0 0 action mirred egress mirror dev p2".split()
                switch.run("tc", "qdisc", "add", "dev", port, "clsact")
                switch.run("tc", "filter", "add", "dev", port, "ingress", *every)

        self.bridge("mirred", watch)

    def vde(self):
        switch, folder = self.netns("s"), self._tmp / "vde"
        # It ends with its input: that is its console.
        switch.popen("vde_switch", "-s", folder, stdin=subprocess.PIPE)
        proc.wait_until("vde_switch listens", (folder / "ctl").exists)
        guests = [self.netns("g") for _ in range(2)]
        for guest in guests:
            guest.popen("vde_plug2tap", "-s", folder, "eth0")
            proc.wait_until("vde_plug2tap has its tap", lambda who=guest: "eth0" in who.links())
        self._addressed("vde", *guests)

    def others(self):
        self.bridge("plain", lambda switch, macs: None)
        self.bridge("nft", nft_filter)
        self.bridge("locked", lock)
        self.mirred()
        if fastened.HAS_TCX:
            self.bridge("empty", do_nothing)
        if shutil.which("vde_switch"):
            self.vde()

    # --- ours --------------------------------------------------------------------------------------

    def gate(self, lab, name, n, names, *, lease=False, **wanted):
        """Two guests on vmnet<n>; `wanted`: what `vnetctl ports --json` must say of both."""
        guests = [lab.guest(f"vmnet{n}", name=port, label=port) for port in names]
        if lease:
            addresses = [guest.dhcp("udhcpc").ip for guest in guests]
        else:
            addresses = [guest.static(SUBNETS[n], 50 + i) for i, guest in enumerate(guests)]
        for port in names:
            ports.wait(lab.vnetd, port, policy="given", control_guard=True, **wanted)
        self.pair[name] = Pair(self._traffic, *guests, addresses[1])

    def few(self):
        """The networks with few ports; the guest to which promiscuous mode is granted."""
        lab = self.lab("few")
        bare = {"dhcp_server": "allow", "ra": "allow", "broadcast_limit": None, "ip_guard": False}
        self.gate(lab, "gate", 8, ["gate1", "gate2"], **AS_IT_COMES)
        self.gate(lab, "mac only", 1, ["mac1", "mac2"], **bare)
        self.gate(lab, "guards", 2, ["all1", "all2"], lease=True, **{**AS_IT_COMES, "ip_guard": True})
        self.gate(lab, "mirror", 3, ["mirror1", "mirror2"], **AS_IT_COMES)
        watcher = lab.guest("vmnet3", name="watcher", label="watcher")
        ports.wait(lab.vnetd, "watcher", promiscuous="granted")
        return lab, watcher


def nft_filter(switch, macs):
    rules = "".join(f"iifname p{n} ether saddr != {mac} drop\n" for n, mac in enumerate(macs))
    chain = f"chain f {{ type filter hook forward priority 0; policy accept;\n{rules}}}\n"
    switch.run("nft", "-f", "-", stdin=f"table bridge filter {{\n{chain}}}\n")


def lock(switch, macs):
    for n, mac in enumerate(macs):
        switch.run("bridge", "link", "set", "dev", f"p{n}", "learning", "off", "locked", "on")
        switch.run("bridge", "fdb", "replace", mac, "dev", f"p{n}", "master", "static")


def do_nothing(switch, macs):
    for n in range(len(macs)):
        switch.run("python3", tcx.__file__, f"p{n}", "ingress", "empty")


# --- attaching -------------------------------------------------------------------------------------


def probe(where, program, *args):
    """Runs attachprobe.c: (milliseconds for PORTS ports, list of milliseconds for one more, process)."""
    process = where.popen(program, *args, PORTS, ATTACH_TIMES, stdin=subprocess.PIPE)
    present, one = None, []
    while (line := process.stdout.readline()) != b"ready\n":
        if not line:
            raise proc.Failed(process.stderr.read().decode())
        what, value = line.split()
        if what == b"present":
            present = float(value)
        elif what == b"one":
            one.append(float(value))
    return present, one, process


def attach(switches, lab, program, table):
    """Both ways, one after the other. The last ports of ours stay, for what is measured next."""
    got = {"vnetd": ([], []), "plain": ([], [])}
    for i in range(ATTACH_REPEAT):
        plain = switches.netns("t")
        plain.sh("ip link add br0 type bridge stp_state 0 forward_delay 0; ip link set br0 up")
        for who, where, args in (
            ("plain", plain, ("plain", "br0", "-")),
            ("vnetd", lab.host, ("sticky", lab.vnetd.run / "vnetd.sock", 8)),
        ):
            present, one, process = probe(where, program, *args)
            table.raw(attach=i, who=who, present_ms=present, one_ms=",".join(map(str, one)))
            got[who][0].append(present)
            got[who][1].extend(one)
            if who == "plain" or i < ATTACH_REPEAT - 1:
                process.communicate(timeout=120)
        gone = lambda: i == ATTACH_REPEAT - 1 or not lab.vnetd.json("ports")["ports"]
        proc.wait_until("the ports are gone", gone, 60)
    return got


# --- the rounds ------------------------------------------------------------------------------------

TCP = ("plain", "nft", "locked", "vde", "mirred", "gate", "gate 1000", "mirror")
UDP = ("plain", "nft", "locked", "vde", "empty", "mac only", "guards")
PING = ("plain", "gate")
# A round. Short turns that alternate often give steadier medians than long ones.
KINDS = (("tcp", TCP), ("udp", UDP), ("ping", PING))
ROUND = KINDS * 3


def in_turn(names, number, there):
    """The order of round `number`."""
    names = [name for name in names if name in there]
    names = names[number % len(names) :] + names[: number % len(names)]
    return names if number % 2 == 0 else names[::-1]


def rounds(pair, watcher, number, table):
    """{"tcp": {switch: [values]}, ...}, and the copies of each round."""
    got = {"tcp": {}, "udp": {}, "ping": {}}
    copies = []
    for i in range(number):
        for j, (what, names) in enumerate(ROUND):
            for name in in_turn(names, i + j // len(KINDS), pair):
                got[what].setdefault(name, []).append(getattr(pair[name], what)())
            last = {name.replace(" ", "_"): round(v[-1], 3) for name, v in got[what].items()}
            table.raw(round=i, what=what, **last)
        copies.append(pair["mirror"].copies(watcher))
        of, every, different, no_room, rate = copies[-1]
        table.raw(round=i, what="copies", of=of, all=every, different=different, no_room=no_room, rate=round(rate))
    return got, copies


def report(table, got, copies, attached):
    tcp, udp, trips = got["tcp"], got["udp"], got["ping"]
    for kind, unit, values in (("TCP", "Gbit/s", tcp), ("UDP", "thousand/s", udp)):
        table.info(f"{kind}: plain bridge", values["plain"], unit)
        for name, what in (("nft", "nft MAC filter"), ("locked", "locked ports"), ("vde", "vde_switch")):
            if name in values:
                table.ratio(f"{kind}: {what} / plain", values[name], values["plain"])
            else:
                table.absent(f"{kind}: {what}", "it is not installed")
    if "empty" in udp:
        table.ratio("UDP: a program that does nothing / plain", udp["empty"], udp["plain"])
    else:
        table.absent("UDP: a program that does nothing", "this kernel has no tcx")
    table.ratio("TCP: tc's mirror to a port / none", tcp["mirred"], tcp["plain"])
    table.ratio("TCP: gate, 2 ports / plain", tcp["gate"], tcp["plain"], least=0.98)
    table.ratio("TCP: gate, 1,000 ports / plain", tcp["gate 1000"], tcp["plain"], least=0.98)
    table.ratio("UDP: gate, MAC policy only / plain", udp["mac only"], udp["plain"], least=0.99)
    table.ratio("UDP: gate, all guards / plain", udp["guards"], udp["plain"], least=0.98)
    table.ratio("ping-pong: gate / plain, us", trips["gate"], trips["plain"], most=1.03)
    table.ratio("TCP: one port promiscuous / none", tcp["mirror"], tcp["gate"], least=0.90)
    report_copies(table, copies)
    (plain_all, plain_one), (all_of_them, one_more) = attached["plain"], attached["vnetd"]
    table.info(f"attach: a tap to a plain bridge, {PORTS:,} there", plain_one, "ms")
    table.at_most(f"attach: a port, {PORTS:,} present", one_more, 5, "ms")
    table.info(f"attach: {PORTS:,} taps to a plain bridge", plain_all, "ms")
    table.at_most(f"attach: {PORTS:,} ports", all_of_them, 3000, "ms")


def report_copies(table, copies):
    sent, all_of_them, different, no_room, rates = zip(*copies, strict=True)
    missing, twice = sum(sent) - sum(different), sum(all_of_them) - sum(different)
    rate = statistics.median(rates)
    text = f"{missing} missing, {twice} twice of {sum(sent):,}"
    # A sender that does not reach the rate, or a ring that overflows, has not put the question.
    good = missing == 0 and twice == 0 and rate >= 0.98 * COPIES_RATE
    note = f"sent {rate:,.0f}/s" + (f", no room in the ring for {sum(no_room)}" if any(no_room) else "")
    table.judged("copies for the promiscuous port", text, f"complete, {COPIES_RATE:,}/s", good, note)


def measure(*, tools, raw, pairs):
    """The table, after ROUNDS * `pairs` rounds."""
    labs.need_users()
    table = Table("switch: guest to guest over one network", raw)
    with tempfile.TemporaryDirectory(prefix="vb-") as folder:
        tmp = pathlib.Path(folder)
        tmp.chmod(0o755)
        switches = Switches(tmp, tools / "traffic")
        try:
            many = switches.lab("many")
            attached = attach(switches, many, tools / "attachprobe", table)
            switches.gate(many, "gate 1000", 8, ["many1", "many2"], **AS_IT_COMES)
            few, watcher = switches.few()
            switches.others()
            # Those of the network where somebody gets copies stay filters.
            fastened.wait(many, PORTS + 2)
            fastened.wait(few, 6)
            got, copies = rounds(switches.pair, watcher, ROUNDS * pairs, table)
            report(table, got, copies, attached)
        finally:
            switches.close()
    return table
