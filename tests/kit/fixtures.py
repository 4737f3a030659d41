# SPDX-License-Identifier: GPL-2.0-or-later
"""pytest fixtures; tests/net/conftest.py documents them, tests/vm/conftest.py uses them too."""

import pathlib
import shutil
import tempfile

import pytest

from . import daemon, lab as lab_module, ns, users


@pytest.fixture(scope="session")
def stage():
    return daemon.stage()


@pytest.fixture(scope="session")
def machine():
    """Once per run: root, users, no leftovers of a killed run.

    The users exist before any host namespace does: its /etc is a layer over the machine's, where
    later changes might not be seen.
    """
    lab_module.need_root()
    lab_module.need_users()
    ns.sweep()
    users.sweep()
    made = users.Users()
    yield made
    made.delete()


@pytest.fixture
def folder():
    """A directory for one test that an unprivileged user may pass through."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="vt-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def lab(machine, stage, folder, request):
    made = lab_module.Lab(folder, stage)
    yield made
    report = getattr(request.node, "report_call", None)
    if report is not None and report.failed:
        for one in made.vnetds:
            print(f"--- vnetd's log, {one.host.name}\n{one.log_text()}")
    made.close()


@pytest.fixture
def vnetd(lab):
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.start()
    return lab.vnetd


@pytest.fixture
def member(machine):
    """A throw-away user in group vnet; its name."""
    return machine.member


@pytest.fixture
def stranger(machine):
    """A throw-away user in no group of ours; its name."""
    return machine.stranger


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, f"report_{call.when}", outcome.get_result())
