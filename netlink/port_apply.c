#include "netlink/port_apply.h"

#include <errno.h>
#include <string.h>

/* Ports are few, so each request has an answer of its own before the next one goes out. */
static int ask(struct nl_channel *channel, struct nl_request *request, struct err *err)
{
	int code = nl_channel_batch(channel, request, 1, err);

	return code < 0 ? code : request->ack.error;
}

static int add_mark(struct nl_channel *channel, const struct port_step *step, uint32_t group,
		    struct err *err)
{
	struct nl_request request = { .ack.error = 0 };
	char mark[ALTNAME_SIZE];
	int code;

	if (step->marked)
		return 0;
	port_mark(mark, group, step->port, step->was);
	code = link_msg_add_altname(&request.msg, step->port->ifindex, mark);
	if (code == 0)
		code = ask(channel, &request, err);
	return code < 0 ? err_errno(err, code, "could not mark the bridge port %s", step->name) : 0;
}

static int set_hairpin(struct nl_channel *channel, const struct port_step *step, struct err *err)
{
	struct nl_request request = { .ack.error = 0 };
	int code;

	if (!step->port->is_bridge_port || step->port->hairpin == step->hairpin)
		return 0;
	code = link_msg_set_hairpin(&request.msg, step->port->ifindex, step->hairpin);
	if (code == 0)
		code = ask(channel, &request, err);
	return code < 0 ? err_errno(err, code, "could not set hairpin of the bridge port %s",
				    step->name)
			: 0;
}

/* Whichever index the mark was made with. */
static int delete_marks(struct nl_channel *channel, const struct port_step *step, uint32_t group,
			struct err *err)
{
	struct nl_request request = { .ack.error = 0 };
	int code = 0;

	for (const char *at = link_state_lists(step->port)->altnames; code == 0 && *at;
	     at += strlen(at) + 1) {
		if (!port_is_mark(at, group))
			continue;
		code = link_msg_delete_altname(&request.msg, step->port->ifindex, at);
		if (code == 0)
			code = ask(channel, &request, err);
	}
	return code < 0 ? err_errno(err, code, "could not take the mark from the bridge port %s",
				    step->name)
			: 0;
}

static int run(struct nl_channel *channel, const struct port_step *step, uint32_t group,
	       struct err *err)
{
	int code;

	if (step->op == PORT_OP_BLOCKED)
		return err_set(err, -EBUSY, "%s: %s", step->name, step->reason);
	if (step->op == PORT_OP_SET) {
		code = add_mark(channel, step, group, err);
		return code ? code : set_hairpin(channel, step, err);
	}
	code = set_hairpin(channel, step, err);
	return code ? code : delete_marks(channel, step, group, err);
}

int port_apply(struct nl_channel *channel, const struct port_plan *plan, uint32_t group,
	       port_result_cb cb, void *data)
{
	int open = 0;

	for (size_t i = 0; i < plan->n; i++) {
		struct port_result result = { .step = &plan->steps[i], .text = "" };
		struct err text;

		result.error = run(channel, &plan->steps[i], group, &text);
		if (result.error)
			result.text = text.text;
		open += result.error != 0;
		cb(&result, data);
	}
	return open;
}
