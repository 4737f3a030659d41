/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_render_test.c - the tables and the JSON of vnetctl, compared with golden files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ctl_sample.h"
#include "golden.h"
#include "lib/strbuf.h"
#include "lib/util.h"
#include "vnetd/ctl_conn_text.h"
#include "vnetd/ctl_json.h"
#include "vnetd/ctl_text.h"

typedef void render_fn(struct strbuf *, const struct facts *, const struct view *);

static void
check_text(const char *name, render_fn *render, const struct facts *f, const struct view *v)
{
	struct strbuf b;

	strbuf_init(&b);
	render(&b, f, v);
	assert_false(b.bad);
	golden(name, strbuf_str(&b));
	strbuf_fini(&b);
}

static void
tables(void **state UNUSED)
{
	const struct view plain = {.now = SAMPLE_NOW}, colour = {.now = SAMPLE_NOW, .colour = true};
	struct facts f = sample(SAMPLE_NOW);

	check_text("status.txt", render_status, &f, &plain);
	check_text("status-colour.txt", render_status, &f, &colour);
	check_text("networks.txt", render_networks, &f, &plain);
	check_text("ports.txt", render_ports, &f, &plain);
	check_text("forwards.txt", render_forwards, &f, &plain);
	check_text("leases.txt", render_leases, &f, &plain);
	check_text("promisc.txt", render_promisc, &f, &plain);
	check_text("promisc-colour.txt", render_promisc, &f, &colour);
}

static void
connections(void **state UNUSED)
{
	const struct view plain = {.now = SAMPLE_NOW}, follows = {.follows = true};
	struct facts f = sample(SAMPLE_NOW);
	struct conn_line lines[4] = {0};
	struct strbuf b;

	assert_int_equal(f.nconns, ARRAY_LEN(lines));
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		lines[i].row = f.conn[i];
	strbuf_init(&b);
	render_conns(&b, lines, ARRAY_LEN(lines), &plain);
	golden("conns.txt", strbuf_str(&b));
	strbuf_fini(&b);
	lines[1].ended = true;
	strbuf_init(&b);
	render_conns(&b, &lines[1], 1, &follows);
	golden("conns-follow.txt", strbuf_str(&b));
	strbuf_fini(&b);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		for (size_t k = 0; k < ARRAY_LEN(lines); k++)
			assert_int_equal(conn_compare(&f.conn[i], &f.conn[k]) == 0, i == k);
	/* Not asked for, not counted: "-", not 0. */
	f.conns_known = false;
	check_text("forwards-uncounted.txt", render_forwards, &f, &plain);
}

/* To natd's own connection to a guest nothing is written by which the kernel could tell that it is a forward's. */
static void
relayed_connections_are_of_their_forward(void **state UNUSED)
{
	const struct ip4 guest = {0xac10ce80}, other = {0xac10ce81}, host = {0xac10ce01};
	const struct msg_conn_row like = {.net = 8,
					  .ip_proto = IPPROTO_TCP,
					  .inward = true,
					  .guest = guest,
					  .guest_port = 80,
					  .peer = host,
					  .peer_port = 40000};
	struct msg_conn_row v[] = {like, like, like, like, like, like, like, like};
	struct msg_relay_row relay[] = {
	    {.proto = PROTO_TCP,
	     .port = 8081,
	     .from_port = 40000,
	     .guest = other,
	     .guest_port = 80},
	    {.proto = PROTO_TCP,
	     .port = 8080,
	     .from_port = 40000,
	     .guest = guest,
	     .guest_port = 80},
	    {.proto = PROTO_UDP, .port = 53, .from_port = 40000, .guest = guest, .guest_port = 80},
	};
	const uint16_t want[] = {8080, 8081, 53, 0, 0, 0, 22, 0};
	struct msg_forward_row w = {
	    .proto = PROTO_TCP, .port = 8080, .guest = guest, .guest_port = 80};
	struct forward_use(*use)[65536];

	conn_find_relayed(v, ARRAY_LEN(v), NULL, 0);
	assert_int_equal(v[0].forward, 0);
	v[1].guest = other;
	v[2].ip_proto = IPPROTO_UDP;
	v[3].peer_port = 40001; /* a program of the host's own */
	v[4].guest_port = 81;
	v[5].inward = false;
	v[6].forward = 22; /* by the kernel already */
	v[7].ip_proto = 47;
	conn_find_relayed(v, ARRAY_LEN(v), relay, ARRAY_LEN(relay));
	for (size_t i = 0; i < ARRAY_LEN(v); i++)
		assert_int_equal(v[i].forward, want[i]);
	use = forward_uses(v, ARRAY_LEN(v));
	assert_non_null(use);
	assert_int_equal(forward_use_of(use, v, ARRAY_LEN(v), &w).live, 1);
	/* Two addresses of the host lead to the same guest. */
	v[0].by = w.host = host;
	assert_int_equal(forward_use_of(use, v, ARRAY_LEN(v), &w).live, 1);
	w.host = other;
	assert_int_equal(forward_use_of(use, v, ARRAY_LEN(v), &w).live, 0);
	free(use);
}

static void
empty_tables_are_a_header(void **state UNUSED)
{
	const struct view plain = {.now = SAMPLE_NOW};
	struct msg_status_row nothing = {.version = "0.1.0"};
	struct facts f = {.status = &nothing};

	check_text("status-empty.txt", render_status, &f, &plain);
	check_text("networks-empty.txt", render_networks, &f, &plain);
	check_text("ports-empty.txt", render_ports, &f, &plain);
	check_text("forwards-empty.txt", render_forwards, &f, &plain);
	check_text("leases-empty.txt", render_leases, &f, &plain);
	check_text("promisc-empty.txt", render_promisc, &f, &plain);
}

/* Each with what is known about its promiscuous mode. */
static void
one_port(void **state UNUSED)
{
	const struct view plain = {.now = SAMPLE_NOW};
	struct facts f = sample(SAMPLE_NOW);

	check_text("port-sticky.txt", render_port, &f, &plain);
	f.port++;
	f.promisc++;
	check_text("port-given.txt", render_port, &f, &plain);
	f.port++;
	f.promisc++;
	check_text("port-learn.txt", render_port, &f, &plain);
	f.port++;
	f.npromisc = 0;
	check_text("port-any.txt", render_port, &f, &plain);
}

/* The policies that the samples do not have. */
static void
policies_in_words(void **state UNUSED)
{
	const struct view plain = {.now = SAMPLE_NOW};
	struct msg_port_row p = sample(SAMPLE_NOW).port[0];
	struct facts f = {.port = &p, .nports = 1};

	p.mac = (struct mac){0};
	p.flags = GATE_IP;
	check_text("port-unknown-mac.txt", render_port, &f, &plain);
	p.mac_policy = MAC_POLICY_GIVEN;
	p.rate_in_kbit = 64;
	p.queues = 4;
	p.owner_name[0] = '\0';
	check_text("port-given-unknown.txt", render_port, &f, &plain);
}

static void
what_the_gate_counted(void **state UNUSED)
{
	struct msg_port_row p = sample(SAMPLE_NOW).port[2];
	uint64_t drops[DROP_REASON_N], total = 7;

	assert_true(port_drops(drops, &total, &p));
	assert_int_equal(total, 259);
	assert_int_equal(drops[DROP_FORGED], 256);
	assert_int_equal(drops[DROP_FLOOD], 3);
	/* From a vnetd that knows fewer reasons. */
	p.drops.len = 8;
	assert_true(port_drops(drops, &total, &p));
	assert_int_equal(total, 256);
	p.drops.len = 0;
	assert_false(port_drops(drops, &total, &p));
	assert_int_equal(total, 0);
}

static void
how_to_answer_a_request(void **state UNUSED)
{
	struct facts f = sample(SAMPLE_NOW);
	struct strbuf b;

	strbuf_init(&b);
	render_promisc_hints(&b, &f, "/etc/vnet");
	assert_string_equal(strbuf_str(&b),
			    "Allow once:  vnetctl promisc allow vmnet8p1 --for 1h\n"
			    "Always, for every guest:  sudo touch /etc/vnet/promiscAuthorized   "
			    "(lets guests see and forge each other's traffic)\n");
	strbuf_fini(&b);
	/* Nobody waits. */
	f.promisc++;
	f.npromisc--;
	render_promisc_hints(&b, &f, "/etc/vnet");
	assert_int_equal(b.len, 0);
	strbuf_fini(&b);
}

static void
one_network(void **state UNUSED)
{
	const struct view plain = {.now = SAMPLE_NOW};
	struct facts f = sample(SAMPLE_NOW);

	f.net += 2;
	f.nwarnings = 1;
	check_text("show-vmnet8.txt", render_show, &f, &plain);
	f = sample(SAMPLE_NOW);
	f.nwarnings = f.nports = f.nforwards = 0;
	check_text("show-vmnet0.txt", render_show, &f, &plain);
	f.net += 3;
	check_text("show-vmnet200.txt", render_show, &f, &plain);
}

static void
leases_that_follow(void **state UNUSED)
{
	const struct view later = {.now = SAMPLE_NOW, .follows = true};
	struct facts f = sample(SAMPLE_NOW);

	f.nleases = 1;
	check_text("leases-follow.txt", render_leases, &f, &later);
}

static void
lines(void **state UNUSED)
{
	struct msg_event_row e = sample_event();
	struct facts f = sample(SAMPLE_NOW);
	struct strbuf b;

	strbuf_init(&b);
	render_event(&b, &e, "23:13:20");
	e.net = MSG_NET_ALL;
	MSG_SET_STR(e.what, "reloaded");
	MSG_SET_STR(e.text, "two\nlines");
	render_event(&b, &e, "23:13:21");
	for (size_t i = 0; i < f.nnets; i++)
		render_net_fact(&b, &f.net[i]);
	golden("lines.txt", strbuf_str(&b));
	strbuf_fini(&b);
}

static void
lines_about_promiscuous_mode(void **state UNUSED)
{
	const struct view plain = {.now = SAMPLE_NOW};
	const struct msg_promisc_row silent = {.port = "quiet"};
	struct facts f = sample(SAMPLE_NOW);
	struct msg_rx_filter r = {.port = "vmnet8p1", .mac = f.port[0].mac, .multicasts = 1};
	struct strbuf b;

	strbuf_init(&b);
	for (size_t i = 0; i < f.npromisc; i++)
		render_promisc_fact(&b, &f.promisc[i], &plain);
	render_promisc_fact(&b, &silent, &plain);
	render_rx_filter(&b, &r, &silent, &plain);
	r.promisc = true;
	r.unicasts = 2;
	render_rx_filter(&b, &r, &f.promisc[0], &plain);
	r.allmulti = true;
	r.promisc = false;
	/* A user's request stays. */
	render_rx_filter(&b, &r, &f.promisc[1], &plain);
	r.mac = (struct mac){0};
	render_rx_filter(&b, &r, &silent, &plain);
	golden("promisc-lines.txt", strbuf_str(&b));
	strbuf_fini(&b);
}

/* Takes the value over. */
static void
check_json(const char *name, json_t *v)
{
	struct strbuf b;
	char *text;

	assert_non_null(v);
	text = json_dumps(v, JSON_PRESERVE_ORDER | JSON_INDENT(2));
	assert_non_null(text);
	strbuf_init(&b);
	strbuf_addf(&b, "%s\n", text);
	golden(name, strbuf_str(&b));
	strbuf_fini(&b);
	free(text);
	json_decref(v);
}

/* They are written without a value for all of them, as one would be. */
static void
check_forwards(const struct facts *f, const struct facts *none)
{
	struct strbuf b;

	strbuf_init(&b);
	json_write_forwards(&b, f);
	assert_false(b.bad);
	golden("forwards.json", strbuf_str(&b));
	strbuf_fini(&b);
	json_write_forwards(&b, none);
	assert_string_equal(strbuf_str(&b), "{\n  \"forwards\": []\n}\n");
	strbuf_fini(&b);
}

static void
json(void **state UNUSED)
{
	struct facts f = sample(SAMPLE_NOW), one = sample(SAMPLE_NOW), none = {0};
	struct msg_event_row e = sample_event();

	one.net += 2;
	one.nnets = 1;
	check_json("status.json", json_of_status(&f, (uint64_t)SAMPLE_NOW * 1000 + 999));
	check_json("networks.json", json_of_networks(&f));
	check_json("ports.json", json_of_ports(&f));
	check_forwards(&f, &none);
	check_json("leases.json", json_of_leases(&f));
	check_json("show.json", json_of_show(&one));
	check_json("event.json", json_of_event(&e));
	check_json("port.json", json_of_one_port(&f));
	check_json("promisc.json", json_of_promisc(&f));
	f.npromisc = 0;
	check_json("port-quiet.json", json_of_one_port(&f));
	check_json("promisc-empty.json", json_of_promisc(&none));
	check_json("ports-empty.json", json_of_ports(&none));
}

static void
json_is_valid_whatever_guests_call_themselves(void **state UNUSED)
{
	struct msg_lease_row l = {.state = LEASE_ROW_ACTIVE};
	json_t *v;

	MSG_SET_STR(l.name, "\xff\xfe\"x\033");
	v = json_of_lease(&l);
	assert_non_null(v);
	assert_string_equal(json_string_value(json_object_get(v, "name")), "\\xff\\xfe\"x\\x1b");
	json_decref(v);
}

static int
setup(void **state UNUSED)
{
	ctl_text_init();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables),
	    cmocka_unit_test(connections),
	    cmocka_unit_test(relayed_connections_are_of_their_forward),
	    cmocka_unit_test(empty_tables_are_a_header),
	    cmocka_unit_test(one_network),
	    cmocka_unit_test(one_port),
	    cmocka_unit_test(policies_in_words),
	    cmocka_unit_test(what_the_gate_counted),
	    cmocka_unit_test(how_to_answer_a_request),
	    cmocka_unit_test(leases_that_follow),
	    cmocka_unit_test(lines),
	    cmocka_unit_test(lines_about_promiscuous_mode),
	    cmocka_unit_test(json),
	    cmocka_unit_test(json_is_valid_whatever_guests_call_themselves),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
