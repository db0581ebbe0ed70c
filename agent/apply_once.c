#include "agent/apply_once.h"

#include <stdio.h>
#include <unistd.h>

#include "agent/base/plural.h"
#include "agent/cli_print.h"
#include "agent/lock.h"
#include "agent/plan_view.h"

/* A plan is at most a line of some hundred bytes for each link. */
#define PLAN_TEXT_MAX (16u << 20)

static const char *const done_words[LINK_OPS] = {
	[LINK_OP_CREATE] = "added",   [LINK_OP_CHANGE] = "changed",  [LINK_OP_REPLACE] = "replaced",
	[LINK_OP_DELETE] = "deleted", [LINK_OP_BLOCKED] = "blocked",
};

struct results {
	size_t done[LINK_OPS];
	size_t failed;
	size_t held; /* of the blocked, by who has the tap */
	size_t ports; /* bridge ports set */
	size_t kept;
	bool again; /* another plan follows: what is refused is tried again by that */
	json_t *list; /* NULL: text is wanted */
	json_t *port_list;
};

static void add_json(struct results *results, const struct link_result *result)
{
	json_t *object = plan_view_step_json(result->step);
	bool blocked = result->step->op == LINK_OP_BLOCKED;

	json_object_set_new(object, "result",
			    json_string(blocked		? "blocked"
					: result->error ? "failed"
							: "done"));
	json_object_set_new(object, "error",
			    *result->text ? json_string(result->text) : json_null());
	json_array_append_new(results->list, object);
}

static void on_result(const struct link_result *result, void *data)
{
	struct results *results = data;
	const struct link_step *step = result->step;
	struct err err;

	if (results->again && (result->error || step->op == LINK_OP_BLOCKED))
		return;
	if (step->op == LINK_OP_BLOCKED)
		err_set(&err, 0, "link %s: %s", step->spec ? step->spec->name : step->link->name,
			step->reason);
	else
		err_set(&err, 0, "%s", result->text);
	if (result->error)
		cli_fail(&err, NULL);
	if (result->error && step->op != LINK_OP_BLOCKED)
		results->failed++;
	else
		results->done[step->op]++;
	results->held += step->block == LINK_BLOCK_HELD;
	if (results->list)
		add_json(results, result);
}

static void on_port(const struct port_result *result, void *data)
{
	struct results *results = data;
	json_t *object;
	struct err err;

	err_set(&err, 0, "%s", result->text);
	if (result->error)
		cli_fail(&err, NULL);
	if (result->step->op == PORT_OP_BLOCKED)
		results->done[LINK_OP_BLOCKED]++;
	else if (result->error)
		results->failed++;
	else
		results->ports++;
	if (!results->port_list)
		return;
	object = plan_view_port_json(result->step);
	json_object_set_new(object, "error",
			    *result->text ? json_string(result->text) : json_null());
	json_array_append_new(results->port_list, object);
}

static void print_steps(const struct link_plan *plan, const struct port_plan *ports)
{
	struct buf out;

	buf_init(&out, PLAN_TEXT_MAX);
	plan_view_steps(plan, &out);
	plan_view_ports(ports, &out);
	(void)cli_print_text(&out, "the steps");
	fflush(stdout);
}

static int print_tally(const struct results *results, size_t kept)
{
	const char *separator = "Done: ";

	for (size_t op = 0; op < LINK_OPS; op++) {
		if (results->done[op] == 0)
			continue;
		printf("%s%zu %s", separator, results->done[op], done_words[op]);
		separator = ", ";
	}
	if (results->ports) {
		printf("%s%zu of bridge ports", separator, results->ports);
		separator = ", ";
	}
	if (results->failed)
		printf("%s%zu failed", separator, results->failed);
	else if (*separator == 'D')
		printf("Done: nothing to do");
	if (kept)
		printf(", %zu as %s", kept, plural(kept, "it was", "they were"));
	puts(results->held ? ". With --force, what is held goes too." : ".");
	return CLI_DONE;
}

static int print_json(const struct results *results, size_t kept)
{
	json_t *summary = json_object(), *json;

	for (size_t op = 0; op < LINK_OPS; op++)
		json_object_set_new(summary, link_op_names[op],
				    json_integer((json_int_t)results->done[op]));
	json_object_set_new(summary, "failed", json_integer((json_int_t)results->failed));
	json_object_set_new(summary, "kept", json_integer((json_int_t)kept));
	json = json_pack("{s:O, s:O, s:o}", "steps", results->list, "ports", results->port_list,
			 "summary", summary);
	return cli_print_json(json, "what was done");
}

/* A link that is moved back is looked at where it belongs, by another plan. */
static bool moves(const struct link_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		if (plan->steps[i].attrs & 1u << LINK_ATTR_NETNS)
			return true;
	}
	return false;
}

/* Returns how many steps are not done, or a negative errno. */
static int carry_out(struct reconcile *reconcile, const struct link_plan *plan,
		     struct results *results, struct err *err)
{
	int open, ports = 0;

	results->kept = plan->kept;
	if (!results->list)
		print_steps(plan, reconcile_port_plan(reconcile));
	open = reconcile_apply(reconcile, on_result, results, err);
	if (open >= 0 && !results->again)
		ports = reconcile_apply_ports(reconcile, on_port, results);
	return open < 0 ? open : open + ports;
}

static int carry_out_all(struct reconcile *reconcile, const struct link_plan *plan,
			 const struct cli_options *options, enum reconcile_goal goal)
{
	struct results results = { .list = options->json ? json_array() : NULL,
				   .port_list = options->json ? json_array() : NULL,
				   .again = moves(plan) };
	struct err err;
	int open = carry_out(reconcile, plan, &results, &err), code;

	if (open >= 0 && results.again) {
		results.again = false;
		open = reconcile_plan(reconcile, goal, options->force, &plan, &err);
		if (open == 0)
			open = carry_out(reconcile, plan, &results, &err);
	}
	if (open == 0 && goal == RECONCILE_GOAL_CONFIG)
		open = reconcile_read_back(reconcile, on_result, &results, &err);
	if (open < 0)
		code = cli_fail(&err, "look at the plan again");
	else
		code = options->json ? print_json(&results, results.kept)
				     : print_tally(&results, results.kept);
	json_decref(results.list);
	json_decref(results.port_list);
	return open == 0 ? code : CLI_BAD;
}

int apply_once(const struct cli_options *options, enum reconcile_goal goal)
{
	struct reconcile *reconcile = NULL;
	struct config *config = NULL;
	const struct link_plan *plan;
	struct err err;
	struct agent_lock lock = AGENT_LOCK_NONE;
	int code;

	code = cli_config(options->config, &config);
	if (code != 0)
		return code;
	if (agent_lock(config->agent.run_dir, config->agent.link_group, &lock, &err) < 0) {
		code = cli_fail(&err, "nothing is changed");
		goto out;
	}
	if (reconcile_open_once(config, &reconcile, &err) < 0 ||
	    reconcile_plan(reconcile, goal, options->force, &plan, &err) < 0) {
		code = cli_fail(&err, "nothing is changed");
		goto out;
	}
	code = carry_out_all(reconcile, plan, options, goal);
out:
	reconcile_free(reconcile);
	agent_unlock(&lock);
	config_free(config);
	return cli_flush(code);
}
