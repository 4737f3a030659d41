/* SPDX-License-Identifier: GPL-2.0-or-later
 * disk_cut.c - the disks that a power cut can leave.
 */
#include "../../unit/lib/t.h"

#include "disk.h"

enum { SECTOR_BITS = 6 /* of a longer write the sectors behind these are there */ };

uint32_t
disk_random(uint64_t *seed, uint32_t n)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 32) % n;
}

/* --- what can become of one change --- */

static unsigned
sectors(const struct disk_change *c)
{
	return (unsigned)((c->at + c->len - 1) / DISK_SECTOR - c->at / DISK_SECTOR + 1);
}

static size_t
sector_sets(const struct disk_change *c)
{
	unsigned n = sectors(c);

	return (size_t)1 << (n < SECTOR_BITS ? n : SECTOR_BITS);
}

/* Outcomes: 0 there; 1 not there; then of a write: 2 zeros; torn at each byte with nothing behind it;
 * the same with zeros behind it; each set of sectors. */
static size_t
outcomes(const struct disk_change *c)
{
	return c->cut ? 2 : 3 + 2 * (c->len - 1) + sector_sets(c);
}

struct bytes {
	char *p;
	size_t len;
};

static void
grow(struct bytes *b, size_t len)
{
	if (len <= b->len)
		return;
	b->p = realloc(b->p, len);
	assert_non_null(b->p);
	memset(b->p + b->len, 0, len - b->len);
	b->len = len;
}

static void
put(struct bytes *b, const struct disk_change *c, size_t from, size_t to)
{
	if (from >= to)
		return;
	grow(b, c->at + to);
	memcpy(b->p + c->at + from, c->bytes + from, to - from);
}

static void
put_sectors(struct bytes *b, const struct disk_change *c, size_t set)
{
	size_t first = c->at / DISK_SECTOR;

	grow(b, c->at + c->len);
	for (size_t k = 0; k < sectors(c); k++) {
		size_t begin = (first + k) * DISK_SECTOR, end = begin + DISK_SECTOR;

		if (k < SECTOR_BITS && !(set >> k & 1))
			continue;
		put(b, c, begin > c->at ? begin - c->at : 0,
		    end < c->at + c->len ? end - c->at : c->len);
	}
}

static void
apply(struct bytes *b, const struct disk_change *c, size_t outcome)
{
	if (outcome == 1)
		return;
	if (c->cut) {
		grow(b, c->at);
		b->len = c->at;
	} else if (outcome == 0) {
		put(b, c, 0, c->len);
	} else if (outcome == 2) {
		grow(b, c->at + c->len);
	} else if ((outcome -= 3) < c->len - 1) {
		put(b, c, 0, outcome + 1);
	} else if ((outcome -= c->len - 1) < c->len - 1) {
		grow(b, c->at + c->len);
		put(b, c, 0, outcome + 1);
	} else {
		put_sectors(b, c, outcome - (c->len - 1));
	}
}

/* --- a file, a disk --- */

/* A number for the outcomes of all of a file's changes: digits of mixed base. */
struct choice {
	const struct disk_file *f;
	size_t digit[64];
	size_t n; /* changes that are not sure */
};

static struct choice
choice_of(const struct disk_file *f)
{
	struct choice c = {.f = f};

	for (size_t i = 0; i < f->n; i++)
		c.n += !f->v[i].sure;
	assert_true(c.n <= ARRAY_LEN(c.digit));
	return c;
}

static const struct disk_change *
unsure(const struct choice *c, size_t k)
{
	for (size_t i = 0; i < c->f->n; i++)
		if (!c->f->v[i].sure && k-- == 0)
			return &c->f->v[i];
	return NULL;
}

/* How many choices there are with at most `most` outcomes of each change; no more than limit + 1. */
static size_t
choices(const struct choice *c, size_t most, size_t limit)
{
	size_t all = 1;

	for (size_t k = 0; k < c->n && all <= limit; k++) {
		size_t o = outcomes(unsure(c, k));

		all *= o < most ? o : most;
	}
	return all;
}

static void
choose(struct choice *c, size_t most, size_t number)
{
	for (size_t k = 0; k < c->n; k++) {
		size_t o = outcomes(unsure(c, k));

		o = o < most ? o : most;
		c->digit[k] = number % o;
		number /= o;
	}
}

static void
choose_random(struct choice *c, uint64_t *seed)
{
	for (size_t k = 0; k < c->n; k++) {
		size_t o = outcomes(unsure(c, k));

		c->digit[k] = disk_random(seed, 3) ? disk_random(seed, (uint32_t)o)
						   : disk_random(seed, o < 3 ? (uint32_t)o : 3);
	}
}

static int
put_file(struct disk *d, const struct choice *c)
{
	struct bytes b = {malloc(c->f->base_len + 1), c->f->base_len};
	size_t k = 0;

	assert_non_null(b.p);
	memcpy(b.p, c->f->base, b.len);
	for (size_t i = 0; i < c->f->n; i++)
		apply(&b, &c->f->v[i], c->f->v[i].sure ? 0 : c->digit[k++]);
	b.p = realloc(b.p, b.len + 1);
	assert_non_null(b.p);
	b.p[b.len] = '\0';
	d->file = realloc(d->file, (size_t)(d->nfiles + 1) * sizeof(*d->file));
	assert_non_null(d->file);
	d->file[d->nfiles] = (struct disk_file){.now = b.p, .now_len = b.len, .base_len = b.len};
	d->file[d->nfiles].base = malloc(b.len + 1);
	assert_non_null(d->file[d->nfiles].base);
	memcpy(d->file[d->nfiles].base, b.p, b.len + 1);
	return d->nfiles++;
}

/* The lease file as chosen (NULL: none); the others any of what they could be. */
static struct disk *
make(const struct disk *d, const struct choice *leases, uint64_t *seed)
{
	struct disk *after = disk_new();

	after->renewed = d->renewed;
	if (leases)
		after->name[0].could[0] = put_file(after, leases);
	for (unsigned i = 1; i < DISK_NAMES; i++) {
		int file = d->name[i].could[disk_random(seed, d->name[i].n)];
		struct choice c;

		if (file == DISK_NONE)
			continue;
		c = choice_of(&d->file[file]);
		choose_random(&c, seed);
		after->name[i].could[0] = put_file(after, &c);
	}
	return after;
}

struct disk *
disk_cut(const struct disk *d, uint64_t *seed)
{
	int file = d->name[0].could[disk_random(seed, d->name[0].n)];
	struct choice c;

	if (file == DISK_NONE)
		return make(d, NULL, seed);
	c = choice_of(&d->file[file]);
	choose_random(&c, seed);
	return make(d, &c, seed);
}

struct visit {
	const struct disk *d;
	uint64_t seed;
	void (*each)(void *arg, struct disk *after);
	void *arg;
	unsigned n;
};

static void
visit(struct visit *v, const struct choice *c)
{
	struct disk *after = make(v->d, c, &v->seed);

	v->each(v->arg, after);
	disk_free(after);
	v->n++;
}

static void
visit_file(struct visit *v, const struct disk_file *f, unsigned budget)
{
	struct choice c = choice_of(f);
	size_t all = choices(&c, SIZE_MAX, budget), simple = choices(&c, 3, budget), k;

	for (k = 0; all <= budget && k < all; k++) {
		choose(&c, SIZE_MAX, k);
		visit(v, &c);
	}
	for (k = 0; all > budget && k < budget; k++) {
		if (simple <= budget && k < simple)
			choose(&c, 3, k);
		else
			choose_random(&c, &v->seed);
		visit(v, &c);
	}
}

unsigned
disk_each_cut(const struct disk *d, unsigned budget, uint64_t seed,
	      void (*each)(void *arg, struct disk *after), void *arg)
{
	struct visit v = {d, seed, each, arg, 0};
	const struct disk_name *n = &d->name[0];

	for (unsigned i = 0; i < n->n; i++) {
		if (n->could[i] == DISK_NONE)
			visit(&v, NULL);
		else
			visit_file(&v, &d->file[n->could[i]], budget);
	}
	return v.n;
}
