/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl.c - what vnetctl's verbs share: complaints, output, one request.
 */
#include "vnetd/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "conf/conf.h"

PRINTF_LIKE(1, 0) static void vcomplain(const char *fmt, va_list ap)
{
	fputs("vnetctl: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
}

void
ctl_complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vcomplain(fmt, ap);
	va_end(ap);
}

enum ctl_exit
ctl_misuse(const struct ctl_verb *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vcomplain(fmt, ap);
	va_end(ap);
	fprintf(stderr, "usage: vnetctl %s %s\nHelp: vnetctl %s --help\n", v->name, v->synopsis,
		v->name);
	return CTL_USAGE;
}

enum ctl_exit
ctl_explain(enum ctl_exit r, const struct client *client)
{
	if (r != CTL_OK)
		ctl_complain("%s", strbuf_str(&client->why));
	return r;
}

bool
ctl_parse_net(uint16_t *net, const char *name)
{
	unsigned n;

	if (!conf_net_parse(&n, name)) {
		ctl_complain("\"%s\" is not a network: networks are called vmnet0 to vmnet255",
			     name);
		return false;
	}
	*net = (uint16_t)n;
	return true;
}

enum ctl_exit
ctl_print(const struct ctl *c, struct strbuf *text)
{
	enum ctl_exit r = CTL_OK;

	if (text->bad) {
		ctl_complain("out of memory");
		r = CTL_FAILED;
	} else if (!c->quiet) {
		fwrite(strbuf_str(text), 1, text->len, stdout);
		if (fflush(stdout) != 0) {
			ctl_complain("cannot write to standard output: %m");
			r = CTL_FAILED;
		}
	}
	strbuf_fini(text);
	return r;
}

enum ctl_exit
ctl_print_json(const struct ctl *c, json_t *value, bool one_line)
{
	size_t flags = JSON_PRESERVE_ORDER | (one_line ? JSON_COMPACT : JSON_INDENT(2));
	char *s = value ? json_dumps(value, flags) : NULL;
	struct strbuf text;

	strbuf_init(&text);
	if (s) {
		strbuf_add(&text, s);
		strbuf_addc(&text, '\n');
	} else {
		text.bad = true;
	}
	free(s);
	json_decref(value);
	return ctl_print(c, &text);
}

void
ctl_hint(const struct ctl *c, const char *text)
{
	if (!c->quiet && isatty(STDOUT_FILENO))
		fprintf(stderr, "%s\n", text);
}

enum ctl_exit
ctl_ask(const struct ctl *c, struct msg *request, struct rows *const *want, size_t nwant)
{
	struct client client;
	enum ctl_exit r = client_open(&client, c->run_dir);

	if (r == CTL_OK)
		r = client_gather(&client, request, want, nwant);
	ctl_explain(r, &client);
	client_close(&client);
	return r;
}

uint64_t
ctl_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}
