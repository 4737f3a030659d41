/* SPDX-License-Identifier: GPL-2.0-or-later
 * confrows_test.c - rows from the engine become configurations, or none at all.
 */
#include "../lib/t.h"

#include <errno.h>

#include "dhcpd/confrows.h"
#include "dhcpd/msg.h"

#define NET   0xc0a80800u
#define AT(n) ((struct ip4){NET + (n)})

static void
begin(struct confrows *c, uint32_t generation)
{
	struct msg m = msg_make(MSG_CONF_BEGIN, 0);

	m.u.conf_begin.generation = generation;
	assert_true(confrows_add(c, &m));
}

static void
add_net(struct confrows *c, unsigned net)
{
	struct msg m = msg_make(MSG_DHCP_NET, 0);

	m.u.dhcp_net = (struct msg_dhcp_net){.net = (uint16_t)net,
					     .subnet = AT(0),
					     .len = 24,
					     .server = AT(254),
					     .host = AT(1),
					     .mtu = 1400,
					     .default_lease_s = 600,
					     .max_lease_s = 900,
					     .min_lease_s = 300,
					     .next_server = AT(77),
					     .authoritative = true,
					     .ping_check = true,
					     .ping_timeout_s = 3};
	assert_true(confrows_add(c, &m));
}

static void
add_option(struct confrows *c, unsigned net, unsigned host, uint8_t code, const char *text)
{
	struct msg m = msg_make(MSG_DHCP_OPTION, 0);

	m.u.dhcp_option.net = (uint16_t)net;
	m.u.dhcp_option.host = (uint16_t)host;
	m.u.dhcp_option.code = code;
	m.u.dhcp_option.data.len = (uint16_t)strlen(text);
	memcpy(m.u.dhcp_option.data.b, text, strlen(text));
	assert_true(confrows_add(c, &m));
}

static void
complete_generation_is_taken_over(void **state UNUSED)
{
	struct confrows c;
	struct msg m;
	const struct netconf_host *h;
	struct netconf *n;

	confrows_init(&c);
	begin(&c, 7);
	add_net(&c, 8);
	m = msg_make(MSG_DHCP_RANGE, 0);
	m.u.dhcp_range = (struct msg_dhcp_range){.net = 8, .first = AT(128), .last = AT(254)};
	assert_true(confrows_add(&c, &m));
	m = msg_make(MSG_DHCP_HOST, 0);
	m.u.dhcp_host = (struct msg_dhcp_host){.net = 8,
					       .index = 0,
					       .mac = {{2, 0, 0, 0, 0, 1}},
					       .addr = AT(50),
					       .name = "db",
					       .default_lease_s = 1,
					       .max_lease_s = 2,
					       .min_lease_s = 3,
					       .next_server = AT(78),
					       .bootp = true};
	assert_true(confrows_add(&c, &m));
	m = msg_make(MSG_DHCP_RANGE, 0);
	m.u.dhcp_range =
	    (struct msg_dhcp_range){.net = 8, .first = AT(10), .last = AT(11), .known = true};
	assert_true(confrows_add(&c, &m));
	add_option(&c, 8, 0xffff, 15, "local");
	add_option(&c, 8, 0xffff, 15, "domain");
	add_option(&c, 8, 0, 15, "");
	add_net(&c, 1);
	assert_int_equal(confrows_commit(&c, 7), 0);
	n = c.net[8];
	assert_non_null(n);
	assert_non_null(c.net[1]);
	assert_null(c.net[0]);
	assert_int_equal(n->net, 8);
	assert_int_equal(n->mtu, 1400);
	assert_int_equal(n->pool, 126 + 2);
	assert_true(netconf_is_for_known(n, AT(11)));
	assert_false(netconf_is_for_known(n, AT(128)));
	assert_int_equal(n->min_lease_s, 300);
	assert_int_equal(n->next_server.h, AT(77).h);
	assert_false(n->booting);
	h = netconf_host_by_ip(n, AT(50));
	assert_int_equal(h->default_lease_s, 1);
	assert_int_equal(h->max_lease_s, 2);
	assert_int_equal(h->min_lease_s, 3);
	assert_int_equal(h->next_server.h, AT(78).h);
	assert_false(h->booting);
	assert_true(h->bootp);
	assert_true(n->authoritative);
	assert_true(n->ping_check);
	assert_int_equal(n->ping_timeout_s, 3);
	assert_false(n->unknown_clients);
	assert_memory_equal(netconf_option(n, NULL, 15)->data, "localdomain", 11);
	assert_null(netconf_option(n, netconf_host_by_ip(n, AT(50)), 15));
	confrows_fini(&c);
}

static void
next_begin_starts_over(void **state UNUSED)
{
	struct confrows c;

	confrows_init(&c);
	begin(&c, 1);
	add_net(&c, 8);
	add_net(&c, 8); /* twice: spoilt */
	begin(&c, 2);
	add_net(&c, 1);
	assert_int_equal(confrows_commit(&c, 2), 0);
	assert_null(c.net[8]);
	assert_non_null(c.net[1]);
	confrows_fini(&c);
}

static void
bad_rows_spoil_the_generation(void **state UNUSED)
{
	for (int what = 0; what < 8; what++) {
		struct confrows c;
		struct msg m;
		uint32_t commit = 1;

		confrows_init(&c);
		if (what != 0)
			begin(&c, 1);
		add_net(&c, 8);
		switch (what) {
		case 1:
			add_net(&c, 300);
			break;
		case 2:
			add_option(&c, 9, 0xffff, 15, "x"); /* no such network */
			break;
		case 3:
			add_option(&c, 8, 0, 15, "x"); /* no such host */
			break;
		case 4:
			m = msg_make(MSG_DHCP_RANGE, 0);
			m.u.dhcp_range =
			    (struct msg_dhcp_range){.net = 8, .first = AT(9), .last = AT(8)};
			confrows_add(&c, &m);
			break;
		case 5:
			m = msg_make(MSG_DHCP_NET, 0);
			m.u.dhcp_net = (struct msg_dhcp_net){.net = 9, .subnet = AT(1), .len = 24};
			confrows_add(&c, &m);
			break;
		case 6:
			m = msg_make(MSG_DHCP_NET, 0);
			m.u.dhcp_net = (struct msg_dhcp_net){.net = 9, .subnet = AT(0), .len = 24};
			confrows_add(&c, &m); /* without a server's address */
			break;
		case 7:
			commit = 2;
			break;
		default:
			break;
		}
		assert_int_equal(confrows_commit(&c, commit), -EINVAL);
		for (unsigned i = 0; i < CONFROWS_NETS; i++)
			assert_null(c.net[i]);
		confrows_fini(&c);
	}
}

static void
other_messages_are_not_taken(void **state UNUSED)
{
	struct confrows c;
	struct msg m = msg_make(MSG_NATD_NET, 0);

	confrows_init(&c);
	assert_false(confrows_add(&c, &m));
	m.type = MSG_CONF_COMMIT;
	assert_false(confrows_add(&c, &m));
	confrows_fini(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(complete_generation_is_taken_over),
	    cmocka_unit_test(next_begin_starts_over),
	    cmocka_unit_test(bad_rows_spoil_the_generation),
	    cmocka_unit_test(other_messages_are_not_taken),
	};

	return T_RUN(tests);
}
