/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_qemu.c - finds the monitor socket and the network card in QEMU's command line. Pure.
 *
 * Understood are -qmp unix:PATH,server=on..., -qmp chardev:ID, and -mon chardev=ID,mode=control; ID is
 * that of a -chardev socket,id=ID,path=PATH,server=on... The command may stand behind others (sudo,
 * taskset): every word is looked at.
 *
 * The card: -netdev tap,id=X,fd=N (or fds=...:N:...) and -device MODEL,netdev=X,id=NAME.
 */
#include "vnetd/ctl_qemu.h"

#include <stdlib.h>
#include <string.h>

#include "lib/strbuf.h"

#define OURS "vnet"

/* Takes "key=value" off QEMU's list at *p, where ",," is a comma of the value. False at its end. A first
 * word without "=" is the value of `implied`, a later one is a key that is on. */
static bool
next_opt(const char **p, const char *implied, struct strbuf *key, struct strbuf *value)
{
	const char *s = *p;
	size_t name = strcspn(s, "=,");

	strbuf_fini(key);
	strbuf_fini(value);
	if (*s == '\0')
		return false;
	if (s[name] == '=') {
		strbuf_addn(key, s, name);
		s += name + 1;
	} else if (implied) {
		strbuf_add(key, implied);
	} else {
		strbuf_addn(key, s, name);
		strbuf_add(value, "on");
		*p = s + name + (s[name] == ',');
		return true;
	}
	for (; *s && (*s != ',' || s[1] == ','); s++) {
		if (*s == ',')
			s++;
		strbuf_addc(value, *s);
	}
	*p = s + (*s == ',');
	return true;
}

/* The value of a key; false when the list does not have it. implied: the key of the first word. */
static bool
get_opt(struct strbuf *out, const char *list, const char *implied, const char *wanted)
{
	struct strbuf key, value;
	bool found = false;

	strbuf_init(&key);
	strbuf_init(&value);
	for (; next_opt(&list, implied, &key, &value); implied = NULL) {
		if (strcmp(strbuf_str(&key), wanted) != 0)
			continue;
		strbuf_fini(out);
		strbuf_add(out, strbuf_str(&value));
		found = true;
	}
	strbuf_fini(&key);
	strbuf_fini(&value);
	return found;
}

static bool
is_on(const char *list, const char *implied, const char *key)
{
	struct strbuf v;
	bool on;

	strbuf_init(&v);
	on = get_opt(&v, list, implied, key) &&
	     (strcmp(strbuf_str(&v), "on") == 0 || strcmp(strbuf_str(&v), "yes") == 0 ||
	      strcmp(strbuf_str(&v), "true") == 0 || strcmp(strbuf_str(&v), "y") == 0);
	strbuf_fini(&v);
	return on;
}

/* A list of a chardev or of -qmp unix: names a server socket with a path. */
static bool
server_path(struct strbuf *path, const char *list, const char *implied)
{
	return is_on(list, implied, "server") && !is_on(list, implied, "abstract") &&
	       get_opt(path, list, implied, "path") && path->len > 0;
}

static bool
begins_with(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

static bool
file_is_ours(const char *path)
{
	const char *slash = strrchr(path, '/');

	return begins_with(slash ? slash + 1 : path, OURS);
}

/* The value of option `name` at argv[0], or NULL. */
static const char *
option(char *const *argv, const char *name)
{
	const char *word = argv[0];

	if (word[0] != '-')
		return NULL;
	word += word[1] == '-' ? 2 : 1;
	return strcmp(word, name) == 0 ? argv[1] : NULL;
}

/* The socket of the chardev `id`, when the one or the other has our name. */
static bool
chardev_path(struct strbuf *path, char *const *argv, const char *id)
{
	struct strbuf v;
	bool found = false;

	strbuf_init(&v);
	for (; *argv && !found; argv++) {
		const char *list = option(argv, "chardev");

		found = list && get_opt(&v, list, "backend", "backend") &&
			strcmp(strbuf_str(&v), "socket") == 0 &&
			get_opt(&v, list, "backend", "id") && strcmp(strbuf_str(&v), id) == 0 &&
			server_path(path, list, "backend") &&
			(begins_with(id, OURS) || file_is_ours(strbuf_str(path)));
	}
	strbuf_fini(&v);
	return found;
}

/* -mon LIST: a chardev in control mode, one line for each value. */
static bool
mon_path(struct strbuf *path, char *const *argv, const char *list)
{
	struct strbuf mode, id;
	bool found;

	strbuf_init(&mode);
	strbuf_init(&id);
	found = get_opt(&mode, list, "chardev", "mode") &&
		strcmp(strbuf_str(&mode), "control") == 0 && !is_on(list, "chardev", "pretty") &&
		get_opt(&id, list, "chardev", "chardev") &&
		chardev_path(path, argv, strbuf_str(&id));
	strbuf_fini(&mode);
	strbuf_fini(&id);
	return found;
}

bool
qmp_socket_of(struct strbuf *path, char *const *argv)
{
	bool found = false;

	for (char *const *p = argv; *p && !found; p++) {
		const char *qmp = option(p, "qmp"), *mon = option(p, "mon");

		if (mon)
			found = mon_path(path, argv, mon);
		else if (qmp && begins_with(qmp, "chardev:"))
			found = chardev_path(path, argv, qmp + strlen("chardev:"));
		else if (qmp && begins_with(qmp, "unix:"))
			found = server_path(path, qmp + strlen("unix:"), "path") &&
				file_is_ours(strbuf_str(path));
	}
	if (!found || path->bad)
		strbuf_fini(path);
	return path->len > 0;
}

/* "3:4:5" has the number. */
static bool
has_number(const char *list, unsigned n)
{
	char *end;

	for (; *list; list = end + (*end == ':')) {
		if (strtoul(list, &end, 10) == n && end != list)
			return true;
		if (end == list)
			return false;
	}
	return false;
}

/* -netdev LIST: a tap with this descriptor; its id. */
static bool
netdev_id(struct strbuf *id, const char *list, unsigned fd)
{
	struct strbuf v;
	bool found;

	strbuf_init(&v);
	found = get_opt(&v, list, "type", "type") && strcmp(strbuf_str(&v), "tap") == 0 &&
		(get_opt(&v, list, "type", "fd") || get_opt(&v, list, "type", "fds")) &&
		has_number(strbuf_str(&v), fd) && get_opt(id, list, "type", "id");
	strbuf_fini(&v);
	return found;
}

/* -device LIST: on this netdev; its id. */
static bool
device_id(struct strbuf *id, const char *list, const char *netdev)
{
	struct strbuf v;
	bool found;

	strbuf_init(&v);
	found = get_opt(&v, list, "driver", "netdev") && strcmp(strbuf_str(&v), netdev) == 0 &&
		get_opt(id, list, "driver", "id");
	strbuf_fini(&v);
	return found;
}

bool
qmp_nic_of(struct strbuf *name, char *const *argv, unsigned fd)
{
	struct strbuf netdev;
	bool found = false;

	strbuf_init(&netdev);
	for (char *const *p = argv; *p && netdev.len == 0; p++) {
		const char *list = option(p, "netdev");

		if (list && !netdev_id(&netdev, list, fd))
			strbuf_fini(&netdev);
	}
	for (char *const *p = argv; *p && netdev.len && !found; p++) {
		const char *list = option(p, "device");

		found = list && device_id(name, list, strbuf_str(&netdev));
	}
	strbuf_fini(&netdev);
	if (!found || name->bad)
		strbuf_fini(name);
	return name->len > 0;
}
