/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_dns.c - the verb `dns`: whom the DNS proxy asks, and what it has counted.
 */
#include "vnetd/ctl.h"
#include "vnetd/ctl_dns_text.h"

static const struct ctl_opt opts[] = {
    CTL_OPT_JSON,
    CTL_OPT_QUIET,
    CTL_OPT_HELP,
    {0},
};

static enum ctl_exit
run(struct ctl *c, const struct ctl_args *a)
{
	struct rows servers = ROWS_INIT(DNS_SERVER, dns_server),
		    counters = ROWS_INIT(DNS_STAT, dns_stat), *want[] = {&servers, &counters};
	struct msg request = msg_make(MSG_DNS_STATS, 0);
	uint16_t net = MSG_NET_ALL;
	struct dns_facts f;
	struct strbuf text;
	enum ctl_exit r;

	if (a->npos == 1 && !ctl_parse_net(&net, a->pos[0]))
		return CTL_USAGE;
	request.u.dns_stats.net = net;
	r = ctl_ask(c, &request, want, ARRAY_LEN(want));
	f = (struct dns_facts){servers.v, servers.n, counters.v, counters.n};
	if (r == CTL_OK && c->json) {
		r = ctl_print_json(c, dns_json(&f), false);
	} else if (r == CTL_OK) {
		strbuf_init(&text);
		dns_render(&text, &f, c->colour);
		r = ctl_print(c, &text);
	}
	rows_fini(&servers);
	rows_fini(&counters);
	return r;
}

const struct ctl_verb ctl_verb_dns = {
    .name = "dns",
    .synopsis = "[vmnetN] [--json]",
    .summary = "Lists whom guests' names are asked of, and counts queries",
    .detail =
	"A server is \"ok\" when it has answered lately, \"untried\" before it was asked,\n"
	"\"failing\" while it leaves queries without an answer, FAILED in a row, and \"silent\"\n"
	"when these were three or it cannot be reached: then it is asked last for 30 seconds.\n"
	"Numbers count from when vnet-natd began to serve the network, those without a network\n"
	"from its start; zeros are in JSON only.",
    .example = "  vnetctl dns vmnet8\n"
	       "  vnetctl dns --json | jq '.networks[] | {network, timeouts: .asked.timeouts}'",
    .opts = opts,
    .max_pos = 1,
    .run = run,
};
