/* SPDX-License-Identifier: GPL-2.0-or-later
 * check.c - reads the configuration folder with the caller's own rights and says what is wrong with it.
 */
#include "vnetd/check.h"

#include <stdio.h>

#include "conf/vnetdconf.h"
#include "lib/log.h"
#include "lib/strbuf.h"
#include "vnetd/conf_folder.h"

static void
put(FILE *to, struct strbuf *text)
{
	if (text->bad)
		log_error(0, "out of memory");
	else
		fputs(strbuf_str(text), to);
	strbuf_fini(text);
}

static int
judge(struct conf_folder *folder, const char *dir, bool print)
{
	struct strbuf text;
	struct diags d;
	struct conf *conf;
	int status;

	diags_init(&d);
	conf = conf_build(&folder->src, &d);
	if (!conf || !conf_folder_redirects(folder, dir, &d)) {
		conf_free(conf);
		log_error(0, "out of memory");
		diags_fini(&d);
		return 1;
	}
	strbuf_init(&text);
	for (size_t i = 0; i < d.n; i++) {
		if (d.v[i].severity == DIAG_NOTICE)
			continue; /* `vnetctl check -v` has them */
		diag_print(&text, &d.v[i]);
		strbuf_addc(&text, '\n');
	}
	put(stderr, &text);
	if (print && !conf->fatal) {
		vnetdconf_print_effective(&text, conf);
		put(stdout, &text);
	}
	status = d.count[DIAG_ERROR] ? 1 : 0;
	conf_free(conf);
	diags_fini(&d);
	return status;
}

int
check_main(const struct dirs *dirs, bool print)
{
	struct conf_folder folder;
	struct strbuf why;
	int status = 1;

	strbuf_init(&why);
	if (conf_folder_read(&folder, dirs->config, &why))
		status = judge(&folder, dirs->config, print);
	else
		log_error(0, "%s", strbuf_str(&why));
	conf_folder_fini(&folder);
	strbuf_fini(&why);
	return status;
}
