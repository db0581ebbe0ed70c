/* tapwarden boot lint: what is wrong with an iPXE script. */
#include "agent/boot_verbs.h"

#include <getopt.h>
#include <stdio.h>

#include "agent/base/plural.h"
#include "agent/boot_script.h"
#include "agent/boot_view.h"
#include "agent/cli.h"
#include "agent/cli_print.h"
#include "web/ipxe_lint.h"

struct lint_options {
	const char *config;
	const char *caps; /* NULL: those of the guest */
	const char *script;
	bool json;
};

static int read_options(int argc, char **argv, struct lint_options *ret)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "caps", required_argument, NULL, 'a' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	struct lint_options options = { .config = CONFIG_DEFAULT_PATH };
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, ":c:", longs, NULL)) != -1) {
		if (c == 'c')
			options.config = optarg;
		else if (c == 'a')
			options.caps = optarg;
		else if (c == 'j')
			options.json = true;
		else
			return cli_usage_option(argv, c);
	}
	if (argc - optind != 1)
		return cli_usage(argv[0], argc - optind > 1 ? argv[optind + 1] : NULL);
	options.script = argv[optind];
	*ret = options;
	return 0;
}

static int print(const struct findings *findings, const struct boot_script *script, bool json)
{
	if (json && cli_print_json(json_pack("{s:o, s:o}", "script", boot_json_text(script->name),
					     "findings", findings_json(findings)),
				   "the findings") != CLI_DONE)
		return CLI_BAD;
	if (!json) {
		findings_print(findings, script->name);
		printf("%zu error%s, %zu warning%s, %zu note%s\n",
		       findings_count(findings, FINDING_ERROR),
		       plural(findings_count(findings, FINDING_ERROR), "", "s"),
		       findings_count(findings, FINDING_WARNING),
		       plural(findings_count(findings, FINDING_WARNING), "", "s"),
		       findings_count(findings, FINDING_NOTE),
		       plural(findings_count(findings, FINDING_NOTE), "", "s"));
	}
	return findings_code(findings);
}

int boot_lint(int argc, char **argv)
{
	struct lint_options options = { .script = "" };
	struct boot_script script;
	struct findings findings = { 0 };
	struct err err;
	int code;

	if (read_options(argc, argv, &options) != 0)
		return CLI_BAD;
	code = boot_script_load(options.config, options.script, &script, &err);
	if (code) {
		err_prefix(&err, code, "cannot check a script");
		return cli_fail(&err, NULL);
	}
	if (options.caps)
		code = boot_caps_parse(options.caps, &script.caps, &err);
	if (!code)
		code = ipxe_lint(script.text.data ? script.text.data : "", script.text.len,
				 script.caps, &findings, &err);
	if (code) {
		err_prefix(&err, code, "cannot check %s", script.name);
		code = cli_fail(&err, NULL);
	} else {
		code = print(&findings, &script, options.json);
	}
	findings_done(&findings);
	boot_script_done(&script);
	return cli_flush(code);
}
