/* SPDX-License-Identifier: GPL-2.0-or-later
 * forward_test.c - the short way of a forward makes what the long way makes: text and model.
 */
#include "t.h"

#include <stdio.h>
#include <stdlib.h>

#include "conf/change.h"
#include "conf/forward.h"
#include "lib/strbuf.h"

#define NETS                                                                                       \
	"VERSION=1,0\nanswer VNET_8_HOSTONLY_NETMASK 255.255.255.0\n"                              \
	"answer VNET_8_HOSTONLY_SUBNET 10.8.0.0\nanswer VNET_8_NAT yes\n"                          \
	"answer VNET_8_VIRTUAL_ADAPTER yes\nanswer VNET_9_HOSTONLY_NETMASK 255.255.255.0\n"        \
	"answer VNET_9_HOSTONLY_SUBNET 10.9.0.0\nanswer VNET_9_NAT yes\n"                          \
	"answer VNET_9_VIRTUAL_ADAPTER yes\n"

static const struct ip4 guest = {0x0a080082}, other = {0x0a080083};

static struct conf *
built(const struct conf_sources *src)
{
	struct conf *c;
	struct diags d;

	diags_init(&d);
	c = conf_build(src, &d);
	assert_non_null(c);
	diags_fini(&d);
	return c;
}

static struct conf_sources
sources(const char *networking, const char *nat8)
{
	struct conf_sources src = {.networking = {networking, strlen(networking)}};

	if (nat8)
		src.nat[8] = (struct conf_file){nat8, strlen(nat8)};
	return src;
}

/* The text of `networking` after the long way; NULL: it was refused. Another file may change with it. */
static char *
long_way(const struct conf_sources *src, unsigned n, const struct conf_forward *f, bool gone,
	 bool *others)
{
	struct conf_changes ch;
	struct diags d;
	char *text = NULL;
	bool ok;

	conf_changes_init(&ch);
	diags_init(&d);
	ok = gone ? conf_remove_forward(&ch, src, n, f, &d) : conf_add_forward(&ch, src, n, f, &d);
	*others = false;
	for (size_t i = 0; ok && i < ch.n; i++) {
		if (ch.v[i].file == CONF_FILE_NETWORKING)
			text = strdup(ch.v[i].text);
		else if (ch.v[i].file == CONF_FILE_NAT && src->nat[ch.v[i].net].text)
			*others = true; /* others are written for the first time */
	}
	conf_changes_fini(&ch);
	diags_fini(&d);
	return text;
}

static void
assert_same_model(const struct conf *a, const struct conf *b)
{
	struct conf_diff *diff = calloc(1, sizeof(*diff));

	assert_non_null(diff);
	conf_diff(a, b, diff);
	assert_int_equal(diff->nnets, 0);
	free(diff);
	for (unsigned n = 0; n < CONF_NETS; n++) {
		assert_int_equal(a->net[n].nforwards, b->net[n].nforwards);
		for (size_t i = 0; i < a->net[n].nforwards; i++)
			assert_string_equal(a->net[n].forward[i].pos.file,
					    b->net[n].forward[i].pos.file);
	}
}

/* Both ways, and the model of the short one against that of the new text. The text, or NULL when the short way
 * is not taken. */
static char *
both_ways(const struct conf_sources *src, unsigned n, const struct conf_forward *f, bool gone)
{
	struct conf *c = built(src), *fresh;
	struct conf_sources now = *src;
	struct conf_forward as;
	struct strbuf out;
	char *text = NULL, *expected;
	bool others;

	strbuf_init(&out);
	if (conf_forward_text(&out, c, src->networking.text, src->networking.len, n, f, gone)) {
		expected = long_way(src, n, f, gone, &others);
		assert_non_null(expected);
		assert_false(others);
		assert_string_equal(strbuf_str(&out), expected);
		assert_true(conf_forward_apply(c, n, f, gone, &as));
		assert_int_equal(as.host_port, f->host_port);
		assert_true(as.guest_port != 0);
		now.networking = (struct conf_file){expected, strlen(expected)};
		fresh = built(&now);
		assert_same_model(c, fresh);
		conf_free(fresh);
		text = expected;
	}
	strbuf_fini(&out);
	conf_free(c);
	return text;
}

/* The short way makes this of it. */
static void
check(const char *from, bool gone, uint16_t port, const char *to)
{
	const struct conf_forward f = {.proto = CONF_TCP,
				       .host_port = port,
				       .guest = guest,
				       .guest_port = 80,
				       .description = " web\n1 "};
	const struct conf_sources src = sources(from, NULL);
	char *text = both_ways(&src, 8, &f, gone);

	if (to) {
		assert_non_null(text);
		assert_string_equal(text, to);
	} else {
		assert_null(text);
	}
	free(text);
}

static void
a_line_is_added_where_the_commands_end(void **state UNUSED)
{
	check(NETS, false, 8080, NETS "add_nat_portfwd 8 tcp 8080 10.8.0.130 80  web 1 \n");
	check(NETS "# end\n\n", false, 8080,
	      NETS "add_nat_portfwd 8 tcp 8080 10.8.0.130 80  web 1 \n# end\n\n");
	check(NETS "add_nat_portfwd 8 udp 8080 10.8.0.131 8080", false, 8080,
	      NETS "add_nat_portfwd 8 udp 8080 10.8.0.131 8080\n"
		   "add_nat_portfwd 8 tcp 8080 10.8.0.130 80  web 1 \n");
	check(NETS "add_nat_portfwd 8 tcp 80 10.8.0.131 8080\r\n", false, 8080,
	      NETS "add_nat_portfwd 8 tcp 80 10.8.0.131 8080\r\n"
		   "add_nat_portfwd 8 tcp 8080 10.8.0.130 80  web 1 \r\n");
	/* Another network's line, and one that only looks like it. */
	check(NETS "junk tcp 8080\nadd_nat_portfwd 8 tcp 18080 10.8.0.131 1\n", false, 8080,
	      NETS "junk tcp 8080\nadd_nat_portfwd 8 tcp 18080 10.8.0.131 1\n"
		   "add_nat_portfwd 8 tcp 8080 10.8.0.130 80  web 1 \n");
}

static void
a_line_that_is_about_the_port_needs_the_long_way(void **state UNUSED)
{
	check(NETS "add_nat_portfwd 8 tcp 8080 10.8.0.131 1\n", false, 8080, NULL);
	check(NETS "add_nat_portfwd 8 tcp 8080 10.8.0.131 1\n", false, 8080, NULL);
	check(NETS "add_nat_portfwd\t8  TCP\t008080 10.77.0.131 1\n", false, 8080, NULL);
	check(NETS "remove_nat_portfwd 8 tcp 8080\n", false, 8080, NULL);
	check(NETS "add_dhcp_mac_to_ip 8 00:0c:29:00:00:01 10.8.0.5remove_nat_portfwd 8 tcp 8080\n",
	      false, 8080, NULL);
	check(NETS "add_nat_portfwd 9 tcp 8080 10.9.0.131 1\n", false, 8080, NULL);
	check(NETS, false, 0, NULL);
	check("VERSION=2,0\n", false, 8080, NULL);
	/* Nothing to remove; somebody else's; one that another is waiting for. */
	check(NETS, true, 8080, NULL);
	check(NETS "add_nat_portfwd 9 tcp 8080 10.9.0.131 1\n", true, 8080, NULL);
	check(NETS "add_nat_portfwd 9 tcp 8080 10.9.0.131 1\n"
		   "add_nat_portfwd 8 tcp 8080 10.8.0.131 1\n",
	      true, 8080, NULL);
}

static void
lines_are_cut_out_and_others_stay(void **state UNUSED)
{
	check(NETS "add_nat_portfwd 8 tcp 8080 10.8.0.131 1\n", true, 8080, NETS);
	check(NETS "  add_nat_portfwd 8 tcp 8080 10.8.0.131 1 x\r\n# a\nadd_nat_portfwd 8 tcp 1 "
		   "10.8.0.131 "
		   "8080\nadd_nat_portfwd 8 tcp 8080 10.8.0.132 2",
	      true, 8080, NETS "# a\nadd_nat_portfwd 8 tcp 1 10.8.0.131 8080\n");
	check(NETS "remove_nat_portfwd 8 tcp 8080\nadd_nat_portfwd 8 tcp 08080 10.8.0.131 1\n"
		   "add_nat_portfwd 8 udp 8080 10.8.0.131 1\n",
	      true, 8080, NETS "add_nat_portfwd 8 udp 8080 10.8.0.131 1\n");
}

static void
nat_conf_needs_the_long_way(void **state UNUSED)
{
	static const char nat[] = "[host]\nip = 10.8.0.2/24\n[incomingtcp]\n8080 = 10.8.0.131:80\n"
				  "9090 = 10.77.0.1:80\n";
	struct conf_forward f = {.proto = CONF_TCP, .guest = other, .guest_port = 80};
	struct conf_sources src = sources(NETS "add_nat_portfwd 8 tcp 8080 10.8.0.131 1\n", nat);
	char *text;

	f.host_port = 8080;
	assert_null(both_ways(&src, 8, &f, true));
	f.host_port = 9090;
	assert_null(both_ways(&src, 8, &f, false));
	f.host_port = 7070;
	text = both_ways(&src, 8, &f, false);
	assert_non_null(text);
	free(text);
}

/* A model lives on while forwards come and go, as a file does. */
static void
thousands_of_changes_in_a_row(void **state UNUSED)
{
	struct conf_sources src = sources(NETS, NULL);
	struct conf *c = built(&src), *fresh;
	char *text = strdup(NETS);
	unsigned seed = 1, simple = 0;

	for (unsigned i = 0; i < 3000; i++) {
		char words[16];
		struct conf_forward f = {.guest_port = 1, .description = words}, as;
		bool gone, took;
		struct strbuf out;

		seed = seed * 1103515245 + 12345;
		f.proto = seed >> 16 & 1 ? CONF_UDP : CONF_TCP;
		f.host_port = (uint16_t)(1 + (seed >> 17) % 97);
		f.guest = (struct ip4){0x0a080003 + (seed >> 24) % 100};
		snprintf(words, sizeof(words), "n %u", i);
		gone = seed >> 30 & 1;
		strbuf_init(&out);
		took = conf_forward_text(&out, c, text, strlen(text), 8, &f, gone);
		if (took) {
			assert_true(conf_forward_apply(c, 8, &f, gone, &as));
			free(text);
			text = strbuf_take(&out);
			simple++;
		}
		strbuf_fini(&out);
	}
	assert_true(simple > 1000);
	src = sources(text, NULL);
	fresh = built(&src);
	assert_same_model(c, fresh);
	conf_free(fresh);
	conf_free(c);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_added_where_the_commands_end),
	    cmocka_unit_test(a_line_that_is_about_the_port_needs_the_long_way),
	    cmocka_unit_test(lines_are_cut_out_and_others_stay),
	    cmocka_unit_test(nat_conf_needs_the_long_way),
	    cmocka_unit_test(thousands_of_changes_in_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
