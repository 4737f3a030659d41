/* SPDX-License-Identifier: GPL-2.0-or-later
 * relayudp.c - see relayudp.h. For each client there is a socket of its own, connected to the guest, by which the answers
 * find back. What cannot be sent is lost, as datagrams are.
 */
#include "natd/relayudp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/fd.h"
#include "lib/mono.h"
#include "lib/util.h"

enum {
	TURN = 64, /* datagrams before others get their turn */
	LOOK_MS = 30000,
	DATAGRAM_MAX = 65535,
};

/* The list begins with who was heard last. */
struct peer {
	struct peer *next, **link;
	struct relayudp *u;
	struct relayudp_port port; /* as it was when the client was heard last */
	struct sockaddr_in6 client;
	int fd;
	struct loop_io *io;
	struct mono last;
};

struct relayudp {
	struct loop *loop;
	struct peer *peers;
	unsigned npeers;
	struct loop_timer *look;
	uint8_t buf[DATAGRAM_MAX];
};

static void
unlink_peer(struct peer *p)
{
	*p->link = p->next;
	if (p->next)
		p->next->link = p->link;
}

static void
put_first(struct peer *p)
{
	struct relayudp *u = p->u;

	p->next = u->peers;
	p->link = &u->peers;
	if (p->next)
		p->next->link = &p->next;
	u->peers = p;
}

static void
end(struct peer *p)
{
	unlink_peer(p);
	p->u->npeers--;
	loop_io_free(p->io);
	fd_close(&p->fd);
	free(p);
}

void
relayudp_end(struct relayudp *u, uint16_t port)
{
	struct peer *next;

	for (struct peer *p = u->peers; p; p = next) {
		next = p->next;
		if (p->port.port == port)
			end(p);
	}
}

void
relayudp_each(const struct relayudp *u, void (*fn)(void *arg, const struct msg_relay_row *row),
	      void *arg)
{
	for (const struct peer *p = u->peers; p; p = p->next) {
		struct msg_relay_row row = {.proto = PROTO_UDP,
					    .port = p->port.port,
					    .from_port = fd_local_port4(p->fd),
					    .guest = p->port.guest,
					    .guest_port = p->port.guest_port};

		fn(arg, &row);
	}
}

static void
on_look(void *arg)
{
	struct relayudp *u = arg;
	struct mono now = mono_now();
	struct peer *next;

	for (struct peer *p = u->peers; p; p = next) {
		next = p->next;
		if (mono_diff(now, p->last) > p->port.idle_ms)
			end(p);
	}
	if (u->peers)
		loop_timer_set(u->look, mono_add(now, LOOK_MS));
}

static void
heard(struct peer *p)
{
	p->last = mono_now();
	unlink_peer(p);
	put_first(p);
}

/* An error is the guest's refusal of what was sent before: the client hears nothing, as it would from a lost one. */
static void
on_answer(int fd, void *arg)
{
	struct peer *p = arg;
	struct relayudp *u = p->u;

	for (int i = 0; i < TURN; i++) {
		ssize_t n = recv(fd, u->buf, sizeof(u->buf), 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			continue;
		sendto(p->port.sock, u->buf, (size_t)n, 0, (const struct sockaddr *)&p->client,
		       sizeof(p->client));
		heard(p);
	}
}

static struct peer *
find(struct relayudp *u, uint16_t port, const struct sockaddr_in6 *client)
{
	for (struct peer *p = u->peers; p; p = p->next)
		if (p->port.port == port && p->client.sin6_port == client->sin6_port &&
		    memcmp(&p->client.sin6_addr, &client->sin6_addr, sizeof(client->sin6_addr)) ==
			0)
			return p;
	return NULL;
}

static void
drop_oldest(struct relayudp *u)
{
	struct peer *p = u->peers;

	while (p->next)
		p = p->next;
	end(p);
}

static int
connect_guest(struct ip4 guest, uint16_t port)
{
	const struct sockaddr_in to = {
	    .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {ip4_be(guest)}};
	AUTO_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return fd_take(&fd);
}

static struct peer *
add(struct relayudp *u, const struct peer *like)
{
	struct peer *p;
	int fd;

	if (u->npeers == RELAYUDP_PEERS_MAX)
		drop_oldest(u);
	fd = connect_guest(like->port.guest, like->port.guest_port);
	p = fd >= 0 ? malloc(sizeof(*p)) : NULL;
	if (!p) {
		fd_close(&fd);
		return NULL;
	}
	*p = *like;
	p->fd = fd;
	put_first(p);
	if (u->npeers++ == 0)
		loop_timer_set(u->look, mono_add(mono_now(), LOOK_MS));
	p->io = loop_add_read(u->loop, fd, on_answer, p);
	if (p->io)
		return p;
	end(p);
	return NULL;
}

void
relayudp_take(struct relayudp *u, const struct relayudp_port *port)
{
	for (int i = 0; i < TURN; i++) {
		struct peer like = {.u = u, .port = *port}, *p;
		socklen_t len = sizeof(like.client);
		ssize_t n = recvfrom(port->sock, u->buf, sizeof(u->buf), 0,
				     (struct sockaddr *)&like.client, &len);

		if (n < 0)
			return;
		p = find(u, port->port, &like.client);
		if (!p)
			p = add(u, &like);
		if (!p)
			continue;
		/* It may fail for the refusal of an earlier one. */
		if (send(p->fd, u->buf, (size_t)n, 0) < 0 && errno == ECONNREFUSED)
			send(p->fd, u->buf, (size_t)n, 0);
		p->port = *port;
		heard(p);
	}
}

struct relayudp *
relayudp_new(struct loop *l)
{
	struct relayudp *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->loop = l;
	u->look = loop_timer_new(l, on_look, u);
	if (u->look)
		return u;
	free(u);
	return NULL;
}

void
relayudp_free(struct relayudp *u)
{
	if (!u)
		return;
	while (u->peers)
		end(u->peers);
	loop_timer_free(u->look);
	free(u);
}
