/* SPDX-License-Identifier: GPL-2.0-or-later
 * networks_test.c - vnet-networks without a real vnetd: its lines, its files, its refusals.
 *
 * What writes files needs root; run by somebody else, these tests look at the refusal instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_vnetd.h"
#include "lib/util.h"
#include "tool_run.h"

static struct tool t;
static char folder[64], config[80];

#define NETWORKS(run_dir, ...)                                                                     \
	TOOL(&t, "vnet-networks", "--config-dir", config, "--run-dir", run_dir, __VA_ARGS__)

static int
make_folder(void **state UNUSED)
{
	snprintf(folder, sizeof(folder), "/tmp/networks-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(config, sizeof(config), "%s/etc", folder);
	return 0;
}

static int
remove_folder(void **state UNUSED)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

static void
write_file(const char *name, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* The text of a file below the test's folder, "" when there is none. */
static const char *
read_file(const char *name)
{
	static char text[65536];
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	text[f ? fread(text, 1, sizeof(text) - 1, f) : 0] = '\0';
	if (f)
		fclose(f);
	return text;
}

/* True when the tool ran as root; otherwise it has refused, in these words. */
static bool
as_root(const char *verb)
{
	char refusal[128];

	if (geteuid() == 0)
		return true;
	snprintf(refusal, sizeof(refusal),
		 "vnet-networks: this needs root. Try: sudo vnet-networks --%s\n", verb);
	assert_string_equal(t.err, refusal);
	assert_int_equal(t.status, 1);
	return false;
}

static const char usual_networking[] = "VERSION=1,0\n"
				       "answer VNET_1_DHCP yes\n"
				       "answer VNET_1_HOSTONLY_NETMASK 255.255.255.0\n"
				       "answer VNET_1_HOSTONLY_SUBNET 10.99.1.0\n"
				       "answer VNET_1_VIRTUAL_ADAPTER yes\n"
				       "answer VNET_8_DHCP yes\n"
				       "answer VNET_8_HOSTONLY_NETMASK 255.255.255.0\n"
				       "answer VNET_8_HOSTONLY_SUBNET 10.99.8.0\n"
				       "answer VNET_8_NAT yes\n"
				       "answer VNET_8_VIRTUAL_ADAPTER yes\n";

static void
status_of_what_runs(void **state UNUSED)
{
	struct fake vnetd;

	fake_start(&vnetd, FAKE_ANSWERS);
	NETWORKS(vnetd.dir, "--status");
	fake_stop(&vnetd);
	assert_string_equal(t.err, "");
	assert_string_equal(t.out, "Bridge networking on vmnet0 is running\n"
				   "DHCP service on vmnet1 is running\n"
				   "Hostonly virtual adapter on vmnet1 is enabled\n"
				   "DHCP service on vmnet8 is running\n"
				   "NAT service on vmnet8 is running\n"
				   "Hostonly virtual adapter on vmnet8 is enabled\n"
				   "All the services configured on all the networks are running\n");
	assert_int_equal(t.status, 0);
}

static void
status_of_what_should_run(void **state UNUSED)
{
	assert_int_equal(mkdir(config, 0755), 0);
	write_file("etc/networking", usual_networking);
	NETWORKS(folder, "--status");
	assert_non_null(strstr(t.err, "vnetd does not run"));
	assert_string_equal(t.out, "Bridge networking on vmnet0 is not running\n"
				   "DHCP service on vmnet1 is not running\n"
				   "Hostonly virtual adapter on vmnet1 is disabled\n"
				   "DHCP service on vmnet8 is not running\n"
				   "NAT service on vmnet8 is not running\n"
				   "Hostonly virtual adapter on vmnet8 is disabled\n"
				   "Some/All of the configured services are not running\n");
	assert_int_equal(t.status, 1);
}

static void
postinstall_writes_once(void **state UNUSED)
{
	char first[4096];

	NETWORKS(folder, "--postinstall", "vmware-player,0,1");
	if (!as_root("postinstall"))
		return;
	assert_string_equal(t.err, "");
	assert_string_equal(t.out, "");
	assert_int_equal(t.status, 0);
	snprintf(first, sizeof(first), "%s", read_file("etc/networking"));
	assert_int_equal(strncmp(first, "VERSION=1,0\n", 12), 0);
	assert_non_null(strstr(first, "answer VNET_8_NAT yes\n"));
	assert_non_null(strstr(read_file("etc/vmnet8/dhcpd/dhcpd.conf"), "host vmnet8 {"));
	assert_non_null(strstr(read_file("etc/vmnet8/nat/nat.conf"), "[incomingtcp]"));
	assert_non_null(strstr(read_file("etc/netmap.conf"), "vmnet8"));
	NETWORKS(folder, "--postinstall=vmware-player,0,1");
	assert_int_equal(t.status, 0);
	assert_string_equal(read_file("etc/networking"), first);
	NETWORKS(folder, "--postinstall", "vmware-player");
	assert_int_equal(t.status, 1);
}

static void
migration_takes_settings_over(void **state UNUSED)
{
	write_file("settings", usual_networking);
	char settings[128];

	snprintf(settings, sizeof(settings), "%s/settings", folder);
	NETWORKS(folder, "--migrate-network-settings", settings);
	if (!as_root("migrate-network-settings"))
		return;
	assert_string_equal(t.err, "");
	assert_int_equal(t.status, 0);
	assert_string_equal(read_file("etc/networking"), usual_networking);
	assert_non_null(strstr(read_file("etc/vmnet8/dhcpd/dhcpd.conf"), "subnet 10.99.8.0"));
	assert_string_equal(read_file("settings"), usual_networking);

	write_file("settings", "no settings at all\n");
	NETWORKS(folder, "--migrate-network-settings", settings);
	assert_non_null(strstr(t.err, "nothing was changed"));
	assert_int_equal(t.status, 1);
	assert_string_equal(read_file("etc/networking"), usual_networking);

	write_file("settings", "");
	NETWORKS(folder, "--migrate-network-settings", settings);
	assert_int_equal(t.status, 0);
	assert_null(strstr(read_file("etc/networking"), "10.99."));
	assert_non_null(strstr(read_file("etc/networking"), "answer VNET_1_DHCP yes\n"));

	NETWORKS(folder, "--migrate-network-settings", "/nonexistent");
	assert_int_equal(t.status, 1);
}

static void
nothing_leads_out_of_the_folder(void **state UNUSED)
{
	char victim[128], link[160], settings[128];

	/* The folder belongs to an unprivileged user, who could have put this there. */
	assert_int_equal(mkdir(config, 0755), 0);
	snprintf(victim, sizeof(victim), "%s/victim", folder);
	assert_int_equal(mkdir(victim, 0755), 0);
	snprintf(link, sizeof(link), "%s/vmnet8", config);
	assert_int_equal(symlink(victim, link), 0);
	write_file("settings", usual_networking);
	snprintf(settings, sizeof(settings), "%s/settings", folder);
	NETWORKS(folder, "--migrate-network-settings", settings);
	if (!as_root("migrate-network-settings"))
		return;
	assert_int_equal(t.status, 1);
	assert_int_equal(rmdir(victim), 0); /* still empty */
}

static void
migration_waits_for_the_end_of_vnetd(void **state UNUSED)
{
	struct fake vnetd;

	fake_start(&vnetd, FAKE_ANSWERS);
	write_file("settings", usual_networking);
	NETWORKS(vnetd.dir, "--migrate-network-settings", "/dev/null");
	fake_stop(&vnetd);
	if (!as_root("migrate-network-settings"))
		return;
	assert_string_equal(t.err, "vnet-networks: vnetd runs. First: vnet-networks --stop\n");
	assert_int_equal(t.status, 1);
	assert_string_equal(read_file("etc/networking"), "");
}

static void
only_root_starts(void **state UNUSED)
{
	const char *const argv[] = {"vnet-networks", "--start", NULL};

	tool_run(&t, argv, &(struct tool_how){.nobody = true});
	assert_string_equal(t.err,
			    "vnet-networks: this needs root. Try: sudo vnet-networks --start\n");
	assert_string_equal(t.out, "");
	assert_int_equal(t.status, 1);
}

static void
exactly_one_verb(void **state UNUSED)
{
	TOOL(&t, "vnet-networks");
	assert_int_equal(t.status, 2);
	TOOL(&t, "vnet-networks", "--start", "--stop");
	assert_int_equal(t.status, 2);
	TOOL(&t, "vnet-networks", "start");
	assert_int_equal(t.status, 2);
	TOOL(&t, "vnet-networks", "--strat");
	assert_non_null(strstr(t.err, "did you mean \"--start\"?"));
	assert_int_equal(t.status, 2);
	TOOL(&t, "vnet-networks", "--help");
	assert_non_null(strstr(t.out, "--migrate-network-settings FILE"));
	assert_int_equal(t.status, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(status_of_what_runs),
	    CASE(status_of_what_should_run),
	    CASE(postinstall_writes_once),
	    CASE(migration_takes_settings_over),
	    CASE(nothing_leads_out_of_the_folder),
	    CASE(migration_waits_for_the_end_of_vnetd),
	    cmocka_unit_test(only_root_starts),
	    cmocka_unit_test(exactly_one_verb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
