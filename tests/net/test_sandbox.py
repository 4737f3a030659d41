# SPDX-License-Identifier: GPL-2.0-or-later
"""What lib/sandbox.h promises, seen on real processes: sandbox-helper is priv, its children are workers.

Each row of `tries` in tests/unit/lib/sandbox_helper.c is one attempt by one worker; here stands how
each must end.
"""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from tests.kit import built, lab, proc

UID = 64111
NET_BIND_SERVICE, NET_ADMIN, NET_RAW, SYS_CHROOT = 10, 12, 13, 18

# A worker does its work under the base list alone, or with the one extra that it asked for.
ALLOWED = [
    "memory",
    "stdio and log",
    "loop",
    "channel",
    "many messages",
    "own limit",
    "memfd allowed",
    "files allowed",
    "rtnl allowed",
    "udp allowed",
    "tcp allowed",
    "accept allowed",
    "relay allowed",
]

# Every other extra does not help.
NEEDS_ITS_EXTRA = ["memfd", "files", "rtnl", "udp", "tcp", "accept", "relay"]

# Without any filter: the empty root, the missing capabilities and dumpable 0 do this.
REFUSED_UNFILTERED = [
    "ptrace, unfiltered",
    "ptrace priv, unfiltered",
    "vm read, unfiltered",
    "chroot, unfiltered",
    "mount, unfiltered",
    "ambient, unfiltered",
    "packet socket, unfiltered",
]

REFUSED = [
    "kill",
    "kill priv",
    "tgkill",
    "pidfd",
    "ptrace",
    "vm read",
    "prlimit",
    "open",
    "socket inet",
    "socket unix",
    "socket packet",
    "socket netfilter",
    "socket ping",
    "rebind packet socket",
    "relay listens",
    "set owner",
    "set owner by ioctl",
    "mmap exec",
    "mprotect exec",
    "chroot",
    "mount",
    "unshare",
    "fork",
    "exec",
    "bpf",
    "setuid",
]

# Calls that end a worker in a build with -Dseccomp-kill=true.
MAY_KILL = {"memfd", "accept", "chroot", "mount", "unshare", "fork", "exec", "bpf", "setuid"}

PRIV_REFUSED = [
    "priv ptrace",
    "priv vm read",
    "priv unshare",
    "priv mount",
    "priv bpf",
    "priv bpf map",
    "priv bpf program",
    "priv bpf types",
    "priv personality",
    "priv setuid",
]
PRIV_ALLOWED = ["priv kill", "priv packet socket", "priv spawn", "priv bpf update"]


class Helper:
    """A running sandbox-helper: `.outcomes`, `.priv` and `.worker` (pids), `.empty`."""

    def __init__(self, folder):
        self.empty = folder / "empty"
        self.empty.mkdir(mode=0o555)
        work = folder / "work"
        work.mkdir()
        os.chown(work, UID, UID)
        argv = [built.program("tests/unit/lib/sandbox-helper"), UID, UID, self.empty, work]
        self.process = subprocess.Popen(
            [str(a) for a in argv],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.outcomes = {}
        for line in self.process.stdout:
            name, _, outcome = line.strip().partition(": ")
            self.outcomes[name] = outcome
            if name == "ready":
                break
        else:
            raise proc.Failed(f"sandbox-helper ended early\n{self.process.stderr.read()}")
        self.priv = self.process.pid
        self.worker = int(self.outcomes["waiting worker"])

    def finish(self):
        """Ends the helper; what it still said, on both outputs."""
        try:
            return self.process.communicate("", timeout=10)
        except subprocess.TimeoutExpired:
            proc.kill(self.worker, signal.SIGKILL)
            self.process.kill()
            raise


@pytest.fixture(scope="module")
def helper():
    lab.need_root()
    # Not one of pytest's own directories: those are closed to uid 64111.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="vt-"))
    folder.chmod(0o755)
    made = Helper(folder)
    yield made
    if made.process.poll() is None:
        made.finish()
    shutil.rmtree(folder)


def caps(pid):
    """The five capability sets of a process, as numbers."""
    status = proc.status(pid)
    return {name: int(status[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")}


def test_priv_holds_four_capabilities_and_no_more(helper):
    assert helper.outcomes["drop root"] == "ok"
    assert helper.outcomes["filter priv"] == "ok"
    four = sum(1 << c for c in (NET_BIND_SERVICE, NET_ADMIN, NET_RAW, SYS_CHROOT))
    assert caps(helper.priv) == {
        "Inh": 1 << SYS_CHROOT,
        "Prm": four,
        "Eff": four,
        "Bnd": 0,
        "Amb": 0,
    }


def test_worker_holds_no_capability(helper):
    assert caps(helper.worker) == {"Inh": 0, "Prm": 0, "Eff": 0, "Bnd": 0, "Amb": 0}


@pytest.mark.parametrize("who", ["priv", "worker"])
def test_identity_and_locks(helper, who):
    status = proc.status(getattr(helper, who))
    assert status["Uid"].split() == [str(UID)] * 4
    assert status["Gid"].split() == [str(UID)] * 4
    assert status["Groups"].split() == []
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_worker_sees_an_empty_root(helper):
    assert os.readlink(f"/proc/{helper.worker}/root") == str(helper.empty)
    assert os.readlink(f"/proc/{helper.worker}/cwd") == str(helper.empty)
    assert os.listdir(f"/proc/{helper.worker}/root") == []
    assert helper.outcomes["root, unfiltered"] == "ok"


def test_child_without_preparation_cannot_enter(helper):
    assert helper.outcomes["unprepared"] == "exit 200"


@pytest.mark.parametrize("name", ALLOWED)
def test_worker_can(helper, name):
    assert helper.outcomes[name] == "ok"


@pytest.mark.parametrize("name", NEEDS_ITS_EXTRA + REFUSED)
def test_worker_is_refused(helper, name):
    wanted = ["EPERM"] + (["killed by SIGSYS"] if name in MAY_KILL else [])
    assert helper.outcomes[name] in wanted


@pytest.mark.parametrize("name", REFUSED_UNFILTERED)
def test_worker_is_refused_without_a_filter_too(helper, name):
    assert helper.outcomes[name] == "EPERM"


def test_only_the_filter_refuses_signals(helper):
    """Same user, so the kernel itself lets a worker signal priv: the filter is not an ornament."""
    assert helper.outcomes["kill, unfiltered"] == "ok"


def test_a_failed_assertion_dies_as_one(helper):
    assert helper.outcomes["abort"] == "killed by SIGABRT"


@pytest.mark.parametrize("name", PRIV_REFUSED)
def test_priv_is_refused(helper, name):
    assert helper.outcomes[name] == "EPERM"


@pytest.mark.parametrize("name", PRIV_ALLOWED)
def test_priv_can(helper, name):
    assert helper.outcomes[name] == "ok"


def test_every_outcome_is_judged(helper):
    judged = {*ALLOWED, *NEEDS_ITS_EXTRA, *REFUSED, *REFUSED_UNFILTERED, *PRIV_REFUSED, *PRIV_ALLOWED}
    judged |= {"drop root", "filter priv", "waiting worker", "unprepared", "ready", "abort"}
    judged |= {"root, unfiltered", "kill, unfiltered", "stdio"}
    assert set(helper.outcomes) == judged


def test_the_waiting_worker_was_left_alone(helper):
    """Last: it lived through all attempts and ends as it should; the log line came out."""
    out, err = helper.finish()
    assert out == "waiting: ok\n"
    assert err == "sandbox-helper: log\n"
    assert helper.process.returncode == 0
