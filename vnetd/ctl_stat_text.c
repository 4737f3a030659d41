/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_stat_text.c - see ctl_stat_text.h.
 */
#include "vnetd/ctl_stat_text.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/strbuf.h"
#include "vnetd/ctl_table.h"

static const char *
kind_of(const struct msg_dhcp_stat *row)
{
	return dhcp_stat_kind_name((enum dhcp_stat_kind)row->kind);
}

void
stat_render(struct strbuf *out, const struct msg_dhcp_stat *row, size_t n, bool colour)
{
	static const char *const head[] = {"NETWORK", "WHAT", "NAME", "COUNT", "REASON", NULL};
	struct table t;

	table_init(&t, head);
	for (size_t i = 0; i < n; i++) {
		if (!row[i].n)
			continue;
		table_addf(&t, "vmnet%u", row[i].net);
		table_add(&t, kind_of(&row[i]));
		table_add(&t, row[i].name);
		table_addf(&t, "%" PRIu64, row[i].n);
		table_add(&t, row[i].text);
	}
	table_print(out, &t, colour);
	table_fini(&t);
}

/* The counters of one network; *i is its first row, then the first of the next one. NULL: no memory. */
static json_t *
network_json(const struct msg_dhcp_stat *row, size_t n, size_t *i)
{
	json_t *kinds[DHCP_STAT_N], *o = json_object();
	unsigned net = row[*i].net;
	char name[16];
	bool ok;

	snprintf(name, sizeof(name), "vmnet%u", net);
	ok = o && json_object_set_new(o, "network", json_string(name)) == 0;
	for (unsigned k = 0; k < DHCP_STAT_N; k++) {
		kinds[k] = json_object();
		ok = ok &&
		     json_object_set(o, dhcp_stat_kind_name((enum dhcp_stat_kind)k), kinds[k]) == 0;
	}
	for (; *i < n && row[*i].net == net; ++*i)
		if (row[*i].kind < DHCP_STAT_N)
			ok = ok && json_object_set_new(kinds[row[*i].kind], row[*i].name,
						       json_integer((json_int_t)row[*i].n)) == 0;
	for (unsigned k = 0; k < DHCP_STAT_N; k++)
		json_decref(kinds[k]);
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}

json_t *
stat_json(const struct msg_dhcp_stat *row, size_t n)
{
	json_t *o = json_object(), *list = json_array();
	bool ok = o && list;

	for (size_t i = 0; ok && i < n;)
		ok = json_array_append_new(list, network_json(row, n, &i)) == 0;
	ok = ok && json_object_set(o, "networks", list) == 0;
	json_decref(list);
	if (ok)
		return o;
	json_decref(o);
	return NULL;
}
