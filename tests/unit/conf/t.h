/* SPDX-License-Identifier: GPL-2.0-or-later
 * t.h - cmocka with the headers it wants before it, and short ways to build models in these tests.
 */
#ifndef VNET_TESTS_UNIT_CONF_T_H
#define VNET_TESTS_UNIT_CONF_T_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "lib/strbuf.h"
#include "lib/util.h"

#define T_RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

static inline struct conf_file
t_file(const char *text)
{
	return (struct conf_file){text, text ? strlen(text) : 0};
}

static inline struct ip4
t_ip(const char *s)
{
	struct ip4 ip;

	assert_true(ip4_parse(&ip, s));
	return ip;
}

static inline struct prefix4
t_prefix(const char *s)
{
	struct prefix4 p;

	assert_true(prefix4_parse(&p, s));
	return p;
}

/* The model of a `networking` body (without VERSION) and a vnetd.conf (NULL: none). */
static inline struct conf *
t_build(const char *networking, const char *vnetd)
{
	struct conf_sources src = {.vnetd = t_file(vnetd)};
	struct strbuf b;
	struct diags d;
	struct conf *c;

	strbuf_init(&b);
	diags_init(&d);
	strbuf_addf(&b, "VERSION=1,0\n%s", networking);
	src.networking = t_file(strbuf_str(&b));
	c = conf_build(&src, &d);
	assert_non_null(c);
	diags_fini(&d);
	strbuf_fini(&b);
	return c;
}

#endif
