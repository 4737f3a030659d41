/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_ip.c - the verb `ip`: the address of a guest, for scripts and for ssh.
 */
#include <string.h>
#include <strings.h>

#include "vnetd/ctl.h"
#include "vnetd/ctl_json.h"

static const struct ctl_opt opts[] = {
    {"net", 0, "vmnetN", "only the guest of this network"},
    CTL_OPT_JSON,
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};

/* What is looked for: a host name, a MAC address, or the address of a port that is called so. */
struct wanted {
	const char *name;
	struct mac mac;
	bool has_mac;
	uint16_t net; /* or MSG_NET_ALL */
};

static bool
is_meant(const struct wanted *w, const struct msg_lease_row *l)
{
	if (w->net != MSG_NET_ALL && w->net != l->net)
		return false;
	return (w->has_mac && mac_eq(w->mac, l->mac)) ||
	       (l->name[0] && !strcasecmp(w->name, l->name));
}

/* How sure an address is: a lease that is in use, one that will be given, one that was. */
static int
worth(const struct msg_lease_row *l)
{
	switch ((enum lease_row_state)l->state) {
	case LEASE_ROW_ACTIVE:
		return 2;
	case LEASE_ROW_RESERVED:
		return 1;
	case LEASE_ROW_EXPIRED:
	case LEASE_ROW_ABANDONED:
	case LEASE_ROW_N:
		break;
	}
	return 0;
}

/* Of two guests of one name the later one counts, as the DNS proxy has it. NULL: there is none. */
static const struct msg_lease_row *
find(const struct wanted *w, const struct rows *leases)
{
	const struct msg_lease_row *l = leases->v, *best = NULL;

	for (size_t i = 0; i < leases->n; i++) {
		if (!is_meant(w, &l[i]) || worth(&l[i]) == 0)
			continue;
		if (!best || worth(&l[i]) > worth(best) ||
		    (worth(&l[i]) == worth(best) && l[i].starts >= best->starts))
			best = &l[i];
	}
	return best;
}

/* A guest of another network may be meant just as well. */
static bool
is_ambiguous(const struct wanted *w, const struct rows *leases, const struct msg_lease_row *best)
{
	const struct msg_lease_row *l = leases->v;

	for (size_t i = 0; i < leases->n; i++)
		if (l[i].net != best->net && is_meant(w, &l[i]) && worth(&l[i]) == worth(best))
			return true;
	return false;
}

/* "web1.vmnet8" names the network, too. */
static void
split_name(struct wanted *w, char *name)
{
	char *dot = strrchr(name, '.');
	unsigned net;

	if (dot && dot != name && conf_net_parse(&net, dot + 1)) {
		*dot = '\0';
		w->net = (uint16_t)net;
	}
	w->name = name;
	w->has_mac = mac_parse(&w->mac, name);
}

static enum ctl_exit
gather(const struct ctl *c, struct rows *leases, struct rows *ports)
{
	struct rows *want_leases[] = {leases}, *want_ports[] = {ports};
	struct msg m = msg_make(MSG_LEASE_LIST, 0);
	enum ctl_exit r;

	m.u.lease_list.net = MSG_NET_ALL;
	r = ctl_ask(c, &m, want_leases, ARRAY_LEN(want_leases));
	if (r != CTL_OK)
		return r;
	m = msg_make(MSG_PORT_LIST, 0);
	m.u.port_list.net = MSG_NET_ALL;
	return ctl_ask(c, &m, want_ports, ARRAY_LEN(want_ports));
}

static enum ctl_exit
print(const struct ctl *c, const struct msg_lease_row *l)
{
	struct strbuf text;

	if (c->json)
		return ctl_print_json(c, json_of_lease(l), false);
	strbuf_init(&text);
	strbuf_addf(&text, "%s\n", IP4_STR(l->addr));
	return ctl_print(c, &text);
}

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	struct rows leases = ROWS_INIT(LEASE_ROW, lease_row), ports = ROWS_INIT(PORT_ROW, port_row);
	struct wanted w = {.net = MSG_NET_ALL};
	const struct msg_lease_row *l = NULL;
	const struct msg_port_row *p;
	char name[256];
	enum ctl_exit r;

	msg_str(name, sizeof(name), a->pos[0]);
	split_name(&w, name);
	if (ctl_args_get(a, "net") && !ctl_parse_net(&w.net, ctl_args_get(a, "net")))
		return CTL_USAGE;
	r = gather(c, &leases, &ports);
	if (r == CTL_OK)
		l = find(&w, &leases);
	if (r == CTL_OK && !l && (p = ctl_find_port(&ports, name))) {
		w.mac = p->mac;
		w.has_mac = true;
		l = find(&w, &leases);
	}
	if (r == CTL_OK && !l) {
		ctl_complain("no guest \"%s\" has a lease. All of them: vnetctl leases", a->pos[0]);
		r = CTL_FAILED;
	} else if (r == CTL_OK && is_ambiguous(&w, &leases, l)) {
		ctl_complain("guests of several networks are called \"%s\". Say which: vnetctl ip "
			     "%s.vmnet%u",
			     a->pos[0], name, l->net);
		r = CTL_FAILED;
	} else if (r == CTL_OK) {
		r = print(c, l);
	}
	rows_fini(&leases);
	rows_fini(&ports);
	return r;
}

const struct ctl_verb ctl_verb_ip = {
    .name = "ip",
    .synopsis = "NAME[.vmnetN] [--net vmnetN] [--json]",
    .summary = "Prints the address of a guest",
    .detail = "NAME is the host name of the guest as its lease has it, its MAC address, or the "
	      "name of its\n"
	      "port.",
    .example = "  ssh user@$(vnetctl ip web1)",
    .opts = opts,
    .min_pos = 1,
    .max_pos = 1,
    .run = run,
};
