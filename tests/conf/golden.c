/* SPDX-License-Identifier: GPL-2.0-or-later
 * golden.c - runs the configuration cases of this folder: NNN-name.in against NNN-name.ok or .err.
 *
 * An .in file holds several files and commands, each behind a line of its own:
 *     ==== networking                  the text of that file follows
 *     ==== vmnet8/dhcpd/dhcpd.conf
 *     ==== redirect.d/ssh
 *     ==== etc/services                what the host's says, for the redirections
 *     ==== do set vmnet8 mtu 9000      a change, as `vnetctl` would make it; "": an empty value
 * "==== FILE noeol" is a file without its last line end, "==== FILE crlf" one with CR LF.
 * The expected output is every diagnostic (E, W, N), the effective configuration, and for each `do`
 * the files that it changed; then the redirections, which stand alone when the case is only about
 * them. A case with an error must be .err, one without .ok: so a file's name says what it is about.
 * `golden DIR --update` writes the expected files anew, for review in a diff.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/change.h"
#include "conf/conf.h"
#include "conf/defaults.h"
#include "conf/redirect.h"
#include "conf/schema.h"
#include "conf/vnetdconf.h"
#include "lib/strbuf.h"

#define TEXTS_MAX 256

struct run {
	struct conf_sources src;
	struct conf_changes kept[TEXTS_MAX]; /* own the texts that src borrows */
	size_t nkept;
	char *texts[TEXTS_MAX];
	size_t ntexts;
	struct redirect_file redirect[TEXTS_MAX];
	struct redirect_sources redirects;
	struct strbuf out;
	bool error;
};

/* --- reading cases --- */

static bool
read_file(const char *path, struct strbuf *out)
{
	FILE *f = fopen(path, "rb");
	char buf[4096];
	size_t n;

	if (!f)
		return false;
	while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
		strbuf_addn(out, buf, n);
	fclose(f);
	return true;
}

static struct conf_file *
file_named(struct conf_sources *s, const char *name)
{
	char rest[64];
	unsigned n;

	if (strcmp(name, "networking") == 0)
		return &s->networking;
	if (strcmp(name, "netmap.conf") == 0)
		return &s->netmap;
	if (strcmp(name, "vnetd.conf") == 0)
		return &s->vnetd;
	if (sscanf(name, "vmnet%u/%63s", &n, rest) != 2 || n >= CONF_NETS)
		return NULL;
	if (strcmp(rest, "dhcpd/dhcpd.conf") == 0)
		return &s->dhcpd[n];
	return strcmp(rest, "nat/nat.conf") == 0 ? &s->nat[n] : NULL;
}

static void
add_file(struct run *r, char *head, const char *text, size_t len)
{
	char *how = strchr(head, ' ');
	bool services, redirect;
	struct conf_file *f;
	struct strbuf b;

	strbuf_init(&b);
	if (how)
		*how++ = '\0';
	f = file_named(&r->src, head);
	services = strcmp(head, "etc/services") == 0;
	redirect = strncmp(head, "redirect.d/", 11) == 0;
	if ((!f && !services && !redirect) || r->ntexts == TEXTS_MAX) {
		strbuf_addf(&r->out, "! no such file: %s\n", head);
		r->error = true;
		return;
	}
	for (size_t i = 0; i < len; i++) {
		if (how && strstr(how, "crlf") && text[i] == '\n')
			strbuf_addc(&b, '\r');
		strbuf_addc(&b, text[i]);
	}
	while (how && strstr(how, "noeol") && b.len &&
	       (b.s[b.len - 1] == '\n' || b.s[b.len - 1] == '\r'))
		b.len--;
	len = b.len;
	text = r->texts[r->ntexts++] = strbuf_take(&b);
	if (f) {
		*f = (struct conf_file){text, len};
	} else if (services) {
		r->redirects.etc_services = text;
		r->redirects.etc_services_len = len;
	} else {
		r->redirect[r->redirects.nfiles++] = (struct redirect_file){head, text, len};
	}
}

/* --- output --- */

static void
print_diags(struct run *r, const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		strbuf_addf(&r->out, "%c ", "NWE"[d->v[i].severity]);
		if (d->v[i].net >= 0)
			strbuf_addf(&r->out, "[vmnet%d] ", d->v[i].net);
		diag_print(&r->out, &d->v[i]);
		strbuf_addc(&r->out, '\n');
		r->error |= d->v[i].severity == DIAG_ERROR;
	}
}

/* Bytes that an editor would hide are shown. */
static void
print_text(struct strbuf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\r')
			strbuf_add(out, "<CR>");
		else
			strbuf_addc(out, s[i]);
	}
	if (n == 0 || s[n - 1] != '\n')
		strbuf_add(out, "<no line end>\n");
}

static void
print_changes(struct run *r, const struct conf_changes *ch)
{
	char name[CONF_FILE_NAME_LEN];

	for (size_t i = 0; i < ch->n; i++) {
		const struct conf_change *c = &ch->v[i];

		conf_file_name(c->file, c->net, name);
		strbuf_addf(&r->out, "---- %s%s\n", name, c->text ? "" : " removed");
		if (c->text)
			print_text(&r->out, c->text, c->len);
	}
	if (ch->n == 0)
		strbuf_add(&r->out, "---- nothing changed\n");
}

/* Every service in its normal form; those with an error by name alone. */
static void
print_redirects(struct run *r)
{
	struct redirect m;
	struct arena a;
	struct diags d;

	arena_init(&a);
	diags_init(&d);
	r->redirects.file = r->redirect;
	redirect_parse(&m, &a, &r->redirects, &d);
	print_diags(r, &d);
	strbuf_add(&r->out, "==== redirections\n");
	redirect_print(&r->out, &m);
	for (size_t i = 0; i < m.n; i++) {
		if (m.v[i].bad)
			strbuf_addf(&r->out, "refused: %s\n", m.v[i].id);
	}
	diags_fini(&d);
	arena_fini(&a);
}

static void
print_model(struct run *r)
{
	struct diags d;
	struct conf *c;

	diags_init(&d);
	c = conf_build(&r->src, &d);
	print_diags(r, &d);
	if (c && c->default_conf_needed)
		strbuf_add(&r->out, "==== default configuration needed\n");
	if (c && !c->fatal && !c->default_conf_needed) {
		strbuf_add(&r->out, "==== effective\n");
		vnetdconf_print_effective(&r->out, c);
	}
	conf_free(c);
	diags_fini(&d);
}

/* --- commands --- */

static const struct prefix4 used[] = {{{0xc0a80100}, 24}, {{0}, 0}, {{0x0a000000}, 8}};

/* Words of a command; the last takes the rest of the line. */
struct args {
	char *v[8];
	size_t n;
	unsigned net;
};

static void
split(struct args *a, char *s, size_t max)
{
	a->n = 0;
	while (*s && a->n < max) {
		a->v[a->n++] = s;
		if (a->n == max || !(s = strchr(s, ' ')))
			break;
		*s++ = '\0';
	}
	if (a->n < 2 || !conf_net_parse(&a->net, a->v[1]))
		a->net = 0;
}

static bool
do_create(struct conf_changes *ch, struct run *r, struct args *a, const struct conf_env *env,
	  struct diags *d)
{
	struct prefix4 p = {0};
	enum net_kind type = NET_HOSTONLY;

	if (a->n > 2)
		conf_net_type_parse(&type, a->v[2]);
	if (a->n > 3)
		prefix4_parse(&p, a->v[3]);
	return conf_create_net(ch, &r->src, a->net, type, p, env, d);
}

static bool
do_forward(struct conf_changes *ch, struct run *r, struct args *a, struct diags *d)
{
	struct conf_forward f = {0};
	struct host_ports ports = {.first = 0};
	uint16_t more;

	if (a->n < 4 || !conf_proto_parse(&f.proto, a->v[2]))
		return false;
	/* What is none stays 0, for the judgement of what is tested. */
	host_ports_parse(&ports, a->v[3], strlen(a->v[3]));
	f.host = ports.host;
	f.host_port = ports.first;
	f.more = ports.more;
	if (strcmp(a->v[0], "unforward") == 0)
		return conf_remove_forward(ch, &r->src, a->net, &f, d);
	if (a->n < 6 || !ip4_parse(&f.guest, a->v[4]))
		return false;
	port_range_parse(&f.guest_port, &more, a->v[5], strlen(a->v[5]));
	f.description = a->n > 6 ? a->v[6] : NULL;
	f.shadow = strcmp(a->v[0], "shadow") == 0;
	return conf_add_forward(ch, &r->src, a->net, &f, d);
}

static bool
do_reserve(struct conf_changes *ch, struct run *r, struct args *a, struct diags *d)
{
	struct mac mac;
	struct ip4 ip;

	if (a->n < 3 || !mac_parse(&mac, a->v[2]))
		return false;
	if (strcmp(a->v[0], "unreserve") == 0)
		return conf_remove_reservation(ch, &r->src, a->net, mac, d);
	if (a->n < 4 || !ip4_parse(&ip, a->v[3]))
		return false;
	/* reserve vmnet8 MAC IP [NAME|- [static-arp]] */
	return conf_add_reservation(ch, &r->src, a->net, mac, ip,
				    a->n > 4 && strcmp(a->v[4], "-") != 0 ? a->v[4] : NULL,
				    a->n > 5 && strcmp(a->v[5], "static-arp") == 0, d);
}

static bool
do_refresh(struct conf_changes *ch, struct run *r, const struct conf_env *env, struct diags *d)
{
	struct conf *c = conf_build(&r->src, d);
	bool ok = c && conf_refresh(ch, &r->src, c, env);

	conf_free(c);
	return ok;
}

static const char *
value_of(const char *word)
{
	return strcmp(word, "\"\"") == 0 ? "" : word;
}

static bool
dispatch(struct conf_changes *ch, struct run *r, char *line, struct diags *d)
{
	static const struct conf_env env = {.used = used,
					    .nused = ARRAY_LEN(used),
					    .random = 42,
					    .written_at = "11/20/2026 12:00:00"};
	struct args a;

	if (strncmp(line, "set ", 4) == 0) {
		split(&a, line, 4);
		return a.n == 4 &&
		       conf_set_net(ch, &r->src, a.net, a.v[2], value_of(a.v[3]), &env, d);
	}
	if (strncmp(line, "config ", 7) == 0) { /* config port/fc0 KEY VALUE */
		split(&a, line, 4);
		if (a.n != 4)
			return false;
		for (char *s = a.v[1]; *s; s++)
			*s = *s == '/' ? ' ' : *s;
		return conf_set(ch, &r->src, a.v[1], a.v[2], value_of(a.v[3]), d);
	}
	split(&a, line, 7);
	if (strcmp(a.v[0], "create") == 0)
		return do_create(ch, r, &a, &env, d);
	if (strcmp(a.v[0], "delete") == 0)
		return conf_delete_net(ch, &r->src, a.net, d);
	if (strcmp(a.v[0], "forward") == 0 || strcmp(a.v[0], "shadow") == 0 ||
	    strcmp(a.v[0], "unforward") == 0)
		return do_forward(ch, r, &a, d);
	if (strcmp(a.v[0], "reserve") == 0 || strcmp(a.v[0], "unreserve") == 0)
		return do_reserve(ch, r, &a, d);
	if (strcmp(a.v[0], "refresh") == 0)
		return do_refresh(ch, r, &env, d);
	return strcmp(a.v[0], "defaults") == 0 && conf_defaults(ch, &r->src, &env, d);
}

static void
run_command(struct run *r, char *line)
{
	struct conf_changes ch;
	struct diags d;
	bool ok;

	strbuf_addf(&r->out, "==== do %s\n", line);
	conf_changes_init(&ch);
	diags_init(&d);
	ok = dispatch(&ch, r, line, &d);
	print_diags(r, &d);
	if (!ok) {
		strbuf_add(&r->out, "refused\n");
		r->error = true;
	}
	print_changes(r, &ch);
	conf_changes_apply(&r->src, &ch);
	if (r->nkept < TEXTS_MAX)
		r->kept[r->nkept++] = ch;
	diags_fini(&d);
}

/* --- one case --- */

static void
run_case(struct run *r, struct strbuf *in)
{
	char *p = in->s, *next;
	bool model = false;

	while (p && *p) {
		char *head = p + 5, *text = strchr(p, '\n');

		if (strncmp(p, "==== ", 5) != 0 || !text) {
			strbuf_add(&r->out, "! case does not begin with ====\n");
			r->error = true;
			return;
		}
		*text++ = '\0';
		next = strncmp(text, "==== ", 5) == 0 ? text : strstr(text, "\n==== ");
		if (next && *next == '\n')
			next++;
		if (strncmp(head, "do ", 3) == 0) {
			if (!model)
				print_model(r);
			model = true;
			run_command(r, head + 3);
		} else {
			add_file(r, head, text, next ? (size_t)(next - text) : strlen(text));
		}
		p = next;
	}
	if (!r->redirects.nfiles || r->src.networking.text)
		print_model(r);
	if (r->redirects.nfiles)
		print_redirects(r);
}

static void
run_fini(struct run *r)
{
	for (size_t i = 0; i < r->nkept; i++)
		conf_changes_fini(&r->kept[i]);
	for (size_t i = 0; i < r->ntexts; i++)
		free(r->texts[i]);
	strbuf_fini(&r->out);
	free(r);
}

static bool
write_file(const char *path, const struct strbuf *b)
{
	FILE *f = fopen(path, "wb");

	if (!f)
		return false;
	fwrite(strbuf_str(b), 1, b->len, f);
	return fclose(f) == 0;
}

/* Compares with the expected file of the right kind, or writes it. */
static bool
judge(struct run *r, const char *base, bool update)
{
	char want[4096], other[4096];
	struct strbuf b;
	bool same;

	snprintf(want, sizeof(want), "%s.%s", base, r->error ? "err" : "ok");
	snprintf(other, sizeof(other), "%s.%s", base, r->error ? "ok" : "err");
	if (update) {
		remove(other);
		return write_file(want, &r->out);
	}
	strbuf_init(&b);
	same = read_file(want, &b) && b.len == r->out.len &&
	       memcmp(strbuf_str(&b), strbuf_str(&r->out), b.len) == 0;
	if (!same) {
		printf("# expected %s, got:\n", want);
		for (const char *s = strbuf_str(&r->out), *e; *s; s = *e ? e + 1 : e) {
			e = strchrnul(s, '\n');
			printf("#   %.*s\n", (int)(e - s), s);
		}
	}
	strbuf_fini(&b);
	return same;
}

static bool
run_file(const char *dir, const char *name, bool update)
{
	char path[2048], base[2048];
	struct run *r = calloc(1, sizeof(*r));
	struct strbuf in;
	bool ok = false;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(base, sizeof(base), "%.*s", (int)strlen(path) - 3, path);
	strbuf_init(&in);
	if (r && read_file(path, &in)) {
		run_case(r, &in);
		ok = judge(r, base, update);
	}
	strbuf_fini(&in);
	if (r)
		run_fini(r);
	return ok;
}

static int
is_case(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 3 && strcmp(e->d_name + n - 3, ".in") == 0;
}

int
main(int argc, char **argv)
{
	bool update = argc > 2 && strcmp(argv[2], "--update") == 0;
	struct dirent **list;
	int n, bad = 0;

	n = argc > 1 ? scandir(argv[1], &list, is_case, alphasort) : -1;
	if (n <= 0) {
		fprintf(stderr, "usage: golden DIR [--update]; no cases found\n");
		return 1;
	}
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		bool ok = run_file(argv[1], list[i]->d_name, update);

		bad += !ok;
		printf("%sok %d - %s\n", ok ? "" : "not ", i + 1, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return bad != 0;
}
