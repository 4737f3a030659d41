# SPDX-License-Identifier: GPL-2.0-or-later
"""The tools against a real vnetd: vnetctl's verbs, attaching, the bridge helper, vnet-networks.

What they print in detail is compared with golden files in tests/unit/vnetd; here it is whether they
do what they say, for root, for a member of group vnet and for a stranger.
"""

import json
import os
import re
import subprocess

from tests.kit import daemon, ns, proc

MAC = "52:54:00:ab:cd:01"


def rows(text):
    """The rows of a table as dictionaries: every cell is one word, but the last column."""
    head, *lines = text.splitlines()
    names = head.split()
    return [dict(zip(names, line.split(maxsplit=len(names) - 1))) for line in lines]


def port(vnetd, name):
    """The port of that name in JSON, or None."""
    found = [p for p in vnetd.json("ports")["ports"] if p["name"] == name]
    return found[0] if found else None


# --- looking ---------------------------------------------------------------------------------------


def test_tables_and_json_say_the_same(lab, vnetd):
    guest = lab.guest("vmnet8", name="web1")
    lease = guest.dhcp("udhcpc", hostname="web-one")

    table = {r["NETWORK"]: r for r in rows(vnetd.ctl("networks").out)}
    json_rows = {r["name"]: r for r in vnetd.json("networks")["networks"]}
    assert table.keys() == json_rows.keys() >= {"vmnet0", "vmnet1", "vmnet8"}
    for name, row in json_rows.items():
        assert table[name]["SUBNET"] == (row["subnet"] or "-")
        assert table[name]["HOST"] == (row["host"] or "-")
        assert table[name]["GATEWAY"] == (row["gateway"] or "-")
        assert table[name]["GUESTS"] == str(row["guests"])
        assert table[name]["STATE"].startswith(row["state"])
    assert json_rows["vmnet8"]["type"] == "nat" and json_rows["vmnet1"]["type"] == "hostonly"
    assert json_rows["vmnet8"]["guests"] == 1

    [row] = rows(vnetd.ctl("ports").out)
    found = port(vnetd, "web1")
    assert (row["PORT"], row["GUEST"], row["ADDRESS"]) == ("web1", guest.mac, lease.ip)
    assert (found["mac"], found["address"], found["guest"]) == (guest.mac, lease.ip, "web-one")
    assert (found["kind"], found["network"], found["netns"]) == ("netns", "vmnet8", guest.name)

    [row] = rows(vnetd.ctl("leases", "vmnet8").out)
    [found] = vnetd.json("leases")["leases"]
    assert (row["ADDRESS"], row["MAC"], row["NAME"]) == (lease.ip, guest.mac, "web-one")
    assert re.fullmatch(r"in \d+ min", row["ENDS"])
    assert found["address"] == lease.ip and found["state"] == "active"
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["ends"])
    assert found["starts"] < found["ends"]
    assert rows(vnetd.ctl("leases", "vmnet1").out) == []

    for name in ("web-one", "WEB-ONE.vmnet8", guest.mac, "web1"):
        assert vnetd.ctl("ip", name).out == f"{lease.ip}\n"
    assert vnetd.json("ip", "web-one", "--net", "vmnet8")["address"] == lease.ip
    assert "leases" in vnetd.ctl("ip", "web-one.vmnet1", check=False).err

    status = vnetd.ctl("status").out
    assert re.search(r"^vnetd \S+ running \d+ \S+, 3 networks, 1 guest$", status, re.M)
    assert re.search(r"^vmnet8 +NAT +10\.181\.8\.0/24 +\.1 +1/126 +yes +1 +ok$", status, re.M)
    assert re.search(r"^vmnet0 +bridged +- +- +- +- +0 +no uplink$", status, re.M)
    assert vnetd.json("status")["guests"] == 1

    show = vnetd.json("show", "vmnet8")
    assert show["network"]["name"] == "vmnet8" and [p["name"] for p in show["ports"]] == ["web1"]
    assert "web1" in vnetd.ctl("show", "vmnet8").out


def test_forwards_are_listed(lab):
    vnetd = lab.vnetd
    forward = "add_nat_portfwd 8 tcp 8080 10.181.8.10 80 the shop's own\n"
    vnetd.write("networking", daemon.NETWORKING + forward)
    vnetd.start()
    [row] = rows(vnetd.ctl("forward", "list").out)
    assert (row["PROTO"], row["PORT"], row["GUEST"], row["GUEST-PORT"]) == (
        "tcp",
        "8080",
        "10.181.8.10",
        "80",
    )
    assert row["DESCRIPTION"] == "the shop's own"
    [found] = vnetd.json("forward", "list", "vmnet8")["forwards"]
    assert found["port"] == 8080 and found["source"] == "networking"
    assert vnetd.json("forward", "list", "vmnet1")["forwards"] == []


def follow(lab, *args):
    """Starts a verb that goes on; its output so far is read by the returned function."""
    log = lab.tmp / f"{'-'.join(args)}.out"
    lab.host.popen("vnetctl", *lab.vnetd.dirs, *args, log=log)
    return lambda: log.read_text() if log.exists() else ""


def test_watched_leases_come_as_they_are_given(lab, vnetd):
    text = follow(lab, "leases", "--watch")
    values = follow(lab, "leases", "vmnet8", "--watch", "--json")
    proc.wait_until("the header is there", lambda: "ADDRESS" in text())
    lease = lab.guest("vmnet8", mac=MAC).dhcp("udhcpc")
    proc.wait_until("the lease is printed", lambda: f"{lease.ip} " in text())
    proc.wait_until("and as JSON", lambda: lease.ip in values())
    line = next(row for row in text().splitlines() if lease.ip in row)
    assert line.split()[:2] == [lease.ip, MAC]
    value = json.loads(values().splitlines()[0])
    assert (value["address"], value["mac"], value["state"]) == (lease.ip, MAC, "active")


def test_events_are_told_as_they_happen(lab, vnetd):
    text = follow(lab, "events")
    lab.guest("vmnet8", name="web1")
    proc.wait_until("attaching is told", lambda: "port-attached" in text())
    line = next(row for row in text().splitlines() if "port-attached" in row)
    assert re.match(r"\d\d:\d\d:\d\d  vmnet8    port-attached     .*web1", line)
    values = follow(lab, "events", "--json")
    proc.wait_until("what happened lately too", lambda: "port-attached" in values())
    found = [json.loads(row) for row in values().splitlines()]
    event = next(e for e in found if e["event"] == "port-attached")
    assert (event["network"], event["port"]) == ("vmnet8", "web1")


def test_vnetd_that_does_not_run_is_exit_3(lab, vnetd):
    vnetd.stop()
    for verb in (["status"], ["ports", "--json"], ["reload"], ["detach", "web1"]):
        res = vnetd.ctl(*verb, check=False)
        assert res.rc == 3 and res.out == ""
        assert "vnetd does not run" in res.err and "systemctl start vnetd" in res.err
    assert vnetd.ctl("check").rc == 0


# --- changing --------------------------------------------------------------------------------------


def test_create_set_delete(lab, vnetd):
    created = vnetd.ctl("create", "vmnet9", "nat", "10.182.9.0/24").out
    assert created == "vmnet9 NAT 10.182.9.0/24\n"
    assert lab.host.addresses("vmnet9") == ["10.182.9.1/32", "10.182.9.2/32", "10.182.9.254/32"]
    assert "VNET_9_HOSTONLY_SUBNET 10.182.9.0" in vnetd.read("networking")
    assert vnetd.ctl("set", "vmnet9", "mtu", "1400").out == "vmnet9: mtu = 1400\n"
    assert lab.host.links()["vmnet9"]["mtu"] == 1400
    res = vnetd.ctl("set", "vmnet9", "mtu", "20", check=False)
    assert res.rc == 1 and "20" in res.err
    assert vnetd.ctl("delete", "vmnet9").out == "vmnet9 is deleted\n"
    assert "vmnet9" not in lab.host.links()
    res = vnetd.ctl("delete", "vmnet9", check=False)
    assert res.rc == 1 and "vmnet9" in res.err
    chosen = vnetd.ctl("create", "vmnet9").out
    assert re.fullmatch(r"vmnet9 host-only \d+\.\d+\.\d+\.0/24\n", chosen)


def test_wrong_configuration_is_told_with_its_place(lab, vnetd):
    good = vnetd.read("networking")
    vnetd.write("networking", good.replace("10.181.8.0", "10.181.8.300"))
    res = vnetd.ctl("check", check=False)
    assert res.rc == 1
    assert re.search(r'^networking:\d+:\d+: .*"10\.181\.8\.300"$', res.out, re.M)
    last = res.out.splitlines()[-1]
    assert re.match(r"\d+ errors?\. vmnet8 keeps its running configuration; ", last)
    assert "vmnet1" in last.split("configuration")[1] and "not affected" in last
    found = json.loads(vnetd.ctl("check", "--json", check=False).out)
    assert found["errors"] >= 1 and found["diagnostics"][0]["file"] == "networking"

    res = vnetd.ctl("reload", check=False)
    assert res.rc == 1 and "10.181.8.300" in res.err
    assert "10.181.8.1/32" in lab.host.addresses("vmnet8")
    vnetd.write("networking", good)
    assert vnetd.ctl("reload").rc == 0
    assert vnetd.ctl("check").out.startswith("no errors")


def test_check_without_vnetd(lab):
    lab.vnetd.write("networking", daemon.NETWORKING.replace("VNET_8_NAT yes", "VNET_8_NAT maybe"))
    res = lab.vnetd.ctl("check", check=False)
    assert "networking:9:" in res.out and '"maybe"' in res.out


# --- who may what ----------------------------------------------------------------------------------


def test_members_look_and_attach_and_do_not_change(lab, vnetd, member):
    for verb in (["status"], ["networks"], ["ports"], ["leases"], ["forward", "list"], ["check"]):
        assert vnetd.ctl(*verb, user=member).rc == 0
    assert vnetd.json("ports", user=member)["ports"] == []
    for verb in (["reload"], ["create", "vmnet9"], ["delete", "vmnet8"], ["set", "vmnet8", "mtu", "1400"]):
        res = vnetd.ctl(*verb, user=member, check=False)
        assert res.rc == 1 and "this needs root" in res.err
    assert "vmnet8" in lab.host.links()
    out = vnetd.ctl("attach", "vmnet8", "--", "cat", "/proc/self/fdinfo/3", user=member).out
    assert re.search(r"^iff:\s+vmnet8p\d+$", out, re.M)


def test_strangers_learn_what_to_do(vnetd, stranger):
    for verb in (["status"], ["attach", "vmnet8", "--", "true"]):
        res = vnetd.ctl(*verb, user=stranger, check=False)
        assert res.rc == 1
        assert f"sudo usermod -aG vnet {stranger}" in res.err


def test_nobody_detaches_the_ports_of_others(lab, vnetd, member):
    lab.guest("vmnet8", name="web1")
    res = vnetd.ctl("detach", "web1", user=member, check=False)
    assert res.rc == 1 and "not yours" in res.err
    assert vnetd.ctl("detach", "web1").rc == 0
    proc.wait_until("the port is gone", lambda: port(vnetd, "web1") is None)


# --- attach --netns --------------------------------------------------------------------------------


def test_a_namespace_gets_a_link_that_is_up(lab, vnetd):
    by_name, by_path, by_pid = lab.netns("a"), lab.netns("b"), lab.netns("c")
    sleeper = by_pid.popen("sleep", "60")
    proc.wait_until(
        "the process is in there", lambda: any(proc.comm(p) == "sleep" for p in by_pid.pids())
    )
    pid = next(p for p in by_pid.pids() if proc.comm(p) == "sleep")
    assert sleeper.poll() is None

    out = vnetd.ctl("attach", "vmnet8", "--netns", by_name.name, "--mac", MAC, "--name", "web1").out
    assert out == f"web1: eth0 in {by_name.name} on vmnet8, {MAC}\n"
    vnetd.ctl("attach", "vmnet1", f"--netns=/run/netns/{by_path.name}", "--ifname", "lan0")
    vnetd.ctl("attach", "vmnet8", "--netns", str(pid))
    for guest, name in ((by_name, "eth0"), (by_path, "lan0"), (by_pid, "eth0")):
        link = guest.links()[name]
        assert "UP" in link["flags"] and "LOWER_UP" in link["flags"]
        assert guest.addresses(name) == []
    assert by_name.links()["eth0"]["address"] == MAC
    assert vnetd.ctl("detach", "web1").rc == 0
    proc.wait_until("the link is gone", lambda: "eth0" not in by_name.links())


def test_the_owner_of_a_namespace_attaches_it_without_root(lab, vnetd, member):
    holder = lab.host.popen("unshare", "-U", "-r", "-n", "sleep", "60", user=member)
    pid = holder.pid

    def inside():
        here = [p for p in proc.descendants(pid) if proc.comm(p) == "sleep"]
        return here and os.readlink(f"/proc/{here[0]}/ns/net") != os.readlink("/proc/self/ns/net") and here[0]

    sleeper = proc.wait_until("unshare has made its namespaces", inside)
    out = vnetd.ctl("attach", "vmnet8", "--netns", str(sleeper), "--name", "mine", user=member).out
    assert out.startswith(f"mine: eth0 in {sleeper} on vmnet8, ")
    enter = ["nsenter", f"--target={sleeper}", "--user", "--net", "--preserve-credentials"]
    [link] = json.loads(proc.run([*enter, "ip", "-j", "link", "show", "eth0"]).out)
    assert "UP" in link["flags"] and "LOWER_UP" in link["flags"]
    assert port(vnetd, "mine")["owner"] == member
    assert vnetd.ctl("detach", "mine", user=member).rc == 0


def test_a_foreign_namespace_is_refused_before_anything_is_made(lab, vnetd, member):
    guest = lab.netns("g")
    res = vnetd.ctl("attach", "vmnet8", "--netns", guest.name, user=member, check=False)
    assert res.rc == 1 and "no right to enter" in res.err
    assert "eth0" not in guest.links() and vnetd.json("ports")["ports"] == []


def test_a_name_that_is_taken_in_the_namespace(lab, vnetd):
    guest = lab.guest("vmnet8")
    res = vnetd.ctl("attach", "vmnet8", "--netns", guest.name, check=False)
    assert res.rc == 1 and res.err.startswith("vnetctl: ")
    assert vnetd.ctl("attach", "vmnet8", "--netns", guest.name, "--ifname", "eth1").rc == 0


# --- attach -- COMMAND -----------------------------------------------------------------------------

# What a program finds at the descriptors that it inherits: name and flags of the interface.
TAPS = """
import fcntl, os, struct, sys
for fd in os.environ["VNET_TAP_FDS"].split(":"):
    ifr = fcntl.ioctl(int(fd), 0x800454D2, bytes(40))  # TUNGETIFF
    print(fd, ifr[:16].rstrip(b"\\0").decode(), hex(struct.unpack_from("H", ifr, 16)[0]))
sys.stdout.flush()
sys.stdin.read()
"""
IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI, IFF_VNET_HDR = 0x2, 0x100, 0x1000, 0x4000


def test_a_command_gets_a_tap_of_several_queues(lab, vnetd, member):
    argv = ["vnetctl", *vnetd.dirs, "attach", "vmnet8", "--queues", "3", "--mac", MAC]
    argv += ["--name", "vm1", "--", "/usr/bin/python3", "-c", TAPS]
    run = lab.host.popen(*argv, user=member, stdin=subprocess.PIPE)
    found = [run.stdout.readline().split() for _ in range(3)]
    assert [row[0] for row in found] == [b"3", b"4", b"5"]
    ifname = found[0][1].decode()
    for _, name, flags in found:
        assert name.decode() == ifname
        want = IFF_TAP | IFF_MULTI_QUEUE | IFF_NO_PI | IFF_VNET_HDR
        assert int(flags, 16) & want == want
    row = port(vnetd, "vm1")
    assert (row["ifname"], row["kind"], row["mac"], row["queues"]) == (ifname, "attach", MAC, 3)
    assert row["owner"] == member
    assert lab.host.links()[ifname]["master"] == "vmnet8"
    run.communicate(timeout=5)
    assert run.returncode == 0
    proc.wait_until("the tap went with the command", lambda: ifname not in lab.host.links())


def test_a_single_queue_is_no_multiqueue_tap(lab, vnetd):
    run = ["attach", "vmnet8", "--fd", "7", "--", "/usr/bin/python3", "-c", TAPS]
    [fd, _, flags] = vnetd.ctl(*run).out.split()
    assert fd == "7" and not int(flags, 16) & IFF_MULTI_QUEUE


# --- the bridge helper -----------------------------------------------------------------------------


def qemu(netdev):
    """QEMU's command line for a machine that never begins to run."""
    argv = ["qemu-system-x86_64", "-machine", "q35,accel=tcg", "-m", "64", "-S", "-nodefaults"]
    argv += ["-display", "none", "-netdev", netdev, "-device", "virtio-net-pci,netdev=n0"]
    return argv


def test_qemu_gets_a_tap_without_root(lab, vnetd, member):
    helper = f"{daemon.HELPER} --run-dir={vnetd.run} --mac={MAC} --name=vm1"
    run = lab.host.popen(*qemu(f"bridge,id=n0,br=vmnet8,helper={helper}"), user=member)

    def attached():
        assert run.poll() is None, run.communicate()
        return port(vnetd, "vm1")

    row = proc.wait_until("QEMU has its port", attached)
    assert (row["kind"], row["mac"], row["owner"]) == ("helper", MAC, member)
    assert lab.host.links()[row["ifname"]]["master"] == "vmnet8"
    run.terminate()
    proc.wait_until("the tap went with QEMU", lambda: row["ifname"] not in lab.host.links())


def test_qemus_own_netdev_tap_takes_the_helper_too(lab, vnetd, member):
    helper = f"{daemon.HELPER} --run-dir={vnetd.run} --name=vm1"
    run = lab.host.popen(*qemu(f"tap,id=n0,br=vmnet8,helper={helper}"), user=member)
    proc.wait_until("QEMU has its port", lambda: port(vnetd, "vm1"))
    run.terminate()
    run.communicate(timeout=5)


def test_qemu_of_a_stranger_says_what_to_do(lab, vnetd, stranger):
    helper = f"{daemon.HELPER} --run-dir={vnetd.run}"
    argv = qemu(f"bridge,id=n0,br=vmnet8,helper={helper}")
    res = lab.host.run(*argv, user=stranger, check=False)
    assert res.rc != 0
    assert f"sudo usermod -aG vnet {stranger}" in res.err
    res = lab.host.run(*qemu(f"bridge,id=n0,br=virbr0,helper={helper}"), check=False)
    assert res.rc != 0 and "br=vmnet8" in res.err


# --- vnet-networks ---------------------------------------------------------------------------------

STARTED = """Started Bridge networking on vmnet0
Enabled hostonly virtual adapter on vmnet1
Started DHCP service on vmnet1
Started NAT service on vmnet8
Enabled hostonly virtual adapter on vmnet8
Started DHCP service on vmnet8
Started all configured services on all networks
"""
RUNNING = """Bridge networking on vmnet0 is running
DHCP service on vmnet1 is running
Hostonly virtual adapter on vmnet1 is enabled
DHCP service on vmnet8 is running
NAT service on vmnet8 is running
Hostonly virtual adapter on vmnet8 is enabled
All the services configured on all the networks are running
"""
STOPPED = """Stopped Bridged networking on vmnet0
Stopped DHCP service on vmnet1
Disabled hostonly virtual adapter on vmnet1
Stopped DHCP service on vmnet8
Stopped NAT service on vmnet8
Disabled hostonly virtual adapter on vmnet8
Stopped all configured services on all networks
"""


def test_vnet_networks_speaks_like_vmware_networks(lab, member):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)

    def networks(verb, **kw):
        return lab.host.run("vnet-networks", *vnetd.dirs, verb, check=False, **kw)

    def ours():
        return [name for name in lab.host.links() if name.startswith("vmnet")]

    res = networks("--status")
    assert res.rc == 1
    assert res.out.splitlines()[-1] == "Some/All of the configured services are not running"
    assert "NAT service on vmnet8 is not running" in res.out

    res = networks("--start")
    assert (res.rc, res.out, res.err) == (0, STARTED, "")
    res = networks("--status", user=member)
    assert (res.rc, res.out) == (0, RUNNING)
    guest = lab.guest("vmnet8")
    guest.dhcp("udhcpc")
    res = networks("--start")  # runs already: nothing is disturbed
    assert (res.rc, res.out) == (0, STARTED)
    assert "LOWER_UP" in guest.links()["eth0"]["flags"]

    res = networks("--stop")
    assert (res.rc, res.out) == (0, STOPPED)
    assert ours() == []
    assert "inet vnetd" not in lab.host.run("nft", "list", "tables").out
    res = networks("--stop")  # stopped already
    assert (res.rc, res.out) == (0, STOPPED)

    # After a crash, too.
    vnetd.start()
    for pids in vnetd.pids().values():
        for pid in pids:
            proc.kill(pid)
    vnetd.process.wait()
    assert ours() != []
    res = networks("--stop")
    assert (res.rc, res.out) == (0, STOPPED)
    assert ours() == []


def test_a_network_that_fails_fails_the_start(lab):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING.replace("10.181.8.0", "198.51.100.0"))
    res = lab.host.run("vnet-networks", *vnetd.dirs, "--start", check=False)
    assert res.rc == 1
    assert "Started DHCP service on vmnet1" in res.out
    assert "Failed to enable hostonly virtual adapter on vmnet8" in res.out
    assert res.out.splitlines()[-1] == "Failed to start some/all services"
    assert lab.host.run("vnet-networks", *vnetd.dirs, "--stop").rc == 0


def test_postinstall_keeps_away_from_the_host(lab):
    vnetd = lab.vnetd
    argv = ["vnet-networks", f"--config-dir={vnetd.config}", "--postinstall", "vmware-player,0,1"]
    assert lab.host.run(*argv).out == ""
    for n in (1, 8):
        subnet = re.search(rf"VNET_{n}_HOSTONLY_SUBNET (\S+)", vnetd.read("networking")).group(1)
        assert not subnet.startswith("198.51.100.")
        assert ns.nth(f"{subnet}/24", 1) in vnetd.read(f"vmnet{n}/dhcpd/dhcpd.conf")
    vnetd.start()
    assert vnetd.json("networks")["networks"][2]["subnet"].startswith(subnet)


# A systemctl that knows vnetd.service and writes down what it was told.
SYSTEMCTL = """#!/bin/bash
echo "$*" >>/run/told
case $1 in
cat) ;;
is-active) [[ -e /run/active ]] ;;
start) vnetd && touch /run/active ;;
stop) rm -f /run/active; kill "$(cat /run/vnet/vnetd.pid)"
	while [[ -e /proc/$(cat /run/vnet/vnetd.pid) ]]; do sleep 0.02; done ;;
esac
"""

# A machine on which systemd runs, as far as the tools look: /run and /var/lib are its own.
UNDER_SYSTEMD = """
mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/lib
mkdir -p /run/systemd/system /run/bin /etc/vnet
cat >/run/bin/systemctl; chmod +x /run/bin/systemctl
PATH=/run/bin:$PATH
vnet-networks --status >/run/before && exit 9
vnet-networks --start; echo "start $?"
vnet-networks --status >/dev/null; echo "status $?"
vnet-networks --start >/dev/null; echo "again $?"
vnet-networks --stop; echo "stop $?"
grep -v "^cat\\|^is-active" /run/told
grep -c "is-active --quiet vnetd.service" /run/told >/dev/null
[[ ! -e /sys/class/net/vmnet8 ]]
"""


def test_systemd_is_asked_where_it_runs(lab):
    lab.host.run("mkdir", "-p", "/etc/vnet")
    lab.host.write_file("/etc/vnet/networking", daemon.NETWORKING)
    res = lab.host.run("unshare", "--mount", "bash", "-euc", UNDER_SYSTEMD, stdin=SYSTEMCTL)
    asked = "start vnetd.service\nstop vnetd.socket vnetd.service\n"
    want = f"{STARTED}start 0\nstatus 0\nagain 0\n{STOPPED}stop 0\n{asked}"
    assert res.out == want
