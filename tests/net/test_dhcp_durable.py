# SPDX-License-Identifier: GPL-2.0-or-later
"""vnet-dhcpd on a slow disk, and with a wall clock that is set: no ACK before the disk has the lease, and a lease file
that says when its leases end and that others can read while leases come quickly. What a power cut leaves is
tests/sim/dhcpd's business."""

import contextlib
import mmap
import socket
import struct
import time

import pytest

from tests.kit import built, daemon, ports, proc, strict
from tests.net.test_dhcp import last_block, rows

DISCOVER, OFFER, REQUEST, ACK = 1, 2, 3, 5
SLOW_MS = 200
CLIENTS = 8
HOUR = 3600


class Faults:
    """What dhcp_faults.c reads and counts."""

    def __init__(self, path):
        path.write_bytes(bytes(24))
        path.chmod(0o666)
        with open(path, "r+b") as file:
            self._at = mmap.mmap(file.fileno(), 24)
        self.env = {
            "LD_PRELOAD": str(built.program("tests/net/libdhcp-faults.so")),
            "VNET_DHCP_FAULTS": str(path),
        }

    def slow_disk(self, ms):
        struct.pack_into("=q", self._at, 0, ms)

    def set_clock(self, seconds):
        """The kernel says to everybody that the clock was set, which it was: to what it says already."""
        struct.pack_into("=q", self._at, 8, seconds)
        time.clock_settime(time.CLOCK_REALTIME, time.time())

    @property
    def syncs(self):
        return struct.unpack_from("=Q", self._at, 16)[0]


@pytest.fixture
def faults(lab):
    """vnetd is started with them."""
    made = Faults(lab.tmp / "faults")
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.write("vnetd.conf", "[port many]\nmac-policy = any\n")
    lab.vnetd.start(env=made.env)
    return made


class Many:
    """Clients behind one port, each with an Ethernet address of its own."""

    def __init__(self, guest):
        with guest.enter():
            self._sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
            self._sock.bind(("eth0", 0))
        self._sock.settimeout(20)

    def close(self):
        self._sock.close()

    def ask(self, i, kind, *options):
        mac = bytes([2, 0, 0, 0, 7, i])
        dhcp = bytes([53, 1, kind]) + b"".join(bytes([code, len(data)]) + data for code, data in options) + b"\xff"
        bootp = struct.pack(">BBBBIHH16x6s10x192x", 1, 1, 6, 0, i, 0, 0x8000, mac) + b"\x63\x82\x53\x63" + dhcp
        udp = struct.pack(">HHHH", 68, 67, 8 + len(bootp), 0) + bootp
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, bytes(4), b"\xff" * 4)
        total = sum(struct.unpack(">10H", head))
        total = (total & 0xffff) + (total >> 16)
        head = head[:10] + struct.pack(">H", ~total & 0xffff) + head[12:]
        self._sock.send(b"\xff" * 6 + mac + b"\x08\x00" + head + udp)
        return time.monotonic()

    def answer(self, kind):
        """The next reply of this kind: (client, address, when it came)."""
        while True:
            frame = self._sock.recv(2000)
            if len(frame) > 285 and frame[34:38] == b"\x00\x43\x00\x44" and frame[282:285] == bytes([53, 1, kind]):
                return struct.unpack(">I", frame[46:50])[0], frame[58:62], time.monotonic()


@pytest.fixture
def many(lab, faults):
    guest = lab.guest("vmnet8", name="many")
    ports.wait(lab.vnetd, "many", policy="any")
    guest.run("ip", "link", "set", "eth0", "up")
    with contextlib.closing(Many(guest)) as made:
        yield made


def offers(many):
    """{client: address} after each of them has asked for one."""
    for i in range(CLIENTS):
        many.ask(i, DISCOVER)
    found = dict(many.answer(OFFER)[:2] for _ in range(CLIENTS))
    assert len(set(found.values())) == len(found) == CLIENTS
    return found


def test_slow_disk_delays_every_ack_and_no_offer(lab, faults, many):
    faults.slow_disk(SLOW_MS)
    before = faults.syncs
    offered = offers(many)
    assert faults.syncs == before
    server = (54, socket.inet_aton(lab.vnetd.address(8, 254)))
    asked = {i: many.ask(i, REQUEST, (50, address), server) for i, address in offered.items()}
    granted = [many.answer(ACK) for _ in range(CLIENTS)]
    assert {(i, address) for i, address, _ in granted} == set(offered.items())
    for i, _, when in granted:
        assert when - asked[i] >= SLOW_MS / 1000
    # They share a sync: those that asked during the first one have the second.
    assert before < faults.syncs < before + CLIENTS / 2
    assert len(rows(lab.vnetd, state="active")) == CLIENTS


def test_busy_lease_file_is_read_by_others(lab, many):
    """It has room at its end, which is newlines, as long as leases come quickly; a kill -9 leaves them."""
    vnetd = lab.vnetd
    server = (54, socket.inet_aton(vnetd.address(8, 254)))
    offered = offers(many)

    def lease_file_with_room():
        for i, address in offered.items():
            many.ask(i, REQUEST, (50, address), server)
            assert many.answer(ACK)[:2] == (i, address)
        text = vnetd.lease_file(8)
        return text.endswith("\n" * 1000) and text

    text = proc.wait_until("the file has room", lease_file_with_room)
    strict.form(text)
    now = int(time.time())
    for i, address in offered.items():
        mac, ip = f"02:00:00:00:07:{i:02x}", socket.inet_ntoa(address)
        assert strict.packer_address(text, mac, now) == {ip}
        assert strict.vagrant(text, now)[mac] == ip
        assert strict.docker_machine(text, mac) == strict.awk(text, mac) == ip
    vnetd.kill_and_await("vnet-dhcpd")
    assert vnetd.lease_file(8).endswith("\n}\n")
    assert len(rows(vnetd, state="active")) == CLIENTS
    # And without anybody's doing, after a while.
    proc.wait_until("the file has room again", lease_file_with_room)
    proc.wait_until("the room is gone", lambda: vnetd.lease_file(8).endswith("\n}\n"))
    assert len(rows(vnetd, state="active")) == CLIENTS
    assert "not a lease" not in vnetd.log_text()


def test_clock_that_is_set_reaches_the_lease_file_at_once(lab, faults):
    """Nobody asks for anything meanwhile; the lease goes on as long as it was granted for."""
    lease = lab.guest("vmnet8").dhcp("udhcpc")
    first = last_block(lab.vnetd, lease.ip)["ends"]
    for hours in (2, -3):
        faults.set_clock(hours * HOUR)
        moved = first + hours * HOUR
        proc.wait_until("the file has the new time", lambda: abs(last_block(lab.vnetd, lease.ip)["ends"] - moved) <= 1)
        lab.vnetd.kill_and_await("vnet-dhcpd")
        (row,) = rows(lab.vnetd, address=lease.ip)
        assert row["state"] == "active"
        assert abs(last_block(lab.vnetd, lease.ip)["ends"] - moved) <= 1
