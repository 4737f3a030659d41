# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of the build tree that are not installed: helpers which a test runs as root."""

import os
from pathlib import Path

from . import proc


def program(path):
    """`path` below the build tree: `VNET_BUILD`, or `gcc` beside `VNET_STAGE`, as scripts/test has it."""
    where = os.environ.get("VNET_BUILD")
    if not where and os.environ.get("VNET_STAGE"):
        where = Path(os.environ["VNET_STAGE"]).resolve().parent / "gcc"
    if not where:
        raise proc.Failed("neither VNET_BUILD nor VNET_STAGE is set: run scripts/test net")
    found = Path(where) / path
    if not found.exists():
        raise proc.Failed(f"{found} does not exist: build it first")
    return found
