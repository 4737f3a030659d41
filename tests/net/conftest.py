# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the namespace tests.  Run them by `sudo ./scripts/test net`.

By hand, for one test:  sudo VNET_STAGE=/path/of/DESTDIR /usr/bin/python3 -m pytest tests/net -k NAME

    lab      the set-up of tests/kit/lab.py, vnetd not yet started: lab.host, lab.outside,
             lab.vnetd, lab.guest(...), lab.netns(...), lab.another_host(...), lab.url(...).
             Real servers: tests/kit/programs.py.  Write configuration by
             lab.vnetd.write("networking", ...), then lab.vnetd.start(); without any
             configuration vnetd makes its own defaults.
    vnetd    lab.vnetd, started with vmnet1 host-only 10.181.1.0/24 and vmnet8 NAT 10.181.8.0/24
    member   name of a throw-away user in group vnet        (ns.run(..., user=member))
    stranger name of a throw-away user in no group of ours
    folder   an empty directory for the test
    stage    root of the staged installation

What they are made of:

    lab.host           ns.Host: .run(*argv) .sh(script) .popen(*argv) .ip(...) .links() .addresses(if)
                       .ping(addr) .enter() [this thread's sockets are made there] .pids()
                       .write_file("/etc/...", text) .set_resolvers(...): its /etc is its own
    lab.outside        the same, and .http.requests, .dns.records/.hook/.queries/.asked(name), .echo.peers
    lab.guest("vmnet8", how="netns"|"adopt", mac=..., name=...)
                       client.Guest: .dhcp("udhcpc"|"dhclient"|"dhcpcd", keep=..., hostname=...) -> Lease,
                       .no_dhcp() .events() .leases() .static(subnet, n) .fetch(url) .start_fetch(url)
                       .resolve(name, server) .mac, and all of lab.host's
    lab.vnetd          daemon.Vnetd: .start() .stop(sig) .restart() .teardown() .wait_ready() .ctl(*args)
                       .json(*args) .pids() .pid_of("priv"|"engine"|"vnet-dhcpd") .kill_and_await(name)
                       .log_text() .lease_file(8) .subnet(8) .address(8, 2) .config .state .run

    def test_guest_reaches_the_outside(lab, vnetd):
        guest = lab.guest("vmnet8")
        lease = guest.dhcp("dhclient")
        assert lease.router == vnetd.address(8, 2)
        assert guest.fetch(lab.url(1000)) == outside.blob(1000)

Rules: a test that cannot run fails, it does not skip.  Wait by proc.wait_until, never by a bare
sleep.  Everything started through a namespace ends with the test; nothing outside is touched.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kit.fixtures import *  # noqa: E402,F401,F403 - fixtures are found by their names
