/* Executes the steps of a plan of bridge ports over the channel. Edge. */
#ifndef TW_PORT_APPLY_H
#define TW_PORT_APPLY_H

#include "netlink/bridge_port.h"
#include "netlink/nl_channel.h"

/* Called once per step, blocked ones too: 0 or a negative errno, with the cause in words. */
struct port_result {
	const struct port_step *step;
	int error;
	const char *text;
};

typedef void (*port_result_cb)(const struct port_result *result, void *data);

/* Returns the number of steps that are not done. */
int port_apply(struct nl_channel *channel, const struct port_plan *plan, uint32_t group,
	       port_result_cb cb, void *data);

#endif
