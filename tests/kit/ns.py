# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces for tests.

`Netns` is a named network namespace (seen by `ip netns`).  `Host` is one that also has its own
mount namespace: /etc can be changed freely (a copy-on-write layer), /usr shows the staged
installation on top of the machine's, /sys shows the namespace's own interfaces.  Programs run in a
`Host` therefore live as on an installed machine, while nothing of the machine itself changes.

Names begin with `vt<pid of pytest>-`; `sweep` removes what a killed run left behind.
"""

import contextlib
import ctypes
import ipaddress
import json
import os
import re
import subprocess
from pathlib import Path

from . import proc

RUN_NETNS = Path("/run/netns")
CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def _setns(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        err = ctypes.get_errno()
        raise OSError(err, os.strerror(err))


class Netns:
    """A named network namespace; loopback is up, nothing else is there."""

    def __init__(self, name):
        self.name = name
        self._started = []
        self._kept = []
        proc.run(["ip", "netns", "add", name])
        proc.run(["ip", "-n", name, "link", "set", "lo", "up"])

    # --- running things inside -----------------------------------------------------------------

    def wrap(self, argv, user=None):
        """The command line that runs `argv` in here, by default as root."""
        return ["nsenter", f"--net={RUN_NETNS / self.name}", "--", *_as_user(user), *argv]

    def run(self, *argv, user=None, **kw):
        """Runs a command in here to its end; see proc.run for the keywords."""
        return proc.run(self.wrap(argv, user), **kw)

    def sh(self, script, **kw):
        """Runs a bash script (with -e and -u) in here."""
        return self.run("bash", "-euc", script, **kw)

    def popen(self, *argv, user=None, log=None, **kw):
        """Starts a command in here; killed at the end of the test.  Returns subprocess.Popen.

        With `log` (a path) both outputs are appended to that file, else they are pipes.
        """
        argv = [str(a) for a in self.wrap(argv, user)]
        kw.setdefault("stdin", subprocess.DEVNULL)
        kw.setdefault("start_new_session", True)
        if log is not None:
            with open(log, "ab") as out:
                child = subprocess.Popen(argv, stdout=out, stderr=out, **kw)
        else:
            kw.setdefault("stdout", subprocess.PIPE)
            kw.setdefault("stderr", subprocess.PIPE)
            child = subprocess.Popen(argv, **kw)
        self._started.append(child)
        return child

    @contextlib.contextmanager
    def enter(self):
        """The calling thread is in this network namespace inside the `with`: make sockets there."""
        back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        there = os.open(RUN_NETNS / self.name, os.O_RDONLY)
        try:
            _setns(there)
            yield self
        finally:
            _setns(back)
            os.close(there)
            os.close(back)

    # --- looking at it -------------------------------------------------------------------------

    def ip(self, *args):
        """`ip -j ...` in here, decoded."""
        out = self.run("ip", "-j", "-d", *args).out
        return json.loads(out) if out.strip() else []

    def links(self):
        """Interfaces by name, each the dictionary of `ip -j -d link`."""
        return {row["ifname"]: row for row in self.ip("link", "show")}

    def addresses(self, ifname):
        """IPv4 interface addresses of one link, as text with prefix length."""
        rows = self.ip("-4", "addr", "show", "dev", ifname)
        return [f"{a['local']}/{a['prefixlen']}" for row in rows for a in row["addr_info"]]

    def pids(self):
        """Process ids of everything that runs in here."""
        out = proc.run(["ip", "netns", "pids", self.name]).out
        return [int(word) for word in out.split()]

    def ping(self, address, count=1, wait=2, **kw):
        """Whether `address` answers; `count` requests 0.2 s apart, all of which must be answered."""
        argv = ["ping", "-n", "-q", "-c", count, "-i", "0.2", "-W", wait, address]
        res = self.run(*argv, check=False, timeout=count * 0.2 + wait + 5, **kw)
        lost = re.search(r"(\d+)% packet loss", res.out)
        return bool(lost) and lost.group(1) == "0"

    # --- the end -------------------------------------------------------------------------------

    def keep(self, thing):
        """Something that holds this namespace open: its close() is called at the end of the test."""
        self._kept.append(thing)
        return thing

    def delete(self):
        """Kills what runs in here and removes the namespace with its interfaces."""
        for thing in self._kept:
            thing.close()
        for child in self._started:
            proc.kill_group(child.pid)
        for pid in self.pids():
            proc.kill(pid)
        for child in self._started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.communicate(timeout=5)
        proc.run(["ip", "netns", "del", self.name], check=False)


class Host(Netns):
    """A namespace that plays a machine: own /etc, /usr with the staged tree on top, own /sys.

    tmp    a directory for its layers, outside the new mount namespace too
    stage  root of a staged installation (`DESTDIR`), or None to see the machine's /usr only
    """

    def __init__(self, name, tmp, stage=None):
        super().__init__(name)
        for layer in ("etc", "etc.work"):
            (tmp / layer).mkdir(parents=True)
        mounts = [
            "mount --make-rslave /",
            f"mount -t overlay overlay -o lowerdir=/etc,upperdir={tmp}/etc,workdir={tmp}/etc.work /etc",
            "umount -l /sys",
            "mount -t sysfs sysfs /sys",
        ]
        if stage is not None:
            mounts.insert(1, f"mount -t overlay overlay -o lowerdir={stage}/usr:/usr /usr")
        script = "\n".join(["set -eu", *mounts, "echo ready", "exec sleep infinity"])
        argv = super().wrap(["unshare", "--mount", "--propagation=slave", "bash", "-c", script])
        self._holder = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
        first = self._holder.stdout.readline().decode()
        if first != "ready\n":
            rest = self._holder.stdout.read().decode()
            raise proc.Failed(f"cannot build the host's mount namespace: {first}{rest}")

    def wrap(self, argv, user=None):
        # --root: entering a mount namespace leaves a chroot, if the tests run in one.
        there = f"/proc/{self._holder.pid}"
        enter = ["nsenter", f"--mount={there}/ns/mnt", f"--root={there}/root"]
        return [*enter, f"--net={RUN_NETNS / self.name}", "--", *_as_user(user), *argv]

    def write_file(self, path, text):
        """Replaces a file under /etc of this host, atomically (rename), as editors do."""
        new = f"{path}.new"
        self.run("bash", "-euc", 'cat >"$1"; mv "$1" "$2"', "-", new, path, stdin=text)

    def set_resolvers(self, *addresses):
        """Writes /etc/resolv.conf of this host."""
        self.write_file("/etc/resolv.conf", "".join(f"nameserver {a}\n" for a in addresses))

    def delete(self):
        super().delete()
        proc.kill_group(self._holder.pid)
        self._holder.communicate()


def _as_user(user):
    if user is None:
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--reset-env", "--"]


def veth(left, left_if, right, right_if):
    """A pair of Ethernet links between two namespaces, both ends up."""
    with left.enter():
        argv = ["ip", "link", "add", left_if, "type", "veth", "peer", "name", right_if]
        proc.run([*argv, "netns", right.name])
        proc.run(["ip", "link", "set", left_if, "up"])
    proc.run(["ip", "-n", right.name, "link", "set", right_if, "up"])


def nth(subnet, n):
    """Address number n of a subnet, as text: nth("10.0.8.0/24", 2) is "10.0.8.2"."""
    return str(ipaddress.ip_network(subnet)[n])


def sweep():
    """Removes namespaces of test runs whose pytest no longer lives."""
    if not RUN_NETNS.is_dir():
        return
    for entry in RUN_NETNS.iterdir():
        owner = re.fullmatch(r"vt(\d+)-.*", entry.name)
        if not owner or Path(f"/proc/{owner.group(1)}").exists():
            continue
        for word in proc.run(["ip", "netns", "pids", entry.name], check=False).out.split():
            proc.kill(int(word))
        proc.run(["ip", "netns", "del", entry.name], check=False)
