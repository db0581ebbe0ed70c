#include "capture/hit_kept.h"

#include <stdlib.h>
#include <string.h>

void hit_kept_done(struct hit_kept *kept)
{
	free(kept->v);
	free(kept->groups);
	*kept = (struct hit_kept){ 0 };
}

void hit_kept_reset(struct hit_kept *kept)
{
	kept->n = kept->n_groups = 0;
}

static bool grow(void **v, size_t size, size_t n, size_t *cap)
{
	size_t wanted = *cap ? *cap : 64;
	void *grown;

	while (wanted < n)
		wanted *= 2;
	if (wanted == *cap)
		return true;
	grown = realloc(*v, wanted * size);
	if (!grown)
		return false;
	*v = grown;
	*cap = wanted;
	return true;
}

bool hit_kept_add(struct hit_kept *kept, size_t rule, const struct extract_match *match,
		  size_t n_groups)
{
	if (!grow((void **)&kept->v, sizeof(*kept->v), kept->n + 1, &kept->cap) ||
	    !grow((void **)&kept->groups, sizeof(*kept->groups), kept->n_groups + n_groups,
		  &kept->cap_groups))
		return false;
	kept->v[kept->n] = (struct kept_hit){ rule, kept->n, match->whole, kept->n_groups };
	memcpy(kept->groups + kept->n_groups, match->groups, n_groups * sizeof(*kept->groups));
	kept->n_groups += n_groups;
	kept->n++;
	return true;
}

static int compare_hits(const void *x, const void *y)
{
	const struct kept_hit *a = x, *b = y;

	if (a->whole.start != b->whole.start)
		return a->whole.start < b->whole.start ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

void hit_kept_sort(struct hit_kept *kept)
{
	if (kept->n > 1)
		qsort(kept->v, kept->n, sizeof(*kept->v), compare_hits);
}
