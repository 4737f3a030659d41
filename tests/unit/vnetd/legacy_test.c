/* SPDX-License-Identifier: GPL-2.0-or-later
 * legacy_test.c - tables of ip_tables, made as the kernel lays them out.
 */
#include "../lib/t.h"

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vnetd/legacy.h"

#define VERDICT(v) (-(v)-1)

/* A table being written. */
static struct {
	uint8_t bytes[8192];
	size_t len;
	struct legacy_hooks hooks;
} t;

/* As iptables does: a final '+' stands for any ending. */
static void
set_iface(char name[IFNAMSIZ], unsigned char mask[IFNAMSIZ], const char *word)
{
	size_t n = strlen(word);
	bool any = n > 0 && word[n - 1] == '+';

	snprintf(name, IFNAMSIZ, "%.*s", (int)(any ? n - 1 : n), word);
	if (n > 0)
		memset(mask, 0xff, any ? n - 1 : n + 1);
}

/* One rule: of an extension when `target` is not "". match: it has a condition besides. */
static size_t
rule(const char *in, const char *out, bool match, const char *target, int verdict)
{
	struct ipt_entry e = {0};
	struct xt_entry_target x = {0};
	const size_t at = t.len, extra = match ? 32 : 0;

	set_iface(e.ip.iniface, e.ip.iniface_mask, in);
	set_iface(e.ip.outiface, e.ip.outiface_mask, out);
	e.target_offset = (uint16_t)(sizeof(e) + extra);
	e.next_offset = (uint16_t)(e.target_offset + sizeof(x) + 8);
	x.u.user.target_size = sizeof(x) + 8;
	snprintf(x.u.user.name, sizeof(x.u.user.name), "%s", target);
	memcpy(t.bytes + t.len, &e, sizeof(e));
	memcpy(t.bytes + t.len + e.target_offset, &x, sizeof(x));
	memcpy(t.bytes + t.len + e.target_offset + sizeof(x), &verdict, sizeof(verdict));
	t.len += e.next_offset;
	return at;
}

static size_t
policy(int verdict)
{
	return rule("", "", false, "", VERDICT(verdict));
}

static void
begin(int input)
{
	memset(&t, 0, sizeof(t));
	t.hooks.input = t.hooks.input_policy = (uint32_t)policy(input);
	t.hooks.forward = (uint32_t)t.len;
}

static struct legacy_rules
end(int forward)
{
	struct legacy_rules r;

	t.hooks.forward_policy = (uint32_t)policy(forward);
	rule("", "", false, XT_ERROR_TARGET, 0);
	assert_true(legacy_read(&r, t.bytes, t.len, &t.hooks));
	return r;
}

static void
policies(void **state UNUSED)
{
	struct legacy_rules r;

	begin(NF_ACCEPT);
	r = end(NF_ACCEPT);
	assert_false(r.input.drops || r.forward.drops);
	begin(NF_ACCEPT);
	r = end(NF_DROP);
	assert_false(r.input.drops);
	assert_true(r.forward.drops);
	begin(NF_DROP);
	r = end(NF_ACCEPT);
	assert_true(r.input.drops);
	assert_false(r.forward.drops);
}

static void
rules_that_settle_it(void **state UNUSED)
{
	struct legacy_rules r;

	begin(NF_ACCEPT);
	rule("", "", true, "", VERDICT(NF_DROP)); /* some packets only */
	rule("eth9", "", false, "", VERDICT(NF_DROP));
	r = end(NF_ACCEPT);
	assert_false(r.forward.drops);
	begin(NF_ACCEPT);
	rule("", "", false, "REJECT", 0);
	r = end(NF_ACCEPT);
	assert_true(r.forward.drops);
	begin(NF_ACCEPT);
	rule("", "", false, "", VERDICT(NF_ACCEPT));
	rule("", "", false, "", VERDICT(NF_DROP));
	r = end(NF_DROP);
	assert_false(r.forward.drops);
	begin(NF_ACCEPT);
	rule("", "", false, "LOG", 0);
	r = end(NF_DROP);
	assert_true(r.forward.drops);
}

static void
networks_that_are_let_pass(void **state UNUSED)
{
	struct legacy_rules r;

	begin(NF_ACCEPT);
	rule("vmnet8", "", false, "", VERDICT(NF_ACCEPT));
	rule("", "vmnet8", true, "", VERDICT(NF_ACCEPT));
	rule("vmnet9", "", false, "", VERDICT(NF_DROP));
	rule("vmnet256", "", false, "", VERDICT(NF_ACCEPT));
	rule("vmnet7x", "", false, "", VERDICT(NF_ACCEPT));
	r = end(NF_DROP);
	assert_true(r.forward.drops);
	for (unsigned n = 0; n < 256; n++) {
		assert_int_equal(r.forward.in[n], n == 8);
		assert_int_equal(r.forward.out[n], n == 8);
	}
}

static void
wildcards_and_both_sides(void **state UNUSED)
{
	struct legacy_rules r;

	begin(NF_ACCEPT);
	rule("vmnet1+", "", false, "", VERDICT(NF_ACCEPT));
	rule("vmnet8", "vmnet8", false, "", VERDICT(NF_ACCEPT));
	rule("vmnet8", "eth0", false, "", VERDICT(NF_ACCEPT));
	rule("vmnet9", "vmnet9", false, "", VERDICT(NF_ACCEPT));
	r = end(NF_DROP);
	assert_true(r.forward.in[1] && r.forward.in[10] && r.forward.in[199]);
	assert_false(r.forward.in[2] || r.forward.out[1] || r.forward.inside[1]);
	assert_true(r.forward.inside[8] && r.forward.in[8] && !r.forward.out[8]);
	assert_true(r.forward.inside[9] && !r.forward.in[9] && !r.forward.out[9]);
	/* No packet to the host has an interface to leave by. */
	assert_true(r.input.in[1] && !r.input.in[8]);
	begin(NF_ACCEPT);
	rule("+", "", false, "", VERDICT(NF_ACCEPT));
	r = end(NF_DROP);
	assert_false(r.forward.in[1]);
	assert_false(r.forward.drops);
}

/* Every beginning of a table, and every byte of it replaced. */
static void
what_no_kernel_says_is_refused(void **state UNUSED)
{
	struct legacy_rules r;

	begin(NF_ACCEPT);
	rule("vmnet8", "", true, "", VERDICT(NF_ACCEPT));
	end(NF_DROP);
	for (size_t n = 1; n < t.len; n++) {
		uint8_t *copy = malloc(n);

		assert_non_null(copy);
		memcpy(copy, t.bytes, n);
		legacy_read(&r, copy, n, &t.hooks);
		free(copy);
	}
	assert_false(legacy_read(&r, t.bytes, 3, &t.hooks));
	for (size_t i = 0; i < t.len; i++) {
		uint8_t was = t.bytes[i];

		t.bytes[i] = 0xff;
		legacy_read(&r, t.bytes, t.len, &t.hooks);
		t.bytes[i] = 0;
		legacy_read(&r, t.bytes, t.len, &t.hooks);
		t.bytes[i] = was;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(policies),
	    cmocka_unit_test(rules_that_settle_it),
	    cmocka_unit_test(networks_that_are_let_pass),
	    cmocka_unit_test(wildcards_and_both_sides),
	    cmocka_unit_test(what_no_kernel_says_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
