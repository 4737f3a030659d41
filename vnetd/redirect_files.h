/* SPDX-License-Identifier: GPL-2.0-or-later
 * redirect_files.h - finds the files of redirect.d. For priv, and for tools with the caller's own rights.
 *
 * Regular files only, in the folder and in folders below it, sorted by name; nothing that leads out of the
 * configuration folder. Contents are not looked at.
 */
#ifndef VNET_VNETD_REDIRECT_FILES_H
#define VNET_VNETD_REDIRECT_FILES_H

#define REDIRECT_FILES_MAX   200 /* files; more are an error, as a part of them would be a surprise */
#define REDIRECT_FILES_DEPTH 4   /* folders in folders */
#define REDIRECT_FILES_LEN   256 /* of a name with its NUL */

/* name: "redirect.d/ssh". fd: opened for reading, closed afterwards; or -errno, when it cannot be. */
typedef void redirect_file_fn(const char *name, int fd, void *arg);

/* config_dir: descriptor of the configuration folder. Without a folder redirect.d there are no files. 0, -E2BIG:
 * too many, too deep or too long; -errno. After an error some files may have been told. */
int redirect_files(int config_dir, redirect_file_fn *cb, void *arg);

#endif
