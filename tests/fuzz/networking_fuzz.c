/* SPDX-License-Identifier: GPL-2.0-or-later
 * networking_fuzz.c - `networking`: print(parse(x)) is stable, and edits commute with it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/networking.h"
#include "lib/strbuf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Canonical text of what is in force; false when the VERSION line is wrong. */
static bool
canonical(struct strbuf *out, const char *text, size_t len, size_t *warnings)
{
	struct networking nw;
	struct diags d;
	struct arena a;
	bool ok;

	arena_init(&a);
	diags_init(&d);
	networking_parse(&nw, &a, "networking", text, len, &d);
	ok = nw.version_ok;
	if (ok)
		networking_print(out, &nw);
	if (warnings)
		*warnings = d.count[DIAG_WARNING];
	diags_fini(&d);
	arena_fini(&a);
	return ok;
}

static const struct conf_forward fw = {.proto = CONF_TCP,
				       .host_port = 8080,
				       .guest = {0xc0a80805},
				       .guest_port = 80,
				       .description = "a b"};

static void
edit(struct strbuf *out, const char *text, size_t len, int which)
{
	static const struct mac mac = {{0, 0x0c, 0x29, 1, 2, 3}};

	switch (which) {
	case 0:
		networking_set_answer(out, text, len, 8, "MTU", "9000");
		break;
	case 1:
		networking_set_answer(out, text, len, 8, "DISPLAY_NAME", "two words");
		break;
	case 2:
		networking_set_bridge(out, text, len, "eth0", 3);
		break;
	case 3:
		networking_set_default_bridge(out, text, len, 5);
		break;
	case 4:
		networking_set_forward(out, text, len, 8, &fw);
		break;
	case 5:
		networking_set_reservation(out, text, len, 8, mac, (struct ip4){0xc0a80806});
		break;
	case 6:
		networking_set_answer(out, text, len, 8, "DHCP", NULL);
		break;
	case 7:
		networking_set_bridge(out, text, len, "eth0", NW_DEFAULT_BRIDGE_UNSET);
		break;
	case 8:
		networking_remove_forward(out, text, len, 8, &fw);
		break;
	case 9:
		networking_remove_reservation(out, text, len, 8, mac);
		break;
	default:
		networking_remove_net(out, text, len, 8);
		break;
	}
}

/* Where the short way is taken, it leads to the same text. */
static void
check_short(const char *text, size_t len, const struct strbuf *edited, int which)
{
	struct strbuf b;
	bool taken = false;

	strbuf_init(&b);
	if (which == 4)
		taken = networking_add_forward(&b, text, len, 8, &fw);
	else if (which == 8)
		taken = networking_drop_forward(&b, text, len, 8, &fw);
	if (taken &&
	    (b.len != edited->len || memcmp(strbuf_str(&b), strbuf_str(edited), b.len) != 0))
		abort();
	strbuf_fini(&b);
}

/* Editing the file and editing its canonical form must say the same; a set loses no line that was
 * not understood. */
static void
check_edit(const char *text, size_t len, const struct strbuf *canon, int which)
{
	struct strbuf a, b, ca, cb;
	size_t before, after;

	strbuf_init(&a);
	strbuf_init(&b);
	strbuf_init(&ca);
	strbuf_init(&cb);
	edit(&a, text, len, which);
	check_short(text, len, &a, which);
	edit(&b, strbuf_str(canon), canon->len, which);
	if (!canonical(&ca, strbuf_str(&a), a.len, &after) ||
	    !canonical(&cb, strbuf_str(&b), b.len, NULL))
		abort();
	if (strcmp(strbuf_str(&ca), strbuf_str(&cb)) != 0)
		abort();
	strbuf_fini(&cb);
	strbuf_init(&cb);
	canonical(&cb, text, len, &before);
	if (which < 6 && after < before)
		abort();
	strbuf_fini(&a);
	strbuf_fini(&b);
	strbuf_fini(&ca);
	strbuf_fini(&cb);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *text = (const char *)data;
	struct strbuf one, two;

	strbuf_init(&one);
	strbuf_init(&two);
	if (canonical(&one, text, len, NULL)) {
		if (!canonical(&two, strbuf_str(&one), one.len, NULL) || one.len != two.len ||
		    memcmp(strbuf_str(&one), strbuf_str(&two), one.len) != 0)
			abort();
		/* One edit of the eleven, by what the input is: all of them are slow. */
		for (size_t i = 0, sum = 0; i < len; i++) {
			sum += data[i];
			if (i + 1 == len)
				check_edit(text, len, &one, (int)(sum % 11));
		}
	}
	strbuf_fini(&one);
	strbuf_fini(&two);
	return 0;
}
