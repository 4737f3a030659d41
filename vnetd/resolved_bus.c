/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolved_bus.c - see resolved_bus.h. Method calls of org.freedesktop.resolve1(5), by sd-bus.
 */
#include "vnetd/resolved_bus.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define OBJECT    "/org/freedesktop/resolve1"
#define INTERFACE RESOLVED_SERVICE ".Manager"

/* A call whose first argument is the link. */
static int
start_call(struct sysbus *b, sd_bus_message **m, const char *method, int ifindex)
{
	int r = sysbus_call_new(b, m, OBJECT, INTERFACE, method);

	if (r >= 0)
		r = sd_bus_message_append(*m, "i", ifindex);
	return r;
}

/* Sends it, if r says that it is whole, and takes it over. */
static int
finish_call(struct sysbus *b, sd_bus_message *m, int r)
{
	r = sysbus_call(b, m, r, NULL);
	if (r < 0 && !strcmp(sysbus_error(b), RESOLVED_SERVICE ".NoSuchLink"))
		return -ENODEV;
	return r;
}

static int
set_server(struct sysbus *b, const struct resolved_link *l)
{
	uint32_t be = ip4_be(l->dns);
	sd_bus_message *m = NULL;
	int r = start_call(b, &m, "SetLinkDNS", l->ifindex);

	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(iay)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'r', "iay");
	if (r >= 0)
		r = sd_bus_message_append(m, "i", AF_INET);
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', &be, sizeof(be));
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return finish_call(b, m, r);
}

static int
set_domains(struct sysbus *b, const struct resolved_link *l)
{
	char domain[RESOLVED_DOMAINS_MAX][RESOLVED_DOMAIN_LEN];
	size_t n = resolved_domains(domain, l);
	sd_bus_message *m = NULL;
	int r = start_call(b, &m, "SetLinkDomains", l->ifindex);

	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sb)");
	/* True: names in it are asked for here, but it is appended to no name. */
	for (size_t i = 0; i < n && r >= 0; i++)
		r = sd_bus_message_append(m, "(sb)", domain[i], 1);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return finish_call(b, m, r);
}

static int
set_text(struct sysbus *b, const char *method, int ifindex, const char *value)
{
	sd_bus_message *m = NULL;
	int r = start_call(b, &m, method, ifindex);

	if (r >= 0)
		r = sd_bus_message_append(m, "s", value);
	return finish_call(b, m, r);
}

static int
set_no_default(struct sysbus *b, int ifindex)
{
	sd_bus_message *m = NULL;
	int r = start_call(b, &m, "SetLinkDefaultRoute", ifindex);

	if (r >= 0)
		r = sd_bus_message_append(m, "b", 0);
	return finish_call(b, m, r);
}

int
resolved_bus_set(struct sysbus *b, const struct resolved_link *l)
{
	int r;

	/* Before there is a server: names of others must not be asked there, not even for a moment. */
	r = set_no_default(b, l->ifindex);
	if (r == 0)
		r = set_domains(b, l);
	/* Nobody signs our names, and we speak no TLS; whatever the rest of the host wants. */
	if (r == 0)
		r = set_text(b, "SetLinkDNSSEC", l->ifindex, "no");
	if (r == 0)
		r = set_text(b, "SetLinkDNSOverTLS", l->ifindex, "no");
	return r == 0 ? set_server(b, l) : r;
}

int
resolved_bus_revert(struct sysbus *b, int ifindex)
{
	sd_bus_message *m = NULL;
	int r = start_call(b, &m, "RevertLink", ifindex);

	return finish_call(b, m, r);
}
