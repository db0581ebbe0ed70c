/*
 * From desired and observed to steps, each with its reason. Pure.
 *
 * Nothing is ever changed or deleted but what is ours by its marks (link_marks.h), and links whose
 * alias is still empty where name, kind, group and lower are those of a wanted one: whoever made it
 * died before the alias was set.
 */
#ifndef TW_LINK_PLAN_H
#define TW_LINK_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink/link_steps.h"

/*
 * Whether a program holds the tap of `link`; then tells who in `who` ("qemu 4711"). Asked only for
 * links that a step would delete or replace.
 */
typedef bool (*link_held_cb)(const struct link_state *link, char *who, size_t size, void *data);

/* What /dev has for the tap of `link`, which is `spec`'s; NULL: not known, and not asked for. */
typedef const struct tap_node *(*link_node_cb)(const struct link_spec *spec,
					       const struct link_state *link, void *data);

/* The addresses of `link`, which is `spec`'s, a host link; NULL: not known, and not asked for. */
typedef const struct link_addr_list *(*link_addrs_cb)(const struct link_spec *spec,
						      const struct link_state *link, void *data);

/* Whether the lower device is a wireless one; NULL: none is. */
typedef bool (*link_wireless_cb)(const struct link_state *lower, void *data);

/*
 * The links of one network namespace: those specs count whose netns is this one's. Those of others
 * only tell where a link that was moved here belongs.
 */
struct link_plan_input {
	const struct link_spec *specs; /* names are unique */
	size_t n_specs;
	const char *netns; /* NULL or "": the one where the lower devices are */
	const char *absent; /* why the namespace cannot be looked into; NULL: it can */
	const struct link_table *table; /* of the namespace; empty when that is absent */
	const struct link_table *lowers; /* of where the lower devices are; NULL: the same */
	int32_t lower_nsid; /* the id of that namespace in this one, when it is another */
	uint32_t group;
	bool remove; /* the specs only tell what is ours: every link of ours is to go */
	link_held_cb held; /* NULL: nobody holds anything */
	link_node_cb node; /* NULL: what /dev has is not looked at */
	link_wireless_cb wireless; /* asked where a link is to be made */
	link_addrs_cb addrs;
	void *data; /* of all of them */
};

/* Returns 0 or -ENOMEM. */
int link_plan_make(const struct link_plan_input *input, struct link_plan *ret);

#endif
