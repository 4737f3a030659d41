# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic that runs while a test does something: pings that tell what was lost, floods of frames.

    pings = traffic.Pings(guest, "10.181.8.20", tmp)       every 5 ms
    ...
    pings.stop().lost                                      requests without an answer

    flood = traffic.Flood(guest, "eth0", sources=["random"], targets=[mac], rate=10_000)
    ...
    flood.stop()                                           frames that were sent
"""

import re
import signal

from . import built, proc

_REPLY = re.compile(r"^\[\d+\.\d+\] .*icmp_seq=(\d+) .*time=([0-9.]+) ms", re.MULTILINE)


class Pings:
    """A ping that goes on; once this is made, the first answer has come."""

    def __init__(self, ns, address, tmp, interval=0.005):
        self.interval = interval
        self._log = tmp / f"ping-{ns.name}-{address}.log"
        self._log.unlink(missing_ok=True)
        argv = ["ping", "-n", "-D", "-i", str(interval), "-W", "2", address]
        self._process = ns.popen(*argv, log=self._log)
        proc.wait_until(f"{address} answers {ns.name}", self.heard, 10)

    def heard(self):
        """Sequence numbers that were answered so far."""
        return [int(n) for n, _ in _REPLY.findall(self._log.read_text())]

    def flows(self, more=20):
        """Waits until so many more answers have come."""
        before = len(self.heard())
        proc.wait_until("the ping goes on", lambda: len(self.heard()) >= before + more, 10)
        return self

    def stop(self):
        """Ends it once answers come again: `.lost`, `.longest` lost in a row, `.ms` of that."""
        self.flows()
        self._process.send_signal(signal.SIGINT)
        self._process.wait(10)
        numbers = sorted(self.heard())
        gaps = [after - before - 1 for before, after in zip(numbers, numbers[1:])]
        self.lost, self.longest = sum(gaps), max(gaps)
        self.sent = numbers[-1] - numbers[0] + 1
        self.ms = self.longest * self.interval * 1000
        self.text = self._log.read_text()
        return self

    def __repr__(self):
        return f"{self.lost} of {self.sent} pings lost, {self.ms:g} ms in a row"


class Flood:
    """Frames of Ethernet type `kind` with each of the sources to each of the targets, in turn.

    sources, targets   Ethernet addresses; "random": another one each time
    rate               frames a second, 0: as many as go
    count              so many, and then it ends; 0: until stop()
    """

    def __init__(self, ns, ifname, *, sources, targets, rate=0, count=0, kind=0x88B5):
        argv = [built.program("tests/bench/flood"), ifname, f"{kind:x}", rate, count]
        self._process = ns.popen(*argv, ",".join(sources), ",".join(targets))
        first = self._process.stdout.readline()
        if first != b"sending\n":
            raise proc.Failed(f"the flood did not begin: {first}{self._process.stderr.read()}")

    def wait(self, timeout=60):
        """Waits for its end; (frames sent, frames a second)."""
        out, err = self._process.communicate(timeout=timeout)
        if self._process.returncode != 0:
            raise proc.Failed(f"the flood ended badly: {err.decode()}")
        sent, ms = map(int, out.split())
        return sent, sent * 1000 // max(ms, 1)

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        return self.wait()
