#include "agent/held_taps.h"

#include <errno.h>
#include <stdlib.h>

#include "netlink/tap_node.h"

static int order_by_ifindex(const void *a, const void *b)
{
	const struct tap_holder *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

int held_taps_find(struct held_taps *held, const struct link_table *table, pid_t agent)
{
	int code;

	if (held->known)
		return 0;
	held->list = calloc(table->n + 1, sizeof(*held->list));
	if (!held->list)
		return -ENOMEM;
	for (size_t i = 0; i < table->n; i++) {
		const struct link_state *link = &table->links[i];
		struct tap_holder *tap = &held->list[held->n];

		if (!link->is_macvlan || link->kind != LINK_KIND_MACVTAP)
			continue;
		*tap = (struct tap_holder){ .dev = link->tap, .ifindex = link->ifindex };
		if (tap->dev || tap_node_dev(link->name, link->ifindex, &tap->dev, NULL) == 0)
			held->n++;
	}
	code = tap_holders_find(held->list, held->n, (struct tap_skip){ .agent = agent });
	if (code < 0) {
		held_taps_done(held);
		return code;
	}
	qsort(held->list, held->n, sizeof(*held->list), order_by_ifindex);
	held->known = true;
	return 0;
}

const struct tap_holder *held_taps_holder(const struct held_taps *held, uint32_t ifindex)
{
	const struct tap_holder key = { .ifindex = ifindex };

	if (held->n == 0)
		return NULL;
	return bsearch(&key, held->list, held->n, sizeof(key), order_by_ifindex);
}

void held_taps_done(struct held_taps *held)
{
	free(held->list);
	*held = (struct held_taps){ 0 };
}
