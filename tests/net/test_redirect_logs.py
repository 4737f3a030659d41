# SPDX-License-Identifier: GPL-2.0-or-later
"""log_type of redirections: lines in files and to syslog, under the real vnetd."""

import contextlib
import os
import re
import socket
import stat

import pytest

from tests.kit import proc
from tests.kit.redirects import (  # noqa: F401 - fixtures are found by their names
    NEAR, dial, echo, read_name, row, says, service, servers, two,
)


@pytest.fixture
def logs(lab, vnetd):
    """A folder where user _vnet may write, as only root may in the one above it."""
    folder = vnetd.config.parent / "log" / "ours"
    folder.mkdir(parents=True)
    lab.host.run("chown", "_vnet", folder)
    return folder


def logging(vnetd, log_type, *lines, port=7001):
    words = ("log_on_success = HOST EXIT", "log_on_failure = HOST", f"log_type = {log_type}")
    vnetd.write("redirect.d/one", service("one", port, f"{NEAR} 9001", *words, *lines))
    vnetd.ctl("reload")


def test_lines_go_to_a_file_as_xinetd_writes_them(lab, vnetd, servers, logs):
    first, second = logs / "first", logs / "second"
    logging(vnetd, f"FILE {first}")
    assert says(lab, 7001) == b"a"
    proc.wait_until("the end is written", lambda: " EXIT: one status=0" in first.read_text())
    date = r"\d\d/\d{1,2}/\d{1,2}@\d\d:\d\d:\d\d: "
    want = f"{date}START: one from={NEAR}\n{date}EXIT: one status=0\n"
    assert re.fullmatch(want, first.read_text())
    assert stat.S_IMODE(first.stat().st_mode) == 0o640
    held = dial(lab, 7001)
    assert read_name(held) == b"a"
    logging(vnetd, f"FILE {second}")
    written = first.read_text()
    assert says(lab, 7001) == b"a"
    proc.wait_until("the new file is written to", lambda: "START: one" in second.read_text())
    echo(held)
    held.close()
    proc.wait_until("both ends are in it", lambda: second.read_text().count("EXIT: one") == 2)
    assert first.read_text() == written
    # As logrotate does it.
    second.rename(logs / "second.1")
    vnetd.ctl("reload")
    assert says(lab, 7001) == b"a"
    proc.wait_until("a new one is written to", lambda: "START: one" in second.read_text())
    assert (logs / "second.1").read_text().count("START: one") == 1
    assert "START: one" not in vnetd.log_text()


def test_connection_of_a_removed_service_ends_in_its_file(lab, vnetd, servers, logs):
    logging(vnetd, f"FILE {logs}/x")
    held = dial(lab, 7001)
    read_name(held)
    (vnetd.config / "redirect.d/one").unlink()
    vnetd.write("redirect.d/two", service("two", 7002, f"{NEAR} 9001"))
    vnetd.ctl("reload")
    held.close()
    proc.wait_until("its end is written", lambda: "EXIT: one" in (logs / "x").read_text())


@pytest.mark.parametrize("who", ["vnet-redird", "engine"])
def test_file_is_written_to_after_a_process_was_killed(lab, vnetd, servers, logs, who):
    logging(vnetd, f"FILE {logs}/x")
    assert says(lab, 7001) == b"a"
    proc.wait_until("it is written to", lambda: "EXIT: one" in (logs / "x").read_text())
    vnetd.kill_and_await(who)
    vnetd.ctl("reload")
    assert says(lab, 7001) == b"a"
    proc.wait_until("and again", lambda: (logs / "x").read_text().count("EXIT: one") == 2)
    assert "START: one" not in vnetd.log_text()


def test_limits_of_a_file_are_told_and_the_hard_one_ends_it(lab, vnetd, servers, logs):
    file = logs / "short"
    logging(vnetd, f"FILE {file} 100 300", "cps = 0 0")
    for _ in range(10):
        assert says(lab, 7001) == b"a"
    proc.wait_until("the limit is told", lambda: "its hard limit of 300 bytes" in vnetd.log_text())
    size = file.stat().st_size
    assert 100 < size <= 300
    assert says(lab, 7001) == b"a"
    assert file.stat().st_size <= 300
    assert vnetd.log_text().count("its soft limit of 100 bytes") == 1
    assert "START: one" not in vnetd.log_text()
    file.write_text("")
    assert says(lab, 7001) == b"a"
    proc.wait_until("it goes on", lambda: "START: one" in file.read_text())


def test_file_that_cannot_be_opened_is_told_with_its_cure(lab, vnetd, servers, logs):
    file = logs.parent / "roots"
    logging(vnetd, f"FILE {file}")
    assert says(lab, 7001) == b"a"
    proc.wait_until("the line is in vnetd's log", lambda: "START: one" in vnetd.log_text())
    told = (f"redirection one: user _vnet cannot write to {file}: Permission denied; its lines go "
            f"where vnetd logs. As root: touch {file}; chown _vnet {file}")
    assert told in vnetd.log_text()
    assert told in vnetd.ctl("status").out
    assert row(vnetd, "one")["state"] == "ok"
    vnetd.host.run("touch", file)
    vnetd.host.run("chown", "_vnet", file)
    proc.wait_until("nothing is wrong", lambda: "roots" not in vnetd.ctl("status").out, 15)
    assert says(lab, 7001) == b"a"
    proc.wait_until("it is written to", lambda: "START: one" in file.read_text())
    (logs / "link").symlink_to(file)
    os.mkfifo(logs / "fifo")
    (logs / "fifo").chmod(0o666)
    for name, why in (("link", "is a symbolic link"), ("fifo", "is not a regular file")):
        logging(vnetd, f"FILE {logs}/{name}")
        assert f"{logs}/{name} {why}; its lines go where vnetd logs" in vnetd.ctl("status").out
        assert says(lab, 7001) == b"a"
    vnetd.write("redirect.d/one", service("one", 7001, f"{NEAR} 9001", "log_type = FILE /a/../b"))
    res = vnetd.ctl("reload", check=False)
    assert res.rc == 1 and '"/a/../b" is no path of a log' in res.err


def test_check_tells_of_files_that_cannot_be_logged_to(lab, vnetd, logs):
    (logs / "link").symlink_to(logs / "x")
    (logs / "fine").touch()
    (logs / "fine").chmod(0o666)
    (logs / "roots").touch(0o644)
    warned = {
        f"{logs}/no/x": f"{logs}/no does not exist. As root: mkdir -p {logs}/no; touch {logs}/no/x; "
                        f"chown _vnet {logs}/no/x",
        f"{logs}": f"{logs} is a folder. Name another file",
        f"{logs}/link": f"{logs}/link is a symbolic link. Name another file",
        f"{logs}/roots/x": f"{logs}/roots/x lies below something that is no folder",
        f"{logs}/roots": f"user _vnet cannot write to {logs}/roots. As root: touch {logs}/roots; chown",
        f"{logs.parent}/x": f"user _vnet cannot make {logs.parent}/x. As root: touch {logs.parent}/x",
        f"{logs}/fine": None,
        f"{logs}/new": None,
    }
    for path, text in warned.items():
        vnetd.write("redirect.d/one", service("one", 7001, f"{NEAR} 9001", f"log_type = FILE {path}"))
        res = vnetd.ctl("check", check=False)
        if text:
            assert f"redirect.d/one:1:9: service one: log_type: {text}" in res.out
        else:
            assert "log_type" not in res.out
        assert res.rc == 0
    # vnetd itself has the same to say.
    logging(vnetd, f"FILE {logs}/no/x")
    assert f"As root: mkdir -p {logs}/no; touch {logs}/no/x" in vnetd.ctl("redirect", "list").out


class Syslog:
    """A daemon at /dev/log of the host."""

    def __init__(self, host, path):
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(str(path))
        self._sock.settimeout(5)
        path.chmod(0o666)
        host.run("mount", "--bind", path, "/dev/log")

    def read(self):
        return self._sock.recv(1000).decode()

    def close(self):
        self._sock.close()


def test_lines_go_to_syslog(lab, vnetd, servers, logs):
    for layer in ("dev", "dev.work"):
        (logs / layer).mkdir()
    options = f"lowerdir=/dev,upperdir={logs}/dev,workdir={logs}/dev.work"
    lab.host.run("mount", "-t", "overlay", "overlay", "-o", options, "/dev")
    lab.host.sh("rm -f /dev/log; touch /dev/log")
    daemon = lab.host.keep(Syslog(lab.host, logs / "a"))
    logging(vnetd, "SYSLOG local3 notice", "cps = 0 0")
    assert says(lab, 7001) == b"a"
    date = r"<157>[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d vnet-redird: "
    assert re.fullmatch(f"{date}START: one from={NEAR}", daemon.read())
    assert re.fullmatch(f"{date}EXIT: one status=0", daemon.read())
    assert "START: one" not in vnetd.log_text()
    daemon.close()
    assert says(lab, 7001) == b"a"
    proc.wait_until("the line is in vnetd's log", lambda: "START: one" in vnetd.log_text())
    lab.host.run("umount", "/dev/log")
    daemon = lab.host.keep(Syslog(lab.host, logs / "b"))

    def found():
        said = vnetd.log_text().count("EXIT: one")
        assert says(lab, 7001) == b"a"
        with contextlib.suppress(TimeoutError):
            daemon._sock.settimeout(0.2)
            return daemon.read()
        proc.wait_until("it is logged", lambda: vnetd.log_text().count("EXIT: one") > said)
        return ""

    assert re.match(date, proc.wait_until("the new daemon is found", found))
