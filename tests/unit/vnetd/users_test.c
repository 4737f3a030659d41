/* SPDX-License-Identifier: GPL-2.0-or-later
 * users_test.c - names of users and groups, and a configuration that uses them.
 */
#include "../lib/t.h"

#include "vnetd/users.h"

static void
fill(struct users *u)
{
	memset(u, 0, sizeof(*u));
	assert_true(
	    user_list_set(&u->user, strdup("root:x:0:0:root:/root:/bin/sh\n"
					   "broken\n"
					   ":x:5:5::/:\n"
					   "alice:x:1000:1000:Alice,,,:/home/alice:/bin/sh\n"
					   "nonumber:x:12a:1::/:\n"
					   "huge:x:4294967295:1::/:\n"
					   "last:x:65534:1::/:")));
	assert_true(user_list_set(&u->group, strdup("root:x:0:\nvnet:x:500:alice,bob\nlab::77:")));
}

static void
lines_are_read_and_broken_ones_skipped(void **state UNUSED)
{
	struct users u;
	uint32_t id = 1;

	fill(&u);
	assert_int_equal(u.user.n, 3);
	assert_true(user_list_find(&id, &u.user, "alice"));
	assert_int_equal(id, 1000);
	assert_true(user_list_find(&id, &u.user, "last"));
	assert_int_equal(id, 65534);
	assert_false(user_list_find(&id, &u.user, "broken"));
	assert_false(user_list_find(&id, &u.user, "nonumber"));
	assert_false(user_list_find(&id, &u.user, "huge"));
	assert_false(user_list_find(&id, &u.user, ""));
	assert_true(user_list_find(&id, &u.group, "lab"));
	assert_int_equal(id, 77);
	assert_string_equal(user_list_name(&u.user, 1000), "alice");
	assert_null(user_list_name(&u.user, 1001));
	users_fini(&u);
}

static void
a_number_is_its_own_name(void **state UNUSED)
{
	struct users u = {0};
	uint32_t id = 7;

	assert_true(user_list_find(&id, &u.user, "4294967294"));
	assert_int_equal(id, UINT32_MAX - 1);
	assert_false(user_list_find(&id, &u.user, "4294967295"));
	assert_false(user_list_find(&id, &u.user, "99999999999999999999"));
	assert_false(user_list_find(&id, &u.user, "12x"));
	assert_false(user_list_find(&id, &u.user, "-1"));
	assert_int_equal(id, UINT32_MAX - 1);
	assert_true(user_list_set(&u.user, NULL));
	users_fini(&u);
}

static struct conf *
configure(const char *text, struct diags *d)
{
	static const char networking[] = "VERSION=1,0\n";
	struct conf_sources src = {.networking = {networking, sizeof(networking) - 1},
				   .vnetd = {text, strlen(text)}};
	struct conf *c = conf_build(&src, d);

	assert_non_null(c);
	assert_false(c->fatal);
	return c;
}

static void
a_configuration_gets_its_numbers(void **state UNUSED)
{
	struct users u;
	struct diags d;
	struct conf *c;
	struct conf_rights r;
	uint32_t gid = 500;

	fill(&u);
	diags_init(&d);
	c = configure("[port fc0]\ntap = yes\nnetwork = vmnet0\nowner = alice\n"
		      "[port fc1]\ntap = yes\nnetwork = vmnet0\nowner = 7\n"
		      "[port fc2]\ntap = yes\nnetwork = vmnet0\n"
		      "[port fc3]\ntap = yes\nnetwork = vmnet0\nowner = nobody-knows\n"
		      "[user alice]\nchange = yes\n[group ghosts]\nallow = all\n",
		      &d);
	users_resolve(c, &u, 500, &d);
	assert_int_equal(c->nports, 4);
	assert_int_equal(c->port[0].owner_uid, 1000);
	assert_int_equal(c->port[1].owner_uid, 7);
	assert_int_equal(c->port[2].owner_uid, 0);
	assert_int_equal(c->port[3].owner_uid, UINT32_MAX);
	assert_int_equal(d.count[DIAG_WARNING], 2);
	assert_non_null(strstr(d.v[0].text, "\"nobody-knows\""));
	assert_non_null(strstr(d.v[1].text, "\"ghosts\""));
	conf_rights_of(c, 1000, &gid, 1, &r);
	assert_true(r.known);
	assert_true(r.change);
	conf_free(c);
	diags_fini(&d);
	users_fini(&u);
}

/* Group vnet may come from a directory that the file does not show. */
static void
group_vnet_is_known_by_priv(void **state UNUSED)
{
	struct users u = {0};
	struct diags d;
	struct conf *c;
	struct conf_rights r;
	uint32_t gid = 4711;

	diags_init(&d);
	c = configure("", &d);
	users_resolve(c, &u, 4711, &d);
	assert_int_equal(d.n, 0);
	conf_rights_of(c, 1000, &gid, 1, &r);
	assert_true(r.known);
	assert_true(conf_rights_attach(&r, 8));
	assert_false(r.change);
	gid = 4712;
	conf_rights_of(c, 1000, &gid, 1, &r);
	assert_false(r.known);
	conf_free(c);
	diags_fini(&d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_read_and_broken_ones_skipped),
	    cmocka_unit_test(a_number_is_its_own_name),
	    cmocka_unit_test(a_configuration_gets_its_numbers),
	    cmocka_unit_test(group_vnet_is_known_by_priv),
	};

	return T_RUN(tests);
}
