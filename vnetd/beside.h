/* SPDX-License-Identifier: GPL-2.0-or-later
 * beside.h - a program that runs beside vnetd and tells a service of the host of its networks.
 *
 * A client of vnetd.sock as vnetctl is one, and of the system bus. It listens to vnetd's events and to the service,
 * looks at everything anew after each, and ends by a signal or when vnetd or the bus goes. What is particular to one
 * service is in struct beside_does.
 */
#ifndef VNET_VNETD_BESIDE_H
#define VNET_VNETD_BESIDE_H

#include <stdbool.h>

#include "lib/mono.h"
#include "lib/util.h"
#include "vnetd/ctl_client.h"
#include "vnetd/sysbus.h"

enum {
	BESIDE_SETTLE_MS = 100, /* events come in swarms */
	BESIDE_RETRY_MS = 5000,
};

struct beside;

struct beside_does {
	const char *program; /* "vnet-resolved" */
	const char *help;    /* what it does, in lines */
	const char *service; /* name on the bus */
	/* Signals of the service that are a reason to look, see sysbus_listen(); NULL-terminated, or NULL. */
	const char *const *listen;
	/* The service has been started: it may know nothing. May be NULL. */
	void (*came)(void *arg);
	/* Reads vnetd's networks and tells the service what has changed. False: vnetd does not answer. */
	bool (*look)(struct beside *b, void *arg);
	/* The last thing before the end. asked: by a signal, rather than because vnetd or the bus went. */
	void (*end)(struct beside *b, bool asked, void *arg);
	void *arg;
};

struct beside {
	const struct beside_does *does;
	const char *run_dir;
	struct client events;
	struct sysbus *bus;
	int signals;
	struct mono look_at; /* at the networks, anew */
	bool news;           /* the service has come or said something since the last look */
	unsigned failures;   /* in a row */
	char told[512];      /* the trouble that the log knows of */
};

/* main() of such a program. */
int beside_main(const struct beside_does *does, char **argv);

/* Has look() called so many milliseconds from now, or earlier. */
void beside_look_in(struct beside *b, int64_t ms);

/* Asks vnetd, over a connection of its own, for rows as client_gather() does. False: it does not answer, as the log then
 * says. */
bool beside_gather(struct beside *b, struct msg *request, struct rows *const *want, size_t nwant);

/* A sentence for the log, once until beside_well(); and another try. patient: not of the first failure, since polkit may
 * still be reading its rules. */
PRINTF_LIKE(3, 4) void beside_trouble(struct beside *b, bool patient, const char *fmt, ...);
void beside_well(struct beside *b);

#endif
