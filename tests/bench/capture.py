# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of one network: vnetctl capture beside tcpdump and dumpcap, each at its default settings.

One guest floods another with frames of one size at a given rate, and one program at a time writes what it sees on
vmnet8 to a file in memory. A round has each program once; every second one goes backwards.

    headers   96 bytes of each frame, HEADERS_RATE a second: processor time for each frame that is in the file.
              Of our own, vnet-capture's and vnetctl's are counted together
    frames    whole frames of 1,442 bytes: the highest rate of a ladder at which none is missing in the file

What a network pays while nobody captures is the rate at which frames pass from guest to guest, before the first
capture and after the last one.
"""

import contextlib
import os
import pathlib
import signal
import statistics
import tempfile
import time

from kit import daemon, lab as labs, proc
from table import Table

HEADERS_SIZE, HEADERS_SNAPLEN, HEADERS_RATE, SECONDS = 96, 96, 410_000, 2
FRAME_SIZE = 1442
LADDER = range(100_000, 600_001, 50_000)
PROGRAMS = ("tcpdump", "dumpcap", "vnetctl")
READY = {"tcpdump": "listening on", "dumpcap": "Capturing on", "vnetctl": "capturing on"}
KIND = "88b5"


class Bench:
    """vmnet8 with two guests, and a folder in memory for the files."""

    def __init__(self, tmp, tools):
        self.lab = labs.Lab(tmp, daemon.stage())
        self.flood = tools / "flood"
        self.vnetd = self.lab.vnetd
        self.vnetd.write("networking", daemon.NETWORKING)
        self.vnetd.start()
        self.a, self.b = (self.lab.guest("vmnet8", name=name) for name in "ab")
        self.mac = {}
        for name, guest in (("a", self.a), ("b", self.b)):
            self.mac[name] = guest.ip("link", "show", "eth0")[0]["address"]
        self.files = tmp / "files"
        self.files.mkdir()
        self.files.chmod(0o777)
        self.lab.host.run("mount", "-t", "tmpfs", "tmpfs", self.files)
        # Both are pinned then, and the gates are where they stay.
        for src, dst in ("ab", "ba"):
            self.send(src, dst, 1000, 10, 60)
        time.sleep(5)

    def close(self):
        self.lab.close()

    def send(self, src, dst, rate, count, size):
        """(frames, seconds) that a flood took."""
        guest = self.a if src == "a" else self.b
        out = guest.run(self.flood, "eth0", KIND, rate, count, self.mac[src], self.mac[dst], size, timeout=120).out
        frames, ms = map(int, out.split("\n")[1].split())
        return frames, ms / 1000

    def argv(self, program, path, snaplen):
        only = f"ether proto 0x{KIND}"
        if program == "tcpdump":
            return ["tcpdump", "-Z", "root", "-n", "-i", "vmnet8", "-s", snaplen, "-w", path, only]
        if program == "dumpcap":
            return ["dumpcap", "-q", "-i", "vmnet8", "-s", snaplen, "-f", only, "-w", path]
        return ["vnetctl", *self.vnetd.dirs, "capture", "vmnet8", "-s", snaplen, "-f", only, "-w", path]

    def pids(self, program, started):
        if program == "vnetctl":
            return [*self.vnetd.pids().get("vnet-capture", []), *_named(started.pid, "vnetctl")]
        return _named(started.pid, program)

    def capture(self, program, rate, size, snaplen):
        """(frames sent, frames in the file, CPU seconds of the program, seconds)."""
        path = self.files / f"{program}.cap"
        log = self.files / "../log"
        log.write_text("")
        started = self.lab.host.popen(*self.argv(program, path, snaplen), log=log)
        proc.wait_until(f"{program} captures", lambda: READY[program] in log.read_text(errors="replace"), 20)
        time.sleep(0.5)
        pids = self.pids(program, started)
        before = sum(map(cpu_s, pids))
        sent, seconds = self.send("a", "b", rate, rate * SECONDS, size)
        # The slowest hands its last frames over within a second.
        time.sleep(1.5)
        used = sum(map(cpu_s, pids)) - before
        os.killpg(started.pid, signal.SIGINT)
        started.wait(30)
        captured = self.count(path)
        self.lab.host.run("rm", "-f", path)
        return sent, captured, used, seconds

    def count(self, path):
        out = self.lab.host.run("capinfos", "-c", "-M", "-r", "-T", path, timeout=120).out
        return int(out.split()[-1])


def _named(pid, name):
    found = [p for p in (pid, *proc.descendants(pid)) if _comm(p) == name]
    assert found, f"no process {name}"
    return found


def _comm(pid):
    with contextlib.suppress(OSError):
        return proc.comm(pid)
    return None


def cpu_s(pid):
    """Processor time that a process has used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def headers(bench, pairs, table):
    """{program: [µs of CPU for each frame]}, {program: [frames a second in the file]}"""
    cost = {p: [] for p in PROGRAMS}
    rate = {p: [] for p in PROGRAMS}
    for turn in range(pairs):
        for program in PROGRAMS[:: -1 if turn % 2 else 1]:
            sent, got, used, seconds = bench.capture(program, HEADERS_RATE, HEADERS_SIZE, HEADERS_SNAPLEN)
            table.raw(what="headers", program=program, sent=sent, captured=got, cpu_s=f"{used:.3f}", s=seconds)
            cost[program].append(used / max(got, 1) * 1e6)
            rate[program].append(got / seconds)
    return cost, rate


def without_loss(bench, program, table):
    """The highest rate of the ladder, frames a second as they were sent, at which none is missing."""
    best = 0
    for rate in LADDER:
        sent, got, _, seconds = bench.capture(program, rate, FRAME_SIZE, 262144)
        table.raw(what="frames", program=program, asked=rate, sent=sent, captured=got, s=seconds)
        if got < sent or sent / seconds < 0.95 * rate:
            return best if got < sent else max(best, sent / seconds)
        best = sent / seconds
    return best


def pass_rate(bench):
    sent, seconds = bench.send("a", "b", 0, 1_000_000, 60)
    return sent / seconds


def measure(*, tools, raw, pairs):
    labs.need_users()
    table = Table("capture: one network's frames into a file", raw)
    with tempfile.TemporaryDirectory(prefix="vb-") as folder:
        tmp = pathlib.Path(folder)
        tmp.chmod(0o755)
        bench = Bench(tmp, tools)
        try:
            before = [pass_rate(bench) for _ in range(pairs)]
            cost, rate = headers(bench, pairs, table)
            most = {p: [without_loss(bench, p, table) for _ in range(max(1, pairs // 5))] for p in PROGRAMS}
            after = [pass_rate(bench) for _ in range(pairs)]
        finally:
            bench.close()
    table.info("96 bytes: dumpcap, CPU a frame", cost["dumpcap"], "us")
    table.ratio("96 bytes: vnetctl / tcpdump, CPU a frame", cost["vnetctl"], cost["tcpdump"], most=1.1)
    table.ratio("96 bytes: vnetctl / tcpdump, frames a second", rate["vnetctl"], rate["tcpdump"], least=0.99)
    best = max(("tcpdump", "dumpcap"), key=lambda p: statistics.median(most[p]))
    table.ratio(f"1,442 bytes without loss: vnetctl / {best}", most["vnetctl"], [max(v, 1) for v in most[best]], least=1.2)
    table.ratio("guest to guest, nobody captures: after / before", after, before, least=0.98)
    return table
