/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall_test.c - foreign base chains -> what status says and what to type.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/util.h"
#include "natd/firewall.h"
#include "paths.h"

static const struct msg_natd_net nat = {
    .net = 8,
    .subnet = {0x0a080000},
    .len = 24,
    .gateway = {0x0a080002},
    .dns = {0x0a080002},
    .nat = true,
    .adapter = true,
};

static const struct msg_natd_net hostonly = {.net = 1, .subnet = {0x0a010000}, .len = 24};

static const struct msg_firewall_row firewalld[] = {
    {.family = "inet",
     .table = "firewalld",
     .chain = "filter_INPUT",
     .final_drop = true,
     .jumps = "filter_INPUT_ZONES"},
    {.family = "inet",
     .table = "firewalld",
     .chain = "filter_FORWARD",
     .forward = true,
     .final_drop = true,
     .jumps = "filter_FORWARD_ZONES"},
};
static const struct msg_firewall_row docker[] = {
    {.family = "ip",
     .table = "filter",
     .chain = "FORWARD",
     .forward = true,
     .policy_drop = true,
     .jumps = "DOCKER-USER DOCKER-FORWARD"},
};
static const struct msg_firewall_row ufw[] = {
    {.family = "ip",
     .table = "filter",
     .chain = "INPUT",
     .policy_drop = true,
     .jumps = "ufw-before-logging-input ufw-before-input"},
    {.family = "ip",
     .table = "filter",
     .chain = "FORWARD",
     .forward = true,
     .policy_drop = true,
     .jumps = "ufw-before-logging-forward ufw-before-forward"},
};

static void
check(const struct msg_natd_net *net, const struct msg_firewall_row *rows, size_t n,
      const char *text, const char *cure)
{
	struct firewall_line line;

	firewall_judge(&line, net, rows, n);
	assert_string_equal(line.text, text);
	assert_string_equal(line.cure, cure);
	assert_int_equal(line.ok, text[0] == '\0');
}

static void
the_known_ones_are_recognised(void **state UNUSED)
{
	check(&nat, NULL, 0, "", "");
	check(&nat, firewalld, 2,
	      "firewalld drops what vmnet8 forwards, and its DNS: its guests have no Internet",
	      "sudo firewall-cmd --permanent --zone=vnetd --change-interface=vmnet8 && "
	      "sudo firewall-cmd --reload");
	check(&nat, docker, 1, "Docker drops what vmnet8 forwards: its guests have no Internet",
	      "sudo iptables -I DOCKER-USER -i vmnet8 -j ACCEPT && "
	      "sudo iptables -I DOCKER-USER -o vmnet8 -j ACCEPT");
	check(&nat, ufw, 2,
	      "ufw drops what vmnet8 forwards, and its DNS: its guests have no Internet",
	      "sudo ufw allow in on vmnet8 && sudo ufw route allow in on vmnet8 && "
	      "sudo ufw route allow out on vmnet8");
}

static void
others_are_named_by_their_place(void **state UNUSED)
{
	const struct msg_firewall_row iptables = {.family = "ip",
						  .table = "filter",
						  .chain = "FORWARD",
						  .forward = true,
						  .policy_drop = true};
	struct msg_firewall_row nft = {
	    .family = "inet", .table = "my_fw", .chain = "in", .final_drop = true};

	check(&nat, &iptables, 1,
	      "iptables chain FORWARD drops what vmnet8 forwards: its guests have no Internet",
	      "sudo iptables -I FORWARD -i vmnet8 -j ACCEPT && "
	      "sudo iptables -I FORWARD -o vmnet8 -j ACCEPT");
	check(&nat, &nft, 1,
	      "chain in of table inet my_fw drops the DNS queries of vmnet8's guests to 10.8.0.2",
	      "sudo nft insert rule inet my_fw in iifname vmnet8 accept");
	nft.forward = true;
	check(
	    &nat, &nft, 1,
	    "chain in of table inet my_fw drops what vmnet8 forwards: its guests have no Internet",
	    "sudo nft insert rule inet my_fw in iifname vmnet8 accept && "
	    "sudo nft insert rule inet my_fw in oifname vmnet8 accept");
}

static void
a_network_that_passes_is_well(void **state UNUSED)
{
	struct msg_firewall_row rows[2];

	memcpy(rows, firewalld, sizeof(rows));
	MSG_SET_STR(rows[0].names, "vmnet8");
	MSG_SET_STR(rows[1].names, "vmnet1 vmnet8 vmnet9");
	check(&nat, rows, 2, "", "");
	/* vmnet8 is not vmnet80, nor the other way round */
	MSG_SET_STR(rows[1].names, "vmnet80 vmnet18");
	check(&nat, rows, 2, "firewalld drops what vmnet8 forwards: its guests have no Internet",
	      "sudo firewall-cmd --permanent --zone=vnetd --change-interface=vmnet8 && "
	      "sudo firewall-cmd --reload");
}

static void
host_only_networks_do_not_care(void **state UNUSED)
{
	check(&hostonly, firewalld, 2, "", "");
	check(&hostonly, docker, 1, "", "");
}

static void
several_owners_are_all_named(void **state UNUSED)
{
	struct msg_firewall_row rows[3] = {docker[0], firewalld[0], firewalld[1]};

	check(&nat, rows, 3,
	      "Docker and firewalld drop what vmnet8 forwards: its guests have no Internet; "
	      "firewalld drops the DNS queries of vmnet8's guests to 10.8.0.2",
	      "sudo iptables -I DOCKER-USER -i vmnet8 -j ACCEPT && "
	      "sudo iptables -I DOCKER-USER -o vmnet8 -j ACCEPT && "
	      "sudo firewall-cmd --permanent --zone=vnetd --change-interface=vmnet8 && "
	      "sudo firewall-cmd --reload");
}

/* Only what all comes from Docker, ufw or iptables. */
static void
what_vnetd_would_cure(void **state UNUSED)
{
	const struct msg_firewall_row both[] = {docker[0], firewalld[1]};
	struct firewall_line line;

	firewall_judge(&line, &nat, docker, 1);
	assert_true(line.can_cure);
	firewall_judge(&line, &nat, ufw, 2);
	assert_true(line.can_cure);
	/* firewalld by vnet-firewalld, where that was built. */
	firewall_judge(&line, &nat, firewalld, 2);
	assert_int_equal(line.can_cure, VNET_DBUS);
	firewall_judge(&line, &nat, both, 2);
	assert_int_equal(line.can_cure, VNET_DBUS);
	firewall_judge(&line, &hostonly, docker, 1);
	assert_false(line.can_cure);
}

static void
frames_between_guests(void **state UNUSED)
{
	struct msg_firewall_row rows[2] = {docker[0], firewalld[1]};
	struct firewall_line line;

	firewall_judge_inside(&line, 3, NULL, rows, 2);
	assert_true(line.ok && !line.can_cure && !line.text[0] && !line.cure[0]);
	msg_nets_add(rows[0].inside.b, 3);
	firewall_judge_inside(&line, 3, NULL, rows, 2);
	assert_true(!line.ok && line.can_cure);
	assert_string_equal(line.text, "Docker drops frames between guests of vmnet3, which "
				       "bridge-nf-call-iptables hands to it");
	assert_string_equal(line.cure,
			    "sudo iptables -I DOCKER-USER -i vmnet3 -o vmnet3 -j ACCEPT");
	msg_nets_add(rows[1].inside.b, 3);
	firewall_judge_inside(&line, 3, NULL, rows, 2);
	assert_false(line.can_cure);
	assert_non_null(strstr(line.text, "Docker and firewalld drop frames"));
	assert_non_null(strstr(line.cure, " && sudo firewall-cmd "));
	/* Our zone is for networks that have something to let through, and would close the host for others. */
	firewall_judge_inside(&line, 3, NULL, rows + 1, 1);
	assert_string_equal(line.cure, "sudo firewall-cmd --permanent --add-interface=vmnet3 && "
				       "sudo firewall-cmd --permanent --add-forward && "
				       "sudo firewall-cmd --reload");
	firewall_judge_inside(&line, 3, &hostonly, rows + 1, 1);
	assert_false(line.can_cure);
	assert_null(strstr(line.cure, "vnetd"));
	msg_nets_add(rows[1].inside.b, 8);
	MSG_SET_STR(rows[1].names, "vmnet8");
	firewall_judge_inside(&line, 8, &nat, rows + 1, 1);
	assert_int_equal(line.can_cure, VNET_DBUS);
	assert_string_equal(
	    line.cure, "sudo firewall-cmd --permanent --zone=vnetd --change-interface=vmnet8 && "
		       "sudo firewall-cmd --reload");
	rows[0] = ufw[0];
	msg_nets_add(rows[0].inside.b, 3);
	firewall_judge_inside(&line, 3, NULL, rows, 1);
	assert_string_equal(line.cure, "sudo ufw route allow in on vmnet3 out on vmnet3");
	/* What is said of the way out already is not said twice. */
	rows[0] = docker[0];
	msg_nets_add(rows[0].inside.b, 8);
	firewall_judge_inside(&line, 8, &nat, rows, 1);
	assert_true(line.ok);
	MSG_SET_STR(rows[0].names, "vmnet8");
	firewall_judge_inside(&line, 8, &nat, rows, 1);
	assert_string_equal(line.cure,
			    "sudo iptables -I DOCKER-USER -i vmnet8 -o vmnet8 -j ACCEPT");
}

/* Half a command line must never be offered. */
static void
a_cure_that_does_not_fit_is_left_out(void **state UNUSED)
{
	struct msg_firewall_row row = {.family = "inet", .forward = true, .policy_drop = true};

	memset(row.table, 't', sizeof(row.table) - 1);
	memset(row.chain, 'c', sizeof(row.chain) - 1);
	struct firewall_line line;

	firewall_judge(&line, &nat, &row, 1);
	assert_false(line.ok);
	assert_string_equal(line.cure, "");
	assert_true(strlen(line.text) > 100);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_known_ones_are_recognised),
	    cmocka_unit_test(others_are_named_by_their_place),
	    cmocka_unit_test(a_network_that_passes_is_well),
	    cmocka_unit_test(host_only_networks_do_not_care),
	    cmocka_unit_test(several_owners_are_all_named),
	    cmocka_unit_test(what_vnetd_would_cure),
	    cmocka_unit_test(frames_between_guests),
	    cmocka_unit_test(a_cure_that_does_not_fit_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
