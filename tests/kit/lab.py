# SPDX-License-Identifier: GPL-2.0-or-later
"""The set-up of one test: a host with vnetd, an outside behind it, guests.

    guest ns ---- vmnetN [host ns: vnetd] up0 ---- eth0 [outside ns: HTTP, DNS, echo]
                                 198.51.100.1      198.51.100.2, 203.0.113.10

The outside has no route to any vmnet, so what a guest gets from there went through NAT.
"""

import itertools
import os

from . import client, daemon, ns, outside, proc

HOST_ADDRESS = "198.51.100.1"
OUTSIDE_ADDRESS = "198.51.100.2"
SERVER_ADDRESS = "203.0.113.10"  # further away: reached through the host's default route
SERVER_NAME = "www.example.test"

_serial = itertools.count()


class Outside(ns.Netns):
    """The network behind the host: `.http`, `.dns` and `.echo` are servers (see outside.py)."""

    def __init__(self, name):
        super().__init__(name)
        self.http = outside.Http(self)
        self.dns = outside.Dns(self, records={SERVER_NAME: SERVER_ADDRESS})
        self.echo = outside.Echo(self)

    def delete(self):
        for server in (self.http, self.dns, self.echo):
            server.close()
        super().delete()


def connect(host, out):
    """Lays the cable between a host's namespace and an Outside, and gives both their addresses."""
    ns.veth(host, "up0", out, "eth0")
    ip_host, ip_out = (["ip", "-n", space.name] for space in (host, out))
    proc.run([*ip_host, "addr", "add", f"{HOST_ADDRESS}/24", "dev", "up0"])
    proc.run([*ip_out, "addr", "add", f"{OUTSIDE_ADDRESS}/24", "dev", "eth0"])
    proc.run([*ip_out, "addr", "add", f"{SERVER_ADDRESS}/32", "dev", "lo"])
    proc.run([*ip_host, "route", "add", "default", "via", OUTSIDE_ADDRESS])


class Lab:
    """Makes and deletes everything that one test needs."""

    def __init__(self, tmp, stage):
        self.tmp, self._stage = tmp, stage
        self._prefix = f"vt{os.getpid()}-{next(_serial)}"
        self._made = []
        self.host = self._keep(ns.Host(f"{self._prefix}host", tmp / "host", stage))
        self.outside = self._keep(Outside(f"{self._prefix}out"))
        self._connect()
        self.vnetd = daemon.Vnetd(self.host, tmp)
        self.vnetds = [self.vnetd]

    def _connect(self):
        connect(self.host, self.outside)
        self.host.set_resolvers(OUTSIDE_ADDRESS)

    def _keep(self, made):
        self._made.append(made)
        return made

    def netns(self, label):
        """A further plain namespace, deleted after the test."""
        return self._keep(ns.Netns(f"{self._prefix}{label}"))

    def another_host(self, label):
        """A further host, connected to nothing yet; its vnetd, not started."""
        host = self._keep(ns.Host(f"{self._prefix}{label}", self.tmp / label, self._stage))
        self.vnetds.append(daemon.Vnetd(host, self.tmp / label))
        return self.vnetds[-1]

    def guest(self, network=None, *, how="netns", mac=None, label=None, name=None, vnetd=None):
        """A guest plugged into `network` ("vmnet8"), or into nothing yet.

        how   "netns": vnetctl attach --netns;  "adopt": a veth whose host end somebody enslaves
        mac   the guest's Ethernet address; else the tool's or the kernel's choice
        name  the port's name, for how="netns"
        vnetd whose network it is, by default that of the first host, for how="netns"
        """
        serial = sum(isinstance(m, client.Guest) for m in self._made)
        label = label or f"g{serial}"
        guest = self._keep(client.Guest(f"{self._prefix}{label}", self.tmp / label))
        if network is not None:
            if how == "netns":
                self._attach(vnetd or self.vnetd, guest, network, mac, name)
            else:
                self._adopt(guest, network, mac, label)
        return guest

    def _attach(self, vnetd, guest, network, mac, name):
        extra = [f"--mac={mac}"] if mac else []
        extra += [f"--name={name}"] if name else []
        vnetd.ctl("attach", network, "--netns", guest.name, "--ifname", "eth0", *extra)

    def _adopt(self, guest, network, mac, label):
        ns.veth(guest, "eth0", self.host, f"veth-{label}")
        if mac:
            guest.run("ip", "link", "set", "eth0", "address", mac)
        self.host.run("ip", "link", "set", f"veth-{label}", "master", network)

    def url(self, size, rate=None, server=SERVER_ADDRESS):
        """Address of `size` known bytes on the outside's HTTP server."""
        return f"http://{server}/bytes/{size}" + (f"?rate={rate}" if rate else "")

    def close(self):
        for made in reversed(self._made):
            made.delete()


def need_root():
    """These tests make namespaces and mounts: without root they fail, they do not skip."""
    if os.geteuid() != 0:
        raise proc.Failed("the namespace and VM tests need root: sudo ./scripts/test net")


def need_users():
    """Users _vnet and _vnet-firewalld and group vnet, as the installation makes them (see vnetd/units)."""
    if proc.run(["getent", "group", "vnet"], check=False).rc != 0:
        proc.run(["groupadd", "--system", "vnet"])
    for user in ("_vnet", "_vnet-firewalld"):
        if proc.run(["getent", "passwd", user], check=False).rc != 0:
            argv = ["useradd", "--system", "--user-group", "--home-dir", "/nonexistent"]
            proc.run([*argv, "--no-create-home", "--shell", "/usr/sbin/nologin", user])
