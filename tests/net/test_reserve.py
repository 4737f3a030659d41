# SPDX-License-Identifier: GPL-2.0-or-later
"""Reservations made and removed while guests run, static-arp, watched leases, events of DHCP."""

import json
import os
import pty
import re
import subprocess

import pytest

from tests.kit import proc

GUEST, OTHER = "00:0c:29:bb:00:01", "00:0c:29:bb:00:02"

# Renewals are soon, also those of udhcpc, which goes by half the time; a busy machine loses no lease.
FAST = """default-lease-time 60;
max-lease-time 60;
option dhcp-renewal-time 3;
option dhcp-rebinding-time 30;
"""


def change_conf(vnetd, pattern, text):
    """Replaces what a pattern finds in vmnet8's dhcpd.conf, and reloads."""
    path = "vmnet8/dhcpd/dhcpd.conf"
    new, n = re.subn(pattern, text, vnetd.read(path))
    assert n
    vnetd.write(path, new)
    vnetd.ctl("reload")


def set_fast(vnetd):
    change_conf(vnetd, r"\s*(default|max)-lease-time.*", "")
    change_conf(vnetd, r"(subnet [^{]*\{\n)", lambda m: m.group(1) + FAST)


def rows(vnetd, **want):
    found = vnetd.json("leases", "vmnet8")["leases"]
    return [r for r in found if all(r[key] == value for key, value in want.items())]


def neighbour(lab, address):
    """The host's entry for an address on vmnet8: (MAC, permanent), or None."""
    found = lab.host.ip("-4", "neigh", "show", "to", address, "dev", "vmnet8")
    if not found or "lladdr" not in found[0]:
        return None
    return found[0]["lladdr"], "PERMANENT" in found[0]["state"]


class Watch:
    """A running `vnetctl VERB...` that prints JSON lines; `.seen()` is what it has printed."""

    def __init__(self, vnetd, *argv):
        self.log = vnetd.run.parent / f"watch-{len(os.listdir(vnetd.run.parent))}.log"
        vnetd.host.popen("vnetctl", *vnetd.dirs, *argv, log=self.log)

    def seen(self):
        return [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]

    def wait(self, what, **want):
        def there():
            return [e for e in self.seen() if all(e.get(k) == v for k, v in want.items())]

        return proc.wait_until(what, there)


@pytest.mark.parametrize("kind", ["udhcpc", "dhclient"])
def test_reservation_moves_its_guest_at_the_next_renewal(lab, vnetd, kind):
    set_fast(vnetd)
    guest, other = lab.guest("vmnet8", mac=GUEST), lab.guest("vmnet8", mac=OTHER)
    old = guest.dhcp(kind, keep=True).ip
    stays = other.dhcp(kind).ip
    want = vnetd.address(8, 50)
    said = vnetd.ctl("reserve", "vmnet8", GUEST, want, "--name", "db")
    assert said.out == (f"{want} on vmnet8 is reserved for {GUEST} (db); it has {old} now and "
                        "moves when it renews its lease\n")
    assert said.err == ""
    assert rows(vnetd, address=want)[0]["state"] == "reserved"
    before = rows(vnetd, address=stays)
    proc.wait_until("the guest moves", lambda: guest.leases()[-1].ip == want, 90)
    (row,) = rows(vnetd, address=want)
    assert (row["mac"], row["state"]) == (GUEST, "active")
    # Its own client may have renewed meanwhile.
    timeless = [{**r, "starts": None, "ends": None} for r in before]
    assert [{**r, "starts": None, "ends": None} for r in rows(vnetd, address=stays)] == timeless
    assert rows(vnetd, mac=GUEST, state="active") == [row]


def test_reservation_outlives_a_restart_and_goes_without_one(lab, vnetd):
    first, second = vnetd.address(8, 60), vnetd.address(8, 61)
    vnetd.ctl("reserve", "vmnet8", GUEST, first)
    vnetd.ctl("reserve", "vmnet8", OTHER, second, "--name", "web")
    assert f"add_dhcp_mac_to_ip 8 {GUEST} {first}" in vnetd.read("networking")
    assert "host web {" in vnetd.read("vmnet8/dhcpd/dhcpd.conf")
    vnetd.restart()
    assert vnetd.ctl("check").rc == 0
    assert [r["address"] for r in rows(vnetd, state="reserved")] == [first, second]
    assert lab.guest("vmnet8", mac=OTHER).dhcp().ip == second
    vnetd.ctl("unreserve", "vmnet8", GUEST)
    assert rows(vnetd, state="reserved") == []
    assert "add_dhcp_mac_to_ip" not in vnetd.read("networking")
    refused = vnetd.ctl("unreserve", "vmnet8", GUEST, check=False)
    assert refused.rc == 1 and f"vmnet8 has no reservation for {GUEST}" in refused.err


def test_who_has_the_address_is_named_and_moves_first(lab, vnetd):
    set_fast(vnetd)
    guest, other = lab.guest("vmnet8", mac=GUEST), lab.guest("vmnet8", mac=OTHER)
    want = other.dhcp("dhclient", keep=True, hostname="web").ip
    guest.dhcp("dhclient", keep=True)
    said = vnetd.ctl("reserve", "vmnet8", GUEST, want)
    assert f"{want} is leased to {OTHER} (web): that guest gets another address" in said.err
    proc.wait_until("the reserved guest has it", lambda: guest.leases()[-1].ip == want, 90)
    assert other.leases()[-1].ip != want
    (row,) = rows(vnetd, address=want)
    assert row["mac"] == GUEST


def test_what_cannot_be_reserved_is_said_with_the_owner(lab, vnetd, member):
    for mac, last, said in (
        (GUEST, 254, "the DHCP server's address in vmnet8; choose another"),
        (GUEST, 2, "the NAT gateway's address in vmnet8"),
        (GUEST, 1, "the host's own address in vmnet8"),
        ("01:00:5e:00:00:01", 50, "no address of a network card, but a group's"),
    ):
        refused = vnetd.ctl("reserve", "vmnet8", mac, vnetd.address(8, last), check=False)
        assert refused.rc == 1 and said in refused.err
    outside = vnetd.ctl("reserve", "vmnet8", GUEST, "192.0.2.5", check=False)
    assert outside.rc == 1 and "192.0.2.5 is not inside vmnet8" in outside.err
    # Members of group vnet look; they do not change.
    refused = vnetd.ctl("reserve", "vmnet8", GUEST, vnetd.address(8, 50), user=member, check=False)
    assert refused.rc == 1 and "change = yes" in refused.err
    assert rows(vnetd, state="reserved") == []


def test_static_arp_reaches_a_guest_that_answers_no_arp(lab, vnetd):
    guest = lab.guest("vmnet8", mac=GUEST)
    want = guest.static(vnetd.subnet(8), 50)
    # As a guest that is halted, but for the echo by which the test sees that it is reached.
    guest.run("sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=8")
    ping = ["ping", "-c1", "-W2", want]
    assert lab.host.run(*ping, check=False).rc != 0
    vnetd.ctl("reserve", "vmnet8", GUEST, want, "--static-arp")
    assert neighbour(lab, want) == (GUEST, True)
    lab.host.run(*ping)
    # Somebody flushes; vnetd dies; the bridge goes down, which makes the kernel forget.
    lab.host.run("ip", "neigh", "flush", "dev", "vmnet8", "nud", "permanent")
    proc.wait_until("the entry is back", lambda: neighbour(lab, want) == (GUEST, True))
    lab.host.sh("ip link set vmnet8 down")
    proc.wait_until("the entry is back", lambda: neighbour(lab, want) == (GUEST, True))
    vnetd.restart()
    assert neighbour(lab, want) == (GUEST, True)
    lab.host.run(*ping)
    # It moves with the reservation and goes with it; others' entries stay.
    there = vnetd.address(8, 51)
    lab.host.run("ip", "neigh", "add", vnetd.address(8, 99), "lladdr", OTHER, "dev", "vmnet8",
                 "nud", "permanent")
    vnetd.ctl("reserve", "vmnet8", GUEST, there, "--static-arp")
    assert neighbour(lab, there) == (GUEST, True) and neighbour(lab, want) is None
    vnetd.ctl("unreserve", "vmnet8", GUEST)
    assert neighbour(lab, there) is None
    assert neighbour(lab, vnetd.address(8, 99)) == (OTHER, True)
    assert "static-arp" not in vnetd.read("vnetd.conf")


def test_events_tell_a_leases_life_and_a_pool_that_runs_out(lab, vnetd):
    change_conf(vnetd, r"range .*;", f"range {vnetd.address(8, 130)} {vnetd.address(8, 131)};")
    watch = Watch(vnetd, "events", "--json")
    first = lab.guest("vmnet8", mac=GUEST)
    ip = first.dhcp("dhclient", keep=True).ip
    watch.wait("the offer", event="lease-offered", network="vmnet8")
    watch.wait("the lease", event="lease-leased", network="vmnet8")
    assert not [e for e in watch.seen() if e["event"] == "pool-low"]
    lab.guest("vmnet8", mac=OTHER).dhcp()
    (low,) = watch.wait("the pool is low", event="pool-low")
    assert "2 of the 2 addresses" in low["text"]
    assert lab.guest("vmnet8").no_dhcp()
    (empty,) = watch.wait("the pool is empty", event="pool-empty")
    assert "no address is free for a new guest, 2 of 2 are in use" in empty["text"]
    assert lab.guest("vmnet8").no_dhcp()
    first.run("dhclient", "-r", "-lf", "/dev/null", "-pf", "/dev/null", "eth0", check=False)
    for word in ("pool-low", "pool-empty"):
        assert len([e for e in watch.seen() if e["event"] == word]) == 1
    leased = [e for e in watch.seen() if e["event"] == "lease-leased"]
    assert f"{ip} {GUEST}" in leased[0]["text"]


def test_watched_leases_follow_reservations_and_hand_edits(lab, vnetd):
    watch = Watch(vnetd, "leases", "vmnet8", "--watch", "--json")
    proc.wait_until("it watches", lambda: watch.log.exists())
    ip = vnetd.address(8, 70)
    vnetd.ctl("reserve", "vmnet8", GUEST, ip, "--name", "db")
    watch.wait("the reservation", address=ip, state="reserved", name="db")
    by_hand = vnetd.address(8, 71)
    path = "vmnet8/dhcpd/dhcpd.conf"
    vnetd.write(path, vnetd.read(path) + f"host web {{ hardware ethernet {OTHER}; "
                f"fixed-address {by_hand}; }}\n")
    vnetd.ctl("reload")
    watch.wait("the host block", address=by_hand, state="reserved", name="web")
    lab.guest("vmnet8", mac=OTHER).dhcp()
    watch.wait("the lease", address=by_hand, state="active")


def test_a_terminal_shows_the_whole_table_again(lab, vnetd):
    main, tty = pty.openpty()
    argv = lab.host.wrap(["vnetctl", *vnetd.dirs, "leases", "vmnet8", "--watch"])
    shown = b""

    def drawn(text):
        nonlocal shown
        os.set_blocking(main, False)
        try:
            shown += os.read(main, 65536)
        except BlockingIOError:
            pass
        return text in shown.rpartition(b"\x1b[H\x1b[J")[2]

    with subprocess.Popen(argv, stdin=tty, stdout=tty, stderr=tty) as child:
        try:
            proc.wait_until("the table is there", lambda: drawn(b"ADDRESS"))
            vnetd.ctl("reserve", "vmnet8", GUEST, vnetd.address(8, 70), "--name", "db")
            vnetd.ctl("reserve", "vmnet8", OTHER, vnetd.address(8, 71), "--name", "web")
            proc.wait_until("both in one table", lambda: drawn(b"db ") and drawn(b"web "))
            assert shown.count(b"\x1b[H\x1b[J") >= 2
            assert b"ADDRESS" in shown.rpartition(b"\x1b[H\x1b[J")[2]
        finally:
            child.terminate()
    os.close(main)
    os.close(tty)
