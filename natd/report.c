/* SPDX-License-Identifier: GPL-2.0-or-later
 * report.c - what the engine knows about each network's services, so that only news are sent.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "natd/natd.h"

struct report_net {
	bool known[SERVICE_N];
	struct msg_service_state state[SERVICE_N];
};

static void
send_state(struct natd *d, const struct msg_service_state *s)
{
	struct msg m = msg_make(MSG_SERVICE_STATE, 0);

	m.u.service_state = *s;
	if (d->engine)
		chan_send(d->engine, &m, NULL, 0);
}

void
natd_report(struct natd *d, uint16_t net, enum service service, bool ok, const char *text,
	    const char *cure)
{
	struct msg_service_state s = {.net = net, .service = (uint8_t)service, .ok = ok};

	MSG_SET_STR(s.text, text ? text : "");
	MSG_SET_STR(s.cure, cure ? cure : "");
	natd_report_state(d, &s);
}

void
natd_report_state(struct natd *d, const struct msg_service_state *s)
{
	const uint16_t net = s->net;
	const uint8_t service = s->service;
	struct report_net *r;

	if (net >= NATD_NETS)
		return;
	if (!d->reports[net])
		d->reports[net] = calloc(1, sizeof(*r));
	r = d->reports[net];
	if (!r) {
		log_error(0, "out of memory");
		natd_stop(d, true);
		return;
	}
	if (r->known[service] && r->state[service].ok == s->ok &&
	    r->state[service].can_cure == s->can_cure && !strcmp(r->state[service].text, s->text) &&
	    !strcmp(r->state[service].cure, s->cure))
		return;
	r->known[service] = true;
	r->state[service] = *s;
	send_state(d, s);
}

void
natd_report_all(struct natd *d)
{
	for (unsigned net = 0; net < NATD_NETS; net++)
		for (unsigned s = 0; d->reports[net] && s < SERVICE_N; s++)
			if (d->reports[net]->known[s])
				send_state(d, &d->reports[net]->state[s]);
}

void
natd_report_forget(struct natd *d, uint16_t net)
{
	free(d->reports[net]);
	d->reports[net] = NULL;
}

void
natd_reports_fini(struct natd *d)
{
	for (uint16_t net = 0; net < NATD_NETS; net++)
		natd_report_forget(d, net);
}
