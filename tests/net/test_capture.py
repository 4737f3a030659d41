# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures: what tcpdump, other programs and vnetctl capture see, what is in the files, and who may."""

import fnmatch
import json
import os
import re
import signal
import time
from pathlib import Path

import pytest

from tests.kit import frames, proc
from tests.kit.lab import OUTSIDE_ADDRESS
from tests.kit.frames import MARK, BROADCAST, ether

MARKER = "promiscAuthorized"


class Seg:
    """vmnet8 with guests a, b (locked ports) and the host, and packet sockets in their places."""

    def __init__(self, lab, vnetd):
        self.lab, self.vnetd = lab, vnetd
        self.guests = {name: lab.guest("vmnet8", name=name) for name in "ab"}
        self.ends = {}
        for name, guest in self.guests.items():
            guest.run("ip", "link", "set", "eth0", "up")
            self.ends[name] = frames.Wire(guest, "eth0")
        self.ends["host"] = frames.Wire(lab.host, "vmnet8")
        self.mac = {name: end.mac for name, end in self.ends.items()}
        for src, dst in ("ab", "ba"):  # both are known to the bridge and pinned
            self.send(src, ether(self.mac[src], self.mac[dst], MARK, b"hello"))
        proc.wait_until("both guests are pinned", lambda: all(self.pinned(n) for n in "ab"))

    def port(self, name):
        rows = self.vnetd.json("ports")["ports"]
        return next(row for row in rows if row["name"] == name)

    def pinned(self, name):
        return self.port(name)["mac"] == self.mac[name]

    def send(self, who, *sent):
        with frames.one_cpu():
            for frame in sent:
                self.ends[who].send(frame)


@pytest.fixture
def seg(lab, vnetd):
    return Seg(lab, vnetd)


class Running:
    """A capturing program that writes to a file; `said` is what it has printed."""

    def __init__(self, host, argv, path, ready="capturing on", user=None, log=None):
        self.path, self.log = path, log or path.with_suffix(".log")
        self.log.unlink(missing_ok=True)
        self.process = host.popen(*argv, log=self.log, user=user)
        self.wait(ready)

    def wait(self, text, timeout=10):
        def there():
            assert self.process.poll() is None or text in self.said, self.said
            return text in self.said

        proc.wait_until(f"it says {text!r}", there, timeout)

    @property
    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def stop(self, sig=signal.SIGINT):
        if self.process.poll() is None:
            # What is on its way comes within the time for which a block of the ring is kept open.
            time.sleep(0.3)
            os.killpg(self.process.pid, sig)
        return self.process.wait(10)


def capture(vnetd, path, *args, user=None, log=None):
    argv = ["vnetctl", *vnetd.dirs, "capture", "vmnet8", "-w", path, *args]
    return Running(vnetd.host, argv, path, user=user, log=log)


def read(path):
    """All frames of a file as tshark reads it, without a warning: [bytes]."""
    argv = ["tshark", "-r", path, "-T", "json", "-x", "--no-duplicate-keys"]
    res = proc.run(argv, timeout=120)
    noise = [l for l in res.err.splitlines() if "Running as user" not in l and l.strip()]
    assert not noise, noise
    raw = [row["_source"]["layers"]["frame_raw"] for row in json.loads(res.out or "[]")]
    return [bytes.fromhex(r[0] if isinstance(r, list) else r) for r in raw]


def pcap_type(path):
    return re.search(r"File type: +(.*)", proc.run(["capinfos", "-t", path]).out).group(1)


def check_file(path):
    """tshark and capinfos read it without a warning."""
    res = proc.run(["capinfos", "-M", path], timeout=60)
    assert not res.err.strip(), res.err
    return res.out



def ours(path):
    """The frames of these tests in a file, in order."""
    return [f for f in read(path) if f[12:14] == b"\x88\xb5" or f[16:18] == b"\x88\xb5"]


def numbered(seg, src, dst, n=20, size=60, start=0):
    head = len(ether(seg.mac[src], dst))
    return [ether(seg.mac[src], dst, MARK, b"%08d" % (start + i) + bytes(size - head - 8)) for i in range(n)]


def some(seg):
    """Frames of all kinds that a network carries: who sends them, and the frames."""
    a, b, host = (seg.mac[n] for n in ("a", "b", "host"))
    sizes = [ether(a, b, MARK, bytes([n % 251]) * n) for n in (0, 1, 30, 46, 100, 1000, 1486, 1500)]
    yield "a", numbered(seg, "a", b) + sizes
    yield "a", [frames.tagged(f, (0x8100, 7)) for f in numbered(seg, "a", b, 3, start=100)]
    yield "b", numbered(seg, "b", a, start=200) + numbered(seg, "b", host, start=300)
    yield "a", numbered(seg, "a", BROADCAST, start=400)
    yield "host", numbered(seg, "host", a, start=500) + numbered(seg, "host", BROADCAST, start=600)


def test_tcpdump_and_vnetctl_see_every_frame_of_a_network_once(seg, folder):
    """Guest to guest, to and from the host, broadcast, with tags, of all sizes; the ports are locked."""
    theirs, mine = folder / "tcpdump.pcap", folder / "mine.pcapng"
    tcpdump = Running(
        seg.lab.host,
        ["tcpdump", "-Z", "root", "-U", "--immediate-mode", "-B", "8192", "-i", "vmnet8", "-w", theirs],
        theirs,
        ready="listening on",
    )
    run = capture(seg.vnetd, mine)
    sent = []
    for who, batch in some(seg):
        seg.send(who, *batch)
        sent += batch
    assert run.stop() == 0, run.said
    tcpdump.stop()
    assert f"vmnet8, {len(read(mine))} packets, 0 dropped" in run.said
    for path in (mine, theirs):
        got = ours(path)
        assert sorted(got) == sorted(sent), f"{path.name}: {len(got)} of {len(sent)} frames"
    text = check_file(mine)
    for line in ("Name = vmnet8", "Description = NAT network 10.181.8.0/24", "Number of stat entries = 1"):
        assert line in text
    argv = ["tshark", "-r", mine, "-Y", "eth.type==0x88b5", "-T", "fields", "-e", "frame.packet_flags_direction"]
    ways = proc.run([*argv, "-e", "eth.src"]).out.split("\n")[:-1]
    out = [row for row in ways if row.split("\t")[1] == seg.mac["host"]]
    assert out and all(int(row.split("\t")[0], 0) == (2 if row in out else 1) for row in ways)


def test_jumbo_frames_and_segments_that_are_joined(seg, folder):
    """What left a guest is what is captured, as large as it left."""
    mine, theirs = folder / "mine.pcapng", folder / "theirs.pcap"
    host, a, b = seg.lab.host, seg.guests["a"], seg.guests["b"]
    seg.vnetd.ctl("set", "vmnet8", "mtu", "9000")
    for name in "ab":
        proc.wait_until("the port has the MTU", lambda n=name: host.links()[seg.port(n)["ifname"]]["mtu"] == 9000)
    for guest, address in ((a, "10.181.8.70/24"), (b, "10.181.8.80/24")):
        guest.run("ip", "link", "set", "eth0", "mtu", "9000")
        guest.run("ip", "addr", "add", address, "dev", "eth0")
    assert a.ping("10.181.8.80")
    tcpdump = Running(a, ["tcpdump", "-Z", "root", "-U", "--immediate-mode", "-B", "65536", "-i", "eth0", "-w", theirs,
                          "tcp port 5000"], theirs, ready="listening on")
    run = capture(seg.vnetd, mine, "--filter", "tcp port 5000 or ether proto 0x88b5 or (vlan 7 and ether proto 0x88b5)")
    jumbo = [ether(seg.mac["a"], seg.mac["b"], MARK, bytes([n % 251]) * n) for n in (1501, 4000, 8999, 9000)]
    jumbo.append(frames.tagged(jumbo[1], (0x8100, 7)))
    seg.send("a", *jumbo)
    server = b.popen("/usr/bin/python3", "-c", SINK)
    assert server.stdout.readline() == b"ready\n"
    a.run("/usr/bin/python3", "-c", SOURCE)
    assert server.wait(10) == 0
    assert run.stop() == 0, run.said
    tcpdump.stop()
    got, left = read(mine), read(theirs)
    stream = [f for f in got if f[12:14] == b"\x08\x00"]
    assert max(map(len, stream)) > 9014, "nothing was joined"
    assert sum(len(f) for f in stream if f[6:12] == frames.mac(seg.mac["a"])) > 2 << 20
    assert sorted(stream) == sorted(left)
    assert sorted(f for f in got if f not in stream) == sorted(jumbo)


SINK = """
import socket
s = socket.create_server(("10.181.8.80", 5000))
print("ready", flush=True)
c, _ = s.accept()
while c.recv(1 << 20):
    pass
"""
SOURCE = """
import socket
with socket.create_connection(("10.181.8.80", 5000)) as c:
    c.sendall(bytes(range(256)) * 8192)
    c.shutdown(socket.SHUT_WR)
    c.recv(1)
"""


def test_perls_libpcap_lists_and_opens_a_network(seg):
    perl = seg.lab.host.popen("perl", "-e", PERL)
    assert {"vmnet1", "vmnet8"} <= set(perl.stdout.readline().decode().split())
    sent = numbered(seg, "a", seg.mac["b"], 3)
    seg.send("a", *sent)
    got = perl.communicate(timeout=20)[0].decode().split()
    assert [bytes.fromhex(line) for line in got] == sent


PERL = """
use Net::Pcap;
$| = 1;
my ($err, %about, $filter);
my @all = Net::Pcap::findalldevs(\\%about, \\$err);
my $p = Net::Pcap::open_live("vmnet8", 65535, 1, 100, \\$err) or die $err;
Net::Pcap::compile($p, \\$filter, "ether proto 0x88b5", 1, 0) == 0 or die;
Net::Pcap::setfilter($p, $filter);
print join(" ", sort grep { /^vmnet/ } @all), "\\n";
Net::Pcap::loop($p, 3, sub { print unpack("H*", $_[2]), "\\n" }, "");
"""


def test_natted_packets_and_names_for_libpcap(seg, folder):
    path = folder / "nat.pcapng"
    guest = seg.guests["a"]
    lease = guest.dhcp()
    run = capture(seg.vnetd, path, "--filter", "icmp")
    assert guest.ping(OUTSIDE_ADDRESS)
    assert run.stop() == 0, run.said
    argv = ["tshark", "-r", path, "-T", "fields", "-e", "ip.src", "-e", "ip.dst", "-e", "icmp.type"]
    rows = [row.split("\t") for row in proc.run(argv).out.splitlines()]
    address = lease.ip
    assert rows == [[address, OUTSIDE_ADDRESS, "8"], [OUTSIDE_ADDRESS, address, "0"]]
    for argv in (["tshark", "-D"], ["tcpdump", "-D"]):
        assert re.search(r"\bvmnet8\b", seg.lab.host.run(*argv).out)
    found = seg.lab.host.run("/usr/bin/python3", "-c", "from scapy.all import get_if_list; print(get_if_list())").out
    assert "'vmnet8'" in found and "'vmnet1'" in found


def test_filters_counts_and_lengths(seg, folder):
    path = folder / "f.pcapng"
    a, b = seg.mac["a"], seg.mac["b"]
    run = capture(seg.vnetd, path, "--filter", f"ether proto 0x88b5 and ether src {a}", "-c", "5", "--snaplen", "32")
    seg.send("b", *numbered(seg, "b", a, 5))
    sent = numbered(seg, "a", b, 9)
    seg.send("a", *sent)
    assert run.process.wait(10) == 0, run.said
    assert read(path) == [f[:32] for f in sent[:5]]
    # A tag is where it will be when the file is read.
    run = capture(seg.vnetd, path, "--filter", "vlan 7 and ether proto 0x88b5", "-c", "2")
    tagged = [frames.tagged(f, (0x8100, 8 - i % 2)) for i, f in enumerate(sent[:4])]
    seg.send("a", *sent, *tagged)
    assert run.process.wait(10) == 0, run.said
    assert read(path) == [tagged[1], tagged[3]]
    res = seg.vnetd.ctl("capture", "vmnet8", "--filter", "tcp prot 80", check=False)
    assert res.rc == 2 and "tcp prot 80" in res.err and "syntax error" in res.err
    res = seg.vnetd.ctl("capture", "vmnet77", "-w", folder / "none", check=False)
    assert res.rc == 1 and "vmnet77" in res.err


def test_a_tagged_frame_is_cut_behind_what_the_filter_looks_at(seg, folder):
    path = folder / "cut.pcapng"
    a, b = seg.mac["a"], seg.mac["b"]
    wanted, other = frames.udp(a, b, "x" * 90), frames.udp(a, b, "y" * 90, sport=53, dport=53)
    tagged = [frames.tagged(frame, (0x8100, vlan)) for frame in (other, wanted) for vlan in (7, 8)]
    expr = "udp port 4000 or (vlan 7 and udp port 4000)"
    run = capture(seg.vnetd, path, "--filter", expr, "--snaplen", "32", "-c", "3")
    sent = [*tagged, wanted, other, tagged[2]]
    seg.send("a", *sent, *sent)
    assert run.process.wait(10) == 0, run.said
    passed = [tagged[2], wanted, tagged[2]]
    assert read(path) == [frame[:32] for frame in passed]
    lengths = proc.run(["tshark", "-r", path, "-T", "fields", "-e", "frame.len"]).out.split()
    assert lengths == [str(len(frame)) for frame in passed]


def test_a_compiler_of_filters_that_cannot_be_run_is_named(seg, folder):
    compiler = "/usr/libexec/vnet/vnet-capture"
    res = seg.vnetd.host.run(
        "unshare", "--mount", "bash", "-c", f'mount --bind /dev/null {compiler} && exec "$@"', "_",
        "vnetctl", *seg.vnetd.dirs, "capture", "vmnet8", "--filter", "arp", "-w", folder / "none", check=False)
    assert res.rc == 1 and res.err.strip().endswith(f"{compiler}, which compiles filters, cannot be run")


@pytest.mark.parametrize("settled", [False, True], ids=["new", "settled"])
def test_a_port_and_what_its_gate_refuses(seg, folder, settled):
    """settled: its gate has been moved to where it stays (tcx), on kernels that have that."""
    if settled:
        time.sleep(4)
    a, b = seg.mac["a"], seg.mac["b"]
    stranger = "52:54:00:00:00:99"
    passed = numbered(seg, "a", b, 5)
    forged = [ether(stranger, b, MARK, b"forged%02d" % i + bytes(38)) for i in range(3)]
    back = numbered(seg, "b", a, 4, start=50)
    others = numbered(seg, "b", seg.mac["host"], 4, start=90)
    for drops in (False, True):
        path = folder / f"port{drops}.pcapng"
        run = capture(seg.vnetd, path, "--port", "a", *(["--with-drops"] if drops else []))
        seg.send("a", *passed, *forged)
        seg.send("b", *back, *others)
        proc.wait_until("the frames are out", lambda: seg.port("a")["drops"]["forged"] % 3 == 0)
        assert run.stop() == 0, run.said
        assert sorted(ours(path)) == sorted(passed + back + (forged if drops else []))
        check_file(path)
        argv = ["tshark", "-r", path, "-Y", "frame.comment", "-T", "fields", "-e", "frame.comment", "-e", "eth.src"]
        rows = proc.run(argv).out.splitlines()
        assert rows == [f"the port's gate refused it: forged\t{stranger}"] * (3 if drops else 0)
    gone = lambda: "vnet-capture" not in seg.lab.host.links()
    proc.wait_until("the interface for copies is gone", gone)


def test_nobody_manages_the_interface_for_copies(stage):
    """What NetworkManager, systemd-networkd and udev are told of is every interface of ours."""
    keys = {
        "NetworkManager/conf.d/10-vnet.conf": r"match-device=(.*)",
        "systemd/network/10-vnet.network": r"Name=(.*)",
        "systemd/network/10-vnet.link": r"OriginalName=(.*)",
    }
    for path, key in keys.items():
        line = re.search(f"^{key}$", (stage / "usr/lib" / path).read_text(), re.MULTILINE)[1]
        globs = [word.removeprefix("interface-name:") for word in re.split("[; ]", line)]
        for name in ("vmnet8", "vmnet255p3", "vnet-capture"):
            assert any(fnmatch.fnmatchcase(name, glob) for glob in globs), f"{path}: {name}"
        assert not any(fnmatch.fnmatchcase("eth0", glob) for glob in globs)


def test_a_ring_of_files(seg, folder):
    run = capture(seg.vnetd, folder / "r.pcapng", "--ring", "3,16K")
    sent = numbered(seg, "a", seg.mac["b"], 200, size=500)
    for i in range(0, 200, 20):
        seg.send("a", *sent[i : i + 20])
        time.sleep(0.1)
    assert run.stop() == 0, run.said
    paths = [folder / f"r.{i:03}.pcapng" for i in (1, 2, 3)]
    got = set()
    for path in paths:
        check_file(path)
        assert path.stat().st_size < 64 << 10
        got.update(ours(path))
    assert sent[-1] in got and sent[0] not in got and got <= set(sent)
    assert len(got) >= 60


@pytest.mark.parametrize("how", [[], ["--pcap"]], ids=["pcapng", "pcap"])
def test_files_are_whole_after_a_kill_and_on_a_full_disk(seg, folder, how):
    path = folder / "killed.pcapng"
    run = capture(seg.vnetd, path, *how)
    seg.send("a", *numbered(seg, "a", seg.mac["b"], 200, size=1000))
    time.sleep(0.3)
    worker = seg.vnetd.pids()["vnet-capture"][0]
    proc.kill(worker)
    assert run.process.wait(10) == 1
    assert "ended unexpectedly" in run.said
    check_file(path)
    assert len(ours(path)) == 200
    small = folder / "small"
    small.mkdir()
    seg.lab.host.run("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small)
    run = capture(seg.vnetd, small / "full.pcapng", *how, log=folder / "full.log")
    seg.send("a", *numbered(seg, "a", seg.mac["b"], 400, size=1000))
    assert run.process.wait(10) == 1
    assert "No space left on device" in run.said
    path = folder / "full.pcapng"
    seg.lab.host.run("cp", small / "full.pcapng", path)
    check_file(path)
    assert 0 < len(ours(path)) < 400
    assert "vnet-capture" not in seg.vnetd.pids()


def may(vnetd, folder, user):
    """Whether a user's capture begins; the sentence when it does not."""
    path = folder / f"{user}.pcapng"
    folder.chmod(0o777)
    run = Running(
        vnetd.host,
        ["timeout", "-s", "INT", "2", "vnetctl", *vnetd.dirs, "capture", "vmnet8", "-w", path],
        path,
        ready="",
        user=user,
    )
    run.process.wait(10)
    path.unlink(missing_ok=True)
    return "capturing on" in run.said, run.said


def test_who_may_capture(seg, folder, member, stranger):
    vnetd = seg.vnetd
    shared = folder / "shared"
    shared.mkdir()
    marker = vnetd.config / MARKER
    assert may(vnetd, shared, None)[0], "root may not"
    yes, said = may(vnetd, shared, member)
    assert not yes and f"promisc allow capture:{member}" in said
    row = vnetd.json("promisc", "list")["requests"][0]
    assert (row["port"], row["network"], row["state"]) == (f"capture:{member}", "vmnet8", "pending")
    marker.touch()
    proc.wait_until("the marker counts", lambda: may(vnetd, shared, member)[0])
    assert not may(vnetd, shared, stranger)[0]
    marker.unlink()
    proc.wait_until("the marker counts no more", lambda: not may(vnetd, shared, member)[0])
    vnetd.ctl("promisc", "allow", f"capture:{member}", "--once")
    assert may(vnetd, shared, member)[0] and not may(vnetd, shared, member)[0]
    vnetd.ctl("promisc", "allow", f"capture:{member}", "--always")
    assert "capture = yes" in vnetd.read("vnetd.conf") and may(vnetd, shared, member)[0]
    vnetd.ctl("promisc", "revoke", f"capture:{member}")
    assert not may(vnetd, shared, member)[0]
    vnetd.ctl("promisc", "allow", f"capture:{member}", "--for", "1h")
    assert may(vnetd, shared, member)[0]
    # What runs ends with the permission.
    path = shared / "long.pcapng"
    run = capture(vnetd, path, user=member)
    vnetd.ctl("promisc", "revoke", f"capture:{member}")
    assert run.process.wait(10) == 1 and "vnetd ended it" in run.said
    check_file(path)


def test_the_worker_has_no_powers(seg, folder):
    run = capture(seg.vnetd, folder / "x.pcapng")
    pid = seg.vnetd.pids()["vnet-capture"][0]
    status = proc.status(pid)
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0
    assert status["Seccomp"].strip() == "2" and int(status["Seccomp_filters"]) >= 2
    assert os.listdir(f"/proc/{pid}/root") == []
    assert run.stop() == 0


def rings(vnetd):
    """MiB of memory that each worker shares with its socket, ascending."""
    maps = [Path(f"/proc/{pid}/maps").read_text() for pid in vnetd.pids().get("vnet-capture", [])]
    spans = [re.search(r"^(\w+)-(\w+) rw-s .* socket:", text, re.MULTILINE) for text in maps]
    return sorted((int(s[2], 16) - int(s[1], 16)) >> 20 for s in spans if s)


def test_further_captures_of_a_user_take_little_memory(seg, folder):
    runs = [capture(seg.vnetd, folder / f"{i}.pcapng") for i in range(3)]
    assert rings(seg.vnetd) == [8, 8, 64]
    sent = numbered(seg, "a", seg.mac["b"])
    seg.send("a", *sent)
    for run in runs:
        assert run.stop() == 0, run.said
        assert ours(run.path) == sent
    last = capture(seg.vnetd, folder / "last.pcapng")
    assert rings(seg.vnetd) == [64]
    assert last.stop() == 0


def test_sniffer_lines_and_top(seg, folder):
    log = folder / "sniff.log"
    host = seg.lab.host
    a, b = seg.mac["a"], seg.mac["b"]
    udp = frames.udp(a, b, "hello")
    for path, wanted in (("/usr/bin:/bin:/usr/sbin", "10.181.8.70.4000 > 10.181.8.80.4000: UDP"), (None, None)):
        only = folder / "only"
        only.mkdir(exist_ok=True)
        env = ["env", f"PATH={path or only}"]
        log.write_text("")
        argv = [*env, "/usr/bin/vnet-sniffer", f"--run-dir={seg.vnetd.run}", "-e", "/dev/vmnet8"]
        run = Running(host, argv, folder / "sniff.x", ready="capturing on")
        seg.send("a", udp)
        run.wait(wanted or "udp 10.181.8.70:4000 > 10.181.8.80:4000 5 bytes")
        assert a in run.said and b in run.said
        assert run.stop() == 0
        run.log.unlink()
    path = folder / "sniff.pcap"
    argv = ["vnet-sniffer", f"--run-dir={seg.vnetd.run}", "-w", path, "vmnet8"]
    run = Running(host, argv, path)
    sent = numbered(seg, "a", b, 50)
    seg.send("a", *sent, frames.tagged(sent[0], (0x8100, 7)))
    assert run.stop() == 0, run.said
    assert "nanosecond pcap" in pcap_type(path)
    assert sorted(ours(path)) == sorted([*sent, frames.tagged(sent[0], (0x8100, 7))])
    res = host.run("vnet-sniffer", "vmnet8", "-e", check=False)
    assert res.rc == 2 and "options stand before" in res.err
    top = host.popen("vnetctl", *seg.vnetd.dirs, "top", "vmnet8", "--json", "--interval", "2", "--count", "2")
    for _ in range(30):
        seg.send("a", udp)
        time.sleep(0.1)
    out = top.communicate(timeout=20)[0].decode()
    rows = [json.loads(line) for line in out.splitlines()]
    talks = [t for row in rows for t in row["conversations"] if t["a"] == "10.181.8.70:4000"]
    assert talks and talks[0]["protocol"] == "udp" and talks[0]["b"] == "10.181.8.80:4000"
    ports = {p["port"]: p for p in rows[0]["ports"]}
    assert ports["a"]["from_guest_packets_s"] > 1 and ports["b"]["to_guest_packets_s"] > 1
    text = seg.vnetd.ctl("top", "vmnet8", "--interval", "1", "--count", "1").out
    assert text.startswith("PORT") and "\na " in text


def test_wireshark_lists_and_captures_as_an_ordinary_user(seg, folder, member):
    vnetd, host = seg.vnetd, seg.lab.host
    env = ["env", f"VNET_RUN_DIR={vnetd.run}", "HOME=/tmp"]
    listed = host.run(*env, "tshark", "-D", user=member).out
    assert re.search(r"vnet-vmnet8 \(vmnet8: .*NAT network 10\.181\.8\.0/24\)", listed), listed
    assert re.search(r"vnet-vmnet8p\d+ \(vmnet8 port a: ", listed), listed
    vnetd.ctl("promisc", "allow", f"capture:{member}", "--for", "1h")
    sent = numbered(seg, "a", seg.mac["b"], 3)
    path = folder / "tshark.x"
    argv = [*env, "tshark", "-l", "-i", "vnet-vmnet8", "-f", "ether proto 0x88b5", "-c", "3", "-T", "fields", "-e", "eth.src", "-e", "data.data"]
    run = Running(host, argv, path, ready="Capturing on", user=member)
    proc.wait_until("it captures", lambda: "vnet-capture" in vnetd.pids(), 20)
    time.sleep(0.5)
    seg.send("a", *sent)
    assert run.process.wait(30) == 0, run.said
    for frame in sent:
        assert f"{seg.mac['a']}\t{frame[14:].hex()}" in run.said
