/* SPDX-License-Identifier: GPL-2.0-or-later
 * networking_test.c - the log folded, its positions, its canonical text, and edits of single facts.
 */
#include "t.h"

#include "conf/networking.h"

struct fixture {
	struct networking nw;
	struct arena a;
	struct diags d;
};

static void
parse(struct fixture *f, const char *text)
{
	arena_init(&f->a);
	diags_init(&f->d);
	networking_parse(&f->nw, &f->a, "networking", text, strlen(text), &f->d);
}

static void
fini(struct fixture *f)
{
	arena_fini(&f->a);
	diags_fini(&f->d);
}

static void
the_last_line_about_a_fact_wins(void **state UNUSED)
{
	struct fixture f;

	parse(&f, "VERSION=1,0\nanswer VNET_8_DHCP yes\nanswer VNET_8_DHCP no\n"
		  "answer VNET_8_NAT yes\nremove_answer VNET_8_NAT\n"
		  "remove_answer VNET_1_DHCP\nanswer VNET_1_DHCP yes\n");
	assert_int_equal(f.nw.nanswers, 2);
	assert_string_equal(networking_answer(&f.nw, 8, "DHCP")->value, "no");
	assert_null(networking_answer(&f.nw, 8, "NAT"));
	assert_true(networking_yes(&f.nw, 1, "DHCP", false));
	assert_false(networking_yes(&f.nw, 8, "DHCP", true));
	assert_true(networking_yes(&f.nw, 2, "DHCP", true));
	fini(&f);
}

static void
positions_are_those_of_the_text(void **state UNUSED)
{
	const struct nw_answer *a;
	struct fixture f;

	parse(&f, "VERSION=1,0\n\n  answer  VNET_8_MTU   9000 x\n");
	a = networking_answer(&f.nw, 8, "MTU");
	assert_int_equal(a->pos.line, 3);
	assert_int_equal(a->pos.col, 3);
	assert_int_equal(a->value_pos.col, 24);
	assert_string_equal(a->value, "9000");
	fini(&f);
}

static void
everything_is_sorted_whatever_the_order_of_lines(void **state UNUSED)
{
	struct fixture f;

	parse(&f, "VERSION=1,0\nadd_nat_portfwd 8 udp 53 10.0.0.1 53\n"
		  "add_nat_portfwd 8 tcp 99 10.0.0.1 1\nadd_nat_portfwd 2 udp 1 10.0.0.1 1\n"
		  "add_nat_portfwd 8 tcp 22 10.0.0.1 22 a b\nadd_bridge_mapping eth1 0\n"
		  "add_bridge_mapping eth0 -1\nanswer VNL_DEFAULT_BRIDGE_VNET -1\n"
		  "add_nat_prefix 8 /64\n");
	assert_int_equal(f.nw.nforwards, 4);
	assert_int_equal(f.nw.forward[0].n, 2);
	assert_int_equal(f.nw.forward[1].f.host_port, 22);
	assert_string_equal(f.nw.forward[1].f.description, "a b");
	assert_int_equal(f.nw.forward[2].f.host_port, 99);
	assert_null(f.nw.forward[2].f.description);
	assert_int_equal(f.nw.forward[3].f.proto, CONF_UDP);
	assert_string_equal(f.nw.bridge[0].ifname, "eth0");
	assert_int_equal(f.nw.bridge[0].n, -1);
	assert_int_equal(f.nw.default_bridge, -1);
	assert_int_equal(f.nw.nat_prefix[0].len, 64);
	fini(&f);
}

static void
canonical_text_is_what_strict_readers_take(void **state UNUSED)
{
	struct fixture f;
	struct strbuf b;

	parse(&f, "VERSION=1,0\r\n# c\r\nadd_nat_portfwd 8 TCP 22 10.0.0.1 22   a b \r\n"
		  "answer VNET_8_NAT yes # x\r\nadd_dhcp_mac_to_ip 8 0-C-29-1-2-3 10.0.0.5\r\n"
		  "add_bridge_mapping eth0 2\r\njunk\r\nanswer VNET_1_DISPLAY_NAME \r\n");
	strbuf_init(&b);
	networking_print(&b, &f.nw);
	assert_string_equal(strbuf_str(&b), "VERSION=1,0\n"
					    "answer VNET_1_DISPLAY_NAME \n"
					    "answer VNET_8_NAT yes\n"
					    "add_bridge_mapping eth0 2\n"
					    "add_nat_portfwd 8 tcp 22 10.0.0.1 22 a b\n"
					    "add_dhcp_mac_to_ip 8 00:0c:29:01:02:03 10.0.0.5\n");
	strbuf_fini(&b);
	fini(&f);
}

static void
only_the_version_is_fatal(void **state UNUSED)
{
	struct fixture f;

	parse(&f, "VERSION=1,0 \njunk\n");
	assert_true(f.nw.version_ok);
	assert_int_equal(f.d.count[DIAG_ERROR], 0);
	fini(&f);
	parse(&f, "VERSION=1,1\nanswer VNET_8_DHCP yes\n");
	assert_false(f.nw.version_ok);
	assert_int_equal(f.d.count[DIAG_ERROR], 1);
	assert_int_equal(f.nw.nanswers, 0);
	fini(&f);
	parse(&f, "\xef\xbb\xbfVERSION=1,0\n");
	assert_true(f.nw.version_ok);
	fini(&f);
}

static void
a_great_many_lines_are_no_burden(void **state UNUSED)
{
	struct strbuf b;
	struct fixture f;

	strbuf_init(&b);
	strbuf_add(&b, "VERSION=1,0\n");
	for (unsigned i = 0; i < 60000; i++)
		strbuf_addf(&b, "answer VNET_%u_K%u x\n", i % 256, i);
	parse(&f, strbuf_str(&b));
	assert_int_equal(f.nw.nanswers, 60000);
	fini(&f);
	for (unsigned i = 0; i < 60000; i++)
		strbuf_add(&b, "\n");
	parse(&f, strbuf_str(&b));
	assert_int_equal(f.d.count[DIAG_ERROR], 1);
	fini(&f);
	strbuf_fini(&b);
}

/* --- edits --- */

#define EXPECT(want, edit, text, ...)                                                              \
	do {                                                                                       \
		struct strbuf b_;                                                                  \
                                                                                                   \
		strbuf_init(&b_);                                                                  \
		edit(&b_, text, strlen(text), __VA_ARGS__);                                        \
		assert_string_equal(strbuf_str(&b_), want);                                        \
		strbuf_fini(&b_);                                                                  \
	} while (0)

static void
an_answer_is_changed_where_it_stands(void **state UNUSED)
{
	EXPECT("VERSION=1,0\nanswer VNET_8_DHCP yes\nx\nanswer VNET_8_DHCP no # c\n",
	       networking_set_answer,
	       "VERSION=1,0\nanswer VNET_8_DHCP yes\nx\nanswer VNET_8_DHCP yes # c\n", 8, "DHCP",
	       "no");
	EXPECT("VERSION=1,0\nanswer VNET_8_DISPLAY_NAME new # c\n", networking_set_answer,
	       "VERSION=1,0\nanswer VNET_8_DISPLAY_NAME old # x\n", 8, "DISPLAY_NAME", "new # c");
	EXPECT("VERSION=1,0\nanswer VNET_8_DHCP yes", networking_set_answer,
	       "VERSION=1,0\nanswer VNET_8_DHCP", 8, "DHCP", "yes");
	EXPECT("VERSION=1,0\nanswer VNET_8_DHCP yes\nanswer VNET_8_MTU 1\n", networking_set_answer,
	       "VERSION=1,0\nremove_answer VNET_8_DHCP x\nanswer VNET_8_MTU 1\n", 8, "DHCP", "yes");
}

static void
a_new_answer_stands_with_its_network(void **state UNUSED)
{
	EXPECT("VERSION=1,0\nanswer VNET_1_NAT no\nanswer VNET_1_MTU 9\nanswer VNET_8_NAT yes\n",
	       networking_set_answer, "VERSION=1,0\nanswer VNET_1_NAT no\nanswer VNET_8_NAT yes\n",
	       1, "MTU", "9");
	EXPECT("VERSION=1,0\nanswer VNET_1_NAT no\nanswer VNET_2_MTU 9\nanswer VNET_8_NAT yes\n",
	       networking_set_answer, "VERSION=1,0\nanswer VNET_1_NAT no\nanswer VNET_8_NAT yes\n",
	       2, "MTU", "9");
	EXPECT("VERSION=1,0\nanswer VNET_2_MTU 9\n", networking_set_answer, "VERSION=1,0", 2, "MTU",
	       "9");
	EXPECT("VERSION=1,0\nanswer VNET_2_MTU 9 9\n", networking_set_answer, "VERSION=1,0", 2,
	       "MTU", "9\n9");
}

static void
removing_an_answer_removes_every_line_about_it(void **state UNUSED)
{
	EXPECT("VERSION=1,0\n# keep\n", networking_set_answer,
	       "VERSION=1,0\nanswer VNET_8_DHCP yes\n# keep\nremove_answer VNET_8_DHCP\n"
	       "answer vnet_08_dhcp no\n",
	       8, "DHCP", NULL);
}

static void
glued_commands_are_cut_apart(void **state UNUSED)
{
	static const char text[] = "VERSION=1,0\nadd_dhcp_mac_to_ip 8 0:0:0:0:0:1 10.0.0.1"
				   "add_dhcp_mac_to_ip 8 0:0:0:0:0:2 10.0.0.2";
	static const struct mac one = {{0, 0, 0, 0, 0, 1}}, two = {{0, 0, 0, 0, 0, 2}};
	struct fixture f;

	parse(&f, text);
	assert_int_equal(f.nw.nreservations, 2);
	assert_int_equal(f.d.n, 0);
	fini(&f);
	EXPECT("VERSION=1,0\nadd_dhcp_mac_to_ip 8 0:0:0:0:0:2 10.0.0.2",
	       networking_remove_reservation, text, 8, one);
	EXPECT("VERSION=1,0\nadd_dhcp_mac_to_ip 8 0:0:0:0:0:1 10.0.0.1",
	       networking_remove_reservation, text, 8, two);
	EXPECT("VERSION=1,0\nadd_dhcp_mac_to_ip 8 0:0:0:0:0:1 10.0.0.9"
	       "add_dhcp_mac_to_ip 8 0:0:0:0:0:2 10.0.0.2",
	       networking_set_reservation, text, 8, one, ((struct ip4){0x0a000009}));
}

static void
forwards_and_mappings_are_edited(void **state UNUSED)
{
	static const struct conf_forward fw = {
	    .proto = CONF_UDP, .host_port = 53, .guest = {0x0a000009}, .guest_port = 54};

	EXPECT("VERSION=1,0\nadd_nat_portfwd 8 udp 53 10.0.0.9 54\nx\n", networking_set_forward,
	       "VERSION=1,0\nadd_nat_portfwd 8 udp 53 10.0.0.1 1 old text\nx\n", 8, &fw);
	EXPECT("VERSION=1,0\nadd_nat_portfwd 8 tcp 53 10.0.0.1 1\n", networking_remove_forward,
	       "VERSION=1,0\nadd_nat_portfwd 8 udp 53 10.0.0.1 1 old text\n"
	       "add_nat_portfwd 8 tcp 53 10.0.0.1 1\n",
	       8, &fw);
	EXPECT("VERSION=1,0\nadd_bridge_mapping eth0 -1\n", networking_set_bridge,
	       "VERSION=1,0\nadd_bridge_mapping eth0 2\n", "eth0", -1);
	EXPECT("VERSION=1,0\n", networking_set_bridge,
	       "VERSION=1,0\nadd_bridge_mapping eth0 2\nremove_bridge_mapping eth0\n", "eth0",
	       NW_DEFAULT_BRIDGE_UNSET);
	EXPECT("VERSION=1,0\nanswer VNL_DEFAULT_BRIDGE_VNET 5\n", networking_set_default_bridge,
	       "VERSION=1,0\n", 5);
}

/* An older, overridden mapping must not come back into force. */
static void
deleting_a_network_resurrects_nothing(void **state UNUSED)
{
	EXPECT("VERSION=1,0\nanswer VNET_80_DHCP yes\n", networking_remove_net,
	       "VERSION=1,0\nadd_bridge_mapping eth0 3\nadd_bridge_mapping eth0 8\n"
	       "answer VNET_8_DHCP yes\nanswer VNET_80_DHCP yes\n"
	       "add_nat_portfwd 8 tcp 1 10.0.0.1 1\nadd_dhcp_mac_to_ip 8 0:0:0:0:0:1 10.0.0.1\n"
	       "add_nat_prefix 8 /64\n",
	       8);
	EXPECT("VERSION=1,0\nanswer VNL_DEFAULT_BRIDGE_VNET -1\n", networking_remove_net,
	       "VERSION=1,0\n", 0);
	EXPECT("VERSION=1,0\nanswer VNL_DEFAULT_BRIDGE_VNET -1\n", networking_remove_net,
	       "VERSION=1,0\nanswer VNL_DEFAULT_BRIDGE_VNET 3\n", 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_line_about_a_fact_wins),
	    cmocka_unit_test(positions_are_those_of_the_text),
	    cmocka_unit_test(everything_is_sorted_whatever_the_order_of_lines),
	    cmocka_unit_test(canonical_text_is_what_strict_readers_take),
	    cmocka_unit_test(only_the_version_is_fatal),
	    cmocka_unit_test(a_great_many_lines_are_no_burden),
	    cmocka_unit_test(an_answer_is_changed_where_it_stands),
	    cmocka_unit_test(a_new_answer_stands_with_its_network),
	    cmocka_unit_test(removing_an_answer_removes_every_line_about_it),
	    cmocka_unit_test(glued_commands_are_cut_apart),
	    cmocka_unit_test(forwards_and_mappings_are_edited),
	    cmocka_unit_test(deleting_a_network_resurrects_nothing),
	};

	return T_RUN(tests);
}
