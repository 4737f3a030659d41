# SPDX-License-Identifier: GPL-2.0-or-later
"""Throw-away users of a test run: `vt<pid of pytest>m`, in group vnet, and `vt<pid>s`, in none of ours."""

import os
import pwd
import re
from pathlib import Path

from . import proc


class Users:
    def __init__(self):
        self.member = f"vt{os.getpid()}m"
        self.stranger = f"vt{os.getpid()}s"
        _add(self.member, "--groups", "vnet")
        _add(self.stranger)

    def delete(self):
        for name in (self.member, self.stranger):
            _delete(name)


def sweep():
    """Removes the users of runs whose pytest no longer lives."""
    for entry in pwd.getpwall():
        owner = re.fullmatch(r"vt(\d+)[ms]", entry.pw_name)
        if owner and not Path(f"/proc/{owner.group(1)}").exists():
            _delete(entry.pw_name)


def _add(name, *options):
    proc.run(["useradd", "--no-create-home", "--home-dir", "/nonexistent", *options, name])


def _delete(name):
    uid = str(pwd.getpwnam(name).pw_uid)
    for pid in proc.every_pid():
        try:
            if proc.status(pid)["Uid"].split()[0] == uid:
                proc.kill(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
    proc.run(["userdel", name], check=False)
