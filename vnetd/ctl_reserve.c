/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_reserve.c - the verbs `reserve` and `unreserve`. What is wrong is said by vnetd, once.
 */
#include <string.h>

#include "vnetd/ctl.h"

static const struct ctl_opt reserve_opts[] = {
    {"name", 0, "NAME", "the guest's host name, for people and DHCP"},
    {"static-arp", 0, NULL, "the host knows the guest's MAC address and never asks it by ARP"},
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};
static const struct ctl_opt unreserve_opts[] = {CTL_OPT_QUIET, CTL_OPT_HELP, {0}};

static bool
parse_mac(const struct ctl_verb *v, struct mac *mac, const char *text)
{
	if (mac_parse(mac, text))
		return true;
	ctl_misuse(v, "\"%s\" is not a MAC address such as 00:50:56:11:22:33", text);
	return false;
}

/* Puts the request and prints the new fact in vnetd's words. */
static enum ctl_exit
change(const struct ctl *c, struct msg *request)
{
	struct strbuf text;
	enum ctl_exit r;

	strbuf_init(&text);
	r = ctl_change(c, request, NULL, NULL, &text);
	if (r == CTL_OK && text.len)
		strbuf_addc(&text, '\n');
	if (r == CTL_OK)
		r = ctl_print(c, &text);
	strbuf_fini(&text);
	return r;
}

static enum ctl_exit
run_reserve(struct ctl *c, const struct ctl_args *a)
{
	struct msg request = msg_make(MSG_RESERVE, 0);
	struct msg_reserve *m = &request.u.reserve;
	const char *name = ctl_args_get(a, "name");

	if (!ctl_parse_net(&m->net, a->pos[0]) || !parse_mac(&ctl_verb_reserve, &m->mac, a->pos[1]))
		return CTL_USAGE;
	if (!ip4_parse(&m->addr, a->pos[2]))
		return ctl_misuse(&ctl_verb_reserve, "\"%s\" is not an IPv4 address", a->pos[2]);
	if (name && strlen(name) >= sizeof(m->name))
		return ctl_misuse(&ctl_verb_reserve, "a name has at most %zu characters",
				  sizeof(m->name) - 1);
	if (name)
		MSG_SET_STR(m->name, name);
	m->static_arp = ctl_args_get(a, "static-arp") != NULL;
	return change(c, &request);
}

static enum ctl_exit
run_unreserve(struct ctl *c, const struct ctl_args *a)
{
	struct msg request = msg_make(MSG_UNRESERVE, 0);
	struct msg_unreserve *m = &request.u.unreserve;

	if (!ctl_parse_net(&m->net, a->pos[0]) ||
	    !parse_mac(&ctl_verb_unreserve, &m->mac, a->pos[1]))
		return CTL_USAGE;
	return change(c, &request);
}

const struct ctl_verb ctl_verb_reserve = {
    .name = "reserve",
    .synopsis = "vmnetN MAC IP [--name NAME] [--static-arp]",
    .summary = "Sets an address aside for one guest",
    .detail =
	"It takes the place of what was reserved for this MAC address before. A guest that has\n"
	"another address gets this one when it renews its lease; nobody else is disturbed. It is\n"
	"written to \"networking\", with a name to dhcpd.conf, behind the generated section.",
    .example = "  sudo vnetctl reserve vmnet8 00:50:56:11:22:33 172.16.204.50 --name db\n"
	       "  sudo vnetctl reserve vmnet8 00:50:56:11:22:44 172.16.204.51 --static-arp",
    .opts = reserve_opts,
    .min_pos = 3,
    .max_pos = 3,
    .run = run_reserve,
};

const struct ctl_verb ctl_verb_unreserve = {
    .name = "unreserve",
    .synopsis = "vmnetN MAC",
    .summary = "Gives up the reservation of a guest",
    .detail =
	"The guest keeps the address until it renews its lease, and for longer if the address\n"
	"is one of the range.",
    .example = "  sudo vnetctl unreserve vmnet8 00:50:56:11:22:33",
    .opts = unreserve_opts,
    .min_pos = 2,
    .max_pos = 2,
    .run = run_unreserve,
};
