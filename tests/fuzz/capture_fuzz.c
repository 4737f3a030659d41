/* SPDX-License-Identifier: GPL-2.0-or-later
 * capture_fuzz.c - frames as guests send them, blocks of a file, filter expressions and programs of clients: the
 * first byte says which.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/code.h"
#include "capture/filter.h"
#include "capture/flow.h"
#include "capture/pcapng.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
frame(const uint8_t *data, size_t len)
{
	struct strbuf line;
	struct flow f;

	if (!flow_read(&f, data, len))
		return;
	strbuf_init(&line);
	flow_line(&line, &f, (uint32_t)len);
	strbuf_fini(&line);
}

static void
blocks(const uint8_t *data, size_t len)
{
	struct pcapng_frame f;
	size_t used;

	if (pcapng_whole(data, len) > len)
		abort();
	while (len) {
		enum pcapng_what what = pcapng_next(data, len, &used, &f);

		if (what == PCAPNG_MORE || what == PCAPNG_BAD)
			return;
		if (what == PCAPNG_FRAME)
			frame(f.data, f.caplen);
		data += used;
		len -= used;
	}
}

static void
expression(const uint8_t *data, size_t len)
{
	static struct filter f;
	char why[FILTER_WHY_MAX], *text = malloc(len + 1);

	memcpy(text, data, len);
	text[len] = '\0';
	/* Names would be looked up by the resolver. */
	if (strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz ()[]&|!=<>.:+-*/") == len &&
	    !strstr(text, "host ") && !strstr(text, "gateway") && filter_compile(&f, text, why)) {
		if (!filter_valid(&f))
			abort();
		filter_run(&f, data, (uint32_t)len, (uint32_t)len);
	}
	free(text);
}

/* A program that is valid ends, whatever the frame. */
static void
program(const uint8_t *data, size_t len)
{
	static struct sock_filter code[FILTER_MAX + FILTER_EXTRA];
	const struct filter_scope scope = {.ifindex = 1, .snaplen = 96};
	static uint8_t wire[FILTER_MAX * CODE_BYTES];
	static struct filter f;

	f.n = 0;
	if (code_take(&f, data, len) &&
	    (code_put(wire, f.code, f.n) != len || memcmp(wire, data, len) != 0))
		abort();
	f.n = len / sizeof(f.code[0]);
	if (f.n > FILTER_MAX)
		return;
	memcpy(f.code, data, f.n * sizeof(f.code[0]));
	if (!filter_valid(&f))
		return;
	filter_run(&f, data, (uint32_t)len, (uint32_t)len);
	if (filter_for_socket(code, &f, &scope) > FILTER_MAX + FILTER_EXTRA)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static void (*const all[])(const uint8_t *, size_t) = {frame, blocks, expression, program};

	if (len)
		all[data[0] % 4](data + 1, len - 1);
	return 0;
}
