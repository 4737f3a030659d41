# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the VM tests: those of tests/net/conftest.py, documented there, and these:

    boot      boot(script, network="vmnet8") starts a guest as the unprivileged `member` through
              vnet-bridge-helper and returns the vm.Machine; machines end with the test
"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kit import daemon, images, proc, vm  # noqa: E402
from tests.kit.fixtures import *  # noqa: E402,F401,F403 - fixtures are found by their names


@pytest.fixture(scope="session", autouse=True)
def material():
    """Kernel and initramfs are there before a test's clock starts."""
    images.guest_initrd()


@pytest.fixture
def boot(lab, member, folder):
    machines = []

    def start(script, network="vmnet8", mac=None):
        uid = proc.run(["id", "-u", member]).out.strip()
        assert uid != "0", "QEMU must not run as root"
        place = folder / f"vm{len(machines)}"
        place.mkdir()
        helper = f"{daemon.HELPER} --run-dir={lab.vnetd.run}" + (f" --mac={mac}" if mac else "")
        machine = vm.guest(lab.host, place, script, user=member, network=network, helper=helper)
        machines.append(machine)
        proc.wait_until(f"{vm.QEMU} runs", lambda: _uid_of_qemu(machine) == uid, 10)
        return machine

    yield start
    for machine in machines:
        proc.kill_group(machine.process.pid)


def _uid_of_qemu(machine):
    try:
        return proc.status(machine.qemu_pid())["Uid"].split()[0]
    except (StopIteration, OSError):
        if machine.process.poll() is not None:
            raise AssertionError(f"QEMU ended at once:\n{machine.console}") from None
        return None
