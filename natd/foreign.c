/* SPDX-License-Identifier: GPL-2.0-or-later
 * foreign.c - foreign rule sets -> places for rules of ours. Pure.
 */
#include "natd/foreign.h"

#include <string.h>

/* A space-separated field contains a word, or one that begins with it. */
static bool
has_word(const char *field, const char *word, bool prefix)
{
	size_t n = strlen(word);

	for (const char *p = field; (p = strstr(p, word)); p += n)
		if ((p == field || p[-1] == ' ') && (prefix || p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

/* iptables-nft's own table is of family ip and has these chains. */
static bool
is_iptables(const struct msg_firewall_row *r)
{
	return !strcmp(r->family, "ip") && !strcmp(r->table, "filter") &&
	       !strcmp(r->chain, r->forward ? "FORWARD" : "INPUT");
}

enum foreign_owner
foreign_owner(const struct msg_firewall_row *r)
{
	if (!strcmp(r->table, "firewalld"))
		return FOREIGN_FIREWALLD;
	if (has_word(r->jumps, "DOCKER-USER", false) || has_word(r->jumps, "DOCKER-FORWARD", false))
		return FOREIGN_DOCKER;
	if (has_word(r->jumps, "ufw-", true))
		return FOREIGN_UFW;
	return is_iptables(r) ? FOREIGN_IPTABLES : FOREIGN_NFT;
}

/* ufw's as well stand in the built-in chains: a rule of ours in ufw-user-input keeps it from deleting that
 * chain, and its reload ends halfway, with the firewall off. */
bool
foreign_place(enum foreign_place *out, const struct msg_firewall_row *r)
{
	if (!is_iptables(r) || !(r->policy_drop || r->final_drop))
		return false;
	if (has_word(r->jumps, "DOCKER-USER", false))
		*out = FOREIGN_DOCKER_USER;
	else
		*out = r->forward ? FOREIGN_IPTABLES_FORWARD : FOREIGN_IPTABLES_INPUT;
	return true;
}

/* What no network of ours may do anyhow is table inet vnetd's to say: a packet has to pass both. */
static void
want_net(struct foreign_want *w, const struct msg_natd_net *net, bool forward)
{
	if (!forward && net->dns.h)
		msg_nets_add(w->through, net->net);
	else if (forward && net->nat)
		msg_nets_add(w->through, net->net);
	else if (forward)
		/* bridge-nf may send its guests' frames there. */
		msg_nets_add(w->inside, net->net);
}

void
foreign_want(struct foreign_want out[FOREIGN_PLACE_N], const struct natd_conf *c,
	     const struct msg_firewall_row *rows, size_t nrows)
{
	memset(out, 0, FOREIGN_PLACE_N * sizeof(*out));
	for (size_t i = 0; c->foreign_allow && i < nrows; i++) {
		enum foreign_place p;

		if (!foreign_place(&p, &rows[i]))
			continue;
		for (size_t k = 0; k < c->nnets; k++)
			want_net(&out[p], &c->nets[k], rows[i].forward);
		for (size_t k = 0; rows[i].forward && k < NAT_ROUTES_LEN; k++)
			out[p].inside[k] |= c->bridges[k];
	}
}

bool
foreign_want_any(const struct foreign_want *w)
{
	for (size_t i = 0; i < NAT_ROUTES_LEN; i++)
		if (w->through[i] || w->inside[i])
			return true;
	return false;
}
