/* SPDX-License-Identifier: GPL-2.0-or-later
 * sysbus.c - see sysbus.h.
 */
#include "vnetd/sysbus.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_US = 10 * 1000 * 1000 };

enum presence { UNKNOWN, ABSENT, PRESENT };

struct sysbus {
	sd_bus *bus;
	const char *service;
	enum presence presence;
	void (*news)(bool came, void *arg);
	void *arg;
	char why[256], error[128];
};

static int
on_owner(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct sysbus *b = arg;
	const char *name, *old, *new;

	(void)e;
	if (sd_bus_message_read(m, "sss", &name, &old, &new) < 0)
		return 0;
	b->presence = new[0] ? PRESENT : ABSENT;
	b->news(new[0] != '\0', b->arg);
	return 0;
}

static int
on_signal(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct sysbus *b = arg;

	(void)m;
	(void)e;
	b->news(false, b->arg);
	return 0;
}

int
sysbus_open(struct sysbus **out, const char *service, void (*news)(bool came, void *arg), void *arg)
{
	struct sysbus *b = calloc(1, sizeof(*b));
	char match[256];
	int r = -ENOMEM;

	snprintf(match, sizeof(match),
		 "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
		 service);
	if (b) {
		b->service = service;
		b->news = news;
		b->arg = arg;
		r = sd_bus_open_system(&b->bus);
	}
	if (r >= 0)
		r = sd_bus_add_match(b->bus, NULL, match, on_owner, b);
	if (r < 0) {
		sysbus_close(b);
		b = NULL;
	}
	*out = b;
	return r < 0 ? r : 0;
}

void
sysbus_close(struct sysbus *b)
{
	if (b)
		sd_bus_flush_close_unref(b->bus);
	free(b);
}

int
sysbus_listen(struct sysbus *b, const char *match)
{
	char text[512];
	int r;

	snprintf(text, sizeof(text), "type='signal',sender='%s',%s", b->service, match);
	r = sd_bus_add_match(b->bus, NULL, text, on_signal, b);
	return r < 0 ? r : 0;
}

bool
sysbus_has_service(struct sysbus *b)
{
	int r;

	if (b->presence == UNKNOWN) {
		r = sd_bus_get_name_creds(b->bus, b->service, 0, NULL);
		b->presence = r >= 0 ? PRESENT : ABSENT;
	}
	return b->presence == PRESENT;
}

int
sysbus_fd(const struct sysbus *b)
{
	return sd_bus_get_fd(b->bus);
}

short
sysbus_events(const struct sysbus *b)
{
	int events = sd_bus_get_events(b->bus);

	return events < 0 ? POLLIN : (short)events;
}

int
sysbus_process(struct sysbus *b)
{
	int r;

	do
		r = sd_bus_process(b->bus, NULL);
	while (r > 0);
	return r;
}

const char *
sysbus_why(const struct sysbus *b)
{
	return b->why;
}

const char *
sysbus_error(const struct sysbus *b)
{
	return b->error;
}

int
sysbus_call_new(struct sysbus *b, sd_bus_message **m, const char *path, const char *interface,
		const char *method)
{
	int r = sd_bus_message_new_method_call(b->bus, m, b->service, path, interface, method);

	if (r >= 0)
		r = sd_bus_message_set_auto_start(*m, 0);
	return r;
}

static int
explain(struct sysbus *b, int r, const sd_bus_error *e)
{
	snprintf(b->why, sizeof(b->why), "%s", e->message ? e->message : strerror(-r));
	snprintf(b->error, sizeof(b->error), "%s", e->name ? e->name : "");
	if (sd_bus_error_has_name(e, SD_BUS_ERROR_SERVICE_UNKNOWN) ||
	    sd_bus_error_has_name(e, SD_BUS_ERROR_NAME_HAS_NO_OWNER) ||
	    sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY))
		return -ENXIO;
	return r;
}

int
sysbus_call(struct sysbus *b, sd_bus_message *m, int r, sd_bus_message **reply)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;

	if (r >= 0)
		r = sd_bus_call(b->bus, m, TIMEOUT_US, &e, reply);
	if (r < 0)
		r = explain(b, r, &e);
	sd_bus_error_free(&e);
	sd_bus_message_unref(m);
	return r < 0 ? r : 0;
}

bool
sysbus_unit_has_job(struct sysbus *b, const char *object)
{
	sd_bus_message *reply = NULL;
	char path[128];
	uint32_t job = 0;
	int r;

	snprintf(path, sizeof(path), "/org/freedesktop/systemd1/unit/%s", object);
	r = sd_bus_get_property(b->bus, "org.freedesktop.systemd1", path,
				"org.freedesktop.systemd1.Unit", "Job", NULL, &reply, "(uo)");
	if (r >= 0)
		r = sd_bus_message_read(reply, "(uo)", &job, NULL);
	sd_bus_message_unref(reply);
	return r >= 0 && job != 0;
}
