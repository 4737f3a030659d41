# SPDX-License-Identifier: GPL-2.0-or-later
"""Fixtures of the quickstart tests.

    debian    a fresh Debian (tests/kit/fresh.py) with QEMU installed, behind an outside with apt's
              proxy; one for the whole module, since the tests are the steps of one afternoon
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.kit import fresh, lab, proxy  # noqa: E402
from tests.kit.fixtures import machine, pytest_runtest_makereport  # noqa: E402,F401


@pytest.fixture(scope="module")
def debian(machine, tmp_path_factory):
    prefix = f"vt{os.getpid()}-q"
    outside = lab.Outside(f"{prefix}out")
    apt = proxy.Proxy(outside)
    place = tmp_path_factory.mktemp("fresh")
    for folder in (place, place.parent, place.parent.parent):
        folder.chmod(0o755)
    made = fresh.FreshDebian(f"{prefix}deb", place)
    try:
        lab.connect(made, outside)
        yield made
    finally:
        made.delete()
        apt.close()
        outside.delete()
