# SPDX-License-Identifier: GPL-2.0-or-later
"""Virtual machines under QEMU's TCG that report on their serial console.

A machine prints lines `RESULT key=value`; `results` holds the last value of each key, `wait(key)`
waits for one, `send(text)` types a line.  TCG on purpose: it works everywhere, KVM may not.
"""

import itertools
import os
import re
import subprocess
import threading

from . import images, ns, proc

QEMU = "qemu-system-x86_64"
_RESULT = re.compile(r"RESULT (\w+)=(.*)")
CONSOLE = "console=ttyS0 quiet loglevel=3 panic=-1 mitigations=off random.trust_cpu=on"


class Machine:
    """A running QEMU.  `argv` is the whole command line but for console and kernel.

    space  namespace to start it in;  user  the unprivileged user that QEMU runs as
    wrap   words in front of QEMU's: a command that starts it
    kernel None: the firmware looks for something to boot, with its console on the serial line
    """

    def __init__(self, space, argv, *, kernel, initrd=None, append="", memory=256, user=None, wrap=()):
        self.console = ""
        self.results = {}
        self._news = threading.Condition()
        board = "q35,accel=tcg" if kernel else "q35,accel=tcg,graphics=off"
        full = [*wrap, QEMU, "-machine", board, "-m", str(memory), "-nodefaults", "-no-reboot"]
        full += ["-display", "none", "-serial", "stdio"]
        if kernel:
            full += ["-kernel", kernel, "-initrd", initrd, "-append", f"{CONSOLE} {append}".strip()]
        full += argv
        self.process = space.popen(
            *full, user=user, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for raw in self.process.stdout:
            line = raw.decode(errors="replace").rstrip("\r\n")
            with self._news:
                self.console += line + "\n"
                found = _RESULT.search(line)
                if found:
                    self.results[found.group(1)] = found.group(2).strip()
                self._news.notify_all()
        with self._news:
            self.process.wait()
            self._news.notify_all()

    def _ended(self):
        return self.process.poll() is not None and not self._reader.is_alive()

    def wait(self, key, timeout=60):
        """The value of `key`, once the machine reports it."""
        with self._news:
            ok = self._news.wait_for(
                lambda: key in self.results or self.process.returncode is not None, timeout
            )
            if key in self.results:
                return self.results[key]
        why = "the machine ended without" if ok else f"not within {timeout} s:"
        raise AssertionError(f"{why} RESULT {key}=...\n--- console\n{self.console}")

    def send(self, text):
        """Types a line on the serial console."""
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()

    def finish(self, timeout=90):
        """Waits for the end of the machine and returns the results; `exit` must be 0."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            proc.kill(self.process.pid)
            raise AssertionError(f"runs after {timeout} s\n--- console\n{self.console}") from None
        self._reader.join(5)
        assert self.results.get("exit") == "0", f"--- console\n{self.console}"
        return self.results

    def qemu_pid(self):
        """Process id of QEMU itself."""
        return next(p for p in proc.descendants(self.process.pid) if proc.comm(p) == QEMU[:15])


def initrd_for(tmp, script):
    """An initramfs of a guest that runs `script` (sh, with tests/vm/guest/lib.sh)."""
    extra = images.Cpio()
    extra.file("test", script)
    initrd = tmp / "guest.cpio"
    initrd.write_bytes(images.guest_initrd().read_bytes() + extra.bytes())
    return initrd


def guest(space, tmp, script, *, user, network, helper, mac=None, memory=256):
    """A guest with an unmodified Debian kernel that runs `script`.

    It is plugged in as a user would do it: -nic bridge,br=NETWORK,helper=HELPER.
    """
    initrd = initrd_for(tmp, script)
    nic = f"bridge,br={network},model=virtio-net-pci,helper={helper}"
    nic += f",mac={mac}" if mac else ""
    kernel = images.kernel() / "vmlinuz"
    return Machine(space, ["-nic", nic], kernel=kernel, initrd=initrd, memory=memory, user=user)


# A guest that is used from outside, line by line: Shell types, this answers.
_SHELL = """
stty -echo
n=0
while read -r line; do
	echo "TURN $n"
	eval "$line" </dev/null 2>&1 && status=0 || status=$?
	result "turn$n" $status
	n=$((n + 1))
done
"""


class Shell:
    """A guest that runs what is typed: `shell("ip link")` is (exit status, output).

    attach  a command line that ends in "--" and gives QEMU its tap as descriptor 3
    tools   {path in the guest: program of this machine}; they come with their libraries
    """

    def __init__(self, space, tmp, *, attach, mac, user, qmp, prelude="", tools=(), modules=()):
        extra = images.Cpio()
        images.add_programs(extra, dict(tools))
        names = images.add_modules(extra, modules)
        load = "".join(f"insmod /mod/{name}\n" for name in names)
        extra.file("test", load + prelude + _SHELL)
        initrd = tmp / "shell.cpio"
        initrd.write_bytes(images.guest_initrd().read_bytes() + extra.bytes())
        argv = ["-netdev", "tap,id=net0,fd=3", "-device", f"virtio-net-pci,netdev=net0,mac={mac}"]
        argv += ["-qmp", f"unix:{qmp},server=on,wait=off"]
        kernel = images.kernel() / "vmlinuz"
        self._turns = itertools.count()
        self.machine = Machine(
            space, argv, kernel=kernel, initrd=initrd, memory=384, user=user, wrap=attach
        )

    def __call__(self, line, timeout=60, check=True):
        turn = next(self._turns)
        self.machine.send(line)
        status = int(self.machine.wait(f"turn{turn}", timeout))
        out = self.machine.console.split(f"TURN {turn}\n", 1)[1].split(f"RESULT turn{turn}=", 1)[0]
        assert status == 0 or not check, f"{line}: exit {status}\n{out}"
        return out if check else (status, out)


def systemd_host(space, tmp, script, files, *, memory=768):
    """A Debian with systemd that runs `script` (bash) as root once it is up.

    files   {path in the machine: path here}; folders are taken with what is in them
    """
    tree = tmp / "second-disk"
    (tree / "test").mkdir(parents=True)
    (tree / "test/run").write_text(HOST_PRELUDE)
    (tree / "test/script").write_text(script)
    for target, source in files.items():
        place = tree / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        proc.run(["cp", "-a", source, place])
    tar = tmp / "second-disk.tar"
    proc.run(["tar", "--owner=0", "--group=0", "-C", tree, "-cf", tar, "."])
    disks = [
        f"file={images.host_disk()},format=raw,if=virtio,snapshot=on",
        f"file={tar},format=raw,if=virtio,readonly=on",
    ]
    return Machine(
        space,
        ["-smp", "2", *(word for disk in disks for word in ("-drive", disk))],
        kernel=images.kernel() / "vmlinuz",
        initrd=images.host_initrd(),
        append="systemd.show_status=0 systemd.getty_auto=no systemd.log_level=err audit=0",
        memory=memory,
    )


def host_results(name, stage, tmp, files=None):
    """{result: value} of tests/vm/host/NAME.sh, run by one boot of a Debian with our staged tree in /stage."""
    images.host_disk()
    images.host_initrd()
    space = ns.Netns(f"vt{os.getpid()}-{name}")
    try:
        booted = systemd_host(
            space,
            tmp,
            (images.VM_DIR / f"host/{name}.sh").read_text(),
            {"/stage": stage, "/src/scripts": images.VM_DIR.parents[1] / "scripts", **(files or {})},
        )
        found = booted.finish(500)
        print(booted.console)
        return found
    finally:
        space.delete()


def same(results, **wanted):
    """Asserts that these results are as they should be."""
    assert {key: results.get(key) for key in wanted} == wanted, results.get("journal", "")


# `check NAME COMMAND...` reports whether a command succeeded; the test asserts on the results.
HOST_PRELUDE = r"""#!/bin/bash
set -u
export PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8
result() { local key=$1; shift; echo "[$SECONDS s] RESULT $key=$*"; }
check() {
	local key=$1 out; shift
	if out=$("$@" 2>&1); then result "$key" ok; else result "$key" "failed: ${out//$'\n'/ | }"; fi
}
# Runs a command until it succeeds, at most $1 seconds.
within() {
	local end=$((SECONDS + $1)); shift
	until "$@" >/dev/null 2>&1; do
		if ((SECONDS >= end)); then "$@"; return; fi
		sleep 0.1
	done
}
. /test/script
result exit 0
"""
