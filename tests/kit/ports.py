# SPDX-License-Identifier: GPL-2.0-or-later
"""Ports of a network for the tests of the gate: guests with packet sockets, and what vnetctl says.

    seg = ports.Segment(lab)                    vmnet8; seg.ends has "host" already
    seg.guest("a", "52:54:00:00:00:0a")         port "a", a namespace that is attached; seg.ends["a"]
    seg.exchange("a", {...})                    frames.exchange between all of its ends
"""

import json

from . import frames, proc


def row(vnetd, name):
    """The port of that name in `vnetctl ports --json`, or None."""
    found = [p for p in vnetd.json("ports")["ports"] if name in (p["name"], p["ifname"])]
    return found[0] if found else None


def wait(vnetd, name, **wanted):
    """Waits until the port has these values; the row."""

    def right():
        found = row(vnetd, name)
        return found and {key: found[key] for key in wanted} == wanted and found

    try:
        return proc.wait_until(f"{name} has {wanted}", right)
    except AssertionError as why:
        raise AssertionError(f"{why}\nthe port is {row(vnetd, name)}") from None


def drops(vnetd, name):
    """{reason: frames} of what the gate dropped, without the zeros."""
    return {reason: n for reason, n in row(vnetd, name)["drops"].items() if n}


def setting(vnetd, name, key, value, **kw):
    """`vnetctl port NAME set KEY VALUE`."""
    return vnetd.ctl("port", name, "set", key, value, **kw)


def section(vnetd, name):
    """The keys of [port NAME] in vnetd.conf, as they stand there."""
    keys, inside = {}, False
    for line in vnetd.read("vnetd.conf").splitlines():
        line = line.split("#")[0].strip()
        if line.startswith("["):
            inside = line == f"[port {name}]"
        elif inside and "=" in line:
            key, value = line.split("=", 1)
            keys[key.strip()] = value.strip()
    return keys


class Events:
    """A `vnetctl events --json` that runs; calling it gives the events so far, oldest first."""

    def __init__(self, lab):
        self._log = lab.tmp / "events.json"
        lab.host.popen("vnetctl", *lab.vnetd.dirs, "events", "--json", log=self._log)
        proc.wait_until("events come", self)

    def __call__(self, what=None, port=None):
        if not self._log.exists():
            return []
        lines = [line for line in self._log.read_text().split("\n")[:-1] if line.startswith("{")]
        found = [json.loads(line) for line in lines]
        return [e for e in found if what in (None, e["event"]) and port in (None, e["port"])]


class Segment:
    """A network and what is plugged into it: `.ends` by name, `.guests` by name."""

    def __init__(self, lab, network="vmnet8"):
        self.lab, self.vnetd, self.network = lab, lab.vnetd, network
        self.ends = {"host": frames.Wire(lab.host, network)}
        self.guests = {}

    def guest(self, name, mac=None, how="netns"):
        """A namespace behind a port; its port is called `name`, or veth-<name> when it is adopted."""
        guest = self.lab.guest(self.network, how=how, mac=mac, label=name, name=name)
        self.guests[name] = guest
        self.ends[name] = frames.Wire(guest, "eth0")
        port = name if how == "netns" else f"veth-{name}"
        proc.wait_until(f"{port} is a port", lambda: row(self.vnetd, port))
        self.speak(name)
        return guest

    def address(self, name, last):
        """Gives a guest an address of 10.181.8.0/24."""
        subnet = self.vnetd.subnet(int(self.network.removeprefix("vmnet")))
        return self.guests[name].static(subnet, last)

    def mac(self, name):
        return self.ends[name].mac

    def speak(self, name):
        """Waits until a broadcast of this end reaches the host."""
        hello = frames.ether(self.mac(name), frames.BROADCAST, frames.MARK, b"hello " + name.encode())

        def heard():
            self.ends[name].send(hello)
            return hello in self.ends["host"].drain()

        proc.wait_until(f"{name} is heard", heard)

    def exchange(self, sender, sent, **kw):
        return frames.exchange(self.ends, sender, sent, **kw)

    def goes(self, sender, frame, **kw):
        """Who got this one frame: {name: times}."""
        return self.exchange(sender, {"it": frame}, **kw)["it"]
