# SPDX-License-Identifier: GPL-2.0-or-later
"""A hostile holder: whoever has a tap's descriptor may change its MAC address, carrier, owner and
persistence without any privilege.  The neighbours must hardly notice, and the tap is taken down.
"""

import pytest

from tests.kit import frames, holder, ports, proc, traffic
from tests.kit.frames import BROADCAST, ether, udp

B, C, EVIL = "52:54:00:00:00:0b", "52:54:00:00:00:0c", "52:54:00:ee:ee:ee"


@pytest.fixture
def seg(lab, vnetd):
    """vmnet8 with b and c, which can ping each other."""
    made = ports.Segment(lab)
    for name, mac, last in (("b", B, 80), ("c", C, 90)):
        made.guest(name, mac)
        made.address(name, last)
    return made


def tun_for_everybody(lab):
    """/dev/net/tun as most systems have it, in this host's mount namespace only."""
    node = lab.tmp / "tun"
    lab.host.run("mknod", "-m", "0666", node, "c", "10", "200")
    lab.host.run("mount", "--bind", node, "/dev/net/tun")


@pytest.fixture
def evil(seg):
    made = holder.Holder(seg.lab, "vmnet8", "evil")
    ports.wait(seg.vnetd, "evil", up=True)
    made.hello()
    ports.wait(seg.vnetd, "evil", mac=EVIL)
    return made


def pings(seg, folder):
    """Neighbours among themselves and to the host, both ways."""
    return [
        traffic.Pings(seg.guests["b"], "10.181.8.90", folder),
        traffic.Pings(seg.guests["c"], seg.vnetd.address(8, 1), folder),
    ]


def taken_down(vnetd, name="evil"):
    """Waits until the port is down for what its holder did; what `ports` says about it."""
    row = proc.wait_until(
        "the offender is taken down",
        lambda: (r := ports.row(vnetd, name)) and r["trouble"] and not r["up"] and r,
    )
    assert "holder" in row["trouble"], row
    return row["trouble"]


@pytest.mark.parametrize("whose", ["a neighbour", "the host", "a bridge port", "nobody"])
def test_a_holder_that_takes_an_address_hardly_disturbs_anybody(lab, vnetd, seg, evil, folder, whose):
    ifname = ports.row(vnetd, "b")["ifname"]
    address = {
        "a neighbour": B,
        "the host": seg.mac("host"),
        "a bridge port": lab.host.links()[ifname]["address"],
        "nobody": "02:00:00:00:00:01",
    }[whose]
    events = ports.Events(lab)
    running = pings(seg, folder)
    assert evil.do("mac", address) == "ok"
    trouble = taken_down(vnetd)
    for ping in running:
        ping.stop()
        print(ping)
        assert ping.ms <= 100, f"{ping}\n{ping.text}"
    # Put right, told, logged, and out of the network.
    assert "MAC" in trouble
    right = lambda: lab.host.links()[evil.ifname]["address"].startswith("fe:")
    proc.wait_until("the tap has its own address again", right)
    assert "UP" not in lab.host.links()[evil.ifname]["flags"]
    assert "evil" in vnetd.log_text().split("holder")[0].splitlines()[-1]
    proc.wait_until("it is told", lambda: events("port-blocked", "evil"))
    assert evil.do("send", ether(EVIL, BROADCAST).hex()) != "ok"
    assert seg.goes("host", udp(seg.mac("host"), B, "to b")) == {"b": 1}
    assert seg.goes("b", udp(B, C, "to c")) == {"c": 1}
    assert seg.goes("b", udp(B, seg.mac("host"), "to the host")) == {"host": 1}
    # A restart does not forgive it, an administrator does.
    vnetd.kill_and_await("engine")
    taken_down(vnetd)
    ports.setting(vnetd, "evil", "link", "up")
    ports.wait(vnetd, "evil", up=True, trouble=None)
    assert evil.do("send", ether(EVIL, BROADCAST).hex()) == "ok"


def test_a_holder_that_changes_addresses_all_the_time_hardly_disturbs_anybody(
    lab, vnetd, seg, evil, folder
):
    running = pings(seg, folder)
    evil.start("storm", B, seg.mac("host"), 1)
    taken_down(vnetd)
    evil.finish()
    for ping in running:
        ping.stop()
        print(ping)
        assert ping.ms <= 100 and ping.lost <= 30, f"{ping}\n{ping.text}"
    assert seg.goes("b", udp(B, C, "to c")) == {"c": 1}


@pytest.mark.parametrize("while_it_runs", [True, False], ids=["vnetd runs", "vnetd is down"])
def test_a_tap_does_not_outlive_its_holder_who_made_it_persistent(lab, vnetd, evil, while_it_runs):
    if not while_it_runs:
        vnetd.stop()
    assert evil.do("persist", 1) == "ok"
    evil.end()
    if not while_it_runs:
        assert evil.ifname in lab.host.links()
        vnetd.start()
    proc.wait_until("the tap is gone", lambda: evil.ifname not in lab.host.links())
    proc.wait_until("the port is gone", lambda: ports.row(vnetd, "evil") is None)


def test_a_holder_that_gives_its_tap_away_is_taken_down(lab, vnetd, evil, stranger):
    uid = int(proc.run(["id", "-u", stranger]).out)
    assert evil.do("owner", uid) == "ok"
    taken_down(vnetd)
    tun_for_everybody(lab)
    evil.do("persist", 1)
    evil.end()
    proc.wait_until("the tap is gone", lambda: evil.ifname not in lab.host.links())


def test_a_holder_plugs_no_cable_in_that_an_administrator_unplugged(vnetd, seg, evil):
    ports.setting(vnetd, "evil", "link", "down")
    ports.wait(vnetd, "evil", link=False, up=False)
    evil.do("carrier", 1)
    assert evil.do("send", ether(EVIL, BROADCAST).hex()) != "ok"
    assert seg.goes("b", udp(B, C, "others go on")) == {"c": 1}
    assert not ports.row(vnetd, "evil")["up"]
    ports.setting(vnetd, "evil", "link", "up")
    ports.wait(vnetd, "evil", link=True)
    evil.do("carrier", 1)
    proc.wait_until(
        "it works again", lambda: evil.do("send", ether(EVIL, BROADCAST).hex()) == "ok"
    )
    seg.ends["evil"] = evil
    assert seg.goes("evil", udp(EVIL, B, "own")) == {"b": 1}
    assert seg.goes("evil", udp(C, B, "forged")) == {}


def test_the_owner_of_a_static_tap_is_no_better(lab, vnetd, seg, folder):
    tun_for_everybody(lab)
    vnetd.write("vnetd.conf", "[port fc0]\ntap = yes\nnetwork = vmnet8\nowner = 65534\n")
    vnetd.ctl("reload")
    proc.wait_until("the tap is there", lambda: ports.row(vnetd, "fc0"))
    fire = holder.Holder(lab, "vmnet8", "fc0", tap=True)
    fire.hello()
    ports.wait(vnetd, "fc0", mac=EVIL, policy="sticky")
    running = pings(seg, folder)
    assert fire.do("mac", B) == "ok"
    taken_down(vnetd, "fc0")
    for ping in running:
        ping.stop()
        print(ping)
        assert ping.ms <= 100, f"{ping}\n{ping.text}"
    # One that he gives away or makes transient is made anew.
    fire.do("owner", 12345)
    fire.do("persist", 0)
    fire.end()

    def anew():
        link = lab.host.links().get("fc0")
        data = link and link["linkinfo"]["info_data"]
        return data and data["persist"] and data.get("user") in (65534, "nobody", "65534")

    proc.wait_until("the static tap is as it should be", anew)


def test_a_tap_that_is_no_longer_ours_by_name_stays_in_its_gate(lab, vnetd, seg, evil):
    """Forging after the holder has toggled everything that it can: nothing of it comes out."""
    heard = frames.Counter(seg.guests["b"], "eth0")
    for words in (("carrier", 0), ("carrier", 1), ("persist", 1), ("persist", 0), ("mac", B)):
        evil.do(*words)
        for source in (C, seg.mac("host"), "52:54:00:99:00:01"):
            evil.do("send", ether(source, BROADCAST).hex())
            evil.do("send", ether(source, B).hex())
    seg.goes("c", udp(C, B, "the last one"))
    assert heard.count() == 1, "forged frames came"  # the fence of goes()
