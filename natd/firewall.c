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

enum owner { OWNER_FIREWALLD, OWNER_DOCKER, OWNER_UFW, OWNER_IPTABLES, OWNER_NFT, OWNER_N };

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

static enum owner
owner_of(const struct msg_firewall_row *r)
{
	if (!strcmp(r->table, "firewalld"))
		return OWNER_FIREWALLD;
	if (has_word(r->jumps, "DOCKER-USER", false) || has_word(r->jumps, "DOCKER-FORWARD", false))
		return OWNER_DOCKER;
	if (has_word(r->jumps, "ufw-", true))
		return OWNER_UFW;
	/* iptables-nft's own tables are of family ip and have these names. */
	if (!strcmp(r->family, "ip") && !strcmp(r->table, "filter") &&
	    (!strcmp(r->chain, "INPUT") || !strcmp(r->chain, "FORWARD")))
		return OWNER_IPTABLES;
	return OWNER_NFT;
}

static void
add_name(struct strbuf *b, const struct msg_firewall_row *r)
{
	switch (owner_of(r)) {
	case OWNER_FIREWALLD:
		strbuf_add(b, "firewalld");
		break;
	case OWNER_DOCKER:
		strbuf_add(b, "Docker");
		break;
	case OWNER_UFW:
		strbuf_add(b, "ufw");
		break;
	case OWNER_IPTABLES:
		strbuf_addf(b, "iptables chain %s", r->chain);
		break;
	case OWNER_NFT:
		strbuf_addf(b, "chain %s of table %s %s", r->chain, r->family, r->table);
		break;
	case OWNER_N:
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
	switch (owner_of(r)) {
	case OWNER_FIREWALLD:
		add_command(b, "firewall-cmd --permanent --zone=trusted --add-interface=vmnet%u",
			    net);
		add_command(b, "firewall-cmd --reload");
		break;
	case OWNER_DOCKER:
		add_command(b, "iptables -I DOCKER-USER -i vmnet%u -j ACCEPT", net);
		add_command(b, "iptables -I DOCKER-USER -o vmnet%u -j ACCEPT", net);
		break;
	case OWNER_UFW:
		if (r->forward) {
			add_command(b, "ufw route allow in on vmnet%u", net);
			add_command(b, "ufw route allow out on vmnet%u", net);
		} else {
			add_command(b, "ufw allow in on vmnet%u", net);
		}
		break;
	case OWNER_IPTABLES:
		add_command(b, "iptables -I %s -i vmnet%u -j ACCEPT", r->chain, net);
		if (r->forward)
			add_command(b, "iptables -I %s -o vmnet%u -j ACCEPT", r->chain, net);
		break;
	case OWNER_NFT:
		add_command(b, "nft insert rule %s %s %s iifname vmnet%u accept", r->family,
			    r->table, r->chain, net);
		if (r->forward)
			add_command(b, "nft insert rule %s %s %s oifname vmnet%u accept", r->family,
				    r->table, r->chain, net);
		break;
	case OWNER_N:
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
	return !has_word(r->names, name, false);
}

/* One pair of commands cures both hooks: it is not repeated. */
static bool
cured_before(const struct msg_firewall_row *rows, size_t i, const struct msg_natd_net *net)
{
	enum owner owner = owner_of(&rows[i]);

	for (size_t k = 0; k < i; k++)
		if (owner == OWNER_FIREWALLD && owner_of(&rows[k]) == owner &&
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
	MSG_SET_STR(out->text, strbuf_str(&text));
	/* Half a command is worse than none. */
	if (cure.len < sizeof(out->cure))
		MSG_SET_STR(out->cure, strbuf_str(&cure));
	strbuf_fini(&forward);
	strbuf_fini(&input);
	strbuf_fini(&text);
	strbuf_fini(&cure);
}
