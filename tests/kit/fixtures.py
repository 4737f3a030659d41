# SPDX-License-Identifier: GPL-2.0-or-later
"""pytest fixtures; tests/net/conftest.py documents them, tests/vm/conftest.py uses them too."""

import os
import pathlib
import shutil
import tempfile

import pytest

from . import daemon, lab as lab_module, ns, proc


@pytest.fixture(scope="session")
def stage():
    return daemon.stage()


@pytest.fixture(scope="session")
def machine():
    """Once per run: root, users, no leftovers of a killed run."""
    lab_module.need_root()
    lab_module.need_users()
    ns.sweep()


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
        print(f"--- vnetd's log\n{made.vnetd.log_text()}")
    made.close()


@pytest.fixture
def vnetd(lab):
    lab.vnetd.write("networking", daemon.NETWORKING)
    lab.vnetd.start()
    return lab.vnetd


@pytest.fixture
def member(machine):
    """A throw-away user in group vnet; its name."""
    yield from _user(f"vt{os.getpid()}m", groups="vnet")


@pytest.fixture
def stranger(machine):
    """A throw-away user in no group of ours; its name."""
    yield from _user(f"vt{os.getpid()}s")


def _user(name, groups=None):
    proc.run(["userdel", name], check=False)
    argv = ["useradd", "--no-create-home", "--home-dir", "/nonexistent"]
    proc.run([*argv, *(["--groups", groups] if groups else []), name])
    yield name
    for pid in proc.every_pid():
        try:
            uid = proc.status(pid)["Uid"].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if uid == proc.run(["id", "-u", name]).out.strip():
            proc.kill(pid)
    proc.run(["userdel", name], check=False)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, f"report_{call.when}", outcome.get_result())
