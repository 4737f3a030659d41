# SPDX-License-Identifier: GPL-2.0-or-later
"""The gap that must not be: forged frames while our processes die, come back and read the
configuration again.  Nobody gets a single one, and what is not forged goes on.
"""

import pytest

from tests.kit import frames, ports, proc, traffic

B, C, P, Q, S = (f"52:54:00:00:00:0{last}" for last in "bcdef")
RATE = 12_000  # forged frames a second: at least 10,000 are asked for
AFTER = 2.0  # seconds after the recovery


def kill_engine(vnetd):
    vnetd.kill_and_await("engine")


def kill_priv(vnetd):
    """As systemd would: all of it is gone, and it is started again."""
    tree = vnetd.pids()
    proc.kill(vnetd.pid_of("priv"))
    vnetd.process.wait(5)
    gone = lambda: not any(proc.alive(p) for pids in tree.values() for p in pids)
    proc.wait_until("its children have ended too", gone)
    vnetd.start()


def restart(vnetd):
    vnetd.restart()


def reload(vnetd):
    for limit in (9000, 8000, 7000):  # a policy of all ports that changes
        vnetd.write("vnetd.conf", f"[vmnet8]\nbroadcast-limit = {limit}\n")
        vnetd.ctl("reload")


def change_every_policy(vnetd):
    """Each of these makes priv set the gates of hostile ports anew."""
    for port in ("p", "veth-q"):
        for key, value in (("ra", "allow"), ("rate-in", "900M"), ("rate-in", "none"),
                           ("ra", "default"), ("mirror-of", "s"), ("mirror-of", "default")):
            ports.setting(vnetd, port, key, value)
    for word in ("allow", "revoke"):
        vnetd.ctl("promisc", word, "s")


@pytest.mark.parametrize("blow", [kill_engine, kill_priv, restart, reload, change_every_policy],
                         ids=lambda blow: blow.__name__)
def test_no_forged_frame_arrives_while_our_processes_come_and_go(lab, vnetd, folder, blow):
    seg = ports.Segment(lab)
    for name, mac in (("b", B), ("c", C), ("p", P), ("s", S)):
        seg.guest(name, mac)
    seg.guest("q", Q, how="adopt")  # a sticky one
    ports.wait(vnetd, "veth-q", policy="sticky", mac=Q)
    for name, last in (("b", 80), ("p", 70), ("q", 71)):
        seg.address(name, last)
    host = seg.mac("host")

    counters = {name: frames.Counter(seg.guests[name], "eth0") for name in seg.guests}
    counters["host"] = frames.Counter(lab.host, "vmnet8")
    pings = [traffic.Pings(seg.guests[name], "10.181.8.80", folder) for name in ("p", "q")]
    targets = [B, host, frames.BROADCAST, "random"]
    floods = [
        traffic.Flood(seg.guests[name], "eth0", rate=RATE, targets=targets,
                      sources=["random", C, host, other, frames.BROADCAST])
        for name, other in (("p", Q), ("q", P))
    ]
    for ping in pings:
        ping.flows(20)
    blow(vnetd)
    for ping in pings:
        ping.flows(int(AFTER / ping.interval))
    rates = [flood.stop()[1] for flood in floods]
    for ping in pings:
        print(f"{rates} forged frames a second; {ping.stop()}")
    came = {name: counter.count() for name, counter in counters.items()}
    assert came == dict.fromkeys(came, 0), f"forged frames came: {came}"
    assert min(rates) >= 10_000, f"the floods were too slow to say anything: {rates}"
    assert all(ping.lost <= 1 for ping in pings), [f"{ping}\n{ping.text}" for ping in pings]
    # The counters can count.
    seg.ends["p"].send(frames.ether(P, B))
    proc.wait_until("an honest frame is counted", lambda: counters["b"].count() == 1)


def test_no_forged_frame_arrives_from_a_port_in_its_first_moments(lab, vnetd):
    """Attaching under fire: the flood runs before the port is there, and waits for it."""
    seg = ports.Segment(lab)
    seg.guest("b", B)
    heard = {"b": frames.Counter(seg.guests["b"], "eth0"), "host": frames.Counter(lab.host, "vmnet8")}
    for n in range(5):
        guest = lab.guest(label=f"g{n}")
        frames_out = guest.popen("/usr/bin/python3", "-c", EAGER, log=lab.tmp / f"eager{n}.log")
        vnetd.ctl("attach", "vmnet8", "--netns", guest.name, "--name", f"g{n}", "--mac", P)
        proc.wait_until("it is there", lambda n=n: ports.row(vnetd, f"g{n}"))
        proc.wait_until("it has sent", lambda n=n: ports.drops(vnetd, f"g{n}").get("forged", 0) > 500)
        vnetd.ctl("detach", f"g{n}")
        frames_out.kill()
    came = {name: counter.count() for name, counter in heard.items()}
    assert came == {"b": 0, "host": 0}


# Sends forged frames through eth0 from the moment on at which it is there.
EAGER = """
import socket, time
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
frames = [bytes.fromhex("ffffffffffff" + source + "88b5") + bytes(46)
          for source in ("52540099%04x" % n for n in range(100))]
while True:
    try:
        wire.bind(("eth0", 0))
        for frame in frames:
            wire.send(frame)
    except OSError:
        time.sleep(0)
"""
