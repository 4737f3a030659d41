# SPDX-License-Identifier: GPL-2.0-or-later
"""NAT with a flowtable: one boot of a Debian VM, whose kernel has them, runs tests/vm/host/flowtable.sh;
each test looks at a few of its results.
"""

import pytest

from tests.kit import built
from tests.kit.vm import host_results, same


@pytest.fixture(scope="module")
def results(machine, stage, tmp_path_factory):
    extra = {"/test/nft-commit": built.program("tests/net/nft-commit")}
    return host_results("flowtable", stage, tmp_path_factory.mktemp("host"), extra)


def test_the_kernel_gets_what_the_golden_text_says(results):
    same(results, golden_commit="ok", golden="1 same")


def test_it_looks_at_networks_with_nat_and_at_the_uplink(results):
    same(results, quickstart="ok", no_uplink="vmnet8", attach="ok", lease="ok", uplink="ok")
    assert set(results["devices"].split()) == {"vmnet8", "up0"}


def test_a_download_does_not_pass_the_rules(results):
    same(results, out="same", out_seen="few")


def test_nor_does_one_through_a_forward(results):
    same(results, forward="ok", forward_slow="ok")
    same(results, **{"in": "same", "in_seen": "few"})


def test_its_bytes_are_counted_all_the_same(results):
    same(results, out_bytes="yes", in_bytes="yes", counted="ok")


def test_vnetctl_shows_it_as_established(results):
    same(results, out_flow="ok", in_flow="ok", out_told="established null")


def test_captures_see_it(results):
    same(results, captured_in="ok", captured_out="ok")


def test_a_reload_that_changes_nothing_leaves_it_there(results):
    same(results, reload="ok", reload_seen="0", reload_grows="ok")


def test_what_the_ftp_helper_follows_stays_with_the_rules(results):
    same(results, ftp="ok", ftp_offloaded="0")


def test_udp_stays_with_the_rules_and_keeps_its_timeout(results):
    same(results, udp="answered", udp_offloaded="0", udp_left="yes")


def test_a_download_goes_on_and_comes_back_to_it_when_the_table_is_made_anew(results):
    same(results, create="ok", created="ok", created_flow="ok", created_grows="ok")
    same(results, killed="ok", killed_flow="ok", killed_grows="ok")
    same(results, repaired="ok", repaired_flow="ok", repaired_grows="ok")


def test_interfaces_come_and_go(results):
    same(results, remade="ok", uplink_comes="ok", uplink_goes="ok", uplink_back="ok")
    same(results, uplink_gone="ok", still="ok")


def test_a_forward_that_goes_ends_its_download(results):
    same(results, removed_not="ok", remove="ok", removed="ok", removed_rests="ok", removed_others="ok")


def test_a_network_with_one_way_out_has_none_of_it(results):
    same(results, egress="ok", egress_flow="ok", egress_grows="ok", egress_gone="ok", egress_back="ok")


def test_it_can_be_turned_off(results):
    same(results, off="ok", off_flow="ok", off_devices="", off_grows="ok")


def test_the_data_are_right(results):
    same(results, whole="yes")


def test_a_connection_of_an_uplink_that_was_down_is_reset_by_the_guests_first_word(results):
    same(results, on="ok", on_devices="ok", talk="ok", talk_flow="ok", down_forgotten="ok", down_back="ok")
    same(results, down_told="Connection reset by peer at once", down_seen="0")
    same(results, again_flow="ok", again_grows="ok")

