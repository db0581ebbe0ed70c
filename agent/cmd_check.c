/* tapwarden check: every fault of the configuration at once. */
#include "agent/cli.h"

#include <stdio.h>

#include "agent/config_check.h"

static void print_count(FILE *out, size_t n, const char *noun)
{
	fprintf(out, "%zu %s%s", n, noun, n == 1 ? "" : "s");
}

int cmd_check(int argc, char **argv)
{
	struct faults faults = { 0 };
	struct config *config = NULL;
	struct cli_options options;
	int code = cli_options(argc, argv, 0, 0, &options);

	if (code)
		return code;
	if (config_check(options.config, &config, &faults) == 0) {
		printf("%s: no faults (", options.config);
		print_count(stdout, faults.n_files, "file");
		printf(" read)\n");
		code = CLI_DONE;
	} else {
		config_print_faults(&faults, stderr);
		print_count(stderr, faults.n_files, "file");
		fputs(" read, ", stderr);
		print_count(stderr, faults.n + faults.n_dropped, "fault");
		fputs("\n", stderr);
		code = CLI_BAD;
	}
	config_free(config);
	faults_done(&faults);
	return cli_flush(code);
}
