/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_client_test.c - requests to vnetd: rows, refusals, silence.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_vnetd.h"
#include "lib/mono.h"
#include "lib/util.h"
#include "vnetd/ctl_client.h"

static void
rows_are_gathered_by_type(void **state UNUSED)
{
	struct rows nets = ROWS_INIT(NET_ROW, net_row);
	struct rows warnings = ROWS_INIT(WARNING_ROW, warning_row);
	struct rows *want[] = {&nets, &warnings};
	struct msg request = msg_make(MSG_STATUS_GET, 0);
	const struct msg_net_row *n;
	struct client c;
	struct fake f;

	fake_start(&f, FAKE_ANSWERS);
	assert_int_equal(client_open(&c, f.dir), CTL_OK);
	assert_int_equal(client_gather(&c, &request, want, 2), CTL_OK);
	assert_int_equal(nets.n, 4);
	assert_int_equal(warnings.n, 2);
	n = nets.v;
	assert_int_equal(n[2].net, 8);
	assert_int_equal(n[2].mtu, 9000);
	/* The connection serves the next request too. */
	assert_int_equal(client_gather(&c, &request, want, 2), CTL_OK);
	assert_int_equal(nets.n, 8);
	rows_fini(&nets);
	rows_fini(&warnings);
	client_close(&c);
	fake_stop(&f);
}

static void
a_refusal_keeps_the_connection(void **state UNUSED)
{
	struct msg request = msg_make(MSG_NET_DELETE, 0);
	struct client c;
	struct fake f;

	fake_start(&f, FAKE_ANSWERS);
	assert_int_equal(client_open(&c, f.dir), CTL_OK);
	request.u.net_delete.net = 99;
	assert_int_equal(client_call(&c, &request, -1, 1000, NULL, NULL), CTL_FAILED);
	assert_int_equal(c.err, 2);
	assert_string_equal(strbuf_str(&c.why), "there is no network vmnet99");
	request.u.net_delete.net = 9;
	assert_int_equal(client_call(&c, &request, -1, 1000, NULL, NULL), CTL_OK);
	assert_int_equal(c.err, 0);
	client_close(&c);
	fake_stop(&f);
}

static void
silence_has_a_limit(void **state UNUSED)
{
	struct msg request = msg_make(MSG_STATUS_GET, 0);
	struct mono before = mono_now();
	struct client c;
	struct fake f;

	fake_start(&f, FAKE_SILENT);
	assert_int_equal(client_open(&c, f.dir), CTL_OK);
	assert_int_equal(client_call(&c, &request, -1, 100, NULL, NULL), CTL_NO_ANSWER);
	assert_true(mono_diff(mono_now(), before) >= 100);
	assert_non_null(strstr(strbuf_str(&c.why), "vnetd does not answer. Try: "));
	assert_false(client_pending(&c, 0));
	client_close(&c);
	fake_stop(&f);
}

static void
a_long_path_is_refused(void **state UNUSED)
{
	char dir[200];
	struct client c;

	memset(dir, 'x', sizeof(dir) - 1);
	dir[sizeof(dir) - 1] = '\0';
	assert_int_equal(client_open(&c, dir), CTL_USAGE);
	assert_non_null(strstr(strbuf_str(&c.why), "too long"));
	client_close(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_gathered_by_type),
	    cmocka_unit_test(a_refusal_keeps_the_connection),
	    cmocka_unit_test(silence_has_a_limit),
	    cmocka_unit_test(a_long_path_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
