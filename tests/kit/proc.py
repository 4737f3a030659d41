# SPDX-License-Identifier: GPL-2.0-or-later
"""Processes: bounded runs of external commands, polling, and what /proc says about a process.

Nothing here knows namespaces or vnetd.  Every external command has a time-out; a command that
fails raises `Failed`, whose text carries the command line and both outputs, so that a red test
explains itself.
"""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

TIMEOUT = 20  # seconds; what one external command may take unless the caller says otherwise
SHOWN = 4000  # characters of each output that an error message carries, its end


class Failed(AssertionError):
    """An external command failed or took too long."""


class Result:
    """Outcome of a finished command: `.rc`, `.out`, `.err` (text)."""

    def __init__(self, argv, rc, out, err):
        self.argv, self.rc, self.out, self.err = argv, rc, out, err

    def __str__(self):
        line = " ".join(str(a) for a in self.argv)
        out, err = self.out[-SHOWN:], self.err[-SHOWN:]
        return f"$ {line}\nexit {self.rc}\n--- stdout\n{out}\n--- stderr\n{err}"


def run(argv, *, check=True, timeout=TIMEOUT, stdin="", env=None, cwd=None):
    """Runs `argv` to its end and returns a Result; raises Failed if `check` and it failed."""
    argv = [str(a) for a in argv]
    full_env = {**os.environ, "LC_ALL": "C.UTF-8", **(env or {})}
    child = subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=full_env,
        cwd=cwd,
        start_new_session=True,
    )
    try:
        out, err = child.communicate(stdin.encode(), timeout=timeout)
    except subprocess.TimeoutExpired:
        out, err = _end(child)
        res = Result(argv, "timeout", out.decode(errors="replace"), err.decode(errors="replace"))
        raise Failed(f"took more than {timeout} s\n{res}") from None
    except BaseException:
        _end(child)
        raise
    res = Result(argv, child.returncode, out.decode(errors="replace"), err.decode(errors="replace"))
    if check and res.rc != 0:
        raise Failed(str(res))
    return res


def _end(child):
    """Kills a child and all that came of it; what it had written so far."""
    for pid in descendants(child.pid):
        kill(pid)
    kill_group(child.pid)
    try:
        return child.communicate(timeout=5)
    except subprocess.TimeoutExpired as late:  # somebody else holds the pipes
        return late.stdout or b"", late.stderr or b""


def kill_group(pid):
    """SIGKILL for the session that `run` or `Popen(start_new_session=True)` began."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def kill(pid, sig=signal.SIGKILL):
    """Sends a signal to one process by its id; a process already gone is no error."""
    try:
        os.kill(pid, sig)
    except ProcessLookupError:
        pass


def wait_until(what, test, timeout=10.0, step=0.02):
    """Polls `test()` until it is true and returns its value; fails naming `what`."""
    end = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = test()
            if value:
                return value
        except (Failed, OSError) as why:
            last = why
        if time.monotonic() > end:
            tail = f"\nlast error: {last}" if last else ""
            raise AssertionError(f"not within {timeout:g} s: {what}{tail}")
        time.sleep(step)


def alive(pid):
    """Whether the process exists and is not a zombie."""
    try:
        return status(pid)["State"][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def status(pid):
    """/proc/PID/status as a dictionary of strings."""
    text = Path(f"/proc/{pid}/status").read_text()
    return {key: value.strip() for key, value in (row.split(":", 1) for row in text.splitlines())}


def comm(pid):
    """The name of the process's program, as the kernel keeps it (15 characters)."""
    return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")


def parent(pid):
    """Process id of the parent."""
    return int(status(pid)["PPid"])


def every_pid():
    """Process ids that exist right now."""
    return [int(name) for name in os.listdir("/proc") if re.fullmatch(r"\d+", name)]


def descendants(pid):
    """`pid` and everything below it, parents first; zombies are left out."""
    children = {}
    for other in every_pid():
        try:
            if status(other)["State"][0] != "Z":
                children.setdefault(parent(other), []).append(other)
        except (FileNotFoundError, ProcessLookupError):
            continue
    found, todo = [], [pid]
    while todo:
        here = todo.pop(0)
        found.append(here)
        todo += children.get(here, [])
    return found
