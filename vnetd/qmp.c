/* SPDX-License-Identifier: GPL-2.0-or-later
 * qmp.c - lines of QEMU's monitor into filters, and the commands that ask for them. Pure.
 */
#include "vnetd/qmp.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/msg.h"
#include "lib/strbuf.h"
#include "lib/util.h"

bool
qmp_lines_add(struct qmp_lines *l, const char *bytes, size_t n)
{
	size_t cap = l->cap ? l->cap : 4096;
	char *more;

	if (l->start) {
		memmove(l->buf, l->buf + l->start, l->len - l->start);
		l->len -= l->start;
		l->seen -= l->start;
		l->start = 0;
	}
	if (n == 0)
		return true;
	if (n > 2 * QMP_LINE_MAX - l->len)
		return false;
	while (cap < l->len + n)
		cap *= 2;
	if (cap != l->cap) {
		more = realloc(l->buf, cap);
		if (!more)
			return false;
		l->buf = more;
		l->cap = cap;
	}
	memcpy(l->buf + l->len, bytes, n);
	l->len += n;
	return l->len <= QMP_LINE_MAX ||
	       (l->seen < QMP_LINE_MAX && memchr(l->buf + l->seen, '\n', QMP_LINE_MAX - l->seen));
}

const char *
qmp_lines_next(struct qmp_lines *l, size_t *len)
{
	const char *line, *end;

	if (l->seen == l->len)
		return NULL;
	end = memchr(l->buf + l->seen, '\n', l->len - l->seen);
	if (!end) {
		l->seen = l->len;
		return NULL;
	}
	line = l->buf + l->start;
	*len = (size_t)(end - line);
	l->start = l->seen = (size_t)(end - l->buf) + 1;
	if (*len && line[*len - 1] == '\r')
		--*len;
	return line;
}

void
qmp_lines_fini(struct qmp_lines *l)
{
	free(l->buf);
	memset(l, 0, sizeof(*l));
}

/* jansson recurses for each level; a stack is no place for somebody else's numbers. */
static bool
too_deep(const char *line, size_t len)
{
	bool quoted = false;
	size_t depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (quoted && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			quoted = !quoted;
		else if (!quoted && (line[i] == '{' || line[i] == '['))
			depth++;
		else if (!quoted && (line[i] == '}' || line[i] == ']') && depth > 0)
			depth--;
		if (depth > QMP_DEPTH_MAX)
			return true;
	}
	return false;
}

static bool
is_word(const json_t *o, const char *key, const char *word)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s && strcmp(s, word) == 0;
}

static uint16_t
count(const json_t *list)
{
	size_t n = json_array_size(list);

	return n > UINT16_MAX ? UINT16_MAX : (uint16_t)n;
}

/* What a card is like after a reset: promiscuous, with empty tables, all VLANs pass. A driver that asks for
 * something takes VLAN filtering on, or fills the tables, with the addresses of IPv6 at least. */
static bool
is_untouched(const struct qmp_nic *nic, const json_t *o)
{
	return is_word(o, "vlan", "all") && nic->unicasts == 0 && nic->multicasts == 0 &&
	       !nic->allmulti;
}

/* One member of query-rx-filter's answer (RxFilterInfo). */
static bool
decode_nic(struct qmp_nic *out, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "name"));
	const char *mac = json_string_value(json_object_get(o, "main-mac"));
	const json_t *promisc = json_object_get(o, "promiscuous");
	const json_t *unicast = json_object_get(o, "unicast-table");
	const json_t *multicast = json_object_get(o, "multicast-table");

	memset(out, 0, sizeof(*out));
	if (!name || !mac || !mac_parse(&out->mac, mac) || !json_is_boolean(promisc) ||
	    !json_is_array(unicast) || !json_is_array(multicast))
		return false;
	MSG_SET_STR(out->name, name);
	out->allmulti = is_word(o, "multicast", "all");
	out->unicasts = count(unicast);
	out->multicasts = count(multicast);
	out->promisc =
	    !is_untouched(out, o) && (json_is_true(promisc) || is_word(o, "unicast", "all"));
	for (size_t i = 0; i < json_array_size(multicast) && i < QMP_GROUPS_MAX; i++) {
		const char *group = json_string_value(json_array_get(multicast, i));

		if (!group || !mac_parse(&out->multicast[out->ngroups], group))
			return false;
		out->ngroups++;
	}
	return true;
}

static bool
decode_filters(struct qmp_filters *out, const json_t *list)
{
	out->n = 0;
	if (!json_is_array(list))
		return false;
	for (size_t i = 0; i < json_array_size(list) && out->n < QMP_NICS_MAX; i++) {
		if (!decode_nic(&out->nic[out->n], json_array_get(list, i)))
			return false;
		out->n++;
	}
	return true;
}

static void
command(struct qmp_session *s, struct qmp_step *out, const char *name)
{
	snprintf(out->send, sizeof(out->send), "{\"execute\": \"%s\", \"id\": %" PRIu32 "}\n", name,
		 ++s->id);
}

static void
ask(struct qmp_session *s, struct qmp_step *out)
{
	command(s, out, "query-rx-filter");
	s->state = QMP_ASKING;
	s->again = false;
}

/* After a reset no driver owns the card, and QEMU tells that by no event of the card. */
static bool
changes_a_filter(const char *event)
{
	return strcmp(event, "NIC_RX_FILTER_CHANGED") == 0 || strcmp(event, "RESET") == 0 ||
	       strcmp(event, "DEVICE_DELETED") == 0;
}

static void
take_event(struct qmp_session *s, const char *event, struct qmp_step *out)
{
	if (!changes_a_filter(event))
		return;
	if (s->state == QMP_IDLE)
		ask(s, out);
	else if (s->state == QMP_ASKING)
		s->again = true;
}

static bool
take_answer(struct qmp_session *s, const json_t *value, struct qmp_step *out,
	    struct qmp_filters *filters, struct strbuf *why)
{
	if (s->state == QMP_NEGOTIATING) {
		ask(s, out);
		return true;
	}
	if (!decode_filters(filters, value)) {
		strbuf_add(why, "QEMU's answer to query-rx-filter has another form than expected");
		return false;
	}
	out->filters = true;
	s->state = QMP_IDLE;
	if (s->again)
		ask(s, out);
	return true;
}

/* An object with "return" or "error": the end of the command under way. */
static bool
take_reply(struct qmp_session *s, const json_t *o, struct qmp_step *out,
	   struct qmp_filters *filters, struct strbuf *why)
{
	const json_t *error = json_object_get(o, "error");
	const char *desc = json_string_value(json_object_get(error, "desc"));
	bool asked = s->state == QMP_NEGOTIATING || s->state == QMP_ASKING;

	if (error) {
		strbuf_addf(why, "QEMU refuses %s: %s",
			    s->state == QMP_ASKING ? "query-rx-filter" : "to talk",
			    desc ? desc : "it does not say why");
		return false;
	}
	if (!asked || json_integer_value(json_object_get(o, "id")) != (json_int_t)s->id) {
		strbuf_add(why, "QEMU answers what was not asked: somebody else uses its monitor");
		return false;
	}
	return take_answer(s, json_object_get(o, "return"), out, filters, why);
}

static bool
take_object(struct qmp_session *s, const json_t *o, struct qmp_step *out,
	    struct qmp_filters *filters, struct strbuf *why)
{
	const char *event = json_string_value(json_object_get(o, "event"));

	if (s->state == QMP_GREETING) {
		if (!json_is_object(json_object_get(o, "QMP"))) {
			strbuf_add(why, "what answers is not QEMU's monitor (QMP)");
			return false;
		}
		command(s, out, "qmp_capabilities");
		s->state = QMP_NEGOTIATING;
		return true;
	}
	if (event) {
		take_event(s, event, out);
		return true;
	}
	if (json_object_get(o, "return") || json_object_get(o, "error"))
		return take_reply(s, o, out, filters, why);
	strbuf_add(why, "QEMU's monitor says what is neither an answer nor an event");
	return false;
}

bool
qmp_input(struct qmp_session *s, const char *line, size_t len, struct qmp_step *out,
	  struct qmp_filters *filters, struct strbuf *why)
{
	json_error_t err;
	json_t *o = NULL;
	bool ok = false;

	memset(out, 0, sizeof(*out));
	if (len == 0)
		return true;
	if (too_deep(line, len))
		strbuf_addf(why, "QEMU's monitor nests its values deeper than %d levels",
			    QMP_DEPTH_MAX);
	else if (!(o = json_loadb(line, len, 0, &err)))
		strbuf_addf(why, "QEMU's monitor says what is not JSON (near byte %d)",
			    err.position);
	else if (json_is_object(o))
		ok = take_object(s, o, out, filters, why);
	else
		strbuf_add(why, "QEMU's monitor says what is no JSON object");
	json_decref(o);
	return ok;
}

enum qmp_choice
qmp_choose(const struct qmp_filters *f, const char *name, struct mac mac, size_t *index)
{
	for (size_t i = 0; i < f->n; i++) {
		bool it = name ? strcmp(f->nic[i].name, name) == 0
			       : !mac_is_zero(mac) && mac_eq(f->nic[i].mac, mac);

		if (it) {
			*index = i;
			return QMP_CHOICE_ONE;
		}
	}
	if (f->n == 0)
		return QMP_CHOICE_NOBODY;
	if (name)
		return QMP_CHOICE_UNKNOWN;
	if (f->n > 1)
		return QMP_CHOICE_SEVERAL;
	*index = 0;
	return QMP_CHOICE_ONE;
}
