# SPDX-License-Identifier: GPL-2.0-or-later
"""The DNS proxy: ours beside unbound (one thread) and dnsmasq, with nsd as the server that all of them ask.

guest namespace -> vmnet8 -> host namespace with the three proxies -> outside namespace with nsd. All run all the time; a
round measures each once by dnsperf in the guest, and each round begins with another one.

    cached       1,000 names that were asked for before: answers a second
    not cached   a name that nobody has asked for so far, each time: answers a second
    latency      cached, 1,000 queries a second: the mean; with the client and the proxy on one processor, and wherever
                 the kernel puts them (docs/decisions.md, 54: that tells chance, not proxies, from one another)
    memory       of the process, its share of what it has in common with others, after all that
"""

import os
import pathlib
import re
import statistics
import tempfile

from bringup import pss_mb
from kit import daemon, lab as labs, ns, proc
from table import Table

GATEWAY, ADAPTER = (ns.nth(daemon.SUBNETS[8], n) for n in (2, 1))
ZONE = "bench.example"
HOT = 1000
FRESH = 400000  # more than anybody answers in one turn
SECONDS = 2
ROUNDS_MAX = 9

NSD = """server:
 ip-address: {at}
 database: ""
 zonesdir: "{tmp}"
 xfrdfile: "{tmp}/xfrd"
 zonelistfile: "{tmp}/zones"
 pidfile: "{tmp}/nsd.pid"
 username: root
 server-count: 1
 rrl-ratelimit: 0
remote-control:
 control-enable: no
zone:
 name: {zone}
 zonefile: zone
"""
RECORDS = """$TTL 3600
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 192.0.2.1
* A 192.0.2.2
"""
UNBOUND = """server:
 num-threads: 1
 interface: {at}@5301
 access-control: 0.0.0.0/0 allow
 do-daemonize: no
 chroot: ""
 username: ""
 directory: "{tmp}"
 pidfile: "{tmp}/unbound.pid"
 logfile: "{tmp}/unbound.log"
 use-syslog: no
 module-config: "iterator"
remote-control:
 control-enable: no
forward-zone:
 name: "."
 forward-addr: {server}
"""


class Proxy:
    """Where it listens, and its process."""

    def __init__(self, name, address, port, pid):
        self.name, self.address, self.port, self.pid = name, address, port, pid


def names(path, prefix, count):
    """A query file of dnsperf."""
    path.write_text("".join(f"{prefix}{i}.{ZONE} A\n" for i in range(count)))
    return path


def dnsperf(guest, proxy, queries, *more, by=()):
    """(answers a second, mean latency in ms); lost answers are an error unless they are few."""
    out = guest.run(*by, "dnsperf", "-s", proxy.address, "-p", proxy.port, "-d", queries, "-c", 4, "-q", 100, *more,
                    timeout=120).out
    sent, done = (int(re.search(rf"Queries {word}: +(\d+)", out).group(1)) for word in ("sent", "completed"))
    codes = re.search(r"Response codes: +NOERROR (\d+) ", out)
    if done < 0.98 * sent or not codes or int(codes.group(1)) < 0.98 * done:
        raise proc.Failed(f"{proxy.name}:\n{out}")
    return (float(re.search(r"Queries per second: +([\d.]+)", out).group(1)),
            1000 * float(re.search(r"Average Latency \(s\): +([\d.]+)", out).group(1)))


def latency_on_one(guest, proxy, hot):
    """In ms, with both on the same processor."""
    anywhere = os.sched_getaffinity(proxy.pid)
    os.sched_setaffinity(proxy.pid, {0})
    try:
        return dnsperf(guest, proxy, hot, "-l", SECONDS, "-Q", 1000, by=("taskset", "-c", 0))[1]
    finally:
        os.sched_setaffinity(proxy.pid, anywhere)


def start(lab, tmp):
    """The three proxies and the server behind them."""
    lab.outside.dns.close()
    where = {"at": labs.SERVER_ADDRESS, "zone": ZONE, "tmp": tmp}
    (tmp / "nsd.conf").write_text(NSD.format(**where))
    (tmp / "zone").write_text(RECORDS)
    lab.outside.popen("nsd", "-d", "-c", tmp / "nsd.conf", log=tmp / "nsd.log")
    lab.host.set_resolvers(labs.SERVER_ADDRESS)
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.start()
    guest = lab.guest("vmnet8")
    guest.static(daemon.SUBNETS[8], 50)
    (tmp / "unbound.conf").write_text(UNBOUND.format(at=ADAPTER, tmp=tmp, server=labs.SERVER_ADDRESS))
    unbound = lab.host.popen("unbound", "-d", "-c", tmp / "unbound.conf", log=tmp / "unbound.out")
    dnsmasq = lab.host.popen("dnsmasq", "-k", "-C", "/dev/null", "-u", "root", "-p", "5302", f"--listen-address={ADAPTER}",
                             "--bind-interfaces", "--no-resolv", f"--server={labs.SERVER_ADDRESS}",
                             "--cache-size=10000", "--dns-forward-max=10000", "--pid-file=", log=tmp / "dnsmasq.log")
    proxies = [Proxy("vnetd", GATEWAY, 53, lab.vnetd.pid_of("vnet-natd")),
               Proxy("unbound", ADAPTER, 5301, unbound.pid), Proxy("dnsmasq", ADAPTER, 5302, dnsmasq.pid)]
    for p in proxies:
        proc.wait_until(f"{p.name} answers", lambda p=p: guest.resolve(f"x.{ZONE}", p.address, extra=("-p", str(p.port))), 20)
    return guest, proxies


def measure(*, tools, raw, pairs):
    """min(pairs, ROUNDS_MAX) rounds."""
    del tools
    labs.need_users()
    table = Table("dns: a proxy for guests, beside unbound and dnsmasq", raw)
    with tempfile.TemporaryDirectory(prefix="vb-") as folder:
        tmp = pathlib.Path(folder)
        tmp.chmod(0o755)
        lab = labs.Lab(tmp, daemon.stage())
        try:
            guest, proxies = start(lab, tmp)
            got = rounds(guest, proxies, tmp, min(pairs, ROUNDS_MAX), table)
            memory = {p.name: pss_mb([p.pid]) for p in proxies}
        finally:
            lab.close()
    judge(table, got, memory)
    return table


def rounds(guest, proxies, tmp, count, table):
    """{proxy: {what: values}}."""
    got = {p.name: {"cached": [], "fresh": [], "latency": [], "anywhere": []} for p in proxies}
    hot = names(tmp / "hot", "hot", HOT)
    for i in range(count):
        for k in range(len(proxies)):
            p = proxies[(i + k) % len(proxies)]
            dnsperf(guest, p, hot, "-n", 1)
            row = {"cached": dnsperf(guest, p, hot, "-l", SECONDS)[0],
                   "latency": latency_on_one(guest, p, hot),
                   "anywhere": dnsperf(guest, p, hot, "-l", SECONDS, "-Q", 1000)[1],
                   "fresh": dnsperf(guest, p, names(tmp / "fresh", f"r{i}-{p.name}-", FRESH), "-l", SECONDS, "-n", 1)[0]}
            table.raw(round=i, who=p.name, **{what: round(value, 4) for what, value in row.items()})
            for what, value in row.items():
                got[p.name][what].append(value)
    return got


def judge(table, got, memory):
    """The rows of the table."""
    ours = got["vnetd"]
    table.ratio("cached / unbound", ours["cached"], got["unbound"]["cached"], least=1.0)
    table.ratio("cached / dnsmasq", ours["cached"], got["dnsmasq"]["cached"])
    best = max(("unbound", "dnsmasq"), key=lambda name: sum(got[name]["fresh"]))
    table.ratio(f"not cached / {best}", ours["fresh"], got[best]["fresh"], least=1.5)
    for what, where, most in (("latency", "one processor", 1.0), ("anywhere", "any processor", None)):
        best = min(("unbound", "dnsmasq"), key=lambda name, what=what: statistics.median(got[name][what]))
        table.ratio(f"mean latency at 1,000/s, {where} / {best}", ours[what], got[best][what], most=most)
    table.at_most("memory", [memory["vnetd"]], 5, "MB",
                  ", ".join(f"{name} {memory[name]:.1f}" for name in ("unbound", "dnsmasq")))
