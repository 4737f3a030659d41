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
    """A tcpdump or tshark that writes all packets of `ifname` to a file; it runs once this is made."""

    def __init__(self, ns, ifname, path, tool="tcpdump"):
        self.ns, self.path = ns, path
        log = path.with_suffix(".log")
        argv, ready = _TOOLS[tool]
        self._process = ns.popen(*argv, "-i", ifname, "-w", path, log=log)
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
