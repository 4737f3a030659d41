/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewall.c - foreign rule sets -> sentences and cures. Pure.
 *
 * DHCP is not among the complaints: its server reads and writes whole frames beside the IP stack,
 * where these rule sets do not look.
 */
#include "natd/firewall.h"

#include <stdio.h>
#include <string.h>

#include "lib/strbuf.h"
#include "lib/util.h"
#include "natd/foreign.h"
#include "paths.h"

/* A space-separated field contains a word. */
static bool
has_word(const char *field, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = field; (p = strstr(p, word)); p += n)
		if ((p == field || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static void
add_name(struct strbuf *b, const struct msg_firewall_row *r)
{
	switch (foreign_owner(r)) {
	case FOREIGN_FIREWALLD:
		strbuf_add(b, "firewalld");
		break;
	case FOREIGN_DOCKER:
		strbuf_add(b, "Docker");
		break;
	case FOREIGN_UFW:
		strbuf_add(b, "ufw");
		break;
	case FOREIGN_IPTABLES:
		strbuf_addf(b, "iptables chain %s", r->chain);
		break;
	case FOREIGN_NFT:
		strbuf_addf(b, "chain %s of table %s %s", r->chain, r->family, r->table);
		break;
	case FOREIGN_OWNER_N:
		break;
	}
}

/* One command, after "sudo"; separated from those before. */
PRINTF_LIKE(2, 3)
static void
add_command(struct strbuf *b, const char *fmt, ...)
{
	va_list ap;

	strbuf_add(b, b->len ? " && sudo " : "sudo ");
	va_start(ap, fmt);
	strbuf_vaddf(b, fmt, ap);
	va_end(ap);
}

static void
add_cure(struct strbuf *b, const struct msg_firewall_row *r, unsigned net)
{
	switch (foreign_owner(r)) {
	case FOREIGN_FIREWALLD:
		/* "change" moves it, too, where it is in another zone; the reload has the zone known. */
		add_command(b,
			    "firewall-cmd --permanent --zone=" VNET_FIREWALLD_ZONE
			    " --change-interface=vmnet%u",
			    net);
		add_command(b, "firewall-cmd --reload");
		break;
	case FOREIGN_DOCKER:
		add_command(b, "iptables -I DOCKER-USER -i vmnet%u -j ACCEPT", net);
		add_command(b, "iptables -I DOCKER-USER -o vmnet%u -j ACCEPT", net);
		break;
	case FOREIGN_UFW:
		if (r->forward) {
			add_command(b, "ufw route allow in on vmnet%u", net);
			add_command(b, "ufw route allow out on vmnet%u", net);
		} else {
			add_command(b, "ufw allow in on vmnet%u", net);
		}
		break;
	case FOREIGN_IPTABLES:
		add_command(b, "iptables -I %s -i vmnet%u -j ACCEPT", r->chain, net);
		if (r->forward)
			add_command(b, "iptables -I %s -o vmnet%u -j ACCEPT", r->chain, net);
		break;
	case FOREIGN_NFT:
		add_command(b, "nft insert rule %s %s %s iifname vmnet%u accept", r->family,
			    r->table, r->chain, net);
		if (r->forward)
			add_command(b, "nft insert rule %s %s %s oifname vmnet%u accept", r->family,
				    r->table, r->chain, net);
		break;
	case FOREIGN_OWNER_N:
		break;
	}
}

/* The chain stands in the network's way. */
static bool
blocks(const struct msg_firewall_row *r, const struct msg_natd_net *net)
{
	char name[16];

	if (r->forward ? !net->nat : !net->dns.h)
		return false;
	snprintf(name, sizeof(name), "vmnet%u", net->net);
	return !has_word(r->names, name);
}

/* One pair of commands cures both hooks: it is not repeated. */
static bool
cured_before(const struct msg_firewall_row *rows, size_t i, const struct msg_natd_net *net)
{
	enum foreign_owner owner = foreign_owner(&rows[i]);

	for (size_t k = 0; k < i; k++)
		if (owner == FOREIGN_FIREWALLD && foreign_owner(&rows[k]) == owner &&
		    blocks(&rows[k], net))
			return true;
	return false;
}

/* "firewalld and Docker drop": owners of the chains on one hook that block; "" when none does. */
static void
add_owners(struct strbuf *b, const struct msg_natd_net *net, const struct msg_firewall_row *rows,
	   size_t nrows, bool forward)
{
	size_t n = 0;

	for (size_t i = 0; i < nrows; i++) {
		if (rows[i].forward != forward || !blocks(&rows[i], net))
			continue;
		if (n++)
			strbuf_add(b, " and ");
		add_name(b, &rows[i]);
	}
	if (n)
		strbuf_add(b, n > 1 ? " drop" : " drops");
}

/* One sentence; two halves when different people stand in the way of the two kinds of packets. */
static void
add_sentence(struct strbuf *b, const struct msg_natd_net *net, const char *forward,
	     const char *input)
{
	if (forward[0])
		strbuf_addf(b, "%s what vmnet%u forwards%s: its guests have no Internet", forward,
			    net->net, !strcmp(forward, input) ? ", and its DNS" : "");
	if (input[0] && strcmp(forward, input) != 0)
		strbuf_addf(b, "%s%s the DNS queries of vmnet%u's guests to %s", b->len ? "; " : "",
			    input, net->net, IP4_STR(net->dns));
}

/* The network is one for our zone of firewalld: it has a service that guests need. */
static bool
is_for_zone(const struct msg_natd_net *net)
{
	return net && (net->nat || net->dns.h);
}

/* What foreign-rules = allow leads to lets the network pass this chain. */
static bool
is_curable(const struct msg_firewall_row *r, const struct msg_natd_net *net)
{
	enum foreign_place p;

	if (foreign_owner(r) == FOREIGN_FIREWALLD)
		return VNET_DBUS && is_for_zone(net);
	return foreign_place(&p, r);
}

/* And all that stand in the way. */
static bool
can_cure(const struct msg_natd_net *net, const struct msg_firewall_row *rows, size_t nrows)
{
	for (size_t i = 0; i < nrows; i++)
		if (blocks(&rows[i], net) && !is_curable(&rows[i], net))
			return false;
	return true;
}

void
firewall_judge(struct firewall_line *out, const struct msg_natd_net *net,
	       const struct msg_firewall_row *rows, size_t nrows)
{
	struct strbuf forward, input, text, cure;

	*out = (struct firewall_line){0};
	strbuf_init(&forward);
	strbuf_init(&input);
	strbuf_init(&text);
	strbuf_init(&cure);
	add_owners(&forward, net, rows, nrows, true);
	add_owners(&input, net, rows, nrows, false);
	add_sentence(&text, net, strbuf_str(&forward), strbuf_str(&input));
	for (size_t i = 0; i < nrows; i++)
		if (blocks(&rows[i], net) && !cured_before(rows, i, net))
			add_cure(&cure, &rows[i], net->net);
	out->ok = forward.len == 0 && input.len == 0;
	out->can_cure = !out->ok && can_cure(net, rows, nrows);
	MSG_SET_STR(out->text, strbuf_str(&text));
	/* Half a command is worse than none. */
	if (cure.len < sizeof(out->cure))
		MSG_SET_STR(out->cure, strbuf_str(&cure));
	strbuf_fini(&forward);
	strbuf_fini(&input);
	strbuf_fini(&text);
	strbuf_fini(&cure);
}

/* -- between guests -- */

/* ours: the network is one for our zone of firewalld. */
static void
add_cure_inside(struct strbuf *b, const struct msg_firewall_row *r, unsigned net, bool ours)
{
	switch (foreign_owner(r)) {
	case FOREIGN_FIREWALLD:
		if (ours) {
			add_cure(b, r, net);
			break;
		}
		/* The default zone, where it is anyway: no zone of another kind would leave it as it is what guests, or
		 * for a bridged network the LAN, may reach of the host. */
		add_command(b, "firewall-cmd --permanent --add-interface=vmnet%u", net);
		add_command(b, "firewall-cmd --permanent --add-forward");
		add_command(b, "firewall-cmd --reload");
		break;
	case FOREIGN_DOCKER:
	case FOREIGN_IPTABLES:
		add_command(b, "iptables -I %s -i vmnet%u -o vmnet%u -j ACCEPT",
			    foreign_owner(r) == FOREIGN_DOCKER ? "DOCKER-USER" : r->chain, net,
			    net);
		break;
	case FOREIGN_UFW:
		add_command(b, "ufw route allow in on vmnet%u out on vmnet%u", net, net);
		break;
	case FOREIGN_NFT:
		add_command(b, "nft insert rule %s %s %s iifname vmnet%u oifname vmnet%u accept",
			    r->family, r->table, r->chain, net, net);
		break;
	case FOREIGN_OWNER_N:
		break;
	}
}

void
firewall_judge_inside(struct firewall_line *out, unsigned number, const struct msg_natd_net *net,
		      const struct msg_firewall_row *rows, size_t nrows)
{
	struct strbuf text, cure;
	size_t n = 0;

	*out = (struct firewall_line){.can_cure = true};
	strbuf_init(&text);
	strbuf_init(&cure);
	for (size_t i = 0; i < nrows; i++) {
		if (!msg_nets_have(rows[i].inside.b, number) || (net && blocks(&rows[i], net)))
			continue;
		if (n++)
			strbuf_add(&text, " and ");
		add_name(&text, &rows[i]);
		add_cure_inside(&cure, &rows[i], number, is_for_zone(net));
		out->can_cure &= is_curable(&rows[i], net);
	}
	out->ok = n == 0;
	out->can_cure &= !out->ok;
	if (!out->ok)
		strbuf_addf(&text,
			    "%s frames between guests of vmnet%u, which bridge-nf-call-iptables "
			    "hands to %s",
			    n > 1 ? " drop" : " drops", number, n > 1 ? "them" : "it");
	MSG_SET_STR(out->text, strbuf_str(&text));
	if (cure.len < sizeof(out->cure))
		MSG_SET_STR(out->cure, strbuf_str(&cure));
	strbuf_fini(&text);
	strbuf_fini(&cure);
}
