/* SPDX-License-Identifier: GPL-2.0-or-later
 * doctor_test.c - facts of a host -> what is wrong with it, and what to type.
 */
#include "../lib/t.h"

#include <string.h>

#include "lib/strbuf.h"
#include "vnetd/doctor.h"

static const struct msg_net_row nets[] = {
    {.net = 1, .dhcp = true, .adapter = true, .guests = 2},
    {.net = 2, .dhcp = true},
    {.net = 8, .nat = true, .dns = {0x0a080002}},
};

static struct doctor_report report;

/* A host on which all is well. */
static struct doctor_facts
well(void)
{
	struct doctor_facts f = {.root = true,
				 .config_dir = "/etc/vnet",
				 .vnetd = DOCTOR_VNETD_ANSWERS,
				 .vnetd_why = "",
				 .version = "0.1.0",
				 .net = nets,
				 .nnets = ARRAY_LEN(nets),
				 .release = "6.12.0",
				 .tun = DOCTOR_YES,
				 .nf_tables = DOCTOR_YES,
				 .ip_forward = 1,
				 .bridge_nf = -1,
				 .servers = 1};

	memset(f.net_forwarding, 1, sizeof(f.net_forwarding));
	return f;
}

static void
judge(const struct doctor_facts *f)
{
	doctor_report_fini(&report);
	doctor_judge(&report, f);
	assert_false(report.bad);
}

/* The one finding of a topic, or NULL. */
static const struct doctor_finding *
find(enum doctor_topic topic)
{
	const struct doctor_finding *d = NULL;

	for (size_t i = 0; i < report.n; i++)
		if (report.v[i].topic == topic && report.v[i].level != DOCTOR_OK) {
			assert_null(d);
			d = &report.v[i];
		}
	return d;
}

static void
found(const struct doctor_facts *f, enum doctor_topic topic, enum doctor_level level,
      const char *text, const char *cure)
{
	const struct doctor_finding *d;

	judge(f);
	d = find(topic);
	assert_non_null(d);
	assert_int_equal(d->level, level);
	if (!strstr(d->text, text))
		fail_msg("\"%s\" does not say \"%s\"", d->text, text);
	if (cure)
		assert_string_equal(d->cure ? d->cure : "", cure);
}

static void
nothing_is_found_where_all_is_well(void **state UNUSED)
{
	struct doctor_facts f = well();

	judge(&f);
	assert_int_equal(doctor_count(&report), 0);
	for (size_t i = 0; i < report.n; i++)
		assert_int_equal(report.v[i].level, DOCTOR_OK);
	for (enum doctor_topic t = 0; t < DOCTOR_TOPIC_N; t++) {
		bool named = false;

		for (size_t i = 0; i < report.n; i++)
			named |= report.v[i].topic == t;
		if (!named)
			fail_msg("nothing is said about %s", doctor_topic_name(t));
	}
}

static void
a_vnetd_that_does_not_run_is_the_first_thing(void **state UNUSED)
{
	struct doctor_facts f = well();

	f.vnetd = DOCTOR_VNETD_DOWN;
	f.vnetd_why = "vnetd does not run (nobody listens on \"/run/vnet/vnetd.sock\"). Try: sudo "
		      "systemctl start vnetd";
	f.nnets = 0;
	f.tun = DOCTOR_NO;
	f.nf_tables = DOCTOR_UNKNOWN;
	judge(&f);
	assert_int_equal(report.v[0].topic, DOCTOR_VNETD);
	assert_int_equal(report.v[0].level, DOCTOR_FAIL);
	assert_string_equal(report.v[0].text,
			    "vnetd does not run (nobody listens on \"/run/vnet/vnetd.sock\")");
	assert_string_equal(report.v[0].cure, "sudo systemctl start vnetd");
	/* Who looks at rule sets is not there. */
	assert_int_equal(find(DOCTOR_FIREWALL)->level, DOCTOR_UNSEEN);
	assert_int_equal(doctor_count(&report), 2);
	assert_int_equal(report.v[1].topic, DOCTOR_KERNEL);
	assert_string_equal(report.v[1].cure, "sudo modprobe tun");
}

static void
what_vnetd_says_is_passed_on(void **state UNUSED)
{
	const struct msg_warning_row warnings[] = {
	    {.net = 8,
	     .topic = WARNING_FIREWALL,
	     .text = "Docker drops what vmnet8 forwards: its guests have no Internet",
	     .cure = "sudo iptables -I DOCKER-USER -i vmnet8 -j ACCEPT",
	     .can_cure = true},
	    {.net = 1, .topic = WARNING_NETWORK, .text = "vmnet1: port 67 is taken by dnsmasq"},
	};
	struct doctor_facts f = well();

	f.warning = warnings;
	f.nwarnings = 2;
	found(&f, DOCTOR_FIREWALL, DOCTOR_FAIL, "Docker drops", warnings[0].cure);
	assert_non_null(strstr(find(DOCTOR_FIREWALL)->other[0], "foreign-rules = allow"));
	assert_non_null(strstr(find(DOCTOR_FIREWALL)->other[0], "/etc/vnet/vnetd.conf"));
	assert_int_equal(find(DOCTOR_FIREWALL)->net, 8);
	assert_string_equal(find(DOCTOR_NETWORKS)->text, "vmnet1: port 67 is taken by dnsmasq");
	assert_null(find(DOCTOR_NETWORKS)->cure);
	assert_int_equal(doctor_count(&report), 2);
	/* It has been allowed already, and did not help. */
	f.foreign_allowed = true;
	judge(&f);
	assert_null(strstr(find(DOCTOR_FIREWALL)->other[0], "/etc/vnet/vnetd.conf"));
	assert_non_null(
	    strstr(find(DOCTOR_FIREWALL)->other[0], "journalctl -u vnetd -u vnet-firewalld"));
}

/* The switch is on, and somebody drops; either alone does no harm. */
static void
bridge_nf_matters_where_somebody_drops(void **state UNUSED)
{
	const struct msg_warning_row drops = {
	    .net = 1,
	    .topic = WARNING_INSIDE,
	    .text = "Docker drops frames between guests of vmnet1",
	    .cure = "sudo iptables -I DOCKER-USER -i vmnet1 -o vmnet1 -j ACCEPT",
	    .can_cure = true};
	struct doctor_facts f = well();

	f.bridge_nf = 1;
	judge(&f);
	assert_null(find(DOCTOR_BRIDGE_NF));
	f.warning = &drops;
	f.nwarnings = 1;
	found(&f, DOCTOR_BRIDGE_NF, DOCTOR_FAIL, drops.text, drops.cure);
	assert_int_equal(find(DOCTOR_BRIDGE_NF)->net, 1);
	assert_non_null(strstr(find(DOCTOR_BRIDGE_NF)->other[0], "foreign-rules = allow"));
	assert_non_null(strstr(find(DOCTOR_BRIDGE_NF)->other[1],
			       "sudo sysctl -w net.bridge.bridge-nf-call-iptables=0"));
	f.bridge_nf = 0;
	judge(&f);
	assert_int_equal(doctor_count(&report), 0);
	/* The host's switch is off, a bridge's own is on. */
	f.net_bridge_nf[8] = true;
	judge(&f);
	assert_null(find(DOCTOR_BRIDGE_NF));
	f.net_bridge_nf[1] = true;
	found(&f, DOCTOR_BRIDGE_NF, DOCTOR_FAIL, drops.text, drops.cure);
	assert_non_null(strstr(find(DOCTOR_BRIDGE_NF)->other[1],
			       "sudo ip link set vmnet1 type bridge nf_call_iptables 0"));
}

static void
bridge_nf_and_iptables_legacy(void **state UNUSED)
{
	struct doctor_facts f = well();

	f.bridge_nf = 1;
	f.legacy = DOCTOR_YES;
	f.legacy_rules.forward.drops = true;
	f.legacy_rules.forward.in[8] = f.legacy_rules.forward.out[8] = true;
	found(&f, DOCTOR_BRIDGE_NF, DOCTOR_FAIL,
	      "iptables-legacy drops frames between guests of vmnet1",
	      "sudo iptables-legacy -I FORWARD -i vmnet1 -o vmnet1 -j ACCEPT");
	f.legacy_rules.forward.inside[1] = LEGACY_PASSES;
	judge(&f);
	assert_null(find(DOCTOR_BRIDGE_NF));
}

static void
forwarding_that_is_off(void **state UNUSED)
{
	struct doctor_facts f = well();

	f.ip_forward = 0;
	memset(f.net_forwarding, 0, sizeof(f.net_forwarding));
	found(&f, DOCTOR_FORWARDING, DOCTOR_FAIL, "net.ipv4.ip_forward to 0",
	      "sudo sysctl -w net.ipv4.ip_forward=1");
	f.ip_forward = 1;
	found(&f, DOCTOR_FORWARDING, DOCTOR_FAIL, "vmnet8 forwards nothing",
	      "sudo sysctl -w net.ipv4.conf.vmnet8.forwarding=1");
	/* Nobody forwards for host-only networks. */
	f.nnets = 1;
	f.ip_forward = 0;
	judge(&f);
	assert_null(find(DOCTOR_FORWARDING));
}

static void
rp_filter_with_two_ways_out(void **state UNUSED)
{
	struct doctor_facts f = well();

	f.uplink[0] = (struct doctor_uplink){"eth0", 1};
	f.nuplinks = 1;
	judge(&f);
	assert_null(find(DOCTOR_RP_FILTER));
	f.uplink[1] = (struct doctor_uplink){"tun0", 2};
	f.nuplinks = 2;
	found(&f, DOCTOR_RP_FILTER, DOCTOR_WARN, "eth0",
	      "sudo sysctl -w net.ipv4.conf.eth0.rp_filter=2");
	/* The larger of the two counts. */
	f.rp_filter_all = 2;
	judge(&f);
	assert_null(find(DOCTOR_RP_FILTER));
}

static void
rules_of_iptables_legacy(void **state UNUSED)
{
	struct doctor_facts f = well();

	f.legacy = DOCTOR_UNKNOWN;
	found(&f, DOCTOR_LEGACY, DOCTOR_UNSEEN, "only root", "sudo vnetctl doctor");
	assert_int_equal(doctor_count(&report), 0);
	f.legacy = DOCTOR_YES;
	judge(&f);
	assert_null(find(DOCTOR_LEGACY));
	f.legacy_rules.forward.drops = true;
	found(&f, DOCTOR_LEGACY, DOCTOR_FAIL, "chain FORWARD of iptables-legacy",
	      "sudo iptables-legacy -I FORWARD -i vmnet8 -j ACCEPT && "
	      "sudo iptables-legacy -I FORWARD -o vmnet8 -j ACCEPT");
	f.legacy_rules.forward.in[8] = true;
	found(&f, DOCTOR_LEGACY, DOCTOR_FAIL, "FORWARD",
	      "sudo iptables-legacy -I FORWARD -o vmnet8 -j ACCEPT");
	f.legacy_rules.forward.out[8] = true;
	judge(&f);
	assert_null(find(DOCTOR_LEGACY));
	f.legacy_rules.forward.drops = false;
	f.legacy_rules.forward.in[8] = LEGACY_DROPS;
	found(&f, DOCTOR_LEGACY, DOCTOR_FAIL, "drops what guests of vmnet8 send to the outside",
	      "sudo iptables-legacy -I FORWARD -i vmnet8 -j ACCEPT");
	f.legacy_rules.forward.in[8] = LEGACY_NOTHING;
	f.legacy_rules.input.drops = true;
	found(&f, DOCTOR_LEGACY, DOCTOR_FAIL, "chain INPUT",
	      "sudo iptables-legacy -I INPUT -i vmnet8 -j ACCEPT");
}

static void
no_resolver(void **state UNUSED)
{
	const struct msg_warning_row said = {
	    .net = 8, .text = "vmnet8: /etc/resolv.conf of this host names no server"};
	struct doctor_facts f = well();

	f.servers = 0;
	found(&f, DOCTOR_RESOLVER, DOCTOR_FAIL, "names no server", NULL);
	f.servers = -1;
	found(&f, DOCTOR_RESOLVER, DOCTOR_FAIL, "cannot be read", NULL);
	/* Once is enough. */
	f.warning = &said;
	f.nwarnings = 1;
	judge(&f);
	assert_null(find(DOCTOR_RESOLVER));
}

static void
a_configuration_with_errors(void **state UNUSED)
{
	struct doctor_facts f = well();

	f.conf_errors = 2;
	found(&f, DOCTOR_CONFIGURATION, DOCTOR_FAIL, "/etc/vnet has 2 errors", "vnetctl check");
	f.conf_why = "cannot open it";
	found(&f, DOCTOR_CONFIGURATION, DOCTOR_UNSEEN, "cannot open it", "");
}

/* More than there is room for are counted, and still count. */
static void
many_findings(void **state UNUSED)
{
	static struct msg_warning_row warnings[DOCTOR_FINDINGS_MAX + 10];
	struct doctor_facts f = well();

	for (size_t i = 0; i < ARRAY_LEN(warnings); i++)
		MSG_SET_STR(warnings[i].text, "something");
	f.warning = warnings;
	f.nwarnings = ARRAY_LEN(warnings);
	judge(&f);
	assert_int_equal(report.n, DOCTOR_FINDINGS_MAX);
	assert_true(doctor_count(&report) >= ARRAY_LEN(warnings));
}

static void
the_worst_comes_first_and_what_is_well_is_counted(void **state UNUSED)
{
	struct doctor_facts f = well();
	struct strbuf out;

	f.legacy = DOCTOR_UNKNOWN;
	f.ip_forward = 0;
	f.uplink[0] = (struct doctor_uplink){"eth0", 1};
	f.uplink[1] = (struct doctor_uplink){"eth1", 0};
	f.nuplinks = 2;
	judge(&f);
	strbuf_init(&out);
	doctor_render(&out, &report, false, false);
	assert_string_equal(
	    strbuf_str(&out),
	    "FAIL  somebody has set net.ipv4.ip_forward to 0: guests of NAT networks have no "
	    "Internet. "
	    "Files that do: grep -rs ip_forward /etc/sysctl.d /etc/sysctl.conf\n"
	    "      cure:  sudo sysctl -w net.ipv4.ip_forward=1\n"
	    "warn  the host has 2 ways out, and eth0 takes only what would be answered by it "
	    "(rp_filter=1): what comes in by the other way is dropped\n"
	    "      cure:  sudo sysctl -w net.ipv4.conf.eth0.rp_filter=2\n"
	    "?     rules of iptables-legacy were not looked at: only root may\n"
	    "      cure:  sudo vnetctl doctor\n"
	    "ok    7 checks (vnetctl doctor -v names them)\n");
	strbuf_fini(&out);
	doctor_render(&out, &report, true, false);
	assert_non_null(strstr(strbuf_str(&out), "ok    kernel 6.12.0 has what vnetd needs\n"));
	strbuf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_found_where_all_is_well),
	    cmocka_unit_test(a_vnetd_that_does_not_run_is_the_first_thing),
	    cmocka_unit_test(what_vnetd_says_is_passed_on),
	    cmocka_unit_test(bridge_nf_matters_where_somebody_drops),
	    cmocka_unit_test(bridge_nf_and_iptables_legacy),
	    cmocka_unit_test(forwarding_that_is_off),
	    cmocka_unit_test(rp_filter_with_two_ways_out),
	    cmocka_unit_test(rules_of_iptables_legacy),
	    cmocka_unit_test(no_resolver),
	    cmocka_unit_test(a_configuration_with_errors),
	    cmocka_unit_test(many_findings),
	    cmocka_unit_test(the_worst_comes_first_and_what_is_well_is_counted),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	doctor_report_fini(&report);
	return r;
}
