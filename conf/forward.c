/* SPDX-License-Identifier: GPL-2.0-or-later
 * forward.c - see forward.h. Pure apart from the heap.
 */
#include "conf/forward.h"

#include <stdlib.h>
#include <string.h>

#include "conf/networking.h"
#include "conf/text.h"
#include "lib/strbuf.h"

static int
compare(const struct conf_forward *a, const struct conf_forward *b)
{
	return conf_forward_cmp(a, b);
}

/* The first of v that is not less than f. */
static size_t
place_of(const struct conf_forward *v, size_t n, const struct conf_forward *f)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (compare(&v[mid], f) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const struct conf_forward *
find(const struct conf_forward *v, size_t n, const struct conf_forward *f)
{
	size_t at = place_of(v, n, f);

	return at < n && compare(&v[at], f) == 0 ? &v[at] : NULL;
}

static bool
is_taken(const struct conf *c, const struct conf_forward *f)
{
	for (unsigned n = 0; n < CONF_NETS; n++) {
		const struct conf_net *net = &c->net[n];

		if (find(net->forward, net->nforwards, f))
			return true;
		for (size_t i = 0; c->forwards_wide && i < net->nforwards; i++)
			if (conf_forwards_meet(&net->forward[i], f))
				return true;
	}
	return false;
}

static bool
may_come(const struct conf *c, const struct conf_net *net, const struct conf_forward *f)
{
	return !f->shadow && !c->shadow_idle && f->host_port && f->guest_port &&
	       prefix4_contains(net->subnet, f->guest) && !conf_net_owns(net, f->guest) &&
	       !is_taken(c, f);
}

/* Whatever kept another forward of the port out would let it in now. */
static bool
may_go(const struct conf *c, const struct conf_net *net, const struct conf_forward *f)
{
	const struct conf_forward *there = find(net->forward, net->nforwards, f);

	return !c->forwards_clash && there && !there->shadow;
}

bool
conf_forward_text(struct strbuf *out, const struct conf *c, const char *text, size_t len,
		  unsigned n, const struct conf_forward *f, bool gone)
{
	const struct conf_net *net = n < CONF_NETS ? &c->net[n] : NULL;

	if (conf_forward_is_wide(f) || !net || c->fatal || !net->present || net->failed ||
	    !net->nat || !text)
		return false;
	if (find(net->natconf.forward, net->natconf.nforwards, f))
		return false;
	if (!(gone ? may_go(c, net, f) : may_come(c, net, f)))
		return false;
	if (gone ? !networking_drop_forward(out, text, len, n, f)
		 : !networking_add_forward(out, text, len, n, f))
		return false;
	return !out->bad && out->len <= CONF_FILE_MAX;
}

/* --- the model --- */

void
conf_forwards_free(struct conf_net *n)
{
	if (!n->forward_cap)
		return;
	for (size_t i = 0; i < n->nforwards; i++)
		free(n->forward[i].own);
	free(n->forward);
	n->forward = NULL;
	n->nforwards = n->forward_cap = 0;
}

/* The description as a reader of the file gets it. *out NULL: none. */
static bool
read_description(char **out, unsigned n, const struct conf_forward *f)
{
	static const char version[] = "VERSION=1,0\n";
	struct networking nw;
	struct strbuf text;
	struct diags quiet;
	struct arena a;
	const char *s;
	bool ok;

	arena_init(&a);
	diags_init(&quiet);
	strbuf_init(&text);
	networking_set_forward(&text, version, strlen(version), n, f);
	networking_parse(&nw, &a, "", strbuf_str(&text), text.len, &quiet);
	ok = !text.bad && nw.nforwards == 1;
	s = ok && nw.forward[0].f.description ? text_clean(&a, nw.forward[0].f.description) : NULL;
	*out = s ? strdup(s) : NULL;
	ok = ok && !a.bad && (!s || *out);
	strbuf_fini(&text);
	diags_fini(&quiet);
	arena_fini(&a);
	return ok;
}

/* Room for one more, on the heap: an arena would grow with every change. */
static bool
reserve(struct conf_net *net)
{
	size_t cap = net->nforwards < 16 ? 32 : 2 * net->nforwards;
	struct conf_forward *v;

	if (net->nforwards < net->forward_cap)
		return true;
	v = reallocarray(net->forward_cap ? net->forward : NULL, cap, sizeof(*v));
	if (!v)
		return false;
	if (!net->forward_cap && net->nforwards)
		memcpy(v, net->forward, net->nforwards * sizeof(*v));
	net->forward = v;
	net->forward_cap = cap;
	return true;
}

static bool
add(struct conf_net *net, const struct conf_forward *f)
{
	struct conf_forward new = *f;
	size_t at;

	if (!read_description(&new.own, net->n, f) || !reserve(net)) {
		free(new.own);
		return false;
	}
	new.description = new.own;
	new.pos = (struct conf_pos){"networking", 0, 0};
	at = place_of(net->forward, net->nforwards, f);
	memmove(net->forward + at + 1, net->forward + at,
		(net->nforwards++ - at) * sizeof(*net->forward));
	net->forward[at] = new;
	return true;
}

static void
drop(struct conf_net *net, size_t at)
{
	free(net->forward[at].own);
	memmove(net->forward + at, net->forward + at + 1,
		(--net->nforwards - at) * sizeof(*net->forward));
}

bool
conf_forward_apply(struct conf *c, unsigned n, const struct conf_forward *f, bool gone,
		   struct conf_forward *as)
{
	struct conf_net *net = &c->net[n];
	size_t at = place_of(net->forward, net->nforwards, f);

	*as = gone ? net->forward[at] : *f;
	as->description = as->own = NULL;
	if (!gone)
		return add(net, f);
	drop(net, at);
	return true;
}
