# SPDX-License-Identifier: GPL-2.0-or-later
"""From start to DHCP answering on N networks, and the memory of the whole tree.

Ours: vnetd with N NAT networks. Beside it in the same run: a script that makes a bridge, loads one nft
file and starts one dnsmasq (libvirt's options) for each network, and libvirtd with N networks started by
virsh (STP off: its default costs 4 s more). The probe (dhcpprobe.c) plugs a veth into each network as soon
as its bridge is there and asks until it is answered; dnsmasq is asked by INIT-REBOOT, since it holds
a new client's first OFFER back for 3 s.
"""

import contextlib
import os
import pathlib
import subprocess
import tempfile
import time

from kit import daemon, lab, ns, proc
from table import Table

TARGET_MS = {2: 80, 16: 150, 100: 600}
TARGET_PSS_MB = {2: 12, 100: 16}
LIBVIRT_NETS = (2, 16)
REPEAT = 5


def subnet(n):
    """The first three numbers of network n's /24; dhcpprobe.c counts the same way."""
    return f"10.{80 + n // 250}.{n % 250}"


def networking(numbers):
    text = ["VERSION=1,0"]
    for n in numbers:
        text += [
            f"answer VNET_{n}_DHCP yes",
            f"answer VNET_{n}_HOSTONLY_NETMASK 255.255.255.0",
            f"answer VNET_{n}_HOSTONLY_SUBNET {subnet(n)}.0",
            f"answer VNET_{n}_NAT yes",
            f"answer VNET_{n}_VIRTUAL_ADAPTER yes",
        ]
    return "\n".join(text) + "\n"


def pss_mb(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(next(r for r in text.splitlines() if r.startswith("Pss:")).split()[1])
    return total / 1024


class Bench:
    """A host namespace, a guest namespace, and a veth between them for each network."""

    def __init__(self, tmp, stage, first, count):
        self.first, self.count = first, count
        self.host = ns.Host(f"vb{os.getpid()}h", tmp / "host", stage)
        self.guests = ns.Netns(f"vb{os.getpid()}g")
        make = "".join(
            f"link add pg{i} netns {self.guests.name} type veth peer name pt{i}\n"
            f"link set pt{i} up\n"
            for i in range(first, first + count)
        )
        self.host.run("ip", "-batch", "-", stdin=make, timeout=60)
        up = "".join(f"link set pg{i} up\n" for i in range(first, first + count))
        self.guests.run("ip", "-batch", "-", stdin=up, timeout=60)
        time.sleep(1.5)  # the kernel's link watch settles carriers once a second

    def probe(self, program, mode, bridge):
        """Gets a probe ready; go() starts its clock, finish() reads its answer."""
        args = [mode, f"/run/netns/{self.guests.name}", 60000, self.first, self.count, bridge, 80]
        probe = self.host.popen(program, *args, stdin=subprocess.PIPE)
        if probe.stdout.readline() != b"ready\n":
            raise AssertionError(probe.stderr.read().decode())
        return probe

    @staticmethod
    def go(probe):
        probe.stdin.write(b"%d\n" % time.time_ns())
        probe.stdin.flush()

    @staticmethod
    def finish(probe):
        out, err = probe.communicate(timeout=70)
        fields = dict(word.split("=") for word in out.decode().split())
        done, asked = fields["answered"].split("/")
        if done != asked:
            raise AssertionError(f"DHCP answered on {done} of {asked} networks\n{err.decode()}")
        return float(fields["last"])

    def close(self):
        self.host.delete()
        self.guests.delete()


@contextlib.contextmanager
def bench(stage, first, count):
    with tempfile.TemporaryDirectory(prefix="vb-") as folder:
        tmp = pathlib.Path(folder)
        tmp.chmod(0o755)
        made = Bench(tmp, stage, first, count)
        try:
            yield made, tmp
        finally:
            made.close()


def ours(program, stage, count):
    """(milliseconds, MB)"""
    first = 8
    with bench(stage, first, count) as (b, tmp):
        vnetd = daemon.Vnetd(b.host, tmp)
        vnetd.write("networking", networking(range(first, first + count)))
        # The peers' files are written beforehand too: one start that makes ours, then nothing is left.
        vnetd.start()
        vnetd.stop()
        vnetd.teardown()
        time.sleep(1 + count / 25)
        probe = b.probe(program, "d", "vmnet")
        b.go(probe)
        vnetd.start(wait=False)
        last = b.finish(probe)
        vnetd.wait_ready()
        time.sleep(0.3)
        pss = pss_mb(pid for pids in vnetd.pids().values() for pid in pids)
        vnetd.stop()
        return last, pss


DNSMASQ = """strict-order
pid-file={tmp}/d{i}.pid
except-interface=lo
bind-dynamic
interface=pb{i}
dhcp-range={net}.2,{net}.254,255.255.255.0
dhcp-no-override
dhcp-authoritative
dhcp-lease-max=253
user=root
no-resolv
dhcp-leasefile={tmp}/d{i}.leases
"""
NFT = """table ip pb{i} {{
 chain i {{ type filter hook input priority 0; iifname pb{i} udp dport {{ 53, 67 }} accept; }}
 chain f {{ type filter hook forward priority 0
  oifname pb{i} ip daddr {net}.0/24 ct state established,related accept
  iifname pb{i} ip saddr {net}.0/24 accept
  iifname pb{i} reject
  oifname pb{i} reject
 }}
 chain p {{ type nat hook postrouting priority srcnat
  ip saddr {net}.0/24 ip daddr != {net}.0/24 masquerade
 }}
}}
"""


def dnsmasq(program, count):
    """(milliseconds, MB): one bridge, nft table and dnsmasq for each network, by a shell script."""
    first = 8
    with bench(None, first, count) as (b, tmp):
        script = ["set -eu"]
        for i in range(first, first + count):
            net = subnet(i)
            (tmp / f"d{i}.conf").write_text(DNSMASQ.format(tmp=tmp, i=i, net=net))
            (tmp / f"f{i}.nft").write_text(NFT.format(i=i, net=net))
            (tmp / f"b{i}.ip").write_text(
                f"link add pb{i} type bridge stp_state 0 forward_delay 0\n"
                f"addr add {net}.1/24 dev pb{i}\nlink set pb{i} up\n"
            )
            script.append(f"ip -batch {tmp}/b{i}.ip; nft -f {tmp}/f{i}.nft; dnsmasq -C {tmp}/d{i}.conf")
        (tmp / "up.sh").write_text("\n".join(script) + "\n")
        probe = b.probe(program, "r", "pb")
        b.go(probe)
        b.host.run("sh", tmp / "up.sh", timeout=60)
        last = b.finish(probe)
        running = [p for p in b.host.pids() if proc.comm(p) == "dnsmasq"]
        return last, pss_mb(running)


LIBVIRT = r"""
set -eu
for d in /run/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt; do
	mkdir -p $d; mount -t tmpfs tmpfs $d
done
mkdir -p /var/lib/libvirt/dnsmasq /etc/libvirt/qemu/networks
rm -f /etc/libvirt/qemu/networks/*.xml /etc/libvirt/qemu/networks/autostart/*
sysctl -qw net.ipv4.ip_forward=1
printf 'unix_sock_group = "root"\nauth_unix_rw = "none"\nauth_unix_ro = "none"\n' >$TMP/lv.conf
libvirtd -f $TMP/lv.conf -p $TMP/lv.pid >$TMP/lv.out 2>&1 &
for i in $(seq 200); do
	virsh -q -c qemu:///system net-list --all >/dev/null 2>&1 && break
	sleep .1
done
for i in $(seq $FIRST $LAST); do
	virsh -q -c qemu:///system net-define $TMP/n$i.xml >/dev/null
	echo "net-start pb$i" >>$TMP/starts
done
echo ready
read -r go
virsh -q -c qemu:///system <$TMP/starts >$TMP/virsh.out 2>&1
echo started
sleep 60
"""
LIBVIRT_NET = """<network><name>pb{i}</name><bridge name='pb{i}' stp='off' delay='0'/>
<forward mode='nat'/><ip address='{net}.1' netmask='255.255.255.0'>
<dhcp><range start='{net}.2' end='{net}.254'/></dhcp></ip></network>
"""


def libvirt(program, count):
    """Milliseconds from the first net-start (libvirtd being up already) to the last answer."""
    first = 8
    with bench(None, first, count) as (b, tmp):
        for i in range(first, first + count):
            (tmp / f"n{i}.xml").write_text(LIBVIRT_NET.format(i=i, net=subnet(i)))
        env = {**os.environ, "TMP": str(tmp), "FIRST": str(first), "LAST": str(first + count - 1)}
        shell = b.host.popen("bash", "-c", LIBVIRT, env=env, stdin=subprocess.PIPE)
        if shell.stdout.readline() != b"ready\n":
            raise AssertionError("libvirtd did not start: " + (tmp / "lv.out").read_text())
        probe = b.probe(program, "r", "pb")
        b.go(probe)
        shell.stdin.write(b"go\n")
        shell.stdin.flush()
        return b.finish(probe)


def measure(*, tools, raw, pairs):
    """pairs is not used: start-up is measured REPEAT times, interleaved with the peers."""
    del pairs
    probe = tools / "dhcpprobe"
    lab.need_users()
    stage = daemon.stage()
    table = Table("bringup: start to DHCP on all networks", raw)
    got = {}
    for _ in range(REPEAT):
        for count in TARGET_MS:
            time.sleep(1)  # deleting namespaces goes on in the background and holds rtnl
            ms, mb = ours(probe, stage, count)
            table.raw(who="vnetd", networks=count, ms=ms, pss_mb=round(mb, 2))
            got.setdefault(("vnetd", count), []).append((ms, mb))
            time.sleep(1)
            ms, mb = dnsmasq(probe, count)
            table.raw(who="dnsmasq", networks=count, ms=ms, pss_mb=round(mb, 2))
            got.setdefault(("dnsmasq", count), []).append((ms, mb))
            if count in LIBVIRT_NETS:
                time.sleep(1)
                ms = libvirt(probe, count)
                table.raw(who="libvirt", networks=count, ms=ms)
                got.setdefault(("libvirt", count), []).append((ms, 0))
    for count, limit in TARGET_MS.items():
        table.at_most(f"vnetd, {count} networks", [x for x, _ in got["vnetd", count]], limit, "ms")
        table.info(f"dnsmasq by script, {count}", [x for x, _ in got["dnsmasq", count]], "ms")
        if count in LIBVIRT_NETS:
            table.info(f"libvirt, {count}", [x for x, _ in got["libvirt", count]], "ms")
    for count, limit in TARGET_PSS_MB.items():
        mem = [y for _, y in got["vnetd", count]]
        table.at_most(f"memory (PSS), {count} networks", mem, limit, "MB")
        mem = [y for _, y in got["dnsmasq", count]]
        table.info(f"dnsmasq's memory (PSS), {count}", mem, "MB")
    return table
