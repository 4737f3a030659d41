/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewalld.c - vnet-firewalld: keeps the networks in a zone of firewalld's that lets their guests through.
 *
 * vnet-firewalld.service has it run as a user of its own, to whom a rule of polkit gives what firewalld asks for. Nothing
 * is remembered: what is in the zone now, but not by the permanent configuration, was put there by us.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "paths.h"
#include "vnetd/beside.h"
#include "vnetd/firewalld_bus.h"

#define CHANGE                                                                                     \
	"firewall-cmd --permanent --zone=" VNET_FIREWALLD_ZONE " --change-interface=vmnet%u && "   \
	"firewall-cmd --reload"

struct program {
	struct firewalld_nets wanted,
	    told;                        /* told: what was wanted when firewalld was asked last */
	struct firewalld_nets elsewhere; /* in another zone, as the log knows */
};

static bool
read_networks(struct beside *b, struct program *p)
{
	struct msg m = msg_make(MSG_STATUS_GET, 0);
	struct rows status = ROWS_INIT(STATUS_ROW, status_row), nets = ROWS_INIT(NET_ROW, net_row);
	const struct msg_status_row *s;
	bool ok = beside_gather(b, &m, (struct rows *[]){&status, &nets}, 2);

	s = status.v;
	p->wanted = (struct firewalld_nets){0};
	for (size_t i = 0; ok && status.n && s->foreign_allow && i < nets.n; i++) {
		const struct msg_net_row *row = (const struct msg_net_row *)nets.v + i;

		if (firewalld_wants(row))
			msg_nets_add(p->wanted.b, row->net);
	}
	rows_fini(&status);
	rows_fini(&nets);
	return ok;
}

static void
trouble(struct beside *b, int r, unsigned net)
{
	if (r == -ENOENT)
		beside_trouble(
		    b, false,
		    "firewalld does not know the zone " VNET_FIREWALLD_ZONE
		    " yet, which lets guests of vmnet%u pass. Try: firewall-cmd --reload",
		    net);
	else
		beside_trouble(
		    b, true,
		    "vmnet%u: firewalld does not change its zone: %s. Without polkitd only root "
		    "may have it done: " CHANGE,
		    net, sysbus_why(b->bus), net);
}

/* Whoever put it into another zone wants what that zone does. */
static int
leave(struct beside *b, struct program *p, unsigned net)
{
	char zone[FIREWALLD_ZONE_CAP];
	int r = firewalld_bus_zone(b->bus, net, zone);

	if (r == 0 && !msg_nets_have(p->elsewhere.b, net))
		log_warn(
		    0,
		    "vmnet%u is in the zone %s of firewalld, and left there. To have its guests "
		    "pass: " CHANGE,
		    net, zone, net);
	return r;
}

/* What is in the zone permanently stays: an administrator has put it there. */
static int
take_out(struct beside *b, unsigned net)
{
	char zone[FIREWALLD_ZONE_CAP];
	int r = firewalld_bus_permanent(b->bus, net, zone);

	if (r < 0 || !strcmp(zone, VNET_FIREWALLD_ZONE))
		return r;
	r = firewalld_bus_remove(b->bus, net);
	if (r == 0)
		log_info("vmnet%u is taken out of firewalld's zone " VNET_FIREWALLD_ZONE, net);
	return r;
}

static int
put_in(struct beside *b, struct program *p, unsigned net, struct firewalld_nets *elsewhere)
{
	int r = firewalld_bus_add(b->bus, net);

	if (r == 0)
		log_info("vmnet%u is in firewalld's zone " VNET_FIREWALLD_ZONE, net);
	if (r != -EBUSY)
		return r;
	msg_nets_add(elsewhere->b, net);
	return leave(b, p, net);
}

/* Has firewalld's zone hold what is wanted. */
static void
tell(struct beside *b, struct program *p)
{
	static const struct firewalld_nets none;
	struct firewalld_nets in, left = none, elsewhere = none;
	struct firewalld_step s = {0};
	int r = firewalld_bus_read(b->bus, &in);

	/* Without the zone there is nothing in it, and who may not look may not change anything either: what then comes of
	 * the first step is what there is to be said. */
	if (r < 0 && r != -ENXIO)
		r = 0;
	while (r == 0 && firewalld_next(&s, &in, &p->wanted, &left)) {
		r = s.remove ? take_out(b, s.net) : put_in(b, p, s.net, &elsewhere);
		msg_nets_add(left.b, s.net); /* once is enough, whatever came of it */
	}
	p->elsewhere = elsewhere;
	if (r == 0)
		beside_well(b);
	else if (r != -ENXIO)
		trouble(b, r, s.net);
}

/* Where there is no firewalld, vnetd is not even asked. */
static bool
look(struct beside *b, void *arg)
{
	struct program *p = arg;

	if (!sysbus_has_service(b->bus))
		return true;
	if (!read_networks(b, p))
		return false;
	/* Most events of vnetd's are about guests, and firewalld is slow. */
	if (b->news || b->failures || memcmp(&p->told, &p->wanted, sizeof(p->told)) != 0)
		tell(b, p);
	p->told = p->wanted;
	return true;
}

/* The networks outlive vnetd, and their guests' way out with them: it is taken away only when this program is to end for
 * good, not when vnetd is stopped or started again and systemd ends this with it. */
static void
end(struct beside *b, bool asked, void *arg)
{
	struct program *p = arg;

	if (!asked || sysbus_unit_has_job(b->bus, "vnetd_2eservice") || !sysbus_has_service(b->bus))
		return;
	p->wanted = (struct firewalld_nets){0};
	tell(b, p);
}

int
main(UNUSED int argc, char **argv)
{
	static struct program p;
	static const struct beside_does does = {
	    .program = "vnet-firewalld",
	    .help = "Keeps the virtual networks in firewalld's zone " VNET_FIREWALLD_ZONE
		    " while vnetd.conf says foreign-rules = allow,\n"
		    "so that firewalld lets their guests through. vnet-firewalld.service runs it.",
	    .service = FIREWALLD_SERVICE,
	    .listen = firewalld_bus_signals,
	    .look = look,
	    .end = end,
	    .arg = &p,
	};

	return beside_main(&does, argv);
}
