/* tapwarden boot render: the iPXE script of a guest. */
#include "agent/boot_verbs.h"

#include <getopt.h>
#include <stdio.h>

#include "agent/boot_load.h"
#include "agent/cli.h"
#include "web/ipxe_script.h"

struct render_options {
	const char *config;
	const char
		*state; /* NULL: what a guest in state run is given first, its menu if it has one */
	const char *guest;
};

static int read_options(int argc, char **argv, struct render_options *ret)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "state", required_argument, NULL, 's' },
		{ 0 },
	};
	struct render_options options = { .config = CONFIG_DEFAULT_PATH };
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, ":c:", longs, NULL)) != -1) {
		if (c == 'c')
			options.config = optarg;
		else if (c == 's' && boot_state_find(optarg) != BOOT_STATES)
			options.state = optarg;
		else
			return cli_usage_option(argv, c);
	}
	if (argc - optind != 1)
		return cli_usage(argv[0], argc - optind > 1 ? argv[optind + 1] : NULL);
	options.guest = argv[optind];
	*ret = options;
	return 0;
}

static int render(struct config *config, const struct render_options *options, struct buf *out,
		  struct err *err)
{
	const struct web_conf *web = &config->web;
	const struct ipxe_serving serving = {
		.state = options->state ? boot_state_find(options->state) : BOOT_STATE_RUN,
		.chosen = options->state,
		.listen = web->n_boot_listen ? &web->boot_listen[0] : NULL,
	};
	struct boot_spec spec;
	int code = boot_load(config, options->guest, &spec, err);

	if (!code)
		code = ipxe_script_of(&spec, &serving, out, err);
	return code;
}

int boot_render(int argc, char **argv)
{
	struct render_options options = { .guest = "" };
	struct config *config = NULL;
	struct buf script;
	struct err err;
	int code;

	if (read_options(argc, argv, &options) != 0)
		return CLI_BAD;
	if (cli_config(options.config, &config) != 0)
		return CLI_BAD;
	buf_init(&script, IPXE_SCRIPT_MAX);
	code = render(config, &options, &script, &err);
	if (code) {
		err_prefix(&err, code, "cannot render a boot script");
		code = cli_fail(&err, NULL);
	} else {
		fputs(script.data, stdout);
	}
	buf_done(&script);
	config_free(config);
	return cli_flush(code);
}
