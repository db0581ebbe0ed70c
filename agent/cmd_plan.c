#include <stdlib.h>
#include <string.h>

#include "agent/cli.h"
#include "agent/cli_print.h"
#include "agent/plan_look.h"
#include "agent/plan_notes.h"
#include "agent/plan_view.h"
#include "agent/reach_notes.h"
#include "agent/reconcile.h"

/* A plan is at most a line of some hundred bytes for each link. */
#define PLAN_TEXT_MAX (16u << 20)

static int print_text(const struct link_plan *plan, const struct port_plan *ports,
		      const struct reach *reach, const struct config *config, const char *path)
{
	struct buf out;

	buf_init(&out, PLAN_TEXT_MAX);
	plan_view_steps(plan, &out);
	plan_view_ports(ports, &out);
	plan_view_tally(plan, ports, path, &out);
	reach_notes_config(reach, plan->count[LINK_OP_CREATE], &out);
	plan_notes(config, &out);
	return cli_print_text(&out, "the plan");
}

static json_t *notes_json(const struct link_plan *plan, const struct reach *reach,
			  const struct config *config)
{
	json_t *list = json_array();
	struct buf out;

	buf_init(&out, PLAN_TEXT_MAX);
	reach_notes_config(reach, plan->count[LINK_OP_CREATE], &out);
	plan_notes(config, &out);
	for (char *line = out.data ? strtok(out.data, "\n") : NULL; line; line = strtok(NULL, "\n"))
		json_array_append_new(list, json_string(line + strlen("! ")));
	buf_done(&out);
	return list;
}

static int print_json(const struct reconcile *reconcile, const struct link_plan *plan,
		      const struct reach *reach, const struct config *config)
{
	json_t *json = plan_json(reconcile, plan);

	json_object_set_new(json, "notes", notes_json(plan, reach, config));
	return cli_print_json(json, "the plan");
}

int cmd_plan(int argc, char **argv)
{
	struct reconcile *reconcile = NULL;
	struct config *config = NULL;
	const struct port_plan *ports;
	const struct link_plan *plan;
	struct reach reach = { 0 };
	struct cli_options options;
	struct err err;
	int code;

	code = cli_options(argc, argv, CLI_JSON, 0, &options);
	if (code != 0)
		return code;
	code = cli_config(options.config, &config);
	if (code != 0)
		return code;
	if (reconcile_open_once(config, &reconcile, &err) < 0 ||
	    reconcile_plan(reconcile, RECONCILE_GOAL_CONFIG, false, &plan, &err) < 0 ||
	    reconcile_reach(reconcile, &reach, &err) < 0) {
		code = cli_fail(&err, NULL);
		goto out;
	}
	ports = reconcile_port_plan(reconcile);
	code = options.json ? print_json(reconcile, plan, &reach, config)
			    : print_text(plan, ports, &reach, config, options.config);
	if (code == CLI_DONE && (plan->n || ports->n))
		code = CLI_NO;
out:
	reach_done(&reach);
	reconcile_free(reconcile);
	config_free(config);
	return cli_flush(code);
}
