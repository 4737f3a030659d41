# SPDX-License-Identifier: GPL-2.0-or-later
"""priv's verbs about the files promiscAuthorized. The test is the engine."""

import os
import select

import pytest

from tests.kit.gates import NET_ALL
from tests.kit.relay import host, priv  # noqa: F401 - fixtures

MARKER = "promiscAuthorized"


def markers(priv):
    """{network, or None for all: row}."""
    found, _ = priv.engine.answer(priv.engine.request("MARKER_LIST"))
    assert all(row.type == "MARKER_ROW" for row in found)
    return {None if row.net == NET_ALL else row.net: row for row in found}


def marker_facts(priv, net=None):
    found = markers(priv)[net]
    return found.regular, found.links, found.uid, found.mode


@pytest.mark.parametrize("net", [None, 8])
def test_marker_that_changes_wakes_the_engine(priv, net):
    where = priv.config if net is None else priv.config / f"vmnet{net}"
    where.mkdir(exist_ok=True)
    marker = where / MARKER
    watch = priv.engine.ask("MARKER_WATCH").fds[0]
    assert not select.select([watch], [], [], 0)[0]
    for change in (
        lambda: marker.touch(0o644),
        lambda: marker.chmod(0o666),
        lambda: os.chown(marker, 1, 1),
        lambda: os.link(marker, where / "second"),
        lambda: marker.rename(where / "other"),
        lambda: (where / "other").rename(marker),
        marker.unlink,
        lambda: marker.symlink_to("/etc/passwd"),
    ):
        while select.select([watch], [], [], 0)[0]:
            os.read(watch, 4096)
        change()
        assert select.select([watch], [], [], 0.1)[0]
    assert marker_facts(priv, net)[0] is False


@pytest.mark.parametrize("net", [None, 8])
def test_second_name_elsewhere_wakes_the_engine(priv, net):
    where, elsewhere = priv.config if net is None else priv.config / f"vmnet{net}", priv.config.parent / "elsewhere"
    where.mkdir(exist_ok=True)
    (where / MARKER).touch()
    watch = priv.engine.ask("MARKER_WATCH").fds[0]
    for change in (lambda: os.link(where / MARKER, elsewhere), elsewhere.unlink):
        change()
        assert select.select([watch], [], [], 0.1)[0]
        os.read(watch, 4096)


def test_new_folder_of_a_network_wakes_the_engine(priv):
    watch = priv.engine.ask("MARKER_WATCH").fds[0]
    (priv.config / "vmnet3").mkdir()
    assert select.select([watch], [], [], 0.1)[0]
    again = priv.engine.ask("MARKER_WATCH").fds[0]
    (priv.config / "vmnet3" / MARKER).touch()
    assert select.select([again], [], [], 0.1)[0]
    assert list(markers(priv)) == [3]


def test_folder_behind_a_symbolic_link_is_nobodys(priv, folder):
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    (priv.config / "vmnet8").symlink_to(elsewhere)
    (priv.config / "vmnet9").write_text("a file")
    watch = priv.engine.ask("MARKER_WATCH").fds[0]
    (elsewhere / MARKER).touch()
    assert not select.select([watch], [], [], 0.3)[0]
    assert {net: row.linked for net, row in markers(priv).items()} == {8: True}
    (elsewhere / MARKER).unlink()
    assert markers(priv) == {}


def test_facts_about_markers(priv):
    assert markers(priv) == {}
    for net in (0, 255):
        (priv.config / f"vmnet{net}").mkdir()
        (priv.config / f"vmnet{net}" / MARKER).touch()
    marker = priv.config / MARKER
    marker.touch()
    marker.chmod(0o644)
    assert list(markers(priv)) == [None, 0, 255]
    assert marker_facts(priv) == (True, 1, 0, 0o100644)
    marker.chmod(0o4666)
    os.chown(marker, 1234, 0)
    marker.chmod(0o4666)
    assert marker_facts(priv) == (True, 1, 1234, 0o104666)
    os.link(marker, priv.config / "second")
    assert marker_facts(priv)[:2] == (True, 2)
    marker.unlink()
    marker.symlink_to(priv.config / "second")
    assert marker_facts(priv)[0] is False
    marker.unlink()
    marker.mkdir()
    assert marker_facts(priv)[0] is False
    marker.rmdir()
    os.mkfifo(marker)
    assert marker_facts(priv)[:2] == (False, 1)
