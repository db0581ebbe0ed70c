#include "netlink/link_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct link_lists *link_state_lists(const struct link_state *link)
{
	static const struct link_lists none;

	return link->lists ? link->lists : &none;
}

int link_table_add(struct link_table *table, const struct link_state *link)
{
	struct link_lists *lists = NULL;
	struct link_state *links;
	size_t cap;

	if (table->n >= LINK_TABLE_MAX)
		return -E2BIG;
	if (table->n == table->cap) {
		cap = table->cap ? 2 * table->cap : 64;
		links = reallocarray(table->links, cap, sizeof(*links));
		if (!links)
			return -ENOMEM;
		table->links = links;
		table->cap = cap;
	}
	if (link->lists) {
		lists = malloc(sizeof(*lists));
		if (!lists)
			return -ENOMEM;
		*lists = *link->lists;
	}
	table->links[table->n] = *link;
	table->links[table->n++].lists = lists;
	return 0;
}

bool link_state_has_altname(const struct link_state *link, const char *name)
{
	const char *at = link_state_lists(link)->altnames;

	while (*at && strcmp(at, name) != 0)
		at += strlen(at) + 1;
	return *at;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct link_state *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

static int by_name(const void *a, const void *b, void *data)
{
	const struct link_state *links = data;

	return strcmp(links[*(const uint32_t *)a].name, links[*(const uint32_t *)b].name);
}

int link_table_index(struct link_table *table)
{
	uint32_t *places = reallocarray(table->by_name, table->n + 1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	table->by_name = places;
	if (table->n == 0)
		return 0;
	/* Most kernels dump in this order (rtnl_dump_ifinfo()). */
	for (size_t i = 1; i < table->n; i++) {
		if (table->links[i - 1].ifindex > table->links[i].ifindex) {
			qsort(table->links, table->n, sizeof(*table->links), by_ifindex);
			break;
		}
	}
	for (size_t i = 0; i < table->n; i++)
		places[i] = (uint32_t)i;
	qsort_r(places, table->n, sizeof(*places), by_name, table->links);
	return 0;
}

void link_table_reset(struct link_table *table)
{
	for (size_t i = 0; i < table->n; i++)
		free(table->links[i].lists);
	table->n = 0;
}

void link_table_done(struct link_table *table)
{
	link_table_reset(table);
	free(table->links);
	free(table->by_name);
	*table = (struct link_table){ 0 };
}

const struct link_state *link_table_find(const struct link_table *table, uint32_t ifindex)
{
	struct link_state key = { .ifindex = ifindex };

	if (table->n == 0)
		return NULL;
	return bsearch(&key, table->links, table->n, sizeof(key), by_ifindex);
}

const struct link_state *link_table_find_name(const struct link_table *table, const char *name)
{
	size_t low = 0, high = table->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct link_state *link = &table->links[table->by_name[middle]];
		int order = strcmp(name, link->name);

		if (order == 0)
			return link;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

const struct link_state *link_table_find_lower(const struct link_table *table, const char *name)
{
	const struct link_state *link = link_table_find_name(table, name);

	for (size_t i = 0; !link && i < table->n; i++) {
		if (!table->links[i].is_macvlan && link_state_has_altname(&table->links[i], name))
			link = &table->links[i];
	}
	return link;
}

const struct link_state *link_table_real_lower(const struct link_table *table,
					       const struct link_state *lower)
{
	/* A loop cannot be in a kernel's table, but may be in one made up by hand. */
	for (size_t i = 0; lower && lower->is_macvlan && i <= table->n; i++) {
		if (lower->lower_elsewhere)
			return NULL;
		lower = link_table_find(table, lower->lower);
	}
	return lower;
}
