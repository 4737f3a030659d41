/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_test.c - lines, addresses, times, limits, ports and defaults of redirect.d, one by one.
 */
#include "t.h"

#include <stdio.h>

#include "conf/redirect_priv.h"

/* --- kit --- */

struct kit {
	struct arena a;
	struct diags d;
	struct redirect r;
};

static int
setup(void **state)
{
	struct kit *k = calloc(1, sizeof(*k));

	arena_init(&k->a);
	diags_init(&k->d);
	*state = k;
	return 0;
}

static int
teardown(void **state)
{
	struct kit *k = *state;

	diags_fini(&k->d);
	arena_fini(&k->a);
	free(k);
	return 0;
}

/* One file and an /etc/services with ssh alone; the number of errors. */
static size_t
parse(struct kit *k, const char *text)
{
	struct redirect_file *f = arena_alloc(&k->a, sizeof(*f));
	static const char services[] = "ssh 22/tcp\n";
	struct redirect_sources src = {
	    .file = f, .nfiles = 1, .etc_services = services, .etc_services_len = strlen(services)};

	diags_fini(&k->d);
	*f = (struct redirect_file){"redirect.d/a", text, strlen(text)};
	redirect_parse(&k->r, &k->a, &src, &k->d);
	assert_false(k->a.bad);
	return k->d.count[DIAG_ERROR];
}

static struct redirect_word
rw(const char *s)
{
	return (struct redirect_word){word_of(s), {"f", 1, 1}};
}

static struct redirect_ip
ip(const char *s)
{
	struct redirect_ip out;

	assert_true(redirect_ip_parse(&out, s));
	return out;
}

/* --- lines --- */

struct lexed {
	const char *text, *first, *rest;
	enum redirect_line_kind kind;
	enum redirect_op op;
	bool opens;
};

static void
lines_are_told_apart(void **state UNUSED)
{
	static const struct lexed cases[] = {
	    {"  # comment = x", "", "", REDIRECT_LINE_NONE, 0, false},
	    {" \t", "", "", REDIRECT_LINE_NONE, 0, false},
	    {" { ", "{", "", REDIRECT_LINE_OPEN, 0, false},
	    {"}", "}", "", REDIRECT_LINE_CLOSE, 0, false},
	    {"service ssh", "service", "ssh", REDIRECT_LINE_WORDS, 0, false},
	    {"service ssh{", "service", "ssh", REDIRECT_LINE_WORDS, 0, true},
	    {"defaults {", "defaults", "", REDIRECT_LINE_WORDS, 0, true},
	    {"\tport\t=\t22 ", "port", "22", REDIRECT_LINE_ASSIGN, REDIRECT_SET, false},
	    {"port=22", "port", "22", REDIRECT_LINE_ASSIGN, REDIRECT_SET, false},
	    {"a += b c", "a", "b c", REDIRECT_LINE_ASSIGN, REDIRECT_ADD, false},
	    {"a-=b", "a", "b", REDIRECT_LINE_ASSIGN, REDIRECT_DEL, false},
	    {"only_from =", "only_from", "", REDIRECT_LINE_ASSIGN, REDIRECT_SET, false},
	    {"only_from = 1.2.3.{4", "only_from", "1.2.3.{4", REDIRECT_LINE_ASSIGN, 0, false},
	    {"env = A=B", "env", "A=B", REDIRECT_LINE_ASSIGN, REDIRECT_SET, false},
	    {"service a-b+c", "service", "a-b+c", REDIRECT_LINE_WORDS, 0, false},
	    {"= 5", "", "5", REDIRECT_LINE_ASSIGN, REDIRECT_SET, false},
	};
	struct redirect_line l;
	struct redirect_lex x;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		redirect_lex_init(&x, cases[i].text, strlen(cases[i].text));
		assert_true(redirect_lex_next(&x, &l));
		assert_int_equal(l.kind, cases[i].kind);
		assert_true(word_eq(l.first, cases[i].first));
		assert_true(word_eq(l.rest, cases[i].rest));
		assert_int_equal(l.op, cases[i].op);
		assert_int_equal(l.opens, cases[i].opens);
		assert_false(redirect_lex_next(&x, &l));
	}
}

static void
every_value_has_its_place(void **state UNUSED)
{
	struct redirect_word rest = rw("one  two\tthree"), w;

	rest.pos.col = 10;
	assert_true(redirect_word_next(&rest, &w));
	assert_int_equal(w.pos.col, 10);
	assert_true(redirect_word_next(&rest, &w));
	assert_int_equal(w.pos.col, 15);
	assert_true(redirect_word_next(&rest, &w));
	assert_int_equal(w.pos.col, 19);
	assert_true(word_eq(w.w, "three"));
	assert_false(redirect_word_next(&rest, &w));
}

/* --- addresses --- */

static void
addresses_of_both_families_compare(void **state UNUSED)
{
	char buf[REDIRECT_IP_STRLEN];

	assert_true(redirect_ip_is4(ip("192.0.2.1")));
	assert_false(redirect_ip_is4(ip("::1")));
	assert_true(redirect_ip_eq(ip("192.0.2.1"), ip("::ffff:192.0.2.1")));
	assert_true(redirect_ip_is_any(ip("0.0.0.0")));
	assert_true(redirect_ip_is_any(ip("::")));
	assert_true(redirect_ip_is_loopback(ip("127.255.0.1")));
	assert_true(redirect_ip_is_loopback(ip("::1")));
	assert_false(redirect_ip_is_loopback(ip("::")));
	assert_true(redirect_ip_in(ip("10.1.2.3"), ip("10.1.0.0"), 96 + 16));
	assert_false(redirect_ip_in(ip("10.2.2.3"), ip("10.1.0.0"), 96 + 16));
	assert_true(redirect_ip_in(ip("10.2.2.3"), ip("::"), 0));
	assert_false(redirect_ip_in(ip("::1"), ip("0.0.0.0"), 96));
	assert_true(redirect_ip_in(ip("2001:db8:8000::"), ip("2001:db8:ffff::"), 33));
	assert_string_equal(redirect_ip_str(ip("::FFFF:1.2.3.4"), buf), "1.2.3.4");
	assert_string_equal(redirect_ip_str(ip("2001:DB8::0:1"), buf), "2001:db8::1");
}

static void
expect_rules(struct kit *k, const char *text, const char *want)
{
	struct redirect_word rest = rw(text), w;
	struct redirect_rules r = {0};
	struct strbuf b;

	strbuf_init(&b);
	while (redirect_word_next(&rest, &w))
		assert_true(redirect_rules_apply(&r, &k->a, w, false, &k->d));
	for (size_t i = 0; i < r.n; i++) {
		strbuf_add(&b, i ? " " : "");
		redirect_rule_print(&b, &r.v[i]);
	}
	assert_string_equal(strbuf_str(&b), want);
	strbuf_fini(&b);
}

static void
zeros_at_the_right_are_wildcards(void **state)
{
	expect_rules(*state, "128.138.12.0", "128.138.12.0/24");
	expect_rules(*state, "10.0.0.0", "10.0.0.0/8");
	expect_rules(*state, "0.0.0.0", "0.0.0.0/0");
	expect_rules(*state, "1.0.3.0", "1.0.3.0/24");
	expect_rules(*state, "1.0.0.3", "1.0.0.3/32");
	expect_rules(*state, "::", "::/128");
	expect_rules(*state, "2001:db8::", "2001:db8::/128");
}

static void
factorized_addresses_are_as_long_as_written(void **state)
{
	expect_rules(*state, "128.138.12.{1,2,0}",
		     "128.138.12.1/32 128.138.12.2/32 128.138.12.0/32");
	expect_rules(*state, "128.{138,0}", "128.138.0.0/16 128.0.0.0/16");
	expect_rules(*state, "{127}", "127.0.0.0/8");
}

static void
networks_lose_their_host_bits(void **state)
{
	expect_rules(*state, "10.1.2.3/8 1.2.3.4/31", "10.0.0.0/8 1.2.3.4/31");
	expect_rules(*state, "10.1.2.3/255.255.0.0", "10.1.0.0/16");
	expect_rules(*state, "2001:db8::1/32 ::/0", "2001:db8::/32 ::/0");
	expect_rules(*state, "::ffff:10.1.2.3/104", "10.0.0.0/8");
}

static void
equal_entries_are_one(void **state)
{
	expect_rules(*state, "10.0.0.0 10.0.0.0/8 10.9.9.9/255.0.0.0", "10.0.0.0/8");
	expect_rules(*state, "Host.Example host.example.", "host.example");
}

static void
a_list_has_an_end(void **state)
{
	struct kit *k = *state;
	struct redirect_rules r = {0};
	char buf[32];

	for (unsigned i = 0; i <= REDIRECT_RULES_MAX; i++) {
		snprintf(buf, sizeof(buf), "10.%u.%u.1", i / 256, i % 256);
		assert_int_equal(redirect_rules_apply(&r, &k->a, rw(buf), false, &k->d),
				 i < REDIRECT_RULES_MAX);
	}
	assert_int_equal(r.n, REDIRECT_RULES_MAX);
	assert_true(redirect_rules_apply(&r, &k->a, rw("10.0.7.1"), true, &k->d));
	assert_true(redirect_rules_apply(&r, &k->a, rw("192.0.2.1"), false, &k->d));
	assert_int_equal(k->d.count[DIAG_ERROR], 1);
}

static void
hosts(void **state)
{
	struct kit *k = *state;
	struct redirect_host h;

	assert_true(redirect_host_parse(&h, &k->a, rw("WWW.Example.com."), &k->d));
	assert_string_equal(h.name, "www.example.com");
	assert_true(redirect_host_parse(&h, &k->a, rw("fe80::1%vmnet8"), &k->d));
	assert_null(h.name);
	assert_string_equal(h.ifname, "vmnet8");
	assert_true(redirect_host_parse(&h, &k->a, rw("10.0.0.0"), &k->d));
	assert_true(redirect_ip_eq(h.ip, ip("10.0.0.0")));
	assert_false(redirect_host_parse(&h, &k->a, rw("fe80::1"), &k->d));
	assert_false(redirect_host_parse(&h, &k->a, rw("1.2.3"), &k->d));
	assert_false(redirect_host_parse(&h, &k->a, rw("1.2.3.999"), &k->d));
	assert_false(redirect_host_parse(&h, &k->a, rw(".example"), &k->d));
	assert_false(redirect_host_parse(&h, &k->a, rw("ff02::1"), &k->d));
	assert_int_equal(k->d.count[DIAG_ERROR], 5);
}

/* --- times and limits --- */

static void
times_are_minutes_of_the_day(void **state)
{
	struct kit *k = *state;
	struct redirect_time t;

	assert_true(redirect_time_parse(&t, rw("0:00-23:59"), &k->d));
	assert_int_equal(t.from, 0);
	assert_int_equal(t.to, 1439);
	assert_true(redirect_time_parse(&t, rw("08:5-24:00"), &k->d));
	assert_int_equal(t.from, 485);
	assert_int_equal(t.to, 1440);
	assert_false(redirect_time_parse(&t, rw("8:00-8:00"), &k->d));
	assert_false(redirect_time_parse(&t, rw("22:00-6:00"), &k->d));
	assert_false(redirect_time_parse(&t, rw("24:00-24:00"), &k->d));
	assert_false(redirect_time_parse(&t, rw("8:00"), &k->d));
	assert_false(redirect_time_parse(&t, rw("8:00-"), &k->d));
	assert_false(redirect_time_parse(&t, rw("-8:00"), &k->d));
	assert_false(redirect_time_parse(&t, rw(":-:"), &k->d));
}

static void
loads_are_hundredths(void **state)
{
	struct kit *k = *state;
	uint32_t v;

	assert_true(redirect_load_parse(&v, rw("2"), &k->d));
	assert_int_equal(v, 200);
	assert_true(redirect_load_parse(&v, rw("2.5"), &k->d));
	assert_int_equal(v, 250);
	assert_true(redirect_load_parse(&v, rw(".07"), &k->d));
	assert_int_equal(v, 7);
	assert_true(redirect_load_parse(&v, rw("3."), &k->d));
	assert_int_equal(v, 300);
	assert_false(redirect_load_parse(&v, rw("0.001"), &k->d));
	assert_false(redirect_load_parse(&v, rw("1e3"), &k->d));
}

static void
deny_times_are_seconds(void **state)
{
	struct kit *k = *state;
	uint32_t v;

	assert_true(redirect_deny_parse(&v, rw("60"), &k->d));
	assert_int_equal(v, 3600);
	assert_true(redirect_deny_parse(&v, rw("forever"), &k->d));
	assert_int_equal(v, REDIRECT_FOREVER);
	assert_true(redirect_deny_parse(&v, rw("NEVER"), &k->d));
	assert_int_equal(v, 0);
	assert_true(redirect_limit_parse(&v, rw("Unlimited"), &k->d));
	assert_int_equal(v, REDIRECT_UNLIMITED);
	assert_false(redirect_limit_parse(&v, rw("4294967295"), &k->d));
}

static void
the_hard_limit_of_a_log_is_a_little_more(void **state)
{
	struct kit *k = *state;
	struct redirect_log l;

	assert_true(redirect_log_parse(&l, &k->a, rw("FILE /x 1000"), &k->d));
	assert_int_equal(l.hard, 1000 + 5 * 1024);
	assert_true(redirect_log_parse(&l, &k->a, rw("FILE /x 1M"), &k->d));
	assert_int_equal(l.hard, 1024 * 1024 + 1024 * 1024 / 100);
	assert_true(redirect_log_parse(&l, &k->a, rw("FILE /x 100M"), &k->d));
	assert_int_equal(l.hard, 100 * 1024 * 1024 + 20 * 1024);
	assert_true(redirect_log_parse(&l, &k->a, rw("SYSLOG local0"), &k->d));
	assert_int_equal(l.facility, 16);
	assert_int_equal(l.level, 6);
}

static void
ports_by_name_and_alias(void **state UNUSED)
{
	static const char text[] = "# ssh 1/tcp\nssh 22/udp\nssh\t22/tcp sshd # secure\r\n"
				   "bad 99999/tcp\nhttp 80/tcp www# web\nlast 7/tcp";
	struct redirect_sources src = {.etc_services = text, .etc_services_len = strlen(text)};

	assert_int_equal(redirect_etc_port(&src, word_of("ssh")), 22);
	assert_int_equal(redirect_etc_port(&src, word_of("sshd")), 22);
	assert_int_equal(redirect_etc_port(&src, word_of("www")), 80);
	assert_int_equal(redirect_etc_port(&src, word_of("last")), 7);
	assert_int_equal(redirect_etc_port(&src, word_of("secure")), 0);
	assert_int_equal(redirect_etc_port(&src, word_of("bad")), 0);
	src.etc_services = NULL;
	assert_int_equal(redirect_etc_port(&src, word_of("ssh")), 0);
}

/* --- services --- */

static void
what_xinetd_assumes(void **state)
{
	struct kit *k = *state;
	const struct redirect_service *s;

	assert_int_equal(parse(k, "service ssh\n{\nredirect = h 1\n}\n"), 0);
	s = redirect_find(&k->r, "ssh");
	assert_non_null(s);
	assert_int_equal(s->port, 22);
	assert_int_equal(s->family, REDIRECT_DUAL);
	assert_false(s->only_from.set || s->no_access.set || s->has_bind || s->disabled);
	assert_int_equal(s->instances, REDIRECT_UNLIMITED);
	assert_int_equal(s->per_source, REDIRECT_UNLIMITED);
	assert_int_equal(s->cps.rate, 50);
	assert_int_equal(s->cps.wait_s, 10);
	assert_int_equal(s->log.kind, REDIRECT_LOG_DEFAULT);
	assert_int_equal(s->log_success | s->log_failure, 0);
	assert_int_equal(s->pos.line, 1);
	assert_int_equal(s->pos.col, 9);
}

static void
a_changed_list_leaves_the_defaults_alone(void **state)
{
	struct kit *k = *state;

	assert_int_equal(parse(k, "defaults\n{\nonly_from = 10.0.0.0 11.0.0.0\n}\n"
				  "service a\n{\ntype = UNLISTED\nport = 1\nredirect = h 1\n"
				  "only_from -= 10.0.0.0\n}\n"
				  "service b\n{\ntype = UNLISTED\nport = 2\nredirect = h 1\n}\n"
				  "service c\n{\ntype = UNLISTED\nport = 3\nredirect = h 1\n"
				  "only_from += 12.0.0.0\n}\n"),
			 0);
	assert_int_equal(redirect_find(&k->r, "a")->only_from.n, 1);
	assert_int_equal(redirect_find(&k->r, "b")->only_from.n, 2);
	assert_int_equal(redirect_find(&k->r, "c")->only_from.n, 3);
}

static void
an_empty_list_is_not_no_list(void **state)
{
	struct kit *k = *state;

	assert_int_equal(parse(k, "service ssh\n{\nredirect = h 1\nonly_from =\n}\n"), 0);
	assert_true(redirect_find(&k->r, "ssh")->only_from.set);
	assert_int_equal(redirect_find(&k->r, "ssh")->only_from.n, 0);
}

static void
a_service_with_an_error_leaves_the_others(void **state)
{
	struct kit *k = *state;

	assert_int_equal(parse(k, "service x\n{\nport = 0\ntype = UNLISTED\nredirect = h 1\n}\n"
				  "service ssh\n{\nredirect = h 1\n}\n"),
			 1);
	assert_int_equal(k->r.n, 2);
	assert_null(redirect_find(&k->r, "x"));
	assert_non_null(redirect_find(&k->r, "ssh"));
}

static void
there_are_not_endlessly_many_services(void **state)
{
	struct kit *k = *state;
	struct strbuf b;

	strbuf_init(&b);
	for (unsigned i = 0; i <= REDIRECT_SERVICES_MAX; i++)
		strbuf_addf(&b, "service s%u\n{\ntype=UNLISTED\nport=%u\nredirect=h 1\n}\n", i,
			    i + 1);
	assert_int_equal(parse(k, strbuf_str(&b)), 1);
	assert_int_equal(k->r.n, REDIRECT_SERVICES_MAX);
	strbuf_fini(&b);
}

static void
there_are_not_endlessly_many_intervals(void **state)
{
	struct kit *k = *state;
	struct strbuf b;

	strbuf_init(&b);
	strbuf_add(&b, "service ssh\n{\nredirect = h 1\naccess_times =");
	for (unsigned i = 0; i < REDIRECT_TIMES_MAX; i++)
		strbuf_addf(&b, " 0:00-1:%02u", i % 60);
	strbuf_add(&b, "\n}\n");
	assert_int_equal(parse(k, strbuf_str(&b)), 0);
	assert_int_equal(redirect_find(&k->r, "ssh")->ntimes, REDIRECT_TIMES_MAX);
	b.len -= 3;
	strbuf_add(&b, " 2:00-3:00\n}\n");
	assert_int_equal(parse(k, strbuf_str(&b)), 1);
	strbuf_fini(&b);
}

static bool
equal(struct kit *k, const char *one, const char *two)
{
	struct redirect first;
	char text[512];

	snprintf(text, sizeof(text), "service ssh\n{\nredirect = h 1\n%s\n}\n", one);
	assert_int_equal(parse(k, arena_dup(&k->a, text, strlen(text))), 0);
	first = k->r;
	snprintf(text, sizeof(text), "\nservice ssh\n{\nredirect = h 1\n%s\n}\n", two);
	assert_int_equal(parse(k, arena_dup(&k->a, text, strlen(text))), 0);
	return redirect_service_eq(&first.v[0], &k->r.v[0]);
}

static void
equal_services_need_no_change(void **state)
{
	assert_true(equal(*state, "", ""));
	assert_true(equal(*state, "only_from = 10.0.0.0", "only_from = 10.0.0.0/8"));
	assert_true(equal(*state, "user = root", "user = daemon"));
	assert_false(equal(*state, "only_from =", ""));
	assert_false(equal(*state, "instances = 5", "instances = 6"));
	assert_false(equal(*state, "disable = yes", ""));
	assert_false(equal(*state, "bind = 192.0.2.1", "bind = 192.0.2.2"));
}

static void
a_banner_that_changed_is_a_change(void **state UNUSED)
{
	static const struct redirect_file one = {"redirect.d/x/b", "hello", 5},
					  same = {"redirect.d/x/b", "hello", 5},
					  other = {"redirect.d/x/b", "hallo", 5};
	struct redirect_service a = {.name = "a", .id = "a", .banner = &one}, b = a, c = a;

	b.banner = &same;
	c.banner = &other;
	assert_true(redirect_service_eq(&a, &b));
	assert_false(redirect_service_eq(&a, &c));
	c.banner = NULL;
	assert_false(redirect_service_eq(&a, &c));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(lines_are_told_apart),
	    TEST(every_value_has_its_place),
	    TEST(addresses_of_both_families_compare),
	    TEST(zeros_at_the_right_are_wildcards),
	    TEST(factorized_addresses_are_as_long_as_written),
	    TEST(networks_lose_their_host_bits),
	    TEST(equal_entries_are_one),
	    TEST(a_list_has_an_end),
	    TEST(hosts),
	    TEST(times_are_minutes_of_the_day),
	    TEST(loads_are_hundredths),
	    TEST(deny_times_are_seconds),
	    TEST(the_hard_limit_of_a_log_is_a_little_more),
	    TEST(ports_by_name_and_alias),
	    TEST(what_xinetd_assumes),
	    TEST(a_changed_list_leaves_the_defaults_alone),
	    TEST(an_empty_list_is_not_no_list),
	    TEST(a_service_with_an_error_leaves_the_others),
	    TEST(there_are_not_endlessly_many_services),
	    TEST(there_are_not_endlessly_many_intervals),
	    TEST(equal_services_need_no_change),
	    TEST(a_banner_that_changed_is_a_change),
	};

	return T_RUN(tests);
}
