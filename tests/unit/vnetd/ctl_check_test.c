/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_check_test.c - the closing line of `vnetctl check`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/diag.h"
#include "lib/strbuf.h"
#include "lib/util.h"
#include "vnetd/ctl_check.h"

#define NET(n, third)                                                                              \
	"answer VNET_" #n "_HOSTONLY_NETMASK 255.255.255.0\n"                                      \
	"answer VNET_" #n "_HOSTONLY_SUBNET 10.9." #third ".0\n"                                   \
	"answer VNET_" #n "_VIRTUAL_ADAPTER yes\n"

/* networking, vnetd.conf (NULL: there is none), what runs -> the line. */
static void
check(const char *networking, const char *vnetd, const struct check_running *running,
      const char *want)
{
	static struct conf_sources src;
	struct strbuf out;
	struct conf *conf;
	struct diags d;

	memset(&src, 0, sizeof(src));
	if (networking)
		src.networking = (struct conf_file){networking, strlen(networking)};
	if (vnetd)
		src.vnetd = (struct conf_file){vnetd, strlen(vnetd)};
	diags_init(&d);
	conf = conf_build(&src, &d);
	assert_non_null(conf);
	strbuf_init(&out);
	check_summary(&out, conf, &d, running);
	assert_string_equal(strbuf_str(&out), want);
	strbuf_fini(&out);
	conf_free(conf);
	diags_fini(&d);
}

static void
all_is_well(void **state UNUSED)
{
	const struct check_running nothing = {0};

	check("VERSION=1,0\n" NET(1, 1), NULL, &nothing, "no errors. vmnet0, vmnet1 are fine.\n");
	check(NULL, NULL, &nothing,
	      "no errors. There is no file \"networking\" yet: vnetd makes one when it starts.\n");
	check("VERSION=1,0\n" NET(1, 1) "what is this\n", NULL, &nothing,
	      "1 warning. vmnet0, vmnet1 are fine.\n");
}

static void
errors_say_what_they_mean(void **state UNUSED)
{
	static const char bad[] = "VERSION=1,0\n" NET(1, 1) NET(8, 300);
	struct check_running running = {.vnetd = true};

	check(bad, NULL, &running,
	      "1 error. vmnet8 would not start; vmnet0, vmnet1 are not affected.\n");
	running.net[0] = running.net[1] = running.net[8] = true;
	check(
	    bad, NULL, &running,
	    "1 error. vmnet8 keeps its running configuration; vmnet0, vmnet1 are not affected.\n");
}

static void
errors_that_concern_everything(void **state UNUSED)
{
	struct check_running running = {.vnetd = true};

	check("VERSION=9,9\n", NULL, &running,
	      "1 error. All networks keep their running configuration.\n");
	running.vnetd = false;
	check("VERSION=1,0\n" NET(1, 1), "[global]\nno-such-key = 1\n", &running,
	      "1 error. vnetd would not start.\n");
}

static void
many_networks_are_counted(void **state UNUSED)
{
	const struct check_running nothing = {0};

	check("VERSION=1,0\n" NET(1, 1) NET(2, 2) NET(3, 3) NET(4, 4) NET(5, 5) NET(6, 6) NET(7, 7)
		  NET(8, 8) NET(9, 400),
	      NULL, &nothing, "1 error. vmnet9 would not start; 9 networks are not affected.\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_is_well),
	    cmocka_unit_test(errors_say_what_they_mean),
	    cmocka_unit_test(errors_that_concern_everything),
	    cmocka_unit_test(many_networks_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
