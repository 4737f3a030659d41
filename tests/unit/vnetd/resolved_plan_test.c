/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolved_plan_test.c - what systemd-resolved is told of networks that come, change and go.
 */
#include "../lib/t.h"

#include "vnetd/resolved_plan.h"

static struct resolved_link
link_of(unsigned net, int ifindex, uint8_t len)
{
	uint32_t subnet = 0xc0a80000 + (net << 8);

	return (struct resolved_link){net, ifindex, {subnet + 2}, {{subnet}, len}};
}

static void
networks_with_a_name_server_that_answers(void **state UNUSED)
{
	struct msg_net_row row = {.net = 8, .state = NET_STATE_OK, .dns = {0xc0a80802}};

	assert_true(resolved_wants(&row));
	row.state = NET_STATE_DEGRADED;
	row.services_down = 1u << SERVICE_FIREWALL;
	assert_true(resolved_wants(&row));
	row.services_down = 1u << SERVICE_DNS;
	assert_false(resolved_wants(&row));
	row.services_down = 0;
	row.dns.h = 0;
	assert_false(resolved_wants(&row));
	row.dns.h = 1;
	row.state = NET_STATE_STARTING;
	assert_false(resolved_wants(&row));
	row.state = NET_STATE_FAILED;
	assert_false(resolved_wants(&row));
	row.state = NET_STATE_OK;
	row.net = RESOLVED_NETS;
	assert_false(resolved_wants(&row));
}

static void
domains_and_reverse_domains(void **state UNUSED)
{
	char d[RESOLVED_DOMAINS_MAX][RESOLVED_DOMAIN_LEN];
	struct resolved_link l = {.net = 255, .subnet = {{0xffffff00}, 24}};

	assert_int_equal(resolved_domains(d, &l), 2);
	assert_string_equal(d[0], "vmnet255");
	assert_string_equal(d[1], "255.255.255.in-addr.arpa");
	l.subnet = (struct prefix4){{0xac100000}, 16};
	assert_int_equal(resolved_domains(d, &l), 2);
	assert_string_equal(d[1], "16.172.in-addr.arpa");
	l.subnet = (struct prefix4){{0x0a000000}, 8};
	assert_int_equal(resolved_domains(d, &l), 2);
	assert_string_equal(d[1], "10.in-addr.arpa");
	/* A zone of which others have a part. */
	l.subnet = (struct prefix4){{0xc0a80880}, 25};
	assert_int_equal(resolved_domains(d, &l), 1);
	assert_string_equal(d[0], "vmnet255");
}

/* Does what there is to do, and counts it. */
static void
go(struct resolved_links *done, const struct resolved_links *wanted, unsigned sets,
   unsigned reverts)
{
	const struct resolved_link *l;
	unsigned n[2] = {0};
	bool forget;

	while ((l = resolved_next(done, wanted, &forget))) {
		assert_true(++n[forget] <= RESOLVED_NETS);
		resolved_note(done, l, forget);
	}
	assert_int_equal(n[0], sets);
	assert_int_equal(n[1], reverts);
	assert_int_equal(done->n, wanted->n);
}

static void
only_what_changed_is_told(void **state UNUSED)
{
	static struct resolved_links done, wanted;

	go(&done, &wanted, 0, 0);
	wanted.n = 2;
	wanted.v[0] = link_of(1, 11, 24);
	wanted.v[1] = link_of(8, 18, 24);
	go(&done, &wanted, 2, 0);
	go(&done, &wanted, 0, 0);
	wanted.v[1].dns.h++;
	go(&done, &wanted, 1, 0);
	wanted.v[1].subnet.len = 25;
	go(&done, &wanted, 1, 0);
	/* A network that was made anew, in the place of another. */
	wanted.v[0] = link_of(8, 19, 24);
	wanted.v[1] = link_of(1, 11, 24);
	go(&done, &wanted, 1, 1);
	wanted.n = 1;
	go(&done, &wanted, 0, 1);
	assert_int_equal(done.v[0].ifindex, 19);
	/* resolved was restarted. */
	done.n = 0;
	go(&done, &wanted, 1, 0);
	wanted.n = 0;
	go(&done, &wanted, 0, 1);
	/* As many as there can be. */
	for (unsigned i = 0; i < RESOLVED_NETS; i++)
		wanted.v[i] = link_of(i, (int)i + 1, 24);
	wanted.n = RESOLVED_NETS;
	go(&done, &wanted, RESOLVED_NETS, 0);
	wanted.n = 0;
	go(&done, &wanted, 0, RESOLVED_NETS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(networks_with_a_name_server_that_answers),
	    cmocka_unit_test(domains_and_reverse_domains),
	    cmocka_unit_test(only_what_changed_is_told),
	};

	return T_RUN(tests);
}
