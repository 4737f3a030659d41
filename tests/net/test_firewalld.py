# SPDX-License-Identifier: GPL-2.0-or-later
"""vnet-firewalld with the real firewalld, polkit and a system bus of their own: guests pass while that is allowed."""

import re
import time

import pytest

from tests.kit import daemon, lab as lab_module, ns, proc
from tests.net.nat_kit import ADAPTER, echo, resolve, talks, write_nat_conf
from tests.net.test_bridge_nf import dropped, pair_on, switch
from tests.net.test_doctor import findings
from tests.net.test_firewall import static_guest, warnings

OUT = lab_module.SERVER_ADDRESS
ALLOW = "[global]\nforeign-rules = allow\n"
HOST_PORT = 7  # an echo server of the host's own
ZONES = "/usr/lib/firewalld/zones"
AGAIN = 3  # seconds: "within a second or two" of firewalld's answer


class Firewalld:
    """firewalld in the host of a lab."""

    def __init__(self, lab):
        self.lab, self.host = lab, lab.host
        self.log, self.process = lab.tmp / "firewalld.log", None
        # The machine has a bus, and perhaps a firewalld, of its own.
        self.host.sh(
            "for d in /run/dbus /run/firewalld /var/log; do mkdir -p $d; mount -t tmpfs tmpfs $d; done"
        )
        self.host.popen("dbus-daemon", "--system", "--nofork", "--nopidfile", "--nosyslog", log=self.log)
        proc.wait_until("there is a bus", lambda: self.host.run("test", "-S", "/run/dbus/system_bus_socket", check=False).rc == 0)

    def start(self):
        self.process = self.host.popen("firewalld", "--nofork", "--nopid", log=self.log)
        proc.wait_until("firewalld runs", lambda: self.host.run("firewall-cmd", "--state", check=False).rc == 0, 30)
        return self

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def cmd(self, *args):
        return self.host.run("firewall-cmd", *args, timeout=60).out.strip()

    def zone(self, name="vnetd"):
        """The interfaces in a zone now."""
        return self.cmd(f"--zone={name}", "--list-interfaces").split()


class Program:
    """vnet-firewalld as its unit runs it; log: what it said."""

    def __init__(self, lab, user="_vnet-firewalld"):
        self.log = lab.tmp / f"vnet-firewalld-{time.monotonic_ns()}.log"
        argv = ["setpriv", f"--reuid={user}", f"--regid={user}", "--groups=vnet", "--no-new-privs"]
        argv += ["--bounding-set=-all", "--", "/usr/libexec/vnet/vnet-firewalld", f"--run-dir={lab.vnetd.run}"]
        self.process = lab.host.popen(*argv, log=self.log)

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def end(self, how="terminate"):
        getattr(self.process, how)()
        return self.process.wait(10)


@pytest.fixture
def firewalld(lab):
    return Firewalld(lab)


def allow(vnetd, text=ALLOW):
    vnetd.write("vnetd.conf", text)
    vnetd.ctl("reload")


def passes(guest):
    """What a guest of vmnet8 gets: (the outside, DNS, a service of the host's own)."""
    return (
        talks(guest, OUT, 7, timeout=0.5),
        resolve(guest, lab_module.SERVER_NAME, timeout=3) == [OUT],
        talks(guest, ADAPTER, HOST_PORT, timeout=0.5),
    )


def test_guests_pass_while_it_is_allowed(lab, firewalld):
    vnetd = lab.vnetd
    vnetd.write("networking", daemon.NETWORKING)
    write_nat_conf(vnetd, tcp=[(8080, "10.181.8.10", 7)])
    vnetd.start()
    guest, neighbour = static_guest(lab), lab.guest("vmnet1")
    neighbour.static("10.181.1.0/24", 10)
    program = Program(lab)
    allow(vnetd)
    with echo(lab.host, HOST_PORT), echo(guest), echo(neighbour):
        assert passes(guest) == (True, True, True)
        time.sleep(0.5)
        assert program.said() == ""  # nobody to talk to, and no reason for a word

        firewalld.start()
        proc.wait_until("it is in the zone", lambda: firewalld.zone() == ["vmnet8"], AGAIN)
        proc.wait_until("status is content", lambda: warnings(vnetd) == [])
        assert passes(guest) == (True, True, False)
        assert guest.ping(ADAPTER) and guest.ping("10.181.8.2")
        assert lab.guest("vmnet8").dhcp("udhcpc").ip.startswith("10.181.8.")
        # Where guests may not go is vnetd's to say.
        assert not talks(guest, "10.181.1.10", 7, timeout=0.5)
        assert talks(lab.outside, lab_module.HOST_ADDRESS, 8080)
        assert not talks(lab.outside, lab_module.HOST_ADDRESS, HOST_PORT, timeout=0.5)

        firewalld.cmd("--reload")
        proc.wait_until("it is back after a reload", lambda: firewalld.zone() == ["vmnet8"], AGAIN)
        assert passes(guest) == (True, True, False)
        firewalld.stop()
        firewalld.start()
        proc.wait_until("it is back after a restart", lambda: firewalld.zone() == ["vmnet8"], AGAIN)
        assert passes(guest) == (True, True, False)

        allow(vnetd, "")
        proc.wait_until("it is taken out", lambda: firewalld.zone() == [], AGAIN)
        proc.wait_until("status complains", lambda: warnings(vnetd))
        assert passes(guest) == (False, False, False)
    assert program.process.poll() is None


def test_what_is_typed_helps_and_stays(lab, vnetd, firewalld):
    """Without the key: status says what to type, which firewalld takes, and the program leaves that alone."""
    firewalld.start()
    program = Program(lab)
    guest = static_guest(lab)
    [(text, cure)] = proc.wait_until("status complains", lambda: warnings(vnetd))
    assert text == "firewalld drops what vmnet8 forwards, and its DNS: its guests have no Internet"
    [finding] = findings(vnetd)["firewall"]
    assert finding["cure"] == cure and any("foreign-rules = allow" in way for way in finding["other"])
    for command in cure.split(" && "):
        lab.host.run(*command.split()[1:], timeout=60)
    proc.wait_until("status is content", lambda: warnings(vnetd) == [])
    assert passes(guest)[:2] == (True, True)
    allow(vnetd)
    allow(vnetd, "")
    time.sleep(1)
    assert firewalld.zone() == ["vmnet8"]
    assert program.end() == 0
    assert firewalld.zone() == ["vmnet8"]


def test_another_zone_is_an_administrators_will(lab, vnetd, firewalld):
    firewalld.start()
    firewalld.cmd("--zone=home", "--change-interface=vmnet8")
    program = Program(lab)
    allow(vnetd)
    said = "vmnet8 is in the zone home of firewalld, and left there"
    proc.wait_until("the log says so", lambda: said in program.said())
    [(text, cure)] = proc.wait_until("status complains", lambda: warnings(vnetd))
    assert "firewalld drops what vmnet8 forwards" in text
    [finding] = findings(vnetd)["firewall"]
    assert finding["cure"] == cure and any("journalctl -u vnetd -u vnet-firewalld" in way for way in finding["other"])
    # Events do not make it say so again.
    vnetd.ctl("create", "vmnet9", "nat")
    proc.wait_until("another network is taken care of", lambda: firewalld.zone() == ["vmnet9"])
    assert firewalld.zone("home") == ["vmnet8"] and program.said().count(said) == 1
    for command in cure.split(" && "):
        lab.host.run(*command.split()[1:], timeout=60)
    proc.wait_until("both are in the zone", lambda: sorted(firewalld.zone()) == ["vmnet8", "vmnet9"])
    assert firewalld.zone("home") == []
    # A network that goes leaves the zone; somebody's rule for it stays.
    vnetd.ctl("delete", "vmnet9")
    proc.wait_until("vmnet9 is taken out", lambda: firewalld.zone() == ["vmnet8"], AGAIN)


def test_it_takes_back_what_it_did_when_it_is_ended(lab, vnetd, firewalld):
    firewalld.start()
    allow(vnetd)
    program = Program(lab)
    there = lambda: firewalld.zone() == ["vmnet8"]
    proc.wait_until("it is in the zone", there)
    assert program.end() == 0
    assert firewalld.zone() == []
    # Guests keep their way out when vnetd ends; and the next program knows what the one before did.
    program = Program(lab)
    proc.wait_until("it is in the zone", there)
    vnetd.stop()
    assert program.process.wait(10) == 0 and "vnetd has ended" in program.said()
    assert there()
    vnetd.write("vnetd.conf", "")
    vnetd.start()
    Program(lab)
    proc.wait_until("it is taken out", lambda: firewalld.zone() == [], AGAIN)


def test_frames_between_guests_of_a_host_only_network(lab, vnetd, firewalld):
    """What the doctor says to type lets them pass, and changes nothing of what they reach of the host."""
    switch(lab, 1)
    firewalld.start()
    lab.servers = []
    guest, neighbour = pair_on(lab, 1)
    host = ns.nth(daemon.SUBNETS[1], 1)
    Program(lab)
    allow(vnetd)
    proc.wait_until("vmnet8 is in the zone", lambda: firewalld.zone() == ["vmnet8"])
    with echo(lab.host, 22), echo(lab.host, 23):  # firewalld's default zone lets ssh pass
        reaches = lambda: [talks(guest, host, port, timeout=0.5) for port in (22, 23)]
        assert not talks(guest, neighbour, 7, timeout=0.5) and reaches() == [True, False]
        found = proc.wait_until("the doctor names it", lambda: dropped(lab))
        assert set(found) == {"vmnet1"}
        for command in found["vmnet1"]["cure"].split(" && "):
            lab.host.run(*command.split()[1:], timeout=60)
        proc.wait_until("the doctor is content", lambda: dropped(lab) == {})
        assert talks(guest, neighbour, 7) and reaches() == [True, False]
    lab.servers[0].close()


def test_a_zone_that_firewalld_does_not_know_yet(lab, vnetd, firewalld):
    """firewalld was there first: a reload helps."""
    lab.host.sh(f"mkdir /var/log/zones; cp {ZONES}/* /var/log/zones; mount -t tmpfs tmpfs {ZONES}")
    lab.host.sh(f"cp /var/log/zones/* {ZONES}; rm {ZONES}/vnetd.xml")
    firewalld.start()
    allow(vnetd)
    program = Program(lab)
    proc.wait_until("the log says so", lambda: "does not know the zone vnetd yet" in program.said())
    assert "firewall-cmd --reload" in program.said()
    proc.wait_until("status complains", lambda: warnings(vnetd))
    lab.host.run("cp", "/var/log/zones/vnetd.xml", ZONES)
    firewalld.cmd("--reload")
    proc.wait_until("it is in the zone", lambda: firewalld.zone() == ["vmnet8"], AGAIN)
    proc.wait_until("status is content", lambda: warnings(vnetd) == [])


def test_who_has_no_leave_from_polkit(lab, vnetd, firewalld, member):
    """Another user of group vnet: firewalld refuses, and the log says so once."""
    firewalld.start()
    allow(vnetd)
    program = Program(lab, member)
    said = re.compile("vmnet8: firewalld does not change its zone: Not Authorized.*firewall-cmd --permanent")
    proc.wait_until("the log says so", lambda: said.search(program.said()), 15)
    assert firewalld.zone() == []
    proc.wait_until("vnetd warns", lambda: warnings(vnetd))
    assert program.said().count("Not Authorized") == 1
