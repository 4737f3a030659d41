# SPDX-License-Identifier: GPL-2.0-or-later
"""A fresh Debian in a folder, with a network namespace and a process namespace of its own.

It has a user `alice` who may sudo, the source tree in her home, and apt through proxy.py.  There
is no systemd: the place where a person tries something in a container or a chroot.
"""

import shutil
import subprocess
from pathlib import Path

from . import images, lab, ns, proc, proxy

TREE = Path(__file__).resolve().parents[2]
USER = "alice"

# Runs as the first process of the process namespace, and collects orphans for ever.
_MOUNTS = r"""
mount --make-rslave /
echo fresh >/proc/sys/kernel/hostname
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=755 tmpfs dev
mkdir dev/net dev/pts dev/shm
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
	IFS=: read -r name major minor <<<"$node"
	mknod -m 666 "dev/$name" c "$major" "$minor"
done
mknod -m 600 dev/net/tun c 10 200
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o mode=1777 tmpfs dev/shm
ln -s /proc/self/fd dev/fd
mount --bind "$2" var/cache/apt/archives
echo ready
while :; do sleep 1000 & wait; done
"""


def _not_source(folder, names):
    """What a checkout of the tree would not have."""
    top = Path(folder) == TREE
    return [n for n in names if n == "__pycache__" or (top and (n == ".git" or n.startswith("build")))]


class FreshDebian(ns.Netns):
    """`.run(...)` and `.alice(script)` work inside; `.root` is the folder seen from outside."""

    def __init__(self, name, tmp):
        super().__init__(name)
        self.root = tmp / "debian"
        self.root.mkdir()
        proc.run(["tar", "--numeric-owner", "-C", self.root, "-xf", images.debian()], timeout=120)
        script = ["bash", "-euc", _MOUNTS, "-", self.root, images.debs()]
        argv = ["unshare", "--mount", "--uts", "--pid", "--fork", "--kill-child", *script]
        self._holder = subprocess.Popen(
            [str(a) for a in super().wrap(argv)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        first = self._holder.stdout.readline().decode()
        if first != "ready\n":
            raise proc.Failed(f"no fresh Debian: {first}{self._holder.stdout.read().decode()}")
        self._init = proc.descendants(self._holder.pid)[1]
        self._furnish()

    def wrap(self, argv, user=None):
        enter = ["nsenter", f"--target={self._init}", "--mount", "--uts", "--pid", "--net"]
        enter += [f"--root=/proc/{self._init}/root", "--"]
        argv = argv if user is None else ["runuser", "-u", user, "--", *argv]
        path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return [*enter, "chroot", self.root, "env", "-i", path, "LC_ALL=C.UTF-8", *argv]

    def alice(self, script, **kw):
        """Runs a script of commands in a login shell of alice's, as if she typed them."""
        return self.run("su", "-", USER, "-c", "bash -s", stdin=script, **kw)

    def _furnish(self):
        etc = self.root / "etc"
        (etc / "hostname").write_text("fresh\n")
        (etc / "hosts").write_text("127.0.0.1 localhost fresh\n")
        (etc / "resolv.conf").write_text(f"nameserver {lab.OUTSIDE_ADDRESS}\n")
        (etc / "apt/apt.conf.d/01proxy").write_text(
            f'Acquire::http::Proxy "http://{lab.OUTSIDE_ADDRESS}:{proxy.PORT}";\n'
        )
        self.run("useradd", "--create-home", "--shell", "/bin/bash", USER)
        (etc / "sudoers.d").mkdir(exist_ok=True)
        (etc / "sudoers.d" / USER).write_text(f"{USER} ALL=(ALL) NOPASSWD: ALL\n")
        home = self.root / "home" / USER / "vnetd"
        shutil.copytree(TREE, home, symlinks=True, ignore=_not_source)
        self.run("chown", "-R", f"{USER}:{USER}", f"/home/{USER}/vnetd")

    def delete(self):
        super().delete()
        proc.kill_group(self._holder.pid)
        proc.kill(self._init)
        self._holder.communicate()
