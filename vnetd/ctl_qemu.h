/* SPDX-License-Identifier: GPL-2.0-or-later
 * ctl_qemu.h - what QEMU's command line says about its monitor and its network cards. Pure.
 */
#ifndef VNET_VNETD_CTL_QEMU_H
#define VNET_VNETD_CTL_QEMU_H

#include <stdbool.h>

struct strbuf;

/* The command (NULL-terminated) has a QMP server socket that is meant for vnetd: its path is put into
 * `path`. A monitor serves one client at a time, so one that libvirt or a script uses must not be
 * taken: meant for vnetd is one whose file, or whose chardev, has a name that begins with "vnet". */
bool qmp_socket_of(struct strbuf *path, char *const *argv);

/* The card behind the tap that the command gets as descriptor `fd`, when the command gives it an id, which
 * is put into `name`. */
bool qmp_nic_of(struct strbuf *name, char *const *argv, unsigned fd);

#endif
