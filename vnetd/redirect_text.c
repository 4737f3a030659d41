/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_text.c - see redirect_text.h.
 */
#include "vnetd/redirect_text.h"

#include <stdio.h>
#include <string.h>

#include "vnetd/redirect.h"

char *
redirect_addr_text(struct redirect_ip ip, const char *ifname, unsigned port,
		   char buf[REDIRECT_LISTEN_LEN])
{
	char text[REDIRECT_IP_STRLEN];

	redirect_ip_str(ip, text);
	if (redirect_ip_is4(ip))
		snprintf(buf, REDIRECT_LISTEN_LEN, "%s:%u", text, port);
	else
		snprintf(buf, REDIRECT_LISTEN_LEN, "[%s%s%s]:%u", text,
			 ifname && *ifname ? "%" : "", ifname ? ifname : "", port);
	return buf;
}

char *
redirect_listen_text(const struct redirection *r, char buf[REDIRECT_LISTEN_LEN])
{
	struct redirect_ip ip;

	memcpy(ip.b, r->at.addr.b, sizeof(ip.b));
	if (r->at.port)
		return redirect_addr_text(ip, r->at.ifname, r->at.port, buf);
	if (r->conf->has_bind && r->conf->bind.name)
		snprintf(buf, REDIRECT_LISTEN_LEN, "%.70s:%u", r->conf->bind.name, r->conf->port);
	else
		redirect_addr_text(r->conf->bind.ip, r->conf->bind.ifname, r->conf->port, buf);
	return buf;
}

char *
redirect_target_text(const struct redirect_service *s, char buf[REDIRECT_TARGET_LEN])
{
	char addr[REDIRECT_LISTEN_LEN];

	if (s->flags & REDIRECT_SENSOR)
		snprintf(buf, REDIRECT_TARGET_LEN, "nobody");
	else if (s->target.name)
		snprintf(buf, REDIRECT_TARGET_LEN, "%s:%u", s->target.name, s->target_port);
	else
		snprintf(buf, REDIRECT_TARGET_LEN, "%s",
			 redirect_addr_text(s->target.ip, s->target.ifname, s->target_port, addr));
	return buf;
}
