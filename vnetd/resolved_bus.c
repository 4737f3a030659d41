/* SPDX-License-Identifier: GPL-2.0-or-later
 * resolved_bus.c - see resolved_bus.h. Method calls of org.freedesktop.resolve1(5), by sd-bus.
 */
#include "vnetd/resolved_bus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#define NAME "org.freedesktop.resolve1"

enum { TIMEOUT_US = 10 * 1000 * 1000 };

struct resolved_bus {
	sd_bus *bus;
	void (*came)(void *arg);
	void *arg;
	char why[256];
};

static int
on_owner(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct resolved_bus *b = arg;
	const char *name, *old, *new;

	(void)e;
	if (sd_bus_message_read(m, "sss", &name, &old, &new) >= 0 && new[0])
		b->came(b->arg);
	return 0;
}

int
resolved_bus_open(struct resolved_bus **out, void (*came)(void *arg), void *arg)
{
	struct resolved_bus *b = calloc(1, sizeof(*b));
	int r = -ENOMEM;

	if (b) {
		b->came = came;
		b->arg = arg;
		r = sd_bus_open_system(&b->bus);
	}
	if (r >= 0)
		r = sd_bus_add_match(b->bus, NULL,
				     "type='signal',sender='org.freedesktop.DBus',"
				     "member='NameOwnerChanged',arg0='" NAME "'",
				     on_owner, b);
	if (r < 0) {
		resolved_bus_close(b);
		b = NULL;
	}
	*out = b;
	return r < 0 ? r : 0;
}

void
resolved_bus_close(struct resolved_bus *b)
{
	if (b)
		sd_bus_flush_close_unref(b->bus);
	free(b);
}

int
resolved_bus_fd(const struct resolved_bus *b)
{
	return sd_bus_get_fd(b->bus);
}

short
resolved_bus_events(const struct resolved_bus *b)
{
	int events = sd_bus_get_events(b->bus);

	return events < 0 ? POLLIN : (short)events;
}

int
resolved_bus_process(struct resolved_bus *b)
{
	int r;

	do
		r = sd_bus_process(b->bus, NULL);
	while (r > 0);
	return r;
}

const char *
resolved_bus_why(const struct resolved_bus *b)
{
	return b->why;
}

static int
explain(struct resolved_bus *b, int r, const sd_bus_error *e)
{
	snprintf(b->why, sizeof(b->why), "%s", e->message ? e->message : strerror(-r));
	if (sd_bus_error_has_name(e, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	    sd_bus_error_has_name(e, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
	    sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY))
		return -ENXIO;
	if (sd_bus_error_has_name(e, NAME ".NoSuchLink"))
		return -ENODEV;
	return r;
}

/* A call whose first argument is the link. Does not start resolved where it is not wanted. */
static int
start_call(struct resolved_bus *b, sd_bus_message **m, const char *method, int ifindex)
{
	int r = sd_bus_message_new_method_call(b->bus, m, NAME, "/org/freedesktop/resolve1",
					       NAME ".Manager", method);

	if (r >= 0)
		r = sd_bus_message_set_auto_start(*m, 0);
	if (r >= 0)
		r = sd_bus_message_append(*m, "i", ifindex);
	return r;
}

/* Sends it, if r says that it is whole, and takes it over. */
static int
finish_call(struct resolved_bus *b, sd_bus_message *m, int r)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;

	if (r >= 0)
		r = sd_bus_call(b->bus, m, TIMEOUT_US, &e, NULL);
	if (r < 0)
		r = explain(b, r, &e);
	sd_bus_error_free(&e);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

static int
set_server(struct resolved_bus *b, const struct resolved_link *l)
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
set_domains(struct resolved_bus *b, const struct resolved_link *l)
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
set_text(struct resolved_bus *b, const char *method, int ifindex, const char *value)
{
	sd_bus_message *m = NULL;
	int r = start_call(b, &m, method, ifindex);

	if (r >= 0)
		r = sd_bus_message_append(m, "s", value);
	return finish_call(b, m, r);
}

static int
set_no_default(struct resolved_bus *b, int ifindex)
{
	sd_bus_message *m = NULL;
	int r = start_call(b, &m, "SetLinkDefaultRoute", ifindex);

	if (r >= 0)
		r = sd_bus_message_append(m, "b", 0);
	return finish_call(b, m, r);
}

int
resolved_bus_set(struct resolved_bus *b, const struct resolved_link *l)
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
resolved_bus_revert(struct resolved_bus *b, int ifindex)
{
	sd_bus_message *m = NULL;
	int r = start_call(b, &m, "RevertLink", ifindex);

	return finish_call(b, m, r);
}
