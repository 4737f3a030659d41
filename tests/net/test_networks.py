# SPDX-License-Identifier: GPL-2.0-or-later
"""The engine's networks in a real kernel: what is made, what stays untouched, what is repaired.

The same decisions against a kernel in memory, with every crash and clash, are in tests/sim/engine.
"""

import re
import signal
import subprocess
import threading

import pytest

from tests.kit import daemon, ns, proc

OURS = 118  # protocol number of our routes and addresses
GROUP = 0x766E  # link group of everything that vnetd makes

ADAPTER = "answer VNET_{n}_VIRTUAL_ADAPTER yes\n"
HOSTONLY = "answer VNET_{n}_DHCP yes\n" + ADAPTER
NAT = HOSTONLY + "answer VNET_{n}_NAT yes\n"
SEGMENT = "answer VNET_{n}_DHCP no\nanswer VNET_{n}_VIRTUAL_ADAPTER no\n"


def net(n, subnet, answers=HOSTONLY, **more):
    """Lines of `networking` for a network with a /24 unless `mask` says otherwise."""
    mask = more.pop("mask", "255.255.255.0")
    lines = answers.format(n=n)
    if subnet:
        lines += f"answer VNET_{n}_HOSTONLY_SUBNET {subnet}\n"
        lines += f"answer VNET_{n}_HOSTONLY_NETMASK {mask}\n"
    return lines + "".join(f"answer VNET_{n}_{key.upper()} {v}\n" for key, v in more.items())


def configure(vnetd, *networks, conf=None):
    vnetd.write("networking", "VERSION=1,0\n" + "".join(networks))
    if conf is not None:
        vnetd.write("vnetd.conf", conf)


def state(vnetd, name):
    rows = {row["name"]: row for row in vnetd.json("networks")["networks"]}
    return rows[name]["state"] if name in rows else None


def reason(vnetd, name):
    return vnetd.json("show", name)["network"]["reason"]


def routes(host, dev):
    return {r["dst"]: r for r in host.ip("route", "show", "dev", dev)}


def sysctl(host, path):
    return host.run("cat", f"/proc/sys/net/{path}").out.strip()


def ifindexes(host):
    return {name: link["ifindex"] for name, link in host.links().items()}


class Monitor:
    """`ip monitor` of a namespace while a block runs: .lines is what the kernel told about links,
    addresses and routes.  Two links of our own mark its beginning and its end."""

    def __init__(self, host):
        self.host, self.seen = host, []

    def __enter__(self):
        # The kernel's own afterthoughts come first: duplicate address detection takes a second or two.
        quiet = lambda: not self.host.run("ip", "-6", "addr", "show", "tentative").out
        proc.wait_until("IPv6 addresses are settled", quiet)
        argv = ["ip", "monitor", "link", "address", "route"]
        self.process = self.host.popen(*argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self._read, daemon=True).start()
        self.host.run("ip", "link", "add", "mark0", "type", "bridge")
        proc.wait_until("ip monitor listens", lambda: self._mark("mark0"))
        return self

    def _read(self):
        for line in self.process.stdout:
            self.seen.append(line.decode())

    def _mark(self, name):
        """Changes a link of ours; whether the monitor has told of one of these changes."""
        self.host.run("ip", "link", "set", name, "up")
        self.host.run("ip", "link", "set", name, "down")
        return any(name in line for line in self.seen)

    def __exit__(self, *_):
        self.host.run("ip", "link", "add", "mark1", "type", "bridge")
        proc.wait_until("everything is told", lambda: self._mark("mark1"))
        proc.kill(self.process.pid)
        first = next(i for i, line in enumerate(self.seen) if "mark0" in line)
        last = next(i for i, line in enumerate(self.seen) if "mark1" in line)
        lines = self.seen[first:last]
        self.lines = [line for line in lines if "mark0" not in line and not line.startswith(" ")]
        for name in ("mark0", "mark1"):
            self.host.run("ip", "link", "del", name)


# --- what a network is -----------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 42, 255])
def test_any_network_number(lab, n):
    configure(lab.vnetd, net(n, "10.181.4.0"))
    lab.vnetd.start()
    name = f"vmnet{n}"
    link = lab.host.links()[name]
    assert link["linkinfo"]["info_kind"] == "bridge"
    assert link["address"] == f"00:50:56:c0:00:{n:02x}"
    assert link["ifalias"] == f"vnetd:{n} host-only"
    assert link["group"] in (str(GROUP), hex(GROUP)) and "UP" in link["flags"]
    assert link["linkinfo"]["info_data"]["stp_state"] == 0
    assert link["linkinfo"]["info_data"]["forward_delay"] == 0
    assert lab.host.addresses(name) == ["10.181.4.1/32", "10.181.4.254/32"]
    assert state(lab.vnetd, name) == "ok"


def test_a_nat_network_has_its_addresses_and_one_route_of_ours(lab, vnetd):
    assert lab.host.addresses("vmnet8") == [f"10.181.8.{i}/32" for i in (1, 2, 254)]
    found = routes(lab.host, "vmnet8")
    assert list(found) == ["10.181.8.0/24"]
    assert found["10.181.8.0/24"]["protocol"] in (OURS, str(OURS))
    assert found["10.181.8.0/24"]["prefsrc"] == "10.181.8.1"
    assert found["10.181.8.0/24"]["scope"] == "link"


@pytest.mark.parametrize(
    "mask, length, last", [("255.255.255.248", 29, 6), ("255.255.0.0", 16, 65534)]
)
def test_other_masks(lab, mask, length, last):
    configure(lab.vnetd, net(3, "10.181.0.0", NAT, mask=mask))
    lab.vnetd.start()
    subnet = f"10.181.0.0/{length}"
    want = [f"{ns.nth(subnet, i)}/32" for i in (1, 2, last)]
    assert lab.host.addresses("vmnet3") == want
    assert list(routes(lab.host, "vmnet3")) == [subnet]


def test_mtu_is_the_same_everywhere(lab):
    configure(lab.vnetd, net(8, "10.181.8.0", NAT, mtu=9000))
    lab.vnetd.write("vnetd.conf", "[port fc0]\ntap = yes\nnetwork = vmnet8\n")
    lab.vnetd.start()
    guest = lab.guest("vmnet8")
    links = lab.host.links()
    assert links["vmnet8"]["mtu"] == links["vmnet8p1"]["mtu"] == links["fc0"]["mtu"] == 9000
    assert guest.links()["eth0"]["mtu"] == 9000
    assert guest.dhcp("udhcpc").mtu == 9000
    # A change reaches what is attached already.
    lab.vnetd.ctl("set", "vmnet8", "mtu", "1400")
    links = lab.host.links()
    assert links["vmnet8"]["mtu"] == links["vmnet8p1"]["mtu"] == links["fc0"]["mtu"] == 1400


def test_an_adapter_elsewhere_leaves_the_first_address_free(lab):
    configure(lab.vnetd, net(3, "10.181.3.0", virtual_adapter_addr="10.181.3.9"))
    lab.vnetd.start()
    assert lab.host.addresses("vmnet3") == ["10.181.3.9/32", "10.181.3.254/32"]
    assert routes(lab.host, "vmnet3")["10.181.3.0/24"]["prefsrc"] == "10.181.3.9"


def test_a_segment_has_no_address_of_any_kind(lab):
    configure(lab.vnetd, net(5, None, SEGMENT))
    lab.vnetd.start()
    assert state(lab.vnetd, "vmnet5") == "ok"
    assert lab.host.ip("addr", "show", "dev", "vmnet5")[0]["addr_info"] == []
    assert sysctl(lab.host, "ipv6/conf/vmnet5/disable_ipv6") == "1"
    a, b = lab.guest("vmnet5"), lab.guest("vmnet5")
    a.run("ip", "addr", "add", "10.9.9.1/24", "dev", "eth0")
    b.run("ip", "addr", "add", "10.9.9.2/24", "dev", "eth0")
    assert a.ping("10.9.9.2")
    # The host answers nothing there, not even for addresses that it has elsewhere.
    a.run("ip", "route", "add", "198.51.100.1", "dev", "eth0")
    assert not a.ping("198.51.100.1")
    assert a.run("ip", "neigh", "show", "198.51.100.1").out.split()[-1] in ("FAILED", "INCOMPLETE")


def test_sysctls_of_a_host_adapter(lab, vnetd):
    assert sysctl(lab.host, "ipv4/conf/vmnet8/arp_ignore") == "1"
    assert sysctl(lab.host, "ipv4/conf/vmnet8/rp_filter") == "1"
    assert sysctl(lab.host, "ipv6/conf/vmnet8/accept_ra") == "0"
    assert sysctl(lab.host, "ipv6/conf/vmnet8/autoconf") == "0"
    proc.wait_until("the host forwards", lambda: sysctl(lab.host, "ipv4/ip_forward") == "1")


def test_ports_have_no_address_and_a_mac_of_ours(lab, vnetd):
    lab.guest("vmnet8")
    link = lab.host.links()["vmnet8p1"]
    assert link["address"].startswith("fe:00:")
    assert lab.host.ip("addr", "show", "dev", "vmnet8p1")[0]["addr_info"] == []


def test_vmnet0_is_a_bridge_without_an_uplink(lab, vnetd):
    assert lab.host.links()["vmnet0"]["linkinfo"]["info_kind"] == "bridge"
    assert state(vnetd, "vmnet0") == "no uplink"


def test_first_start_writes_a_configuration_beside_what_the_host_uses(lab):
    lab.host.run("ip", "route", "add", "172.16.0.0/12", "via", "198.51.100.2")
    lab.host.set_resolvers("192.168.77.1")
    lab.vnetd.start()
    assert "172." not in lab.vnetd.subnet(8) and "192.168.77." not in lab.vnetd.subnet(1)
    for name in ("networking", "netmap.conf", "vmnet8/dhcpd/dhcpd.conf", "vmnet8/nat/nat.conf"):
        assert lab.vnetd.read(name)
    assert state(lab.vnetd, "vmnet1") == state(lab.vnetd, "vmnet8") == "ok"
    # Written once, then it is the users'.
    subnets = [lab.vnetd.subnet(n) for n in (1, 8)]
    lab.vnetd.restart()
    assert [lab.vnetd.subnet(n) for n in (1, 8)] == subnets


# --- failures stay small ---------------------------------------------------------------------------


def test_a_clash_with_a_route_fails_that_network_alone(lab):
    lab.host.run("ip", "route", "add", "10.181.0.0/22", "via", "198.51.100.2")
    configure(lab.vnetd, net(1, "10.181.1.0"), net(8, "10.181.8.0", NAT))
    lab.vnetd.start()
    assert state(lab.vnetd, "vmnet1") == "failed"
    assert "10.181.0.0/22" in reason(lab.vnetd, "vmnet1")
    assert "vmnet1" not in lab.host.links()
    assert state(lab.vnetd, "vmnet8") == "ok"
    lab.host.run("ip", "route", "del", "10.181.0.0/22")
    proc.wait_until("vmnet1 is up", lambda: state(lab.vnetd, "vmnet1") == "ok")
    guest = lab.guest("vmnet1")
    assert guest.dhcp("udhcpc").ip.startswith("10.181.1.")


def test_a_clash_that_comes_later_is_a_warning_with_a_cure(lab, vnetd):
    lab.host.run("ip", "route", "add", "10.181.0.0/16", "via", "198.51.100.2")

    def warned():
        found = [w for w in vnetd.json("status")["warnings"] if w["network"] == "vmnet8"]
        return found and found[0]

    warning = proc.wait_until("status warns", warned)
    assert "10.181.0.0/16" in warning["text"] and "vnetctl set vmnet8" in warning["cure"]
    assert state(vnetd, "vmnet8") == "ok"


def test_a_foreign_interface_with_our_name_fails_that_network_alone(lab):
    lab.host.run("ip", "link", "add", "vmnet8", "type", "bridge")
    configure(lab.vnetd, net(1, "10.181.1.0"), net(8, "10.181.8.0", NAT))
    lab.vnetd.start()
    assert state(lab.vnetd, "vmnet8") == "failed" and state(lab.vnetd, "vmnet1") == "ok"
    assert "vmnet8" in reason(lab.vnetd, "vmnet8")
    assert "ifalias" not in lab.host.links()["vmnet8"] and not lab.host.addresses("vmnet8")
    lab.host.run("ip", "link", "del", "vmnet8")
    proc.wait_until("vmnet8 is up", lambda: state(lab.vnetd, "vmnet8") == "ok")


def test_errors_in_one_network_refuse_it_and_no_other(lab):
    configure(lab.vnetd, net(1, "10.181.300.0"), net(8, "10.181.8.0", NAT))
    lab.vnetd.start()
    assert state(lab.vnetd, "vmnet1") == "failed" and state(lab.vnetd, "vmnet8") == "ok"
    assert re.search(r"networking:\d+:\d+: ", reason(lab.vnetd, "vmnet1"))


@pytest.mark.parametrize(
    "name, text", [("networking", "VERSION=2,0\n"), ("vnetd.conf", "[global]\nlog-levl = info\n")]
)
def test_errors_that_concern_everything_refuse_the_start(lab, name, text):
    configure(lab.vnetd, net(8, "10.181.8.0", NAT))
    lab.vnetd.write(name, text)
    lab.vnetd.start(wait=False)
    assert lab.vnetd.process.wait(10) == 1
    assert f"{name}:" in lab.vnetd.log_text()
    assert not [link for link in lab.host.links() if link.startswith("vmnet")]


# --- reload ----------------------------------------------------------------------------------------


def test_reload_touches_nothing_that_did_not_change(lab, vnetd):
    lab.guest("vmnet8")
    before = ifindexes(lab.host)
    with Monitor(lab.host) as monitor:
        vnetd.ctl("reload")
        proc.kill(vnetd.process.pid, signal.SIGHUP)
        vnetd.ctl("reload")
    assert monitor.lines == []
    assert ifindexes(lab.host) == before


def test_reload_changes_one_network_and_leaves_the_others_alone(lab, vnetd):
    guest = lab.guest("vmnet8")
    guest.dhcp("udhcpc")
    before = ifindexes(lab.host)
    text = vnetd.read("networking") + net(5, "10.181.5.0")
    vnetd.write("networking", text.replace("10.181.1.0", "10.181.2.0"))
    with Monitor(lab.host) as monitor:
        vnetd.ctl("reload")
    assert not [line for line in monitor.lines if "vmnet8" in line]
    after = ifindexes(lab.host)
    assert {name: after[name] for name in before} == before and "vmnet5" in after
    assert lab.host.addresses("vmnet1") == ["10.181.2.1/32", "10.181.2.254/32"]
    assert list(routes(lab.host, "vmnet1")) == ["10.181.2.0/24"]
    assert guest.ping("10.181.8.1")


def test_reload_with_errors_keeps_what_runs(lab, vnetd):
    vnetd.write("networking", vnetd.read("networking").replace("10.181.8.0", "10.181.8.999"))
    refused = vnetd.ctl("reload", check=False)
    assert refused.rc == 1
    assert re.search(r"networking:\d+:\d+: ", refused.out + refused.err)
    assert state(vnetd, "vmnet8") == "ok"
    assert vnetd.subnet(8) == "10.181.8.0/24"
    assert [w for w in vnetd.json("status")["warnings"] if w["network"] == "vmnet8"]


# --- crashes ---------------------------------------------------------------------------------------


def test_kill_of_the_engine_changes_nothing(lab, vnetd):
    guest = lab.guest("vmnet8", name="web1")
    guest.dhcp("udhcpc")
    before = ifindexes(lab.host)
    with Monitor(lab.host) as monitor:
        vnetd.kill_and_await("engine")
    assert monitor.lines == []
    assert ifindexes(lab.host) == before
    assert guest.ping("10.181.8.1")
    [port] = vnetd.json("ports")["ports"]
    assert (port["name"], port["network"], port["kind"]) == ("web1", "vmnet8", "netns")
    assert (port["netns"], port["mac"]) == (guest.name, guest.mac)
    # It still does its work.
    lab.host.run("ip", "addr", "del", "10.181.8.2/32", "dev", "vmnet8")
    proc.wait_until("the address is back", lambda: "10.181.8.2/32" in lab.host.addresses("vmnet8"))


def test_kill_of_everything_and_a_new_start_adopts(lab, vnetd):
    guest = lab.guest("vmnet8", name="web1")
    before = ifindexes(lab.host)
    vnetd.stop(signal.SIGKILL)
    vnetd.start()
    assert ifindexes(lab.host) == before
    assert [p["name"] for p in vnetd.json("ports")["ports"]] == ["web1"]
    assert guest.dhcp("udhcpc").ip.startswith("10.181.8.")


def test_stop_leaves_networks_and_teardown_removes_them(lab, vnetd):
    vnetd.stop()
    assert {"vmnet0", "vmnet1", "vmnet8"} <= lab.host.links().keys()
    vnetd.teardown()
    assert not [link for link in lab.host.links() if link.startswith("vmnet")]


# --- repairs ---------------------------------------------------------------------------------------


def repaired_within(host, seconds, break_it, whole):
    """Breaks something and polls inside the namespace until it is whole again."""
    script = f"{break_it}\nstart=$(date +%s%N)\nuntil {whole}; do :; done\necho $(($(date +%s%N) - start))"
    took = int(host.sh(script, timeout=seconds + 10).out.split()[-1]) / 1e9
    print(f"repaired in {took * 1000:.0f} ms: {break_it}")
    return took


@pytest.mark.parametrize(
    "break_it, whole",
    [
        ("ip addr del 10.181.8.1/32 dev vmnet8", "ip addr show vmnet8 | grep -q 10.181.8.1/32"),
        ("ip route del 10.181.8.0/24", "ip route show 10.181.8.0/24 | grep -q vmnet8"),
        ("ip link set vmnet8 down", "ip route show 10.181.8.0/24 | grep -q vmnet8"),
        ("ip link set vmnet8 mtu 1300", "ip link show vmnet8 | grep -q 'mtu 1500'"),
        ("ip link set vmnet8 address 02:00:00:00:00:01",
         "ip link show vmnet8 | grep -q 00:50:56:c0:00:08"),
        ("ip link del vmnet8", "ip route show 10.181.8.0/24 | grep -q vmnet8"),
    ],
)
def test_what_others_change_is_put_back(lab, vnetd, break_it, whole):
    # Printed, and bounded only so loosely that a busy machine passes: what is promised is 50 ms.
    assert repaired_within(lab.host, 5, break_it, whole) < 5
    proc.wait_until("vmnet8 is ok", lambda: state(vnetd, "vmnet8") == "ok")
    assert sorted(lab.host.addresses("vmnet8")) == [f"10.181.8.{i}/32" for i in (1, 2, 254)]


def test_guests_stay_plugged_when_their_bridge_is_deleted(lab, vnetd):
    made, adopted = lab.guest("vmnet8"), lab.guest("vmnet8", how="adopt")
    made.dhcp("udhcpc")
    adopted.dhcp("udhcpc")
    proc.wait_until("two guests", lambda: len(vnetd.json("ports")["ports"]) == 2)
    lab.host.run("ip", "link", "del", "vmnet8")
    proc.wait_until("vmnet8 is back", lambda: "vmnet8" in lab.host.links())
    for guest in (made, adopted):
        proc.wait_until("the guest reaches the host", lambda g=guest: g.ping("10.181.8.1"))
    # DHCP serves the new bridge too.
    proc.wait_until("vmnet8 is ok", lambda: state(vnetd, "vmnet8") == "ok")
    assert made.dhcp("udhcpc").ip.startswith("10.181.8.")


def test_a_fight_with_another_program_is_given_up_and_told(lab, vnetd):
    script = "for i in $(seq 40); do ip addr del 10.181.8.2/32 dev vmnet8 || :; sleep 0.02; done"
    lab.host.sh(script + " 2>/dev/null")
    proc.wait_until("vmnet8 is degraded", lambda: state(vnetd, "vmnet8") == "degraded")
    assert "another program" in reason(vnetd, "vmnet8")
    assert state(vnetd, "vmnet1") == "ok"


# --- ports -----------------------------------------------------------------------------------------

# Opens a tap by its name as the user that runs it, says so, and waits.
OPEN_TAP = """
import fcntl, struct, sys
tun = open("/dev/net/tun", "r+b", buffering=0)
IFF_TAP, IFF_NO_PI, IFF_VNET_HDR, TUNSETIFF = 2, 0x1000, 0x4000, 0x400454CA
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", sys.argv[1].encode(), IFF_TAP | IFF_NO_PI | IFF_VNET_HDR))
print("open", flush=True)
sys.stdin.read()
"""


def tun_for_everybody(lab):
    """/dev/net/tun as most systems have it, in this host's mount namespace only."""
    node = lab.tmp / "tun"
    lab.host.run("mknod", "-m", "0666", node, "c", "10", "200")
    lab.host.run("mount", "--bind", node, "/dev/net/tun")


def open_tap(host, name, user):
    return host.popen("/usr/bin/python3", "-c", OPEN_TAP, name, user=user, stdin=subprocess.PIPE)


def test_a_static_tap_is_opened_by_its_owner_and_nobody_else(lab, member, stranger):
    tun_for_everybody(lab)
    configure(lab.vnetd, net(8, "10.181.8.0", NAT))
    conf = "[port fc0]\ntap = yes\nnetwork = vmnet8\nowner = {}\n"
    lab.vnetd.write("vnetd.conf", conf.format(member))
    lab.vnetd.start()
    link = lab.host.links()["fc0"]
    assert link["master"] == "vmnet8" and link["linkinfo"]["info_data"]["persist"]

    def port():
        return next(p for p in lab.vnetd.json("ports")["ports"] if p["name"] == "fc0")

    assert (port()["kind"], port()["owner"], port()["up"]) == ("static", member, False)
    refused = open_tap(lab.host, "fc0", stranger)
    assert b"PermissionError" in refused.communicate(timeout=10)[1]
    holder = open_tap(lab.host, "fc0", member)
    assert holder.stdout.readline() == b"open\n"
    proc.wait_until("the port is up", lambda: port()["up"])
    # A new engine leaves it with its holder; so does a reload.
    before = ifindexes(lab.host)["fc0"]
    lab.vnetd.kill_and_await("engine")
    lab.vnetd.ctl("reload")
    assert ifindexes(lab.host)["fc0"] == before and holder.poll() is None
    holder.communicate(b"")
    proc.wait_until("the port is down", lambda: not port()["up"])
    lab.vnetd.write("vnetd.conf", "")
    lab.vnetd.ctl("reload")
    assert "fc0" not in lab.host.links()


def test_a_port_that_somebody_enslaves_is_adopted_and_let_go(lab, vnetd):
    guest = lab.guest("vmnet8", how="adopt", label="mine")
    proc.wait_until("it is adopted", lambda: vnetd.json("ports")["ports"])
    guest.dhcp("udhcpc")
    [port] = vnetd.json("ports")["ports"]
    assert (port["ifname"], port["kind"], port["network"]) == ("veth-mine", "adopted", "vmnet8")
    assert port["mac"] == guest.mac and port["address"].startswith("10.181.8.")
    # Nothing of it is changed but what a bridge needs.
    assert "ifalias" not in lab.host.links()["veth-mine"]
    lab.host.run("ip", "link", "set", "veth-mine", "nomaster")
    proc.wait_until("it is let go", lambda: not vnetd.json("ports")["ports"])
    assert "master" not in lab.host.links()["veth-mine"]


def test_a_namespace_gets_a_link_down_and_without_an_address(lab, vnetd):
    target = lab.netns("target")
    vnetd.ctl("attach", "vmnet8", "--netns", target.name, "--ifname", "lan7", "--name", "box",
              "--mac", "52:54:00:ab:cd:ef")
    link = target.links()["lan7"]
    assert link["address"] == "52:54:00:ab:cd:ef"
    assert not [a for a in target.ip("addr", "show", "dev", "lan7")[0]["addr_info"]
                if a["family"] == "inet"]
    ours = lab.host.links()["vmnet8p1"]
    assert ours["ifalias"].startswith("vnetd:8 kind=netns name=box mac=52:54:00:ab:cd:ef")
    # The port goes with the guest's end, and its number is free again.
    target.run("ip", "link", "del", "lan7")
    proc.wait_until("the port is gone", lambda: not vnetd.json("ports")["ports"])
    assert "vmnet8p1" not in lab.host.links()


def test_ports_end_by_detach(lab, vnetd):
    guest = lab.guest("vmnet8", name="web1")
    vnetd.ctl("detach", "web1")
    assert "eth0" not in guest.links()
    assert vnetd.json("ports")["ports"] == []


# Speaks QEMU's helper protocol: runs the helper with a socket as descriptor 8 and takes the tap.
RUN_HELPER = """
import array, os, socket, subprocess, sys
mine, its = socket.socketpair()
os.dup2(its.fileno(), 8)
done = subprocess.run([sys.argv[1], *sys.argv[2:], "--use-vnet", "--fd=8", "--br=vmnet8"], pass_fds=(8,))
if done.returncode:
    sys.exit(done.returncode)
_, rights, _, _ = mine.recvmsg(1, socket.CMSG_SPACE(4))
print("tap", len(array.array("i", rights[0][2])), flush=True)
sys.stdin.read()
"""


def run_helper(vnetd, user, *args):
    argv = ["/usr/bin/python3", "-c", RUN_HELPER, daemon.HELPER, f"--run-dir={vnetd.run}", *args]
    return vnetd.host.popen(*argv, user=user, stdin=subprocess.PIPE)


def test_the_helper_gives_a_member_a_tap_that_ends_with_it(lab, vnetd, member, stranger):
    holder = run_helper(vnetd, member, "--mac=52:54:00:01:02:03")
    assert holder.stdout.readline() == b"tap 1\n"
    [port] = vnetd.json("ports")["ports"]
    assert (port["kind"], port["owner"], port["mac"]) == ("helper", member, "52:54:00:01:02:03")
    assert lab.host.links()[port["ifname"]]["master"] == "vmnet8"
    assert vnetd.json("status")["guests"] == 1
    # Killing the engine, then priv too, costs the guest nothing.
    vnetd.kill_and_await("engine")
    vnetd.stop(signal.SIGKILL)
    vnetd.start()
    assert [p["ifname"] for p in vnetd.json("ports")["ports"]] == [port["ifname"]]
    holder.communicate(b"")
    proc.wait_until("the tap is gone", lambda: port["ifname"] not in lab.host.links())
    proc.wait_until("the port is gone", lambda: vnetd.json("ports")["ports"] == [])
    assert b"group vnet" in run_helper(vnetd, stranger).communicate(timeout=10)[1]


def test_a_primary_group_counts_as_well_as_the_others(lab, vnetd, stranger):
    """`sg vnet` makes vnet the primary group of what it runs, and the only one."""
    argv = ["setpriv", f"--reuid={stranger}", "--regid=vnet", "--clear-groups", "--"]
    ctl = ["vnetctl", *vnetd.dirs, "status"]
    assert lab.host.run(*argv, *ctl).rc == 0
    # Without group vnet the socket cannot even be opened; with it one group among many is enough.
    many = ",".join(str(gid) for gid in range(5000, 5100))
    assert lab.host.run(*argv[:3], f"--groups={many}", "--", *ctl).rc == 0


# --- create, delete --------------------------------------------------------------------------------


def test_create_and_delete_leave_the_other_networks_untouched(lab, vnetd):
    lab.guest("vmnet8")
    with Monitor(lab.host) as monitor:
        vnetd.ctl("create", "vmnet6", "nat", "10.181.6.0/24")
        assert state(vnetd, "vmnet6") == "ok"
        vnetd.ctl("delete", "vmnet6")
    assert "vmnet6" not in lab.host.links()
    assert not [line for line in monitor.lines if "vmnet8" in line or "vmnet1" in line]


def test_delete_refuses_while_guests_are_attached(lab, vnetd):
    lab.guest("vmnet8", name="web1")
    refused = vnetd.ctl("delete", "vmnet8", check=False)
    assert refused.rc == 1 and "web1" in refused.err
    assert state(vnetd, "vmnet8") == "ok"
