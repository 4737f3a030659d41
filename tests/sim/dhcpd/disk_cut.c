/* SPDX-License-Identifier: GPL-2.0-or-later
 * disk_cut.c - the disks that a power cut can leave.
 */
#include "../../unit/lib/t.h"

#include "disk.h"

enum {
	SECTOR_BITS = 6,  /* of a longer write: each set of its first sectors with all others, */
	RANDOM_SETS = 64, /* and so many sets of all of them */
};

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

	return n <= SECTOR_BITS ? (size_t)1 << n : ((size_t)1 << SECTOR_BITS) + RANDOM_SETS;
}

/* Where it can be torn: behind each byte of its text, and behind sectors of the newlines at its end. */
static size_t
text_len(const struct disk_change *c)
{
	size_t n = c->len;

	while (n > 1 && c->bytes[n - 1] == '\n')
		n--;
	return n;
}

static size_t
tears(const struct disk_change *c)
{
	size_t text = text_len(c);

	return text < c->len ? text + (c->len - text - 1) / DISK_SECTOR : c->len - 1;
}

static size_t
torn_at(const struct disk_change *c, size_t tear)
{
	size_t text = text_len(c);

	return tear < text ? tear + 1 : text + (tear - text + 1) * DISK_SECTOR;
}

/* Outcomes of a write: 0 there; 1 not there; 2 zeros; torn in each place with nothing behind it; the same with
 * zeros behind it; each set of sectors. Of a cut: 0 and 1; 2 zeros. */
static size_t
outcomes(const struct disk_change *c)
{
	return c->cut ? 3 : 3 + 2 * tears(c) + sector_sets(c);
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

static bool
has_sector(size_t set, size_t k)
{
	uint64_t x = (set * 64 + k + 1) * 0x9e3779b97f4a7c15u;

	if (set >> SECTOR_BITS)
		return x >> 63;
	return k >= SECTOR_BITS || set >> k & 1;
}

static void
cut_off(struct bytes *b, size_t at, bool zeros)
{
	size_t page = (at + DISK_PAGE - 1) / DISK_PAGE * DISK_PAGE;

	grow(b, at);
	if (zeros)
		memset(b->p + at, 0, (page < b->len ? page : b->len) - at);
	else
		b->len = at;
}

static void
put_sectors(struct bytes *b, const struct disk_change *c, size_t set)
{
	size_t first = c->at / DISK_SECTOR;

	grow(b, c->at + c->len);
	for (size_t k = 0; k < sectors(c); k++) {
		size_t begin = (first + k) * DISK_SECTOR, end = begin + DISK_SECTOR;

		if (!has_sector(set, k))
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
		cut_off(b, c->at, outcome == 2);
	} else if (outcome == 0) {
		put(b, c, 0, c->len);
	} else if (outcome == 2) {
		grow(b, c->at + c->len);
	} else if ((outcome -= 3) < tears(c)) {
		put(b, c, 0, torn_at(c, outcome));
	} else if ((outcome -= tears(c)) < tears(c)) {
		grow(b, c->at + c->len);
		put(b, c, 0, torn_at(c, outcome));
	} else {
		put_sectors(b, c, outcome - tears(c));
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

/* One of the simple ones, of all, of the sets of sectors. */
static size_t
outcome_random(const struct disk_change *c, uint64_t *seed)
{
	uint32_t how = disk_random(seed, 3);

	if (how == 0 || c->cut)
		return disk_random(seed, 3);
	if (how == 1)
		return disk_random(seed, (uint32_t)outcomes(c));
	return outcomes(c) - 1 - disk_random(seed, (uint32_t)sector_sets(c));
}

static void
choose_random(struct choice *c, uint64_t *seed)
{
	for (size_t k = 0; k < c->n; k++)
		c->digit[k] = outcome_random(unsure(c, k), seed);
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
	after->over = d->over;
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

unsigned
disk_each_lost(const struct disk *d, void (*each)(void *arg, struct disk *after), void *arg)
{
	struct visit v = {d, 1, each, arg, 0};
	const struct disk_name *n = &d->name[0];
	struct choice c = choice_of(&d->file[n->could[n->n - 1]]);
	const struct disk_change *last = unsure(&c, 0);

	assert_true(n->n == 1 && c.n == 1 && !last->cut);
	for (size_t set = 0; set < sector_sets(last); set++) {
		c.digit[0] = outcomes(last) - 1 - set;
		visit(&v, &c);
	}
	return v.n;
}
