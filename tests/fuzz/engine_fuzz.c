/* SPDX-License-Identifier: GPL-2.0-or-later
 * engine_fuzz.c - whatever clients and workers say, the engine goes on.
 *
 * Input: records of one byte "who", two bytes length (big-endian), that many bytes. Who: 0-2 a client that is root,
 * a member, a stranger; 3, 4 dhcpd, natd; 5 a client leaves; 6 time passes; 7 redird; the rest is taken modulo 8.
 * The bytes of the processes are one datagram, as lib/chan.c would decode it.
 *
 * The world judges what comes out: a message that priv's policy would refuse, or an attempt to
 * change a link that is not ours, ends the run. In the end a new engine must find nothing to do.
 */
#include <fcntl.h>

#include "lib/fd.h"
#include "lib/wire.h"
#include "tests/sim/engine/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOT, MEMBER, STRANGER, DHCPD, NATD, LEAVE, TIME, REDIRD, WHO_N };

static struct world *
begin(void)
{
	struct world *w = world_new();

	world_add_net(w, 8, PLAY_NET8, NULL);
	world_redirect(w, "redirect.d/web",
		       "service web\n{\n\ttype = UNLISTED\n\tport = 80\n\tredirect = db 80\n}\n",
		       false);
	world_start(w);
	return w;
}

static enum role
role_of(unsigned who)
{
	return who == DHCPD ? ROLE_DHCPD : who == NATD ? ROLE_NATD : ROLE_REDIRD;
}

static void
say(struct world *w, unsigned who, struct world_client *const *client, struct rd bytes)
{
	size_t len = rd_left(&bytes);
	struct msg m;
	int fd = -1;

	if (!msg_decode(&m, rd_bytes(&bytes, len), len))
		return;
	if (who == DHCPD || who == NATD || who == REDIRD) {
		w->worker_lies[role_of(who)] = true;
		if (msg_fds_ok(m.type, 0))
			core_worker_msg(w->core, w->now, role_of(who), &m);
		return;
	}
	if (!client[who]->serial)
		return;
	/* A namespace comes along where one may. */
	if (msg_fds_ok(m.type, 1))
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	else if (!msg_fds_ok(m.type, 0))
		return;
	core_client_msg(w->core, w->now, client[who]->serial, &m, &fd, fd >= 0 ? 1 : 0);
	fd_close(&fd);
}

static void
leave(struct world *w, struct world_client *cl)
{
	if (cl->serial)
		core_client_gone(w->core, w->now, cl->serial);
	cl->serial = 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t uids[] = {0, 1000, 5000};
	struct world *w = begin();
	struct world_client *client[3];
	struct rd r = rd_init(data, size);

	for (unsigned i = 0; i < 3; i++)
		client[i] = world_client(w, uids[i]);
	while (rd_left(&r) >= 3) {
		unsigned who = rd_u8(&r) % WHO_N;
		uint16_t len = rd_be16(&r);
		struct rd bytes = rd_sub(&r, len);

		if (bytes.bad)
			break;
		if (who == LEAVE)
			leave(w, client[len % 3]);
		else if (who == TIME)
			world_wait(w, len);
		else
			say(w, who, client, bytes);
	}
	world_run(w);
	/* Long enough for everything that is tried again. */
	world_wait(w, 200000);
	play_quiet_restart(w);
	world_free(w);
	return 0;
}
