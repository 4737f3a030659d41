# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP through NAT: our table beside a minimal one-rule masquerade on the same path.

The path is guest namespace -> vmnet8 -> host namespace -> outside namespace. There are two such hosts, made alike
by vnetd. In the peer's, vnetd is stopped then (its links and addresses stay), its table deleted and one rule
loaded: `masquerade`. The two alternate, and every second round begins with the other one, so that drift cancels;
many short turns say more than few long ones. Sender and receiver have a processor each: where the scheduler puts
them otherwise decides more than any rule set.

The receivers (traffic.c) are there for the whole run, take one connection after the other and wait for none longer
than a few seconds; a connection that NAT does not carry ends the benchmark with the sentence that says where.
"""

import contextlib
import pathlib
import tempfile

from kit import daemon, lab as labs, proc
from table import Table

MILLISECONDS = 500
TURNS = 6  # of either for each pair that is asked for
ONE_RULE = """table ip onerule {
	chain post { type nat hook postrouting priority srcnat; oifname "up0" masquerade; }
}
"""


def throughput(guest, traffic):
    """Gbit/s of one TCP stream from the guest to the outside."""
    return float(guest.run(traffic, "tcp", labs.SERVER_ADDRESS, 0, MILLISECONDS).out) / 1e9


def path(lab, traffic):
    """Makes the path; its guest."""
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.start()
    guest = lab.guest("vmnet8")
    guest.static(daemon.SUBNETS[8], 50)
    server = lab.outside.popen(traffic, "serve", 1)
    if server.stdout.readline() != b"ready\n":
        raise proc.Failed(server.stderr.read().decode())
    return guest


def reaches(guest):
    """NAT is in force: `vnetctl status` answers a moment before its table is."""
    proc.wait_until("the guest reaches the outside", lambda: guest.ping(labs.SERVER_ADDRESS, wait=1))
    return guest


def ours(lab, traffic):
    return reaches(path(lab, traffic))


def one_rule(lab, traffic):
    guest = path(lab, traffic)
    lab.vnetd.stop()
    lab.host.run("nft", "delete", "table", "inet", "vnetd")
    lab.host.run("nft", "-f", "-", stdin=ONE_RULE)
    return reaches(guest)


def measure(*, tools, raw, pairs):
    """TCP, TURNS * `pairs` interleaved rounds."""
    labs.need_users()
    traffic = tools / "traffic"
    table = Table("nat: TCP from a guest to the outside, Gbit/s", raw)
    with tempfile.TemporaryDirectory(prefix="vb-") as folder, contextlib.ExitStack() as made:
        pathlib.Path(folder).chmod(0o755)
        guests, got = [], ([], [])
        for name, make in (("ours", ours), ("one-rule", one_rule)):
            tmp = pathlib.Path(folder) / name
            tmp.mkdir(mode=0o755)
            lab = labs.Lab(tmp, daemon.stage())
            made.callback(lab.close)
            guests.append(make(lab, traffic))
        for i in range(TURNS * pairs):
            for which in (0, 1) if i % 2 == 0 else (1, 0):
                got[which].append(throughput(guests[which], traffic))
            table.raw(round=i, vnetd=round(got[0][-1], 3), one_rule=round(got[1][-1], 3))
        table.ratio("vnetd / one nft rule", *got, least=0.98)
    return table
