/* SPDX-License-Identifier: GPL-2.0-or-later
 * vnetctl_test.c - vnetctl as a user runs it, against a stand-in for vnetd: output, exit codes, messages.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_vnetd.h"
#include "golden.h"
#include "lib/util.h"
#include "tool_run.h"

static struct fake vnetd;
static struct tool t;

#define CTL(...) TOOL(&t, "vnetctl", "--run-dir", vnetd.dir, __VA_ARGS__)

static void
says(int status, const char *out, const char *err)
{
	assert_string_equal(t.err, err);
	assert_string_equal(t.out, out);
	assert_int_equal(t.status, status);
}

static void
shows(const char *file)
{
	assert_string_equal(t.err, "");
	assert_int_equal(t.status, 0);
	golden(file, t.out);
}

static int
start(void **state UNUSED)
{
	fake_start(&vnetd, FAKE_ANSWERS);
	return 0;
}

static int
stop(void **state UNUSED)
{
	fake_stop(&vnetd);
	return 0;
}

static void
read_verbs_print_tables(void **state UNUSED)
{
	CTL("status");
	shows("status.txt");
	CTL("networks");
	shows("networks.txt");
	CTL("ports");
	shows("ports.txt");
	CTL("ports", "vmnet8");
	shows("ports.txt");
	CTL("forward", "list");
	shows("forwards.txt");
	CTL("connections", "vmnet8");
	shows("conns.txt");
	CTL("leases");
	shows("vnetctl-leases.txt");
	CTL("show", "vmnet8");
	shows("show-vmnet8.txt");
	CTL("libvirt", "vmnet8");
	shows("libvirt.txt");
}

static void
read_verbs_print_json(void **state UNUSED)
{
	CTL("networks", "--json");
	shows("networks.json");
	CTL("--run-dir", vnetd.dir, "ports", "--json");
	shows("ports.json");
	CTL("forward", "list", "vmnet8", "--json");
	shows("forwards.json");
	CTL("connections", "--json");
	shows("conns.json");
	CTL("status", "--json");
	assert_int_equal(t.status, 0);
	assert_non_null(strstr(t.out, "\"version\": \"0.1.0\""));
	CTL("leases", "vmnet1", "--json");
	assert_int_equal(t.status, 0);
	assert_non_null(strstr(t.out, "\"address\": \"192.168.83.128\""));
	assert_null(strstr(t.out, "172.16."));
}

static void
ip_prints_an_address_and_nothing_else(void **state UNUSED)
{
	CTL("ip", "WEB1");
	says(0, "172.16.206.128\n", "");
	CTL("ip", "web1.vmnet8");
	says(0, "172.16.206.128\n", "");
	CTL("ip", "52:54:00:12:34:56", "--net=vmnet8");
	says(0, "172.16.206.128\n", "");
	/* A reservation is an address, too; a lease that is over is none. */
	CTL("ip", "db");
	says(0, "172.16.204.50\n", "");
	CTL("ip", "00:0c:29:00:00:01");
	says(1, "",
	     "vnetctl: no guest \"00:0c:29:00:00:01\" has a lease. All of them: vnetctl leases\n");
	CTL("ip", "web1.vmnet1");
	says(1, "", "vnetctl: no guest \"web1.vmnet1\" has a lease. All of them: vnetctl leases\n");
	CTL("ip", "web1", "--json");
	assert_int_equal(t.status, 0);
	assert_non_null(strstr(t.out, "\"address\": \"172.16.206.128\""));
	CTL("ip");
	assert_int_equal(t.status, 2);
}

static void
forwards_are_changed(void **state UNUSED)
{
	CTL("forward", "add", "vmnet8", "tcp", "8080", "172.16.206.128", "80", "web1's nginx",
	    "--shadow");
	says(0,
	     "tcp 8080 -> 172.16.206.128:80 on vmnet8 (from outside, this host, 127.0.0.1 and "
	     "guests)\n",
	     "");
	CTL("forward", "remove", "vmnet8", "udp", "53");
	says(0, "udp 53 is no longer forwarded; its connections have ended\n", "");
	CTL("forward", "add", "vmnet8", "tcp", "22", "172.16.206.128", "22", "--shadow");
	assert_int_equal(t.status, 1);
	assert_non_null(strstr(t.err, "tcp port 22 is forwarded by vmnet1 already"));
}

static void
quiet_prints_nothing(void **state UNUSED)
{
	CTL("-q", "status");
	says(0, "", "");
	CTL("ports", "--quiet");
	says(0, "", "");
	CTL("-q", "delete", "vmnet99");
	says(1, "", "vnetctl: there is no network vmnet99\n");
}

static void
help_is_everywhere(void **state UNUSED)
{
	char text[sizeof(t.out)];

	CTL("help");
	assert_int_equal(t.status, 0);
	memcpy(text, t.out, sizeof(text));
	CTL("--help");
	says(0, text, "");
	CTL("help", "attach");
	shows("help-attach.txt");
	CTL("attach", "--help");
	shows("help-attach.txt");
	CTL("--version");
	assert_int_equal(strncmp(t.out, "vnetctl ", 8), 0);
	assert_int_equal(t.status, 0);
}

/* Calls check() for each verb that help lists; how many there are. */
static unsigned
each_verb(void (*check)(const char *verb))
{
	char list[sizeof(t.out)], *save = NULL, *line;
	const char *start;
	unsigned verbs = 0;

	CTL("help");
	start = strstr(t.out, "verbs:\n");
	assert_non_null(start);
	snprintf(list, sizeof(list), "%s", start + strlen("verbs:\n"));
	for (line = strtok_r(list, "\n", &save); line && strncmp(line, "  ", 2) == 0;
	     line = strtok_r(NULL, "\n", &save)) {
		char verb[32];

		assert_int_equal(sscanf(line, " %31s", verb), 1);
		if (verb[0] == '-')
			break;
		check(verb);
		verbs++;
	}
	return verbs;
}

static void
check_help(const char *verb)
{
	const char *example;

	CTL(verb, "--help");
	assert_int_equal(t.status, 0);
	assert_int_equal(strncmp(t.out, "usage: vnetctl ", 15), 0);
	example = strstr(t.out, "\nexample:\n");
	assert_non_null(example);
	assert_non_null(strstr(example, "vnetctl "));
	assert_non_null(strstr(example, verb));
}

static void
every_verb_has_help_with_an_example(void **state UNUSED)
{
	assert_int_equal(each_verb(check_help), 28);
}

static void
check_manual(const char *verb)
{
	char manual[65536], macro[64];
	FILE *f = fopen(MANUAL, "r");

	assert_non_null(f);
	manual[fread(manual, 1, sizeof(manual) - 1, f)] = '\0';
	fclose(f);
	snprintf(macro, sizeof(macro), ".It Cm %s", verb);
	if (strstr(manual, macro))
		return;
	snprintf(macro, sizeof(macro), "\n.Cm %s Ar network\n", verb);
	if (!strstr(manual, macro))
		fail_msg("the manual has no verb %s", verb);
}

static void
every_verb_is_in_the_manual(void **state UNUSED)
{
	assert_int_equal(each_verb(check_manual), 28);
}

static void
misuse_exits_2(void **state UNUSED)
{
	CTL("prots");
	says(2, "",
	     "vnetctl: unknown verb \"prots\", did you mean \"ports\"? "
	     "All verbs: vnetctl help\n");
	CTL("ports", "--jsn");
	assert_non_null(strstr(t.err, "unknown option \"--jsn\", did you mean \"--json\"?"));
	assert_int_equal(t.status, 2);
	CTL("show");
	assert_int_equal(t.status, 2);
	CTL("show", "vmnet8", "vmnet1");
	assert_non_null(strstr(t.err, "show takes no \"vmnet1\""));
	assert_int_equal(t.status, 2);
	CTL("show", "vmnet256");
	assert_non_null(strstr(t.err, "\"vmnet256\" is not a network"));
	assert_int_equal(t.status, 2);
	CTL("ports", "--", "x");
	assert_int_equal(t.status, 2);
	CTL("forward", "lost");
	assert_int_equal(t.status, 2);
	CTL("forward", "ad");
	assert_non_null(strstr(t.err, "did you mean \"add\"?"));
	CTL("forward", "add", "vmnet8", "tcp", "8080", "172.16.206.128");
	assert_non_null(strstr(t.err, "add needs a network, tcp or udp, a port"));
	assert_int_equal(t.status, 2);
	CTL("forward", "add", "vmnet8", "sctp", "8080", "172.16.206.128", "80");
	assert_non_null(strstr(t.err, "\"sctp\" is neither tcp nor udp"));
	assert_int_equal(t.status, 2);
	CTL("forward", "add", "vmnet8", "tcp", "0", "172.16.206.128", "80");
	assert_int_equal(t.status, 2);
	CTL("forward", "add", "vmnet8", "tcp", "8080", "web1", "80");
	assert_int_equal(t.status, 2);
	CTL("forward", "add", "vmnet8", "tcp", "8080", "172.16.206.128", "65536");
	assert_int_equal(t.status, 2);
	CTL("forward", "remove", "vmnet8", "tcp");
	assert_int_equal(t.status, 2);
	CTL("create", "vmnet2", "natt");
	assert_non_null(strstr(t.err, "did you mean \"nat\"?"));
	assert_int_equal(t.status, 2);
	CTL("create", "vmnet2", "10.0.0.1/24");
	assert_int_equal(t.status, 2);
	CTL("reserve", "vmnet8", "00:0c:29:11:22", "10.0.0.5");
	assert_non_null(strstr(t.err, "\"00:0c:29:11:22\" is not a MAC address such as"));
	assert_int_equal(t.status, 2);
	CTL("reserve", "vmnet8", "00:0c:29:11:22:33", "10.0.0.256");
	assert_non_null(strstr(t.err, "\"10.0.0.256\" is not an IPv4 address"));
	assert_int_equal(t.status, 2);
	CTL("unreserve", "vmnet8", "web");
	assert_int_equal(t.status, 2);
	CTL("set", "vmnet8", "mut", "9000");
	assert_non_null(strstr(t.err, "no key \"mut\", did you mean \"mtu\"?"));
	assert_int_equal(t.status, 2);
	CTL("--run-dir");
	assert_int_equal(t.status, 2);
	TOOL(&t, "vnetctl");
	assert_int_equal(t.status, 2);
}

static void
changes_print_the_new_fact(void **state UNUSED)
{
	CTL("create", "vmnet9", "nat", "172.16.9.0/24");
	says(0, "vmnet9 NAT 172.16.9.0/24\n", "");
	CTL("create", "vmnet9");
	says(0, "vmnet9 host-only\n", "");
	CTL("create", "vmnet9", "segment");
	says(0, "vmnet9 segment\n", "");
	CTL("delete", "vmnet9");
	says(0, "vmnet9 is deleted\n", "");
	CTL("set", "vmnet8", "mtu", "9000");
	says(0, "vmnet8: mtu is now 9000\n", "");
	CTL("detach", "web");
	says(0, "web is detached\n", "");
}

static void
one_port_by_each_of_its_names(void **state UNUSED)
{
	char text[sizeof(t.out)];

	CTL("port", "build");
	assert_string_equal(t.err, "");
	assert_int_equal(t.status, 0);
	memcpy(text, t.out, sizeof(text));
	assert_non_null(strstr(text, "promiscuous           granted for 59 min: an administrator"));
	assert_non_null(strstr(text, "asked                 1 h ago, by user"));
	CTL("port", "vmnet8p2");
	says(0, text, "");
	CTL("port", "00:50:56:3A:01:02");
	says(0, text, "");
	/* A request of another port on the network is not this one's. */
	CTL("port", "eth1");
	shows("port-any.txt");
	CTL("port", "eth1", "--json");
	assert_non_null(strstr(t.out, "\"request\": null"));
	assert_int_equal(t.status, 0);
	CTL("port", "vmnet8p1", "--json");
	assert_non_null(strstr(t.out, "\"policy\": \"sticky\""));
	assert_non_null(strstr(t.out, "\"state\": \"pending\""));
	CTL("port", "nobody");
	says(1, "", "vnetctl: there is no port \"nobody\". All ports: vnetctl ports\n");
	CTL("port", "52:54:00:00:00:99");
	assert_int_equal(t.status, 1);
}

static void
a_port_is_set(void **state UNUSED)
{
	CTL("port", "build", "set", "rate-out", "10M");
	says(0, "build: rate-out = 10M\n", "");
	CTL("port", "build", "set", "mac-policy", "");
	says(0, "build: mac-policy = default\n", "");
	CTL("port", "build", "set", "link", "down");
	says(0, "build: asked for link = down\n", "");
	CTL("-q", "port", "build", "set", "link", "down");
	says(0, "", "");
	CTL("port", "build", "set", "ra", "bad");
	says(1, "", "vnetd.conf: \"bad\" is no value of ra\nvnetctl: nothing is changed\n");
	CTL("port", "gone", "set", "ra", "allow");
	says(1, "", "vnetctl: there is no port \"gone\" (see vnetctl ports)\n");
	CTL("port", "forbidden", "set", "ra", "allow");
	says(1, "", "vnetctl: the port is not yours\n");
	CTL("port", "vmnet8p1", "unpin");
	says(0, "vmnet8p1: the next address that it uses is its own\n", "");
	CTL("port", "build", "unpin");
	says(1, "", "vnetctl: the address of build was given, not pinned\n");
}

static void
promiscuous_mode_is_listed(void **state UNUSED)
{
	CTL("promisc", "list");
	golden("promisc.txt", t.out);
	assert_non_null(strstr(t.err, "Allow once:  vnetctl promisc allow vmnet8p1 --for 1h\n"));
	assert_non_null(strstr(t.err, "sudo touch /etc/vnet/promiscAuthorized "));
	assert_int_equal(t.status, 0);
	CTL("promisc", "list", "vmnet1");
	assert_non_null(strstr(t.out, "lab "));
	assert_null(strstr(t.out, "vmnet8p1"));
	assert_string_equal(t.err, "");
	CTL("promisc", "list", "vmnet3");
	shows("promisc-empty.txt");
	CTL("-q", "promisc", "list");
	says(0, "", "");
	CTL("promisc", "list", "vmnet1", "--json");
	assert_non_null(strstr(t.out, "\"marker\": \"vmnet1/promiscAuthorized\""));
	assert_string_equal(t.err, "");
}

static void
promiscuous_mode_is_asked_for_and_answered(void **state UNUSED)
{
	static const char *const rows[][5] = {
	    {"request", "web", NULL, NULL, "pending: no promiscAuthorized marker"},
	    {"cancel", "web", NULL, NULL, "off"},
	    {"allow", "web", NULL, NULL, "granted: once"},
	    {"allow", "web", "--once", NULL, "granted: once"},
	    {"allow", "web", "--always", NULL, "granted: always"},
	    {"allow", "web", "--for", "90m", "granted for 1 h: for a time"},
	    {"allow", "web", "--for=2d", NULL, "granted for 2 days: for a time"},
	    {"deny", "web", NULL, NULL, "refused: denied"},
	    {"revoke", "web", NULL, NULL, "pending: revoked"},
	};
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CTL("promisc", rows[i][0], rows[i][1], rows[i][2], rows[i][3]);
		snprintf(text, sizeof(text), "web: promiscuous mode is %s\n", rows[i][4]);
		says(0, text, "");
	}
	CTL("promisc", "allow", "web", "--json");
	assert_non_null(strstr(t.out, "\"state\": \"granted\""));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CTL("promisc", rows[i][0], "gone");
		says(1, "", "vnetctl: there is no port \"gone\" (see vnetctl ports)\n");
	}
}

static void
ports_want_the_right_words(void **state UNUSED)
{
	static const struct {
		const char *argv[6], *sentence;
	} rows[] = {
	    {{"port"}, ""},
	    {{"port", "web", "sett", "link", "up"}, "did you mean \"set\"?"},
	    {{"port", "web", "set"}, "set needs a key and its value"},
	    {{"port", "web", "set", "link"}, "set needs a key and its value"},
	    {{"port", "web", "unpin", "x"}, "unpin takes no \"x\""},
	    {{"port", "web", "set", "rate-ot", "1M"}, "did you mean \"rate-out\"?"},
	    {{"port", "web", "set", "mtu", "1500"}, "a port has no key \"mtu\""},
	    {{"port", "--json", "web", "set", "link", "up"}, "--json is for looking at a port"},
	    {{"promisc"}, ""},
	    {{"promisc", "lis"}, "did you mean \"list\"?"},
	    {{"promisc", "list", "web"}, "\"web\" is not a network"},
	    {{"promisc", "allow"}, "allow needs a port"},
	    {{"promisc", "request"}, "request needs a port"},
	    {{"promisc", "deny", "web", "--for", "1h"}, "go with allow"},
	    {{"promisc", "allow", "web", "--once", "--always"}, "exclude each other"},
	    {{"promisc", "allow", "web", "--for", "1"}, "\"1\" is not a time"},
	    {{"promisc", "allow", "web", "--for", "366d"}, "at most a year"},
	};
	char name[80];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const *a = rows[i].argv;

		CTL(a[0], a[1], a[2], a[3], a[4], a[5]);
		if (t.status != 2 || !strstr(t.err, rows[i].sentence))
			fail_msg("row %zu: exit %d, \"%s\"", i, t.status, t.err);
		assert_string_equal(t.out, "");
	}
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	CTL("promisc", "allow", name);
	assert_non_null(strstr(t.err, "is too long for a port's name"));
	assert_int_equal(t.status, 2);
}

static void
refusals_exit_1(void **state UNUSED)
{
	CTL("delete", "vmnet99");
	says(1, "", "vnetctl: there is no network vmnet99\n");
	CTL("show", "vmnet99");
	says(1, "", "vnetctl: there is no network vmnet99. All networks: vnetctl networks\n");
	CTL("create", "vmnet66");
	says(1, "", "vnetctl: vnetd refused: Operation not permitted\n");
	CTL("reload");
	says(1, "",
	     "networking:14:22: not an IPv4 subnet: \"192.168.8.300\"\n"
	     "vnetctl: vmnet8 keeps its running configuration\n");
}

static void
events_are_lines(void **state UNUSED)
{
	CTL("events", "--json");
	assert_string_equal(t.out,
			    "{\"time\":\"2023-11-14T22:13:20.123Z\",\"event\":\"lease-leased\","
			    "\"network\":\"vmnet8\",\"port\":\"vmnet8p1\",\"text\":"
			    "\"172.16.206.128 to 52:54:00:12:34:56 (web1)\"}\n");
	assert_int_equal(t.status, 3);
	CTL("events");
	assert_non_null(strstr(t.out, "  vmnet8    lease-leased      172.16.206.128 to "));
	assert_non_null(strstr(t.err, "vnetd ended while it was asked"));
	assert_int_equal(t.status, 3);
}

static void
watched_leases_follow_the_table(void **state UNUSED)
{
	CTL("leases", "--watch");
	assert_int_equal(t.status, 3); /* the stand-in ends */
	golden("vnetctl-leases-watch.txt", t.out);
}

static void
counters_of_dhcp(void **state UNUSED)
{
	CTL("leases", "--stats");
	assert_int_equal(t.status, 0);
	golden("vnetctl-leases-stats.txt", t.out);
	CTL("leases", "--stats", "--json");
	assert_int_equal(t.status, 0);
	golden("vnetctl-leases-stats.json", t.out);
	CTL("leases", "vmnet1", "--stats");
	says(0, "NETWORK  WHAT  NAME  COUNT  REASON\n", "");
	CTL("leases", "--stats", "--watch");
	assert_int_equal(t.status, 2);
	assert_non_null(strstr(t.err, "--stats and --watch exclude each other"));
}

static void
servers_and_counters_of_dns(void **state UNUSED)
{
	CTL("dns");
	assert_int_equal(t.status, 0);
	golden("vnetctl-dns.txt", t.out);
	CTL("dns", "--json");
	assert_int_equal(t.status, 0);
	golden("vnetctl-dns.json", t.out);
	CTL("dns", "vmnet9");
	says(0,
	     "NETWORK  SERVER      SOURCE  STATE    FAILED  NOTE\n"
	     "vmnet9   127.0.0.53  host    untried  -       -\n\n"
	     "NETWORK  WHAT  NAME  COUNT  MEANING\n",
	     "");
	CTL("dns", "eth0");
	assert_int_equal(t.status, 2);
}

static void
watched_leases_as_json_are_lines(void **state UNUSED)
{
	unsigned lines = 0;

	CTL("leases", "--watch", "--json");
	for (const char *p = t.out; *p; p = strchr(p, '\n') + 1) {
		assert_int_equal(*p, '{');
		lines++;
	}
	assert_int_equal(lines, 4 + 2);
	assert_non_null(strstr(t.out, "\"name\":\"renamed\""));
}

static void
a_command_gets_its_taps(void **state UNUSED)
{
	/* `ls` itself has the folder open as one more descriptor, the lowest free one. */
	CTL("attach", "vmnet8", "--", "sh", "-c",
	    "echo $VNET_TAP_FD $VNET_TAP_FDS; cat <&3; ls /proc/self/fd | wc -l");
	says(0, "3 3\ntap 0 vnet_hdr\n5\n", "");
	CTL("attach", "vmnet8", "--queues", "3", "--fd=10", "--", "bash", "-c",
	    "echo $VNET_TAP_FD $VNET_TAP_FDS; cat <&10; cat <&11; cat <&12; "
	    "ls /proc/self/fd | wc -l");
	says(0, "10 10:11:12\ntap 0 vnet_hdr\ntap 1 vnet_hdr\ntap 2 vnet_hdr\n7\n", "");
	CTL("attach", "vmnet8", "--fd", "6", "--queues", "16", "--", "bash", "-c", "cat <&21");
	says(0, "tap 15 vnet_hdr\n", "");
	CTL("attach", "vmnet8", "--promisc", "--", "cat", "/proc/self/fd/3");
	says(0, "tap 0 vnet_hdr promisc\n", "");
	CTL("attach", "vmnet8", "--", "sh", "-c", "exit 42");
	says(42, "", "");
}

static void
a_command_that_is_none(void **state UNUSED)
{
	CTL("attach", "vmnet8", "--", "/no/such/program");
	says(127, "", "vnetctl: cannot run \"/no/such/program\": No such file or directory\n");
	CTL("attach", "vmnet8", "--", "/etc/passwd");
	says(126, "", "vnetctl: cannot run \"/etc/passwd\": Permission denied\n");
	CTL("attach", "vmnet66", "--", "true");
	says(1, "", "vnetctl: you may not attach to vmnet66\n");
}

static void
attach_wants_the_right_words(void **state UNUSED)
{
	static const char *const wrong[][6] = {
	    {"vmnet8"},
	    {"vmnet8", "--"},
	    {"vmnet8", "--netns", "x", "--", "true"},
	    {"vmnet8", "--netns", "x", "--queues=2"},
	    {"vmnet8", "--ifname", "eth0", "--", "true"},
	    {"vmnet8", "--queues", "0", "--", "true"},
	    {"vmnet8", "--queues", "17", "--", "true"},
	    {"vmnet8", "--fd", "2", "--", "true"},
	    {"vmnet8", "--mac=01:00:5e:00:00:01", "--", "true"},
	    {"vmnet8", "--netns", "x", "--ifname", "a/b"},
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		CTL("attach", wrong[i][0], wrong[i][1], wrong[i][2], wrong[i][3], wrong[i][4],
		    wrong[i][5]);
		if (t.status != 2)
			fail_msg("row %zu: exit %d, \"%s\"", i, t.status, t.err);
		assert_string_equal(t.out, "");
	}
}

static void
a_taken_descriptor_is_not_overwritten(void **state UNUSED)
{
	const char *const argv[] = {"vnetctl", "--run-dir", vnetd.dir, "attach", "vmnet8",
				    "--fd",    "57",        "--",      "true",   NULL};
	int fd = dup2(STDIN_FILENO, 57);

	assert_int_equal(fd, 57);
	tool_run(&t, argv, &(struct tool_how){.inherit = fd});
	close(fd);
	says(2, "",
	     "vnetctl: descriptor 57 is open already. Choose another one, such as --fd 67\n");
}

static void
a_namespace_must_be_one(void **state UNUSED)
{
	CTL("attach", "vmnet8", "--netns", "no-such-namespace");
	says(1, "",
	     "vnetctl: cannot open the network namespace \"/run/netns/no-such-namespace\": No such "
	     "file or directory. Names: ip netns list. Or give a path or a process id\n");
	CTL("attach", "vmnet8", "--netns", "/dev/null");
	says(1, "", "vnetctl: \"/dev/null\" is not a network namespace\n");
	CTL("attach", "vmnet8", "--netns", "/proc/self/ns/uts");
	says(1, "", "vnetctl: \"/proc/self/ns/uts\" is not a network namespace\n");
}

static void
colour_is_for_terminals_that_want_it(void **state UNUSED)
{
	const char *const argv[] = {"vnetctl", "--run-dir", vnetd.dir, "status", NULL};

	tool_run(&t, argv, &(struct tool_how){.terminal = true});
	assert_non_null(strstr(t.out, "\033[31mfailed"));
	tool_run(&t, argv, &(struct tool_how){.terminal = true, .no_color = "1"});
	assert_null(strchr(t.out, '\033'));
	tool_run(&t, argv, &(struct tool_how){.terminal = true, .no_color = ""});
	assert_non_null(strchr(t.out, '\033'));
	tool_run(&t, argv, &(struct tool_how){.terminal = false});
	assert_null(strchr(t.out, '\033'));
}

static void
without_vnetd_exit_3_says_what_to_do(void **state UNUSED)
{
	static const char *const verbs[] = {"status", "networks", "ports",
					    "leases", "events",   "reload"};
	static const char *const port_verbs[][2] = {
	    {"port", "web"}, {"promisc", "list"}, {"watch", "--qmp=x"}};
	struct fake nobody;

	fake_absent(&nobody);
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		TOOL(&t, "vnetctl", "--run-dir", nobody.dir, verbs[i]);
		assert_int_equal(t.status, 3);
		assert_string_equal(t.out, "");
		assert_non_null(strstr(t.err, "vnetd does not run"));
		assert_non_null(strstr(t.err, "Try: sudo systemctl start vnetd"));
	}
	for (size_t i = 0; i < ARRAY_LEN(port_verbs); i++) {
		TOOL(&t, "vnetctl", "--run-dir", nobody.dir, port_verbs[i][0], port_verbs[i][1],
		     i == 2 ? "--port=web" : NULL);
		assert_int_equal(t.status, 3);
		assert_non_null(strstr(t.err, "Try: sudo systemctl start vnetd"));
	}
	TOOL(&t, "vnetctl", "--run-dir", nobody.dir, "libvirt", "vmnet8");
	assert_int_equal(t.status, 0);
	fake_stop(&nobody);
}

static void
a_vnetd_that_breaks_off_is_exit_3(void **state UNUSED)
{
	struct fake odd;

	fake_start(&odd, FAKE_HANGS_UP);
	TOOL(&t, "vnetctl", "--run-dir", odd.dir, "status");
	assert_int_equal(t.status, 3);
	assert_non_null(strstr(t.err, "vnetd ended while it was asked"));
	fake_stop(&odd);
	fake_start(&odd, FAKE_BABBLES);
	TOOL(&t, "vnetctl", "--run-dir", odd.dir, "status");
	assert_int_equal(t.status, 3);
	assert_non_null(strstr(t.err, "another version of the protocol"));
	fake_stop(&odd);
}

static void
outsiders_learn_about_the_group(void **state UNUSED)
{
	const char *const argv[] = {"vnetctl", "--run-dir", vnetd.dir, "status", NULL};
	char path[128];

	snprintf(path, sizeof(path), "%s/vnetd.sock", vnetd.dir);
	assert_int_equal(chmod(path, 0), 0);
	tool_run(&t, argv, &(struct tool_how){.nobody = true});
	chmod(path, 0600);
	assert_int_equal(t.status, 1);
	assert_non_null(strstr(t.err, "it is for root and members of group vnet"));
	assert_non_null(strstr(t.err, "newgrp vnet"));
}

static void
a_full_disk_is_a_failure(void **state UNUSED)
{
	const char *const argv[] = {
	    "vnetctl", "--run-dir", vnetd.dir,
	    "attach",  "vmnet8",    "--",
	    "sh",      "-c",        "exec >/dev/full; exec \"$TOOLS_DIR/vnetctl\" help",
	    NULL};

	tool_run(&t, argv, &(struct tool_how){0});
	assert_non_null(strstr(t.err, "cannot write to standard output: No space left"));
	assert_int_equal(t.status, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(read_verbs_print_tables),
	    cmocka_unit_test(read_verbs_print_json),
	    cmocka_unit_test(ip_prints_an_address_and_nothing_else),
	    cmocka_unit_test(forwards_are_changed),
	    cmocka_unit_test(quiet_prints_nothing),
	    cmocka_unit_test(help_is_everywhere),
	    cmocka_unit_test(every_verb_has_help_with_an_example),
	    cmocka_unit_test(every_verb_is_in_the_manual),
	    cmocka_unit_test(misuse_exits_2),
	    cmocka_unit_test(changes_print_the_new_fact),
	    cmocka_unit_test(one_port_by_each_of_its_names),
	    cmocka_unit_test(a_port_is_set),
	    cmocka_unit_test(promiscuous_mode_is_listed),
	    cmocka_unit_test(promiscuous_mode_is_asked_for_and_answered),
	    cmocka_unit_test(ports_want_the_right_words),
	    cmocka_unit_test(refusals_exit_1),
	    cmocka_unit_test(events_are_lines),
	    cmocka_unit_test(watched_leases_follow_the_table),
	    cmocka_unit_test(watched_leases_as_json_are_lines),
	    cmocka_unit_test(counters_of_dhcp),
	    cmocka_unit_test(servers_and_counters_of_dns),
	    cmocka_unit_test(a_command_gets_its_taps),
	    cmocka_unit_test(a_command_that_is_none),
	    cmocka_unit_test(attach_wants_the_right_words),
	    cmocka_unit_test(a_taken_descriptor_is_not_overwritten),
	    cmocka_unit_test(a_namespace_must_be_one),
	    cmocka_unit_test(colour_is_for_terminals_that_want_it),
	    cmocka_unit_test(without_vnetd_exit_3_says_what_to_do),
	    cmocka_unit_test(a_vnetd_that_breaks_off_is_exit_3),
	    cmocka_unit_test(outsiders_learn_about_the_group),
	    cmocka_unit_test(a_full_disk_is_a_failure),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
