# SPDX-License-Identifier: GPL-2.0-or-later
"""kill -9 of each process while a real guest downloads: the download goes on, no lease is lost."""

from tests.kit import lab as lab_module, outside, proc

SIZE, RATE = 6_000_000, 500_000  # 12 seconds


def download(boot, lab):
    """A guest in the middle of a slow download; its first bytes have come."""
    machine = boot(f'lease\ndownload "{lab.url(SIZE, RATE)}" sha256')
    machine.wait("lease")
    proc.wait_until("the download began", lambda: lab.outside.http.requests)
    return machine


def finished_well(machine, lab):
    results = machine.finish()
    assert results["sha256"] == outside.sha256(SIZE)
    assert len(lab.outside.http.requests) == 1, "the guest had to ask again"
    return results


def test_kill_of_each_worker_and_of_the_engine(lab, vnetd, boot):
    machine = download(boot, lab)
    before = vnetd.json("leases")["leases"]
    assert len(before) == 1
    for name in ("vnet-dhcpd", "vnet-natd", "engine"):
        vnetd.kill_and_await(name)
    after = vnetd.json("leases")["leases"]
    assert [row["address"] for row in after] == [row["address"] for row in before]
    assert machine.process.poll() is None, "the download was over before the last kill"
    results = finished_well(machine, lab)
    # What came back does its work: a new guest gets a lease, a name and a page.
    guest = lab.guest("vmnet8")
    lease = guest.dhcp()
    assert lease.ip != results["lease"]
    assert guest.resolve(lab_module.SERVER_NAME, lease.dns[0]) == [lab_module.SERVER_ADDRESS]
    assert guest.fetch(lab.url(1000)) == outside.blob(1000)


def test_kill_of_priv_and_next_start(lab, vnetd, boot):
    machine = download(boot, lab)
    before = vnetd.json("leases")["leases"]
    ports = vnetd.json("ports")["ports"]
    tree = vnetd.pids()
    proc.kill(vnetd.pid_of("priv"))
    vnetd.process.wait(5)
    children_gone = lambda: not any(proc.alive(p) for pids in tree.values() for p in pids)
    proc.wait_until("its children have ended too", children_gone)
    vnetd.start()
    assert vnetd.json("leases")["leases"] == before
    after = vnetd.json("ports")["ports"]
    key = lambda rows: [(r["name"], r["network"], r["mac"], r["owner"]) for r in rows]
    assert key(after) == key(ports)
    finished_well(machine, lab)


def test_restart_and_reload_leave_the_guest_plugged_in(lab, vnetd, boot):
    machine = download(boot, lab)
    index = lab.host.links()["vmnet8"]["ifindex"]
    vnetd.restart()
    vnetd.ctl("reload")
    assert lab.host.links()["vmnet8"]["ifindex"] == index
    finished_well(machine, lab)
