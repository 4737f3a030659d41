/* SPDX-License-Identifier: GPL-2.0-or-later
 * old_kernel.c - preloaded into vnetd: makes this kernel refuse what it would before Linux 6.6: programs
 * attached by tcx, the nf_tables flags owner and persist together, and connections deleted by a filter.
 *
 * The flags of a new table get a bit that no kernel knows, and the hook and the filter a number; the refusal is then
 * the kernel's own.
 */
#include "spoil.h"

#include <dlfcn.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

enum { OWNER_AND_PERSIST = 0x6, NO_SUCH_FLAG = 0x80000000, NO_SUCH_ATTR = 0x3fff };
/* linux/bpf.h, Linux 6.6 */
enum { PROG_ATTACH = 8, PROG_DETACH = 9, PROG_QUERY = 16 };
enum { TCX_INGRESS = 46, TCX_EGRESS = 47, NO_SUCH_HOOK = 9999, ATTR_WORDS = 64 };

static void
spoil_flags(const struct nlmsghdr *nlh)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg))
	{
		uint32_t *flags = mnl_attr_get_payload(a);

		if (mnl_attr_get_type(a) == NFTA_TABLE_FLAGS &&
		    *flags == __builtin_bswap32(OWNER_AND_PERSIST))
			*flags |= __builtin_bswap32(NO_SUCH_FLAG);
	}
}

static void
spoil_filter(const struct nlmsghdr *nlh)
{
	struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(a) == CTA_FILTER)
	    a->nla_type = NO_SUCH_ATTR;
}

void
spoil(const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		spoil_flags(nlh);
	if (nlh->nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE))
		spoil_filter(nlh);
}

/* Where the type of a hook is in the attributes of a command; 0: it has none. */
static size_t
hook_at(long command)
{
	if (command == PROG_QUERY)
		return 1;
	return command == PROG_ATTACH || command == PROG_DETACH ? 2 : 0;
}

long syscall(long number, ...);

long
syscall(long number, ...)
{
	long (*next)(long, ...);
	uint32_t attr[ATTR_WORDS];
	long a[6];
	va_list ap;

	*(void **)&next = dlsym(RTLD_NEXT, "syscall");
	va_start(ap, number);
	for (size_t i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (number == SYS_bpf && hook_at(a[0]) && (size_t)a[2] <= sizeof(attr)) {
		uint32_t *hook = &attr[hook_at(a[0])];

		memcpy(attr, (const void *)a[1], (size_t)a[2]);
		if (*hook == TCX_INGRESS || *hook == TCX_EGRESS) {
			*hook = NO_SUCH_HOOK;
			a[1] = (long)attr;
		}
	}
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
