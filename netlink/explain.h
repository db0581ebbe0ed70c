/*
 * The cause of a refused request in words. macvlan sends no extended ack of its own, so the cause
 * is looked for in the observed state: who holds the MAC, which passthru link owns the lower. Pure.
 */
#ifndef TW_EXPLAIN_H
#define TW_EXPLAIN_H

#include "agent/base/err.h"
#include "netlink/link_steps.h"

/* What was asked of the kernel when it refused. */
enum link_action {
	LINK_ACTION_CREATE,
	LINK_ACTION_DELETE,
	LINK_ACTION_MOVE,
	LINK_ACTION_SET_NAME,
	LINK_ACTION_SET_GROUP,
	LINK_ACTION_SET_ALIAS,
	LINK_ACTION_ADD_ALTNAME,
	LINK_ACTION_SET_MODE,
	LINK_ACTION_SET_MAC,
	LINK_ACTION_SET_MTU,
	LINK_ACTION_SET_FLAGS,
	LINK_ACTION_SET_SOURCES,
	LINK_ACTION_SET_TXQUEUELEN,
	LINK_ACTION_SET_BCQUEUELEN,
	LINK_ACTION_SET_BCCUTOFF,
	LINK_ACTION_SET_ARP,
	LINK_ACTION_SET_IPV6,
	LINK_ACTION_SET_NODE,
	LINK_ACTION_SET_FILTERS,
	LINK_ACTION_SET_UP,
	LINK_ACTION_SET_DOWN,
	LINK_ACTION_SET_ADDRESSES,
	LINK_ACTION_SET_MASTER,
	LINK_ACTIONS,
};

struct explain_input {
	const struct link_step *step;
	enum link_action action;
	int error; /* negative errno */
	const char *kernel_text; /* of the extended ack; "" when none */
	const struct link_table *table;
	const struct link_table *lowers; /* with the lower device; NULL: the same */
};

/*
 * "could not bring up web01: web02 on eno1 already has the MAC 52:54:...: each link on a device
 * needs a MAC of its own". Without a known cause it is the kernel's own text, else strerror().
 * Returns input->error.
 */
int explain(const struct explain_input *input, struct err *err);

#endif
