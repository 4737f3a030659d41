# SPDX-License-Identifier: GPL-2.0-or-later
"""Cached material of the VM tests: Debian's kernel, a guest's initramfs, Debian root file systems.

Everything comes from Debian packages by apt and debootstrap and is kept in `VNET_TEST_CACHE`
(default /var/cache/vnet-tests); what is missing is made again, so the folder may be deleted at any
time.  A finished item appears by rename, hence a killed run leaves nothing half done behind, and a
lock file makes concurrent runs wait for each other.

    kernel()       folder with `vmlinuz` and `modules/` of linux-image-cloud-amd64
    guest_initrd() the guest that the tests boot: busybox, virtio modules, tests/vm/guest/
    debian()       a tar of a fresh minimal Debian (for the quickstart test)
    host_disk()    an ext4 image of a Debian with systemd, NetworkManager and the kernel's modules
    host_initrd()  mounts that disk, unpacks the tar on the second disk over it, and starts systemd
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path

from . import proc

VM_DIR = Path(__file__).resolve().parents[1] / "vm"
BUSYBOX = Path("/usr/bin/busybox")

# In this order: each module after those that it needs.
VIRTIO = (
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci",
)
GUEST_MODULES = ("net/core/failover", "drivers/net/net_failover", *VIRTIO, "drivers/net/virtio_net")
HOST_MODULES = (*VIRTIO, "drivers/block/virtio_blk")

# What a host needs to run vnetd's installed tree, and what we want to see leaving our links alone.
HOST_PACKAGES = (
    "systemd systemd-sysv udev dbus kmod iproute2 nftables procps iputils-ping udhcpc tcpdump"
    " network-manager ca-certificates systemd-resolved polkitd firewalld netbase"
    " libevent-core-2.1-7 libmnl0 libnftnl11 libjansson4"
    " libseccomp2 libcap-ng0"
).split()
HOST_OFF = (
    "getty@tty1.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer"
    " e2scrub_all.timer e2scrub_reap.service systemd-pstore.service systemd-random-seed.service"
    " modprobe@configfs.service modprobe@dm_mod.service modprobe@drm.service modprobe@loop.service"
    " modprobe@efi_pstore.service modprobe@fuse.service dev-hugepages.mount dev-mqueue.mount"
    " sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount"
    " sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount systemd-update-utmp.service"
    " systemd-update-utmp-runlevel.service NetworkManager-wait-online.service"
    " NetworkManager-dispatcher.service console-getty.service systemd-logind.service"
    " firewalld.service"
).split()
DEBIAN_PACKAGES = "ca-certificates sudo".split()


def cache():
    """The cache folder; made when missing, readable by everybody (QEMU runs as a plain user)."""
    folder = Path(os.environ.get("VNET_TEST_CACHE", "/var/cache/vnet-tests"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    return folder


@contextlib.contextmanager
def _lock():
    with open(cache() / "lock", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _made(name, make):
    """Path of the item `name`; `make(path)` fills it the first time."""
    path = cache() / name
    with _lock():
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=cache(), prefix="making-") as work:
                os.chmod(work, 0o755)
                fresh = Path(work) / "item"
                make(fresh)
                fresh.rename(path)
            _drop_older(path)
    return path


def _drop_older(path):
    """Removes what was made of older inputs.  A run that still uses it has it open, or remakes it."""
    family, _, rest = path.name.rpartition("-")
    for other in path.parent.glob(f"{family}-*{Path(rest).suffix}"):
        if other.is_file() and other != path:
            other.unlink()


def _key(*parts):
    """A short name for the inputs that an item was made of."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else str(part).encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:12]


def everything():
    """Makes all that is missing, so that no test has to."""
    guest_initrd()
    debian()
    host_disk()
    host_initrd()


# --- kernel --------------------------------------------------------------------------------------


def _kernel_package():
    """Name of the package that the newest cloud kernel is in, e.g. linux-image-6.1.0-56-cloud-amd64.

    A kernel that was fetched before is used as long as its folder exists: no look-up then.
    """
    have = sorted(cache().glob("linux-image-*"))
    if have:
        return have[-1].name
    out = proc.run(["apt-cache", "depends", "linux-image-cloud-amd64"]).out
    found = re.search(r"Depends: (linux-image-\S+)", out)
    if not found:
        raise proc.Failed("apt knows no linux-image-cloud-amd64: run apt-get update")
    return found.group(1)


def kernel():
    package = _kernel_package()
    release = package.removeprefix("linux-image-")

    def make(path):
        path.mkdir()
        proc.run(["apt-get", "download", package], cwd=path, timeout=300)
        proc.run(["dpkg", "-x", next(path.glob("*.deb")), path / "x"], timeout=60)
        (path / "x/boot" / f"vmlinuz-{release}").rename(path / "vmlinuz")
        (path / "x/lib/modules" / release).rename(path / "modules")
        proc.run(["chmod", "-R", "a+rX", path])
        shutil.rmtree(path / "x")
        next(path.glob("*.deb")).unlink()

    return _made(package, make)


def kernel_release():
    """What `uname -r` says in the VM."""
    return _kernel_package().removeprefix("linux-image-")


# --- initramfs -----------------------------------------------------------------------------------


class Cpio:
    """An initramfs under construction ("newc" format).

    The kernel unpacks archives that stand one after another in one file, so a test's own files
    are a small archive behind the cached one.
    """

    def __init__(self):
        self._out = bytearray()
        self._inode = 0

    def _entry(self, name, mode, data=b""):
        self._inode += 1
        fields = [self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        self._out += b"070701" + b"".join(b"%08X" % f for f in fields)
        self._out += name.encode() + b"\0"
        self._pad()
        self._out += data
        self._pad()

    def _pad(self):
        self._out += b"\0" * (-len(self._out) % 4)

    def folder(self, name):
        self._entry(name, 0o040755)

    def file(self, name, data, mode=0o755):
        self._entry(name, 0o100000 | mode, data if isinstance(data, bytes) else data.encode())

    def bytes(self):
        self._entry("TRAILER!!!", 0)
        return bytes(self._out) + b"\0" * (-len(self._out) % 512)


def add_programs(archive, tools):
    """Puts programs of this machine, {path there: path here}, into an archive, with their libraries."""
    files = {str(there).lstrip("/"): Path(here) for there, here in tools.items()}
    for here in list(files.values()):
        for path in re.findall(r"(/\S+) \(0x", proc.run(["ldd", here]).out):
            files[path.lstrip("/")] = Path(path)
    folders = {str(folder) for name in files for folder in Path(name).parents}
    for folder in sorted(folders - {"."}, key=len):
        archive.folder(folder)
    for name, here in files.items():
        archive.file(name, here.read_bytes())


def add_modules(archive, modules):
    """Puts modules of kernel() into an archive, below mod/; their file names, in the same order."""
    paths = [kernel() / "modules/kernel" / f"{module}.ko" for module in modules]
    for path in paths:
        archive.file(f"mod/{path.name}", path.read_bytes(), 0o644)
    return [path.name for path in paths]


def _initrd(name, modules, files):
    """An initramfs with busybox, the modules (listed in /modules in order) and `files`."""
    base = kernel()

    def make(path):
        archive = Cpio()
        for folder in ("bin", "dev", "etc", "mod", "mnt", "proc", "sys", "tmp"):
            archive.folder(folder)
        archive.file("bin/busybox", BUSYBOX.read_bytes())
        for module in modules:
            ko = base / "modules/kernel" / f"{module}.ko"
            archive.file(f"mod/{ko.name}", ko.read_bytes(), 0o644)
        archive.file("modules", "\n".join(Path(m).name for m in modules) + "\n", 0o644)
        for target, source in files.items():
            archive.file(target, source.read_bytes())
        path.write_bytes(archive.bytes())
        path.chmod(0o644)

    key = _key(base.name, BUSYBOX, *modules, *files, *files.values())
    return _made(f"{name}-{key}.cpio", make)


def guest_initrd():
    files = {"init": "guest/init", "lib.sh": "guest/lib.sh", "udhcpc.sh": "guest/udhcpc.sh"}
    return _initrd("guest", GUEST_MODULES, {k: VM_DIR / v for k, v in files.items()})


def host_initrd():
    return _initrd("host", HOST_MODULES, {"init": VM_DIR / "host/init"})


# --- Debian --------------------------------------------------------------------------------------


def mirror():
    """(URI, suite) of the Debian archive that this machine's apt uses for its own release."""
    suite = dict(
        row.split("=", 1) for row in Path("/etc/os-release").read_text().splitlines() if "=" in row
    ).get("VERSION_CODENAME", "bookworm")
    wanted = ["Created-By: Packages", "Label: Debian", f"Codename: {suite}", "Component: main"]
    out = proc.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted], check=False).out
    uri = out.split("\n")[0].strip() or "http://deb.debian.org/debian/"
    return uri, suite


def debian():
    def make(path):
        root, (uri, suite) = path.with_name("root"), mirror()
        # What it mounts goes with it, however it ends. What it makes need not survive a power cut.
        argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "eatmydata"]
        argv += ["debootstrap", "--variant=minbase", f"--include={','.join(DEBIAN_PACKAGES)}"]
        argv += [f"--cache-dir={debs()}", suite, root, uri]
        proc.run(argv, timeout=400, env={"DEBIAN_FRONTEND": "noninteractive"})
        shutil.rmtree(root / "var/cache/apt/archives")
        (root / "var/cache/apt/archives/partial").mkdir(parents=True)
        proc.run(["tar", "--numeric-owner", "-C", root, "-cf", path, "."], timeout=120)
        path.chmod(0o644)

    return _made(f"debian-{mirror()[1]}-{_key(*DEBIAN_PACKAGES)}.tar", make)


def debs():
    """Where downloaded packages are kept for the next time."""
    folder = cache() / "debs"
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    return folder


def proxy():
    """The HTTP proxy that this machine's apt uses, as text; empty when there is none."""
    out = proc.run(["apt-config", "dump", "--format", "%v", "Acquire::http::Proxy"]).out.strip()
    return out or os.environ.get("http_proxy", "")


_INSTALL = """
mount --make-rslave /
mount -t proc proc "$1/proc"
mount --bind "$2" "$1/var/cache/apt/archives"
cp /etc/resolv.conf "$1/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
chmod 755 "$1/usr/sbin/policy-rc.d"
chroot "$1" apt-get -qq update
chroot "$1" apt-get -qq -y --no-install-recommends install ${@:3}
rm "$1/usr/sbin/policy-rc.d"
rm -f "$1/etc/resolv.conf" # systemd-resolved makes it a link
: >"$1/etc/resolv.conf"
"""


def _install(root, packages):
    """Installs packages into a Debian that stands in the folder `root`."""
    if proxy():
        (root / "etc/apt/apt.conf.d/01proxy").write_text(f'Acquire::http::Proxy "{proxy()}";\n')
    argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "bash", "-euc", _INSTALL, "-"]
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    proc.run([*argv, root, debs(), *packages], timeout=400, env=env)


def host_disk():
    base, debian_tar = kernel(), debian()

    def make(path):
        root = path.with_name("root")
        root.mkdir()
        proc.run(["tar", "--numeric-owner", "-C", root, "-xf", debian_tar], timeout=120)
        _install(root, HOST_PACKAGES)
        _furnish(root, base)
        with open(path, "wb") as disk:
            disk.truncate(2 << 30)
        proc.run(["mkfs.ext4", "-q", "-F", "-L", "vnet-host", "-d", root, path], timeout=180)
        path.chmod(0o644)

    unit = VM_DIR / "host/vnet-test.service"
    return _made(f"host-{_key(debian_tar.name, base.name, unit, *HOST_PACKAGES, *HOST_OFF)}.ext4", make)


def _furnish(root, base):
    """Makes a debootstrapped root bootable as a VM that runs the test of its second disk."""
    modules = root / "lib/modules" / kernel_release()
    modules.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(base / "modules", modules)
    proc.run(["chroot", root, "depmod", kernel_release()], timeout=60)
    shutil.copy(VM_DIR / "host/vnet-test.service", root / "etc/systemd/system/")
    wants = root / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    (wants / "vnet-test.service").symlink_to("../vnet-test.service")
    (root / "etc/hostname").write_text("vnet-host\n")
    (root / "etc/fstab").write_text("")  # the initramfs mounted the root for writing already
    # Nobody logs in, nothing is upgraded: what only costs time is off.
    for unit in HOST_OFF:
        (root / "etc/systemd/system" / unit).unlink(missing_ok=True)
        (root / "etc/systemd/system" / unit).symlink_to("/dev/null")
