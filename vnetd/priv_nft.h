/* SPDX-License-Identifier: GPL-2.0-or-later
 * priv_nft.h - the table `inet vnetd`: typed NAT rows in, one nf_tables transaction out.
 *
 * Runs inside priv with NET_ADMIN alone. It sees only decoded messages and the kernel's replies.
 * Every change of the table goes through the one socket that a struct priv_nft owns: where the
 * kernel knows the table flags owner and persist, that socket is the table's owner, and nobody
 * else can touch it.
 *
 *     priv_nft_*       priv_nft.c        this contract: rows, commit, adoption, watching, teardown
 *     nft_plan_*       priv_nft_plan.c   pure: rows -> set elements; the constant chains and rules
 *     nft_text_*       priv_nft_text.c   pure: a plan in nft's own grammar (golden tests)
 *     nft_build_*      priv_nft_build.c  a plan -> netlink messages
 *     nft_sock_*       priv_nft_sock.c   netlink transactions and dumps
 *     nft_watch_*      priv_nft_watch.c  events of what others change
 *     nft_ct_*         priv_nft_ct.c     connections: forgetting them, and a dump of all
 *     nft_conn_*       priv_nft_conn.c   pure: whose connection one is
 *     nft_flush_*      priv_nft_flush.c  pure: which ones end with their forward
 *     nft_expr_*       priv_nft_expr.c   a rule's statements -> expressions
 *     nft_scan, _leg_  priv_nft_scan.c, priv_nft_legs.c   foreign rule sets, read
 *     nft_judge        priv_nft_judge.c  pure: what they drop
 *     nft_foreign_*    priv_nft_foreign.c  rules of ours in them
 */
#ifndef VNET_VNETD_PRIV_NFT_H
#define VNET_VNETD_PRIV_NFT_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/msg.h"

struct priv_nft;

/* Opens the owning socket and adopts a table that an earlier priv has left; its rules stay in force
 * until the first commit. Needs no file system. NULL: why holds a sentence for a person. */
struct priv_nft *priv_nft_new(char *why, size_t cap);

/* Closes the socket. A table with the flag persist stays, its owner gone; a plain one stays as it
 * is. */
void priv_nft_free(struct priv_nft *n);

/* The rows of a new plan. BEGIN drops the rows collected so far. 0, -EINVAL for a row that cannot
 * be (the commit fails too, and says which), -ENOMEM. Rows have no REPLY, so the result may be
 * ignored. */
int priv_nft_begin(struct priv_nft *n, const struct msg_nat_begin *m);
int priv_nft_net(struct priv_nft *n, const struct msg_nat_net *m);
int priv_nft_forward(struct priv_nft *n, const struct msg_nat_forward *m);
int priv_nft_capture(struct priv_nft *n, const struct msg_nat_capture *m);

/* Instead of BEGIN: what follows changes the forwards of the latest plan, which must be in force.
 * Rows about networks and captures cannot be then. A commit that fails (-ESTALE: there was no such
 * plan) leaves the kernel as it is and the plan unusable: send it whole. */
int priv_nft_change(struct priv_nft *n);
int priv_nft_forward_gone(struct priv_nft *n, const struct msg_nat_forward_gone *m);

/* Replaces the whole table by the rows since BEGIN in one transaction, or since CHANGE tells
 * the kernel about those forwards alone: established connections go on. 0 or -errno; then nothing has changed and why says what the kernel did not like. On success
 * why holds words for natd: "owned" or "plain", "made" when the table was replaced after all, "missed" when others have changed rule sets meanwhile and nothing of it
 * was heard on the socket of priv_nft_watch(), then "no-timeouts" where
 * the kernel lacks timeout objects, "no-ftp" where it has nothing to follow FTP with, "no-flowtable". Either way why is
 * the text of the REPLY. */
int priv_nft_commit(struct priv_nft *n, char *why, size_t cap);

/* Has the flowtable of the plan in force look at what comes by an interface, or (gone) no longer. A flowtable that is made
 * by a commit looks at none, and the kernel takes one that vanishes out of it. 0, also when it is so already; -ENOENT:
 * there is no such interface, or it is not among them; -ESTALE: no plan with a flowtable is in force; -errno. */
int priv_nft_flow_dev(struct priv_nft *n, const char *ifname, bool gone);

/* Forgets the connections that went through forwards which are no more: those whose original
 * destination port and whose guest both fit, and no others, in one walk of the table of connections. A row has no REPLY: what
 * is wrong with one makes the next flush fail, after which there are no rows. 0 or -errno. */
int priv_nft_flush_forward(struct priv_nft *n, const struct msg_nat_flush_forward *m);
int priv_nft_flush(struct priv_nft *n);

/* Calls row() for each tracked IPv4 connection of which a guest of this network (MSG_NET_ALL: of any in
 * the latest plan) is an end. 0 or -errno. */
int priv_nft_conns(struct priv_nft *n, uint16_t net,
		   void (*row)(const struct msg_conn_row *r, void *arg), void *arg);

/* Whoever asks is a natd that has just begun: it does not know what was forwarded before, so with the first commit
 * connections end that came by a forward which the plan does not have (of a plan with more than NAT_FLUSHES_MAX
 * forwards none do), and rows of FLUSH_FORWARD that another one left are dropped.
 * A netlink socket, non-blocking and close-on-exec, on which every change of every table appears
 * except our own commits; while one of those is large nothing appears, see priv_nft_commit(). Descriptor (the caller's)
 * or -errno. */
int priv_nft_watch(struct priv_nft *n);

/* Calls row() for each foreign base chain on the IPv4 input or forward hook that drops packets of
 * the latest plan's networks, or frames between guests of those and of the set `bridges`, or would drop
 * those of a network that it does not know. 0 or -errno. */
int priv_nft_scan(struct priv_nft *n, const uint8_t *bridges,
		  void (*row)(const struct msg_firewall_row *r, void *arg), void *arg);

/* Has the rules of FOREIGN_ALLOW stand first in the chain of that place, and no others of ours; *changed:
 * they did not before. 0, also where there is no such chain, or -errno. */
int priv_nft_foreign(struct priv_nft *n, const struct msg_foreign_allow *m, bool *changed);

/* The chain of a place, in table ip filter. */
const char *priv_nft_foreign_chain(enum foreign_place p);

/* Deletes table inet vnetd, and rules of ours elsewhere. 0 also when there is none; -EPERM while a running vnetd owns it. */
int priv_nft_teardown(void);

#endif
