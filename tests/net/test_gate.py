# SPDX-License-Identifier: GPL-2.0-or-later
"""The port gate: which frames of a guest arrive where, and what an administrator can change while
they flow.  Frames are sent and seen by packet sockets in the guests and on the host's vmnet8.
"""

import contextlib
import re

import pytest

from tests.kit import frames, ports, proc, traffic
from tests.kit.frames import BROADCAST, MARK, ether, tagged, udp

A, B, C, P = (f"52:54:00:00:00:0{last}" for last in "abcd")
STRANGER, SECOND, THIRD, FOURTH = (f"52:54:00:99:00:0{n}" for n in range(1, 5))
NETWORK_5 = """answer VNET_5_DHCP no
answer VNET_5_HOSTONLY_NETMASK 255.255.255.0
answer VNET_5_HOSTONLY_SUBNET 10.181.5.0
answer VNET_5_VIRTUAL_ADAPTER yes
"""


# --- the matrix ------------------------------------------------------------------------------------


def every_kind(me, host):
    """What guest p sends, with neighbours b and c."""
    s = frames.scapy()
    multicast, hop_by_hop = "01:00:5e:00:00:fb", s.IPv6ExtHdrHopByHop()
    kinds = {
        "own": udp(me, B, "own"),
        "own to the host": udp(me, host, "own"),
        "own to nobody": udp(me, STRANGER, "own"),
        "own to itself": udp(me, me, "own"),
        "own broadcast": udp(me, BROADCAST, "own"),
        "own multicast": udp(me, multicast, "own", ip_dst="224.0.0.251"),
        "own in a VLAN": tagged(udp(me, B, "vlan"), (0x8100, 5)),
        "own in two VLANs": tagged(udp(me, B, "vlans"), (0x88A8, 5), (0x8100, 6)),
        "own 802.3": ether(me, B, 46, bytes.fromhex("aaaa03000000 88b5") + b"snap" + bytes(34)),
        "own LLC broadcast": ether(me, BROADCAST, 46, bytes.fromhex("e0e003") + b"ipx" + bytes(40)),
        "own header alone": ether(me, B),
        "own header and a byte": ether(me, B, MARK, b"1"),
        "own cut in its IPv4 header": udp(me, B, "cut")[:24],
        "own cut in its UDP header": udp(me, B, "cut")[:38],
        "own cut ARP": frames.arp(me, BROADCAST, 1, "10.181.8.70", "10.181.8.80")[:30],
        "own ARP": frames.arp(me, BROADCAST, 1, "10.181.8.70", "10.181.8.80"),
        "ARP for a neighbour": frames.arp(me, BROADCAST, 2, "10.181.8.72", "10.181.8.72"),
        "ARP of another card": frames.arp(me, B, 2, "10.181.8.72", "10.181.8.80", hwsrc=C),
        "own DHCP request": frames.dhcp_discover(me),
        "DHCP offer": frames.dhcp_offer(me),
        "DHCP offer to one": frames.dhcp_offer(me, dst=B),
        "DHCP offer to a relay": frames.dhcp_offer(me, dport=67),
        "DHCP offer in a VLAN": tagged(frames.dhcp_offer(me), (0x8100, 5)),
        "DHCP offer in two VLANs": tagged(frames.dhcp_offer(me), (0x88A8, 5), (0x8100, 6)),
        "DHCPv6 advertise": frames.dhcp6_reply(me),
        "router advertisement": frames.router_advertisement(me),
        "router advertisement behind a header": frames.router_advertisement(me, before=hop_by_hop),
        "IPv6 redirect": frames.redirect6(me),
        "BPDU": frames.bpdu(me),
        "LLDP": ether(me, "01:80:c2:00:00:0e", 0x88CC, bytes(46)),
        "GVRP": frames.bpdu(me, "01:80:c2:00:00:21"),
        "forged": udp(STRANGER, B, "forged"),
        "forged to the host": udp(STRANGER, host, "forged"),
        "forged broadcast": udp(STRANGER, BROADCAST, "forged"),
        "forged in a VLAN": tagged(udp(STRANGER, B, "forged vlan"), (0x8100, 5)),
        "forged 802.3": ether(STRANGER, B, 46, bytes.fromhex("aaaa03000000 88b5") + bytes(38)),
        "forged header alone": ether(STRANGER, B),
        "forged as a neighbour": udp(C, B, "as a neighbour"),
        "forged as the host": udp(host, B, "as the host"),
        "from a group": udp("01:00:5e:00:00:01", B, "group"),
        "from nobody": udp("00:00:00:00:00:00", B, "zero"),
    }
    return kinds


ALL = {"b": 1, "c": 1, "host": 1}
OWN = {
    "own": {"b": 1},
    "own to the host": {"host": 1},
    "own broadcast": ALL,
    "own multicast": ALL,
    "own in a VLAN": {"b": 1},
    "own in two VLANs": {"b": 1},
    "own 802.3": {"b": 1},
    "own LLC broadcast": ALL,
    "own header alone": {"b": 1},
    "own header and a byte": {"b": 1},
    "own cut ARP": ALL,
    "own ARP": ALL,
    "ARP for a neighbour": ALL,
    "ARP of another card": {"b": 1},
    "own DHCP request": ALL,
}
FORGED = {
    "forged": {"b": 1},
    "forged to the host": {"host": 1},
    "forged broadcast": ALL,
    "forged in a VLAN": {"b": 1},
    "forged 802.3": {"b": 1},
    "forged header alone": {"b": 1},
}
AS_OTHERS = {"forged as a neighbour": {"b": 1}, "forged as the host": {"b": 1}}

# What of it arrives, by policy; everything else arrives nowhere.
ARRIVES = {
    "given": OWN,
    "sticky": OWN,
    "learn": OWN | FORGED,
    "any": OWN | FORGED | AS_OTHERS,
    "promiscuous": OWN | FORGED | AS_OTHERS,
}


def different(got, wanted):
    """What is not as it should be, for an assertion that explains itself."""
    kinds = sorted(set(got) | set(wanted))
    return {
        kind: f"came {got.get(kind, {})}, not {wanted.get(kind, {})}"
        for kind in kinds
        if got.get(kind, {}) != wanted.get(kind, {})
    }


def segment(lab, policy):
    """vmnet8 with neighbours b and c, and a guest p under that policy; the name of its port too."""
    seg = ports.Segment(lab)
    seg.guest("b", B)
    seg.guest("c", C)
    seg.guest("p", P, how="adopt" if policy == "sticky" else "netns")
    port = "veth-p" if policy == "sticky" else "p"
    if policy == "any":
        ports.setting(lab.vnetd, port, "mac-policy", "any")
    if policy == "learn":
        (lab.vnetd.config / "promiscAuthorized").touch()
        ports.setting(lab.vnetd, port, "mac-learning", "3")
    if policy == "promiscuous":
        lab.vnetd.ctl("promisc", "allow", port, "--once")
        ports.wait(lab.vnetd, port, promiscuous="granted")
    else:
        ports.wait(lab.vnetd, port, policy=policy)
    return seg, port


@pytest.mark.parametrize("policy", ARRIVES)
def test_which_frames_of_a_guest_arrive_where(lab, vnetd, policy):
    seg, port = segment(lab, policy)
    before = ports.drops(vnetd, port)
    sent = every_kind(P, seg.mac("host"))
    got = seg.exchange("p", sent)
    assert not different(got, ARRIVES[policy])

    # Every frame that did not arrive for its content is counted under its reason.
    lost = {key: n - before.get(key, 0) for key, n in ports.drops(vnetd, port).items()}
    own_forged = 8 if policy in ("given", "sticky") else 0
    wanted = {
        "forged": own_forged,
        "taken": 2 if policy == "learn" else 0,
        "source": 2,
        "control": 3,
        "dhcp": 8,  # with the two that are cut, and with the one of DHCPv6
        "ra": 3,
    }
    assert {key: lost.get(key, 0) for key in wanted} == wanted, lost

    # Whatever p claimed to be, the neighbour and the host still get what is theirs, and only they.
    also = {"p": 1} if policy == "promiscuous" else {}
    assert seg.goes("b", udp(B, C, "to c")) == {"c": 1} | also
    assert seg.goes("b", udp(B, seg.mac("host"), "to the host")) == {"host": 1} | also


def from_others(me, sender):
    """What b, or the host, sends while p listens."""
    return {
        "to p": udp(sender, me, "to p"),
        "to p in a VLAN": tagged(udp(sender, me, "vlan"), (0x8100, 5)),
        "to c": udp(sender, C, "to c"),
        "to c in a VLAN": tagged(udp(sender, C, "vlan"), (0x8100, 5)),
        "to nobody": udp(sender, FOURTH, "nobody"),
        "802.3 to c": ether(sender, C, 46, bytes.fromhex("aaaa03000000 88b5") + bytes(38)),
        "header alone to c": ether(sender, C),
        "broadcast": udp(sender, BROADCAST, "all"),
        "multicast": udp(sender, "01:00:5e:00:00:fb", "some", ip_dst="224.0.0.251"),
        "IPv6 multicast": ether(sender, "33:33:00:00:00:fb", MARK, b"six"),
    }


@pytest.mark.parametrize("policy", ARRIVES)
def test_which_frames_of_others_a_guest_sees(lab, vnetd, policy):
    seg, _ = segment(lab, policy)
    nosy = {"p": 1} if policy == "promiscuous" else {}
    for sender, mac in (("b", B), ("host", seg.mac("host"))):
        everybody = {"p": 1, "c": 1, ("host" if sender == "b" else "b"): 1}
        wanted = {
            "to p": {"p": 1},
            "to p in a VLAN": {"p": 1},
            "to c": {"c": 1} | nosy,
            "to c in a VLAN": {"c": 1} | nosy,
            "802.3 to c": {"c": 1} | nosy,
            "header alone to c": {"c": 1} | nosy,
            "to nobody": {"p": 1} if policy in ("any", "promiscuous") else {},
            "broadcast": everybody,
            "multicast": everybody,
            "IPv6 multicast": everybody,
        }
        assert not different(seg.exchange(sender, from_others(P, mac)), wanted), sender


def test_jumbo_frames_pass_the_gate_whole(lab, vnetd):
    vnetd.ctl("set", "vmnet8", "mtu", "9000")
    seg = ports.Segment(lab)
    for name, mac in (("b", B), ("c", C), ("p", P)):
        seg.guest(name, mac)
    host, body = seg.mac("host"), bytes(8600)
    got = seg.exchange("p", {
        "own": ether(P, B, MARK, body),
        "own to the host": ether(P, host, MARK, body),
        "own broadcast": ether(P, BROADCAST, MARK, body),
        "own in a VLAN": tagged(ether(P, B, MARK, body), (0x8100, 5)),
        "forged": ether(STRANGER, B, MARK, body),
        "DHCP offer": frames.dhcp_offer(P) + body,
    })
    wanted = {"own": {"b": 1}, "own to the host": {"host": 1}, "own broadcast": ALL,
              "own in a VLAN": {"b": 1}}
    assert not different(got, wanted)
    assert seg.goes("host", ether(host, P, MARK, body)) == {"p": 1}


def test_one_address_more_than_mac_learning_allows(lab, vnetd):
    seg, port = segment(lab, "learn")  # its own and three more
    got = seg.exchange("p", {mac: udp(mac, B, mac) for mac in (STRANGER, SECOND, THIRD, FOURTH)})
    assert (got[STRANGER], got[SECOND], got[THIRD]) == ({"b": 1},) * 3
    assert got[FOURTH] == {} and ports.drops(vnetd, port)["full"] >= 1
    # They get their frames, and no others.
    assert seg.goes("b", udp(B, STRANGER, "nested")) == {"p": 1}
    assert seg.goes("b", udp(B, C, "to c")) == {"c": 1}
    assert seg.goes("b", udp(B, FOURTH, "nobody")) == {}
    # A neighbour cannot take one of them over.
    ports.setting(vnetd, "c", "mac-policy", "sticky")
    assert seg.goes("c", udp(STRANGER, B, "stolen")) == {}


# --- who may be what -------------------------------------------------------------------------------


def test_the_first_address_of_a_sticky_port_is_its_address_from_then_on(lab, vnetd):
    seg = ports.Segment(lab)
    seg.guest("b", B)
    events = ports.Events(lab)
    seg.guest("p", P, how="adopt")
    ports.wait(vnetd, "veth-p", policy="sticky", mac=P)
    proc.wait_until("pinning is told", lambda: events("port-pinned", "veth-p"))
    assert seg.goes("p", udp(STRANGER, B, "other")) == {}
    # The guest gets a new card: with `unpin` the next address is its address.
    assert vnetd.ctl("port", "veth-p", "unpin").rc == 0
    assert seg.goes("p", udp(STRANGER, B, "new card"), fence=STRANGER) == {"b": 1}
    ports.wait(vnetd, "veth-p", mac=STRANGER)
    assert seg.goes("p", udp(P, B, "old card"), fence=STRANGER) == {}
    assert seg.goes("b", udp(B, STRANGER, "to the new card")) == {"p": 1}
    assert seg.goes("b", udp(B, P, "to the old card")) == {}


def test_a_sticky_port_cannot_begin_with_the_address_of_another(lab, vnetd):
    seg = ports.Segment(lab)
    seg.guest("b", B)
    for n, taken in enumerate((B, seg.mac("host"))):
        mine = f"52:54:00:77:00:0{n}"
        tap = frames.Tap(lab.host, f"vnet{n}", mine)
        lab.host.run("ip", "link", "set", tap.ifname, "master", "vmnet8")
        seg.ends[tap.ifname] = tap
        proc.wait_until("it is adopted", lambda: ports.row(vnetd, tap.ifname))
        tap.send(udp(taken, BROADCAST, "first"))
        proc.wait_until("it is dropped", lambda: ports.drops(vnetd, tap.ifname).get("taken"))
        assert ports.row(vnetd, tap.ifname)["mac"] is None
        assert seg.goes(tap.ifname, udp(mine, B, "honest"), fence=mine) == {"b": 1}
        assert seg.goes("host", udp(seg.mac("host"), B, "to b")) == {"b": 1}


def test_a_port_with_the_address_of_another_waits_for_it_and_passes_nothing(lab, vnetd):
    seg = ports.Segment(lab)
    seg.guest("b", B)
    seg.guest("c", C)
    vnetd.write("vnetd.conf", f"[port vnet0]\nmac = {B}\n")
    vnetd.ctl("reload")
    tap = frames.Tap(lab.host, "vnet0", P)
    lab.host.run("ip", "link", "set", "vnet0", "master", "vmnet8")
    trouble = lambda: (ports.row(vnetd, "vnet0") or {}).get("trouble")
    proc.wait_until("its trouble is told", trouble)
    assert trouble() == (f"it has no gate: vnet0: address {B} belongs to vmnet8p1 in this network already. Give each "
                         "guest an address of its own; until then nothing that it sends passes")
    assert f"vnet0 on vmnet8 has no gate: vnet0: address {B}" in vnetd.log_text()
    # Neither as itself nor as anybody else, whatever it sends.
    bad = 0x88B7
    heard = [frames.Counter(seg.guests["c"], "eth0", bad), frames.Counter(lab.host, "vmnet8", bad)]

    def shout():
        for source in (B, P, STRANGER):
            for target in (C, seg.mac("host"), BROADCAST):
                tap.send(ether(source, target, bad))

    shout()
    assert seg.goes("b", udp(B, C, "from its owner")) == {"c": 1}
    assert seg.goes("c", udp(C, B, "to its owner")) == {"b": 1}
    vnetd.kill_and_await("engine")
    shout()
    proc.wait_until("the next engine says the same", trouble)
    shout()
    seg.ends.pop("b")
    vnetd.ctl("detach", "b")
    seg.ends["vnet0"] = tap
    proc.wait_until("the address is its own", lambda: not trouble())
    assert seg.goes("vnet0", udp(B, C, "at last"), fence=B) == {"c": 1}
    assert [counter.count() for counter in heard] == [0, 0]
    seg.ends.pop("vnet0")
    lab.host.run("ip", "link", "set", "vnet0", "nomaster")
    proc.wait_until("it is let go", lambda: not ports.row(vnetd, "vnet0"))
    assert lab.host.run("tc", "filter", "show", "dev", "vnet0", "ingress").out == ""


def test_a_libvirt_tap_works_with_its_guests_own_address(lab, vnetd):
    seg = ports.Segment(lab)
    seg.guest("b", B)
    tap = frames.Tap(lab.host, "vnet0", P)  # the tap itself is fe:54:...
    lab.host.run("ip", "link", "set", "vnet0", "master", "vmnet8")
    seg.ends["vnet0"] = tap
    row = proc.wait_until("it is adopted", lambda: ports.row(vnetd, "vnet0"))
    assert (row["policy"], row["kind"], row["mac"]) == ("sticky", "adopted", None)
    assert frames.answers(tap, vnetd.address(8, 1), "10.181.8.70"), "the first frame was lost"
    ports.wait(vnetd, "vnet0", mac=P)
    got = seg.exchange("vnet0", {"own": udp(P, B, "own"), "forged": udp(STRANGER, B, "forged"),
                                 "as the tap": udp(f"fe{P[2:]}", B, "as the tap")})
    assert got == {"own": {"b": 1}, "forged": {}, "as the tap": {}}
    assert seg.goes("b", udp(B, P, "to it")) == {"vnet0": 1}
    # Nothing of it but its bridge port is ours.
    link = lab.host.links()["vnet0"]
    assert link["address"] == f"fe{P[2:]}" and "ifalias" not in link
    lab.host.run("ip", "link", "set", "vnet0", "nomaster")
    proc.wait_until("it is let go", lambda: not ports.row(vnetd, "vnet0"))
    assert lab.host.run("tc", "filter", "show", "dev", "vnet0", "ingress").out == ""


def test_many_addresses_behind_an_adopted_nic_work_without_guards(lab, vnetd):
    # A tunnel to another machine, as somebody puts it onto a bridge: kind vxlan, not tap or veth.
    seg = ports.Segment(lab)
    seg.guest("b", B)
    options = "type vxlan id 5 dstport 4789"
    lab.outside.sh(f"ip link add far0 {options} remote 198.51.100.1 dev eth0; ip link set far0 up")
    lab.host.sh(
        f"""
        ip link add near0 {options} remote 198.51.100.2 dev up0
        ip link set near0 master vmnet8 up
        """
    )
    seg.ends["far"] = frames.Wire(lab.outside, "far0")
    row = proc.wait_until("it is adopted", lambda: ports.row(vnetd, "near0"))
    assert row["policy"] == "any"
    seg.speak("far")
    many = [f"52:54:00:aa:00:{n:02x}" for n in range(40)]
    got = seg.exchange("far", {mac: udp(mac, B, mac) for mac in many})
    assert all(where == {"b": 1} for where in got.values()), got
    got = seg.exchange("b", {mac: udp(B, mac, mac) for mac in many})
    assert all(where == {"far": 1} for where in got.values()), got
    # Whoever is not known here is looked for there, and what is not ours to guard passes.
    assert seg.goes("b", udp(B, STRANGER, "unknown")) == {"far": 1}
    me = seg.mac("far")
    got = seg.exchange("far", {"offer": frames.dhcp_offer(me), "ra": frames.router_advertisement(me)})
    assert got == {"offer": {"b": 1, "host": 1}, "ra": {"b": 1, "host": 1}}
    # Even so a neighbour's frames do not go astray, whatever comes from there.
    seg.exchange("far", {"as b": udp(B, BROADCAST, "as b")})
    assert seg.goes("host", udp(seg.mac("host"), B, "to b")) == {"b": 1}


def test_a_router_vm_serves_a_network_without_our_dhcp(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", f"VERSION=1,0\n{NETWORK_5}".replace("ADAPTER yes", "ADAPTER no"))
    vnetd.start()
    seg = ports.Segment(lab, "vmnet5")
    router, client = seg.guest("router", A), seg.guest("client", B)
    router.run("ip", "addr", "add", "10.181.5.1/24", "dev", "eth0")
    row = ports.row(vnetd, "router")
    assert (row["policy"], row["dhcp_server"], row["ra"]) == ("given", "allow", "allow")
    client.run("sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=2")
    with dhcp_server(seg.ends["router"], "10.181.5.66"):
        assert client.dhcp("udhcpc").ip == "10.181.5.66"
    assert client.ping("10.181.5.1")

    def configured():
        seg.ends["router"].send(frames.router_advertisement(A, prefix="fd00:5::"))
        out = client.run("ip", "-6", "addr", "show", "dev", "eth0").out
        return "fd00:5::" in out

    proc.wait_until("the client has an address of the router's prefix", configured)
    # On a network of ours both are dropped: that is the matrix.


@contextlib.contextmanager
def dhcp_server(end, yours):
    """Answers DHCP on this end meanwhile: whoever asks gets that one address."""
    import threading

    s, stop = frames.scapy(), threading.Event()

    def serve():
        while not stop.wait(0.02):
            for frame in end.drain():
                asked = s.Ether(frame)
                if s.BOOTP in asked and asked[s.BOOTP].op == 1:
                    end.send(_dhcp_answer(s, end.mac, asked, yours))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)


def _dhcp_answer(s, mac, asked, yours):
    options = dict(o[:2] for o in asked[s.DHCP].options if isinstance(o, tuple))
    server = yours.rsplit(".", 1)[0] + ".1"
    kind = {1: "offer", 3: "ack"}[options["message-type"]]
    message = s.BOOTP(op=2, xid=asked[s.BOOTP].xid, yiaddr=yours, chaddr=asked[s.BOOTP].chaddr)
    told = [("message-type", kind), ("server_id", server), ("lease_time", 600)]
    told += [("subnet_mask", "255.255.255.0"), ("router", server), "end"]
    packet = s.IP(src=server, dst="255.255.255.255") / s.UDP(sport=67, dport=68)
    return bytes(s.Ether(src=mac, dst=BROADCAST) / packet / message / s.DHCP(options=told))


# --- changes while frames flow ---------------------------------------------------------------------


@pytest.fixture
def pair(lab, vnetd):
    """vmnet8 with guests b and p."""
    seg = ports.Segment(lab)
    seg.guest("b", B)
    seg.guest("p", P)
    return seg


def test_address_policy_and_forgery_change_live(pair, vnetd):
    def goes(src):
        own = ports.row(vnetd, "p")["mac"] or P
        return seg.goes("p", udp(src, B, f"from {src}"), fence=own) == {"b": 1}

    seg = pair
    assert goes(P) and not goes(STRANGER)
    ports.setting(vnetd, "p", "mac", STRANGER)
    ports.wait(vnetd, "p", policy="given", mac=STRANGER)
    assert goes(STRANGER) and not goes(P)
    assert seg.goes("b", udp(B, STRANGER, "to the new one")) == {"p": 1}
    assert seg.goes("b", udp(B, P, "to the old one")) == {}
    ports.setting(vnetd, "p", "mac-policy", "any")
    assert goes(P) and goes(STRANGER) and goes(SECOND)
    ports.setting(vnetd, "p", "mac-policy", "given")
    assert goes(STRANGER) and not goes(SECOND)
    ports.setting(vnetd, "p", "forged-transmits", "allow")
    assert goes(STRANGER) and goes(SECOND)
    ports.setting(vnetd, "p", "forged-transmits", "deny")
    assert goes(STRANGER) and not goes(SECOND)
    ports.setting(vnetd, "p", "mac-policy", "default")
    ports.setting(vnetd, "p", "mac", "default")
    ports.wait(vnetd, "p", policy="given", mac=P)
    assert goes(P) and not goes(STRANGER)


def test_address_of_a_neighbour_is_refused(pair, vnetd):
    res = ports.setting(vnetd, "p", "mac", B, check=False)
    row = ports.row(vnetd, "p")
    # Refused at once, or the port says what is wrong; the neighbour keeps it either way.
    assert res.rc != 0 or B in (row["trouble"] or ""), (res, row)
    assert pair.goes("host", udp(pair.mac("host"), B, "to b")) == {"b": 1}
    assert pair.goes("b", udp(B, pair.mac("host"), "from b")) == {"host": 1}


def test_guards_change_live(pair, vnetd):
    offer, advert = frames.dhcp_offer(P), frames.router_advertisement(P)
    both = {"b": 1, "host": 1}
    assert pair.exchange("p", {"offer": offer, "ra": advert}) == {"offer": {}, "ra": {}}
    ports.setting(vnetd, "p", "dhcp-server", "allow")
    assert pair.exchange("p", {"offer": offer, "ra": advert}) == {"offer": both, "ra": {}}
    ports.setting(vnetd, "p", "ra", "allow")
    assert pair.exchange("p", {"offer": offer, "ra": advert}) == {"offer": both, "ra": both}
    ports.setting(vnetd, "p", "dhcp-server", "deny")
    ports.setting(vnetd, "p", "ra", "default")
    assert pair.exchange("p", {"offer": offer, "ra": advert}) == {"offer": {}, "ra": {}}


def test_a_guarded_guest_speaks_for_its_own_lease_only(pair, vnetd):
    ports.setting(vnetd, "p", "ip-guard", "yes")
    guest, s = pair.guests["p"], frames.scapy()
    address = guest.dhcp("udhcpc").ip
    ports.wait(vnetd, "p", ip_guard=True, ip_guard_address=address)
    assert guest.ping(vnetd.address(8, 1)), "its own address is guarded against it"
    near = "fe80::5054:ff:fe00:d"
    sent = {
        "own": udp(P, B, "own", ip_src=address),
        "other": udp(P, B, "other", ip_src="10.181.8.99"),
        "other in a VLAN": tagged(udp(P, B, "other", ip_src="10.181.8.99"), (0x8100, 5)),
        "DHCP": frames.dhcp_discover(P),
        "own ARP": frames.arp(P, BROADCAST, 1, address, "10.181.8.1"),
        "ARP probe": frames.arp(P, BROADCAST, 1, "0.0.0.0", "10.181.8.99"),
        "ARP claim": frames.arp(P, BROADCAST, 2, "10.181.8.99", "10.181.8.99"),
        "ARP claim of the gateway": frames.arp(P, B, 2, "10.181.8.2", "10.181.8.80"),
        "ARP with another card": frames.arp(P, B, 2, address, "10.181.8.80", hwsrc=B),
        "IPv6 near": bytes(s.Ether(src=P, dst=B) / s.IPv6(src=near, dst="fe80::b") / s.TCP()),
        "IPv6 far": bytes(s.Ether(src=P, dst=B) / s.IPv6(src="fd00::1", dst="fe80::b") / s.TCP()),
    }
    both = {"b": 1, "host": 1}
    wanted = {"own": {"b": 1}, "DHCP": both, "own ARP": both, "ARP probe": both,
              "IPv6 near": {"b": 1}}
    assert not different(pair.exchange("p", sent), wanted)
    lost = ports.drops(vnetd, "p")
    assert lost["ip"] >= 3 and lost["arp"] == 3, lost
    # Whoever has no lease yet has no address to speak for, and asks all the same.
    ports.setting(vnetd, "b", "ip-guard", "yes")
    assert pair.goes("b", udp(B, P, "no lease", ip_src="10.181.8.77")) == {}
    assert pair.guests["b"].dhcp("udhcpc").ip


def test_broadcasts_over_the_limit_are_dropped_and_nothing_else(pair, vnetd):
    ports.setting(vnetd, "p", "broadcast-limit", "500")
    heard = frames.Counter(pair.guests["b"], "eth0")
    traffic.Flood(pair.guests["p"], "eth0", sources=[P], targets=[BROADCAST], rate=4000,
                  count=8000).wait()
    first = heard.count()
    assert 500 <= first <= 2500, f"{first} of 8000 in two seconds came"
    # The guest's kernel has multicasts of its own to send.
    assert 0 <= ports.drops(vnetd, "p")["broadcast"] - (8000 - first) <= 20
    traffic.Flood(pair.guests["p"], "eth0", sources=[P], targets=[B], rate=4000, count=4000).wait()
    assert heard.count() - first == 4000, "unicast is limited too"
    ports.setting(vnetd, "p", "broadcast-limit", "0")
    traffic.Flood(pair.guests["p"], "eth0", sources=[P], targets=[BROADCAST], rate=4000,
                  count=4000).wait()
    assert heard.count() - first == 8000


@pytest.mark.parametrize("key, sender, receiver", [("rate-out", "p", "b"), ("rate-in", "b", "p")])
def test_a_rate_is_kept_and_lifted(pair, vnetd, key, sender, receiver):
    ports.setting(vnetd, "p", key, "960k")  # 2000 frames of 60 bytes a second
    assert ports.section(vnetd, "p")[key] == "960k"
    heard = frames.Counter(pair.guests[receiver], "eth0")
    macs = {"b": B, "p": P}

    def flood():
        before = heard.count()
        traffic.Flood(pair.guests[sender], "eth0", sources=[macs[sender]],
                      targets=[macs[receiver]], rate=10000, count=20000).wait()
        return heard.count() - before

    came = flood()
    assert 3000 <= came <= 8000, f"{came} of 20000 in two seconds came"
    # The guests' kernels have frames of their own to send.
    assert 0 <= ports.drops(vnetd, "p")[key] - (20000 - came) <= 20
    ports.setting(vnetd, "p", key, "none")
    assert flood() == 20000


def test_the_virtual_cable(pair, vnetd):
    guest = pair.guests["p"]
    pair.address("b", 80)
    pair.address("p", 70)
    assert guest.ping("10.181.8.80")
    events = ports.Events(pair.lab)
    ports.setting(vnetd, "p", "link", "down")
    ports.wait(vnetd, "p", link=False, up=False)
    assert "LOWER_UP" not in guest.links()["eth0"]["flags"], "the guest sees no missing carrier"
    assert not guest.ping("10.181.8.80", wait=1)
    ports.setting(vnetd, "p", "link", "up")
    ports.wait(vnetd, "p", link=True, up=True)
    proc.wait_until("it works again", lambda: guest.ping("10.181.8.80"))
    assert pair.goes("p", udp(STRANGER, B, "forged")) == {}, "unplugging it opened the gate"
    assert events()


def test_what_was_dropped_is_told_by_port_and_reason(pair, vnetd):
    events = ports.Events(pair.lab)
    for n in range(5):
        pair.goes("p", udp(STRANGER, B, f"forged {n}"))
    pair.goes("p", frames.dhcp_offer(P))
    assert ports.drops(vnetd, "p") == {"forged": 5, "dhcp": 1}
    assert ports.drops(vnetd, "b") == {}
    [first, *_] = proc.wait_until("it is told", lambda: events("port-dropped", "p"))
    assert "forged" in first["text"] and STRANGER in first["text"], first
    assert len(events("port-dropped", "p")) <= 2, "each frame is an event"
    text = vnetd.ctl("port", "p").out
    assert re.search(r"forged +5\b|5 +forged|5 forged", text), text


KEYS = {
    "mac": SECOND,
    "mac-policy": "sticky",
    "promiscuous": "deny",
    "forged-transmits": "allow",
    "mac-learning": "7",
    "dhcp-server": "allow",
    "ra": "allow",
    "ip-guard": "yes",
    "broadcast-limit": "77",
    "dhcp-leases-per-port": "9",
    "dhcp-rate-per-port": "unlimited",
    "rate-in": "5M",
    "rate-out": "1500k",
    "mirror-of": "b",
    "link": "down",
}
PASSING = ("address", "guest", "ifname", "dropped", "drops", "learned", "ip_guard_address")


def lasting(row):
    """What a new start and a new attachment must bring back."""
    return {key: value for key, value in row.items() if key not in PASSING}


def test_every_setting_lasts(pair, vnetd):
    """In vnetd.conf, over a new engine, a restart, and when the guest is attached again."""
    vnetd.write("vnetd.conf", "# mine\n[vmnet8]\n# about p\n[port p]\nbroadcast-limit = 5\n")
    vnetd.ctl("reload")
    plain = lasting(ports.row(vnetd, "b"))
    for key, value in KEYS.items():
        ports.setting(vnetd, "p", key, value)
    assert ports.section(vnetd, "p") == KEYS
    assert vnetd.read("vnetd.conf").startswith("# mine\n[vmnet8]\n# about p\n[port p]\n")
    row = lasting(ports.wait(vnetd, "p", link=False, policy="sticky"))
    assert (row["broadcast_limit"], row["mirror_of"]) == (77, "b")
    assert (row["forged_transmits"], row["mac_learning"]) == ("allow", 0), "nobody has granted it"
    vnetd.kill_and_await("engine")
    assert lasting(ports.wait(vnetd, "p", link=False, policy="sticky")) == row
    vnetd.restart()
    assert lasting(ports.wait(vnetd, "p", link=False, policy="sticky")) == row
    vnetd.ctl("detach", "p")
    guest = pair.guests["p"]
    proc.wait_until("it is gone", lambda: "eth0" not in guest.links())
    vnetd.ctl("attach", "vmnet8", "--netns", guest.name, "--name", "p", "--mac", P)
    assert lasting(ports.wait(vnetd, "p", link=False, policy="sticky")) == row
    # And all of them back.
    for key in KEYS:
        ports.setting(vnetd, "p", key, "default")
    assert ports.section(vnetd, "p") == {}
    row = lasting(ports.wait(vnetd, "p", link=True, policy="given", mac=P))
    same = set(row) - {"name", "mac", "netns", "up"}
    assert {key: row[key] for key in same} == {key: plain[key] for key in same}


@pytest.mark.parametrize("key, value", [
    ("mac", "01:00:5e:00:00:01"),
    ("mac-policy", "learn"),
    ("promiscuous", "maybe"),
    ("mac-learning", "4097"),
    ("broadcast-limit", "-1"),
    ("rate-in", "5 apples"),
    ("link", "sideways"),
    ("mirror-of", "p"),
    ("colour", "blue"),
])
def test_a_wrong_setting_is_refused_and_written_nowhere(pair, vnetd, key, value):
    res = ports.setting(vnetd, "p", key, value, check=False)
    assert res.rc in (1, 2) and (value in res.err or key in res.err), res
    assert not (vnetd.config / "vnetd.conf").exists() or ports.section(vnetd, "p") == {}
    assert vnetd.ctl("check").rc == 0


def test_settings_of_a_network_are_for_all_its_ports(pair, vnetd):
    vnetd.ctl("set", "vmnet8", "broadcast-limit", "300")
    vnetd.ctl("set", "vmnet8", "forged-transmits", "allow")
    ports.setting(vnetd, "b", "forged-transmits", "deny")
    for name in ("b", "p"):
        forged = "allow" if name == "p" else "deny"
        ports.wait(vnetd, name, broadcast_limit=300, forged_transmits=forged)
    assert pair.goes("p", udp(STRANGER, B, "forged")) == {"b": 1}
    assert pair.goes("b", udp(STRANGER, P, "forged")) == {}


def test_members_change_no_port(pair, vnetd, member):
    for argv in (["set", "link", "down"], ["unpin"]):
        res = vnetd.ctl("port", "p", *argv, user=member, check=False)
        assert res.rc == 1 and "root" in res.err, res
    assert vnetd.ctl("port", "p", user=member).rc == 0


# --- floods ----------------------------------------------------------------------------------------


def fdb_size(host):
    return len(host.run("bridge", "fdb", "show", "br", "vmnet8").out.splitlines())


@pytest.mark.parametrize("policy", ["given", "sticky", "learn", "promiscuous"])
def test_a_million_addresses_from_one_port_disturb_nobody(lab, vnetd, policy, folder):
    seg, _ = segment(lab, policy)
    seg.address("b", 80)
    seg.address("c", 90)
    pings = traffic.Pings(seg.guests["b"], "10.181.8.90", folder)
    flood = traffic.Flood(seg.guests["p"], "eth0", sources=["random"], targets=[B, "random"],
                          count=1_000_000)
    sent, rate = flood.wait(100)
    pings.stop()
    print(f"{sent} frames at {rate} a second: {pings}")
    assert pings.lost == 0, f"{pings}\n{pings.text}"
    assert fdb_size(lab.host) < 40
    assert seg.goes("b", udp(B, C, "still to c")).get("c") == 1
