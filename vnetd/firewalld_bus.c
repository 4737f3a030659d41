/* SPDX-License-Identifier: GPL-2.0-or-later
 * firewalld_bus.c - see firewalld_bus.h. Method calls of firewalld.dbus(5).
 */
#include "vnetd/firewalld_bus.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "paths.h"
#include "vnetd/names.h"

#define OBJECT "/org/fedoraproject/FirewallD1"
#define ZONE   FIREWALLD_SERVICE ".zone"
#define CONFIG FIREWALLD_SERVICE ".config"

const char *const firewalld_bus_signals[] = {
    "interface='" FIREWALLD_SERVICE "',member='Reloaded'",
    "interface='" ZONE "'",
    NULL,
};

/* firewalld's errors all have one name on the bus; the text begins with the error's own. */
static bool
refused_as(const struct sysbus *b, const char *word)
{
	size_t n = strlen(word);

	return !strcmp(sysbus_error(b), FIREWALLD_SERVICE ".Exception") &&
	       !strncmp(sysbus_why(b), word, n) && strcspn(sysbus_why(b) + n, ":") == 0;
}

static int
call(struct sysbus *b, sd_bus_message *m, int r, sd_bus_message **reply)
{
	r = sysbus_call(b, m, r, reply);
	if (r < 0 && r != -ENXIO && refused_as(b, "INVALID_ZONE"))
		return -ENOENT;
	return r;
}

int
firewalld_bus_read(struct sysbus *b, struct firewalld_nets *in)
{
	sd_bus_message *m = NULL, *reply = NULL;
	const char *ifname;
	int r = sysbus_call_new(b, &m, OBJECT, ZONE, "getInterfaces");

	*in = (struct firewalld_nets){0};
	if (r >= 0)
		r = sd_bus_message_append(m, "s", VNET_FIREWALLD_ZONE);
	r = call(b, m, r, &reply);
	if (r == 0)
		r = sd_bus_message_enter_container(reply, 'a', "s");
	while (r >= 0 && (r = sd_bus_message_read(reply, "s", &ifname)) > 0)
		firewalld_note(in, ifname);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 0;
}

/* A call about an interface; zone: NULL where it takes none. out: NULL, or where the answer's string goes. */
static int
about(struct sysbus *b, const char *object, const char *interface, const char *method,
      const char *zone, unsigned net, char out[FIREWALLD_ZONE_CAP])
{
	char ifname[NAMES_IFNAME_MAX];
	sd_bus_message *m = NULL, *reply = NULL;
	const char *answer;
	int r = sysbus_call_new(b, &m, object, interface, method);

	if (r >= 0 && zone)
		r = sd_bus_message_append(m, "s", zone);
	if (r >= 0)
		r = sd_bus_message_append(m, "s", names_bridge(net, ifname));
	r = call(b, m, r, &reply);
	if (r == 0 && out) {
		r = sd_bus_message_read(reply, "s", &answer);
		if (r >= 0)
			snprintf(out, FIREWALLD_ZONE_CAP, "%s", answer);
	}
	sd_bus_message_unref(reply);
	return r < 0 ? r : 0;
}

int
firewalld_bus_permanent(struct sysbus *b, unsigned net, char zone[FIREWALLD_ZONE_CAP])
{
	return about(b, OBJECT "/config", CONFIG, "getZoneOfInterface", NULL, net, zone);
}

int
firewalld_bus_zone(struct sysbus *b, unsigned net, char zone[FIREWALLD_ZONE_CAP])
{
	return about(b, OBJECT, ZONE, "getZoneOfInterface", NULL, net, zone);
}

/* It would also take an interface out of another zone if asked to "change": what somebody has said is not changed. */
int
firewalld_bus_add(struct sysbus *b, unsigned net)
{
	int r = about(b, OBJECT, ZONE, "addInterface", VNET_FIREWALLD_ZONE, net, NULL);

	if (r < 0 && refused_as(b, "ZONE_ALREADY_SET"))
		return 0;
	return r < 0 && refused_as(b, "ZONE_CONFLICT") ? -EBUSY : r;
}

int
firewalld_bus_remove(struct sysbus *b, unsigned net)
{
	int r = about(b, OBJECT, ZONE, "removeInterface", VNET_FIREWALLD_ZONE, net, NULL);

	return r < 0 && refused_as(b, "UNKNOWN_INTERFACE") ? 0 : r;
}
