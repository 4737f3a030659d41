/* SPDX-License-Identifier: GPL-2.0-or-later
 * sysbus.h - one service on the system bus, as its client: calls, and what it says by itself. By sd-bus.
 */
#ifndef VNET_VNETD_SYSBUS_H
#define VNET_VNETD_SYSBUS_H

#include <stdbool.h>
#include <systemd/sd-bus.h>

struct sysbus;

/* service: its well-known name, borrowed. news: called from sysbus_process() when it has been started (came), and may know
 * nothing; or when it has ended, or a signal of sysbus_listen() has come. 0, -errno. */
int sysbus_open(struct sysbus **out, const char *service, void (*news)(bool came, void *arg),
		void *arg);
void sysbus_close(struct sysbus *b);

/* Signals of the service that match are news, too: "interface='...',member='...'". 0, -errno. */
int sysbus_listen(struct sysbus *b, const char *match);

/* Whether the service runs, as far as is known; asks the bus when nothing is. */
bool sysbus_has_service(struct sysbus *b);

/* To be waited for, with these events. */
int sysbus_fd(const struct sysbus *b);
short sysbus_events(const struct sysbus *b);

/* Takes what has come. 0, -errno: the bus is gone. */
int sysbus_process(struct sysbus *b);

/* A call of the service's, to be filled in; it does not start the service. 0, -errno. */
int sysbus_call_new(struct sysbus *b, sd_bus_message **m, const char *path, const char *interface,
		    const char *method);

/* Sends it, if r says that it is whole, and takes it over. reply: NULL, or where the answer goes, the caller's then. 0;
 * -ENXIO: the service does not run; other -errno: sysbus_why() and sysbus_error() say more. */
int sysbus_call(struct sysbus *b, sd_bus_message *m, int r, sd_bus_message **reply);

/* Of the last call that failed: the service's own sentence, and D-Bus' name of the error, "" if it has none. */
const char *sysbus_why(const struct sysbus *b);
const char *sysbus_error(const struct sysbus *b);

/* A unit of systemd's is being started, stopped or restarted. False where nobody knows. object: of its path,
 * "vnetd_2eservice". */
bool sysbus_unit_has_job(struct sysbus *b, const char *object);

#endif
