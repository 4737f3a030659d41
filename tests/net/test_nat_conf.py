# SPDX-License-Identifier: GPL-2.0-or-later
"""How guests go out: nat.conf in full, and the keys of vnetd.conf about a NAT network's way out."""

import contextlib
import ipaddress
import re
import socket

import pytest

from tests.kit import built, daemon, lab as lab_module, ns, proc, programs
from tests.net.nat_kit import ADAPTER, GATEWAY, echo, echoes, flows, table, talks, try_tcp, udp_talks, wait_for_table

OUT = lab_module.SERVER_ADDRESS
NEAR = lab_module.OUTSIDE_ADDRESS
HOST = lab_module.HOST_ADDRESS
OTHER = "192.0.2.2"  # of a second uplink's far end
SECOND = "answer VNET_2_HOSTONLY_NETMASK 255.255.255.0\nanswer VNET_2_HOSTONLY_SUBNET 10.181.2.0\n" \
         "answer VNET_2_NAT yes\nanswer VNET_2_VIRTUAL_ADAPTER yes\n"


def start(lab, *, nat="", local="", networking=daemon.NETWORKING, **kw):
    """Starts vnetd with these sections of vmnet8's nat.conf and lines of vnetd.conf's [vmnet8]."""
    lab.vnetd.write("networking", networking)
    lab.vnetd.write("vmnet8/nat/nat.conf", nat)
    lab.vnetd.write("vnetd.conf", f"[vmnet8]\n{local}" if local else "")
    lab.vnetd.start(**kw)
    wait_for_table(lab.host, "vmnet8")


def guest_on(lab, n=8, last=10, **kw):
    g = lab.guest(f"vmnet{n}", **kw)
    g.run("ip", "addr", "add", f"10.181.{n}.{last}/24", "dev", "eth0")
    g.run("ip", "route", "add", "default", "via", f"10.181.{n}.2")
    return g


def second_uplink(lab):
    """up1, whose far end is OTHER and has an echo server."""
    far = lab.netns("far")
    ns.veth(lab.host, "up1", far, "eth0")
    lab.host.run("ip", "addr", "add", "192.0.2.1/24", "dev", "up1")
    far.run("ip", "addr", "add", f"{OTHER}/24", "dev", "eth0")
    far.run("ip", "addr", "add", f"{OUT}/32", "dev", "lo")
    return far


def warnings(lab):
    return " ".join(w["text"] for w in lab.vnetd.json("status")["warnings"])


# --- the way out -----------------------------------------------------------------------------------


def test_guests_go_out_with_the_address_and_ports_given(lab):
    lab.host.run("ip", "addr", "add", "198.51.100.77/24", "dev", "up0")
    start(lab, local="snat-address = 198.51.100.77\nsnat-ports = 20000-20009\n", networking=daemon.NETWORKING + SECOND)
    guest, other = guest_on(lab), guest_on(lab, 2)
    assert talks(guest, OUT, 7) and udp_talks(guest, NEAR, 7) and guest.ping(OUT)
    for _, address, port in lab.outside.echo.peers:
        assert address == "198.51.100.77" and 20000 <= port <= 20009
    assert talks(other, OUT, 7)
    assert lab.outside.echo.peers[-1][1] == HOST


def test_ports_alone_may_be_given(lab):
    start(lab, local="snat-ports = 20000-20009\n")
    guest = guest_on(lab)
    assert talks(guest, OUT, 7) and udp_talks(guest, NEAR, 7) and guest.ping(OUT)
    for _, address, port in lab.outside.echo.peers:
        assert address == HOST and 20000 <= port <= 20009


def test_an_address_that_the_host_lacks_is_told(lab):
    start(lab, local="snat-address = 198.51.100.77\n")
    proc.wait_until("status tells", lambda: "198.51.100.77" in warnings(lab))
    lab.host.run("ip", "addr", "add", "198.51.100.77/24", "dev", "up0")
    proc.wait_until("all is well", lambda: "198.51.100.77" not in warnings(lab))


def test_guests_leave_by_one_interface_only(lab):
    """A VPN that must be taken, or nothing; the other networks go where routes lead."""
    far = second_uplink(lab)
    start(lab, local="egress = up1\n", networking=daemon.NETWORKING + SECOND)
    guest, other = guest_on(lab), guest_on(lab, 2)
    with echo(far) as server:
        proc.wait_until("status says why", lambda: "guests may leave by up1 only" in warnings(lab))
        for address in (OUT, NEAR):
            why = try_tcp(guest, address, 7)
            assert isinstance(why, OSError) and not isinstance(why, TimeoutError), why
        assert not guest.ping(OUT, wait=1) and not udp_talks(guest, NEAR, 7, timeout=0.5)
        assert lab.outside.echo.peers == []
        assert talks(guest, OTHER, 7) and talks(other, OUT, 7) and talks(guest, ADAPTER, 7) is False
        assert guest.ping(GATEWAY) and guest.ping(ADAPTER)
        # The VPN gets its route: what routes send there passes.
        lab.host.run("ip", "route", "add", f"{OUT}/32", "via", OTHER)
        proc.wait_until("status is content", lambda: "up1" not in warnings(lab))
        live = try_tcp(guest, OUT, 7)
        assert echoes(live) and server.peers[-1][1] == "192.0.2.1"
        # And when that route goes, not even what goes on may leave elsewhere.
        seen = len(lab.outside.echo.peers)
        lab.host.run("ip", "route", "del", f"{OUT}/32")
        live.settimeout(1)
        assert not echoes(live)
        assert isinstance(try_tcp(guest, OUT, 7), OSError)
        assert [p for p in lab.outside.echo.peers[seen:] if p[1] != HOST] == []
        live.close()
        lab.host.run("ip", "link", "del", "up1")
        proc.wait_until("status names the interface", lambda: "there is no such interface" in warnings(lab))


@pytest.mark.parametrize("how", ["its own table", "a part of the world"])
def test_the_way_out_may_be_as_wireguard_makes_it(lab, how):
    """A default route in a table that a policy rule leads to, or one without a gateway."""
    far = second_uplink(lab)
    start(lab, local="egress = up1\n")
    guest = guest_on(lab)
    with echo(far) as server:
        proc.wait_until("status says why", lambda: "no route but that of its own subnet" in warnings(lab))
        if how == "its own table":
            lab.host.run("ip", "route", "add", "default", "via", OTHER, "dev", "up1", "table", "51820")
        else:
            lab.host.run("ip", "route", "add", f"{OUT}/32", "dev", "up1")
        proc.wait_until("status is content", lambda: "up1" not in warnings(lab))
        if how == "its own table":
            lab.host.run("ip", "rule", "add", "to", OUT, "table", "51820")
        assert talks(guest, OUT, 7)
        assert server.peers[-1][1] == "192.0.2.1"
        if how == "its own table":
            lab.host.run("ip", "route", "flush", "table", "51820")
        else:
            lab.host.run("ip", "route", "del", f"{OUT}/32")
        proc.wait_until("status says why", lambda: "no route but that of its own subnet" in warnings(lab))


def test_the_way_out_may_be_one_of_several(lab):
    """A host with two lines spreads its connections over both: a multipath route."""
    second_uplink(lab)
    start(lab, local="egress = up1\n")
    proc.wait_until("status says why", lambda: "no route but that of its own subnet" in warnings(lab))
    ways = ("nexthop", "via", NEAR, "dev", "up0", "nexthop", "via", OTHER, "dev", "up1")
    lab.host.run("ip", "route", "replace", "default", *ways)
    proc.wait_until("status is content", lambda: "up1" not in warnings(lab))
    lab.host.run("ip", "route", "replace", "default", "via", NEAR, "dev", "up0")
    proc.wait_until("status says why", lambda: "no route but that of its own subnet" in warnings(lab))


def test_a_fixed_address_leaves_by_one_interface_only_too(lab):
    """Such a connection is not masqueraded: the kernel itself would let it go on by another uplink."""
    far = second_uplink(lab)
    lab.host.run("ip", "route", "add", f"{OUT}/32", "via", OTHER)
    start(lab, local="egress = up1\nsnat-address = 192.0.2.1\n")
    guest = guest_on(lab)
    with echo(far), lab.outside.enter():
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
    tap.bind(("eth0", 0x0800))
    tap.settimeout(1)
    with echo(far), contextlib.closing(tap):
        live = try_tcp(guest, OUT, 7)
        assert echoes(live)
        lab.host.run("ip", "route", "del", f"{OUT}/32")
        live.settimeout(1)
        assert not echoes(live)
        with contextlib.suppress(TimeoutError):
            while packet := tap.recv(2000):
                assert packet[12:16] != socket.inet_aton("192.0.2.1"), packet
        live.close()


# --- FTP -------------------------------------------------------------------------------------------

PASSIVE = [["--ftp-pasv"], ["--disable-epsv"]]
ACTIVE = [["--ftp-port", "-"], ["--ftp-port", "-", "--disable-eprt"]]


def ftp(where, url, *how):
    argv = ["curl", "-sS", "--max-time", "6", *how, url]
    return where.run(*argv, check=False, timeout=20).out


@pytest.fixture
def outside_ftp(lab):
    programs.vsftpd(lab.outside, lab.tmp / "ftp", OUT)
    return f"ftp://{OUT}/hello"


@pytest.mark.parametrize("how", PASSIVE + ACTIVE, ids=" ".join)
def test_ftp_passes_in_both_modes(lab, outside_ftp, how):
    start(lab)
    assert ftp(guest_on(lab), outside_ftp, *how) == "hello\n"


def test_without_active_ftp_only_passive_mode_passes(lab, outside_ftp):
    start(lab, nat="[host]\nactiveFTP = 0\n", networking=daemon.NETWORKING + SECOND)
    guest, other = guest_on(lab), guest_on(lab, 2)
    for how in PASSIVE:
        assert ftp(guest, outside_ftp, *how) == "hello\n"
    for how in ACTIVE:
        assert ftp(guest, outside_ftp, *how) == ""
    # It is this network's own matter, and the host's is none at all.
    assert ftp(other, outside_ftp, *ACTIVE[0]) == "hello\n"


def test_a_guests_ftp_server_is_reached_by_a_forward(lab):
    start(lab, nat="[incomingtcp]\n8887 = 10.181.8.10:21\n")
    wait_for_table(lab.host, "tcp . 8887 ")
    programs.vsftpd(guest_on(lab), lab.tmp / "ftp", "10.181.8.10")
    for how in PASSIVE + ACTIVE:
        assert ftp(lab.outside, f"ftp://{HOST}:8887/hello", *how) == "hello\n", how
    # A forward that comes and goes later counts as well.
    lab.vnetd.ctl("forward", "add", "vmnet8", "tcp", "2121", "10.181.8.10", "21")
    proc.wait_until("it is there", lambda: "2121" in table(lab.host).split("set ftp_ports")[1].split("}")[0])
    assert ftp(lab.outside, f"ftp://{HOST}:2121/hello", *PASSIVE[1]) == "hello\n"
    lab.vnetd.ctl("forward", "remove", "vmnet8", "tcp", "2121")
    proc.wait_until("it is gone", lambda: "2121" not in table(lab.host))


def test_ftp_forwards_of_two_addresses_share_a_port(lab):
    start(lab)
    wait_for_table(lab.host, "map forwards")
    programs.vsftpd(guest_on(lab), lab.tmp / "ftp", "10.181.8.10")
    followed = lambda: "2121" in table(lab.host).split("set ftp_ports")[1].split("}")[0]
    first, second = f"{HOST}:2121", "10.181.8.1:2121"
    for port in first, second:
        lab.vnetd.ctl("forward", "add", "vmnet8", "tcp", port, "10.181.8.10", "21")
    assert followed() and ftp(lab.outside, f"ftp://{first}/hello", *PASSIVE[1]) == "hello\n"
    lab.vnetd.ctl("forward", "remove", "vmnet8", "tcp", second)
    assert followed() and ftp(lab.outside, f"ftp://{first}/hello", *ACTIVE[0]) == "hello\n"
    lab.vnetd.ctl("forward", "remove", "vmnet8", "tcp", first)
    proc.wait_until("it is gone", lambda: not followed())


def test_a_kernel_that_cannot_follow_ftp_is_told_of(lab, outside_ftp):
    start(lab, env={"LD_PRELOAD": str(built.program("tests/net/libno-ftp.so"))})
    guest = guest_on(lab)
    assert ftp(guest, outside_ftp, *PASSIVE[0]) == "hello\n"
    assert ftp(guest, outside_ftp, *ACTIVE[0]) == ""
    proc.wait_until("status tells", lambda: "this kernel cannot follow FTP" in warnings(lab))
    assert lab.vnetd.json("networks")["networks"][-1]["state"] in ("up", "ok", "running")


# --- established connections -----------------------------------------------------------------------


def test_a_kernel_without_flowtables_does_without_and_says_so_once(lab):
    """With one: tests/vm/test_flowtable.py."""
    start(lab, env={"LD_PRELOAD": str(built.program("tests/net/libno-flowtable.so"))})
    guest = guest_on(lab)
    told = lambda: lab.vnetd.log_text().count("this kernel has no flowtables")
    proc.wait_until("the log tells", lambda: told() == 1)
    assert "flow" not in table(lab.host)
    assert talks(guest, OUT, 7) and udp_talks(guest, NEAR, 7)
    lab.vnetd.write("vnetd.conf", "[vmnet8]\nsnat-ports = 20000-20009\n")
    lab.vnetd.ctl("reload")
    wait_for_table(lab.host, "20000-20009")
    assert talks(guest, OUT, 7)
    assert told() == 1 and warnings(lab) == ""


# --- times -----------------------------------------------------------------------------------------


def test_closed_connections_are_remembered_for_this_networks_own_time(lab):
    start(lab, nat="[tcp]\ntimeWaitTimeout = 7\n", networking=daemon.NETWORKING + SECOND)
    short, other = guest_on(lab), guest_on(lab, 2)
    assert talks(short, OUT, 7) and talks(other, OUT, 7) and talks(lab.host, OUT, 7)
    for where in (short, other):  # the echo server closes once we have
        where.run("true")

    def left():
        rows = [line.split() for line in flows(lab.host, "-p", "tcp", "--dport", "7")]
        return {re.search(r"src=(\S+)", " ".join(r))[1]: int(r[2]) for r in rows if r[3] == "TIME_WAIT"}

    proc.wait_until("all are closed", lambda: len(left()) == 3)
    seconds = left()
    assert seconds["10.181.8.10"] <= 7
    assert 7 < seconds["10.181.2.10"] <= 30
    assert seconds[HOST] > 30


def test_connections_by_a_forward_have_their_networks_times(lab):
    """Whoever begins them: a machine outside, the host, a guest of another network."""
    timed = "[tcp]\ntimeWaitTimeout = 7\n[udp]\ntimeout = 9\n"
    incoming = "[incomingtcp]\n{0}87 = {1}:7\n[incomingudp]\n{0}87 = {1}:7\n"
    lab.vnetd.write("vmnet2/nat/nat.conf", incoming.format(82, "10.181.2.10"))
    start(lab, nat=timed + incoming.format(88, "10.181.8.10"), networking=daemon.NETWORKING + SECOND)
    wait_for_table(lab.host, "udp . 8887 ")
    wait_for_table(lab.host, "udp . 8287 ")
    short, other = guest_on(lab), guest_on(lab, 2)

    def left(proto, state, port):
        """Seconds by who began."""
        rows = [line.split() for line in flows(lab.host, "-p", proto, "--orig-port-dst", str(port))]
        return {re.search(r"src=(\S+)", " ".join(r))[1]: int(r[2]) for r in rows if state in r}

    with echo(short), echo(other):
        begin = {NEAR: (lab.outside, HOST), "127.0.0.1": (lab.host, "127.0.0.1"), "10.181.2.10": (other, HOST)}
        for where, address in begin.values():
            assert talks(where, address, 8887) and udp_talks(where, address, 8887)
        assert talks(lab.outside, HOST, 8287) and udp_talks(lab.outside, HOST, 8287)
        proc.wait_until("all are closed", lambda: set(left("tcp", "TIME_WAIT", 8887)) == set(begin))
        assert max(left("tcp", "TIME_WAIT", 8887).values()) <= 7
        udp_left = left("udp", "udp", 8887)
        assert set(udp_left) == set(begin) and max(udp_left.values()) <= 9
        # Another network has its own, and what nat.conf does not name is the host's.
        proc.wait_until("it is closed", lambda: left("tcp", "TIME_WAIT", 8287))
        assert 7 < left("tcp", "TIME_WAIT", 8287)[NEAR] <= 30
        assert 9 < left("udp", "udp", 8287)[NEAR] <= 30
    # What the host begins without a forward is nobody's.
    with echo(short, 9):
        assert udp_talks(lab.host, "10.181.8.10", 9)
        assert max(left("udp", "udp", 9).values()) > 9


# --- nat.conf [host] -------------------------------------------------------------------------------


def test_connections_of_a_lost_uplink_are_reset(lab):
    start(lab)
    guest = guest_on(lab)
    live = try_tcp(guest, OUT, 7)
    assert echoes(live)
    lab.host.run("ip", "link", "set", "up0", "down")
    proc.wait_until("it is forgotten", lambda: not flows(lab.host, "-p", "tcp", "--dport", "7"))
    lab.host.run("ip", "link", "set", "up0", "up")
    lab.host.run("ip", "route", "replace", "default", "via", NEAR)
    with pytest.raises(ConnectionResetError):
        live.sendall(b"x")
        live.recv(1)
    live.close()
    assert talks(guest, OUT, 7)


def test_the_gateway_leads_to_the_host_when_told_so(lab):
    start(lab, nat="[host]\nresetConnectionOnDestLocalHost = 0\n", networking=daemon.NETWORKING + SECOND)
    with echo(lab.host, 5555):
        assert talks(guest_on(lab), GATEWAY, 5555)
        assert isinstance(try_tcp(guest_on(lab, 2), "10.181.2.2", 5555), ConnectionRefusedError)


def test_other_mac_addresses_than_vmwares_are_refused_when_told_so(lab):
    start(lab, nat="[host]\nallowAnyOUI = 0\n", networking=daemon.NETWORKING + SECOND)
    for last, mac in enumerate(("00:50:56:12:34:56", "00:0c:29:ff:ff:ff", "00:05:69:00:00:00"), 10):
        assert talks(guest_on(lab, last=last, mac=mac), OUT, 7), mac
    stranger = guest_on(lab, last=20, mac="52:54:00:12:34:56")
    why = try_tcp(stranger, OUT, 7)
    assert isinstance(why, OSError) and not isinstance(why, TimeoutError)
    assert not stranger.ping(OUT, wait=1)
    # It is a guest for all that: its network, the host and the gateway are there.
    assert stranger.ping("10.181.8.10") and stranger.ping(ADAPTER) and stranger.ping(GATEWAY)
    assert talks(guest_on(lab, 2, mac="52:54:00:12:34:57"), OUT, 7)


def test_what_needs_a_low_source_port_gets_one(lab):
    start(lab, nat="[privilegedTCP]\nport = 7\n[privilegedUDP]\nport = 7\n")
    guest = guest_on(lab)
    assert talks(guest, OUT, 7) and udp_talks(guest, NEAR, 7)
    for _, _, port in lab.outside.echo.peers:
        assert port < 1024
    assert guest.ping(OUT)


def test_check_says_what_becomes_of_each_key(lab):
    start(lab, nat="[host]\nuseMacosVmnetVirtApi = 1\nconfigport = 33445\n[netbios]\nnbnsTimeout = 2\n")
    text = lab.vnetd.ctl("check", "-v").out
    for place in ("2:1: \"useMacosVmnetVirtApi\"", "3:1: \"configport\"", "5:1: \"nbnsTimeout\""):
        assert f"vmnet8/nat/nat.conf:{place}" in text, text
    assert "configport" not in lab.vnetd.ctl("check").out


# --- IPv6 ------------------------------------------------------------------------------------------


INSIDE = """
from scapy.all import *
me, host = get_if_hwaddr("eth0"), "00:50:56:c0:00:08"
every = lambda n: Ether(src=me, dst="33:33:00:00:00:%02x" % n)
sendp([every(2) / IPv6(src="fe80::99", dst="ff02::2") / ICMPv6ND_RS(),
       every(1) / IPv6(src="fe80::99", dst="ff02::1") / ICMPv6ND_RA() /
           ICMPv6NDOptPrefixInfo(prefix="fd00:99::", prefixlen=64),
       every(1) / IPv6(src="fe80::99", dst="ff02::1") / ICMPv6ND_NS(tgt="fd00:9::2"),
       Ether(src=me, dst=host) / IPv6(src="fe80::99", dst="fe80::1") / ICMPv6ND_NS(tgt="fd00:9::2"),
       Ether(src=me, dst=host) / IPv6(src="fd00:99::9", dst="fd00:9::2") / UDP(dport=9) / "from a guest"],
      iface="eth0", verbose=False)
"""
OUTSIDE = """
from scapy.all import *
sendp([Ether(dst="33:33:00:00:00:01") / IPv6(src="fe80::98", dst="ff02::1") / ICMPv6ND_RA(),
       Ether(dst="33:33:00:00:00:01") / IPv6(src="fe80::98", dst="ff02::1") / ICMPv6ND_NS(tgt="fd00:8::2")],
      iface="eth0", verbose=False)
"""
ROUTER, NEIGHBOUR = 134, 136


def ipv6_frames(where):
    """A socket that gets what comes by eth0."""
    with where.enter():
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x86DD))
    sock.bind(("eth0", 0x86DD))
    return sock


def heard(sock, seconds=1.5):
    """[(Ethernet source, IPv6 source, type if it is ICMPv6, frame)] of what came until it was quiet."""
    rows = []
    sock.settimeout(seconds)
    with contextlib.suppress(TimeoutError), contextlib.closing(sock):
        while True:
            f, where = sock.recvfrom(2000)
            if where[2] != socket.PACKET_OUTGOING:
                kind = f[54] if f[20] == socket.IPPROTO_ICMPV6 else None
                rows.append((f[6:12].hex(":"), str(ipaddress.ip_address(f[22:38])), kind, f))
    return rows


def test_ipv6_of_guests_stays_in_their_network(lab):
    """A guest that is a router, asks for routers and for what is outside: nothing gets out or in, nobody answers."""
    lab.host.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
    for where, link, last in ((lab.host, "up0", 1), (lab.outside, "eth0", 2)):
        where.run("ip", "addr", "add", f"fd00:9::{last}/64", "dev", link, "nodad")
    start(lab, nat="[host]\nnatIp6Enable = 1\n")
    assert "2:16: IPv6 is not served yet" in lab.vnetd.ctl("check").out
    assert "IPv6 is not served yet" in warnings(lab)
    guest, other = guest_on(lab), guest_on(lab, last=11)
    out, inside, beside = ipv6_frames(lab.outside), ipv6_frames(guest), ipv6_frames(other)
    guest.run("/usr/bin/python3", "-c", INSIDE)
    lab.outside.run("/usr/bin/python3", "-c", OUTSIDE)
    seen, answers, neighbours = heard(out), heard(inside), heard(beside)
    assert not [row for row in seen if row[1] in ("fe80::99", "fd00:99::9") or b"from a guest" in row[3]]
    assert not [row for row in answers + neighbours if row[1] in ("fe80::98", "fd00:9::2")]
    # Its own network has it all but what the guard of routers stops; the host says what it has to say of itself alone.
    assert [row for row in neighbours if row[1] == "fe80::99"]
    of_host = [row for row in answers + neighbours if row[0] == "00:50:56:c0:00:08"]
    assert not [row for row in of_host if row[2] == ROUTER]
    outer = ipaddress.ip_address("fd00:9::2").packed
    assert not [row for row in of_host if row[2] == NEIGHBOUR and row[3][62:78] == outer]
    for command in (("addr", "show"), ("route", "show", "table", "all")):
        assert "fd00:99" not in lab.host.run("ip", "-6", *command).out
