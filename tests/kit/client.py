# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests that are plain namespaces, and the real DHCP clients that they run.

A `Guest` has one interface, `eth0`.  `guest.dhcp("udhcpc" | "dhclient" | "dhcpcd")` runs that
client until it has a lease (or fails) and returns a `Lease`; with keep=True the client stays and
renews, and `guest.events()` tells what it was told so far.
"""

import shutil
import sys
from pathlib import Path

from . import ns, proc

CLIENTS = ("udhcpc", "dhclient", "dhcpcd")
HOOK = Path(__file__).with_name("dhcp-hook")

# A client's name for (event that means "I have an address"), address, routers, name servers,
# server, lease time, MTU.
_BOUND = ("bound", "renew", "BOUND", "RENEW", "REBIND", "REBOOT")
_VARIABLES = {
    "udhcpc": ("ip", "router", "dns", "serverid", "lease", "mtu"),
    "dhclient": (
        "new_ip_address",
        "new_routers",
        "new_domain_name_servers",
        "new_dhcp_server_identifier",
        "new_dhcp_lease_time",
        "new_interface_mtu",
    ),
}
_VARIABLES["dhcpcd"] = _VARIABLES["dhclient"]


class Lease:
    """What a client was given: ip, router, dns (list), server, seconds, mtu (int or None), env."""

    def __init__(self, kind, env):
        ip, router, dns, server, seconds, mtu = (env.get(v, "") for v in _VARIABLES[kind])
        self.ip, self.router, self.server = ip, router, server
        self.dns = dns.split()
        self.seconds = int(seconds)
        self.mtu = int(mtu) if mtu else None
        self.env = env

    def __repr__(self):
        return f"Lease({self.ip} router {self.router} dns {self.dns} for {self.seconds} s)"


class Guest(ns.Netns):
    """A namespace that is a guest of a vmnet; `lab.guest()` makes it and plugs it in."""

    def __init__(self, name, tmp):
        super().__init__(name)
        self.tmp = tmp
        self.kind = None
        (tmp / "events").mkdir(parents=True)
        shutil.copy(HOOK, tmp / "hook")

    @property
    def mac(self):
        """Ethernet address of eth0."""
        return self.links()["eth0"]["address"]

    def dhcp(self, kind="udhcpc", *, keep=False, timeout=10, hostname=None, options=()):
        """Gets a lease by one of the real clients; raises proc.Failed when there is none."""
        seen = len(self.events())
        self.kind = kind
        (self.tmp / "kind").write_text(kind)
        argv = getattr(self, f"_{kind}")(keep, timeout, hostname) + list(options)
        if keep:
            client = self.popen(*argv, log=self.tmp / f"{kind}.log")

            def bound():
                if client.poll() is not None:
                    raise proc.Failed((self.tmp / f"{kind}.log").read_text())
                return self._bound(seen)

            proc.wait_until(f"{kind} has a lease", bound, timeout)
        else:
            self.run(*argv, timeout=timeout + 10)
        env = self._bound(seen)
        if env is None:
            raise proc.Failed(f"{kind} ended without a lease: {self.events()[seen:]}")
        return Lease(kind, env)

    def no_dhcp(self, kind="udhcpc", timeout=4):
        """Whether the client asks in vain for `timeout` seconds."""
        try:
            self.dhcp(kind, timeout=timeout)
        except proc.Failed:
            return True
        return False

    def events(self):
        """Environments of all events so far, oldest first; the name is under "VT_EVENT"."""
        found = []
        for path in sorted((self.tmp / "events").iterdir()):
            rows = path.read_text(errors="replace").split("\0")
            found.append(dict(row.split("=", 1) for row in rows if "=" in row))
        return found

    def leases(self):
        """Every lease that a client was told of so far, oldest first."""
        return [Lease(self.kind, e) for e in self.events() if e["VT_EVENT"] in _BOUND]

    def static(self, subnet, n):
        """Takes address number n of the subnet without DHCP, the gateway being number 2."""
        length = subnet.split("/")[1]
        self.run("ip", "addr", "add", f"{ns.nth(subnet, n)}/{length}", "dev", "eth0")
        self.run("ip", "route", "add", "default", "via", ns.nth(subnet, 2))
        return ns.nth(subnet, n)

    def fetch(self, url, *, timeout=30):
        """The body of an HTTP answer, as bytes; connects from in here."""
        proc.run([*self.wrap([*_FETCH, url, self.tmp / "body"])], timeout=timeout)
        return (self.tmp / "body").read_bytes()

    def start_fetch(self, url):
        """Starts a download; the returned Popen ends with 0 once `self.tmp / "body"` is whole."""
        return self.popen(*_FETCH, url, self.tmp / "body", log=self.tmp / "fetch.log")

    def resolve(self, name, server, *, kind="A", extra=(), timeout=10):
        """Answers to one DNS question put by dig, as a list of texts; empty when there are none."""
        argv = ["dig", "+short", "+tries=2", "+time=2", *extra, f"@{server}", name, kind]
        return self.run(*argv, timeout=timeout, check=False).out.split("\n")[:-1]

    def _bound(self, seen):
        fresh = [e for e in self.events()[seen:] if e["VT_EVENT"] in _BOUND]
        return fresh[-1] if fresh else None

    # --- command lines of the clients ----------------------------------------------------------

    def _udhcpc(self, keep, timeout, hostname):
        tries = ["-t", str(timeout), "-T", "1"]
        once = ["-f"] if keep else ["-f", "-q", "-n"]
        name = ["-x", f"hostname:{hostname}"] if hostname else []
        return ["udhcpc", "-i", "eth0", "-O", "mtu", *once, *tries, *name, "-s", self.tmp / "hook"]

    def _dhclient(self, keep, timeout, hostname):
        conf = [f"timeout {timeout};", "retry 2;", "initial-interval 1;", "backoff-cutoff 2;"]
        conf.append("request subnet-mask, routers, domain-name-servers, domain-name, interface-mtu,")
        conf.append("  broadcast-address, ntp-servers, netbios-name-servers;")
        if hostname:
            conf.append(f'send host-name "{hostname}";')
        (self.tmp / "dhclient.conf").write_text("\n".join(conf) + "\n")
        argv = ["dhclient", "-4", "-d" if keep else "-1", "-v", "-sf", self.tmp / "hook"]
        files = ["-cf", self.tmp / "dhclient.conf", "-lf", self.tmp / "dhclient.leases"]
        return [*argv, *files, "-pf", self.tmp / "dhclient.pid", "eth0"]

    def _dhcpcd(self, keep, timeout, hostname):
        (self.tmp / "dhcpcd.conf").write_text(
            "option subnet_mask, routers, domain_name_servers, domain_name, interface_mtu\n"
            "require dhcp_server_identifier\nnoarp\n"
        )
        once = ["-B"] if keep else ["-1", "-B"]
        name = ["-h", hostname] if hostname else []
        argv = ["dhcpcd", "-4", *once, "-t", str(timeout), "--noipv4ll", *name]
        argv += ["-f", self.tmp / "dhcpcd.conf", "-c", self.tmp / "hook", "eth0"]
        # Its pid file, control socket and lease file have fixed places: give it its own.
        private = (
            "mount --make-rslave / && mkdir -p /run/dhcpcd /var/lib/dhcpcd"
            " && mount -t tmpfs tmpfs /run/dhcpcd"
            ' && mount --bind "$1" /var/lib/dhcpcd && shift && exec "$@"'
        )
        (self.tmp / "dhcpcd.lib").mkdir(exist_ok=True)
        return ["unshare", "-m", "bash", "-c", private, "-", self.tmp / "dhcpcd.lib", *argv]


_FETCH_CODE = """
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with opener.open(sys.argv[1], timeout=15) as answer, open(sys.argv[2], "wb") as out:
    while part := answer.read(65536):
        out.write(part)
"""
_FETCH = [sys.executable, "-c", _FETCH_CODE]
