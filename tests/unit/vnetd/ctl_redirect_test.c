/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_redirect_test.c - what `vnetctl redirect` prints.
 */
#include "tests/unit/vnetd/golden.h"

#include <string.h>

#include "lib/strbuf.h"
#include "lib/util.h"
#include "vnetd/ctl_redirect_text.h"

static const struct msg_redirect_row rows[] = {
    {.name = "web",
     .listen = "[::]:80",
     .target = "web1:8080",
     .resolved = "192.168.8.128",
     .state = REDIRECT_STATE_OK,
     .source = "redirect.d/web:1",
     .accepted = 120,
     .live = 3,
     .connecting = 1,
     .bytes_in = 123456789012,
     .bytes_out = 42,
     .refused_address = 10,
     .refused_cps = 2,
     .no_target = 4},
    {.name = "old ssh\x1b",
     .listen = "10.0.0.5:22",
     .target = "[2001:db8::1]:22",
     .state = REDIRECT_STATE_FAILED,
     .text = "TCP port 22 of that address is taken. Find the program by: ss -ltnp 'sport = :22'",
     .source = "redirect.d/ssh:7"},
    {.name = "trap",
     .listen = "0.0.0.0:23",
     .target = "nobody",
     .state = REDIRECT_STATE_WAITING,
     .text = "its target has no address so far",
     .source = "redirect.d/trap:1",
     .refused_instances = 1,
     .refused_load = 1,
     .refused_time = 1,
     .refused_per_source = 1},
    {.name = "gone",
     .state = REDIRECT_STATE_REMOVED,
     .accepted = 9,
     .live = 1,
     .bytes_in = 7,
     .bytes_out = 8},
};

static const struct msg_redirect_conn conns[] = {
    {.conn = 17,
     .client = {16, {[10] = 0xff, [11] = 0xff, 192, 168, 8, 20}},
     .client_port = 40000,
     .target = {16, {[10] = 0xff, [11] = 0xff, 192, 168, 8, 128}},
     .target_port = 8080,
     .bytes_in = 5,
     .bytes_out = 6,
     .age_ms = 65000,
     .idle_ms = 999},
    {.conn = 18,
     .client = {16, {[0] = 0x20, 1, 0xd, 0xb8, [15] = 7}},
     .client_port = 40001,
     .target = {16, {0}},
     .connecting = true},
};

static void
check(const char *name, struct strbuf *b)
{
	assert_false(b->bad);
	golden(name, strbuf_str(b));
	strbuf_fini(b);
}

static void
check_json(const char *name, json_t *v)
{
	char *text = json_dumps(v, JSON_INDENT(2) | JSON_PRESERVE_ORDER);

	assert_non_null(text);
	golden(name, text);
	free(text);
	json_decref(v);
}

static void
tables(void **state UNUSED)
{
	struct strbuf b;

	strbuf_init(&b);
	redirect_render_list(&b, rows, ARRAY_LEN(rows), false);
	check("redirects.txt", &b);
	redirect_render_list(&b, rows, ARRAY_LEN(rows), true);
	check("redirects-colour.txt", &b);
	redirect_render_list(&b, NULL, 0, false);
	check("redirects-empty.txt", &b);
	redirect_render_show(&b, &rows[0], conns, ARRAY_LEN(conns), false);
	check("redirect-show.txt", &b);
	redirect_render_show(&b, &rows[1], NULL, 0, false);
	check("redirect-show-failed.txt", &b);
	redirect_render_show(&b, &rows[3], conns, 1, false);
	check("redirect-show-removed.txt", &b);
}

static void
json(void **state UNUSED)
{
	check_json("redirects.json", redirect_json_list(rows, ARRAY_LEN(rows)));
	check_json("redirects-empty.json", redirect_json_list(NULL, 0));
	check_json("redirect-show.json", redirect_json_show(&rows[0], conns, ARRAY_LEN(conns)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables),
	    cmocka_unit_test(json),
	};

	return cmocka_run_group_tests_name("ctl_redirect", tests, NULL, NULL);
}
