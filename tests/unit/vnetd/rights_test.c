/* SPDX-License-Identifier: GPL-2.0-or-later
 * rights_test.c - who may ask what.
 */
#include "../lib/t.h"

#include "vnetd/rights.h"

static const enum msg_type reads[] = {
    MSG_REDIRECT_LIST, MSG_REDIRECT_SHOW, MSG_STATUS_GET,  MSG_NET_LIST,     MSG_PORT_LIST,
    MSG_FORWARD_LIST,  MSG_LEASE_LIST,    MSG_EVENT_WATCH, MSG_PROMISC_LIST, MSG_DHCP_STATS,
    MSG_CONN_LIST,     MSG_HOLD_LIST,     MSG_DNS_STATS,   MSG_RELAY_LIST};
static const enum msg_type changes[] = {MSG_REDIRECT_KILL, MSG_RELOAD_ASK,     MSG_NET_CREATE,
					MSG_NET_DELETE,    MSG_NET_SET,        MSG_PORT_SETTING,
					MSG_PORT_UNPIN,    MSG_PROMISC_DECIDE, MSG_RESERVE,
					MSG_UNRESERVE,     MSG_FORWARD_ADD,    MSG_FORWARD_REMOVE};
/* Of one port, or judged when it is known of what: a member's request is looked at, and rights_detach() judges whose port it is. */
static const enum msg_type own[] = {MSG_DETACH, MSG_PROMISC_ASK, MSG_RX_FILTER, MSG_CAPTURE};

static struct rights
member(void)
{
	return (struct rights){.uid = 1000, .conf = {.known = true}};
}

static bool
may(const struct rights *r, enum msg_type t, char why[RIGHTS_WHY_MAX])
{
	struct msg m = msg_make(t, 1);

	m.u.attach.net = 8;
	return rights_request(why, r, &m);
}

static void
root_may_everything_that_is_a_request(void **state UNUSED)
{
	const struct rights root = {.uid = 0};
	char why[RIGHTS_WHY_MAX];

	for (size_t i = 0; i < ARRAY_LEN(reads); i++)
		assert_true(may(&root, reads[i], why));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		assert_true(may(&root, changes[i], why));
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		assert_true(may(&root, own[i], why));
	assert_true(may(&root, MSG_ATTACH, why));
}

static void
a_stranger_may_nothing(void **state UNUSED)
{
	const struct rights stranger = {.uid = 1000};
	char why[RIGHTS_WHY_MAX];

	for (unsigned t = MSG_NONE; t < MSG_N; t++) {
		assert_false(may(&stranger, (enum msg_type)t, why));
		assert_true(*why != '\0');
	}
}

static void
a_member_reads_and_changes_nothing(void **state UNUSED)
{
	const struct rights r = member();
	char why[RIGHTS_WHY_MAX];

	for (size_t i = 0; i < ARRAY_LEN(reads); i++)
		assert_true(may(&r, reads[i], why));
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		assert_true(may(&r, own[i], why));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		assert_false(may(&r, changes[i], why));
		assert_non_null(strstr(why, "change = yes"));
	}
}

static void
attaching_depends_on_the_network(void **state UNUSED)
{
	struct rights r = member();
	struct msg m = msg_make(MSG_ATTACH, 1);
	char why[RIGHTS_WHY_MAX];

	m.u.attach.net = 8;
	assert_false(rights_request(why, &r, &m));
	assert_non_null(strstr(why, "allow = vmnet8"));
	r.conf.allow[8 / 8] |= 1 << 8 % 8;
	assert_true(rights_request(why, &r, &m));
	m.u.attach.net = 9;
	assert_false(rights_request(why, &r, &m));
	m.u.attach.net = 0xffff;
	memset(r.conf.allow, 0xff, sizeof(r.conf.allow));
	assert_false(rights_request(why, &r, &m));
}

/* Messages of the other processes are no requests, whoever sends them. */
static void
the_rest_of_the_vocabulary_is_no_request(void **state UNUSED)
{
	const struct rights root = {.uid = 0};
	unsigned allowed = 0;
	char why[RIGHTS_WHY_MAX];

	for (unsigned t = MSG_NONE; t < MSG_N; t++)
		allowed += may(&root, (enum msg_type)t, why);
	assert_int_equal(allowed, ARRAY_LEN(reads) + ARRAY_LEN(changes) + ARRAY_LEN(own) + 1);
	assert_false(may(&root, MSG_BRIDGE_DEL, why));
	assert_non_null(strstr(why, "BRIDGE_DEL"));
	assert_false(may(&root, MSG_GATE_SET, why));
	assert_non_null(strstr(why, "GATE_SET"));
}

static void
namespaces_and_ports_belong_to_somebody(void **state UNUSED)
{
	const struct rights root = {.uid = 0};
	struct rights r = member();
	char why[RIGHTS_WHY_MAX];

	assert_true(rights_netns(why, &root, 1234));
	assert_true(rights_netns(why, &r, 1000));
	assert_false(rights_netns(why, &r, 0));
	r.conf.max_ports = 2;
	assert_true(rights_ports(why, &r, 1));
	assert_false(rights_ports(why, &r, 2));
	assert_non_null(strstr(why, "you have 2 ports already"));
	assert_true(rights_ports(why, &root, 4000));
	assert_true(rights_detach(why, &r, 1000));
	assert_false(rights_detach(why, &r, 1001));
	assert_false(rights_detach(why, &r, MSG_UID_NONE));
	assert_true(rights_detach(why, &root, MSG_UID_NONE));
	r.conf.change = true;
	assert_true(rights_detach(why, &r, 1001));
	/* The right to change networks does not reach into other people's namespaces. */
	assert_false(rights_netns(why, &r, 1001));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(root_may_everything_that_is_a_request),
	    cmocka_unit_test(a_stranger_may_nothing),
	    cmocka_unit_test(a_member_reads_and_changes_nothing),
	    cmocka_unit_test(attaching_depends_on_the_network),
	    cmocka_unit_test(the_rest_of_the_vocabulary_is_no_request),
	    cmocka_unit_test(namespaces_and_ports_belong_to_somebody),
	};

	return T_RUN(tests);
}
