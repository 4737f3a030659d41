# SPDX-License-Identifier: GPL-2.0-or-later
"""Malformed messages by the hundred thousand through a real port, bridge and socket, into the server as it runs
under vnetd, in its sandbox, but built with the sanitizers: it goes on, and says nothing but what it counts."""

import random
import shutil
import socket
import struct

import pytest

from tests.kit import built, daemon, frames, lab as labs, ports, proc

FRAMES = 200_000
AT_ONCE = 400  # what a socket's queue holds while the server is busy
EVIL, SERVER, POOL = "02:ee:00:00:00:01", "10.181.8.254", "10.181.8.150"
COOKIE = b"\x63\x82\x53\x63"
FIXED = 236  # bytes before the cookie


@pytest.fixture
def guarded(machine, stage, folder):
    """A lab whose vnet-dhcpd has the sanitizers."""
    mine = folder / "stage"
    shutil.copytree(stage, mine, symlinks=True)
    shutil.copy(built.program("tests/net/vnet-dhcpd-asan"), mine / "usr/libexec/vnet/vnet-dhcpd")
    made = labs.Lab(folder, mine)
    made.vnetd.write("networking", daemon.NETWORKING)
    made.vnetd.write("vnetd.conf", "[port evil]\nmac-policy = any\nbroadcast-limit = 0\n"
                                   "dhcp-rate-per-port = unlimited\n")
    made.vnetd.start()
    yield made
    made.close()


def option(code, value):
    return bytes([code, len(value)]) + value


def well_formed(rng):
    """A message as a client sends it, to be broken: (fixed header, list of options)."""
    mac = frames.mac(EVIL)[:5] + bytes([rng.randrange(16)])
    fixed = struct.pack(">BBBBIHH16x6s10x192x", 1, 1, 6, 0, rng.getrandbits(32), 0, 0x8000, mac)
    options = [
        option(53, bytes([rng.choice((1, 3, 4, 7, 8))])),
        option(50, socket.inet_aton(POOL)),
        option(61, bytes([1]) + mac),
        option(12, b"web1"),
        option(55, bytes([1, 3, 6, 15, 121])),
        option(57, struct.pack(">H", 576)),
    ]
    if rng.random() < 0.3:
        options.append(option(54, socket.inet_aton(SERVER)))
    return bytearray(fixed), options


def length_lies(rng, fixed, options):
    """An option that claims more, or less, than there is."""
    n = rng.randrange(len(options))
    one = bytearray(options[n])
    one[1] = rng.choice((0, 1, len(one) + rng.randrange(200), 255))
    options[n] = bytes(one)
    return bytes(fixed) + COOKIE + b"".join(options) + (b"\xff" if rng.random() < 0.5 else b"")


def overload(rng, fixed, options):
    """Options in the fields for file and server name, where they are not what they say."""
    options.insert(rng.randrange(len(options)), option(52, bytes([rng.randrange(5)])))
    for start, end in ((44, 108), (108, FIXED)):
        fixed[start:end] = rng.randbytes(end - start)
    return bytes(fixed) + COOKIE + b"".join(options) + b"\xff"


def cut_off(rng, fixed, options):
    whole = bytes(fixed) + COOKIE + b"".join(options) + b"\xff"
    return whole[:rng.randrange(len(whole))]


def flipped(rng, fixed, options):
    whole = bytearray(bytes(fixed) + COOKIE + b"".join(options) + b"\xff")
    for _ in range(rng.randrange(1, 12)):
        whole[rng.randrange(len(whole))] = rng.getrandbits(8)
    return bytes(whole)


def noise(rng, fixed, _):
    """Nothing but the header is as it should be; up to the longest that a frame holds."""
    return bytes(fixed) + COOKIE + rng.randbytes(rng.randrange(1100))


def many_pieces(rng, fixed, _):
    """One option in more instances than anybody joins (RFC 3396), empty ones among them."""
    code = rng.choice((12, 50, 53, 55, 61, 82))
    pieces = [option(code, rng.randbytes(rng.choice((0, 1, 2)))) for _ in range(rng.randrange(250))]
    return bytes(fixed) + COOKIE + option(53, b"\1") + b"".join(pieces) + b"\xff"


WAYS = (length_lies, overload, cut_off, flipped, noise, many_pieces)


def checksum(header):
    total = sum(struct.unpack(f">{len(header) // 2}H", header))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def enveloped(rng, message):
    """In UDP, IP and Ethernet; sometimes these lie too, in what still reaches the server's socket."""
    lie = rng.random() < 0.1
    udp_len = rng.randrange(65536) if lie else 8 + len(message)
    words = 5 + (rng.randrange(11) if rng.random() < 0.05 else 0)
    total = rng.randrange(65536) if rng.random() < 0.05 else 4 * words + 8 + len(message)
    ip = struct.pack(">BBHHHBBH4s4s", 0x40 | words, 0, total, 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
    ip += rng.randbytes(4 * words - 20)
    ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    udp = struct.pack(">HHHH", 68, 67, udp_len, rng.getrandbits(16) if lie else 0)
    return frames.ether(EVIL, frames.BROADCAST, 0x0800, ip + udp + message)


def forged_answer(rng):
    """An ARP reply, as after a probe of ours, with anything in it."""
    arp = struct.pack(">HHBBH", 1, 0x0800, 6, 4, 2) + rng.randbytes(rng.randrange(20, 40))
    return frames.ether(EVIL, frames.BROADCAST, 0x0806, arp)


def bad_frame(rng):
    if rng.random() < 0.05:
        return forged_answer(rng)
    return enveloped(rng, rng.choice(WAYS)(rng, *well_formed(rng)))


def counted(vnetd):
    """(messages that were decoded, those refused as malformed)."""
    found = vnetd.json("leases", "vmnet8", "--stats")["networks"]
    one = next(n for n in found if n["network"] == "vmnet8")
    bad = sum(one["dropped"][why] for why in ("malformed", "frame", "hardware"))
    return sum(one["received"].values()), bad


def await_read(vnetd):
    """A socket's queue is finite: what came was counted once the server has nothing left to read."""
    proc.wait_until("the server has read all of it", lambda: counted(vnetd) == counted(vnetd))


def test_malformed_messages_by_the_hundred_thousand(guarded):
    vnetd, rng = guarded.vnetd, random.Random(2131)
    vnetd.host.run("grep", "-q", "__asan_init", "/usr/libexec/vnet/vnet-dhcpd")
    evil = guarded.guest("vmnet8", name="evil", mac=EVIL)
    ports.wait(vnetd, "evil", dhcp_rate_per_port=None)
    good = guarded.guest("vmnet8", name="good")
    lease = good.dhcp("udhcpc")
    before = vnetd.pid_of("vnet-dhcpd")
    wire = frames.Wire(evil, "eth0")
    for n in range(FRAMES):
        wire.send(bad_frame(rng))
        if n % AT_ONCE == 0:
            await_read(vnetd)
            wire.drain()
    await_read(vnetd)
    read, bad = counted(vnetd)
    assert bad > FRAMES / 4 and read + bad > FRAMES * 0.8, (read, bad)
    assert vnetd.pid_of("vnet-dhcpd") == before
    log = vnetd.log_text()
    assert "ERROR" not in log and "runtime error" not in log and "ended unexpectedly" not in log
    # Who has an address keeps it, and somebody new gets one.
    assert good.dhcp("udhcpc").ip == lease.ip
    assert guarded.guest("vmnet8").dhcp("udhcpc").ip.startswith("10.181.8.")
