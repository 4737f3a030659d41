/* SPDX-License-Identifier: GPL-2.0-or-later
 * redird_alone.c - the redirector without vnetd around it, for tests and benchmarks.
 *
 *     redird-alone [nofile=N] [loop=libevent] LISTEN TARGET[,TARGET...] [KEY=VALUE...] [-- LISTEN TARGET ...]
 *
 * LISTEN and TARGET are ADDRESS:PORT, [ADDRESS]:PORT for IPv6; TARGET "none" is a service without one. The first
 * service is number 1. Prints "ready" once it listens; what happens goes to stderr, a line each. Keys:
 *
 *     name=TEXT only_from=A/LEN,... no_access=A/LEN,... times=HH:MM-HH:MM,... instances=N per_source=N cps=N/SECONDS
 *     max_load=MILLI sensor=MINUTES|forever|never banner=TEXT banner_success=TEXT banner_fail=TEXT keepalive
 *     connect=MS idle=MS log
 *
 * Commands are read from stdin, a line each, and answered by a line of JSON:
 *
 *     counters ID | list | room | kill CONNECTION | killall ID | remove ID | drain
 *     change ID TARGET[,TARGET...] [KEY=VALUE...] | add LISTEN TARGET[,TARGET...] [KEY=VALUE...]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/loop.h"
#include "redird/redird.h"

#define RULES_MAX 32
#define WORDS_MAX 64

static struct redird *redird;
static uint32_t next_id = 1;
static bool done;

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "redird-alone: %s: %s\n", what, strerror(errno));
	exit(1);
}

static _Noreturn void
bad(const char *word)
{
	fprintf(stderr, "redird-alone: cannot understand \"%s\"\n", word);
	exit(2);
}

/* --- words to settings --- */

static bool
parse_ip(struct ip6 *a, const char *s)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, s, &v4) == 1) {
		*a = ip6_mapped(ntohl(v4.s_addr));
		return true;
	}
	return inet_pton(AF_INET6, s, a->b) == 1;
}

static struct redird_endpoint
parse_endpoint(const char *word)
{
	struct redird_endpoint e = {0};
	char text[64], *colon, *host = text;

	snprintf(text, sizeof(text), "%s", word);
	colon = strrchr(text, ':');
	if (!colon)
		bad(word);
	*colon = '\0';
	if (*host == '[' && colon[-1] == ']') {
		host++;
		colon[-1] = '\0';
	}
	e.port = (uint16_t)atoi(colon + 1);
	if (!parse_ip(&e.addr, host))
		bad(word);
	return e;
}

static size_t
parse_rules(struct access_rule *r, char *list)
{
	size_t n = 0;
	char *save, *word = strtok_r(list, ",", &save);

	for (; word && n < RULES_MAX; word = strtok_r(NULL, ",", &save)) {
		char *slash = strchr(word, '/');

		if (slash)
			*slash = '\0';
		if (!parse_ip(&r[n].addr, word))
			bad(word);
		r[n].len = slash ? (uint8_t)atoi(slash + 1) : 128;
		if (slash && ip6_is_mapped(&r[n].addr))
			r[n].len = (uint8_t)(r[n].len + 96);
		n++;
	}
	return n;
}

static size_t
parse_times(struct access_span *t, char *list)
{
	size_t n = 0;
	char *save, *word = strtok_r(list, ",", &save);
	unsigned h1, m1, h2, m2;

	for (; word && n < RULES_MAX; word = strtok_r(NULL, ",", &save)) {
		if (sscanf(word, "%u:%u-%u:%u", &h1, &m1, &h2, &m2) != 4)
			bad(word);
		t[n++] = (struct access_span){(uint16_t)(h1 * 60 + m1), (uint16_t)(h2 * 60 + m2)};
	}
	return n;
}

/* A service and the room for what it points to. */
struct spec {
	struct redird_service s;
	struct access_rule yes[RULES_MAX], no[RULES_MAX];
	struct access_span times[RULES_MAX];
	char name[32];
};

static void
parse_targets(struct redird_service *s, char *list)
{
	char *save, *word = strtok_r(list, ",", &save);

	for (; word && s->n_targets < REDIRD_TARGETS_MAX; word = strtok_r(NULL, ",", &save))
		if (strcmp(word, "none") != 0)
			s->targets[s->n_targets++] = parse_endpoint(word);
}

static bool
parse_access(struct spec *p, const char *key, char *value)
{
	struct access_conf *a = &p->s.access;

	if (!strcmp(key, "only_from")) {
		a->only_from = p->yes;
		a->n_only_from = parse_rules(p->yes, value);
		a->only_from_set = true;
	} else if (!strcmp(key, "no_access")) {
		a->no_access = p->no;
		a->n_no_access = parse_rules(p->no, value);
	} else if (!strcmp(key, "times")) {
		a->times = p->times;
		a->n_times = parse_times(p->times, value);
	} else if (!strcmp(key, "instances")) {
		a->instances = (uint32_t)atoi(value);
	} else if (!strcmp(key, "per_source")) {
		a->per_source = (uint32_t)atoi(value);
	} else if (!strcmp(key, "cps")) {
		if (sscanf(value, "%" SCNu32 "/%" SCNu32, &a->cps, &a->cps_wait_s) != 2)
			bad(value);
	} else if (!strcmp(key, "max_load")) {
		a->max_load_milli = (uint32_t)atoi(value);
	} else if (!strcmp(key, "sensor")) {
		a->sensor = true;
		a->deny_min = !strcmp(value, "forever") ? ACCESS_DENY_FOREVER : atoi(value);
	} else {
		return false;
	}
	return true;
}

static void
parse_key(struct spec *p, char *word)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	else
		value = word + strlen(word);
	if (parse_access(p, word, value))
		return;
	if (!strcmp(word, "name"))
		snprintf(p->name, sizeof(p->name), "%s", value);
	else if (!strcmp(word, "banner"))
		p->s.banner = (struct redird_text){value, strlen(value)};
	else if (!strcmp(word, "banner_success"))
		p->s.banner_success = (struct redird_text){value, strlen(value)};
	else if (!strcmp(word, "banner_fail"))
		p->s.banner_fail = (struct redird_text){value, strlen(value)};
	else if (!strcmp(word, "keepalive"))
		p->s.keepalive = true;
	else if (!strcmp(word, "connect"))
		p->s.timeout_connect_ms = (uint32_t)atoi(value);
	else if (!strcmp(word, "idle"))
		p->s.timeout_idle_ms = (uint32_t)atoi(value);
	else if (!strcmp(word, "log"))
		p->s.on_success = p->s.on_failure = ~0u;
	else
		bad(word);
}

static void
parse_spec(struct spec *p, uint32_t id, char **words, int n)
{
	memset(p, 0, sizeof(*p));
	access_conf_init(&p->s.access);
	p->s.id = id;
	snprintf(p->name, sizeof(p->name), "s%" PRIu32, id);
	p->s.name = p->name;
	if (n < 1)
		bad("");
	parse_targets(&p->s, words[0]);
	for (int i = 1; i < n; i++)
		parse_key(p, words[i]);
}

/* --- services --- */

static int
listen_at(const struct redird_endpoint *e)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(e->port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(e->port)};
	bool is4 = ip6_is_mapped(&e->addr);
	int on = 1,
	    fd = socket(is4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), r;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		die("socket");
	memcpy(&v4.sin_addr, e->addr.b + 12, 4);
	memcpy(&v6.sin6_addr, e->addr.b, 16);
	r = is4 ? bind(fd, (struct sockaddr *)&v4, sizeof(v4))
		: bind(fd, (struct sockaddr *)&v6, sizeof(v6));
	if (r < 0 || listen(fd, 4096) < 0)
		die("listen");
	return fd;
}

/* words: LISTEN TARGET [KEY=VALUE...] */
static int
add_service(char **words, int n)
{
	struct redird_endpoint at;
	struct spec p;

	if (n < 2)
		bad(n ? words[0] : "");
	at = parse_endpoint(words[0]);
	parse_spec(&p, next_id, words + 1, n - 1);
	next_id++;
	return redird_add(redird, &p.s, listen_at(&at));
}

static void
on_event(void *arg, enum redird_event what, uint32_t service, const char *text)
{
	(void)arg;
	(void)what;
	fprintf(stderr, "%" PRIu32 " %s\n", service, text);
}

/* --- commands --- */

static void
print_counters(uint32_t id)
{
	struct redird_counters c;

	if (redird_counters(redird, id, &c) < 0) {
		puts("null");
		return;
	}
	printf("{\"accepted\": %" PRIu64 ", \"live\": %u, \"connecting\": %u, \"in\": %" PRIu64
	       ", \"out\": %" PRIu64 ", \"refused\": {",
	       c.accepted, c.live, c.connecting, c.bytes_in, c.bytes_out);
	for (int v = VERDICT_OK + 1; v < VERDICT_N; v++)
		printf("%s\"%s\": %" PRIu64, v > VERDICT_OK + 1 ? ", " : "",
		       verdict_word((enum verdict)v), c.refused[v]);
	printf("}, \"ended\": {");
	for (int e = 0; e < REDIRD_END_N; e++)
		printf("%s\"%s\": %" PRIu64, e ? ", " : "", redird_end_word((enum redird_end)e),
		       c.ended[e]);
	puts("}}");
}

static void
print_conn(const struct redird_conn *c, void *arg)
{
	const char **comma = arg;
	char from[IP6_STRLEN], to[IP6_STRLEN];

	printf("%s{\"id\": %" PRIu64 ", \"service\": %" PRIu32
	       ", \"from\": \"%s\", \"port\": %u, \"to\": \"%s\", "
	       "\"connecting\": %s, \"in\": %" PRIu64 ", \"out\": %" PRIu64 ", \"age_ms\": %" PRId64
	       ", \"idle_ms\": %" PRId64 "}",
	       *comma, c->id, c->service, ip6_str(&c->client.addr, from), c->client.port,
	       ip6_str(&c->target.addr, to), c->connecting ? "true" : "false", c->bytes_in,
	       c->bytes_out, c->age_ms, c->idle_ms);
	*comma = ", ";
}

static void
print_room(void)
{
	struct redird_room r;

	redird_room(redird, &r);
	printf(
	    "{\"limit\": %u, \"reserved\": %u, \"conns_max\": %u, \"conns\": %u, \"full\": %s}\n",
	    r.limit, r.reserved, r.conns_max, r.conns, r.full ? "true" : "false");
}

static int
change_service(char **words, int n)
{
	struct spec p;

	parse_spec(&p, (uint32_t)atoi(words[0]), words + 1, n - 1);
	return redird_change(redird, &p.s, -1);
}

static void
command(char **words, int n)
{
	const char *verb = words[0], *comma = "";
	uint64_t number = n > 1 ? strtoull(words[1], NULL, 10) : 0;

	if (!strcmp(verb, "counters")) {
		print_counters((uint32_t)number);
	} else if (!strcmp(verb, "list")) {
		printf("[");
		redird_list(redird, 0, print_conn, &comma);
		puts("]");
	} else if (!strcmp(verb, "room")) {
		print_room();
	} else if (!strcmp(verb, "kill")) {
		printf("%d\n", redird_kill(redird, number));
	} else if (!strcmp(verb, "killall")) {
		printf("%u\n", redird_kill_all(redird, (uint32_t)number));
	} else if (!strcmp(verb, "remove")) {
		printf("%d\n", redird_remove(redird, (uint32_t)number));
	} else if (!strcmp(verb, "drain")) {
		redird_drain(redird);
		puts("0");
	} else if (!strcmp(verb, "change") && n > 2) {
		printf("%d\n", change_service(words + 1, n - 1));
	} else if (!strcmp(verb, "add")) {
		printf("%d\n", add_service(words + 1, n - 1));
	} else {
		bad(verb);
	}
	fflush(stdout);
}

static struct loop *loop;

static void
on_stdin(int fd, void *arg)
{
	static char line[4096];
	static size_t len;
	char *words[WORDS_MAX], *end, *save, *word;
	ssize_t got = read(fd, line + len, sizeof(line) - 1 - len);

	(void)arg;
	if (got <= 0) {
		done = true;
		if (loop)
			loop_stop(loop);
		return;
	}
	len += (size_t)got;
	line[len] = '\0';
	while ((end = strchr(line, '\n')) != NULL) {
		int n = 0;

		*end = '\0';
		for (word = strtok_r(line, " ", &save); word && n < WORDS_MAX;
		     word = strtok_r(NULL, " ", &save))
			words[n++] = word;
		if (n)
			command(words, n);
		len -= (size_t)(end + 1 - line);
		memmove(line, end + 1, len + 1);
	}
}

static void
on_redird(int fd, void *arg)
{
	(void)fd;
	(void)arg;
	redird_run(redird, 0);
}

static void
run_in_libevent(void)
{
	struct loop_io *in, *red;

	loop = loop_new();
	if (!loop)
		die("loop");
	in = loop_add_read(loop, STDIN_FILENO, on_stdin, NULL);
	red = loop_add_read(loop, redird_fd(redird), on_redird, NULL);
	if (!in || !red)
		die("loop");
	loop_run(loop);
	loop_io_free(in);
	loop_io_free(red);
	loop_free(loop);
}

static void
run_alone(void)
{
	if (redird_watch(redird, STDIN_FILENO, on_stdin, NULL) < 0)
		die("stdin");
	while (!done)
		redird_run(redird, -1);
}

int
main(int argc, char **argv)
{
	const struct redird_handler handler = {on_event, NULL};
	bool libevent = false;
	int at = 1;

	signal(SIGPIPE, SIG_IGN);
	for (; at < argc && strchr(argv[at], '='); at++) {
		rlim_t n = strtoull(argv[at] + strcspn(argv[at], "=") + 1, NULL, 10);

		if (!strncmp(argv[at], "nofile=", 7) &&
		    setrlimit(RLIMIT_NOFILE, &(struct rlimit){n, n}) < 0)
			die("nofile");
		libevent = libevent || !strcmp(argv[at], "loop=libevent");
	}
	if (redird_new(&redird, &handler) < 0)
		die("redird");
	while (at < argc) {
		int n = 0;

		while (at + n < argc && strcmp(argv[at + n], "--") != 0)
			n++;
		errno = -add_service(argv + at, n);
		if (errno)
			die("service");
		at += n + 1;
	}
	puts("ready");
	fflush(stdout);
	if (libevent)
		run_in_libevent();
	else
		run_alone();
	redird_free(redird);
	return 0;
}
