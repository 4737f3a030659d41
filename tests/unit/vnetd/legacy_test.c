/* SPDX-License-Identifier: GPL-2.0-or-later
 * legacy_test.c - tables of ip_tables, made as the kernel lays them out.
 */
#include "../lib/t.h"

#include <netinet/in.h>

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

/* vmnet8 is 172.16.8.0/24, with a name server; of the others nothing is known. */
static const struct legacy_net nets[256] = {
    [8] = {{{0xac100800}, 24}, {0xac100802}},
};

/* -s and -d of the next rule, as iptables takes them: "! 172.16.0.0/12". */
static const char *src = "", *dst = "";
static uint8_t protocol;
/* The name of the match that a rule has besides. */
static const char *match_name = "";

static bool
set_addr(struct in_addr *addr, struct in_addr *mask, const char *word)
{
	bool inverted = *word == '!';
	unsigned a, b, c, d, len;

	if (!*word)
		return false;
	assert_int_equal(sscanf(word + 2 * inverted, "%u.%u.%u.%u/%u", &a, &b, &c, &d, &len), 5);
	mask->s_addr = ip4_be(ip4_mask(len));
	addr->s_addr = ip4_be((struct ip4){a << 24 | b << 16 | c << 8 | d}) & mask->s_addr;
	return inverted;
}

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
	struct xt_entry_match m = {.u.user = {.match_size = 32}};
	const size_t at = t.len, extra = match ? 32 : 0;

	set_iface(e.ip.iniface, e.ip.iniface_mask, in + 2 * (*in == '!'));
	set_iface(e.ip.outiface, e.ip.outiface_mask, out + 2 * (*out == '!'));
	e.ip.invflags =
	    (uint8_t)((*in == '!' ? IPT_INV_VIA_IN : 0) | (*out == '!' ? IPT_INV_VIA_OUT : 0));
	e.ip.invflags |= set_addr(&e.ip.src, &e.ip.smsk, src) ? IPT_INV_SRCIP : 0;
	e.ip.invflags |= set_addr(&e.ip.dst, &e.ip.dmsk, dst) ? IPT_INV_DSTIP : 0;
	e.ip.proto = protocol;
	e.target_offset = (uint16_t)(sizeof(e) + extra);
	e.next_offset = (uint16_t)(e.target_offset + sizeof(x) + 8);
	x.u.user.target_size = sizeof(x) + 8;
	snprintf(x.u.user.name, sizeof(x.u.user.name), "%s", target);
	memcpy(t.bytes + t.len, &e, sizeof(e));
	snprintf(m.u.user.name, sizeof(m.u.user.name), "%s", match_name);
	memcpy(t.bytes + t.len + sizeof(e), &m, match ? sizeof(m) : 0);
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
	assert_true(legacy_read(&r, t.bytes, t.len, &t.hooks, nets));
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
		assert_int_equal(r.forward.in[n], n == 8   ? LEGACY_PASSES
						  : n == 9 ? LEGACY_DROPS
							   : LEGACY_NOTHING);
		assert_int_equal(r.forward.out[n], n == 8 ? LEGACY_PASSES : LEGACY_NOTHING);
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
	assert_false(r.forward.in[2] || r.forward.out[1]);
	assert_false(legacy_is_dropped(&r.forward, r.forward.inside[1])); /* -i lets it pass too */
	assert_true(r.forward.inside[8] && r.forward.in[8] && !r.forward.out[8]);
	assert_true(r.forward.inside[9] && !r.forward.in[9] && !r.forward.out[9]);
	/* Chain FORWARD does nothing for those to the host. */
	assert_false(r.input.in[1] || r.input.in[8]);
	begin(NF_ACCEPT);
	rule("+", "", false, "", VERDICT(NF_ACCEPT));
	r = end(NF_DROP);
	assert_false(r.forward.in[1]);
	assert_false(r.forward.drops);
}

/* What a rule in chain FORWARD, which lets pass otherwise, makes of vmnet8's packets: a letter for each of those to the
 * outside, to guests, between guests: Drop, Pass, "-". */
static const char *
said_by(const char *in, const char *out, const char *from, const char *to, bool match,
	const char *target, int verdict)
{
	static const char letters[] = {'-', 'P', 'D'};
	static char word[4];
	struct legacy_rules r;

	src = dst = "";
	begin(NF_ACCEPT);
	src = from;
	dst = to;
	rule(in, out, match, target, verdict);
	src = dst = "";
	r = end(NF_ACCEPT);
	word[0] = letters[r.forward.in[8]];
	word[1] = letters[r.forward.out[8]];
	word[2] = letters[r.forward.inside[8]];
	/* Nobody else is meant by addresses, as those of others are not known. */
	for (unsigned n = 0; n < 256; n++)
		assert_true(*in || *out || !*from || n == 8 || r.forward.in[n] != LEGACY_DROPS);
	assert_int_equal(r.input.in[8], LEGACY_NOTHING);
	assert_false(r.forward.drops);
	return word;
}

static void
addresses_are_followed(void **state UNUSED)
{
	static const struct {
		const char *in, *out, *src, *dst, *said;
	} drops[] = {
	    {"", "", "172.16.0.0/12", "", "D-D"},
	    {"", "", "172.16.8.0/24", "", "D-D"},
	    {"", "", "", "172.16.0.0/12", "-DD"},
	    {"", "", "! 192.168.0.0/16", "", "DDD"},
	    {"", "", "", "! 192.168.0.0/16", "DDD"},
	    {"", "", "! 198.0.0.0/8", "", "D-D"}, /* the answers of some */
	    {"vmnet8", "", "", "", "D-D"},
	    {"vmnet8", "", "172.16.0.0/12", "", "D-D"},
	    {"vmnet8", "! vmnet8", "", "", "D--"},
	    {"! eth0", "", "", "", "D-D"},
	    {"vmnet+", "! vmnet+", "", "", "D--"},
	    {"", "vmnet8", "", "", "-DD"},
	    {"! vmnet8", "vmnet8", "", "", "-D-"},
	    {"vmnet8", "vmnet8", "", "", "--D"},
	    {"", "", "172.16.8.0/24", "172.16.8.0/24", "--D"},
	    /* Of some guests, or to some of the outside. */
	    {"", "", "172.16.8.128/25", "", "---"},
	    {"", "", "! 172.16.8.128/25", "", "-D-"},
	    {"", "", "172.16.8.0/24", "10.0.0.0/8", "---"},
	    {"", "", "10.0.0.0/8", "172.16.8.0/24", "---"},
	    {"", "eth0", "172.16.0.0/12", "", "---"},
	    {"", "! eth0", "172.16.0.0/12", "", "--D"},
	    {"eth0", "", "", "172.16.0.0/12", "---"},
	    /* Of others. */
	    {"", "", "192.168.0.0/16", "", "---"},
	    {"", "", "! 172.16.0.0/12", "", "-D-"}, /* not of ours, but what comes back */
	    {"eth0", "", "172.16.0.0/12", "", "---"},
	    {"vmnet9", "", "172.16.0.0/12", "", "---"},
	    {"! vmnet8", "", "172.16.0.0/12", "", "---"},
	};

	for (size_t i = 0; i < ARRAY_LEN(drops); i++) {
		const char *said = said_by(drops[i].in, drops[i].out, drops[i].src, drops[i].dst,
					   false, "", VERDICT(NF_DROP));

		if (strcmp(said, drops[i].said))
			fail_msg("-i \"%s\" -o \"%s\" -s \"%s\" -d \"%s\": %s", drops[i].in,
				 drops[i].out, drops[i].src, drops[i].dst, said);
		/* With a condition that is not followed nothing is certain. */
		said = said_by(drops[i].in, drops[i].out, drops[i].src, drops[i].dst, true, "",
			       VERDICT(NF_DROP));
		assert_string_equal(said, "---");
		protocol = 6;
		said = said_by(drops[i].in, drops[i].out, drops[i].src, drops[i].dst, false, "",
			       VERDICT(NF_DROP));
		protocol = 0;
		assert_string_equal(said, "---");
	}
	assert_string_equal(said_by("", "", "172.16.0.0/12", "", false, "REJECT", 0), "D-D");
	/* A target that does something else, and a chain that is led to. */
	assert_string_equal(said_by("", "", "172.16.0.0/12", "", false, "LOG", 0), "---");
	assert_string_equal(said_by("", "", "172.16.0.0/12", "", false, "", 4000), "---");
	assert_string_equal(said_by("", "", "172.16.0.0/12", "", false, "", XT_RETURN), "---");
}

static void
who_accepts_in_doubt_lets_pass(void **state UNUSED)
{
	const int accept = VERDICT(NF_ACCEPT);

	assert_string_equal(said_by("", "", "172.16.0.0/12", "", false, "", accept), "P-P");
	assert_string_equal(said_by("", "", "172.16.8.77/32", "", true, "", accept), "P-P");
	assert_string_equal(said_by("", "", "", "172.16.8.0/24", false, "", accept), "-PP");
	assert_string_equal(said_by("", "eth0", "172.16.8.0/24", "8.8.8.8/32", true, "", accept),
			    "P--");
	assert_string_equal(said_by("", "", "! 10.0.0.0/8", "", false, "", accept), "P-P");
	assert_string_equal(said_by("", "", "10.0.0.0/8", "", false, "", accept), "---");
	assert_string_equal(said_by("vmnet9", "vmnet8", "", "", false, "", accept), "---");
	/* What comes back is often let pass by its connection, and that says nothing of what guests begin. */
	match_name = "conntrack";
	assert_string_equal(said_by("", "", "", "", true, "", accept), "-P-");
	assert_string_equal(said_by("eth0", "", "", "", true, "", accept), "-P-");
	assert_string_equal(said_by("", "docker0", "", "", true, "", accept), "---");
	match_name = "tcp";
	assert_string_equal(said_by("", "", "", "", true, "", accept), "---");
	match_name = "";
}

static void
the_order_counts_in_built_in_chains(void **state UNUSED)
{
	struct legacy_rules r;

	begin(NF_ACCEPT);
	src = "172.16.0.0/12";
	rule("", "", false, "", VERDICT(NF_DROP));
	rule("", "", false, "", VERDICT(NF_ACCEPT));
	src = "";
	rule("vmnet8", "", false, "", VERDICT(NF_ACCEPT));
	r = end(NF_ACCEPT);
	assert_int_equal(r.forward.in[8], LEGACY_DROPS);
	assert_true(legacy_is_dropped(&r.forward, r.forward.in[8]));
	assert_false(legacy_is_dropped(&r.forward, r.forward.out[8]));
	assert_int_equal(r.forward.in[9], LEGACY_NOTHING); /* its addresses are not known */

	begin(NF_ACCEPT);
	rule("vmnet8", "", true, "", VERDICT(NF_ACCEPT));
	src = "172.16.0.0/12";
	rule("", "", false, "", VERDICT(NF_DROP));
	src = "";
	r = end(NF_DROP);
	assert_false(legacy_is_dropped(&r.forward, r.forward.in[8]));
	assert_true(legacy_is_dropped(&r.forward, r.forward.out[8]));

	/* Nothing behind a rule for all. */
	begin(NF_ACCEPT);
	rule("", "", false, "", VERDICT(NF_ACCEPT));
	src = "172.16.0.0/12";
	rule("", "", false, "", VERDICT(NF_DROP));
	src = "";
	r = end(NF_ACCEPT);
	assert_int_equal(r.forward.in[8], LEGACY_NOTHING);

	/* A chain of somebody's, to which a rule may lead before. */
	begin(NF_ACCEPT);
	src = "172.16.0.0/12";
	rule("", "", false, "", VERDICT(NF_DROP));
	t.hooks.forward_policy = (uint32_t)policy(NF_ACCEPT);
	rule("", "", false, "", VERDICT(NF_ACCEPT));
	src = "";
	assert_true(legacy_read(&r, t.bytes, t.len, &t.hooks, nets));
	assert_int_equal(r.forward.in[8], LEGACY_PASSES);

	/* The same for the host; no packet to it has an interface to leave by. */
	begin(NF_DROP);
	t.hooks.forward_policy = (uint32_t)policy(NF_ACCEPT);
	rule("vmnet1+", "", false, "", VERDICT(NF_ACCEPT));
	rule("vmnet8", "eth0", false, "", VERDICT(NF_ACCEPT));
	assert_true(legacy_read(&r, t.bytes, t.len, &t.hooks, nets));
	assert_false(legacy_is_dropped(&r.input, r.input.in[1]));
	assert_true(legacy_is_dropped(&r.input, r.input.in[8]));
	assert_int_equal(r.forward.in[8], LEGACY_PASSES);
}

static void
the_way_to_the_name_server(void **state UNUSED)
{
	static const struct {
		const char *src, *dst;
		enum legacy_said said;
	} rows[] = {
	    {"172.16.0.0/12", "", LEGACY_DROPS},
	    {"", "172.16.8.2/32", LEGACY_DROPS},
	    {"172.16.8.0/24", "! 10.0.0.0/8", LEGACY_DROPS},
	    {"", "172.16.8.1/32", LEGACY_NOTHING},
	    {"10.0.0.0/8", "", LEGACY_NOTHING},
	    {"172.16.8.0/24", "! 172.16.8.2/32", LEGACY_NOTHING},
	};
	struct legacy_rules r;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memset(&t, 0, sizeof(t));
		src = rows[i].src;
		dst = rows[i].dst;
		rule("", "", false, "", VERDICT(NF_DROP));
		src = dst = "";
		t.hooks.input_policy = (uint32_t)policy(NF_ACCEPT);
		t.hooks.forward = (uint32_t)t.len;
		r = end(NF_ACCEPT);
		if (r.input.in[8] != rows[i].said)
			fail_msg("-s \"%s\" -d \"%s\": %u", rows[i].src, rows[i].dst,
				 r.input.in[8]);
		assert_int_equal(r.forward.in[8], LEGACY_NOTHING);
	}
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
		legacy_read(&r, copy, n, &t.hooks, nets);
		free(copy);
	}
	assert_false(legacy_read(&r, t.bytes, 3, &t.hooks, nets));
	for (size_t i = 0; i < t.len; i++) {
		uint8_t was = t.bytes[i];

		t.bytes[i] = 0xff;
		legacy_read(&r, t.bytes, t.len, &t.hooks, nets);
		t.bytes[i] = 0;
		legacy_read(&r, t.bytes, t.len, &t.hooks, nets);
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
	    cmocka_unit_test(addresses_are_followed),
	    cmocka_unit_test(who_accepts_in_doubt_lets_pass),
	    cmocka_unit_test(the_order_counts_in_built_in_chains),
	    cmocka_unit_test(the_way_to_the_name_server),
	    cmocka_unit_test(what_no_kernel_says_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
