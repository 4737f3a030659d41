# SPDX-License-Identifier: GPL-2.0-or-later
"""Raw frames: packet sockets and taps that send and receive them, and the frames themselves.

    a, b = frames.Wire(guest, "eth0"), frames.Wire(host, "vmnet8")
    frames.exchange({"a": a, "b": b}, "a", {"own": frame, ...})   -> {"own": {"b": 1}, ...}

A `Wire` looks at what arrives on an interface, also what is for somebody else, without making it
promiscuous; a `Tap` is the place of a virtual machine.  Both have send(frame) and drain().
"""

import contextlib
import fcntl
import os
import select
import socket
import struct

from . import proc

ETH_P_ALL = 3
SOL_PACKET = 263
PACKET_STATISTICS, PACKET_AUXDATA, PACKET_IGNORE_OUTGOING = 6, 8, 23
SO_RCVBUFFORCE, SO_ATTACH_FILTER = 33, 26
TP_STATUS_VLAN_VALID, TP_STATUS_VLAN_TPID_VALID = 1 << 4, 1 << 6
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000

MARK = 0x88B5  # an Ethernet type that nobody uses: IEEE's "local experimental"
BROADCAST = "ff:ff:ff:ff:ff:ff"


def mac(text):
    """The six bytes of an address."""
    return bytes.fromhex(text.replace(":", ""))


def ether(src, dst, kind=MARK, payload=b""):
    """A frame; `kind` is the Ethernet type, or the length of an 802.3 frame."""
    return mac(dst) + mac(src) + struct.pack("!H", kind) + payload


class _End:
    """What can send and receive."""

    def until(self, what, timeout=10):
        """Waits for a frame for which `what(frame)` is true, and returns it."""
        kept = []

        def came():
            kept.extend(f for f in self.drain() if what(f))
            return kept

        return proc.wait_until("the frame comes", came, timeout)[0]


class Wire(_End):
    """A packet socket on `ifname` of a ns.Netns: the frames that arrive there, as on the wire.

    outgoing   those that leave there too
    """

    def __init__(self, ns, ifname, kind=ETH_P_ALL, outgoing=False):
        with ns.enter():
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
            self._sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            self._sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, int(not outgoing))
            self._sock.bind((ifname, kind))
            self.mac = self._sock.getsockname()[4].hex(":")
        self._sock.setblocking(False)
        ns.keep(self)

    def fileno(self):
        return self._sock.fileno()

    def send(self, frame):
        self._sock.send(frame)

    def drain(self):
        """What has come since the last time."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                frame, extra, _, _ = self._sock.recvmsg(65536, 256)
                found.append(_tagged(frame, extra))
        return found

    def close(self):
        self._sock.close()


def _tagged(frame, extra):
    """The frame with the VLAN tag that the kernel keeps beside it."""
    for level, kind, data in extra:
        if level == SOL_PACKET and kind == PACKET_AUXDATA:
            status, _, _, _, _, tci, tpid = struct.unpack("IIIHHHH", data[:20])
            if status & TP_STATUS_VLAN_VALID:
                tpid = tpid if status & TP_STATUS_VLAN_TPID_VALID else 0x8100
                return frame[:12] + struct.pack("!HH", tpid, tci) + frame[12:]
    return frame


class Counter:
    """Counts frames of one Ethernet type that arrive on an interface; none is ever read."""

    def __init__(self, ns, ifname, kind=MARK):
        with ns.enter():
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
            self._sock.bind((ifname, kind))
        self._seen = 0
        ns.keep(self)

    def count(self):
        """So many so far; those for which there was no room are counted too."""
        seen, _ = struct.unpack("II", self._sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self._seen += seen
        return self._seen

    def close(self):
        self._sock.close()


class Tap(_End):
    """A tap that somebody else than vnetd makes in a ns.Netns, as libvirt does, and its holder.

    mac      the guest's address; address: the tap's own, which libvirt makes of it: fe:...
    """

    def __init__(self, ns, ifname, mac, address=None):
        self.mac, self.ifname = mac, ifname
        with ns.enter():
            self._fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            request = struct.pack("16sH22x", ifname.encode(), IFF_TAP | IFF_NO_PI)
            fcntl.ioctl(self._fd, TUNSETIFF, request)
        ns.keep(self)
        ns.run("ip", "link", "set", ifname, "address", address or f"fe{mac[2:]}")
        ns.run("ip", "link", "set", ifname, "up")

    def fileno(self):
        return self._fd

    def send(self, frame):
        os.write(self._fd, frame)

    def drain(self):
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                found.append(os.read(self._fd, 65536))
        return found

    def close(self):
        if self._fd >= 0:
            os.close(self._fd)
        self._fd = -1


@contextlib.contextmanager
def one_cpu():
    """The calling thread stays on one processor meanwhile, so that its frames stay in order."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


_fences = iter(range(1 << 32))


def exchange(ends, sender, sent, fence=None, fenced=None):
    """Sends frames from one end; which of the other ends got each of them, and how often.

    ends     {name: Wire or Tap}
    sent     {kind: frame}, all different
    fence    source address of the last frame, a broadcast behind which nothing can come any more;
             default: the sender's own
    fenced   names of the ends that it reaches; default: all but the sender
    """
    for end in ends.values():
        end.drain()
    last = ether(fence or ends[sender].mac, BROADCAST, MARK, b"fence %d" % next(_fences))
    with one_cpu():
        for frame in sent.values():
            ends[sender].send(frame)
        ends[sender].send(last)
    heard = {name: [] for name in ends}
    names = set(ends) - {sender} if fenced is None else set(fenced)

    def over():
        for name, end in ends.items():
            heard[name] += end.drain()
        return all(last in heard[name] for name in names)

    try:
        proc.wait_until("the last frame has come everywhere", over, 5)
    except AssertionError as why:
        late = sorted(name for name in names if last not in heard[name])
        raise AssertionError(f"{why}: not to {', '.join(late)}") from None
    doubled = {name: heard[name].count(last) for name in names if heard[name].count(last) != 1}
    assert not doubled, f"the broadcast came more than once: {doubled}"
    return {
        kind: {name: n for name in ends if (n := heard[name].count(frame))}
        for kind, frame in sent.items()
    }


# --- what guests send ----------------------------------------------------------------------------


def scapy():
    """The layers of scapy that the frames are made of; loaded when they are needed."""
    import scapy.layers.dhcp
    import scapy.layers.dhcp6
    import scapy.layers.dns  # noqa: F401 - IPv6's layers want it
    import scapy.layers.inet
    import scapy.layers.inet6
    import scapy.layers.l2
    import scapy.packet

    found = type("Layers", (), {})
    for module in (
        scapy.packet,
        scapy.layers.l2,
        scapy.layers.inet,
        scapy.layers.inet6,
        scapy.layers.dhcp,
        scapy.layers.dhcp6,
    ):
        for name in dir(module):
            setattr(found, name, getattr(module, name))
    return found


def udp(src, dst, text, ip_src="10.181.8.70", ip_dst="10.181.8.80", sport=4000, dport=4000):
    s = scapy()
    packet = s.IP(src=ip_src, dst=ip_dst) / s.UDP(sport=sport, dport=dport) / s.Raw(text.encode())
    return bytes(s.Ether(src=src, dst=dst) / packet)


def arp(src, dst, op, sender, target, hwsrc=None):
    s = scapy()
    packet = s.ARP(op=op, hwsrc=hwsrc or src, psrc=sender, pdst=target)
    return bytes(s.Ether(src=src, dst=dst) / packet)


def dhcp_offer(src, dst=BROADCAST, dport=68, op=2, yours="10.181.8.66"):
    s = scapy()
    message = s.BOOTP(op=op, yiaddr=yours, siaddr="10.181.8.7", chaddr=mac(dst) + bytes(10))
    options = [("message-type", "offer"), ("server_id", "10.181.8.7"), "end"]
    packet = s.IP(src="10.181.8.7", dst="255.255.255.255") / s.UDP(sport=67, dport=dport)
    return bytes(s.Ether(src=src, dst=dst) / packet / message / s.DHCP(options=options))


def dhcp_discover(src):
    s = scapy()
    message = s.BOOTP(op=1, chaddr=mac(src) + bytes(10))
    packet = s.IP(src="0.0.0.0", dst="255.255.255.255") / s.UDP(sport=68, dport=67)
    ask = s.DHCP(options=[("message-type", "discover"), "end"])
    return bytes(s.Ether(src=src, dst=BROADCAST) / packet / message / ask)


def dhcp6_reply(src):
    s = scapy()
    packet = s.IPv6(src="fe80::7", dst="fe80::8") / s.UDP(sport=547, dport=546)
    return bytes(s.Ether(src=src, dst=BROADCAST) / packet / s.DHCP6_Advertise(trid=5))


def router_advertisement(src, prefix="fd00:66::", before=None):
    """before: extension headers in front of it."""
    s = scapy()
    packet = s.IPv6(src="fe80::7", dst="ff02::1", hlim=255)
    packet = packet / before if before is not None else packet
    packet = packet / s.ICMPv6ND_RA(routerlifetime=600)
    packet = packet / s.ICMPv6NDOptSrcLLAddr(lladdr=src)
    packet = packet / s.ICMPv6NDOptPrefixInfo(prefix=prefix, prefixlen=64)
    return bytes(s.Ether(src=src, dst="33:33:00:00:00:01") / packet)


def redirect6(src):
    s = scapy()
    packet = s.IPv6(src="fe80::7", dst="fe80::8", hlim=255)
    packet = packet / s.ICMPv6ND_Redirect(tgt="fe80::9", dst="fd00:66::9")
    return bytes(s.Ether(src=src, dst=BROADCAST) / packet)


def tagged(frame, *tags):
    """The frame behind VLAN tags (tpid, vid), the outermost first."""
    return frame[:12] + b"".join(struct.pack("!HH", *tag) for tag in tags) + frame[12:]


def bpdu(src, dst="01:80:c2:00:00:00"):
    """A configuration BPDU: 802.3 with LLC 42 42 03."""
    body = bytes.fromhex("424203 0000 00 00 00".replace(" ", "")) + bytes(8) + bytes(4) + bytes(8)
    body += bytes.fromhex("8001 0000 1400 0200 0f00".replace(" ", ""))
    return ether(src, dst, len(body), body + bytes(60 - 14 - len(body)))


def answers(end, address, source, timeout=5):
    """Whether `address` answers an ARP request that is sent from this end."""
    ask = arp(end.mac, BROADCAST, 1, source, address)
    end.drain()
    end.send(ask)
    ready = select.select([end], [], [], timeout)[0]
    is_reply = lambda f: f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2"
    try:
        return bool(ready) and end.until(is_reply, timeout) is not None
    except AssertionError:
        return False

