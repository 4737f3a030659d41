# SPDX-License-Identifier: GPL-2.0-or-later
"""The installed tree under real systemd: one boot of a Debian VM runs tests/vm/host/installed.sh;
each test looks at a few of its results.  Its kernel is Debian's 6.1, the oldest that we support.
"""

import pytest

from tests.kit import images
from tests.kit.vm import host_results, same


@pytest.fixture(scope="module")
def results(machine, stage, tmp_path_factory):
    return host_results("installed", stage, tmp_path_factory.mktemp("host"))


def test_boots_to_multi_user(results):
    same(results, multi_user="ok", kernel=images.kernel_release())


def test_quickstart_installs_and_starts_the_unit(results):
    same(results, quickstart="ok", service="ok", socket="ok", type="notify", status="ok")
    same(results, service_enabled="ok", socket_enabled="ok", alias="ok")


def test_all_processes_run_as_vnet(results):
    words = results["unit_processes"].split()
    assert set(words[2::3]) == {"_vnet"}, words
    assert {"vnetd", "vnet-dhcpd", "vnet-natd"} <= set(words[1::3]), words


def test_socket_is_for_root_and_the_group(results):
    same(results, socket_mode="660 root vnet", member="ok", mallory="refused")


def test_network_managers_and_udev_leave_our_links_alone(results):
    same(results, networkd="ok", manager="ok")
    same(results, nm="unmanaged", networkd_setup="unmanaged", mac_vmnet8="00:50:56:c0:00:08")
    ours = "/usr/lib/systemd/network/10-vnet.link"
    assert results["link_file"].endswith(ours.removeprefix("/usr"))
    assert results["port_link_file"].endswith(ours.removeprefix("/usr"))
    same(results, port_mac="fe")


def test_guest_gets_a_lease(results):
    same(results, attach="ok", lease="ok", gateway="ok")


def test_the_host_knows_its_guests_by_systemd_resolved(results):
    same(results, resolved="ok", resolved_user="_vnet-resolved", named="ok", names="ok", names_back="ok")
    same(results, told_domain="ok", told_server="ok", told_route="ok", told_dnssec="ok", names_nobody="ok")
    same(results, names_refused="1")


def test_systemd_resolved_is_told_again(results):
    """After its restart, of a network that is made, and when who tells it was killed."""
    same(results, resolved_again="ok", names_again="ok", net_made="ok", net_told="ok", net_gone="ok")
    same(results, resolved_back="ok", names_after_kill="ok")


def test_systemd_resolved_forgets_what_nobody_answers(results):
    same(results, names_taken_back="ok", names_stopped="inactive", names_activated="ok")


def test_networkd_gets_a_lease_and_keeps_it(results):
    same(results, networkd_bound="ok", networkd_lease="1", networkd_renew="ok")
    same(results, networkd_again="ok", networkd_same="same")


def test_restart_keeps_networks_and_guests(results):
    same(results, restart="ok", restart_loss="0%", restart_index="same")


def test_stopped_service_leaves_networks_and_socket_activates_it(results):
    same(results, stop="ok", stop_loss="0%", stopped="inactive")
    same(results, activation="ok", activated="active", lease_kept="1")


def test_killed_main_process_comes_back(results):
    same(results, revived="ok", revived_pid="new", killed_loss="0%", killed_index="same")


def test_reload_tells_whether_the_configuration_is_good(results):
    same(results, reload="ok", bad_reload="refused", good_again="ok")


def test_flushed_rule_set_is_restored(results):
    same(results, ruleset="ok", ruleset_restored="ok", table_restored="ok")


def test_firewalld_lets_guests_pass_while_that_is_allowed(results):
    same(results, firewalld_unit="ok", firewalld_user="_vnet-firewalld", allow_reload="ok", firewalld="ok", zone="ok")
    same(results, forbid_reload="ok", zone_forbidden="ok")


def test_networks_stay_in_their_zone_unless_it_alone_is_stopped(results):
    same(results, zone_restart="ok", zone_restart_loss="0%", zone_kept="ok", zone_kept_all="0", zone_unit_back="ok")
    same(results, zone_killed="ok", zone_unit_revived="ok")
    same(results, zone_stop="ok", zone_left="ok", zone_left_once="1", zone_start="ok", zone_again="ok")
    same(results, zone_upgrade="ok", zone_upgrade_told="2")


def test_upgrade_keeps_networks_and_guests(results):
    same(results, upgrade="ok", upgrade_loss="0%", upgrade_index="same")
    same(results, upgrade_modes="755")
    same(results, lease_again="ok", same_address="same")


def test_redirections_work_on_and_keep_their_connections(results):
    same(results, redirect_reload="ok", redirect="ok", redirect_kept="ok")
    same(results, restart_echoes="ok", restart_kept="ok")
    same(results, redird_echoes="ok", redird_kept="ok", upgrade_kept="ok")


def test_vnet_networks_stops_and_starts(results):
    same(results, networks_stop="ok", links_left="0", networks_start="ok", back="ok")


def test_uninstall(results):
    same(results, uninstall="ok", after_uninstall="0 0")


def test_no_unit_failed(results):
    same(results, failed_units="")
