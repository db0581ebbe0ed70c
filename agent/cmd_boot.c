/* tapwarden boot: what guests are given to boot from. */
#include "agent/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/secrets.h"
#include "web/ipxe_script.h"

static int render_guest(struct config *config, const char *name, struct buf *out, struct err *err)
{
	const struct guest_conf *guest = config_find_guest(config, name);
	struct boot_spec spec;
	int code;

	if (!guest)
		return err_set(err, -ENOENT, "cannot render a boot script: there is no [guest %s]",
			       name);
	/* Only this guest's secret is needed, so another's that cannot be read does not matter. */
	for (size_t i = 0; i < config->n_targets; i++) {
		if (!guest->target || strcmp(config->targets[i].head.name, guest->target) != 0)
			continue;
		code = secrets_load_target(&config->targets[i], err);
		if (code)
			return err_prefix(err, code, "cannot render a boot script");
	}
	code = boot_spec_init(&spec, config, guest, err);
	if (!code)
		code = ipxe_script(&spec, out, err);
	return code ? err_prefix(err, code, "cannot render a boot script") : 0;
}

static int boot_render(int argc, char **argv)
{
	struct cli_options options;
	struct config *config = NULL;
	struct buf script;
	struct err err;
	int code;

	if (cli_options(argc, argv, 0, 1, &options) != 0)
		return CLI_BAD;
	if (cli_config(options.config, &config) != 0)
		return CLI_BAD;
	buf_init(&script, IPXE_SCRIPT_MAX);
	code = render_guest(config, options.operands[0], &script, &err);
	if (code)
		code = cli_fail(&err, NULL);
	else
		fputs(script.data, stdout);
	buf_done(&script);
	config_free(config);
	return cli_flush(code);
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} subverbs[] = {
	{ "render", boot_render },
};

int cmd_boot(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(subverbs) / sizeof(subverbs[0]); i++) {
		if (strcmp(argv[1], subverbs[i].name) != 0)
			continue;
		/* Usage and messages go by the verb. */
		argv[1] = argv[0];
		return subverbs[i].run(argc - 1, argv + 1);
	}
	return cli_usage("boot", argc > 1 ? argv[1] : NULL);
}
