#include "agent/base/config_lowers.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/schema.h"

static int compare_lowers(const struct link_wish *a, const struct link_wish *b)
{
	return strcmp(a->keys->lower ? a->keys->lower : "", b->keys->lower ? b->keys->lower : "");
}

static int by_lower(const void *a, const void *b)
{
	const struct link_wish *x = *(const struct link_wish *const *)a;
	const struct link_wish *y = *(const struct link_wish *const *)b;
	int order = compare_lowers(x, y);

	/* Pointers into one array: in doubt, its order. */
	return order ? order : (x > y) - (x < y);
}

/* drivers/net/macvlan.c: a passthru link is the only one that its lower can have. */
static void check_passthru(const struct link_wish *const *sorted, size_t n, struct faults *faults)
{
	size_t end;

	for (size_t first = 0; first < n; first = end) {
		const struct link_wish *passthru = NULL, *other = NULL;
		const char *lower = sorted[first]->keys->lower;

		for (end = first; end < n; end++) {
			const struct link_wish *wish = sorted[end];

			if (strcmp(wish->keys->lower ? wish->keys->lower : "",
				   lower ? lower : "") != 0)
				break;
			if (!passthru && wish->keys->mode == LINK_MODE_PASSTHRU)
				passthru = wish;
			else
				other = wish;
		}
		if (lower && passthru && other)
			schema_fault(faults, link_wish_head(passthru, "mode"), "mode",
				     "passthru takes \"%s\" for one link alone, and both \"%s\" "
				     "and \"%s\" are on it",
				     lower, passthru->name, other->name);
	}
}

/* In the order of lowers. A fault is told once for each lower. */
static void check_cutoffs(const struct link_wish *const *sorted, size_t n, struct faults *faults)
{
	const struct link_wish *first = NULL;
	bool told = false;

	for (size_t i = 0; i < n; i++) {
		const struct link_wish *wish = sorted[i];

		if (!wish->keys->bccutoff.set)
			continue;
		if (!first || compare_lowers(first, wish) != 0) {
			first = wish;
			told = false;
		}
		if (told || wish->keys->bccutoff.value == first->keys->bccutoff.value)
			continue;
		told = true;
		schema_fault(faults, link_wish_head(wish, "bccutoff"), "bccutoff",
			     "\"%s\" has one for all its links, and link \"%s\" wants another "
			     "than \"%s\"",
			     wish->keys->lower, wish->name, first->name);
	}
}

/* A port has one hairpin. In the order of lowers; what ports they are plugged into is not known. */
static void check_hairpins(const struct link_wish *const *sorted, size_t n, struct faults *faults)
{
	const struct link_wish *first = NULL;
	const struct set_conf *told = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct link_wish *wish = sorted[i];

		if (wish->set->hairpin == LINK_HAIRPIN_KEEP)
			continue;
		if (!first || compare_lowers(first, wish) != 0)
			first = wish;
		if (wish->set->hairpin == first->set->hairpin || wish->set == told)
			continue;
		told = wish->set;
		schema_fault(faults, &wish->set->head, "hairpin",
			     "[set %s] wants another on the same lower \"%s\"",
			     first->set->head.name, wish->keys->lower);
	}
}

void config_check_lowers(const struct link_wish **wishes, size_t n, struct faults *faults)
{
	qsort(wishes, n, sizeof(*wishes), by_lower);
	check_passthru(wishes, n, faults);
	check_cutoffs(wishes, n, faults);
	check_hairpins(wishes, n, faults);
}
