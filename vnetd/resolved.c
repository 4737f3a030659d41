/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolved.c - vnet-resolved: tells systemd-resolved of the networks' names, so that the host knows them.
 *
 * vnet-resolved.service has it run as a user of its own, to whom a rule of polkit gives what systemd-resolved asks for.
 * It takes everything back when it is ended or vnetd goes, whose name server goes with it.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "lib/log.h"
#include "vnetd/beside.h"
#include "vnetd/resolved_bus.h"

struct program {
	struct resolved_links done, wanted;
};

static void
trouble(struct beside *b, unsigned net)
{
	const char *why = sysbus_why(b->bus);

	beside_trouble(
	    b, true,
	    "vmnet%u: systemd-resolved does not take its names: %.*s. Without polkitd only root "
	    "may tell it: resolvectl dns, resolvectl domain",
	    net, (int)strcspn(why, "."), why);
}

static bool
read_networks(struct beside *b, struct program *p)
{
	struct msg m = msg_make(MSG_NET_LIST, 0);
	struct rows rows = ROWS_INIT(NET_ROW, net_row);
	bool ok;

	m.u.net_list.net = MSG_NET_ALL;
	ok = beside_gather(b, &m, (struct rows *[]){&rows}, 1);
	p->wanted.n = 0;
	for (size_t i = 0; ok && i < rows.n; i++) {
		const struct msg_net_row *row = (const struct msg_net_row *)rows.v + i;
		char name[IF_NAMESIZE];
		int ifindex;

		snprintf(name, sizeof(name), "vmnet%u", row->net);
		ifindex = (int)if_nametoindex(name);
		if (resolved_wants(row) && ifindex > 0 && p->wanted.n < RESOLVED_NETS)
			p->wanted.v[p->wanted.n++] = (struct resolved_link){
			    row->net, ifindex, row->dns, {row->subnet, row->len}};
	}
	rows_fini(&rows);
	return ok;
}

/* Tells resolved what has changed. */
static void
tell(struct beside *b, struct program *p)
{
	const struct resolved_link *l;
	bool forget;

	while ((l = resolved_next(&p->done, &p->wanted, &forget))) {
		int r =
		    forget ? resolved_bus_revert(b->bus, l->ifindex) : resolved_bus_set(b->bus, l);

		if (r == -ENXIO) {
			p->done.n = 0; /* it will be noticed when it comes */
			return;
		}
		/* A link that is gone took all with it; one that is not there yet comes with an event. */
		if (r < 0 && !(forget && r == -ENODEV)) {
			trouble(b, l->net);
			return;
		}
		if (!forget)
			log_info("systemd-resolved asks %s about names in vmnet%u", IP4_STR(l->dns),
				 l->net);
		resolved_note(&p->done, l, forget);
	}
	beside_well(b);
}

static void
came(void *arg)
{
	struct program *p = arg;

	p->done.n = 0;
}

static bool
look(struct beside *b, void *arg)
{
	if (!read_networks(b, arg))
		return false;
	tell(b, arg);
	return true;
}

static void
end(struct beside *b, bool asked UNUSED, void *arg)
{
	struct program *p = arg;

	p->wanted.n = 0;
	tell(b, p);
}

int
main(UNUSED int argc, char **argv)
{
	static struct program p;
	static const struct beside_does does = {
	    .program = "vnet-resolved",
	    .help = "Tells systemd-resolved to ask the virtual networks' own name servers about "
		    "names in "
		    "vmnet8 and\n"
		    "the like, so that `ssh web1.vmnet8` works on this host. vnet-resolved.service "
		    "runs it.",
	    .service = RESOLVED_SERVICE,
	    .came = came,
	    .look = look,
	    .end = end,
	    .arg = &p,
	};

	return beside_main(&does, argv);
}
