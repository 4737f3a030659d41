# SPDX-License-Identifier: GPL-2.0-or-later
"""vnet-dhcpd with real clients: every state of RFC 2131, its lease file, and its faults."""

import datetime
import ipaddress
import os
import re
import signal
import socket
import struct
import time

import pytest

from tests.kit import client, daemon, frames, proc, strict

# A renewal after three seconds, and time enough that a busy machine does not let the lease run out.
FAST = """default-lease-time 60;
max-lease-time 60;
option dhcp-renewal-time 3;
option dhcp-rebinding-time 30;
"""


# --- reading what is there -----------------------------------------------------------------------


def blocks(vnetd, net=8):
    """The lease file's blocks in order: {"ip", "starts", "ends", "mac", "name", "abandoned"}."""
    text = vnetd.lease_file(net)
    # Whatever a test is about, other programs can read what it sees.
    strict.form(text)
    strict.packer(text)
    found = []
    for ip, body in re.findall(r"^lease (\S+) \{\n(.*?)^\}\n", text, re.M | re.S):
        times = dict(re.findall(r"^\t(starts|ends) \d (\S+ \S+);$", body, re.M))
        mac = re.search(r"^\thardware ethernet (\S+);$", body, re.M)
        name = re.search(r'^\tclient-hostname "(.*)";$', body, re.M)
        found.append({
            "ip": ip,
            "starts": utc(times["starts"]),
            "ends": utc(times["ends"]),
            "mac": mac and mac.group(1),
            "name": name and name.group(1),
            "abandoned": "\tabandoned;\n" in body,
        })
    return found


def utc(text):
    when = datetime.datetime.strptime(text, "%Y/%m/%d %H:%M:%S")
    return when.replace(tzinfo=datetime.timezone.utc).timestamp()


def now():
    return datetime.datetime.now(datetime.timezone.utc).timestamp()


def last_block(vnetd, ip, net=8):
    return [b for b in blocks(vnetd, net) if b["ip"] == ip][-1]


def rows(vnetd, **want):
    """Rows of `vnetctl leases --json` that have these values."""
    found = vnetd.json("leases")["leases"]
    return [r for r in found if all(r[key] == value for key, value in want.items())]


def dhcp_state(vnetd, net=8):
    """What `status` says of the network: (state, text)."""
    row = next(r for r in vnetd.json("networks")["networks"] if r["name"] == f"vmnet{net}")
    return row["state"], row.get("reason") or ""


def listen(guest, expression="udp port 67 or udp port 68"):
    """tcpdump on a guest's link, running; the path of what it prints."""
    log = guest.tmp / "tcpdump.log"
    argv = ["tcpdump", "-i", "eth0", "-l", "--immediate-mode", "-nn", "-e", "-vv", expression]
    guest.popen(*argv, log=log)
    proc.wait_until("tcpdump listens", lambda: log.exists() and "listening on" in log.read_text())
    return log


def signal_client(guest, kind, signo):
    for pid in guest.pids():
        if proc.comm(pid) == kind:
            proc.kill(pid, signo)


def configure(vnetd, text, net=8):
    """Adds statements to a network's dhcpd.conf, behind the generated section, and reloads."""
    path = f"vmnet{net}/dhcpd/dhcpd.conf"
    vnetd.write(path, vnetd.read(path) + text)
    vnetd.ctl("reload")


def set_times(vnetd, text=FAST, net=8):
    """The generated lease times are in the subnet's block: there they are replaced."""
    path = f"vmnet{net}/dhcpd/dhcpd.conf"
    old = vnetd.read(path)
    new = re.sub(r"^\s*(default|max)-lease-time.*\n", "", old, flags=re.M)
    new = re.sub(r"(subnet [^{]*\{\n)", lambda m: m.group(1) + text, new)
    vnetd.write(path, new)
    vnetd.ctl("reload")


# --- a lease -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", client.CLIENTS)
def test_client_gets_a_lease(lab, vnetd, kind):
    guest = lab.guest("vmnet8", mac="00:0c:29:aa:00:01")
    lease = guest.dhcp(kind, hostname="web1")
    assert lease.ip == vnetd.address(8, 128)
    assert lease.router == vnetd.address(8, 2)
    assert lease.dns == [vnetd.address(8, 2)]
    assert lease.server == vnetd.address(8, 254)
    assert lease.seconds == 1800
    assert lease.mtu is None
    block = last_block(vnetd, lease.ip)
    assert (block["mac"], block["name"]) == ("00:0c:29:aa:00:01", "web1")
    assert block["starts"] <= now() <= block["ends"]
    (row,) = rows(vnetd, address=lease.ip)
    assert (row["mac"], row["state"], row["name"]) == ("00:0c:29:aa:00:01", "active", "web1")


def test_host_only_network_has_no_router(lab, vnetd):
    guest = lab.guest("vmnet1")
    lease = guest.dhcp("udhcpc")
    assert ipaddress.ip_address(lease.ip) in ipaddress.ip_network(vnetd.subnet(1))
    assert lease.router == ""


def test_replies_carry_complete_checksums(lab, vnetd):
    """A partial checksum is dropped by clients with raw sockets behind virtio."""
    guest = lab.guest("vmnet8")
    log = listen(guest)
    lease = guest.dhcp("dhclient")
    proc.wait_until("the ACK is heard", lambda: "DHCP-Message (53), length 1: ACK" in log.read_text())
    replies = [t for t in log.read_text().split("\n\t") if f"{lease.server}.67 >" in t]
    assert len(replies) == 2
    assert all("[udp sum ok]" in t for t in replies)


def test_mtu_of_the_network_is_announced(lab):
    lab.vnetd.write("networking", daemon.NETWORKING + "answer VNET_8_MTU 1400\n")
    lab.vnetd.start()
    assert lab.guest("vmnet8").dhcp("dhclient").mtu == 1400


def test_guests_get_different_addresses(lab, vnetd):
    leases = [lab.guest("vmnet8").dhcp(kind) for kind in client.CLIENTS]
    assert len({lease.ip for lease in leases}) == 3


# --- renewing, rebinding -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ("udhcpc", "dhclient", "dhcpcd"))
def test_client_renews_by_unicast(lab, vnetd, kind):
    set_times(vnetd)
    guest = lab.guest("vmnet8")
    log = listen(guest, "udp port 67 or udp port 68 or icmp")
    lease = guest.dhcp(kind, keep=True)
    assert lease.seconds == 60
    before = last_block(vnetd, lease.ip)["ends"]
    if kind == "udhcpc":  # its shortest lease is a minute: now, please
        time.sleep(1.1)  # the file counts in seconds
        signal_client(guest, kind, signal.SIGUSR1)
    proc.wait_until("the client has renewed", lambda: len(guest.leases()) > 1, timeout=12)
    assert guest.leases()[-1].ip == lease.ip
    request, reply = f"{lease.ip}.68 > {lease.server}.67", f"{lease.server}.67 > {lease.ip}.68"
    proc.wait_until("both are heard", lambda: log.read_text().rfind(reply) > log.read_text().find(request) > 0)
    # The kernel, which has the server's address too, kept quiet.
    assert "ICMP" not in log.read_text()
    assert last_block(vnetd, lease.ip)["ends"] > before


def test_client_rebinds_when_unicast_fails(lab, vnetd):
    """At T2 it asks by broadcast; then it has not lost its address."""
    set_times(vnetd, FAST.replace("30;", "5;"))
    guest = lab.guest("vmnet8")
    log = listen(guest)
    nobody = ["lladdr", "02:00:00:00:00:99", "nud", "permanent"]
    guest.run("ip", "neigh", "replace", vnetd.address(8, 254), *nobody, "dev", "eth0")
    lease = guest.dhcp("dhclient", keep=True)
    proc.wait_until("the client has rebound", lambda: len(guest.leases()) > 1, timeout=15)
    assert guest.leases()[-1].ip == lease.ip
    broadcast = f"{lease.ip}.68 > 255.255.255.255.67"
    proc.wait_until("it asked by broadcast", lambda: broadcast in log.read_text())


# --- INIT-REBOOT ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ("dhclient", "dhcpcd"))
def test_client_reboots_into_its_address(lab, vnetd, kind):
    guest = lab.guest("vmnet8")
    first = guest.dhcp(kind)
    other = lab.guest("vmnet8").dhcp("udhcpc")
    log = listen(guest, "udp dst port 67")
    again = guest.dhcp(kind)
    assert again.ip == first.ip != other.ip
    assert guest.events()[-1]["VT_EVENT"] == "REBOOT"
    assert "DHCP-Message (53), length 1: Discover" not in log.read_text()


def test_client_from_another_network_is_refused_at_once(lab, vnetd):
    """NAK after the network was renumbered: the guest does not wait for time-outs."""
    guest = lab.guest("vmnet8")
    old = guest.dhcp("dhclient")
    text = vnetd.read("networking").replace("10.181.8.0", "10.181.9.0")
    vnetd.write("networking", text)
    vnetd.ctl("reload")
    proc.wait_until("the network is renumbered", lambda: vnetd.subnet(8) == "10.181.9.0/24")
    guest.run("ip", "addr", "flush", "dev", "eth0")
    log = listen(guest)
    new = guest.dhcp("dhclient")
    assert "DHCP-Message (53), length 1: NACK" in log.read_text()
    assert ipaddress.ip_address(new.ip) in ipaddress.ip_network("10.181.9.0/24")
    assert new.ip != old.ip


# --- RELEASE, DECLINE, INFORM --------------------------------------------------------------------


def test_release_ends_the_lease(lab, vnetd):
    guest = lab.guest("vmnet8")
    lease = guest.dhcp("dhclient")
    files = ["-lf", guest.tmp / "dhclient.leases", "-pf", guest.tmp / "dhclient.pid"]
    guest.run("dhclient", "-4", "-r", "-sf", guest.tmp / "hook", *files, "eth0")
    proc.wait_until("the lease has ended", lambda: rows(vnetd, address=lease.ip, state="expired"))
    assert last_block(vnetd, lease.ip)["ends"] <= now()
    assert guest.dhcp("udhcpc").ip == lease.ip


def test_declined_address_is_abandoned(lab, vnetd):
    configure(vnetd, "\nping-check false;\n")
    squatter = lab.guest("vmnet8")
    squatter.run("ip", "addr", "add", f"{vnetd.address(8, 128)}/24", "dev", "eth0")
    guest = lab.guest("vmnet8")
    # -a: probes the address by ARP before it takes it; -A: how long it sulks after a conflict.
    lease = guest.dhcp("udhcpc", options=["-a", "-A", "2"], timeout=15)
    assert lease.ip == vnetd.address(8, 129)
    (row,) = rows(vnetd, state="abandoned")
    assert row["address"] == vnetd.address(8, 128)
    block = last_block(vnetd, row["address"])
    assert block["abandoned"] and block["mac"] is None


# --- addresses that somebody has without a lease -------------------------------------------------


def squat(lab, vnetd, *numbers):
    """A guest that has addresses of the pool without having asked for them."""
    squatter = lab.guest("vmnet8")
    for n in numbers:
        squatter.run("ip", "addr", "add", f"{vnetd.address(8, n)}/24", "dev", "eth0")
    return squatter


@pytest.mark.parametrize("kind", ("udhcpc", "dhclient"))
def test_address_in_use_is_abandoned_and_the_guest_gets_another(lab, vnetd, kind):
    squatter = squat(lab, vnetd, 128, 129)
    guest = lab.guest("vmnet8")
    log = listen(guest, "arp or udp port 67 or udp port 68")
    lease = guest.dhcp(kind, timeout=20)
    assert lease.ip == vnetd.address(8, 130)
    assert {r["address"] for r in rows(vnetd, state="abandoned")} == {vnetd.address(8, n) for n in (128, 129)}
    for n in (128, 129):
        block = last_block(vnetd, vnetd.address(8, n))
        assert block["abandoned"] and block["mac"] is None
        assert block["starts"] <= now() <= block["ends"]
    proc.wait_until("it is in the log", lambda: f"is in use by {squatter.mac} without a lease" in vnetd.log_text())
    heard = log.read_text()
    assert f"Request who-has {lease.ip} tell 0.0.0.0" in heard
    # The probe is behind its offer, which waited for nothing.
    assert heard.index("length 1: Offer") < heard.index(f"who-has {vnetd.address(8, 128)} tell 0.0.0.0")
    # What is known to be in use is kept through a restart, and not offered again.
    vnetd.kill_and_await("vnet-dhcpd")
    assert lab.guest("vmnet8").dhcp("udhcpc").ip == vnetd.address(8, 131)


def test_address_in_use_is_given_without_ping_check(lab, vnetd):
    configure(vnetd, "\nping-check false;\n")
    squat(lab, vnetd, 128)
    guest = lab.guest("vmnet8")
    log = listen(guest, "arp or udp port 67 or udp port 68")
    assert guest.dhcp("udhcpc").ip == vnetd.address(8, 128)
    assert rows(vnetd, state="abandoned") == []
    assert "tell 0.0.0.0" not in log.read_text()
    # And with it again, the lease stays.
    path = "vmnet8/dhcpd/dhcpd.conf"
    vnetd.write(path, vnetd.read(path).replace("ping-check false", "ping-check true"))
    vnetd.ctl("reload")
    assert guest.dhcp("udhcpc").ip == vnetd.address(8, 128)
    assert lab.guest("vmnet8").dhcp("udhcpc").ip == vnetd.address(8, 129)


def test_guest_whose_address_is_claimed_late_moves_when_it_renews(lab, vnetd):
    set_times(vnetd)
    configure(vnetd, "\nping-timeout 60;\n")
    guest, other = lab.guest("vmnet8"), lab.guest("vmnet8")
    lease = guest.dhcp("dhclient", keep=True)
    claim(other, vnetd, lease.ip)
    proc.wait_until("the guest has moved", lambda: guest.leases()[-1].ip != lease.ip, timeout=15)
    assert guest.leases()[-1].ip == vnetd.address(8, 129)
    proc.wait_until("the address is abandoned", lambda: last_block(vnetd, lease.ip)["abandoned"])
    assert rows(vnetd, address=guest.leases()[-1].ip, state="active")


def test_lease_in_use_cannot_be_claimed(lab, vnetd):
    set_times(vnetd)
    guest, other = lab.guest("vmnet8"), lab.guest("vmnet8")
    lease = guest.dhcp("dhclient", keep=True)
    time.sleep(1.1)  # ping-timeout
    claim(other, vnetd, lease.ip)
    proc.wait_until("the guest has renewed", lambda: len(guest.leases()) > 1, timeout=15)
    assert guest.leases()[-1].ip == lease.ip


def claim(guest, vnetd, address):
    """Answers a probe that nobody sent to this guest."""
    wire = frames.Wire(guest, "eth0")
    server = vnetd.host.links()["vmnet8"]["address"]
    wire.send(frames.arp(guest.mac, server, 2, address, "0.0.0.0"))


def test_inform_gets_parameters_for_a_static_address(lab, vnetd):
    guest = lab.guest("vmnet8")
    address = vnetd.address(8, 77)
    guest.run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
    reply = inform(guest, address, vnetd.address(8, 254))
    assert reply["type"] == 5 and reply["yiaddr"] == "0.0.0.0"
    assert 51 not in reply["options"]
    assert reply["options"][6] == socket.inet_aton(vnetd.address(8, 2))
    assert rows(vnetd, address=address) == []


def inform(guest, address, server):
    """Sends a DHCPINFORM as Windows does and returns the answer's fields."""
    mac = bytes.fromhex(guest.mac.replace(":", ""))
    head = struct.pack(">BBBBIHH4s12x16s192x", 1, 1, 6, 0, 7, 0, 0, socket.inet_aton(address), mac)
    message = head + bytes.fromhex("63825363") + bytes([53, 1, 8, 55, 3, 1, 6, 15, 255])
    with guest.enter():
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(5)
        sock.bind((address, 68))
        sock.sendto(message, (server, 67))
        answer = sock.recv(2000)
    options, rest = {}, answer[240:]
    while rest and rest[0] != 255:
        if rest[0] == 0:
            rest = rest[1:]
            continue
        options[rest[0]] = rest[2 : 2 + rest[1]]
        rest = rest[2 + rest[1] :]
    return {"type": options[53][0], "yiaddr": socket.inet_ntoa(answer[16:20]), "options": options}


# --- reservations --------------------------------------------------------------------------------


def test_reservation_outside_the_range(lab, vnetd):
    mac = "00:50:56:11:22:33"
    address = vnetd.address(8, 50)
    configure(vnetd, f"\nhost db {{\n\thardware ethernet {mac.upper()};\n\tfixed-address {address};\n}}\n")
    (row,) = rows(vnetd, state="reserved")
    assert (row["address"], row["mac"], row["name"]) == (address, mac, "db")
    guest = lab.guest("vmnet8", mac=mac)
    for kind in client.CLIENTS:
        assert guest.dhcp(kind).ip == address
        assert rows(vnetd, address=address, state="active")
        guest.run("ip", "addr", "flush", "dev", "eth0")
    assert lab.guest("vmnet8").dhcp("udhcpc").ip == vnetd.address(8, 128)


def test_boot_server_and_file_reach_the_client(lab, vnetd):
    server, other = vnetd.address(8, 77), vnetd.address(8, 78)
    configure(vnetd, f'\nnext-server {server};\nfilename "pxelinux.0";\n'
              f'host efi {{ hardware ethernet 00:0c:29:aa:00:02; next-server {other}; filename "ipxe.efi"; }}\n')
    env = lab.guest("vmnet8").dhcp("udhcpc").env
    assert (env["siaddr"], env["boot_file"]) == (server, "pxelinux.0")
    env = lab.guest("vmnet8", mac="00:0c:29:aa:00:02").dhcp("dhclient").env
    assert (env["new_next_server"], env["new_filename"]) == (other, "ipxe.efi")


def test_pool_for_known_clients_is_closed_to_others(lab, vnetd):
    first = vnetd.address(8, 20)
    configure(vnetd, "\nhost known { hardware ethernet 00:0c:29:aa:00:03; }\n"
              f"subnet {vnetd.address(8, 0)} netmask 255.255.255.0 {{\n"
              f"\tpool {{ deny unknown-clients; range {first} {vnetd.address(8, 21)}; }}\n}}\n")
    assert lab.guest("vmnet8").dhcp("udhcpc").ip == vnetd.address(8, 128)
    assert lab.guest("vmnet8", mac="00:0c:29:aa:00:03").dhcp("udhcpc").ip == first


def test_reservation_made_while_the_guest_runs(lab, vnetd):
    set_times(vnetd)
    mac = "00:0c:29:aa:00:05"
    guest = lab.guest("vmnet8", mac=mac)
    lease = guest.dhcp("dhclient", keep=True)
    assert lease.ip == vnetd.address(8, 128)
    new = vnetd.address(8, 60)
    text = vnetd.read("networking") + f"add_dhcp_mac_to_ip 8 {mac} {new}\n"
    vnetd.write("networking", text)
    vnetd.ctl("reload")
    proc.wait_until("the guest has moved", lambda: guest.leases()[-1].ip == new, timeout=15)


# --- restarts ------------------------------------------------------------------------------------


def test_kill_loses_no_lease(lab, vnetd):
    guests = [lab.guest("vmnet8") for _ in range(3)]
    before = [g.dhcp("udhcpc").ip for g in guests]
    for _ in range(2):
        vnetd.kill_and_await("vnet-dhcpd")
    assert {r["address"] for r in rows(vnetd, state="active")} == set(before)
    assert lab.guest("vmnet8").dhcp("udhcpc").ip not in before
    assert [g.dhcp("udhcpc").ip for g in guests] == before


def test_client_renews_through_a_kill(lab, vnetd):
    set_times(vnetd)
    guest = lab.guest("vmnet8")
    lease = guest.dhcp("dhclient", keep=True)
    vnetd.kill_and_await("vnet-dhcpd")
    proc.wait_until("the client has renewed", lambda: len(guest.leases()) > 1, timeout=15)
    assert {one.ip for one in guest.leases()} == {lease.ip}
    assert "FAIL" not in {e["VT_EVENT"] for e in guest.events()}


def test_dhcp_goes_on_while_the_engine_is_stopped(lab, vnetd):
    """The engine's end is not the end of DHCP; here it is only kept from working."""
    guest = lab.guest("vmnet8")
    engine = vnetd.pid_of("engine")
    proc.kill(engine, signal.SIGSTOP)
    try:
        lease = guest.dhcp("udhcpc")
    finally:
        proc.kill(engine, signal.SIGCONT)
    assert lease.ip == vnetd.address(8, 128)
    worker = vnetd.pid_of("vnet-dhcpd")
    vnetd.kill_and_await("engine")
    assert vnetd.pid_of("vnet-dhcpd") == worker
    assert rows(vnetd, address=lease.ip, state="active")
    assert guest.dhcp("udhcpc").ip == lease.ip


def test_leases_survive_a_restart_of_everything(lab, vnetd):
    guest = lab.guest("vmnet8")
    lease = guest.dhcp("dhclient")
    vnetd.restart(signal.SIGKILL)
    assert rows(vnetd, address=lease.ip, state="active")
    assert guest.dhcp("dhclient").ip == lease.ip


def test_torn_lease_file_is_mended(lab, vnetd):
    guest = lab.guest("vmnet8")
    lease = guest.dhcp("udhcpc")
    vnetd.stop()
    path = vnetd.state / "vmnet8" / "dhcpd.leases"
    with open(path, "a") as torn:
        torn.write("lease 10.181.8.140 {\n\tstarts 0 2026/")
    vnetd.start()
    proc.wait_until("the file is mended", lambda: "10.181.8.140" not in vnetd.lease_file(8))
    assert vnetd.lease_file(8).endswith("}\n")
    assert "ends inside a lease" in vnetd.log_text()
    assert guest.dhcp("udhcpc").ip == lease.ip


def test_vmware_lease_file_is_taken_over(lab):
    """A file as VMware leaves it: its leases are known from the first moment."""
    folder = lab.vnetd.state / "vmnet8"
    folder.mkdir()
    until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    (folder / "dhcpd.leases").write_text(
        "# All times in this file are in UTC (GMT), not your local timezone.   This is\n"
        "# not a bug, so please don't ask about it.\n\n"
        "lease 10.181.8.133 {\n\tstarts 0 2023/01/01 00:00:00;\n"
        f"\tends {until:%w %Y/%m/%d %H:%M:%S};\n"
        '\thardware ethernet 00:0c:29:aa:00:07;\n\tuid 01:00:0c:29:aa:00:07;\n'
        '\tclient-hostname "old";\n}\n'
    )
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.start()
    (row,) = rows(lab.vnetd, address="10.181.8.133")
    assert (row["state"], row["name"]) == ("active", "old")
    guest = lab.guest("vmnet8", mac="00:0c:29:aa:00:07")
    assert guest.dhcp("dhclient").ip == "10.181.8.133"


# --- faults of the environment -------------------------------------------------------------------


@pytest.fixture
def small_disk(lab):
    """The state folder on a file system of its own, of 256 KiB; unmounted with the host."""
    state = lab.vnetd.state
    lab.host.run("mount", "-t", "tmpfs", "-o", "size=256k,mode=755", "tmpfs", state)
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.start()
    return f"/proc/{lab.vnetd.process.pid}/root{state}"


def test_full_disk_confirms_nothing_and_recovers(lab, small_disk):
    vnetd = lab.vnetd
    first = lab.guest("vmnet8").dhcp("udhcpc")
    ballast = os.path.join(small_disk, "ballast")
    lab.host.sh(f"cat /dev/zero > {vnetd.state}/ballast || true")
    guest = lab.guest("vmnet8")
    # What is left of the file's last page may still take some leases.
    proc.wait_until("no lease is confirmed", lambda: guest.no_dhcp(timeout=2), timeout=60)
    proc.wait_until("it is degraded", lambda: dhcp_state(vnetd)[0] == "degraded")
    assert "no room" in dhcp_state(vnetd)[1]
    held = vnetd.host.run("cat", vnetd.state / "vmnet8" / "dhcpd.leases").out
    assert held.endswith("}\n") and first.ip in held
    lab.host.run("rm", f"{vnetd.state}/ballast")
    proc.wait_until("DHCP works again", lambda: dhcp_state(vnetd)[0] == "ok", timeout=15)
    assert not os.path.exists(ballast)
    lease = guest.dhcp("udhcpc")
    # What was confirmed is on the disk.
    vnetd.kill_and_await("vnet-dhcpd")
    assert {r["address"] for r in rows(vnetd, state="active")} >= {first.ip, lease.ip}


def test_port_67_taken_is_said_and_recovers(lab):
    vnetd = lab.vnetd
    with lab.host.enter():
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with taken:
        taken.bind(("0.0.0.0", 67))
        vnetd.write("networking", daemon.NETWORKING)
        vnetd.start()
        proc.wait_until("it is degraded", lambda: dhcp_state(vnetd)[0] == "degraded")
        text = dhcp_state(vnetd)[1]
        assert "67" in text and "taken" in text
        assert lab.guest("vmnet8").no_dhcp(timeout=2)
    proc.wait_until("DHCP works by itself", lambda: dhcp_state(vnetd)[0] == "ok", timeout=20)
    assert lab.guest("vmnet8").dhcp("udhcpc").ip


def test_other_networks_do_not_notice_a_broken_one(lab):
    """A lease file that cannot be read stops DHCP on its network only."""
    folder = lab.vnetd.state / "vmnet8"
    (folder / "dhcpd.leases").mkdir(parents=True)
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.start()
    proc.wait_until("it is degraded", lambda: dhcp_state(lab.vnetd, 8)[0] == "degraded")
    assert "lease file" in dhcp_state(lab.vnetd, 8)[1]
    assert dhcp_state(lab.vnetd, 1)[0] == "ok"
    assert lab.guest("vmnet1").dhcp("udhcpc").ip


def test_program_cannot_be_started_by_hand(lab, stranger):
    program = "/usr/libexec/vnet/vnet-dhcpd"
    by_hand = lab.host.run(program, check=False)
    assert by_hand.rc == 2 and "vnetd" in by_hand.err
    for option in ("--help", "--version"):
        assert "vnet-dhcpd" in lab.host.run(program, option, user=stranger).out


# --- reload --------------------------------------------------------------------------------------


def test_reload_keeps_leases_and_sockets(lab, vnetd):
    guest = lab.guest("vmnet8")
    lease = guest.dhcp("udhcpc")
    worker = vnetd.pid_of("vnet-dhcpd")
    sockets = lab.host.run("ss", "-lnu", "sport", "=", ":67").out
    set_times(vnetd, "default-lease-time 600;\nmax-lease-time 900;\n")
    assert vnetd.pid_of("vnet-dhcpd") == worker
    assert lab.host.run("ss", "-lnu", "sport", "=", ":67").out == sockets
    again = guest.dhcp("udhcpc")
    assert (again.ip, again.seconds) == (lease.ip, 600)


def test_smaller_range_moves_guests_at_their_renewal(lab, vnetd):
    set_times(vnetd)
    guest = lab.guest("vmnet8")
    lease = guest.dhcp("dhclient", keep=True)
    assert lease.ip == vnetd.address(8, 128)
    path = "vmnet8/dhcpd/dhcpd.conf"
    vnetd.write(path, vnetd.read(path).replace("range 10.181.8.128 ", "range 10.181.8.200 "))
    vnetd.ctl("reload")
    proc.wait_until(
        "the guest has moved", lambda: guest.leases()[-1].ip == vnetd.address(8, 200), timeout=15
    )
    lab.guest("vmnet8").dhcp("dhclient")


def test_removed_network_keeps_its_lease_file(lab, vnetd):
    guest = lab.guest("vmnet1")
    lease = guest.dhcp("udhcpc")
    text = "".join(row for row in vnetd.read("networking").splitlines(True) if "VNET_1_" not in row)
    vnetd.write("networking", text)
    vnetd.ctl("reload")
    assert lease.ip in vnetd.lease_file(1)
    assert rows(vnetd, network="vmnet1") == []
