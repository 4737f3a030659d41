/* SPDX-License-Identifier: GPL-2.0-or-later
 * filter.c - libpcap's compiler and interpreter behind our own types. No file, no socket.
 */
#include "capture/filter.h"

#include <assert.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <string.h>

#include "capture/pcapng.h"
#include "lib/util.h"

static_assert(sizeof(struct sock_filter) == sizeof(struct bpf_insn),
	      "both are the kernel's format");

static void
explain(char why[FILTER_WHY_MAX], const char *words)
{
	snprintf(why, FILTER_WHY_MAX, "%s", words);
}

static bool
take(struct filter *out, const struct bpf_program *prog, char why[FILTER_WHY_MAX])
{
	if (prog->bf_len > FILTER_MAX) {
		snprintf(why, FILTER_WHY_MAX,
			 "the filter is too long: %u instructions, of which the kernel takes %d",
			 prog->bf_len, FILTER_MAX);
		return false;
	}
	out->n = prog->bf_len;
	memcpy(out->code, prog->bf_insns, out->n * sizeof(*out->code));
	return true;
}

bool
filter_compile(struct filter *out, const char *expr, char why[FILTER_WHY_MAX])
{
	struct bpf_program prog;
	pcap_t *dead;
	bool ok;

	out->n = 0;
	why[0] = '\0';
	if (expr[strspn(expr, " \t\r\n")] == '\0')
		return true;
	if (strlen(expr) > FILTER_EXPR_MAX) {
		explain(why, "the filter is too long");
		return false;
	}
	dead = pcap_open_dead(DLT_EN10MB, PCAPNG_SNAPLEN_MAX);
	if (!dead) {
		explain(why, "out of memory");
		return false;
	}
	ok = pcap_compile(dead, &prog, expr, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!ok) {
		explain(why, pcap_geterr(dead));
	} else {
		ok = take(out, &prog, why);
		pcap_freecode(&prog);
	}
	pcap_close(dead);
	return ok;
}

/* The instructions that there are; libpcap's check lets others pass, at which its interpreter aborts. */
static bool
is_known(uint16_t code)
{
	static const uint16_t known[] = {
	    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0c, 0x14, 0x15, 0x16, 0x1c,
	    0x1d, 0x20, 0x24, 0x25, 0x28, 0x2c, 0x2d, 0x30, 0x34, 0x35, 0x3c, 0x3d, 0x40,
	    0x44, 0x45, 0x48, 0x4c, 0x4d, 0x50, 0x54, 0x5c, 0x60, 0x61, 0x64, 0x6c, 0x74,
	    0x7c, 0x80, 0x81, 0x84, 0x87, 0x94, 0x9c, 0xa4, 0xac, 0xb1,
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (known[i] == code)
			return true;
	return false;
}

/* libpcap's check adds an unconditional jump's distance in 32 bits, and thus lets it go back, for ever. */
static bool
goes_forward(const struct filter *f, size_t at)
{
	return f->code[at].code != (BPF_JMP | BPF_JA) || f->code[at].k < f->n - at - 1;
}

bool
filter_valid(const struct filter *f)
{
	if (f->n > FILTER_MAX)
		return false;
	for (size_t i = 0; i < f->n; i++)
		if (!is_known(f->code[i].code) || !goes_forward(f, i))
			return false;
	return f->n == 0 || bpf_validate((const struct bpf_insn *)f->code, (int)f->n);
}

bool
filter_needs_kernel(const struct filter *f)
{
	for (size_t i = 0; i < f->n; i++) {
		uint16_t code = f->code[i].code;

		if (BPF_CLASS(code) == BPF_LD && BPF_MODE(code) == BPF_ABS &&
		    f->code[i].k >= (uint32_t)SKF_AD_OFF)
			return true;
	}
	return false;
}

static void
put(struct sock_filter **p, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	*(*p)++ = (struct sock_filter){code, jt, jf, k};
}

/* Everything else ends here. */
static void
put_only(struct sock_filter **p, uint32_t k)
{
	put(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, k);
	put(p, BPF_RET | BPF_K, 0, 0, 0);
}

size_t
filter_for_socket(struct sock_filter *out, const struct filter *f, const struct filter_scope *scope)
{
	const uint16_t load = BPF_LD | BPF_W | BPF_ABS;
	struct sock_filter *p = out;

	put(&p, load, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_IFINDEX));
	put_only(&p, scope->ifindex);
	if (scope->mask) {
		put(&p, load, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_RXHASH));
		put(&p, BPF_ALU | BPF_AND | BPF_K, 0, 0, scope->mask);
		put_only(&p, scope->tag);
	}
	if (f->n && !filter_needs_kernel(f)) {
		put(&p, load, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
		put(&p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0);
		/* Whole: f has not seen it so far. */
		put(&p, BPF_RET | BPF_K, 0, 0, PCAPNG_SNAPLEN_MAX);
	}
	for (size_t i = 0; i < f->n; i++) {
		*p = f->code[i];
		if (p->code == (BPF_RET | BPF_K) && p->k)
			p->k = scope->snaplen;
		p++;
	}
	if (f->n == 0)
		put(&p, BPF_RET | BPF_K, 0, 0, scope->snaplen);
	return (size_t)(p - out);
}

bool
filter_run(const struct filter *f, const uint8_t *data, uint32_t caplen, uint32_t len)
{
	return f->n == 0 || bpf_filter((const struct bpf_insn *)f->code, data, len, caplen) != 0;
}
