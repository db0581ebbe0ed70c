/*
 * Whose a link is. A link is ours when it is a macvlan or macvtap in our group (or in the scratch
 * group that a delete moves it to) whose alias begins with LINK_ALIAS_PREFIX. Pure.
 */
#ifndef TW_LINK_MARKS_H
#define TW_LINK_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "netlink/link_spec.h"
#include "netlink/link_state.h"

/* Whether the link carries the first mark, `group` or its scratch group. */
bool link_is_in_group(const struct link_state *link, uint32_t group);

/* Whether the link carries both marks, `group` being the first. */
bool link_is_ours(const struct link_state *link, uint32_t group);

/*
 * The link that is `spec`'s: the one of its name that is ours, else one of ours whose alias says
 * so, which somebody has renamed; NULL when there is none.
 */
const struct link_state *link_find_ours(const struct link_table *table,
					const struct link_spec *spec, uint32_t group);

/* A device that is not ours and has `name`, as its name or beside it; or NULL. */
const struct link_state *link_find_namesake(const struct link_table *table, const char *name,
					    uint32_t group);

/* Where links wait for their deletion; the group of no one else, derived from ours. */
uint32_t link_scratch_group(uint32_t group);

#endif
