/* SPDX-License-Identifier: GPL-2.0-or-later
 * guestname_test.c - names that guests get, and that they do not get.
 */
#include "t.h"

#include <string.h>

#include "lib/guestname.h"

static void
the_first_part_counts(void **state UNUSED)
{
	char label[GUESTNAME_MAX + 1], longest[GUESTNAME_MAX + 2];

	assert_true(guestname_label(label, "Web-1"));
	assert_string_equal(label, "web-1");
	assert_true(guestname_label(label, "www.example.com"));
	assert_string_equal(label, "www");
	memset(longest, 'x', sizeof(longest));
	longest[GUESTNAME_MAX] = '\0';
	assert_true(guestname_label(label, longest));
	assert_string_equal(label, longest);
}

static void
nobody_gets_these(void **state UNUSED)
{
	static const char *const none[] = {"",    ".x",        "-a",   "a-",       "a_b",
					   "a b", "localhost", "WPAD", "isatap.x", "Localhost.x"};
	char label[GUESTNAME_MAX + 1], longer[GUESTNAME_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(guestname_label(label, none[i]));
	memset(longer, 'x', sizeof(longer));
	longer[GUESTNAME_MAX + 1] = '\0';
	assert_false(guestname_label(label, longer));
}

static void
a_guest_is_asked_for_in_its_own_domains(void **state UNUSED)
{
	assert_true(guestname_domain("", 8));
	assert_true(guestname_domain("LocalDomain", 8));
	assert_true(guestname_domain("vmnet8", 8));
	assert_false(guestname_domain("vmnet80", 8));
	assert_false(guestname_domain("vmnet8", 9));
	assert_false(guestname_domain("vmnet", 8));
	assert_false(guestname_domain("example.com", 8));
	assert_false(guestname_domain("vmnet8.example.com", 8));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_part_counts),
	    cmocka_unit_test(nobody_gets_these),
	    cmocka_unit_test(a_guest_is_asked_for_in_its_own_domains),
	};

	return cmocka_run_group_tests_name("guestname", tests, NULL, NULL);
}
