# SPDX-License-Identifier: GPL-2.0-or-later
"""priv's gates: who watches whom, who has one, what they report, how they end and how they outlive priv."""

import errno
import json
import mmap
import select
import signal
import struct

import pytest

from tests.kit import frames, proc, traffic
from tests.kit.frames import BROADCAST, ether
from tests.kit.gates import (  # noqa: F401 - fixtures among them
    A, B, BOTH_KERNELS, C, FORGED, GIVEN, HOST8, LEARN, N, P1, P2, P3, STICKY, STRANGER, drops, facts,
    fastened, filters, has_qdisc, is_like, programs, row, rows, seg, two, unfasten,
)
from tests.kit.relay import close, guest, host, priv  # noqa: F401 - fixtures

EVENT_PINNED, RINGBUF = 0, 27  # of gate_maps.h; BPF_MAP_TYPE_RINGBUF
GATES = 4095  # GATE_SLOTS of gate_maps.h but the first, which is nobody's
OTHER_FILTER = "bpf da bytecode '1,6 0 0 0,'"


# --- egress, span ------------------------------------------------------------------------------


def test_program_on_egress_only_where_it_has_work(two, priv):
    egress = lambda: programs(two.host, "vmnet8p1", "egress")
    for fields, wanted in (({}, []), ({"rate_in_kbit": 1000}, ["gate_out"]), ({}, []),
                           ({"span": "vmnet8p2"}, ["gate_out"]), ({"rate_out_kbit": 1000}, []),
                           ({"rate_in_kbit": 1000, "span": "vmnet8p2"}, ["gate_out"])):
        priv.gate(**fields)
        assert egress() == wanted
        assert programs(two.host, "vmnet8p1") == ["gate_in"]


def test_watching_port_gets_copies_once_it_has_a_gate(seg, priv):
    seg.guest(1)
    seg.guest(2, plug=False)
    seg.guest(3)
    priv.gate(mac=P1, span="vmnet8p2")
    # Its slot is its own, but it is down, and has no policy.
    to_host = {0: ether(P1, HOST8)}
    assert frames.exchange(seg.ends, 1, to_host, fenced=["host", 3])[0] == {"host": 1}
    assert set(rows(priv)) == {"vmnet8p1", "vmnet8p2", "vmnet8p3"}
    assert rows(priv)["vmnet8p2"].memo == b""
    seg.gate(2, mac=P2)
    assert seg.goes(1, ether(P1, HOST8)) == {"host": 1, 2: 1}
    assert seg.goes("host", ether(HOST8, P1)) == {1: 1, 2: 1}
    assert seg.goes(1, ether(P1, P2)) == {2: 1}
    # Gone: nobody else gets them.
    priv.engine.ask("PORT_DEL", ifname="vmnet8p2")
    seg.ends.pop(2).close()
    assert seg.goes(1, ether(P1, HOST8)) == {"host": 1}


def test_span_must_be_a_port_of_the_same_network(two, priv):
    priv.network(9)
    reply = priv.tap(1, plug=False, ifname="vmnet9p1", net=9)
    assert priv.gate(err=errno.ENODEV, span="vmnet9p1").text == "vmnet9p1: not a port of vmnet8"
    assert priv.gate(err=errno.ENODEV, span="nothing").text == (
        "nothing: there is no such interface")
    close(reply)


# --- who may have a gate, and its end ----------------------------------------------------------


def test_only_links_on_our_bridges_have_a_gate(priv):
    priv.network()
    priv.network(9)
    priv.host.sh("""
        ip link add br0 type bridge
        ip link add foreign type veth peer name peer; ip link set foreign master br0
        ip link add free type veth peer name peer2
        ip link add fake type bridge; ip link set fake name vmnet7
        ip link add inside type veth peer name peer3; ip link set inside master vmnet7
    """)
    for ifname, net, text in (
        ("foreign", 8, "foreign: not a port of vmnet8"),
        ("free", 8, "free: not a port of vmnet8"),
        ("br0", 8, "br0: not a port of vmnet8"),
        ("lo", 8, "lo: not a port of vmnet8"),
        ("none", 8, "none: there is no such interface"),
        ("free", 3, "vmnet3: there is no such network"),
    ):
        assert priv.gate(ifname, errno.ENODEV, net=net).text == text
    assert "is not vnetd's" in priv.gate("inside", errno.EEXIST, net=7).text
    index = {name: link["ifindex"] for name, link in priv.host.links().items()}
    for name in ("foreign", "free", "br0", "lo"):
        priv.engine.ask("GATE_DEL", ifindex=index[name])  # it has none
        assert not has_qdisc(priv.host, name)
    assert rows(priv) == {}


def test_adopted_link_gets_a_gate_and_nothing_else(priv):
    priv.network()
    priv.host.sh("""
        ip link add other type veth peer name peer
        ip link set other alias mine master vmnet8 up
    """)
    before = priv.host.links()["other"]
    priv.gate("other", mac_policy=GIVEN, mac=A)
    after = priv.host.links()["other"]
    assert programs(priv.host, "other") == ["gate_in"]
    is_like(priv.host, "other", {"locked"}, [A])
    for key in ("address", "ifalias", "mtu", "flags", "group"):
        assert after[key] == before[key], key


def test_gate_of_a_port_cannot_be_ended(two, priv):
    index = {name: link["ifindex"] for name, link in two.host.links().items()}
    for name in ("vmnet8p1", "vmnet8"):
        text = priv.engine.ask("GATE_DEL", ifindex=index[name], err=errno.EBUSY).text
        assert text == f"{name}: it is still a port"
    assert programs(two.host, "vmnet8p1") == ["gate_in"]


# --- fastened ----------------------------------------------------------------------------------


def index_of(priv, ifname):
    return priv.host.links()[ifname]["ifindex"]


def is_fastened(priv, ifname, *, egress):
    """Asserts that it is, with or without a program for what the guest gets."""
    host = priv.host
    assert list(fastened(host, ifname).values()) == ["gate_in"]
    assert list(fastened(host, ifname, "egress").values()) == (["gate_out"] if egress else [])
    assert filters(host, ifname) == filters(host, ifname, "egress") == []


def test_gate_is_fastened(two, priv):
    p1 = index_of(priv, "vmnet8p1")
    priv.gate(mac_policy=GIVEN, mac=A)
    assert (filters(two.host, "vmnet8p1"), fastened(two.host, "vmnet8p1")) == (["gate_in"], {})
    for _ in range(2):
        priv.engine.ask("GATE_FASTEN", ifindex=p1)
        is_fastened(priv, "vmnet8p1", egress=False)
        priv.gate(mac_policy=GIVEN, mac=A)  # is no reason to begin anew
    assert two.goes(1, ether(A, BROADCAST), fence=A) == {"host": 1, 2: 1}
    two.is_dropped(1, ether(STRANGER, BROADCAST), "FORGED")
    # What the guest gets is looked at by another program, which is fastened at once.
    priv.gate(mac_policy=GIVEN, mac=A, rate_in_kbit=1000)
    is_fastened(priv, "vmnet8p1", egress=True)
    priv.engine.ask("GATE_FASTEN", ifindex=p1)
    is_fastened(priv, "vmnet8p1", egress=True)
    priv.gate(mac_policy=GIVEN, mac=A)
    is_fastened(priv, "vmnet8p1", egress=False)
    # Somebody takes it away.
    unfasten(two.host, "vmnet8p1")
    assert programs(two.host, "vmnet8p1") == []
    priv.gate(mac_policy=GIVEN, mac=A)
    assert filters(two.host, "vmnet8p1") == ["gate_in"]
    priv.engine.ask("GATE_FASTEN", ifindex=p1)
    is_fastened(priv, "vmnet8p1", egress=False)
    two.is_dropped(1, ether(STRANGER, BROADCAST), "FORGED")


def test_no_frame_to_the_guest_is_lost_while_its_gate_is_fastened(two, priv):
    def lost():
        (link,) = two.host.ip("-s", "link", "show", "dev", "vmnet8p1")
        return link["stats64"]["tx"]["dropped"]

    heard = frames.Counter(two.guests[1], "eth0")
    priv.gate(mac_policy=GIVEN, mac=A)
    before = lost()
    flood = traffic.Flood(two.host, "vmnet8", sources=[HOST8], targets=[A])
    proc.wait_until("it flows", lambda: heard.count() > 1000)
    for fields in ({}, {"rate_in_kbit": 10_000_000}, {}):
        priv.gate(mac_policy=GIVEN, mac=A, **fields)
        for _ in range(2):
            priv.engine.ask("GATE_FASTEN", ifindex=index_of(priv, "vmnet8p1"))
            is_fastened(priv, "vmnet8p1", egress=bool(fields))
    flood.stop()
    assert lost() == before


@pytest.mark.parametrize("priv", ["clsact"], indirect=True)
def test_gate_stays_a_filter_on_an_old_kernel(two, priv):
    text = priv.engine.ask("GATE_FASTEN", ifindex=index_of(priv, "vmnet8p1"), err=errno.EOPNOTSUPP).text
    assert "its gate stays a filter" in text
    assert (filters(two.host, "vmnet8p1"), fastened(two.host, "vmnet8p1")) == (["gate_in"], {})


def test_only_gates_are_fastened(priv):
    priv.network()
    priv.host.run("ip", "link", "add", "other", "type", "veth", "peer", "name", "peer")
    for ifindex in (index_of(priv, "other"), index_of(priv, "lo"), 0x7fffffff):
        text = priv.engine.ask("GATE_FASTEN", ifindex=ifindex, err=errno.ENODEV).text
        assert text == f"interface {ifindex}: it has no gate"
    assert fastened(priv.host, "other") == fastened(priv.host, "lo") == {}


def test_gate_beside_somebodys_filter_is_fastened_and_ends(priv):
    priv.network()
    priv.host.sh(f"""
        ip link add other type veth peer name peer
        ip link add br0 type bridge
        ip link set other master vmnet8
        tc qdisc add dev other clsact
        tc filter add dev other ingress prio 7 {OTHER_FILTER}
    """)
    priv.gate("other", mac_policy=GIVEN, mac=A, rate_in_kbit=1000)
    index = index_of(priv, "other")
    priv.engine.ask("GATE_FASTEN", ifindex=index)
    assert programs(priv.host, "other")[0] == "gate_in"
    assert "gate_in" not in filters(priv.host, "other") and has_qdisc(priv.host, "other")
    priv.host.run("ip", "link", "set", "other", "master", "br0")
    priv.engine.ask("GATE_DEL", ifindex=index)
    assert fastened(priv.host, "other") == fastened(priv.host, "other", "egress") == {}
    assert has_qdisc(priv.host, "other")


def test_fastened_gates_live_on_without_priv(two, priv):
    priv.gate(mac_policy=GIVEN, mac=A)
    for n in (1, 2):
        priv.engine.ask("GATE_FASTEN", ifindex=index_of(priv, f"vmnet8p{n}"))
    old = fastened(two.host, "vmnet8p1")
    kill_and_start(priv)
    # Programs of the same code need not be replaced, at a price of milliseconds each.
    for _ in range(2):
        priv.gate(mac_policy=GIVEN, mac=A)
        priv.engine.ask("GATE_FASTEN", ifindex=index_of(priv, "vmnet8p1"))
        assert fastened(two.host, "vmnet8p1") == old
        is_fastened(priv, "vmnet8p1", egress=False)
    two.is_dropped(1, ether(STRANGER, BROADCAST), "FORGED")
    # Ended by the next priv as by the first.
    two.host.run("ip", "link", "set", "vmnet8p2", "nomaster")
    priv.engine.ask("GATE_DEL", ifindex=index_of(priv, "vmnet8p2"))
    assert programs(two.host, "vmnet8p2") == []


@pytest.mark.parametrize("priv", ["upgrades"], indirect=True)
@pytest.mark.parametrize("replace", [True, False])
def test_programs_of_an_earlier_build_are_replaced(two, priv, replace):
    """replace: as where somebody gets copies, so that nothing may be moved."""
    priv.gate(mac_policy=GIVEN, mac=A, rate_in_kbit=10_000_000)
    index = index_of(priv, "vmnet8p1")
    priv.engine.ask("GATE_FASTEN", ifindex=index)
    both = lambda: [*fastened(two.host, "vmnet8p1"), *fastened(two.host, "vmnet8p1", "egress")]
    old = both()
    kill_and_start(priv)
    priv.gate("vmnet8p2", mac_policy=GIVEN, mac=B, promisc=replace)
    priv.gate(mac_policy=GIVEN, mac=A, rate_in_kbit=10_000_000)
    assert both() == old  # not yet
    for _ in range(2):
        priv.engine.ask("GATE_FASTEN", ifindex=index, replace=replace)
        is_fastened(priv, "vmnet8p1", egress=True)
        assert not set(both()) & set(old)
    # What is no more than a filter stays one.
    priv.engine.ask("GATE_FASTEN", ifindex=index_of(priv, "vmnet8p2"), replace=True)
    assert (filters(two.host, "vmnet8p2"), fastened(two.host, "vmnet8p2")) == (["gate_in"], {})
    assert two.goes(1, ether(A, HOST8), fence=A) == {"host": 1, **({2: 1} if replace else {})}


def test_nothing_is_lost_and_nothing_forged_while_a_gate_is_fastened(two, priv):
    priv.gate(mac_policy=GIVEN, mac=P1)
    honest, forged = 0x88B6, 0x88B7
    for n in range(3, 9):
        mac, ifname = f"00:50:56:00:00:0{n}", f"vmnet8p{n}"
        guest = two.guest(n, plug=False)
        two.gate(n, mac_policy=GIVEN, mac=mac)
        heard = frames.Counter(two.guests[1], "eth0", honest)
        wrong = [frames.Counter(two.guests[1], "eth0", forged), frames.Counter(two.host, "vmnet8", forged)]
        bad = traffic.Flood(guest, "eth0", sources=["random", P1, HOST8], targets=[BROADCAST, P1, HOST8],
                            kind=forged)
        good = traffic.Flood(guest, "eth0", sources=[mac], targets=[P1], rate=5000, kind=honest)
        proc.wait_until("some have come", lambda: heard.count() > 100)
        priv.engine.ask("GATE_FASTEN", ifindex=index_of(priv, ifname))
        is_fastened(priv, ifname, egress=False)
        many = heard.count() + 500
        proc.wait_until("more have come", lambda: heard.count() > many)
        (sent, _), (tried, _) = good.stop(), bad.stop()
        proc.wait_until("all have come", lambda: heard.count() == sent)
        assert [counter.count() for counter in wrong] == [0, 0]
        assert tried > 1000


def test_nothing_is_copied_twice_when_a_gate_was_fastened(two, priv):
    two.guest(3)
    for n in (1, 2, 3):
        priv.engine.ask("GATE_FASTEN", ifindex=index_of(priv, f"vmnet8p{n}"))
    priv.gate("vmnet8p3", flags=FORGED, promisc=True)
    for mac, n in ((A, 1), (B, 2)):
        two.goes(n, ether(mac, BROADCAST), fence=mac)
    assert two.goes(1, ether(A, B), fence=A) == {2: 1, 3: 1}
    assert two.goes(1, ether(A, HOST8), fence=A) == {"host": 1, 3: 1}


@BOTH_KERNELS
@pytest.mark.parametrize("guests, left", [
    ("", []),
    (f"tc filter add dev other egress prio 7 {OTHER_FILTER}", ["bpf"]),
    (f"tc filter add dev other ingress prio 7 {OTHER_FILTER}", ["bpf"]),
])
def test_gate_ends_when_the_link_is_elsewhere(priv, guests, left):
    priv.network()
    priv.host.sh(f"""
        ip link add other type veth peer name peer
        ip link add br0 type bridge
        ip link set other master vmnet8
        {"tc qdisc add dev other clsact" if guests else ""}
        {guests}
    """)
    priv.gate("other", mac_policy=GIVEN, mac=A, rate_in_kbit=1000)
    priv.host.run("ip", "link", "set", "other", "master", "br0")
    index = priv.host.links()["other"]["ifindex"]
    for _ in range(2):
        priv.engine.ask("GATE_DEL", ifindex=index)
        assert rows(priv) == {}
        kinds = [r["kind"] for hook in ("ingress", "egress") for r in json.loads(priv.host.run(
            "tc", "-j", "filter", "show", "dev", "other", hook).out) if "options" in r]
        assert kinds == left
        assert has_qdisc(priv.host, "other") == bool(left)
    # Its address is free.
    reply = priv.tap(1, plug=False)
    priv.gate(mac_policy=GIVEN, mac=A)
    close(reply)


def test_gate_goes_around_an_ingress_qdisc_of_somebody_else(priv):
    """libvirt limits by one what a guest sends. It takes filters of ours, but has no egress."""
    priv.network()
    priv.host.sh(f"""
        ip link add other type veth peer name peer
        ip link set other master vmnet8
        tc qdisc add dev other ingress
        tc filter add dev other ingress prio 7 {OTHER_FILTER}
    """)
    for _ in range(2):
        priv.gate("other", mac_policy=GIVEN, mac=A, rate_in_kbit=1000)
        assert filters(priv.host, "other") == ["gate_in"]
        assert list(fastened(priv.host, "other", "egress").values()) == ["gate_out"]
    priv.gate("other", mac_policy=GIVEN, mac=A)
    assert (filters(priv.host, "other"), fastened(priv.host, "other", "egress")) == (["gate_in"], {})
    priv.host.run("ip", "link", "set", "other", "nomaster")
    priv.engine.ask("GATE_DEL", ifindex=priv.host.links()["other"]["ifindex"])
    assert "gate_in" not in programs(priv.host, "other")
    # With a filter it is somebody's still.
    assert "qdisc ingress" in priv.host.run("tc", "qdisc", "show", "dev", "other").out


@pytest.mark.parametrize("priv", ["clsact"], indirect=True)
def test_gate_beside_an_ingress_qdisc_of_somebody_else(priv):
    """On kernels without tcx programs for egress would be ingress's."""
    priv.network()
    priv.host.sh(f"""
        ip link add other type veth peer name peer
        ip link set other master vmnet8
        tc qdisc add dev other ingress
        tc filter add dev other ingress prio 7 {OTHER_FILTER}
    """)
    for _ in range(2):
        priv.gate("other", mac_policy=GIVEN, mac=A)
        assert programs(priv.host, "other") == ["gate_in"]
    text = priv.gate("other", errno.EBUSY, mac_policy=GIVEN, mac=B, rate_in_kbit=1000).text
    assert text == ("other: somebody's ingress qdisc is in the way of rate-in and mirror-of. Try: "
                    "tc qdisc delete dev other ingress")
    # All else is in force.
    assert programs(priv.host, "other") == ["gate_in"]
    is_like(priv.host, "other", {"locked"}, [B])
    priv.host.run("ip", "link", "set", "other", "nomaster")
    priv.engine.ask("GATE_DEL", ifindex=priv.host.links()["other"]["ifindex"])
    assert "gate_in" not in programs(priv.host, "other")
    # With a filter it is somebody's still.
    assert "qdisc ingress" in priv.host.run("tc", "qdisc", "show", "dev", "other").out


@pytest.mark.parametrize("priv", ["clsact"], indirect=True)
def test_bridge_with_an_ingress_qdisc_of_somebody_else_is_a_network_all_the_same(two, priv):
    two.host.sh("tc qdisc add dev vmnet8 ingress")
    priv.gate("vmnet8p2", flags=FORGED, promisc=True)
    assert programs(two.host, "vmnet8") == []
    assert "vmnet8: somebody's ingress qdisc is there" in priv.log_text()
    assert two.goes(1, ether(A, BROADCAST), fence=A) == {"host": 1, 2: 1}


@BOTH_KERNELS
def test_gate_of_a_link_that_is_gone_ends(priv):
    priv.network()
    reply = priv.tap(1, plug=False)
    priv.gate(mac_policy=GIVEN, mac=A, promisc=True, flags=FORGED)
    index = row(priv).ifindex
    close(reply)
    proc.wait_until("the tap has gone", lambda: "vmnet8p1" not in priv.host.links())
    assert list(rows(priv)) == [index]
    for _ in range(2):
        priv.engine.ask("GATE_DEL", ifindex=index)
        assert rows(priv) == {}


def test_ports_that_go_leave_nothing_behind(priv):
    """More than the network can have promiscuous ones, one after the other, with the same address."""
    priv.network()
    for n in range(40):
        ifname = f"vmnet8p{1 + n % 3}"
        reply = priv.tap(1 + n % 3, plug=False)
        priv.gate(ifname, mac_policy=GIVEN, mac=A, promisc=True, flags=FORGED)
        priv.engine.ask("PORT_DEL", ifname=ifname)
        close(reply)
    assert rows(priv) == {}


def refused(priv, ifname="other", err=errno.EADDRINUSE, **fields):
    """The reason that a port has no gate, which passes nothing then; asserts both."""
    text = priv.gate(ifname, err, **{"mac_policy": GIVEN, "mac": HOST8, **fields}).text
    assert text.endswith("; until then nothing that it sends passes")
    assert programs(priv.host, ifname) == ["gate_in"]
    return text


def end(priv, ifname="other"):
    """Off its bridge it is as it was before."""
    priv.host.run("ip", "link", "set", ifname, "nomaster")
    priv.engine.ask("GATE_DEL", ifindex=index_of(priv, ifname))
    assert programs(priv.host, ifname) == [] and not has_qdisc(priv.host, ifname)


def add_other(priv):
    priv.host.sh("""
        ip link add other type veth peer name peer
        ip link set other master vmnet8 up; ip link set peer up
    """)


@BOTH_KERNELS
def test_nothing_passes_without_a_gate(seg, priv):
    silent = 0x88B7
    seg.guest(1)
    add_other(priv)
    seg.ends["peer"] = frames.Wire(priv.host, "peer")
    heard = [frames.Counter(seg.guests[1], "eth0", silent), frames.Counter(priv.host, "vmnet8", silent)]
    priv.gate(mac_policy=GIVEN, mac=A)
    # It gets frames, so its port forwards.
    proc.wait_until("the port forwards", lambda: seg.goes(1, ether(A, BROADCAST), fence=A).get("peer"))
    for fields in ({"mac": A}, {"mac": HOST8}, {"err": errno.ENODEV, "mac": B, "span": "none"}):
        refused(priv, **fields)
        for source in (A, B):
            for target in (A, HOST8, BROADCAST):
                seg.ends["peer"].send(ether(source, target, silent))
    assert seg.goes(1, ether(A, BROADCAST), fence=A) == {"host": 1, "peer": 1}
    assert set(rows(priv)) == {"vmnet8p1", "other"}
    # The address is free.
    priv.gate(mac_policy=GIVEN, mac=C)
    priv.gate("other", mac_policy=GIVEN, mac=A)
    assert seg.goes("peer", ether(A, BROADCAST), fence=A) == {"host": 1, 1: 1}
    assert [counter.count() for counter in heard] == [0, 0]
    end(priv)


@BOTH_KERNELS
@pytest.mark.parametrize("when", ["while priv runs", "while nobody runs"])
def test_port_without_a_gate_is_free_when_it_is_no_port(priv, when):
    priv.network()
    add_other(priv)
    refused(priv)
    if when == "while nobody runs":
        kill_and_start(priv, lambda: priv.host.run("ip", "link", "set", "other", "nomaster"))
    assert list(rows(priv)) == ["other"]
    end(priv)
    assert rows(priv) == {}


def test_gates_that_are_refused_are_ended_like_others(priv):
    """More of them than there are gates, of links that go afterwards."""
    priv.network()
    names = [f"port{n}" for n in range(800)]
    batch = "".join(f"link add {name} group 77 master vmnet8 type veth peer name x{name}\n"
                    for name in names)
    for _ in range(GATES // len(names) + 1):
        priv.host.run("ip", "-batch", "-", stdin=batch)
        for name in names:
            reply = priv.engine.request("GATE_SET", net=8, ifname=name, mac_policy=GIVEN, mac=HOST8)
            assert priv.engine.answer(reply)[1].err in (errno.EADDRINUSE, errno.EUSERS)
        priv.host.run("ip", "link", "del", "group", "77")
    # Nothing passes without a place among them either, and it can be ended.
    add_other(priv)
    assert f"all {GATES} gates are in use" in refused(priv, err=errno.EUSERS, mac=A)
    end(priv)
    kill_and_start(priv)
    priv.host.run("ip", "link", "set", "other", "master", "vmnet8")
    priv.gate("other", mac_policy=GIVEN, mac=A)


@BOTH_KERNELS
def test_bridge_that_somebody_deleted_is_made_anew(two, priv):
    priv.gate("vmnet8p2", flags=FORGED, promisc=True)
    two.host.run("ip", "link", "del", "vmnet8")
    priv.network()
    assert programs(two.host, "vmnet8", "egress") == ["gate_host"]
    assert set(rows(priv)) == {"vmnet8p1", "vmnet8p2"}
    priv.engine.ask("PORT_ENSLAVE", net=8, ifname="vmnet8p1")
    text = priv.gate(err=errno.EADDRINUSE, mac_policy=GIVEN, mac=HOST8).text
    assert text == f"vmnet8p1: address {HOST8} is the host's in this network"
    priv.engine.ask("BRIDGE_DEL", net=8)
    assert set(rows(priv)) == {"vmnet8p1", "vmnet8p2"}


# --- reports -----------------------------------------------------------------------------------


def test_gate_row_tells_all(two, priv):
    memo = bytes(range(32))
    priv.gate(memo=memo, flags=N["GATE_IP"] | N["GATE_CONTROL"], ip="10.0.8.128")
    two.goes(1, ether(A, BROADCAST), fence=A)
    for n in range(3):
        two.is_dropped(1, ether(STRANGER, BROADCAST, payload=bytes([n])), "FORGED")
    two.is_dropped(1, frames.bpdu(A), "CONTROL")
    found = row(priv)
    assert facts(found) == {
        "type": "GATE_ROW", "ifindex": two.host.links()["vmnet8p1"]["ifindex"], "net": 8,
        "mac_policy": STICKY, "mac": A, "learned": 0, "ip": "10.0.8.128", "promisc": False,
        "memo": memo}
    assert (drops(priv, "FORGED"), drops(priv, "CONTROL"), drops(priv, "TAKEN")) == (3, 1, 0)
    # A new policy does not begin the count anew.
    priv.gate(memo=b"short")
    assert row(priv).memo == b"short" + bytes(27)
    assert drops(priv, "FORGED") == 3


def test_many_gates_are_listed(priv):
    """More rows than a socket takes at once."""
    priv.network()
    priv.host.sh("for n in $(seq 600); do echo link add v$n type veth peer name w$n; "
                 "echo link set v$n master vmnet8; done | ip -batch -")
    priv.engine.ask_many(
        ("GATE_SET", {"net": 8, "ifname": f"v{n}", "mac_policy": GIVEN,
                      "mac": f"52:54:00:00:{n >> 8:02x}:{n & 255:02x}"}) for n in range(1, 601))
    assert len(rows(priv)) == 600


def first_event(fd):
    """(kind, interface, address) of the oldest record of the ring buffer."""
    page = mmap.PAGESIZE
    with mmap.mmap(fd, page + 2 * 65536, mmap.MAP_SHARED, mmap.PROT_READ, offset=page) as ring:
        length, _ = struct.unpack_from("=II", ring, page)
        assert length == 24
        ifindex, _, kind, _, mac, _ = struct.unpack_from("=IHBBQQ", ring, page + 8)
    return kind, ifindex, mac.to_bytes(8, "little")[:6].hex(":")


def test_events_come_by_a_ring_buffer(two, priv):
    fd = priv.engine.ask("GATE_EVENTS").fds[0]
    with open(f"/proc/self/fdinfo/{fd}") as info:
        assert f"map_type:\t{RINGBUF}\n" in info.read()
    assert not select.select([fd], [], [], 0)[0]
    two.ends[1].send(ether(A, BROADCAST))
    assert select.select([fd], [], [], 5)[0]
    assert first_event(fd) == (EVENT_PINNED, row(priv).ifindex, A)
    # priv keeps its own.
    again = priv.engine.ask("GATE_EVENTS").fds[0]
    assert again != fd


# --- priv dies ---------------------------------------------------------------------------------


def kill_and_start(priv, between=lambda: None):
    priv.stop(signal.SIGKILL)
    between()
    priv.start()


@BOTH_KERNELS
def test_gates_live_on_without_priv(two, priv):
    priv.gate(mac_policy=LEARN, learn=3, memo=b"one", promisc=False)
    for mac in (A, B):
        two.goes(1, ether(mac, BROADCAST), fence=mac)
    two.goes(2, ether(C, BROADCAST), fence=C)
    priv.gate("vmnet8p2", memo=b"two", promisc=True, flags=FORGED)
    two.is_dropped(1, ether(HOST8, BROADCAST), "TAKEN")
    before = {name: facts(found) for name, found in rows(priv).items()}
    kill_and_start(priv)
    after = {name: facts(found) for name, found in rows(priv).items()}
    assert after == before
    assert (after["vmnet8p1"]["learned"], after["vmnet8p1"]["mac"]) == (1, A)
    assert (after["vmnet8p2"]["promisc"], after["vmnet8p2"]["mac"]) == (True, C)
    assert drops(priv, "TAKEN") == 1
    # Before BRIDGE_SET has come: the host's address is known as such.
    text = priv.gate(err=errno.EADDRINUSE, mac_policy=GIVEN, mac=HOST8).text
    assert text == f"vmnet8p1: address {HOST8} is the host's in this network"
    # The filters are the new one's, with the old state.
    ident = lambda: two.host.run("tc", "-j", "-d", "filter", "show", "dev", "vmnet8p2", "ingress").out
    old = ident()
    priv.gate("vmnet8p2", memo=b"two", promisc=True, flags=FORGED)
    assert ident() != old
    assert facts(row(priv, "vmnet8p2")) == before["vmnet8p2"]
    assert two.goes(1, ether(A, HOST8), fence=A) == {"host": 1, 2: 1}


def test_priv_starts_however_often_ports_are_made_in_between(priv):
    """Each start loads programs of its own, and they stay as long as a port that they were fastened to."""
    priv.network()
    ports = [f"vmnet8p{n}" for n in range(1, 20)]
    for n, ifname in enumerate(ports, 1):
        priv.tap(n, persist=True, owner=65534)
        priv.gate(ifname, rate_in_kbit=1000)
        priv.engine.ask("GATE_FASTEN", ifindex=index_of(priv, ifname))
        kill_and_start(priv)
    known = {ident for ifname in ports for ident in fastened(priv.host, ifname)}
    assert len(known) == len(ports)
    # The first one's programs are known as ours still: nothing runs beside them, and they end.
    for ifname in (ports[0], ports[-1]):
        priv.gate(ifname, rate_in_kbit=1000)
        is_fastened(priv, ifname, egress=True)
        priv.gate(ifname)
        is_fastened(priv, ifname, egress=False)


def test_nobody_forges_while_priv_is_away(two, priv, folder):
    priv.gate(mac_policy=GIVEN, mac=P1)
    priv.gate("vmnet8p2", mac_policy=GIVEN, mac=P2)
    two.guests[2].run("ip", "addr", "add", "10.0.8.80/24", "dev", "eth0")
    counters = {2: frames.Counter(two.guests[2], "eth0"), "host": frames.Counter(two.host, "vmnet8")}
    pings = traffic.Pings(two.guests[2], "10.0.8.1", folder)
    flood = traffic.Flood(two.guests[1], "eth0", sources=["random", P2, HOST8],
                          targets=[BROADCAST, P2, HOST8, "random"])

    def meanwhile():
        pings.flows(20)

    for _ in range(3):
        kill_and_start(priv, meanwhile)
        priv.bridge()
        priv.gate(mac_policy=GIVEN, mac=P1)
        priv.gate("vmnet8p2", mac_policy=GIVEN, mac=P2)
        pings.flows(20)
    sent, _ = flood.stop()
    pings.stop()
    assert sent > 10000
    assert {name: counter.count() for name, counter in counters.items()} == {2: 0, "host": 0}
    two.ends[1].send(ether(P1, BROADCAST))
    proc.wait_until("an honest one is counted", lambda: all(
        counter.count() == 1 for counter in counters.values()))


def test_gates_of_links_that_went_while_nobody_ran_are_ended(two, priv):
    two.goes(1, ether(A, BROADCAST), fence=A)
    priv.gate("vmnet8p2", mac=B, span="vmnet8p1")
    kill_and_start(priv, lambda: two.host.run("ip", "link", "del", "vmnet8p1"))
    assert list(rows(priv)) == ["vmnet8p2"]
    reply = priv.tap(3, plug=False)
    priv.gate("vmnet8p3", mac_policy=GIVEN, mac=A)
    close(reply)


def test_slot_that_was_promised_to_a_watching_port_is_given_to_nobody_else(seg, priv):
    """A span names a slot before its port has a gate; after a crash nobody knows whose it was."""
    seg.guest(1)
    seg.guest(2, plug=False)
    priv.gate(mac=P1, span="vmnet8p2")
    kill_and_start(priv)
    seg.guest(3)
    priv.gate("vmnet8p3", mac=P3)
    seg.ends.pop(2).close()
    assert seg.goes(1, ether(P1, HOST8)) == {"host": 1}


def test_start_in_an_empty_network_namespace_begins_anew(priv):
    priv.network()
    reply = priv.tap(1, plug=False)
    priv.gate(mac_policy=GIVEN, mac=A)
    close(reply)
    priv.stop()
    priv.host.run("ip", "link", "del", "vmnet8")
    priv.start()
    assert rows(priv) == {}


@pytest.mark.parametrize("where", ["vmnet8", "br0", "nowhere"])
def test_teardown_leaves_no_program_on_a_foreign_link(priv, where):
    priv.network()
    priv.host.sh("""
        ip link add br0 type bridge
        ip link add other type veth peer name peer
        ip link set other master vmnet8
    """)
    priv.gate("other", mac_policy=GIVEN, mac=A, rate_in_kbit=1000)
    priv.stop()
    # It may have gone elsewhere while nobody looked.
    if where != "vmnet8":
        priv.host.sh(f"ip link set other {'nomaster' if where == 'nowhere' else 'master br0'}")
    priv.teardown()
    assert "vmnet8" not in priv.host.links()
    for hook in ("ingress", "egress"):
        assert programs(priv.host, "other", hook) == []
    assert not has_qdisc(priv.host, "other")
