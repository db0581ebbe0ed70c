/* tapwarden boot simulate: what a machine would do with an iPXE script. */
#include "agent/boot_verbs.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/hint.h"
#include "agent/boot_script.h"
#include "agent/boot_view.h"
#include "agent/cli.h"
#include "agent/cli_print.h"
#include "web/ipxe_command.h"
#include "web/ipxe_run.h"
#include "web/ipxe_script.h"

#define WORDS_MAX 64

struct words {
	const char *v[WORDS_MAX + 1]; /* NULL behind the last */
	size_t n;
};

struct simulate_options {
	const char *config;
	const char *caps, *mac, *uuid, *choice; /* NULL: not given */
	const char *script;
	struct words fails, settings;
	bool json;
};

struct simulation {
	const struct boot_script *script;
	char path[64]; /* the guest's own script, as the first one chains to it; "" for a file */
	json_t *steps; /* with --json */
};

static int add_word(struct words *words, const char *word)
{
	if (words->n == WORDS_MAX)
		return -E2BIG;
	words->v[words->n++] = word;
	return 0;
}

static int take_option(struct simulate_options *options, int c)
{
	switch (c) {
	case 'c':
		options->config = optarg;
		return 0;
	case 'a':
		options->caps = optarg;
		return 0;
	case 'm':
		options->mac = optarg;
		return 0;
	case 'u':
		options->uuid = optarg;
		return 0;
	case 'o':
		options->choice = optarg;
		return 0;
	case 'j':
		options->json = true;
		return 0;
	case 'f':
		return add_word(&options->fails, optarg);
	case 's':
		return strchr(optarg, '=') ? add_word(&options->settings, optarg) : -EINVAL;
	default:
		return -EINVAL;
	}
}

static int read_options(int argc, char **argv, struct simulate_options *ret)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "caps", required_argument, NULL, 'a' },
		{ "mac", required_argument, NULL, 'm' },
		{ "uuid", required_argument, NULL, 'u' },
		{ "choose", required_argument, NULL, 'o' },
		{ "fail", required_argument, NULL, 'f' },
		{ "set", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct simulate_options options = { .config = CONFIG_DEFAULT_PATH };
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, ":c:", longs, NULL)) != -1) {
		if (take_option(&options, c) != 0)
			return cli_usage_option(argv, c);
	}
	if (argc - optind != 1)
		return cli_usage(argv[0], argc - optind > 1 ? argv[optind + 1] : NULL);
	options.script = argv[optind];
	*ret = options;
	return 0;
}

/* What every iPXE has set when a script begins; each may be set otherwise. */
static int set_machine(const struct simulate_options *options, const struct boot_script *script,
		       struct ipxe_machine *machine, struct err *err)
{
	char mac[MAC_TEXT_MAX] = "52:54:00:12:34:56";
	const struct {
		const char *name, *value;
	} settings[] = {
		{ "net0/mac", options->mac ? options->mac : mac },
		{ "uuid", options->uuid	   ? options->uuid
			  : script->config ? script->spec.ids.machine
					   : NULL },
		{ "platform",
		  script->config && script->spec.firmware == FIRMWARE_UEFI ? "efi" : "pcbios" },
		{ "buildarch", "x86_64" },
	};
	int code = 0;

	if (script->config && mac_is_unicast(script->spec.mac))
		format_mac(mac, script->spec.mac);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]) && !code; i++) {
		if (settings[i].value)
			code = ipxe_setting_set(&machine->settings, settings[i].name,
						settings[i].value, err);
		if (code)
			err_prefix(err, code, "%s", settings[i].name);
	}
	for (size_t i = 0; i < options->settings.n && !code; i++) {
		const char *word = options->settings.v[i], *value = strchr(word, '=') + 1;
		char name[256];

		snprintf(name, sizeof(name), "%.*s", (int)(value - word - 1), word);
		code = ipxe_setting_set(&machine->settings, name, value, err);
		if (code)
			err_prefix(err, code, "%s", name);
	}
	return code;
}

/* A word that is no command would fail nowhere, and the run would look as if it had. */
static int check_fails(const struct words *fails, struct err *err)
{
	for (size_t i = 0; i < fails->n; i++) {
		const char *near = NULL;
		char meant[HINT_TEXT_MAX];

		if (!ipxe_command_find(fails->v[i], &near))
			return err_set(err, -EINVAL, "--fail: iPXE has no command \"%s\"%s",
				       fails->v[i], hint_text(near, meant));
	}
	return 0;
}

/* What the guest's menu chains to. */
static int fetch_chosen(const struct boot_script *script, const char *name, struct buf *out)
{
	const struct web_conf *web = &script->config->web;
	const struct ipxe_serving serving = {
		.state = boot_state_find(name),
		.chosen = true,
		.listen = web->n_boot_listen ? &web->boot_listen[0] : NULL,
	};

	if (serving.state == BOOT_STATES)
		return -ENOENT;
	return ipxe_script_of(&script->spec, &serving, out, NULL);
}

/* A guest's script is behind the path to which the first one chains; files stand side by side. */
static int fetch(void *user, const char *uri, struct buf *out)
{
	const struct simulation *simulation = user;
	const struct buf *text = &simulation->script->text;
	size_t len = strlen(simulation->path);

	if (!len)
		return boot_script_beside(simulation->script->name, uri, out);
	if (strncmp(uri, simulation->path, len) != 0)
		return -ENOENT;
	if (uri[len] == '/')
		return fetch_chosen(simulation->script, uri + len + 1, out);
	if (uri[len])
		return -ENOENT;
	buf_add(out, text->data, text->len);
	return out->failed ? -ENOMEM : 0;
}

static const char *const results[] = {
	[IPXE_OK] = "ok",
	[IPXE_FAILED] = "failed",
	[IPXE_ASSUMED] = "assumed",
	[IPXE_MADE_FAIL] = "made to fail",
};

static void print_step(const struct ipxe_step *step)
{
	char place[64];

	snprintf(place, sizeof(place), "%.48s:%u", step->script, step->line);
	printf("%-28s %-12s  ", place, results[step->result]);
	boot_print_text(step->text);
	if (*step->note && strncmp(step->note, "prints: ", 8) != 0) {
		fputs("   # ", stdout);
		boot_print_text(step->note);
	}
	putchar('\n');
}

static void take_step(void *user, const struct ipxe_step *step)
{
	struct simulation *simulation = user;

	if (!simulation->steps) {
		print_step(step);
		return;
	}
	json_array_append_new(simulation->steps,
			      json_pack("{s:o, s:i, s:o, s:s, s:o}", "script",
					boot_json_text(step->script), "line", (int)step->line,
					"command", boot_json_text(step->text), "result",
					results[step->result], "note", boot_json_text(step->note)));
}

static const char *const kinds[] = {
	[IPXE_END_EXIT] = "exit",	    [IPXE_END_SAN] = "san",
	[IPXE_END_DISK] = "disk",	    [IPXE_END_KERNEL] = "kernel",
	[IPXE_END_ELSEWHERE] = "elsewhere", [IPXE_END_WAITS] = "waits",
	[IPXE_END_POWER] = "power",	    [IPXE_END_LOOP] = "loop",
};

static bool boots(enum ipxe_end_kind kind)
{
	return kind == IPXE_END_SAN || kind == IPXE_END_DISK || kind == IPXE_END_KERNEL ||
	       kind == IPXE_END_ELSEWHERE;
}

static int print_end(const struct ipxe_end *end, json_t *steps)
{
	int code = boots(end->kind) ? CLI_DONE : CLI_NO;

	if (steps) {
		json_t *json = json_pack("{s:o, s:{s:s, s:o, s:i, s:I}}", "steps", steps, "end",
					 "kind", kinds[end->kind], "text",
					 boot_json_text(end->text), "status", end->status,
					 "milliseconds", (json_int_t)end->milliseconds);

		return cli_print_json(json, "the steps") ? CLI_BAD : code;
	}
	boot_print_text(end->text);
	if (end->kind == IPXE_END_EXIT && end->status)
		printf(" (status %d)", end->status);
	if (end->milliseconds)
		printf(", after %" PRIu64 ".%03" PRIu64 " s of waiting", end->milliseconds / 1000,
		       end->milliseconds % 1000);
	putchar('\n');
	return code;
}

/* A guest begins with the script for every guest, which chains to its own. */
static int run(const struct simulate_options *options, struct boot_script *script, struct err *err)
{
	struct simulation simulation = { .script = script };
	struct ipxe_machine machine = { .caps = script->caps,
					.fails = options->fails.v,
					.choice = options->choice,
					.fetch = fetch,
					.step = take_step,
					.user = &simulation };
	const char *first = script->text.data ? script->text.data : "";
	struct ipxe_end end;
	int code = check_fails(&options->fails, err);

	if (!code && options->caps)
		code = boot_caps_parse(options->caps, &machine.caps, err);
	if (!code)
		code = set_machine(options, script, &machine, err);
	if (script->config) {
		const uint8_t *mac = script->spec.mac;

		snprintf(simulation.path, sizeof(simulation.path),
			 "/ipxe/%02x-%02x-%02x-%02x-%02x-%02x", mac[0], mac[1], mac[2], mac[3],
			 mac[4], mac[5]);
		first = ipxe_chain_script();
	}
	if (options->json)
		simulation.steps = json_array();
	if (!code)
		code = ipxe_run(&machine, script->config ? "/boot.ipxe" : script->name, first,
				script->config ? strlen(first) : script->text.len, &end, err);
	ipxe_settings_done(&machine.settings);
	if (code) {
		json_decref(simulation.steps);
		return code;
	}
	return print_end(&end, simulation.steps);
}

int boot_simulate(int argc, char **argv)
{
	struct simulate_options options = { .script = "" };
	struct boot_script script;
	struct err err;
	int code;

	if (read_options(argc, argv, &options) != 0)
		return CLI_BAD;
	code = boot_script_load(options.config, options.script, &script, &err);
	if (!code) {
		code = run(&options, &script, &err);
		boot_script_done(&script);
	}
	if (code < 0) {
		err_prefix(&err, code, "cannot simulate %s", options.script);
		code = cli_fail(&err, NULL);
	}
	return cli_flush(code);
}
