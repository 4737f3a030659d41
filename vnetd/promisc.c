/* SPDX-License-Identifier: GPL-2.0-or-later
 * promisc.c - request x answers -> granted, pending, refused. Pure: no clock, no log.
 */
#include "vnetd/promisc.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/wire.h"

enum { MEMO_VERSION = 1 };

static const char *
kind_of(uint32_t mode)
{
	return S_ISLNK(mode)    ? "symbolic link"
	       : S_ISDIR(mode)  ? "folder"
	       : S_ISFIFO(mode) ? "pipe"
				: "special file";
}

bool
marker_counts(char why[PROMISC_WHY_MAX], const struct msg_marker_row *m)
{
	why[0] = '\0';
	if (m->linked)
		snprintf(why, PROMISC_WHY_MAX, "its folder is a symbolic link");
	else if (!m->regular)
		snprintf(why, PROMISC_WHY_MAX, "it is a %s, not a regular file", kind_of(m->mode));
	else if (m->links != 1)
		snprintf(why, PROMISC_WHY_MAX, "it has %u names (hard links)", m->links);
	else if (m->uid != 0)
		snprintf(why, PROMISC_WHY_MAX, "it belongs to uid %u, not to root", m->uid);
	else if (m->mode & (S_IWGRP | S_IWOTH))
		snprintf(why, PROMISC_WHY_MAX, "others than root may write to it (mode %04o)",
			 m->mode & 07777);
	return !why[0];
}

/* A key or a word of the administrator is a request as well: who allows a port means it. */
static enum promisc_by
who_asks(const struct promisc_case *c)
{
	if (c->port->by != PROMISC_BY_NOBODY)
		return c->port->by;
	if (c->milder || c->port_key == CONF_PROMISC_ALLOW)
		return PROMISC_BY_CONFIG;
	return c->port->word == WORD_ONCE || c->port->word == WORD_FOR ? PROMISC_BY_USER
								       : PROMISC_BY_NOBODY;
}

static struct promisc_answer
granted(enum promisc_by by, const char *why)
{
	return (struct promisc_answer){.state = PROMISC_GRANTED, .by = by, .why = why};
}

static struct promisc_answer
refused(enum promisc_by by, const char *why)
{
	return (struct promisc_answer){.state = PROMISC_REFUSED, .by = by, .why = why};
}

static struct promisc_answer
by_word(const struct promisc_case *c, enum promisc_by by)
{
	struct promisc_answer a = {.state = PROMISC_NO};

	if (c->port->word == WORD_DENY)
		return refused(by, "an administrator denied it");
	if (c->port->word == WORD_ONCE)
		return granted(by,
			       "an administrator allowed it, until the port goes or stops asking");
	if (c->port->word == WORD_FOR && c->now_s < c->port->until_s) {
		a = granted(by, "an administrator allowed it for a time");
		a.until_s = c->port->until_s;
	}
	return a;
}

struct promisc_answer
promisc_judge(const struct promisc_case *c)
{
	enum promisc_by by = who_asks(c);
	struct promisc_answer a;

	/* A word that is over is none. */
	if (by == PROMISC_BY_USER && c->port->by == PROMISC_BY_NOBODY &&
	    c->port->word == WORD_FOR && c->now_s >= c->port->until_s)
		by = PROMISC_BY_NOBODY;
	if (by == PROMISC_BY_NOBODY)
		return (struct promisc_answer){.state = PROMISC_NO, .why = "nobody asks for it"};
	if (c->port_key == CONF_PROMISC_DENY)
		return refused(by, "promiscuous = deny in the port's section of vnetd.conf");
	if (c->port_key == CONF_PROMISC_ALLOW)
		return granted(by, "promiscuous = allow in the port's section of vnetd.conf");
	a = by_word(c, by);
	if (a.state != PROMISC_NO)
		return a;
	if (c->net_key == CONF_PROMISC_DENY)
		return refused(by, "promiscuous = deny in the network's section of vnetd.conf");
	if (c->net_key == CONF_PROMISC_ALLOW)
		return granted(by, "promiscuous = allow in the network's section of vnetd.conf");
	if (c->marker[0]) {
		a = granted(by, "the marker file exists");
		a.by_marker = true;
		return a;
	}
	return (struct promisc_answer){
	    .state = PROMISC_PENDING, .by = by, .why = "no promiscAuthorized marker"};
}

size_t
promisc_pack(uint8_t memo[GATE_MEMO_MAX], const struct promisc *p)
{
	uint8_t buf[GATE_MEMO_MAX];
	struct wr w = wr_init(buf, sizeof(buf));
	size_t len;

	wr_u8(&w, MEMO_VERSION);
	wr_u8(&w, (uint8_t)p->by);
	wr_u8(&w, (uint8_t)p->word);
	wr_u8(&w, p->blocked);
	wr_u8(&w, p->unpinned);
	wr_be64(&w, p->asked_s);
	wr_be64(&w, p->until_s);
	len = w.bad ? 0 : wr_len(&w);
	memcpy(memo, buf, len);
	return len;
}

bool
promisc_unpack(struct promisc *out, const uint8_t *memo, size_t len)
{
	struct rd r = rd_init(memo, len);
	uint8_t version, by, word, blocked, unpinned;

	*out = (struct promisc){0};
	version = rd_u8(&r);
	by = rd_u8(&r);
	word = rd_u8(&r);
	blocked = rd_u8(&r);
	unpinned = rd_u8(&r);
	out->asked_s = rd_be64(&r);
	out->until_s = rd_be64(&r);
	if (r.bad || version != MEMO_VERSION || by >= PROMISC_BY_N || word >= PROMISC_WORD_N ||
	    blocked > 1 || unpinned > 1) {
		*out = (struct promisc){0};
		return false;
	}
	out->by = (enum promisc_by)by;
	out->word = (enum promisc_word)word;
	out->blocked = blocked;
	out->unpinned = unpinned;
	return true;
}
