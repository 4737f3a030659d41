# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the VM tests: those of tests/net/conftest.py, documented there, and these:

    boot      boot(script, network="vmnet8", mac=None, pinned=False) starts a guest through
              vnet-bridge-helper, QEMU running as the unprivileged `member`, and returns the
              vm.Machine; `pinned` tells the helper the MAC.  Machines end with the test.
    sniff     sniff("vmnet8", "tcpdump"|"tshark") captures there; returns a capture.Capture
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kit import capture, daemon, images, proc, vm  # noqa: E402
from tests.kit.fixtures import *  # noqa: E402,F401,F403 - fixtures are found by their names


@pytest.fixture(scope="session", autouse=True)
def material():
    """Kernel and initramfs are there before a test's clock starts."""
    images.guest_initrd()


@pytest.fixture
def boot(lab, member, folder):
    machines = []

    def start(script, network="vmnet8", mac=None, pinned=False):
        place = folder / f"vm{len(machines)}"
        place.mkdir()
        helper = f"{daemon.HELPER} --run-dir={lab.vnetd.run}" + (f" --mac={mac}" if pinned else "")
        machine = vm.guest(
            lab.host, place, script, user=member, network=network, helper=helper, mac=mac
        )
        machines.append(machine)
        uids = proc.wait_until(f"{vm.QEMU} runs", lambda: _uids_of_qemu(machine), 10)
        wanted = proc.run(["id", "-u", member]).out.strip()
        assert wanted != "0" and uids == [wanted] * 4, f"QEMU runs with the uids {uids}"
        return machine

    yield start
    for machine in machines:
        proc.kill_group(machine.process.pid)


@pytest.fixture
def sniff(lab, folder):
    running = []

    def start(network, tool="tcpdump"):
        running.append(capture.Capture(lab.host, network, folder / f"{len(running)}.pcap", tool))
        return running[-1]

    return start


def _uids_of_qemu(machine):
    """Real, effective, saved and file system user id; None while setpriv has not yet become QEMU."""
    try:
        return proc.status(machine.qemu_pid())["Uid"].split()
    except (StopIteration, OSError):
        if machine.process.poll() is not None:
            raise AssertionError(f"QEMU ended at once:\n{machine.console}") from None
        return None
