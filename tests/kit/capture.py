# SPDX-License-Identifier: GPL-2.0-or-later
"""Packet captures on a host's interface, by the tools that people use."""

import hashlib
import signal

from . import proc


class Capture:
    """A tcpdump that writes everything on `ifname` to a file; it listens once this is made."""

    def __init__(self, ns, ifname, path, options=()):
        self.ns, self.path = ns, path
        log = path.with_suffix(".log")
        argv = ["tcpdump", "-Z", "root", "-i", ifname, "-n", "-U", "-s", "0", "-w", path, *options]
        self._process = ns.popen(*argv, log=log)
        proc.wait_until("tcpdump listens", lambda: "listening on" in log.read_text(), 10)

    def stop(self):
        """Ends the capture; the file is whole then."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(10)
        return self

    def fields(self, display_filter, *fields):
        """Rows of tshark's fields for the packets that match its display filter."""
        argv = ["tshark", "-r", self.path, "-Y", display_filter, "-T", "fields"]
        out = self.ns.run(*argv, *(w for f in fields for w in ("-e", f)), timeout=60).out
        return [row.split("\t") for row in out.split("\n")[:-1]]

    def http_bodies(self):
        """SHA-256 of each HTTP body that tshark finds in the captured packets."""
        folder = self.path.with_suffix(".objects")
        argv = ["tshark", "-q", "-r", self.path, "--export-objects", f"http,{folder}"]
        self.ns.run(*argv, timeout=60)
        return [hashlib.sha256(part.read_bytes()).hexdigest() for part in sorted(folder.iterdir())]
