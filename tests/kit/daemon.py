# SPDX-License-Identifier: GPL-2.0-or-later
"""vnetd under test: start, ask, change, kill, restart; and the staged programs.

Programs come from a staged installation, `VNET_STAGE` (the DESTDIR of `meson install` with
--prefix=/usr).  Inside a `ns.Host` it is seen as /usr, so the tests run what a user runs.
"""

import contextlib
import json
import os
import signal
from pathlib import Path

from . import ns, proc

# Every process of the suite, by comm; those that a configuration does not need do not run.
PROGRAMS = ("vnetd", "vnet-dhcpd", "vnet-natd", "vnet-redird", "vnet-bridge", "vnet-capture")
READY = "vnetd: ready"  # one line of the log for each start

HELPER = "/usr/libexec/vnet/vnet-bridge-helper"

# What the tests start with unless they say otherwise: fixed subnets, so that a test can name
# addresses; private, and none that lab.py gives to the outside.
SUBNETS = {1: "10.181.1.0/24", 8: "10.181.8.0/24"}
NETWORKING = """VERSION=1,0
answer VNET_1_DHCP yes
answer VNET_1_HOSTONLY_NETMASK 255.255.255.0
answer VNET_1_HOSTONLY_SUBNET 10.181.1.0
answer VNET_1_VIRTUAL_ADAPTER yes
answer VNET_8_DHCP yes
answer VNET_8_HOSTONLY_NETMASK 255.255.255.0
answer VNET_8_HOSTONLY_SUBNET 10.181.8.0
answer VNET_8_NAT yes
answer VNET_8_VIRTUAL_ADAPTER yes
"""


def stage():
    """The staged installation's root, or a clear failure."""
    where = os.environ.get("VNET_STAGE")
    if not where:
        raise proc.Failed("VNET_STAGE is not set: run scripts/test net, or see tests/README.md")
    root = Path(where).resolve()
    if not (root / "usr/sbin/vnetd").exists():
        raise proc.Failed(f"VNET_STAGE={where} holds no usr/sbin/vnetd: run meson install into it")
    return root


class Vnetd:
    """One vnetd (with its children) in a host namespace, with directories of its own.

    config, state, run   its directories (visible outside the namespace too)
    log                  everything that it and its children wrote to stderr
    """

    def __init__(self, host, tmp):
        self.host = host
        self.config, self.state, self.run = tmp / "etc-vnet", tmp / "lib-vnet", tmp / "run-vnet"
        self.log = tmp / "vnetd.log"
        for folder in (self.config, self.state, self.run):
            folder.mkdir(parents=True)
            folder.chmod(0o755)
        self.process = None

    # --- configuration -------------------------------------------------------------------------

    def write(self, name, text):
        """Puts a file into the configuration folder, e.g. write("vmnet8/nat/nat.conf", ...)."""
        path = self.config / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name):
        """A file of the configuration folder, as text."""
        return (self.config / name).read_text()

    @property
    def dirs(self):
        """The three options that every program takes."""
        return [
            f"--config-dir={self.config}",
            f"--state-dir={self.state}",
            f"--run-dir={self.run}",
        ]

    # --- life ----------------------------------------------------------------------------------

    def start(self, *args, wait=True, timeout=20, env=None):
        """Starts `vnetd -d`; with `wait` returns once it has told the service manager that it is ready.

        `vnetctl status` answers before that: while what a former vnetd left is still being removed.
        env: further variables of its environment.
        """
        assert self.process is None or self.process.poll() is not None, "vnetd runs already"
        extra = [f"{name}={value}" for name, value in (env or {}).items()]
        argv = ["env", *extra, "vnetd", "-d", *self.dirs, *args]
        former = self.log_text().count(READY)
        self.process = self.host.popen(*argv, log=self.log)
        if wait:
            self.wait_ready(timeout)
            proc.wait_until("vnetd has logged that it is ready",
                            lambda: self.log_text().count(READY) > former, timeout)
        return self

    def wait_ready(self, timeout=20):
        """Until the plan is applied; fails with the log when vnetd ends before that."""

        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"vnetd ended ({self.process.returncode}):\n{self.log_text()}")
            return self.ctl("status", check=False).rc == 0

        try:
            proc.wait_until("vnetctl status exits 0", ready, timeout)
        except AssertionError as why:
            raise AssertionError(f"{why}\n--- vnetd's log\n{self.log_text()}") from None

    def stop(self, sig=signal.SIGTERM, timeout=10, but=None):
        """Ends vnetd by a signal and waits until it and all its children are gone, but those of one name."""
        tree = {name: pids for name, pids in self.pids().items() if name != but}
        proc.kill(self.process.pid, sig)
        self.process.wait(timeout)
        gone = lambda: not any(proc.alive(pid) for pids in tree.values() for pid in pids)
        proc.wait_until("all processes of vnetd have ended", gone, timeout)
        return self.process.returncode

    def restart(self, sig=signal.SIGTERM):
        """stop, then start with the same directories."""
        self.stop(sig)
        return self.start()

    def teardown(self):
        """`vnet-networks --stop`: everything of ours leaves the kernel."""
        return self.host.run("vnetd", "--teardown", *self.dirs)

    # --- looking at it -------------------------------------------------------------------------

    def ctl(self, *args, user=None, **kw):
        """`vnetctl ARGS` in the host namespace; a proc.Result.  Raises unless check=False."""
        return self.host.run("vnetctl", *self.dirs, *args, user=user, **kw)

    def json(self, *args, **kw):
        """`vnetctl ARGS --json`, decoded."""
        return json.loads(self.ctl(*args, "--json", **kw).out)

    def pids(self):
        """The running processes: {"vnetd": [priv, engine], "vnet-dhcpd": [...], ...}."""
        found = {}
        for pid in proc.descendants(self.process.pid):
            try:
                name = proc.comm(pid)
            except (FileNotFoundError, ProcessLookupError):
                continue
            if name in PROGRAMS:
                found.setdefault(name, []).append(pid)
        return found

    def pid_of(self, name):
        """Process id of "priv", "engine" or a worker such as "vnet-dhcpd"."""
        if name == "priv":
            return self.process.pid
        if name == "engine":
            return next(p for p in self.pids()["vnetd"] if p != self.process.pid)
        return self.pids()[name][0]

    def kill_and_await(self, name, timeout=10):
        """kill -9 of a child ("engine", "vnet-natd", ...); returns the id of its successor."""
        old = self.pid_of(name)
        proc.kill(old)

        def successor():
            try:
                new = self.pid_of(name)
            except (KeyError, StopIteration):
                return 0
            return new if new != old else 0

        new = proc.wait_until(f"{name} is back", successor, timeout)
        self.wait_ready(timeout)
        return new

    @contextlib.contextmanager
    def traced(self, name, *options):
        """strace with these options at a process, see pid_of(): the file that it writes, whole behind the block."""
        pid, trace = self.pid_of(name), self.log.with_name(f"strace.{name}")
        tracer = self.host.popen("strace", "-o", trace, "-p", pid, *options)
        proc.wait_until("strace looks",
                        lambda: "TracerPid:\t0" not in Path(f"/proc/{pid}/status").read_text())
        try:
            yield trace
        finally:
            tracer.terminate()
            tracer.wait(10)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def subnet(self, n):
        """Subnet of vmnet n as vnetd reports it, e.g. "10.181.8.0/24"."""
        rows = self.json("networks")["networks"]
        return next(row["subnet"] for row in rows if row["name"] == f"vmnet{n}")

    def address(self, n, last):
        """An address of vmnet n by its number: address(8, 2) is the NAT gateway."""
        return ns.nth(self.subnet(n), last)

    def lease_file(self, n):
        """Text of vmnet n's lease file."""
        return (self.state / f"vmnet{n}" / "dhcpd.leases").read_text()
