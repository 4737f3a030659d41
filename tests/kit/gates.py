# SPDX-License-Identifier: GPL-2.0-or-later
"""The port gate as priv sets it up, for tests that are the engine (tests/kit/relay.py).

    gates.programs(host, "vmnet8p1"), .flags(...), .entries(...)     what the kernel has
    gates.rows(priv), .row(priv, "vmnet8p1"), .drops(priv, "FORGED")  what GATE_LIST tells
    seg.guest(1); seg.goes(1, frame)                                 a network with guests

Fixtures, to be imported by name: `seg`, a Segment of the fixture `priv`; `two`, one with the sticky
guests 1 and 2, of which neither has an address yet.
"""

import json
import struct

import pytest

from . import frames, msg, ns, proc, tcx

N = msg.NUMBERS
ANY, GIVEN, STICKY, LEARN = (N[f"MAC_POLICY_{p}"] for p in ("ANY", "GIVEN", "STICKY", "LEARN"))
FORGED = N["GATE_FORGED"]
NET_ALL = 0xFFFF
HOST8 = "00:50:56:c0:00:08"
P1, P2, P3 = (f"00:50:56:00:00:0{n}" for n in (1, 2, 3))  # what relay's veth() gives to eth0
A, B, C, D, STRANGER = (f"52:54:00:00:00:0{last}" for last in "abcd9")

# Programs of the gate begin as filters and are fastened by tcx; before Linux 6.6 there are filters on clsact only.
BOTH_KERNELS = pytest.mark.parametrize("priv", ["tcx", "clsact"], indirect=True)


# --- what is there -----------------------------------------------------------------------------


def fastened(host, ifname, hook="ingress"):
    """{id: name} of the programs that are attached there by tcx."""
    lines = host.run("python3", tcx.__file__, ifname, hook).out.splitlines()
    return {int(ident): name for ident, name in (line.split() for line in lines)}


def unfasten(host, ifname, hook="ingress"):
    """What somebody's `bpftool net detach` does."""
    host.run("python3", tcx.__file__, ifname, hook, "detach")


def filters(host, ifname, hook="ingress"):
    """Names of the programs that are filters there, ours and others'."""
    if hook == "egress" and "ingress" in qdiscs(host, ifname):
        return []  # tc would show what is on its only hook once more
    text = host.run("tc", "-j", "-d", "filter", "show", "dev", ifname, hook).out
    rows = [row["options"] for row in json.loads(text or "[]") if "options" in row]
    return [row["prog"]["name"] for row in rows if "prog" in row]


def programs(host, ifname, hook="ingress"):
    """Names of all programs there, in the order in which a frame meets them."""
    return list(fastened(host, ifname, hook).values()) + filters(host, ifname, hook)


def qdiscs(host, ifname):
    """The kinds of its qdiscs."""
    return [row["kind"] for row in json.loads(host.run("tc", "-j", "qdisc", "show", "dev", ifname).out)]


def has_qdisc(host, ifname):
    """One that has hooks: no filter of anybody's can be there without it."""
    return not {"clsact", "ingress"}.isdisjoint(qdiscs(host, ifname))



def flags(host, ifname):
    """What the bridge does with the port: the flags that are set."""
    row = json.loads(host.run("bridge", "-j", "-d", "link", "show", "dev", ifname).out)[0]
    return {flag for flag in ("locked", "learning", "flood") if row[flag]}


def entries(host, ifname):
    """{address: "sticky", "static" or ""} of the port's entries in the forwarding table."""
    rows = json.loads(host.run("bridge", "-j", "fdb", "show", "dev", ifname).out)
    found = {}
    for row in rows:
        if row.get("state") != "permanent" and "self" not in row["flags"]:
            state = row.get("state", "")
            found[row["mac"]] = "sticky" if state and "sticky" in row["flags"] else state
    return found


def is_like(host, ifname, wanted, sticky=()):
    """Asserts the port's flags and its static entries."""
    got = {mac: state for mac, state in entries(host, ifname).items() if state}
    assert (flags(host, ifname), got) == (set(wanted), dict.fromkeys(sticky, "sticky"))


def rows(priv, net=NET_ALL):
    """GATE_LIST: {interface: its row}."""
    names = {row["ifindex"]: name for name, row in priv.host.links().items()}
    found, _ = priv.engine.answer(priv.engine.request("GATE_LIST", net=net))
    return {names.get(row.ifindex, row.ifindex): row for row in found}


def row(priv, ifname="vmnet8p1"):
    return rows(priv)[ifname]


def drops(priv, reason, ifname="vmnet8p1"):
    numbers = struct.unpack(f">{N['DROP_DHCP_RATE'] + 1}Q", row(priv, ifname).drops)
    return numbers[N[f"DROP_{reason}"]]


def facts(found):
    """Of a GATE_ROW, all but what counts up."""
    return {key: value for key, value in vars(found).items() if key not in ("id", "fds", "drops")}


# --- who is there ------------------------------------------------------------------------------


class Segment:
    """vmnet8 with guests 1, 2, ... at ports vmnet8p1, ...; nobody's kernel says anything by itself."""

    def __init__(self, priv):
        self.priv, self.host = priv, priv.host
        priv.network()
        self.ends = {"host": frames.Wire(priv.host, "vmnet8")}
        self.guests = {}

    def guest(self, n, plug=True):
        made = ns.Netns(f"{self.host.name}-g{n}")
        self.guests[n] = made
        made.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        self.priv.veth(made, n, plug=False)
        made.run("ip", "link", "set", "eth0", "up")
        self.ends[n] = frames.Wire(made, "eth0")
        if plug:
            self.gate(n)
        return made

    def gate(self, n, **fields):
        """Its gate, and up."""
        self.priv.gate(f"vmnet8p{n}", **fields)
        self.priv.engine.ask("PORT_SET", net=8, ifname=f"vmnet8p{n}", up=True)
        proc.wait_until("the port forwards", lambda: self.forwards(n))

    def forwards(self, n):
        port = json.loads(self.host.run("bridge", "-j", "link", "show", "dev", f"vmnet8p{n}").out)
        return port[0]["state"] == "forwarding"

    def goes(self, sender, frame, fence=None):
        """Which of the others get it, and how often."""
        return frames.exchange(self.ends, sender, {0: frame}, fence)[0]

    def is_dropped(self, sender, frame, reason):
        """Asserts that it arrives nowhere and is counted; nothing else has to pass for that."""
        name = f"vmnet8p{sender}"
        before = drops(self.priv, reason, name)
        for end in self.ends.values():
            end.drain()
        self.ends[sender].send(frame)
        proc.wait_until("it is counted", lambda: drops(self.priv, reason, name) == before + 1)
        heard = [who for who, end in self.ends.items() if frame in end.drain()]
        assert heard == []

    def close(self):
        for made in self.guests.values():
            made.delete()


@pytest.fixture
def seg(priv):
    made = Segment(priv)
    yield made
    made.close()


@pytest.fixture
def two(seg):
    seg.guest(1)
    seg.guest(2)
    return seg
