/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_inuse.c - see ctl_inuse.h.
 */
#include "vnetd/ctl_inuse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/strbuf.h"
#include "lib/util.h"
#include "paths.h"

enum {
	/* Kernel's numbers of states, as the tables have them. */
	STATE_LISTEN = 0x0a,
	STATE_UNCONNECTED = 0x07,
	V4_DIGITS = 8,
	V6_DIGITS = 32,
};

/* An address as the tables have it: 32-bit words in the machine's own order. */
static bool
read_address(struct in6_addr *out, const char *hex)
{
	size_t len = strlen(hex);
	uint32_t word[4];

	if (len != V4_DIGITS && len != V6_DIGITS)
		return false;
	memset(word, 0, sizeof(word));
	for (size_t i = 0; i < len / 8; i++) {
		char part[9] = "";

		memcpy(part, hex + 8 * i, 8);
		word[i] = (uint32_t)strtoul(part, NULL, 16);
	}
	if (len == V4_DIGITS) {
		word[3] = word[0];
		word[2] = htonl(0xffff);
		word[0] = 0;
	}
	memcpy(out, word, sizeof(word));
	return true;
}

/* Forwards take what is meant for IPv4 addresses of the host, but of 127.0.0.0/8 only 127.0.0.1. */
static bool
is_taken(const struct in6_addr *a, struct ip4 host)
{
	uint32_t be = ip4_be(host);

	if (IN6_IS_ADDR_UNSPECIFIED(a) ||
	    (IN6_IS_ADDR_V4MAPPED(a) && memcmp(a->s6_addr + 12, &(uint32_t){0}, 4) == 0))
		return true;
	if (host.h && (!IN6_IS_ADDR_V4MAPPED(a) || memcmp(a->s6_addr + 12, &be, 4) != 0))
		return false;
	return IN6_IS_ADDR_V4MAPPED(a) &&
	       (a->s6_addr[12] != 127 ||
		(a->s6_addr[13] == 0 && a->s6_addr[14] == 0 && a->s6_addr[15] == 1));
}

static void
print_address(char buf[INET6_ADDRSTRLEN], const struct in6_addr *a)
{
	if (IN6_IS_ADDR_V4MAPPED(a))
		inet_ntop(AF_INET, a->s6_addr + 12, buf, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, a, buf, INET6_ADDRSTRLEN);
}

bool
inuse_in_table(struct inuse *out, const char *table, enum ip_proto proto, struct host_ports p,
	       uint32_t own)
{
	const unsigned want = proto == PROTO_TCP ? STATE_LISTEN : STATE_UNCONNECTED;

	for (const char *line = table; line; line = strchr(line, '\n')) {
		char local[V6_DIGITS + 1];
		unsigned lport, state;
		struct in6_addr a;

		line += *line == '\n';
		*out = (struct inuse){.pid = 0};
		if (sscanf(line,
			   " %*u: %32[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x %u "
			   "%*d %lu",
			   local, &lport, &state, &out->uid, &out->inode) != 5)
			continue;
		if (state != want || lport < p.first || lport > (unsigned)p.first + p.more ||
		    !read_address(&a, local) || !is_taken(&a, p.host))
			continue;
		if (proto == PROTO_UDP && out->uid == own)
			continue;
		out->port = (uint16_t)lport;
		print_address(out->addr, &a);
		return true;
	}
	return false;
}

static bool
in_file(struct inuse *out, const char *path, enum ip_proto proto, struct host_ports p, uint32_t own)
{
	FILE *f = fopen(path, "re");
	char buf[4096];
	struct strbuf text;
	bool found;
	size_t n;

	if (!f)
		return false;
	strbuf_init(&text);
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		strbuf_addn(&text, buf, n);
	fclose(f);
	found = !text.bad && inuse_in_table(out, strbuf_str(&text), proto, p, own);
	strbuf_fini(&text);
	return found;
}

/* One of the process's descriptors is the socket. */
static bool
has_socket(const char *pid, const char *want)
{
	char path[300], target[64];
	bool found = false;
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	d = opendir(path);
	while (d && !found && (e = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);

		if (n < 0)
			continue;
		target[n] = '\0';
		found = !strcmp(target, want);
	}
	if (d)
		closedir(d);
	return found;
}

static void
read_name(char name[32], const char *pid)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	f = fopen(path, "re");
	if (f && fgets(name, 32, f))
		name[strcspn(name, "\n")] = '\0';
	if (f)
		fclose(f);
}

static void
find_process(struct inuse *u)
{
	struct dirent *e;
	char want[64];
	DIR *d;

	snprintf(want, sizeof(want), "socket:[%lu]", u->inode);
	d = u->inode ? opendir("/proc") : NULL;
	while (d && !u->pid && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]) || !has_socket(e->d_name, want))
			continue;
		u->pid = atoi(e->d_name);
		read_name(u->name, e->d_name);
	}
	if (d)
		closedir(d);
}

bool
inuse_on_host(struct inuse *out, enum ip_proto proto, struct host_ports p)
{
	static const char *const path[PROTO_N][2] = {
	    [PROTO_TCP] = {"/proc/net/tcp", "/proc/net/tcp6"},
	    [PROTO_UDP] = {"/proc/net/udp", "/proc/net/udp6"},
	};

	const struct passwd *pw = getpwnam(VNET_USER);
	uint32_t own = pw ? pw->pw_uid : MSG_UID_NONE;

	for (size_t i = 0; i < ARRAY_LEN(path[proto]); i++) {
		if (!in_file(out, path[proto][i], proto, p, own))
			continue;
		find_process(out);
		return true;
	}
	return false;
}
