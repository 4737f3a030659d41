# SPDX-License-Identifier: GPL-2.0-or-later
"""Packet captures on a host's interface, by the tools that people use."""

import hashlib
import signal

from . import proc


_TOOLS = {
    "tcpdump": (["tcpdump", "-Z", "root", "-n", "-U", "--immediate-mode", "-s", "0"], "listening on"),
    "tshark": (["tshark", "-q"], "Capturing on"),
}


class Capture:
    """A tcpdump or tshark that writes packets of `ifname` to a file; it runs once this is made.

    more    further words of its command line, such as a filter
    """

    def __init__(self, ns, ifname, path, tool="tcpdump", more=()):
        self.ns, self.path = ns, path
        log = path.with_suffix(".log")
        argv, ready = _TOOLS[tool]
        self._process = ns.popen(*argv, "-i", ifname, "-w", path, *more, log=log)
        proc.wait_until(f"{tool} captures on {ifname}", lambda: ready in log.read_text(), 20)

    def stop(self):
        """Ends the capture once no packet comes any more; the file is whole then."""
        if self._process.poll() is None:
            sizes = []

            def quiet():
                sizes.append(self.path.stat().st_size)
                return len(sizes) > 4 and len(set(sizes[-4:])) == 1

            proc.wait_until("no packet comes any more", quiet, 20, step=0.2)
            self._process.send_signal(signal.SIGINT)
            self._process.wait(20)
        return self

    def fields(self, display_filter, *fields):
        """Rows of tshark's fields for the packets that match its display filter."""
        argv = ["tshark", "-r", self.path, "-Y", display_filter, "-T", "fields", "-E", "occurrence=f"]
        out = self.ns.run(*argv, *(w for f in fields for w in ("-e", f)), timeout=60).out
        return [row.split("\t") for row in out.split("\n")[:-1]]

    def http_bodies(self):
        """SHA-256 of each HTTP body that tshark finds in the captured packets."""
        folder = self.path.with_suffix(".objects")
        argv = ["tshark", "-q", "-r", self.path, "--export-objects", f"http,{folder}"]
        self.ns.run(*argv, timeout=60)
        return [hashlib.sha256(part.read_bytes()).hexdigest() for part in sorted(folder.iterdir())]


class TcpBytes(Capture):
    """Counts the bytes of TCP connections to a port by the sequence numbers of their first and last packets."""

    def __init__(self, ns, ifname, path, port):
        self._port = str(port)
        ends = "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0"
        # Short ones: the buffer of tcpdump holds as many packets as have room at their full length.
        super().__init__(ns, ifname, path, more=("-s", "96", f"tcp port {port} and {ends}"))

    def count(self):
        """(connections, bytes to the port, bytes from it); fails when one was not ended in both directions."""
        first, last = {}, {}
        for source, target, syn, seq, length in self.fields(
            "tcp", "tcp.srcport", "tcp.dstport", "tcp.flags.syn", "tcp.seq_raw", "tcp.len"
        ):
            way = (source, target)
            if syn in ("1", "True"):
                first[way] = int(seq) + 1
            else:
                last[way] = int(seq) + int(length)
        assert first.keys() == last.keys(), f"without a begin or an end: {first.keys() ^ last.keys()}"
        sizes = {way: (last[way] - first[way]) % 2**32 for way in first}
        there = sum(size for (_, target), size in sizes.items() if target == self._port)
        return len(sizes) // 2, there, sum(sizes.values()) - there
