/* SPDX-License-Identifier: GPL-2.0-or-later
 * access_test.c - each of xinetd's rules refuses and admits, and what it counts is given back.
 */
#include "tests/unit/lib/t.h"

#include "redird/access.h"

static const uint64_t key[2] = {0x0123456789abcdef, 0xfedcba9876543210};

struct service {
	struct access_conf conf;
	struct access_state state;
	struct sensors sensors;
	struct access_now at;
};

static int
setup(void **state)
{
	struct service *s = calloc(1, sizeof(*s));

	access_conf_init(&s->conf);
	access_state_init(&s->state, key);
	s->at.now.ms = 1000000;
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct service *s = *state;

	access_state_fini(&s->state);
	free(s);
	return 0;
}

static struct ip6
v4(unsigned a, unsigned b, unsigned c, unsigned d)
{
	return ip6_mapped(a << 24 | b << 16 | c << 8 | d);
}

static struct access_rule
rule4(unsigned a, unsigned b, unsigned c, unsigned d, unsigned len)
{
	return (struct access_rule){v4(a, b, c, d), (uint8_t)(96 + len)};
}

static enum verdict
enter(struct service *s, struct ip6 from)
{
	return access_enter(&s->conf, &s->state, &s->sensors, &from, &s->at);
}

static void
test_without_rules_anyone_enters(void **state)
{
	struct service *s = *state;
	struct ip6 v6 = {{0x20, 1, 0xd, 0xb8}};

	assert_int_equal(enter(s, v4(10, 0, 0, 1)), VERDICT_OK);
	assert_int_equal(enter(s, v6), VERDICT_OK);
	assert_int_equal(s->state.running, 2);
}

static void
test_only_from_admits_its_networks_and_nobody_else(void **state)
{
	struct service *s = *state;
	struct access_rule yes[] = {rule4(128, 138, 12, 0, 24), {{{0x20, 1, 0xd, 0xb8, 0x40}}, 34}};
	struct ip6 in6 = {{0x20, 1, 0xd, 0xb8, 0x7f, 0xff}}, out6 = {{0x20, 1, 0xd, 0xb8, 0x80}};

	s->conf.only_from = yes;
	s->conf.n_only_from = 2;
	s->conf.only_from_set = true;
	assert_int_equal(enter(s, v4(128, 138, 12, 255)), VERDICT_OK);
	assert_int_equal(enter(s, v4(128, 138, 13, 0)), VERDICT_ADDRESS);
	assert_int_equal(enter(s, in6), VERDICT_OK);
	assert_int_equal(enter(s, out6), VERDICT_ADDRESS);
}

static void
test_only_from_without_a_value_is_for_nobody(void **state)
{
	struct service *s = *state;

	s->conf.only_from_set = true;
	assert_int_equal(enter(s, v4(127, 0, 0, 1)), VERDICT_ADDRESS);
}

static void
test_all_of_ipv4_is_not_all_of_ipv6(void **state)
{
	struct service *s = *state;
	struct access_rule yes[] = {rule4(0, 0, 0, 0, 0)};
	struct ip6 v6 = {{0x20, 1}};

	s->conf.only_from = yes;
	s->conf.n_only_from = 1;
	s->conf.only_from_set = true;
	assert_int_equal(enter(s, v4(203, 0, 113, 9)), VERDICT_OK);
	assert_int_equal(enter(s, v6), VERDICT_ADDRESS);
}

static void
test_the_better_match_of_the_two_lists_decides(void **state)
{
	struct service *s = *state;
	/* The manual's own example, and its reverse. */
	struct access_rule yes[] = {rule4(128, 138, 209, 0, 24), rule4(10, 1, 1, 1, 32)};
	struct access_rule no[] = {rule4(128, 138, 209, 10, 32), rule4(10, 1, 0, 0, 16)};

	s->conf.only_from = yes;
	s->conf.no_access = no;
	s->conf.n_only_from = s->conf.n_no_access = 2;
	s->conf.only_from_set = true;
	assert_int_equal(enter(s, v4(128, 138, 209, 10)), VERDICT_ADDRESS);
	assert_int_equal(enter(s, v4(128, 138, 209, 11)), VERDICT_OK);
	assert_int_equal(enter(s, v4(10, 1, 1, 1)), VERDICT_OK);
	assert_int_equal(enter(s, v4(10, 1, 1, 2)), VERDICT_ADDRESS);
}

static void
test_of_two_equal_matches_it_is_the_refusal(void **state)
{
	struct service *s = *state;
	struct access_rule same[] = {rule4(10, 0, 0, 0, 8)};

	s->conf.only_from = s->conf.no_access = same;
	s->conf.n_only_from = s->conf.n_no_access = 1;
	s->conf.only_from_set = true;
	assert_int_equal(enter(s, v4(10, 0, 0, 1)), VERDICT_ADDRESS);
}

static void
test_no_access_alone_leaves_the_others_in(void **state)
{
	struct service *s = *state;
	struct access_rule no[] = {rule4(10, 0, 0, 0, 8)};

	s->conf.no_access = no;
	s->conf.n_no_access = 1;
	assert_int_equal(enter(s, v4(10, 9, 9, 9)), VERDICT_ADDRESS);
	assert_int_equal(enter(s, v4(11, 0, 0, 0)), VERDICT_OK);
}

static void
test_access_times_hold_at_both_bounds(void **state)
{
	struct service *s = *state;
	struct access_span times[] = {{8 * 60, 12 * 60}, {13 * 60 + 30, 17 * 60}};
	const struct {
		unsigned minute;
		enum verdict want;
	} cases[] = {
	    {8 * 60 - 1, VERDICT_TIME},  {8 * 60, VERDICT_OK},       {12 * 60, VERDICT_OK},
	    {12 * 60 + 1, VERDICT_TIME}, {13 * 60 + 30, VERDICT_OK}, {17 * 60 + 1, VERDICT_TIME},
	};

	s->conf.times = times;
	s->conf.n_times = 2;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		s->at.minute = cases[i].minute;
		assert_int_equal(enter(s, v4(10, 0, 0, 1)), cases[i].want);
	}
}

static void
test_load_at_the_limit_refuses(void **state)
{
	struct service *s = *state;

	s->conf.max_load_milli = 2500;
	s->at.load_milli = 2499;
	assert_int_equal(enter(s, v4(10, 0, 0, 1)), VERDICT_OK);
	s->at.load_milli = 2500;
	assert_int_equal(enter(s, v4(10, 0, 0, 1)), VERDICT_LOAD);
}

static void
test_instances_are_a_limit_until_one_leaves(void **state)
{
	struct service *s = *state;
	struct ip6 a = v4(10, 0, 0, 1);

	s->conf.instances = 2;
	assert_int_equal(enter(s, a), VERDICT_OK);
	assert_int_equal(enter(s, v4(10, 0, 0, 2)), VERDICT_OK);
	assert_int_equal(enter(s, v4(10, 0, 0, 3)), VERDICT_SERVICE_LIMIT);
	access_leave(&s->state, &a);
	assert_int_equal(enter(s, v4(10, 0, 0, 3)), VERDICT_OK);
}

static void
test_per_source_limits_each_address_by_itself(void **state)
{
	struct service *s = *state;
	struct ip6 a = v4(10, 0, 0, 1);

	s->conf.per_source = 1;
	assert_int_equal(enter(s, a), VERDICT_OK);
	assert_int_equal(enter(s, a), VERDICT_PER_SOURCE_LIMIT);
	assert_int_equal(enter(s, v4(10, 0, 0, 2)), VERDICT_OK);
	access_leave(&s->state, &a);
	assert_int_equal(enter(s, a), VERDICT_OK);
}

static void
test_per_source_set_later_knows_who_is_there(void **state)
{
	struct service *s = *state;

	assert_int_equal(enter(s, v4(10, 0, 0, 1)), VERDICT_OK);
	s->conf.per_source = 1;
	assert_int_equal(enter(s, v4(10, 0, 0, 1)), VERDICT_PER_SOURCE_LIMIT);
}

/* Against a plain array: entering and leaving in a random order, with many addresses at once. */
static void
test_sources_are_counted_right_whoever_comes_and_goes(void **state)
{
	enum { N = 700, STEPS = 40000 };
	struct service *s = *state;
	unsigned here[N] = {0}, total = 0;

	srand(1);
	for (int i = 0; i < STEPS; i++) {
		unsigned who = (unsigned)rand() % N;
		struct ip6 a = v4(10, 0, who >> 8, who & 255);

		if (rand() % 2) {
			assert_int_equal(enter(s, a), VERDICT_OK);
			here[who]++;
			total++;
		} else if (here[who]) {
			access_leave(&s->state, &a);
			here[who]--;
			total--;
		}
	}
	for (unsigned who = 0; who < N; who++) {
		struct ip6 a = v4(10, 0, who >> 8, who & 255);

		assert_int_equal(access_source_count(&s->state, &a), here[who]);
		while (here[who]--)
			access_leave(&s->state, &a);
	}
	assert_int_equal(s->state.running, 0);
	assert_int_equal(s->state.used, 0);
	assert_true(total > 0);
}

static void
test_too_many_in_a_second_switch_the_service_off_for_a_while(void **state)
{
	struct service *s = *state;
	struct ip6 a = v4(10, 0, 0, 1);

	s->conf.cps = 3;
	s->conf.cps_wait_s = 10;
	for (int i = 0; i < 3; i++)
		assert_int_equal(enter(s, a), VERDICT_OK);
	assert_int_equal(enter(s, a), VERDICT_CPS);
	assert_true(s->state.off);
	s->at.now.ms += 9999;
	assert_int_equal(enter(s, a), VERDICT_CPS);
	s->at.now.ms += 1;
	assert_int_equal(enter(s, a), VERDICT_OK);
	assert_false(s->state.off);
}

static void
test_as_many_as_allowed_in_each_second_is_no_fault(void **state)
{
	struct service *s = *state;

	s->conf.cps = 3;
	s->conf.cps_wait_s = 10;
	for (int i = 0; i < 30; i++) {
		assert_int_equal(enter(s, v4(10, 0, 0, 1)), VERDICT_OK);
		if (i % 3 == 2)
			s->at.now.ms += 1000;
	}
}

static void
test_strangers_do_not_switch_the_service_off(void **state)
{
	struct service *s = *state;
	struct access_rule yes[] = {rule4(10, 0, 0, 0, 8)};

	s->conf.only_from = yes;
	s->conf.n_only_from = 1;
	s->conf.only_from_set = true;
	s->conf.cps = 1;
	s->conf.cps_wait_s = 10;
	for (int i = 0; i < 5; i++)
		assert_int_equal(enter(s, v4(192, 0, 2, 1)), VERDICT_ADDRESS);
	assert_int_equal(enter(s, v4(10, 0, 0, 1)), VERDICT_OK);
}

static void
test_a_sensor_denies_all_services_until_its_time_is_over(void **state)
{
	struct service *s = *state;
	struct access_conf sensor;
	struct access_state own;
	struct ip6 a = v4(10, 0, 0, 1);

	access_conf_init(&sensor);
	access_state_init(&own, key);
	sensor.sensor = true;
	sensor.deny_min = 2;
	assert_int_equal(access_enter(&sensor, &own, &s->sensors, &a, &s->at), VERDICT_ADDRESS);
	assert_int_equal(enter(s, a), VERDICT_ADDRESS);
	assert_int_equal(enter(s, v4(10, 0, 0, 2)), VERDICT_OK);
	s->at.now.ms += 119999;
	assert_int_equal(enter(s, a), VERDICT_ADDRESS);
	s->at.now.ms += 1;
	assert_int_equal(enter(s, a), VERDICT_OK);
}

static void
test_a_sensor_may_deny_for_ever_or_never(void **state)
{
	struct service *s = *state;
	struct access_conf sensor;
	struct access_state own;
	struct ip6 a = v4(10, 0, 0, 1), b = v4(10, 0, 0, 2);

	access_conf_init(&sensor);
	access_state_init(&own, key);
	sensor.sensor = true;
	sensor.deny_min = ACCESS_DENY_NEVER;
	access_enter(&sensor, &own, &s->sensors, &a, &s->at);
	sensor.deny_min = ACCESS_DENY_FOREVER;
	access_enter(&sensor, &own, &s->sensors, &b, &s->at);
	sensor.deny_min = 1; /* does not shorten it */
	access_enter(&sensor, &own, &s->sensors, &b, &s->at);
	s->at.now.ms += INT64_C(1000) * 86400 * 365;
	assert_int_equal(enter(s, a), VERDICT_OK);
	assert_int_equal(enter(s, b), VERDICT_ADDRESS);
}

static void
test_a_full_sensor_list_forgets_who_would_go_first(void **state)
{
	struct service *s = *state;
	struct mono now = s->at.now;
	struct ip6 first = v4(10, 0, 0, 0), last;

	for (unsigned i = 0; i <= SENSORS_MAX; i++) {
		last = v4(10, 0, i >> 8, i & 255);
		sensors_add(&s->sensors, &last, mono_add(now, 60000 + i), now);
	}
	assert_false(sensors_has(&s->sensors, &first, now));
	assert_true(sensors_has(&s->sensors, &last, now));
	assert_int_equal(s->sensors.n, SENSORS_MAX);
}

static void
test_addresses_are_written_as_people_do(void **state UNUSED)
{
	struct ip6 a = v4(192, 168, 8, 20), b = {{0x20, 1, 0xd, 0xb8, [15] = 1}};
	char text[IP6_STRLEN];

	assert_string_equal(ip6_str(&a, text), "192.168.8.20");
	assert_string_equal(ip6_str(&b, text), "2001:db8::1");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_without_rules_anyone_enters),
	    T(test_only_from_admits_its_networks_and_nobody_else),
	    T(test_only_from_without_a_value_is_for_nobody),
	    T(test_all_of_ipv4_is_not_all_of_ipv6),
	    T(test_the_better_match_of_the_two_lists_decides),
	    T(test_of_two_equal_matches_it_is_the_refusal),
	    T(test_no_access_alone_leaves_the_others_in),
	    T(test_access_times_hold_at_both_bounds),
	    T(test_load_at_the_limit_refuses),
	    T(test_instances_are_a_limit_until_one_leaves),
	    T(test_per_source_limits_each_address_by_itself),
	    T(test_per_source_set_later_knows_who_is_there),
	    T(test_sources_are_counted_right_whoever_comes_and_goes),
	    T(test_too_many_in_a_second_switch_the_service_off_for_a_while),
	    T(test_as_many_as_allowed_in_each_second_is_no_fault),
	    T(test_strangers_do_not_switch_the_service_off),
	    T(test_a_sensor_denies_all_services_until_its_time_is_over),
	    T(test_a_sensor_may_deny_for_ever_or_never),
	    T(test_a_full_sensor_list_forgets_who_would_go_first),
	    T(test_addresses_are_written_as_people_do),
	};

	return T_RUN(tests);
}
