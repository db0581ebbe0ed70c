/* links: netlink/link_addr.c netlink/bridge_port.c netlink/port_apply.c agent/reconcile_ports.c */
/* links: agent/lock.c agent/base/counter_file.c */
/* links: agent/reconcile_places.c netlink/netns.c netlink/netns_msg.c */
/* links: agent/reconcile.c agent/reconcile_look.c agent/reconcile_plan.c */
/* links: agent/reconcile_pass.c agent/reconcile_link.c agent/held_taps.c */
/* links: agent/tap_holder.c netlink/link_filters.c agent/filter_compile.c */
/* links: agent/base/pcap_lib.c agent/base/late_lib.c */
/* links: agent/base/bpf_compile.c agent/base/bpf_code.c netlink/hook_filter.c */
/* links: netlink/tc_filter.c netlink/anti_spoof.c agent/link_track.c agent/desired.c */
/* links: agent/leases.c agent/state_file.c agent/base/fd_io.c agent/owner.c netlink/link_apply.c */
/* links: netlink/link_apply_attrs.c netlink/link_former.c netlink/link_vacate.c */
/* links: netlink/link_plan.c netlink/link_requests.c netlink/wireless.c netlink/link_compare.c */
/* links: netlink/link_steps.c netlink/link_marks.c netlink/lower_judge.c */
/* links: netlink/lower_fit.c netlink/link_spec.c netlink/link_kind.c netlink/link_state.c */
/* links: netlink/link_table.c netlink/link_msg.c netlink/nl_ack.c netlink/nl_channel.c */
/* links: netlink/nl_dump.c netlink/explain.c netlink/tap_node.c netlink/host_stack.c */
/* links: agent/base/config.c agent/base/config_cross.c agent/base/config_range.c */
/* links: agent/base/config_wishes.c */
/* links: agent/base/config_lowers.c agent/base/config_boot.c agent/base/config_schema*.c */
/* links: agent/base/range_types.c agent/base/schema.c agent/base/schema_type.c */
/* links: agent/base/schema_walk.c */
/* links: agent/base/schema_fill.c */
/* links: agent/base/schema_text.c */
/* links: agent/base/parse_boot.c agent/base/schema_list.c agent/base/schema_print.c */
/* links: agent/base/ini.c agent/base/ini_load.c agent/base/ini_scan.c agent/base/fault.c */
/* links: agent/base/hint.c agent/base/name_template.c agent/base/link_types.c agent/base/parse.c */
/* links: agent/base/buf.c agent/base/err.c agent/base/utf8.c */
/*
 * passes CONFIG < COMMANDS: a reconcile context on a clock of its own, so that hours of back-off
 * take no time. One command a line, each answered by what it did:
 *
 *   pass          one pass; prints each event, the state of every link, and the wait it asks for
 *   wait          the clock goes forward by that wait
 *   sleep MS      the clock goes forward
 *   drain         whether notifications said that a pass is due
 *   look          as for `status`; prints the state and the MTU of every link, or what is wrong
 *   reload FILE   another configuration
 *   run COMMAND   by the shell
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/held_taps.h"
#include "agent/reconcile.h"

static struct reconcile *reconcile;
static uint64_t now_ms = 1000000;
static int64_t wait_ms = -1;

static int fail(const struct err *err)
{
	fprintf(stderr, "%s\n", err->text);
	return 1;
}

static void on_step(const struct link_result *result, void *data)
{
	const struct link_step *step = result->step;

	(void)data;
	printf("%s %s%s%s\n", link_op_names[step->op],
	       step->spec ? step->spec->name : step->link->name, result->error ? ": " : "",
	       result->text);
}

static void on_lost(const struct reconcile_link *link, void *data)
{
	(void)data;
	printf("lost %s, %u in a row\n", link->spec->name, link->track.losses);
}

static void on_mac_changed(const struct reconcile_link *link, const char *who, void *data)
{
	char mac[MAC_TEXT_MAX];

	(void)data;
	format_mac(mac, link->link.mac);
	/* A pid is another one each time. */
	printf("mac of %s is %s, held by %.*s\n", link->spec->name, mac, (int)strcspn(who, " "),
	       who);
}

static void on_port(const struct port_result *result, void *data)
{
	(void)data;
	printf("%s port %s%s%s\n", port_op_names[result->step->op], result->step->name,
	       result->error ? ": " : "", result->text);
}

static int do_pass(const char *argument)
{
	const struct reconcile_watch watch = {
		.step = on_step, .lost = on_lost, .mac_changed = on_mac_changed, .port = on_port
	};
	const struct reconcile_link *links;
	struct err err;
	size_t n;

	(void)argument;
	if (reconcile_pass(reconcile, now_ms, &watch, &wait_ms, &err) < 0)
		return fail(&err);
	links = reconcile_links(reconcile, &n);
	for (size_t i = 0; i < n; i++)
		printf("%s is %s%s%s\n", links[i].spec->name, reconcile_state_names[links[i].state],
		       links[i].error ? ": " : "", links[i].error ? links[i].error : "");
	printf("wait %" PRId64 "\n", wait_ms);
	return 0;
}

static int do_look(const char *argument)
{
	const struct reconcile_link *links;
	struct link_table taps = { 0 };
	struct held_taps held = { 0 };
	struct err err;
	size_t n;

	(void)argument;
	if (reconcile_taps(reconcile, &taps) == 0)
		(void)held_taps_find(&held, &taps, getpid());
	link_table_done(&taps);
	if (reconcile_look(reconcile, &held, &err) < 0) {
		printf("%s\n", err.text);
		return 0;
	}
	links = reconcile_links(reconcile, &n);
	for (size_t i = 0; i < n; i++)
		printf("%s is %s, mtu %u\n", links[i].spec->name,
		       reconcile_state_names[links[i].state], (unsigned int)links[i].link.mtu);
	return 0;
}

static int do_wait(const char *argument)
{
	(void)argument;
	if (wait_ms > 0)
		now_ms += (uint64_t)wait_ms;
	return 0;
}

static int do_sleep(const char *argument)
{
	now_ms += strtoull(argument, NULL, 10);
	return 0;
}

static int do_drain(const char *argument)
{
	(void)argument;
	printf("drain %d\n", reconcile_drain(reconcile));
	return 0;
}

static int load(const char *path, struct config **ret)
{
	struct faults faults = { 0 };
	int code = config_load(path, ret, &faults);

	if (code < 0)
		fprintf(stderr, "%s has %zu faults\n", path, faults.n);
	faults_done(&faults);
	return code;
}

static int do_reload(const char *argument)
{
	struct config *config = NULL;
	struct err err = { "no configuration" };
	int code = load(argument, &config);

	if (code == 0)
		code = reconcile_reload(reconcile, config, &err);
	config_free(config);
	return code < 0 ? fail(&err) : 0;
}

static int do_run(const char *argument)
{
	/* NOLINTNEXTLINE(cert-env33-c): the commands are the test's own */
	return system(argument) != 0;
}

static const struct {
	const char *name;
	int (*run)(const char *argument);
} commands[] = {
	{ "pass", do_pass },	 { "wait", do_wait }, { "sleep", do_sleep }, { "drain", do_drain },
	{ "reload", do_reload }, { "run", do_run },   { "look", do_look },
};

static int run_line(char *line)
{
	char *argument;

	line[strcspn(line, "\n")] = '\0';
	argument = strchr(line, ' ');
	if (argument)
		*argument++ = '\0';
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, line) == 0)
			return commands[i].run(argument ? argument : "");
	}
	fprintf(stderr, "no command \"%s\"\n", line);
	return 2;
}

int main(int argc, char **argv)
{
	struct config *config = NULL;
	struct err err;
	char line[1024];
	int code;

	if (argc != 2 || load(argv[1], &config) < 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	code = reconcile_open(config, &reconcile, &err) < 0 ? fail(&err) : 0;
	config_free(config);
	while (code == 0 && fgets(line, sizeof(line), stdin))
		code = run_line(line);
	reconcile_free(reconcile);
	return code;
}
