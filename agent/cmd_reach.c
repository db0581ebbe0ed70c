/* tapwarden reach: who can talk to whom, as it follows from modes, and as frames prove it. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "agent/cli.h"
#include "agent/cli_print.h"
#include "agent/desired.h"
#include "agent/held_taps.h"
#include "agent/reach_judge.h"
#include "agent/reach_probe.h"
#include "agent/reach_view.h"
#include "netlink/nl_channel.h"
#include "netlink/wire_tap.h"

/* A row per pair of classes, at most some hundred bytes each; the JSON has names too. */
#define REACH_TEXT_MAX (16u << 20)

struct reach_options {
	const char *config;
	bool json;
	bool probe;
	bool all;
};

/* What the report points into lives here with it. */
struct reach_run {
	struct link_spec *specs;
	struct link_table table;
	struct reach reach;
	struct reach_shots *shots; /* one per lower device; NULL without --probe */
};

static int options_of(int argc, char **argv, struct reach_options *ret)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "probe", no_argument, NULL, 'p' },
		{ "all", no_argument, NULL, 'a' },
		{ 0 },
	};
	struct reach_options options = { .config = CONFIG_DEFAULT_PATH };
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, ":c:", longs, NULL)) != -1) {
		if (c == 'c')
			options.config = optarg;
		else if (c == 'j')
			options.json = true;
		else if (c == 'p')
			options.probe = true;
		else if (c == 'a')
			options.all = true;
		else
			return cli_usage_option(argv, c);
	}
	if (optind < argc)
		return cli_usage(argv[0], argv[optind]);
	if (options.all && !options.probe)
		return cli_usage_word(argv[0], "--all", "goes with --probe");
	*ret = options;
	return 0;
}

static int observe(struct reach_run *run, struct err *err)
{
	struct nl_channel *channel;
	int code = nl_channel_open_requests(&channel, err);

	if (code < 0)
		return code;
	code = nl_channel_dump_links(channel, false, &run->table, err);
	nl_channel_free(channel);
	return code;
}

static int make(struct reach_run *run, const struct config *config, struct err *err)
{
	char host_id[HOST_ID_MAX];
	size_t n;
	int code;

	desired_host_id(host_id);
	code = desired_links(config, host_id, &run->specs, &n, err);
	if (code == 0)
		code = observe(run, err);
	if (code < 0)
		return code;
	code = reach_make(run->specs, n, &run->table, config->agent.link_group, &run->reach);
	return code < 0 ? err_errno(err, code, "could not list the links") : 0;
}

/* A link whose tap cannot be found may be held. */
static void mark_held(struct reach_shots *shots, const struct held_taps *held)
{
	for (size_t i = REACH_PORT_LINKS; i < shots->n_ports; i++) {
		struct reach_port *port = &shots->ports[i];
		const struct tap_holder *holder = held_taps_holder(held, port->link->ifindex);

		port->is_held = port->link->kind == LINK_KIND_MACVTAP && (!holder || holder->pid);
	}
}

static int prove_lower(struct reach_run *run, size_t i, bool all, const struct held_taps *held,
		       struct err *err)
{
	const struct reach_lower *lower = &run->reach.lowers[i];
	struct reach_wish wish = { .all = all };
	struct err no_outside;
	int wire = -1, code;

	if (getrandom(wish.run, sizeof(wish.run), 0) != (ssize_t)sizeof(wish.run))
		return err_errno(err, -errno, "could not probe: no random number");
	if (lower->device)
		wire = wire_tap_open(lower->device->ifindex, &no_outside);
	if (lower->device && wire < 0)
		wish.no_outside = no_outside.text;
	code = reach_shots_plan(lower, &wish, &run->shots[i], err);
	if (code == 0) {
		mark_held(&run->shots[i], held);
		code = reach_probe(&run->shots[i], wire, err);
	}
	if (wire >= 0)
		close(wire);
	return code;
}

/* One lower device after the other; returns how many answers differ, or -errno. */
static int prove(struct reach_run *run, bool all, struct err *err)
{
	struct held_taps held = { 0 };
	size_t differ = 0, sent = 0;
	int code;

	run->shots = calloc(run->reach.n + 1, sizeof(*run->shots));
	if (!run->shots)
		return err_errno(err, -ENOMEM, "could not probe");
	code = held_taps_find(&held, &run->table, 0);
	if (code < 0)
		err_errno(err, code, "could not probe: who holds the taps cannot be seen");
	for (size_t i = 0; code == 0 && i < run->reach.n; i++) {
		code = prove_lower(run, i, all, &held, err);
		sent += run->shots[i].n;
		if (code == 0)
			differ += reach_shots_judge(&run->shots[i]);
	}
	held_taps_done(&held);
	if (code < 0)
		return code;
	if (!sent)
		return err_set(err, -ENODEV,
			       "could not probe: no link of this configuration is up and has a "
			       "carrier: apply first, or look at its lower device");
	return differ ? 1 : 0;
}

static int print_text(const struct reach_run *run)
{
	struct buf out;

	buf_init(&out, REACH_TEXT_MAX);
	reach_view_text(&run->reach, run->shots, &out);
	return cli_print_text(&out, "the report");
}

static void run_done(struct reach_run *run)
{
	for (size_t i = 0; run->shots && i < run->reach.n; i++)
		reach_shots_done(&run->shots[i]);
	free(run->shots);
	reach_done(&run->reach);
	link_table_done(&run->table);
	free(run->specs);
}

int cmd_reach(int argc, char **argv)
{
	struct reach_options options = { 0 };
	struct reach_run run = { 0 };
	struct config *config = NULL;
	struct err err;
	int differs = 0;
	int code;

	code = options_of(argc, argv, &options);
	if (code)
		return code;
	code = cli_config(options.config, &config);
	if (code)
		return code;
	code = make(&run, config, &err);
	if (code == 0 && options.probe)
		code = differs = prove(&run, options.all, &err);
	if (code < 0)
		code = cli_fail(&err, NULL);
	else
		code = options.json ? cli_print_json(reach_view_json(&run.reach, run.shots),
						     "the report")
				    : print_text(&run);
	if (code == CLI_DONE && differs)
		code = CLI_NO;
	run_done(&run);
	config_free(config);
	return cli_flush(code);
}
