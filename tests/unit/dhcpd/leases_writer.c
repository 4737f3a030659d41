/* SPDX-License-Identifier: GPL-2.0-or-later
 * leases_writer.c - a server's day on a fake clock, for readers of its lease file. Writes
 * DIR/appended, the file as it grew, and DIR/dhcpd.leases, the same written anew; says on stdout
 * what is true: "now SECONDS", then "active|ended|abandoned ADDRESS MAC NAME" ("-": none).
 */
#include "../lib/t.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "dhcpd/leasefile.h"
#include "fixture.h"
#include "lib/fd.h"

enum { GUESTS = 60 };

static const uint8_t long_id[] = {0xff, 0x0,  0x1,  0x2,  0x3,  0x0, 0x2, 0x0,
				  0x0,  0xab, 0x11, 0xcd, 0xef, 0x0, 0x9};

static const struct tclient alice = {.mac = MAC(201), .hostname = "alice"};
static const struct tclient bob = {
    .mac = {{0x02, 0xAB, 0xcd, 0x0e, 0x0f, 0x01}}, .uid = long_id, .uid_len = sizeof(long_id)};
static const struct tclient evil = {.mac = MAC(203), .hostname = "a}b{c;d#e\"f\\g\nlease 1.2.3.4"};
static const struct tclient gone = {.mac = MAC(204), .hostname = "gone"};
static const struct tclient moving = {.mac = MAC(205), .hostname = "moving"};
static const struct tclient victim = {.mac = MAC(206), .hostname = "victim"};

/* What came of the last message goes into the file, as the daemon does it. */
static void
record(struct leasefile *f, struct fixture *x)
{
	char text[DHCP_CHANGES_MAX * JOURNAL_REC_MAX];
	size_t len = 0;

	for (unsigned i = 0; i < x->out.nchanges; i++)
		len += journal_encode(text + len, JOURNAL_REC_MAX, &x->out.change[i].rec);
	if (len)
		assert_int_equal(leasefile_append(f, text, len, x->out.nchanges, x->clk), 0);
}

static struct ip4
lease(struct leasefile *f, struct fixture *x, const struct tclient *c)
{
	struct ip4 ip = fx_lease(x, c);

	assert_int_not_equal(ip.h, 0);
	record(f, x);
	return ip;
}

static void
reserve(struct fixture *x, struct mac mac, struct ip4 ip)
{
	struct netconf *c = fx_conf();
	bool forgot;

	assert_int_equal(netconf_add_host(c, 0, mac, ip, "fixed"), 0);
	assert_int_equal(netconf_seal(c), 0);
	assert_int_equal(dhcp_server_set_conf(x->s, c, x->clk, &forgot), 0);
}

static void
say(const char *state, struct ip4 ip, struct mac mac, const char *name)
{
	printf("%s %s %s %s\n", state, IP4_STR(ip), mac_is_zero(mac) ? "-" : MAC_STR(mac),
	       name[0] ? name : "-");
}

static void
live_through_a_day(struct leasefile *f, struct fixture *x)
{
	struct ip4 a = lease(f, x, &alice), g, v;

	lease(f, x, &bob);
	lease(f, x, &evil);
	g = lease(f, x, &gone);
	lease(f, x, &moving);
	v = lease(f, x, &victim);
	for (unsigned i = 0; i < GUESTS; i++)
		lease(f, x, &(struct tclient){.mac = MAC(i)});
	for (int i = 0; i < 3; i++) {
		fx_pass(x, 100500);
		assert_int_equal(fx_renew(x, &alice, a), DHCP_ACK);
		record(f, x);
	}
	fx_release(x, &gone, g);
	record(f, x);
	fx_decline(x, &victim, v);
	record(f, x);
	reserve(x, moving.mac, AT(50));
	assert_int_equal(lease(f, x, &moving).h, AT(50).h);
	fx_pass(x, 1000);
}

static void
tell_truth(const struct fixture *x)
{
	static const char *const names[] = {
	    [LEASE_ACTIVE] = "active", [LEASE_ENDED] = "ended", [LEASE_ABANDONED] = "abandoned"};
	const struct lease_table *t = dhcp_server_leases(x->s);

	printf("now %" PRId64 "\n", x->clk.wall_ms / 1000);
	for (struct lease *l = lease_each(t, NULL); l; l = lease_each(t, l)) {
		assert_int_not_equal(l->state, LEASE_OFFERED);
		say(names[l->state], l->ip, l->mac, l->hostname);
	}
}

static void
keep_as(const char *dir, const char *name)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd), "cp '%s/dhcpd.leases' '%s/%s'", dir, dir, name);
	assert_int_equal(system(cmd), 0);
}

int
main(int argc, char **argv)
{
	struct leasefile f;
	struct fixture x;

	if (argc != 2) {
		fputs("usage: dhcpd-leases-writer DIR\n", stderr);
		return 2;
	}
	fx_init(&x, NULL);
	leasefile_init(&f, 8);
	assert_int_equal(
	    leasefile_load(&f, open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC), x.s, x.clk), 0);
	live_through_a_day(&f, &x);
	tell_truth(&x);
	keep_as(argv[1], "appended");
	leasefile_outdate(&f, x.clk);
	leasefile_tidy(&f, x.s, x.clk);
	assert_int_equal(f.err, 0);
	leasefile_fini(&f);
	fx_fini(&x);
	return 0;
}
