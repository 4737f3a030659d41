# SPDX-License-Identifier: GPL-2.0-or-later
"""priv's verbs about sockets, files and NAT. The test is dhcpd, natd or the engine."""

import errno
import mmap
import os
import select
import socket
import stat
import struct

import pytest

from tests.kit import msg, proc, relay
from tests.kit.relay import close, guest, host, priv  # noqa: F401 - fixtures

N = msg.NUMBERS


# --- sockets -----------------------------------------------------------------------------------


def udp(dst, dport):
    """An Ethernet frame with a UDP datagram to dst:dport."""
    body = struct.pack("!HHHH", 68, dport, 16, 0) + b"x" * 8
    words = [0x4500, 20 + len(body), 0, 0, 0x4000 | socket.IPPROTO_UDP, 0, 0, 0]
    words += struct.unpack("!HH", socket.inet_aton(dst))
    words[5] = 0xFFFF - sum(words) % 0xFFFF  # br_netfilter drops a wrong header checksum
    head = struct.pack("!10H", *words)
    return b"\xff" * 6 + bytes.fromhex("525400000001") + b"\x08\x00" + head + body


def arp(op, dst=b"\xff" * 6, tag=b""):
    """An ARP frame without addresses; its last bytes tell which one it is."""
    head = dst + bytes.fromhex("525400000001") + tag + b"\x08\x06"
    return head + struct.pack("!HHBBH", 1, 0x800, 6, 4, op) + bytes(37) + op.to_bytes(1, "big")


def test_dhcp_socket_receives_arp_replies_and_nothing_else(priv):
    priv.network()
    port = priv.tap().fds[0]
    reply = priv.dhcpd.ask("SOCK_DHCP", net=8, server="10.0.8.254")
    packet = socket.socket(fileno=os.dup(reply.fds[0]))
    priv.host.run("ip", "link", "set", "vmnet8", "promisc", "on")
    own = bytes.fromhex(priv.host.links()["vmnet8"]["address"].replace(":", ""))
    wanted = [arp(2, own), arp(2), arp(2, own, tag=b"\x81\x00\xe0\x00")]
    for frame in (
        udp("255.255.255.255", 67), udp("10.0.8.254", 67),
        arp(1), arp(1, own), arp(0), arp(3), arp(2, bytes.fromhex("525400000099")),
        arp(2, tag=b"\x81\x00\x00\x05"), arp(2)[:20],
        *wanted,
    ):
        os.write(port, frame)
    assert "PROMISC" in priv.host.links()["vmnet8"]["flags"]
    got = []
    while len(got) < len(wanted):
        assert select.select([packet], [], [], 5)[0]
        got.append(packet.recv(2000))
    assert [data[-9:] for data in got] == [frame[-9:] for frame in wanted]
    assert not select.select([packet], [], [], 0.2)[0]
    packet.close()
    close(reply)


def test_no_socket_of_dhcp_looks_at_ip(priv):
    """One that does costs each packet of the network its time."""
    priv.network()
    reply = priv.dhcpd.ask("SOCK_DHCP", net=8, server="10.0.8.254")
    kinds = [line.split()[3] for line in priv.host.run("cat", "/proc/net/packet").out.splitlines()[1:]]
    assert kinds == ["0806"]
    close(reply)


def test_dhcp_socket_moved_to_another_interface_hears_nothing(priv):
    priv.network()
    priv.network(9)
    port = priv.tap(net=9, ifname="vmnet9p1").fds[0]
    reply = priv.dhcpd.ask("SOCK_DHCP", net=8, server="10.0.8.254")
    packet = socket.socket(fileno=os.dup(reply.fds[0]))
    packet.bind(("vmnet9", 0x0806))
    os.write(port, arp(2))
    assert not select.select([packet], [], [], 0.3)[0]
    with pytest.raises(OSError):
        packet.setsockopt(socket.SOL_SOCKET, 27, 0)  # SO_DETACH_FILTER
    packet.close()
    close(reply)


def test_ring_of_dhcp_messages_is_to_be_read_only(priv):
    reply = priv.dhcpd.ask("DHCP_RING")
    ring = reply.fds[0]
    page = mmap.PAGESIZE
    whole = page + 2 * (1 << 19)
    with mmap.mmap(ring, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE) as own:
        assert own[:8] == bytes(8)  # how far it was read
    with mmap.mmap(ring, whole, mmap.MAP_SHARED, mmap.PROT_READ, offset=page) as data:
        assert data[:8] == bytes(8)
    with pytest.raises(PermissionError):
        mmap.mmap(ring, whole, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=page)
    close(reply)


def test_dhcp_hold_socket_silences_the_kernel_and_queues_nothing(priv, guest):
    priv.network()
    priv.veth(guest)
    guest.sh("ip addr add 10.0.8.128/24 dev eth0; ip link set eth0 up")
    with guest.enter():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.connect(("10.0.8.254", 67))
    assert guest.ping("10.0.8.254")
    client.settimeout(5)
    client.send(b"renew")
    with pytest.raises(ConnectionRefusedError):  # the kernel's ICMP port unreachable
        client.recv(1)
    reply = priv.dhcpd.ask("SOCK_DHCP", net=8, server="10.0.8.254")
    hold = socket.socket(fileno=os.dup(reply.fds[1]))
    for _ in range(5):
        client.send(b"renew")
        assert guest.ping("10.0.8.254")
    assert hold.getsockname() == ("10.0.8.254", 67)
    assert not select.select([hold], [], [], 0.2)[0]
    client.close()
    hold.close()
    close(reply)


@pytest.mark.parametrize("role, verb, port, what", [
    ("dhcpd", "SOCK_DHCP", 67, "DHCP"),
    ("natd", "SOCK_DNS", 53, "DNS proxy"),
])
def test_taken_port_is_told_with_a_way_to_find_out_by_whom(priv, role, verb, port, what):
    priv.network()
    addr = {"server" if role == "dhcpd" else "addr": "10.0.8.2"}
    with priv.host.enter():
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("0.0.0.0", port))
    reply = priv.peer(role).ask(verb, net=8, err=errno.EADDRINUSE, **addr)
    assert reply.text == (f"vmnet8: UDP port {port} on 10.0.8.2 is taken, so no {what}. Find the "
                          f"program by: ss -lunp 'sport = :{port}'")
    other.close()
    close(priv.peer(role).ask(verb, net=8, **addr))


def test_address_that_is_not_there_yet(priv):
    priv.bridge()
    text = priv.natd.ask("SOCK_DNS", net=8, addr="10.0.8.2", err=errno.EADDRNOTAVAIL).text
    assert text == ("vmnet8: cannot open UDP port 53 on 10.0.8.2: Cannot assign requested address")


def test_dns_socket_answers_guests_of_its_network_only(priv, guest):
    priv.network()
    priv.network(9)
    priv.veth(guest)
    guest.sh("ip addr add 10.0.8.128/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.8.1")
    reply = priv.natd.ask("SOCK_DNS", net=8, addr="10.0.8.2")
    close(priv.natd.ask("SOCK_DNS", net=9, addr="10.0.9.2"))
    server = socket.socket(fileno=os.dup(reply.fds[0]))
    with guest.enter():
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(5)
    client.sendto(b"question", ("10.0.8.2", 53))
    assert select.select([server], [], [], 5)[0]
    data, peer = server.recvfrom(100)
    server.sendto(b"answer", peer)
    assert (data, peer[0], client.recvfrom(100)) == (
        b"question", "10.0.8.128", (b"answer", ("10.0.8.2", 53)))
    other = priv.tap(net=9, ifname="vmnet9p1")
    os.write(other.fds[0], udp("10.0.8.2", 53))
    assert not select.select([server], [], [], 0.3)[0]
    close(other)
    for sock in (server, client):
        sock.close()


def test_dns_listener_is_reached_by_guests(priv, guest):
    priv.network()
    priv.veth(guest)
    guest.sh("ip addr add 10.0.8.128/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.8.1")
    listener = socket.socket(fileno=os.dup(priv.natd.ask("SOCK_DNS", net=8, addr="10.0.8.2").fds[1]))
    with guest.enter():
        client = socket.create_connection(("10.0.8.2", 53), 5)
    assert select.select([listener], [], [], 5)[0]
    taken, peer = listener.accept()
    assert peer[0] == "10.0.8.128"
    for sock in (taken, client, listener):
        sock.close()


def test_taken_tcp_port_is_told(priv):
    priv.network()
    with priv.host.enter():
        other = socket.socket()
    other.bind(("0.0.0.0", 53))
    other.listen()
    reply = priv.natd.ask("SOCK_DNS", net=8, addr="10.0.8.2", err=errno.EADDRINUSE)
    assert reply.text == ("vmnet8: TCP port 53 on 10.0.8.2 is taken, so no DNS proxy. Find the program by: "
                          "ss -ltnp 'sport = :53'")
    other.close()
    close(priv.natd.ask("SOCK_DNS", net=8, addr="10.0.8.2"))
    close(reply)


# --- files -------------------------------------------------------------------------------------


FILES = [
    ("CONF_FILE_NETWORKING", "networking"),
    ("CONF_FILE_NETMAP", "netmap.conf"),
    ("CONF_FILE_VNETD", "vnetd.conf"),
    ("CONF_FILE_DHCPD", "vmnet8/dhcpd/dhcpd.conf"),
    ("CONF_FILE_NAT", "vmnet8/nat/nat.conf"),
]


def read(reply):
    with open(os.dup(reply.fds[0]), "rb") as file:
        return file.read()


def replace(priv, file, content, err=0, sealed=True):
    fd = relay.memfd(content, sealed)
    try:
        return priv.engine.ask("CONF_REPLACE", [fd], file=file, net=8, err=err)
    finally:
        os.close(fd)


@pytest.mark.parametrize("name, path", FILES)
def test_configuration_files_are_read_and_replaced(priv, name, path):
    file = N[name]
    assert priv.engine.ask("CONF_OPEN", file=file, net=8, err=errno.ENOENT).text == ""
    for content in (b"one\n", b"x" * 100000, b""):
        replace(priv, file, content)
        assert (priv.config / path).read_bytes() == content
        reply = priv.engine.ask("CONF_OPEN", file=file, net=8)
        assert read(reply) == content
        with pytest.raises(OSError):
            os.write(reply.fds[0], b"x")
    st = (priv.config / path).stat()
    assert (stat.S_IMODE(st.st_mode), st.st_nlink) == (0o644, 1)
    assert [p.name for p in (priv.config / path).parent.iterdir() if p.is_file()] == [
        (priv.config / path).name]


def test_file_of_root_is_replaced_and_left_over_temporaries_go(priv):
    (priv.config / "networking").write_text("root's")
    (priv.config / ".networking.new").write_text("of a crash")
    replace(priv, N["CONF_FILE_NETWORKING"], b"new\n")
    assert os.listdir(priv.config) == ["networking"]
    assert (priv.config / "networking").read_text() == "new\n"


def test_replace_takes_sealed_memory_only(priv):
    file = N["CONF_FILE_VNETD"]
    replace(priv, file, b"old\n")
    assert "cannot write it" in replace(priv, file, b"new\n", errno.EINVAL, sealed=False).text
    with open("/etc/passwd", "rb") as other:
        priv.engine.ask("CONF_REPLACE", [other.fileno()], file=file, err=errno.EINVAL)
    replace(priv, file, b"x" * (1 << 20))
    priv.engine.ask("CONF_REMOVE", file=file, err=errno.EPERM)
    replace(priv, file, b"x" * ((1 << 20) + 1), errno.EFBIG)
    assert (priv.config / "vnetd.conf").stat().st_size == 1 << 20
    assert os.listdir(priv.config) == ["vnetd.conf"]


def test_full_disk_leaves_the_old_file(host, folder):
    (folder / "etc").mkdir()
    host.run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder / "etc")
    made = relay.Priv(host, folder)
    try:
        made.start()
        replace(made, N["CONF_FILE_NETWORKING"], b"old\n")
        text = replace(made, N["CONF_FILE_NETWORKING"], b"x" * 200000, errno.ENOSPC).text
        assert text == f"{made.config}/networking: cannot write it: No space left on device"
        assert host.run("sh", "-c", f"cd {made.config}; ls -A; cat networking").out == (
            "networking\nold\n")
    finally:
        made.close()


def test_files_of_a_network_are_removed(priv):
    for name, path in FILES[3:]:
        replace(priv, N[name], b"x")
        for _ in range(2):
            priv.engine.ask("CONF_REMOVE", file=N[name], net=8)
        assert not (priv.config / path).exists()
    priv.engine.ask("CONF_REMOVE", file=N["CONF_FILE_NAT"], net=77)


def test_nothing_outside_the_folder_is_opened(priv, folder):
    secret = folder / "secret"
    secret.write_text("secret")
    ask, networking = priv.engine.ask, priv.config / "networking"
    for target in (secret, "../secret", "/proc/self/environ"):
        networking.symlink_to(target)
        text = ask("CONF_OPEN", file=0, err=errno.EXDEV).text
        assert "a symbolic link that leads out of" in text
        networking.unlink()
    (priv.config / "elsewhere").write_text("inside")
    networking.symlink_to("elsewhere")
    assert read(ask("CONF_OPEN", file=0)) == b"inside"
    networking.unlink()
    os.mkfifo(networking)
    assert "not a regular file" in ask("CONF_OPEN", file=0, err=errno.EINVAL).text
    networking.unlink()
    networking.write_text("closed")
    networking.chmod(0o600)
    assert ask("CONF_OPEN", file=0, err=errno.EACCES).text == (
        f"{networking}: user _vnet cannot read it (chmod a+r)")
    (folder / "outside").mkdir()
    (folder / "outside").chmod(0o777)
    (priv.config / "vmnet8").symlink_to(folder / "outside")
    replace(priv, N["CONF_FILE_NAT"], b"x", errno.EXDEV)
    assert not list((folder / "outside").glob("nat/*"))


def test_files_of_the_host(priv):
    priv.host.set_resolvers("192.0.2.53")
    open_file = lambda peer, name, **kw: peer.ask("HOST_OPEN", file=N[name], **kw)
    assert read(open_file(priv.natd, "HOST_FILE_RESOLV_CONF")) == b"nameserver 192.0.2.53\n"
    assert b"_vnet:" in read(open_file(priv.engine, "HOST_FILE_PASSWD"))
    assert b"vnet:" in read(open_file(priv.engine, "HOST_FILE_GROUP"))
    open_file(priv.natd, "HOST_FILE_PASSWD", err=errno.EPERM)
    priv.host.run("rm", "/etc/resolv.conf")
    assert open_file(priv.natd, "HOST_FILE_RESOLV_CONF", err=errno.ENOENT).text == (
        "/etc/resolv.conf: cannot open it: No such file or directory")


def test_watch_of_resolv_conf_sees_every_way_of_changing_it(priv):
    host = priv.host
    host.sh("mkdir -p /etc/stub; echo >/etc/stub/real; ln -sfn stub/link /etc/resolv.conf;"
            "ln -sfn real /etc/stub/link")
    watch = priv.natd.ask("HOST_WATCH", file=N["HOST_FILE_RESOLV_CONF"]).fds[0]

    def woken(script):
        host.sh(script)
        seen = bool(select.select([watch], [], [], 2)[0])
        while select.select([watch], [], [], 0.05)[0]:
            os.read(watch, 65536)
        return seen

    assert woken("echo nameserver 192.0.2.1 >/etc/stub/real")  # written in place
    assert woken("echo x >/etc/stub/new; mv /etc/stub/new /etc/stub/real")  # renamed over
    assert woken("ln -sfn other /etc/stub/link")  # the middle of the chain
    assert woken("rm /etc/resolv.conf")
    assert woken("echo nameserver 192.0.2.2 >/etc/resolv.conf")
    assert not woken("true")


def test_lease_folder_and_vmwares_place_of_the_lease_file(priv):
    reply = priv.dhcpd.ask("LEASE_DIR", net=8)
    place = priv.config / "vmnet8/dhcpd/dhcpd.leases"
    assert os.readlink(place) == str(priv.state / "vmnet8/dhcpd.leases")
    assert os.fstat(reply.fds[0]).st_ino == (priv.state / "vmnet8").stat().st_ino
    assert (priv.state / "vmnet8").stat().st_uid == int(proc.run(["id", "-u", "_vnet"]).out)
    place.unlink()
    place.symlink_to("elsewhere")
    priv.dhcpd.ask("LEASE_DIR", net=8)
    assert os.readlink(place) == str(priv.state / "vmnet8/dhcpd.leases")
    place.unlink()
    place.write_text("somebody's leases")
    priv.dhcpd.ask("LEASE_DIR", net=8)
    assert place.read_text() == "somebody's leases"


# --- NAT ---------------------------------------------------------------------------------------


def test_nat_plan_is_committed_or_refused_as_a_whole(priv):
    priv.network()
    natd = priv.natd
    subnet = {"net": 8, "subnet": "10.0.8.0", "len": 24, "gateway": "10.0.8.2", "nat": True}
    natd.tell("NAT_BEGIN")
    natd.tell("NAT_NET", **subnet)
    natd.ask("NAT_COMMIT")
    table = priv.host.run("nft", "list", "table", "inet", "vnetd").out
    assert "vmnet8" in table
    natd.tell("NAT_BEGIN")
    natd.tell("NAT_NET", **{**subnet, "len": 33})
    assert natd.ask("NAT_COMMIT", err=errno.EPERM).text == (
        "a row of the NAT plan was refused: not a subnet from /8 to /30")
    assert priv.host.run("nft", "list", "table", "inet", "vnetd").out == table
    natd.tell("NAT_BEGIN")
    natd.ask("NAT_COMMIT")  # the next plan starts afresh


def packed(*rows):
    """Several rows in one datagram (msg_pack())."""
    return b"".join(struct.pack(">H", len(row)) + row for row in rows)


def test_nat_rows_that_come_packed_are_judged_one_by_one(priv):
    def forwards(*ports):
        natd.tell("NAT_BEGIN")
        natd.tell("ROWS", rows=packed(
            msg.encode("NAT_NET", net=8, subnet="10.0.8.0", len=24, gateway="10.0.8.2", nat=True),
            *(msg.encode("NAT_FORWARD", net=8, proto=0, port=port, guest="10.0.8.5", guest_port=80)
              for port in ports)))

    priv.network()
    natd = priv.natd
    forwards(8001, 8002)
    natd.ask("NAT_COMMIT")
    table = priv.host.run("nft", "list", "table", "inet", "vnetd").out
    assert "8001" in table and "8002" in table
    forwards(8003, 0)
    assert "a row of the NAT plan was refused" in natd.ask("NAT_COMMIT", err=errno.EPERM).text
    assert priv.host.run("nft", "list", "table", "inet", "vnetd").out == table


@pytest.mark.parametrize("row", [
    msg.encode("NAT_COMMIT", 7),
    msg.encode("NAT_COMMIT"),
    msg.encode("BRIDGE_DEL", net=8),
    msg.encode("NAT_BEGIN")[:-1],
], ids=["with an id", "request", "not natd's", "cut"])
def test_what_is_no_row_of_natd_is_not_taken_packed_either(priv, row):
    natd = priv.natd
    natd.tell("ROWS", rows=packed(msg.encode("NAT_BEGIN"), row))
    with pytest.raises(relay.Closed):
        natd.receive()


def test_loopback_is_routed_to_networks_with_nat_only(priv):
    def localnet(net):
        path = f"/proc/sys/net/ipv4/conf/vmnet{net}/route_localnet"
        return priv.host.run("cat", path).out.strip()

    def commit(*nat):
        priv.natd.tell("NAT_BEGIN")
        for net in (8, 9):
            priv.natd.tell("NAT_NET", net=net, subnet=f"10.0.{net}.0", len=24,
                           gateway=f"10.0.{net}.2", nat=net in nat)
        priv.natd.ask("NAT_COMMIT")

    for net in (7, 8, 9):
        priv.network(net)
    assert [localnet(net) for net in (7, 8, 9)] == ["0", "0", "0"]
    commit(8)
    assert [localnet(net) for net in (7, 8, 9)] == ["0", "1", "0"]
    priv.engine.ask("BRIDGE_DEL", net=8)  # and made anew, which natd does not notice
    priv.network(8)
    assert localnet(8) == "1"
    commit(9)
    assert [localnet(net) for net in (7, 8, 9)] == ["0", "0", "1"]
    priv.natd.tell("NAT_BEGIN")
    priv.natd.ask("NAT_COMMIT")
    assert localnet(9) == "0"
    priv.host.run("ip", "link", "add", "vmnet5", "type", "bridge")  # somebody else's
    priv.host.run("sysctl", "-qw", "net.ipv4.conf.vmnet5.route_localnet=1")
    commit(8, 9)
    assert localnet(5) == "1"


def test_changes_of_other_rule_sets_are_seen(priv):
    watch = priv.natd.ask("NFT_WATCH").fds[0]
    priv.host.run("nft", "add", "table", "ip", "other")
    assert select.select([watch], [], [], 5)[0]
    priv.host.run("nft", "add", "chain", "ip", "other", "forward",
                  "{ type filter hook forward priority 0; policy drop; }")
    rows, reply = priv.natd.answer(priv.natd.request("FIREWALL_SCAN", bridges=bytes(32)))
    assert reply.err == 0
    assert [(row.type, row.table, row.chain, row.policy_drop) for row in rows] == [
        ("FIREWALL_ROW", "other", "forward", True)]
