/* Who may open a tap's node in /dev, and what is at its place. Pure. */
#ifndef TW_TAP_RIGHTS_H
#define TW_TAP_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

struct tap_rights {
	uint32_t uid, gid;
	uint32_t perms; /* the low nine bits of st_mode */
};

/* What devtmpfs gives a new node (devtmpfs_create_node(), handle_create()). */
static inline bool tap_rights_are_kernels(const struct tap_rights *rights)
{
	return rights->uid == 0 && rights->gid == 0 && rights->perms == 0600;
}

enum tap_node_state {
	TAP_NODE_ABSENT, /* nothing is there */
	TAP_NODE_FOREIGN, /* another link's tap, or no device at all */
	TAP_NODE_OURS,
};

#define TAP_PATH_MAX 32

struct tap_node {
	enum tap_node_state state;
	char path[TAP_PATH_MAX]; /* "/dev/tapN"; "" unless ours */
	struct tap_rights rights; /* only when ours */
};

#endif
