# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP through NAT: our table beside a minimal one-rule masquerade on the very same path.

The path is guest namespace -> vmnet8 -> host namespace -> outside namespace in both cases. For the peer's turn
vnetd is stopped (its links and addresses stay), its table is deleted and one rule is loaded: `masquerade`.
The two alternate, and every second pair begins with the other one, so that drift cancels.
"""

import json
import pathlib
import tempfile

from kit import daemon, lab as labs
from table import Table

SECONDS = 3
ONE_RULE = """table ip onerule {
	chain post { type nat hook postrouting priority srcnat; oifname "up0" masquerade; }
}
"""


def throughput(guest):
    """Gbit/s of one TCP stream from the guest to the outside."""
    argv = ["iperf3", "-c", labs.SERVER_ADDRESS, "-t", SECONDS, "-O", 0.5, "-J"]
    out = guest.run(*argv, timeout=SECONDS + 20).out
    return json.loads(out)["end"]["sum_received"]["bits_per_second"] / 1e9


def our_turn(lab, guest):
    lab.vnetd.start()
    try:
        return throughput(guest)
    finally:
        lab.vnetd.stop()
        lab.host.run("nft", "delete", "table", "inet", "vnetd")


def their_turn(lab, guest):
    lab.host.run("nft", "-f", "-", stdin=ONE_RULE)
    try:
        return throughput(guest)
    finally:
        lab.host.run("nft", "delete", "table", "ip", "onerule")


def measure(*, probe, raw, pairs):
    """TCP of `pairs` interleaved pairs."""
    del probe
    labs.need_users()
    table = Table("nat: TCP from a guest to the outside, Gbit/s", raw)
    with tempfile.TemporaryDirectory(prefix="vb-") as folder:
        tmp = pathlib.Path(folder)
        tmp.chmod(0o755)
        lab = labs.Lab(tmp, daemon.stage())
        try:
            lab.vnetd.write("networking", daemon.NETWORKING)
            lab.vnetd.start()
            guest = lab.guest("vmnet8")
            guest.static(daemon.SUBNETS[8], 50)
            lab.outside.popen("iperf3", "-s", log=tmp / "iperf3.log")
            lab.vnetd.stop()
            lab.host.run("nft", "delete", "table", "inet", "vnetd")
            ours, theirs = [], []
            for i in range(pairs):
                turns = [(our_turn, ours), (their_turn, theirs)]
                for turn, values in turns if i % 2 == 0 else reversed(turns):
                    values.append(turn(lab, guest))
                table.raw(pair=i, vnetd=round(ours[-1], 3), one_rule=round(theirs[-1], 3))
            table.ratio("vnetd / one nft rule", ours, theirs, 0.98)
        finally:
            lab.close()
    return table
