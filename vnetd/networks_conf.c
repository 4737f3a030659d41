/* SPDX-License-Identifier: GPL-2.0-or-later
 * networks_conf.c - writes default and imported settings. Runs as root while vnetd does not run.
 */
#include "vnetd/networks_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "conf/defaults.h"
#include "lib/fd.h"
#include "lib/rtnl.h"
#include "vnetd/conf_folder.h"
#include "vnetd/snapshot.h"
#include "vnetd/used.h"

#define RESOLV_CONF     "/etc/resolv.conf"
#define RESOLV_CONF_MAX 65536

/* Prefixes that the host uses already, so that new networks keep away from them. */
static bool
collect(struct used *u, struct strbuf *why)
{
	struct rtnl *rtnl = rtnl_new(&(struct rtnl_events){0}, NULL);
	AUTO_FD fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC);
	struct snapshot now;
	char *resolv = NULL;
	int r;

	memset(u, 0, sizeof(*u));
	if (!rtnl) {
		strbuf_addf(why, "cannot ask the kernel for routes: %s", strerror(errno));
		return false;
	}
	snapshot_init(&now);
	r = rtnl_links(rtnl, snapshot_add_link, &now);
	if (r == 0)
		r = rtnl_addrs(rtnl, snapshot_add_addr, &now);
	if (r == 0)
		r = rtnl_routes(rtnl, snapshot_add_route, &now);
	snapshot_seal(&now);
	if (r == 0 && now.bad)
		r = -ENOMEM;
	if (r == 0) {
		if (fd >= 0 && fd_read_all(fd, &resolv, RESOLV_CONF_MAX) < 0)
			resolv = NULL;
		used_collect(u, &now, resolv);
		r = u->bad ? -ENOMEM : 0;
		free(resolv);
	}
	snapshot_fini(&now);
	rtnl_free(rtnl);
	if (r < 0)
		strbuf_addf(why, "cannot read addresses and routes: %s", strerror(-r));
	return r == 0;
}

static bool
fill_env(struct conf_env *env, struct used *u, struct strbuf *why)
{
	time_t now = time(NULL);
	struct tm tm;

	memset(env, 0, sizeof(*env));
	if (!collect(u, why))
		return false;
	if (getrandom(&env->random, sizeof(env->random), 0) != (ssize_t)sizeof(env->random)) {
		strbuf_addf(why, "no random numbers: %s", strerror(errno));
		return false;
	}
	localtime_r(&now, &tm);
	strftime(env->written_at, sizeof(env->written_at), "%m/%d/%Y %H:%M:%S", &tm);
	env->used = u->v;
	env->nused = u->n;
	return true;
}

static void
print_diags(const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct strbuf line;

		if (d->v[i].severity == DIAG_NOTICE)
			continue;
		strbuf_init(&line);
		diag_print(&line, &d->v[i]);
		fprintf(stderr, "%s\n", strbuf_str(&line));
		strbuf_fini(&line);
	}
}

/* Writes the defaults beside whatever else src has. */
static bool
write_defaults(const char *config_dir, const struct conf_sources *src, struct strbuf *why)
{
	struct conf_changes ch;
	struct used used = {0};
	struct conf_env env;
	struct diags d;
	bool ok;

	diags_init(&d);
	conf_changes_init(&ch);
	ok = fill_env(&env, &used, why);
	if (ok && !conf_defaults(&ch, src, &env, &d)) {
		print_diags(&d);
		strbuf_add(why, "no default networks can be made here");
		ok = false;
	}
	ok = ok && conf_folder_write(config_dir, &ch, why);
	used_fini(&used);
	conf_changes_fini(&ch);
	diags_fini(&d);
	return ok;
}

/* "vmware-player,0,1": three fields, the last two numbers. */
static bool
product_ok(const char *s)
{
	char name[64];
	unsigned old, new;
	int end = 0;

	return sscanf(s, "%63[^,],%u,%u%n", name, &old, &new, &end) == 3 && s[end] == '\0';
}

bool
networks_postinstall(const char *config_dir, const char *product, struct strbuf *why)
{
	struct conf_folder folder;
	bool ok;

	if (!product_ok(product)) {
		strbuf_addf(why, "\"%s\" is not PRODUCT,OLD,NEW such as vmware-player,0,1",
			    product);
		return false;
	}
	ok = conf_folder_read(&folder, config_dir, why);
	if (ok && !folder.src.networking.text)
		ok = write_defaults(config_dir, &folder.src, why);
	conf_folder_fini(&folder);
	return ok;
}

/* src holds the new `networking`: checks it and writes it with what is derived from it. */
static bool
write_imported(const char *config_dir, const struct conf_sources *src, struct strbuf *why)
{
	struct conf_changes ch;
	struct used used = {0};
	struct conf *conf = NULL;
	struct conf_env env;
	struct diags d;
	bool ok;

	diags_init(&d);
	conf_changes_init(&ch);
	ok = fill_env(&env, &used, why);
	if (ok && !(conf = conf_build(src, &d))) {
		strbuf_add(why, "out of memory");
		ok = false;
	}
	if (ok)
		print_diags(&d);
	if (ok && conf->fatal) {
		strbuf_add(why, "these settings cannot be used; nothing was changed");
		ok = false;
	}
	if (ok) {
		struct conf_change networking = {.file = CONF_FILE_NETWORKING};
		struct conf_changes first = {.v = &networking, .n = 1};

		networking.text = (char *)(uintptr_t)src->networking.text;
		networking.len = src->networking.len;
		ok = conf_folder_write(config_dir, &first, why) &&
		     conf_refresh(&ch, src, conf, &env) && conf_folder_write(config_dir, &ch, why);
		if (!ok && why->len == 0)
			strbuf_add(why,
				   "dhcpd.conf and nat.conf cannot be derived from these settings");
	}
	conf_free(conf);
	used_fini(&used);
	conf_changes_fini(&ch);
	diags_fini(&d);
	return ok;
}

bool
networks_migrate(const char *config_dir, const char *path, struct strbuf *why)
{
	AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC);
	struct conf_folder folder;
	struct conf_sources src;
	char *text = NULL;
	ssize_t len = -1;
	bool ok;

	if (fd >= 0)
		len = fd_read_all(fd, &text, CONF_FILE_MAX);
	if (len < 0) {
		strbuf_addf(why, "cannot read \"%s\": %s", path,
			    strerror(fd < 0 ? errno : (int)-len));
		return false;
	}
	ok = conf_folder_read(&folder, config_dir, why);
	src = folder.src;
	if (ok && len == 0) {
		src.networking = (struct conf_file){0};
		ok = write_defaults(config_dir, &src, why);
	} else if (ok) {
		src.networking = (struct conf_file){text, (size_t)len};
		ok = write_imported(config_dir, &src, why);
	}
	free(text);
	conf_folder_fini(&folder);
	return ok;
}
