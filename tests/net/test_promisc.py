# SPDX-License-Identifier: GPL-2.0-or-later
"""Promiscuous mode: who gets it, by whose word, what a granted port sees, and what stays as it was."""

import os
import re
import statistics
import threading
import time

import pytest

from tests.kit import frames, ports, proc
from tests.kit.frames import BROADCAST, MARK, ether, udp

B, C, P, Q = (f"52:54:00:00:00:0{last}" for last in "bcde")
NESTED = "52:54:00:99:00:01"
MARKER = "promiscAuthorized"


@pytest.fixture
def seg(lab, vnetd):
    """vmnet8 with neighbours b and c, and guest p, which has not asked for anything."""
    made = ports.Segment(lab)
    for name, mac in (("b", B), ("c", C), ("p", P)):
        made.guest(name, mac)
    return made


def sees(seg, who="p"):
    """Whether a frame from b to c comes to p as well, and only once."""
    got = seg.goes("b", udp(B, C, "not for you"))
    assert got.pop("c") == 1 and set(got) <= {who} and got.get(who, 0) <= 1, got
    return bool(got)


def state(vnetd, port="p"):
    return ports.row(vnetd, port)["promiscuous"]


def becomes(seg, wanted, port="p"):
    """Waits until the port is in that state, and sees what it may."""
    proc.wait_until(f"{port} is {wanted}", lambda: state(seg.vnetd, port) == wanted)
    proc.wait_until(
        f"{port} sees what it may", lambda: sees(seg, port) == (wanted == "granted")
    )


def requests(vnetd, *args, **kw):
    """`vnetctl promisc list`, by port."""
    return {r["port"]: r for r in vnetd.json("promisc", "list", *args, **kw)["requests"]}


# --- the marker ------------------------------------------------------------------------------------


class Chatter:
    """A numbered frame from b to c every millisecond, and when each came to p."""

    def __init__(self, seg):
        self._seg, self._stop = seg, threading.Event()
        self.sent, self.came = 0, {}
        seg.ends["p"].drain()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._send, self._see)]
        for thread in self._threads:
            thread.start()

    def _send(self):
        wire = self._seg.ends["b"]
        with frames.one_cpu():
            while not self._stop.wait(0.001):
                wire.send(ether(B, C, MARK, b"chat%08d" % self.sent))
                self.sent += 1

    def _see(self):
        while not self._stop.wait(0.0005):
            now = time.monotonic()
            for frame in self._seg.ends["p"].drain():
                if frame[14:18] == b"chat":
                    self.came.setdefault(int(frame[18:26]), []).append(now)

    def first_after(self, moment):
        later = [t for times in list(self.came.values()) for t in times if t >= moment]
        return min(later, default=None)

    def last(self):
        return max((t for times in list(self.came.values()) for t in times), default=0.0)

    def quiet(self, ms=300):
        """Waits until nothing has come for so long."""
        proc.wait_until("no copy comes any more", lambda: time.monotonic() - self.last() > ms / 1000)

    def stop(self):
        self._stop.set()
        for thread in self._threads:
            thread.join(5)


def test_the_marker_grants_and_revokes_at_once(seg, vnetd):
    marker = vnetd.config / MARKER
    vnetd.ctl("promisc", "request", "p")
    assert state(vnetd) == "pending" and not sees(seg)
    events = ports.Events(seg.lab)
    chatter = Chatter(seg)
    granted, revoked = [], []
    for _ in range(5):
        moment = time.monotonic()
        marker.touch()
        first = proc.wait_until("a copy comes", lambda: chatter.first_after(moment))
        granted.append((first - moment) * 1000)
        seen = len(chatter.came)
        proc.wait_until("copies come", lambda: len(chatter.came) > seen + 50)
        moment = time.monotonic()
        marker.unlink()
        chatter.quiet()
        revoked.append(max(0.0, chatter.last() - moment) * 1000)
    chatter.stop()
    for what, times in (("granted", granted), ("revoked", revoked)):
        print(f"{what} after {' '.join(f'{t:.1f}' for t in times)} ms")
        assert statistics.median(times) <= 100, f"{what} after {times} ms"
    twice = [n for n, times in chatter.came.items() if len(times) != 1]
    assert not twice, f"{len(twice)} of {len(chatter.came)} frames came more than once"
    assert len(events("promisc-granted", "p")) == len(events("promisc-revoked", "p")) == 5
    assert f"{MARKER} exists" in vnetd.log_text() and f"{MARKER} is gone" in vnetd.log_text()
    assert state(vnetd) == "pending", "the request was forgotten"


def test_a_granted_port_misses_no_frame_between_touch_and_rm(seg, vnetd):
    vnetd.ctl("promisc", "request", "p")
    chatter = Chatter(seg)
    (vnetd.config / MARKER).touch()
    proc.wait_until("copies come", lambda: len(chatter.came) > 500)
    vnetd.kill_and_await("engine")
    vnetd.ctl("reload")
    seen = len(chatter.came)
    proc.wait_until("copies come still", lambda: len(chatter.came) > seen + 200)
    chatter.stop()
    numbers = sorted(chatter.came)
    missing = set(range(numbers[0], numbers[-1] + 1)) - set(numbers)
    assert not missing, f"{len(missing)} of {len(numbers)} frames were not copied"
    assert all(len(times) == 1 for times in chatter.came.values())


def hard_link(path, elsewhere):
    elsewhere.touch()
    os.link(elsewhere, path)


def owned(path, uid):
    path.touch()
    os.chown(path, uid, 0)


def with_mode(path, mode):
    path.touch()
    path.chmod(mode)


def test_a_marker_that_does_not_count_is_named_with_the_reason(seg, vnetd, folder):
    marker, elsewhere = vnetd.config / MARKER, folder / "elsewhere"
    vnetd.ctl("promisc", "request", "p")
    bad = {
        "a link that points to a good file": (
            lambda: (elsewhere.touch(), marker.symlink_to(elsewhere)), "not a regular file"),
        "a folder": (marker.mkdir, "not a regular file"),
        "a pipe": (lambda: os.mkfifo(marker), "not a regular file"),
        "a file with a second name": (lambda: hard_link(marker, elsewhere), "2 names"),
        "a file of somebody else": (lambda: owned(marker, 12345), "uid 12345"),
        "a file that its group may write": (lambda: with_mode(marker, 0o664), "mode 0664"),
        "a file that all may write": (lambda: with_mode(marker, 0o646), "mode 0646"),
    }
    for what, (make, reason) in bad.items():
        before = len(vnetd.log_text())
        make()
        said = lambda: re.search(rf"{MARKER} does not count: .*", vnetd.log_text()[before:])
        line = proc.wait_until(f"the log speaks of {what}", said).group()
        assert reason in line, f"{what}: {line}"
        assert state(vnetd) == "pending" and not sees(seg), what
        marker.rmdir() if what == "a folder" else marker.unlink()
        elsewhere.unlink(missing_ok=True)
    # The same file, made right while it lies there.
    with_mode(marker, 0o666)
    assert state(vnetd) == "pending"
    marker.chmod(0o644)
    becomes(seg, "granted")
    marker.chmod(0o664)
    becomes(seg, "pending")


def test_a_second_name_elsewhere_is_noticed(seg, vnetd, folder):
    vnetd.ctl("promisc", "request", "p")
    marker, elsewhere = vnetd.config / MARKER, folder / "elsewhere"
    marker.touch()
    becomes(seg, "granted")
    os.link(marker, elsewhere)
    becomes(seg, "pending")
    elsewhere.unlink()
    becomes(seg, "granted")


def test_a_marker_behind_a_link_is_named(seg, vnetd):
    vnetd.ctl("promisc", "request", "p")
    place, other = vnetd.config / "vmnet8", vnetd.config / "other"
    if place.exists():
        place.rename(other)
    other.mkdir(exist_ok=True)
    (other / MARKER).touch()
    place.symlink_to("other")
    proc.wait_until("the log says why", lambda: f"vmnet8/{MARKER} does not count: its folder is a symbolic link"
                    in vnetd.log_text())
    assert state(vnetd) == "pending" and not sees(seg)


def test_a_networks_own_marker_is_for_that_network(lab, vnetd, seg):
    lab.guest("vmnet1", name="other")
    for port in ("p", "other"):
        vnetd.ctl("promisc", "request", port)
    place = vnetd.config / "vmnet8"
    place.mkdir(exist_ok=True)
    (place / MARKER).touch()
    becomes(seg, "granted")
    assert state(vnetd, "other") == "pending"
    assert requests(vnetd)["p"]["marker"] == f"vmnet8/{MARKER}"
    (vnetd.config / MARKER).touch()
    proc.wait_until("the other one is granted too", lambda: state(vnetd, "other") == "granted")
    (place / MARKER).unlink()
    proc.wait_until("the global one counts", lambda: requests(vnetd)["p"]["marker"] == MARKER)
    assert state(vnetd) == "granted" and sees(seg)
    (vnetd.config / MARKER).unlink()
    becomes(seg, "pending")


def test_the_folder_of_a_network_comes_with_its_marker(seg, vnetd):
    vnetd.ctl("promisc", "request", "p")
    place = vnetd.config / "vmnet8"
    if place.exists():
        proc.run(["rm", "-r", place])
    place.mkdir()
    (place / MARKER).touch()
    becomes(seg, "granted")
    proc.run(["rm", "-r", place])
    becomes(seg, "pending")


def test_a_marker_that_went_while_vnetd_was_down_grants_nothing(seg, vnetd):
    marker = vnetd.config / MARKER
    marker.touch()
    vnetd.ctl("promisc", "request", "p")
    becomes(seg, "granted")
    vnetd.stop()
    assert sees(seg), "stopping vnetd changed what a port gets"
    marker.unlink()
    vnetd.start()
    becomes(seg, "pending")
    vnetd.stop()
    marker.touch()
    vnetd.start()
    becomes(seg, "granted")


# --- words -----------------------------------------------------------------------------------------


def test_a_request_waits_is_listed_and_is_answered(seg, vnetd, member):
    events = ports.Events(seg.lab)
    assert requests(vnetd) == {}
    vnetd.ctl("promisc", "request", "p")
    row = requests(vnetd, user=member)["p"]
    assert (row["state"], row["by"], row["network"], row["marker"]) == (
        "pending", "user", "vmnet8", None)
    assert MARKER in row["reason"]
    proc.wait_until("an event tells", lambda: events("promisc-pending", "p"))
    vnetd.ctl("promisc", "request", "p")  # again: nothing new
    lines = [row for row in vnetd.log_text().splitlines() if "pending" in row and "p on" in row]
    assert len(lines) == len(events("promisc-pending", "p")) == 1, lines
    text = vnetd.ctl("promisc", "list")
    assert "pending" in text.out and "vnetctl promisc allow p" in text.out + text.err
    assert requests(vnetd, "vmnet1") == {}

    vnetd.ctl("promisc", "allow", "p", "--once")
    becomes(seg, "granted")
    proc.wait_until("it is told", lambda: events("promisc-granted", "p"))
    vnetd.kill_and_await("engine")
    becomes(seg, "granted")
    events = ports.Events(seg.lab)  # the other one has ended with the engine
    vnetd.ctl("promisc", "cancel", "p")
    becomes(seg, "no")
    proc.wait_until("it is told", lambda: events("promisc-revoked", "p"))
    assert requests(vnetd) == {}
    vnetd.ctl("promisc", "request", "p")
    becomes(seg, "pending")  # once is over

    vnetd.ctl("promisc", "deny", "p")
    becomes(seg, "refused")
    (vnetd.config / MARKER).touch()
    proc.wait_until("the log has it", lambda: f"{MARKER} exists" in vnetd.log_text())
    becomes(seg, "refused")  # the word about the port is nearer than the marker
    vnetd.ctl("promisc", "revoke", "p")
    becomes(seg, "granted")
    (vnetd.config / MARKER).unlink()
    becomes(seg, "pending")


def test_a_grant_for_a_time_ends_by_itself(seg, vnetd):
    vnetd.ctl("promisc", "request", "p")
    before = time.time()
    vnetd.ctl("promisc", "allow", "p", "--for", "3s")
    becomes(seg, "granted")
    assert requests(vnetd)["p"]["until"] is not None
    becomes(seg, "pending")
    assert 2 <= time.time() - before <= 8
    vnetd.ctl("promisc", "allow", "p", "--for", "1h")
    becomes(seg, "granted")
    vnetd.restart()
    becomes(seg, "granted")
    vnetd.ctl("promisc", "revoke", "p")
    becomes(seg, "pending")


def test_always_is_written_down(seg, vnetd):
    vnetd.ctl("promisc", "request", "p")
    vnetd.ctl("promisc", "allow", "p", "--always")
    becomes(seg, "granted")
    assert ports.section(vnetd, "p") == {"owner": "root", "promiscuous": "allow"}
    vnetd.restart()
    becomes(seg, "granted")
    guest = seg.guests["p"]
    vnetd.ctl("detach", "p")
    proc.wait_until("it is gone", lambda: "eth0" not in guest.links())
    vnetd.ctl("attach", "vmnet8", "--netns", guest.name, "--name", "p", "--mac", P)
    seg.ends["p"] = frames.Wire(guest, "eth0")
    becomes(seg, "granted")
    vnetd.ctl("promisc", "revoke", "p")
    assert ports.section(vnetd, "p") == {"owner": "root"}
    proc.wait_until("it is over", lambda: state(vnetd) != "granted" and not sees(seg))


def test_the_attach_call_asks_at_once(lab, vnetd):
    seg = ports.Segment(lab)
    seg.guest("b", B)
    seg.guest("c", C)
    guest = lab.guest(label="p")
    vnetd.ctl("attach", "vmnet8", "--netns", guest.name, "--name", "p", "--mac", P, "--promisc")
    seg.ends["p"] = frames.Wire(guest, "eth0")
    seg.speak("p")
    assert requests(vnetd)["p"]["state"] == "pending" and not sees(seg)
    (vnetd.config / MARKER).touch()
    becomes(seg, "granted")


def test_keys_of_network_and_port_answer_first(seg, vnetd):
    vnetd.ctl("set", "vmnet8", "promiscuous", "allow")
    assert state(vnetd) == "no" and not sees(seg)  # nobody asks
    vnetd.ctl("promisc", "request", "p")
    becomes(seg, "granted")
    ports.setting(vnetd, "p", "promiscuous", "deny")
    becomes(seg, "refused")
    ports.setting(vnetd, "p", "promiscuous", "default")
    becomes(seg, "granted")
    vnetd.ctl("set", "vmnet8", "promiscuous", "deny")
    (vnetd.config / MARKER).touch()
    becomes(seg, "refused")
    ports.setting(vnetd, "p", "promiscuous", "allow")
    becomes(seg, "granted")


def test_members_ask_for_their_own_ports_and_answer_nothing(seg, vnetd, member):
    for argv in (["request", "p"], ["allow", "p"], ["deny", "p"], ["revoke", "p"]):
        res = vnetd.ctl("promisc", *argv, user=member, check=False)
        assert res.rc == 1 and ("not yours" in res.err or "root" in res.err), res
    argv = ["vnetctl", *vnetd.dirs, "attach", "vmnet8", "--name", "mine", "--", "sleep", "60"]
    seg.lab.host.popen(*argv, user=member)
    proc.wait_until("it is attached", lambda: ports.row(vnetd, "mine"))
    vnetd.ctl("promisc", "request", "mine", user=member)
    assert requests(vnetd)["mine"]["state"] == "pending"
    res = vnetd.ctl("promisc", "allow", "mine", user=member, check=False)
    assert res.rc == 1 and "root" in res.err
    vnetd.ctl("promisc", "cancel", "mine", user=member)
    assert requests(vnetd) == {}


# --- what it means ---------------------------------------------------------------------------------


def nested_guest(seg):
    """A bridge in guest p with a guest of its own behind it; its end is a further one of seg."""
    outer, inner = seg.guests["p"], seg.lab.netns("nested")
    outer.sh(
        f"""
        ip link add br0 type bridge forward_delay 0 mcast_snooping 0
        ip link set eth0 master br0 promisc on
        ip link add in0 type veth peer name eth0 address {NESTED} netns {inner.name}
        ip link set in0 master br0 up
        ip link set br0 up
        """
    )
    inner.sh("ip link set eth0 up; ip addr add 10.181.8.70/24 dev eth0; "
             "ip route add default via 10.181.8.2")
    seg.ends["nested"] = frames.Wire(inner, "eth0")
    seg.guests["nested"] = inner
    return inner


def test_a_nested_guest_reaches_everybody_only_while_it_is_granted(seg, vnetd):
    seg.address("b", 80)
    inner = nested_guest(seg)
    host = seg.mac("host")
    assert not inner.ping("10.181.8.80", wait=1)
    assert ports.drops(vnetd, "p")["forged"] > 0
    vnetd.ctl("promisc", "request", "p")
    (vnetd.config / MARKER).touch()
    proc.wait_until("the nested guest is heard", lambda: inner.ping("10.181.8.80", wait=1))
    # Two ways, the host and the world behind it too; ping -c 5 counts duplicates as well.
    for address in ("10.181.8.80", vnetd.address(8, 1), "198.51.100.2"):
        out = inner.run("ping", "-n", "-c", "5", "-i", "0.05", "-W", "2", address).out
        assert " 5 received, 0% packet loss" in out and "DUP" not in out, out
    assert seg.guests["b"].ping("10.181.8.70", count=3)
    # Each frame once: p passes on what is for its nested guest, so both are looked at.
    assert seg.goes("b", udp(B, NESTED, "to nested")) == {"p": 1, "nested": 1}
    assert seg.goes("host", udp(host, NESTED, "to nested")) == {"p": 1, "nested": 1}
    outside = ("b", "c", "host")  # what the nested guest sends only passes through p
    assert seg.goes("nested", udp(NESTED, B, "out"), fenced=outside)["b"] == 1
    assert seg.goes("nested", udp(NESTED, host, "out"), fenced=outside)["host"] == 1
    got = seg.goes("nested", udp(NESTED, BROADCAST, "out"), fenced=outside)
    assert (got["b"], got["c"], got["host"]) == (1, 1, 1), got
    assert seg.goes("b", udp(B, C, "to c"))["c"] == 1
    (vnetd.config / MARKER).unlink()
    proc.wait_until("it is over", lambda: state(vnetd) == "pending")
    proc.wait_until("the nested guest is cut off", lambda: not inner.ping("10.181.8.80", wait=1))
    assert seg.goes("b", udp(B, NESTED, "to nested")) == {}


def test_mac_learning_is_enough_for_a_nested_guest_and_shows_it_no_others(seg, vnetd):
    seg.address("b", 80)
    inner = nested_guest(seg)
    ports.setting(vnetd, "p", "mac-learning", "2")
    assert state(vnetd) == "pending" and not inner.ping("10.181.8.80", wait=1)
    vnetd.ctl("promisc", "allow", "p")
    proc.wait_until("the nested guest is heard", lambda: inner.ping("10.181.8.80", wait=1))
    out = inner.run("ping", "-n", "-c", "5", "-i", "0.05", "-W", "2", "10.181.8.80").out
    assert " 5 received, 0% packet loss" in out and "DUP" not in out, out
    assert seg.goes("b", udp(B, NESTED, "to nested")) == {"p": 1, "nested": 1}
    assert seg.goes("b", udp(B, C, "to c")) == {"c": 1}
    row = ports.row(vnetd, "p")
    assert (row["policy"], row["mac_learning"]) == ("learn", 2)


def test_a_granted_port_that_should_only_listen(seg, vnetd):
    ports.setting(vnetd, "p", "forged-transmits", "deny")
    vnetd.ctl("promisc", "allow", "p")
    becomes(seg, "granted")
    assert seg.goes("p", udp(NESTED, B, "forged")) == {}
    assert seg.goes("p", udp(P, B, "own")) == {"b": 1}


def test_nobody_elses_policy_changes(seg, vnetd):
    def others():
        rows = [p for p in vnetd.json("ports")["ports"] if p["name"] != "p"]
        return [{k: v for k, v in row.items() if k not in ("drops", "dropped")} for row in rows]

    before = others()
    vnetd.ctl("promisc", "allow", "p")
    becomes(seg, "granted")
    assert others() == before
    assert seg.goes("c", udp(NESTED, B, "forged")) == {}
    assert seg.goes("b", udp(B, "52:54:00:88:00:01", "nobody's")) == {"p": 1}
    assert seg.goes("b", udp(B, P, "its own")) == {"p": 1}
    assert seg.goes("p", udp(P, C, "from it")) == {"c": 1}
    got = seg.exchange("b", {"all": udp(B, BROADCAST, "all"), "v6": ether(B, "33:33:00:00:00:fb")})
    assert all(where == {"c": 1, "p": 1, "host": 1} for where in got.values()), got
    # What the gate drops is no frame of the network: nobody gets a copy.
    assert seg.goes("b", udp(C, seg.mac("host"), "forged")) == {}
    assert seg.goes("b", frames.dhcp_offer(B, dst=C)) == {}


def test_two_granted_ports_get_everything_once(seg, vnetd):
    seg.guest("q", Q)
    for port in ("p", "q"):
        vnetd.ctl("promisc", "allow", port)
        proc.wait_until("it is granted", lambda port=port: state(vnetd, port) == "granted")
    both = {"p": 1, "q": 1}
    proc.wait_until("both see", lambda: seg.goes("b", udp(B, C, "to c")) == {"c": 1} | both)
    host = seg.mac("host")
    assert seg.goes("host", udp(host, C, "to c")) == {"c": 1} | both
    assert seg.goes("b", udp(B, host, "to the host")) == {"host": 1} | both
    assert seg.goes("b", udp(B, P, "to p")) == both
    assert seg.goes("p", udp(P, C, "from p")) == {"c": 1, "q": 1}
    assert seg.goes("p", udp(P, Q, "from p to q")) == {"q": 1}
    assert seg.goes("b", udp(B, BROADCAST, "all")) == {"c": 1, "host": 1} | both


def test_traffic_of_the_outside_is_seen_once_in_each_direction(seg, vnetd):
    guest = seg.guests["b"]
    guest.dhcp("udhcpc")
    vnetd.ctl("promisc", "allow", "p")
    becomes(seg, "granted")
    seg.ends["p"].drain()
    guest.run("ping", "-n", "-c", "4", "-i", "0.05", "-W", "2", "198.51.100.2")
    seen = [f for f in seg.ends["p"].drain() if f[12:14] == b"\x08\0" and f[23] == 1]
    asked = [f for f in seen if f[34] == 8]
    assert (len(asked), len(seen)) == (4, 8)
    assert len(set(seen)) == 8


def test_a_mirror_shows_both_directions_of_one_port_and_nothing_else(seg, vnetd):
    seg.guest("q", Q)
    host = seg.mac("host")
    ports.setting(vnetd, "q", "mirror-of", "p")
    ports.wait(vnetd, "q", mirror_of="p")
    proc.wait_until(
        "the mirror stands", lambda: seg.goes("p", udp(P, B, "out")) == {"b": 1, "q": 1}
    )
    assert seg.goes("b", udp(B, P, "in")) == {"p": 1, "q": 1}
    assert seg.goes("p", udp(P, host, "out")) == {"host": 1, "q": 1}
    assert seg.goes("host", udp(host, P, "in")) == {"p": 1, "q": 1}
    assert seg.goes("p", udp(P, Q, "to the mirror")) == {"q": 1}
    assert seg.goes("q", udp(Q, P, "from the mirror")) == {"p": 1}
    everybody = {"b": 1, "c": 1, "host": 1}
    assert seg.goes("p", udp(P, BROADCAST, "out")) == {**everybody, "q": 1}
    assert seg.goes("b", udp(B, C, "others")) == {"c": 1}
    assert seg.goes("host", udp(host, C, "others")) == {"c": 1}
    assert seg.goes("p", udp(NESTED, B, "forged")) == {}
    assert state(vnetd, "q") == "no"
    # Over a new engine and a new vnetd, and promiscuous besides: still once.
    vnetd.kill_and_await("engine")
    vnetd.restart()
    assert seg.goes("b", udp(B, P, "in")) == {"p": 1, "q": 1}
    vnetd.ctl("promisc", "allow", "q")
    becomes(seg, "granted", "q")
    assert seg.goes("b", udp(B, P, "in")) == {"p": 1, "q": 1}
    assert seg.goes("p", udp(P, B, "out")) == {"b": 1, "q": 1}
    vnetd.ctl("promisc", "revoke", "q")
    ports.setting(vnetd, "q", "mirror-of", "default")
    proc.wait_until("the mirror is gone", lambda: seg.goes("b", udp(B, P, "in")) == {"p": 1})
    assert seg.goes("p", udp(P, B, "out")) == {"b": 1}
