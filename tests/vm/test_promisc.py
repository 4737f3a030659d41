# SPDX-License-Identifier: GPL-2.0-or-later
"""A real guest that switches its card to promiscuous mode, and a nested hypervisor in it.

QEMU tells of the guest's receive filter, `vnetctl attach` has started the watcher. What a person
would see on the host meanwhile is the transcript in docs/promiscuous.md: this test types the
commands that stand there, and their output must be what stands there.
"""

import itertools
import re
import shutil
import threading
import time
from pathlib import Path

import pytest

from tests.kit import frames, ports, proc, vm
from tests.kit.frames import udp

B, C, GUEST, NESTED = "52:54:00:00:00:0b", "52:54:00:00:00:0c", "52:54:00:12:34:56", "52:54:00:99:00:01"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs/promiscuous.md"
AT_ONCE = 0.1  # seconds from the marker's coming or going to the first, or after the last, copy
PRELUDE = """
echo tcpdump:x:0:0::/: >/etc/passwd
ip() { /usr/sbin/ip "$@"; }
lease
"""
MODULES = ["net/llc/llc", "net/802/stp", "net/bridge/bridge", "drivers/net/veth"]


class Transcript:
    """Runs the commands of the document's transcript, one after the other."""

    def __init__(self, lab, owner):
        self._lab, self._owner, self.wrong = lab, owner, []
        text = DOCUMENT.read_text().split("<!-- transcript -->")[1]
        lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
        starts = [i for i, line in enumerate(lines) if line.startswith("$ ")] + [len(lines)]
        self._turns = [
            (lines[a][2:], "\n".join(lines[a + 1 : b]).rstrip()) for a, b in zip(starts, starts[1:])
        ]
        self.written = []

    def turn(self, command):
        """The next command must be this one; its output is compared."""
        assert self._turns, f"the document ends before: {command}"
        documented, wanted = self._turns.pop(0)
        assert documented == command, f"the document has: {documented}"
        config = str(self._lab.vnetd.config)
        words = command.replace("/etc/vnet/", f"{config}/").split()
        if words[0] == "sudo":
            words = words[1:]
        if words[0] == "vnetctl":
            words[1:1] = self._lab.vnetd.dirs
        res = self._lab.host.run(*words, check=False)
        out = (res.out + res.err).rstrip().replace(config, "/etc/vnet").replace(self._owner, "alice")
        self.written.append(f"$ {command}\n{out}".rstrip())
        if timeless(out) != timeless(wanted):
            self.wrong.append(f"$ {command}\n{out}\n--- the document has\n{wanted}")

    def end(self):
        print("\n".join(self.written))
        assert not self.wrong, "\n\n".join(self.wrong)
        assert not self._turns, f"the document goes on: {self._turns}"


def timeless(text):
    """Without what differs from run to run: times, counters, addresses from the pool."""
    text = re.sub(r"\b\d+ ?s( ago)?(?=,|\s|$)", "AGO", text)
    text = re.sub(r"\bfor (\d+ min|1 h)\b", "FOR", text)
    text = re.sub(r"\b10\.181\.8\.\d+", "ADDRESS", text)
    text = re.sub(r"\b\d+(: \d+)? forged", "N forged", text)
    return re.sub(r" +", " ", text).strip()


class Talk:
    """b talks to c, a numbered datagram every 2 ms; `copies` of them left by the guest's tap, at these times."""

    def __init__(self, seg, tap):
        self._seg, self._stop = seg, threading.Event()
        self._tap = frames.Wire(seg.lab.host, tap, outgoing=True)
        self.copies = {}
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._send, self._see)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        for n in itertools.count():
            if self._stop.wait(0.002):
                return
            self._seg.ends["b"].send(udp(B, C, f"talk{n:08}", "10.181.8.80", "10.181.8.81"))

    def _see(self):
        while not self._stop.wait(0.001):
            now = time.time()
            for frame in self._tap.drain():
                found = re.search(rb"talk(\d{8})", frame)
                if found:
                    self.copies.setdefault(int(found.group(1)), []).append(now)

    def first_after(self, moment):
        times = [t for seen in list(self.copies.values()) for t in seen if t >= moment]
        return min(times, default=None)

    def last(self):
        return max((t for seen in list(self.copies.values()) for t in seen), default=0.0)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(5)


@pytest.fixture
def seg(lab, vnetd):
    made = ports.Segment(lab)
    made.guest("b", B)
    made.guest("c", C)
    made.address("b", 80)
    return made


@pytest.fixture
def shell(lab, vnetd, seg, folder, member):
    place = folder / "guest"
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    attach = ["vnetctl", *vnetd.dirs, "attach", "vmnet8", "--name", "ids", "--"]
    guest = vm.Shell(
        lab.host, place, attach=attach, mac=GUEST, user=member, qmp=place / "vnet-ids.sock",
        prelude=PRELUDE, modules=MODULES,
        tools={"/usr/sbin/ip": shutil.which("ip"), "/usr/sbin/tcpdump": shutil.which("tcpdump")},
    )
    guest.machine.wait("lease", 90)
    yield guest
    proc.kill_group(guest.machine.process.pid)


def heard_by_guest(shell, seconds=2):
    """Numbers of the datagrams of b's talk that the guest's card lets in during that time."""
    shell(f"timeout -s INT {seconds} tcpdump -p -n -i eth0 -w /tmp/talk udp port 4000; true")
    text = shell("tcpdump -n -A -r /tmp/talk 2>/dev/null | grep -o 'talk[0-9]*'; true")
    return [int(word[4:]) for word in text.split() if word.startswith("talk") and len(word) == 12]


def once(numbers):
    assert len(numbers) == len(set(numbers)), "some frames came twice"
    return len(numbers)


@pytest.fixture
def talk(vnetd, seg, shell):
    made = Talk(seg, ports.wait(vnetd, "ids", policy="sticky", mac=GUEST)["ifname"])
    yield made
    made.stop()


def test_a_guest_asks_and_the_administrator_decides(lab, vnetd, seg, shell, talk, member):
    story = Transcript(lab, member)
    marker = vnetd.config / "promiscAuthorized"
    seg.ends["c"].until(lambda frame: b"talk" in frame)

    # It asks; nothing changes for it.
    shell("ip link set eth0 promisc on")
    ports.wait(vnetd, "ids", promiscuous="pending")
    story.turn("vnetctl ports")
    story.turn("vnetctl promisc list")
    assert heard_by_guest(shell) == [] and not talk.copies

    # The marker: at once, each frame once, in both directions of the network.
    story.turn("sudo touch /etc/vnet/promiscAuthorized")
    moment = marker.stat().st_ctime
    first = proc.wait_until("a copy comes", lambda: talk.first_after(moment))
    print(f"granted after {(first - moment) * 1000:.0f} ms")
    assert first - moment <= AT_ONCE
    story.turn("vnetctl promisc list")
    assert once(heard_by_guest(shell)) > 100

    # A bridge in the guest, and a guest of its own behind it.
    shell("ip addr flush dev eth0; ip link add br0 type bridge forward_delay 0 mcast_snooping 0")
    shell("ip link set eth0 master br0; ip link set br0 up; mkdir -p /run; ip netns add inner")
    shell(f"ip link add in0 type veth peer name eth0 address {NESTED} netns inner")
    shell("ip link set in0 master br0 up; ip -n inner addr add 10.181.8.70/24 dev eth0")
    shell("ip -n inner link set eth0 up")
    ping = "ip netns exec inner ping -c 1 -W 2 10.181.8.80"
    proc.wait_until("the nested guest is heard", lambda: shell(ping, check=False)[0] == 0, 20)
    assert seg.guests["b"].ping("10.181.8.70", count=2)
    story.turn("vnetctl ports")

    # Revoked: at once again, and the request stays.
    story.turn("sudo rm /etc/vnet/promiscAuthorized")
    moment = vnetd.config.stat().st_mtime
    proc.wait_until("no copy comes any more", lambda: time.time() - talk.last() > 1)
    print(f"revoked after {(talk.last() - moment) * 1000:.0f} ms")
    assert talk.last() - moment <= AT_ONCE
    assert heard_by_guest(shell) == []
    assert shell(ping, check=False)[0] != 0, "a nested guest got through without a grant"

    # This guest alone, for an hour; and the milder way: one address more, and no look at others.
    story.turn("vnetctl promisc allow ids --for 1h")
    proc.wait_until("the nested guest is heard", lambda: shell(ping, check=False)[0] == 0, 20)
    assert once(heard_by_guest(shell)) > 100
    story.turn("vnetctl promisc list")
    story.turn("vnetctl port ids set mac-learning 4")
    proc.wait_until("the nested guest is heard", lambda: shell(ping, check=False)[0] == 0, 20)
    assert heard_by_guest(shell) == []
    story.turn("vnetctl port ids")
    story.turn("vnetctl promisc revoke ids")
    proc.wait_until("it is over", lambda: shell(ping, check=False)[0] != 0, 20)

    # The guest asks no longer.
    story.turn("vnetctl port ids set mac-learning default")
    shell("ip link set eth0 nomaster; ip link set eth0 promisc off")
    ports.wait(vnetd, "ids", promiscuous="no")
    story.turn("vnetctl promisc list")
    story.end()
