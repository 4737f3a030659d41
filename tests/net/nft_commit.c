/* SPDX-License-Identifier: GPL-2.0-or-later
 * nft_commit.c - commits a sample plan through vnetd's own adapter, or prints its text.
 *
 *     nft-commit text|commit PLAN
 *     nft-commit many NETWORKS FORWARDS    commits it and prints the milliseconds that it took
 *     nft-commit change NETWORKS FORWARDS  the same, then has ten forwards go and come again, one after
 *                                          the other, and prints the milliseconds of each
 *     nft-commit hear NETWORKS FORWARDS    commits it while events are heard, then has nft make a table; prints
 *                                          what the commit says and, for each of both, how many datagrams of events came
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/strbuf.h"
#include "tests/unit/vnetd/nft_sample.h"
#include "vnetd/priv_nft.h"
#include "vnetd/priv_nft_plan.h"

enum { CHANGES = 10 };

static int
print_text(const struct nft_sample *s)
{
	static struct nft_plan plan;
	struct strbuf b;

	nft_plan_init(&plan, &s->begin);
	for (size_t i = 0; i < s->nnets; i++)
		nft_plan_net(&plan, &s->nets[i]);
	for (size_t i = 0; i < s->nforwards; i++)
		nft_plan_forward(&plan, &s->forwards[i]);
	for (size_t i = 0; i < s->ncaptures; i++)
		nft_plan_capture(&plan, &s->captures[i]);
	strbuf_init(&b);
	nft_text_plan(&b, &plan);
	fputs(strbuf_str(&b), stdout);
	strbuf_fini(&b);
	nft_plan_fini(&plan);
	return 0;
}

static int
end_commit(struct priv_nft *n)
{
	char why[512];
	int r = priv_nft_commit(n, why, sizeof(why));

	if (r < 0)
		fprintf(stderr, "nft-commit: %s\n", why);
	priv_nft_free(n);
	return r < 0;
}

static struct priv_nft *
begin_commit(void)
{
	char why[512];
	struct priv_nft *n = priv_nft_new(why, sizeof(why));

	if (!n) {
		fprintf(stderr, "nft-commit: %s\n", why);
		exit(1);
	}
	return n;
}

static int
commit(const struct nft_sample *s)
{
	struct priv_nft *n = begin_commit();

	priv_nft_begin(n, &s->begin);
	for (size_t i = 0; i < s->nnets; i++)
		priv_nft_net(n, &s->nets[i]);
	for (size_t i = 0; i < s->nforwards; i++)
		priv_nft_forward(n, &s->forwards[i]);
	for (size_t i = 0; i < s->ncaptures; i++)
		priv_nft_capture(n, &s->captures[i]);
	return end_commit(n);
}

static double
ms_since(const struct timespec *a)
{
	struct timespec b;

	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a->tv_sec) * 1e3 + (double)(b.tv_nsec - a->tv_nsec) / 1e6;
}

/* One change; the milliseconds that it took, or less than 0. */
static double
change(struct priv_nft *n, const struct msg_nat_forward *f, bool gone)
{
	const struct msg_nat_forward_gone g = {.net = f->net,
					       .proto = f->proto,
					       .port = f->port,
					       .guest = f->guest,
					       .guest_port = f->guest_port};
	struct timespec a;
	char why[512];

	clock_gettime(CLOCK_MONOTONIC, &a);
	priv_nft_change(n);
	if (gone)
		priv_nft_forward_gone(n, &g);
	else
		priv_nft_forward(n, f);
	if (priv_nft_commit(n, why, sizeof(why)) == 0)
		return ms_since(&a);
	fprintf(stderr, "nft-commit: %s\n", why);
	return -1;
}

static int
change_each(struct priv_nft *n, unsigned nnets, unsigned nforwards)
{
	for (unsigned i = 0; i < CHANGES && i < nforwards; i++) {
		struct msg_nat_forward f =
		    nft_sample_forward((uint16_t)(i % nnets), PROTO_TCP, (uint16_t)(i + 1));
		double gone = change(n, &f, true), come = change(n, &f, false);

		if (gone < 0 || come < 0)
			return 1;
		printf("%.3f %.3f\n", gone, come);
	}
	return 0;
}

/* Networks 0, 1, ..., all NAT; the forwards, spread over them, begin at port 1. */
static void
send_many(struct priv_nft *n, unsigned nnets, unsigned nforwards)
{
	const struct msg_nat_begin begin = {.forward_others = true};

	priv_nft_begin(n, &begin);
	for (unsigned i = 0; i < nnets; i++) {
		struct msg_nat_net net = nft_sample_net((uint16_t)i);

		priv_nft_net(n, &net);
	}
	for (unsigned i = 0; i < nforwards; i++) {
		struct msg_nat_forward f =
		    nft_sample_forward((uint16_t)(i % nnets), PROTO_TCP, (uint16_t)(i + 1));

		priv_nft_forward(n, &f);
	}
}

static unsigned
datagrams(int fd)
{
	unsigned n = 0;
	char b[16];

	while (recv(fd, b, sizeof(b), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

static int
hear(unsigned nnets, unsigned nforwards)
{
	struct priv_nft *n = begin_commit();
	int fd = priv_nft_watch(n), r;
	char why[512] = "";

	send_many(n, nnets, nforwards);
	r = fd < 0 ? fd : priv_nft_commit(n, why, sizeof(why));
	printf("%s, %u", why, datagrams(fd));
	fflush(stdout);
	if (system("nft add table ip later") != 0)
		r = -1;
	printf(", %u\n", datagrams(fd));
	close(fd);
	priv_nft_free(n);
	return r < 0;
}

static int
commit_many(unsigned nnets, unsigned nforwards, bool change)
{
	struct priv_nft *n = begin_commit();
	struct timespec a;
	char why[512];
	int r;

	clock_gettime(CLOCK_MONOTONIC, &a);
	send_many(n, nnets, nforwards);
	r = priv_nft_commit(n, why, sizeof(why));
	if (r < 0)
		fprintf(stderr, "nft-commit: %s\n", why);
	else
		printf("%.2f\n", ms_since(&a));
	r = r < 0 ? 1 : change ? change_each(n, nnets, nforwards) : 0;
	priv_nft_free(n);
	return r;
}

int
main(int argc, char **argv)
{
	struct nft_sample s;

	if (argc == 4 && (!strcmp(argv[1], "many") || !strcmp(argv[1], "change")) &&
	    atoi(argv[2]) > 0 && atoi(argv[3]) > 0)
		return commit_many((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]),
				   argv[1][0] == 'c');
	if (argc == 4 && !strcmp(argv[1], "hear") && atoi(argv[2]) > 0 && atoi(argv[3]) > 0)
		return hear((unsigned)atoi(argv[2]), (unsigned)atoi(argv[3]));
	if (argc == 3 && nft_sample(&s, argv[2]))
		return !strcmp(argv[1], "text") ? print_text(&s) : commit(&s);
	fputs("usage: nft-commit text|commit PLAN, nft-commit many|change|hear NETWORKS FORWARDS\n",
	      stderr);
	return 2;
}
