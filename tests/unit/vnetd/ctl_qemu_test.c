/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_qemu_test.c - which monitor socket of a command line is meant for vnetd, and which card is the port's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/strbuf.h"
#include "lib/util.h"
#include "vnetd/ctl_qemu.h"

#define WORDS_MAX 10

/* want NULL: none. */
static void
check(const char *const *argv, const char *want)
{
	struct strbuf path;

	strbuf_init(&path);
	if (qmp_socket_of(&path, (char *const *)(uintptr_t)argv) != (want != NULL) ||
	    strcmp(strbuf_str(&path), want ? want : "") != 0)
		fail_msg("%s %s: \"%s\" instead of \"%s\"", argv[1], argv[2] ? argv[2] : "",
			 strbuf_str(&path), want ? want : "");
	strbuf_fini(&path);
}

static void
sockets_for_vnetd(void **state UNUSED)
{
	static const struct {
		const char *argv[WORDS_MAX], *path;
	} rows[] = {
	    {{"qemu", "-qmp", "unix:/run/vnet-web1.sock,server=on,wait=off"},
	     "/run/vnet-web1.sock"},
	    {{"qemu", "--qmp", "unix:/run/vnet.sock,server=on,wait=off"}, "/run/vnet.sock"},
	    {{"qemu", "-qmp", "unix:vnet.sock,server,nowait"}, "vnet.sock"},
	    {{"qemu", "-qmp", "unix:path=/a/vnet,server=yes"}, "/a/vnet"},
	    {{"qemu", "-qmp", "unix:/a,,b/vnet,,x,server=on"}, "/a,b/vnet,x"},
	    {{"sudo", "-u", "vm", "taskset", "1", "qemu", "-m", "1G", "-qmp",
	      "unix:/run/vnet-x,server=on"},
	     "/run/vnet-x"},
	    /* The first of its own; one that libvirt uses is left alone. */
	    {{"qemu", "-qmp", "unix:/run/libvirt.sock,server=on", "-qmp",
	      "unix:/run/vnet.sock,server=on"},
	     "/run/vnet.sock"},
	    /* By a chardev: either name will do, and it may stand behind. */
	    {{"qemu", "-chardev", "socket,id=vnetmon,path=/run/q.sock,server=on,wait=off", "-mon",
	      "chardev=vnetmon,mode=control"},
	     "/run/q.sock"},
	    {{"qemu", "-mon", "mon0,mode=control", "-chardev",
	      "socket,path=/run/vnet-q,server=on,id=mon0"},
	     "/run/vnet-q"},
	    {{"qemu", "-qmp", "chardev:vnet0", "-chardev", "socket,id=vnet0,path=q,server=on"},
	     "q"},
	    {{"qemu", "-mon", "chardev=vnet,mode=control,pretty=off", "-chardev",
	      "backend=socket,id=vnet,path=q,server"},
	     "q"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(rows[i].argv, rows[i].path);
}

static void
sockets_for_others(void **state UNUSED)
{
	static const char *const rows[][WORDS_MAX] = {
	    {"qemu"},
	    {"qemu", "-m", "1G"},
	    {"qemu", "-qmp"},
	    {"qemu", "-mon"},
	    {"qemu", "-qmp", "stdio"},
	    {"qemu", "-qmp", "tcp:localhost:4444,server=on"},
	    {"qemu", "-qmp", "unix:/run/qmp.sock,server=on"},
	    {"qemu", "-qmp", "unix:/run/vnet/qmp.sock,server=on"},
	    /* A client, not a server. */
	    {"qemu", "-qmp", "unix:/run/vnet.sock"},
	    {"qemu", "-qmp", "unix:/run/vnet.sock,server=off"},
	    {"qemu", "-qmp", "unix:vnet,server=on,abstract=on"},
	    {"qemu", "-qmp", "unix:,server=on"},
	    /* A human's monitor, and one that is spread over several lines. */
	    {"qemu", "-monitor", "unix:/run/vnet.sock,server=on"},
	    {"qemu", "-chardev", "socket,id=vnet,path=q,server=on", "-mon",
	     "chardev=vnet,mode=readline"},
	    {"qemu", "-chardev", "socket,id=vnet,path=q,server=on", "-mon", "chardev=vnet"},
	    {"qemu", "-chardev", "socket,id=vnet,path=q,server=on", "-mon",
	     "chardev=vnet,mode=control,pretty=on"},
	    {"qemu", "-qmp-pretty", "unix:/run/vnet.sock,server=on"},
	    /* No such chardev, not a socket, not a file, nobody's name. */
	    {"qemu", "-chardev", "socket,id=vnet,path=q,server=on", "-mon",
	     "chardev=vnet1,mode=control"},
	    {"qemu", "-chardev", "pipe,id=vnet,path=q,server=on", "-mon",
	     "chardev=vnet,mode=control"},
	    {"qemu", "-chardev", "socket,id=vnet,host=h,port=1,server=on", "-mon",
	     "chardev=vnet,mode=control"},
	    {"qemu", "-chardev", "socket,id=mon0,path=q,server=on", "-mon",
	     "chardev=mon0,mode=control"},
	    {"qemu", "-chardev", "socket,id=vnet,path=q,server=on"},
	    {"qemu", "qmp", "unix:/run/vnet.sock,server=on"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(rows[i], NULL);
}

static void
cards_behind_a_descriptor(void **state UNUSED)
{
	static const struct {
		const char *argv[WORDS_MAX], *name;
		unsigned fd;
	} rows[] = {
	    {{"qemu", "-netdev", "tap,id=n0,fd=3", "-device", "virtio-net-pci,netdev=n0,id=net0"},
	     "net0",
	     3},
	    {{"qemu", "-device", "driver=virtio-net-pci,id=a,,b,netdev=n0", "-netdev",
	      "type=tap,fds=10:11:12,id=n0"},
	     "a,b",
	     11},
	    {{"qemu", "-netdev", "tap,id=n0,fd=3", "-netdev", "tap,id=n1,fd=4", "-device",
	      "virtio-net-pci,netdev=n0,id=net0", "-device", "e1000,netdev=n1,id=net1"},
	     "net1",
	     4},
	    /* No id, another descriptor, no tap, nothing behind it. */
	    {{"qemu", "-netdev", "tap,id=n0,fd=3", "-device", "virtio-net-pci,netdev=n0"}, NULL, 3},
	    {{"qemu", "-netdev", "tap,id=n0,fd=33", "-device", "virtio-net-pci,netdev=n0,id=a"},
	     NULL,
	     3},
	    {{"qemu", "-netdev", "tap,id=n0,fds=x:3", "-device", "virtio-net-pci,netdev=n0,id=a"},
	     NULL,
	     3},
	    {{"qemu", "-netdev", "socket,id=n0,fd=3", "-device", "virtio-net-pci,netdev=n0,id=a"},
	     NULL,
	     3},
	    {{"qemu", "-netdev", "tap,fd=3", "-device", "virtio-net-pci,netdev=n0,id=a"}, NULL, 3},
	    {{"qemu", "-netdev", "tap,id=n0,fd=3", "-device", "virtio-net-pci,netdev=n1,id=a"},
	     NULL,
	     3},
	    {{"qemu", "-netdev"}, NULL, 3},
	    {{"qemu"}, NULL, 0},
	};
	struct strbuf name;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		strbuf_init(&name);
		if (qmp_nic_of(&name, (char *const *)(uintptr_t)rows[i].argv, rows[i].fd) !=
			(rows[i].name != NULL) ||
		    strcmp(strbuf_str(&name), rows[i].name ? rows[i].name : "") != 0)
			fail_msg("row %zu: \"%s\"", i, strbuf_str(&name));
		strbuf_fini(&name);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sockets_for_vnetd),
	    cmocka_unit_test(sockets_for_others),
	    cmocka_unit_test(cards_behind_a_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
