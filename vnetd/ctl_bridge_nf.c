/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_bridge_nf.c - see ctl_bridge_nf.h.
 */
#include "vnetd/ctl_bridge_nf.h"

#include <stdio.h>

static int
read_switch(const char *path)
{
	FILE *f = fopen(path, "re");
	int v = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%d", &v) != 1)
		v = -1;
	fclose(f);
	return v;
}

int
ctl_bridge_nf_host(void)
{
	return read_switch("/proc/sys/net/bridge/bridge-nf-call-iptables");
}

bool
ctl_bridge_nf_of(unsigned net)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/class/net/vmnet%u/bridge/nf_call_iptables", net);
	return read_switch(path) > 0;
}

void
ctl_bridge_nf_keep(struct rows *warnings)
{
	struct msg_warning_row *w = warnings->v;
	bool host = ctl_bridge_nf_host() > 0;
	size_t kept = 0;

	for (size_t i = 0; i < warnings->n; i++)
		if (w[i].topic != WARNING_INSIDE || host || ctl_bridge_nf_of(w[i].net))
			w[kept++] = w[i];
	warnings->n = kept;
}
