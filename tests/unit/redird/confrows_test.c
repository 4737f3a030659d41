/* SPDX-License-Identifier: GPL-2.0-or-later
 * confrows_test.c - rows from the engine become services, or none at all.
 */
#include "../lib/t.h"

#include "redird/confrows.h"

static void
begin(struct confrows *c, uint32_t generation)
{
	struct msg m = msg_make(MSG_CONF_BEGIN, 0);

	m.u.conf_begin.generation = generation;
	assert_true(confrows_add(c, &m));
}

static struct msg
service(const char *name, uint32_t listener)
{
	struct msg m = msg_make(MSG_REDIRECT_SERVICE, 0);

	MSG_SET_STR(m.u.redirect_service.name, name);
	m.u.redirect_service.listener = listener;
	m.u.redirect_service.instances = 5;
	m.u.redirect_service.per_source = UINT32_MAX;
	m.u.redirect_service.deny_min = (uint32_t)ACCESS_DENY_FOREVER;
	return m;
}

static struct msg
target(uint16_t port)
{
	struct msg m = msg_make(MSG_REDIRECT_TARGET, 0);

	m.u.redirect_target.addr.len = 16;
	m.u.redirect_target.addr.b[15] = 1;
	m.u.redirect_target.port = port;
	return m;
}

static struct msg
rules(bool no_access, unsigned n)
{
	struct msg m = msg_make(MSG_REDIRECT_RULES, 0);

	m.u.redirect_rules.no_access = no_access;
	m.u.redirect_rules.rules.len = (uint16_t)(17 * n);
	for (unsigned i = 0; i < n; i++) {
		m.u.redirect_rules.rules.b[17 * i] = (uint8_t)(i + 1);
		m.u.redirect_rules.rules.b[17 * i + 16] = 128;
	}
	return m;
}

static struct msg
banner(enum redirect_banner which, const char *text)
{
	struct msg m = msg_make(MSG_REDIRECT_BANNER, 0);

	m.u.redirect_banner.which = (uint8_t)which;
	m.u.redirect_banner.text.len = (uint16_t)strlen(text);
	memcpy(m.u.redirect_banner.text.b, text, strlen(text));
	return m;
}

static struct msg
log_row(uint32_t number, uint8_t pri, uint64_t soft, uint64_t hard)
{
	struct msg m = msg_make(MSG_REDIRECT_LOG, 0);

	m.u.redirect_log =
	    (struct msg_redirect_log){.log = number, .pri = pri, .soft = soft, .hard = hard};
	return m;
}

static void
add(struct confrows *c, struct msg m)
{
	assert_true(confrows_add(c, &m));
}

static void
refused(struct confrows *c, struct msg m)
{
	assert_false(confrows_add(c, &m));
}

static void
rows_belong_to_the_service_before_them(void **state UNUSED)
{
	struct confrows c;
	struct msg m = msg_make(MSG_REDIRECT_TIME, 0);

	confrows_init(&c);
	begin(&c, 7);
	add(&c, service("ssh", 3));
	add(&c, target(22));
	add(&c, target(23));
	add(&c, rules(false, 2));
	add(&c, rules(false, 1));
	add(&c, rules(true, 1));
	m.u.redirect_time.from = 60;
	m.u.redirect_time.to = 1440;
	add(&c, m);
	add(&c, banner(REDIRECT_BANNER_FAIL, "go "));
	add(&c, banner(REDIRECT_BANNER_FAIL, "away"));
	m = service("web", 4);
	m.u.redirect_service.waits = true;
	add(&c, m);
	add(&c, target(80));
	assert_true(confrows_commit(&c, 7));
	assert_int_equal(c.n, 2);
	assert_string_equal(c.v[0].s.name, "ssh");
	assert_int_equal(c.v[0].listener, 3);
	assert_int_equal(c.v[0].s.n_targets, 2);
	assert_int_equal(c.v[0].s.targets[1].port, 23);
	assert_int_equal(c.v[0].s.access.instances, 5);
	assert_int_equal(c.v[0].s.access.deny_min, ACCESS_DENY_FOREVER);
	assert_int_equal(c.v[0].s.access.n_only_from, 3);
	assert_int_equal(c.v[0].s.access.only_from[2].addr.b[0], 1);
	assert_int_equal(c.v[0].s.access.only_from[1].addr.b[0], 2);
	assert_int_equal(c.v[0].s.access.n_no_access, 1);
	assert_int_equal(c.v[0].s.access.times[0].to_min, 1440);
	assert_int_equal(c.v[0].s.banner_fail.len, 7);
	assert_memory_equal(c.v[0].s.banner_fail.s, "go away", 7);
	assert_int_equal(c.v[0].s.banner.len, 0);
	assert_false(c.v[0].waits);
	assert_true(c.v[1].waits);
	assert_int_equal(c.v[1].s.n_targets, 1);
	assert_int_equal(c.v[1].s.access.n_only_from, 0);
	confrows_fini(&c);
}

static void
what_cannot_be_is_refused(void **state UNUSED)
{
	struct confrows c;
	struct msg m;

	confrows_init(&c);
	refused(&c, service("ssh", 1)); /* before CONF_BEGIN */
	begin(&c, 1);
	refused(&c, target(22)); /* of no service */
	refused(&c, service("", 1));
	refused(&c, service("ssh", 0));
	add(&c, service("ssh", 1));
	refused(&c, service("ssh", 2));
	refused(&c, target(0));
	m = target(22);
	m.u.redirect_target.addr.len = 4;
	refused(&c, m);
	for (unsigned i = 0; i < REDIRD_TARGETS_MAX; i++)
		add(&c, target(22));
	refused(&c, target(22));
	m = rules(false, 1);
	m.u.redirect_rules.rules.b[16] = 129;
	refused(&c, m);
	m = rules(true, 2);
	m.u.redirect_rules.rules.len--;
	refused(&c, m);
	refused(&c, banner(REDIRECT_BANNER_N, "x"));
	m = banner(REDIRECT_BANNER_ALWAYS, "");
	m.u.redirect_banner.text.len = sizeof(m.u.redirect_banner.text.b);
	add(&c, m);
	add(&c, m);
	refused(&c, m); /* longer than REDIRD_BANNER_MAX */
	refused(&c, msg_make(MSG_CONF_COMMIT, 0));
	confrows_fini(&c);
}

static void
lines_go_to_a_file_or_to_syslog_or_nowhere_else(void **state UNUSED)
{
	struct confrows c;

	confrows_init(&c);
	begin(&c, 1);
	refused(&c, log_row(1, 0, 0, 0)); /* of no service */
	add(&c, service("own", 1));
	add(&c, service("file", 2));
	refused(&c, log_row(7, 0, 20, 10));
	add(&c, log_row(7, 0, 10, 20));
	refused(&c, log_row(0, 30, 0, 0)); /* it has one */
	add(&c, service("syslog", 3));
	refused(&c, log_row(0, 192, 0, 0));
	add(&c, log_row(0, 191, 0, 0));
	assert_true(confrows_commit(&c, 1));
	assert_int_equal(c.v[0].log.kind, LOG_OWN);
	assert_int_equal(c.v[1].log.kind, LOG_FILE);
	assert_int_equal(c.v[1].log.number, 7);
	assert_int_equal(c.v[1].log.soft, 10);
	assert_int_equal(c.v[1].log.hard, 20);
	assert_int_equal(c.v[2].log.kind, LOG_SYSLOG);
	assert_int_equal(c.v[2].log.pri, 191);
	confrows_fini(&c);
}

static struct msg
alias(uint8_t last)
{
	struct msg m = msg_make(MSG_REDIRECT_ALIAS, 0);

	m.u.redirect_alias.addr.len = 16;
	m.u.redirect_alias.addr.b[15] = last;
	return m;
}

static void
addresses_that_stay_are_known(void **state UNUSED)
{
	const struct ip6 one = {.b = {[15] = 1}}, two = {.b = {[15] = 2}};
	struct confrows c;
	struct msg m;

	confrows_init(&c);
	begin(&c, 1);
	add(&c, alias(1));
	m = alias(3);
	m.u.redirect_alias.addr.len = 4;
	refused(&c, m);
	m = service("own", 1);
	m.u.redirect_service.alias.len = 16;
	m.u.redirect_service.alias.b[15] = 1;
	add(&c, m);
	m = service("half", 2);
	m.u.redirect_service.alias.len = 4;
	refused(&c, m);
	assert_true(confrows_commit(&c, 1));
	assert_memory_equal(&c.v[0].alias, &one, sizeof(one));
	assert_true(confrows_has_alias(&c, &one));
	assert_false(confrows_has_alias(&c, &two));
	begin(&c, 2);
	assert_false(confrows_has_alias(&c, &one));
	for (unsigned i = 0; i < CONFROWS_ALIASES_MAX; i++)
		add(&c, alias(1));
	refused(&c, alias(1));
	confrows_fini(&c);
}

static void
another_generation_is_not_complete(void **state UNUSED)
{
	struct confrows c;

	confrows_init(&c);
	assert_false(confrows_commit(&c, 0));
	begin(&c, 2);
	add(&c, service("ssh", 1));
	assert_false(confrows_commit(&c, 1));
	begin(&c, 3);
	assert_int_equal(c.n, 0);
	assert_true(confrows_commit(&c, 3));
	assert_false(confrows_commit(&c, 3));
	confrows_fini(&c);
}

static void
the_rest_of_a_refused_generation_is_passed_over(void **state UNUSED)
{
	struct confrows c;

	confrows_init(&c);
	begin(&c, 2);
	add(&c, service("ssh", 1));
	refused(&c, service("ssh", 2));
	confrows_refuse(&c);
	add(&c, target(22));
	add(&c, service("web", 3));
	assert_int_equal(c.n, 0);
	assert_int_equal(c.generation, 2);
	assert_false(confrows_commit(&c, 2));
	begin(&c, 3);
	add(&c, service("ssh", 1));
	assert_true(confrows_commit(&c, 3));
	assert_int_equal(c.n, 1);
	confrows_fini(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_belong_to_the_service_before_them),
	    cmocka_unit_test(what_cannot_be_is_refused),
	    cmocka_unit_test(lines_go_to_a_file_or_to_syslog_or_nowhere_else),
	    cmocka_unit_test(addresses_that_stay_are_known),
	    cmocka_unit_test(another_generation_is_not_complete),
	    cmocka_unit_test(the_rest_of_a_refused_generation_is_passed_over),
	};

	return cmocka_run_group_tests_name("redird confrows", tests, NULL, NULL);
}
