/* tapwarden boot render: the iPXE script of a guest. */
#include "agent/boot_verbs.h"

#include <stdio.h>

#include "agent/boot_load.h"
#include "agent/cli.h"
#include "web/ipxe_script.h"

int boot_render(int argc, char **argv)
{
	struct cli_options options;
	struct config *config = NULL;
	struct boot_spec spec;
	struct buf script;
	struct err err;
	int code;

	if (cli_options(argc, argv, 0, 1, &options) != 0)
		return CLI_BAD;
	if (cli_config(options.config, &config) != 0)
		return CLI_BAD;
	buf_init(&script, IPXE_SCRIPT_MAX);
	code = boot_load(config, options.operands[0], &spec, &err);
	if (!code)
		code = ipxe_script(&spec, &script, &err);
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
