#include "agent/cli.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/buf.h"
#include "agent/base/hint.h"
#include "agent/base/log.h"
#include "agent/base/utf8.h"
#include "agent/config_check.h"

/* In one piece, since several threads may complain. */
static void put(const char *before, const char *text, const char *after)
{
	struct buf out;

	buf_init(&out, 8 * PATH_MAX);
	buf_adds(&out, before);
	utf8_add_printable(&out, text);
	buf_adds(&out, after);
	fputs(out.data ? out.data : "", stderr);
	buf_done(&out);
}

void cli_put(const char *text)
{
	put("", text, "");
}

void cli_warn(const char *fmt, ...)
{
	char text[2 * PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put("tapwarden: ", text, "\n");
}

int cli_fail(const struct err *err, const char *next)
{
	fputs("tapwarden: ", stderr);
	cli_put(err->text);
	fprintf(stderr, "%s%s\n", next ? ": " : "", next ? next : "");
	return CLI_BAD;
}

int cli_usage_word(const char *verb, const char *word, const char *what)
{
	const struct cli_verb *v = cli_find(verb);

	fprintf(stderr, "tapwarden: %s: ", verb);
	if (word) {
		fputc('"', stderr);
		cli_put(word);
		fputs("\" ", stderr);
	}
	fprintf(stderr, "%s: usage: tapwarden %s %s\n", what, v->name, v->usage ? v->usage : "");
	return CLI_BAD;
}

int cli_usage(const char *verb, const char *word)
{
	return cli_usage_word(verb, word, word ? "is not understood here" : "a word is missing");
}

/* Where `letter` is in a word of letters, or NULL. */
static const char *find_letter(const char *word, int letter)
{
	if (!word || word[0] != '-' || word[1] == '-' || letter <= 0)
		return NULL;
	return strchr(word, letter);
}

const char *cli_refused(char **argv)
{
	static char letter[] = "-?";
	const char *next = find_letter(argv[optind], optopt);
	const char *last = find_letter(argv[optind - 1], optopt);

	if (!(next && next[1]) && !(last && !last[1]))
		return argv[optind - 1];
	letter[1] = (char)optopt;
	return letter;
}

int cli_usage_option(char **argv, int c)
{
	char what[64] = "is not understood here";

	if (c == ':') {
		strcpy(what, "lacks its value");
	} else if (c != '?' && optarg && optarg == argv[optind - 1]) {
		snprintf(what, sizeof(what), "is no value of %s", argv[optind - 2]);
		return cli_usage_word(argv[0], optarg, what);
	}
	return cli_usage_word(argv[0], cli_refused(argv), what);
}

int cli_flush(int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "tapwarden: cannot write the output: %s\n", strerror(errno));
	return CLI_BAD;
}

int cli_options(int argc, char **argv, unsigned int allow, int operands, struct cli_options *ret)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' }, { "json", no_argument, NULL, 'j' },
		{ "force", no_argument, NULL, 'f' },	    { "print", no_argument, NULL, 'p' },
		{ "wide", no_argument, NULL, 'w' },	    { 0 },
	};
	struct cli_options options = { .config = CONFIG_DEFAULT_PATH };
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, ":c:", longs, NULL)) != -1) {
		if (c == 'c')
			options.config = optarg;
		else if (c == 'j' && (allow & CLI_JSON))
			options.json = true;
		else if (c == 'f' && (allow & CLI_FORCE))
			options.force = true;
		else if (c == 'p' && (allow & CLI_PRINT))
			options.print = true;
		else if (c == 'w' && (allow & CLI_WIDE))
			options.wide = true;
		else
			return cli_usage_option(argv, c);
	}
	if (argc - optind != operands)
		return cli_usage(argv[0],
				 argc - optind > operands ? argv[optind + operands] : NULL);
	options.operands = argv + optind;
	*ret = options;
	return 0;
}

void cli_print_faults(const char *path, const struct faults *faults)
{
	config_print_faults(faults, stderr);
	if (strcmp(path, CONFIG_DEFAULT_PATH) == 0 && access(path, F_OK) < 0 && errno == ENOENT)
		cli_warn("-c FILE names another configuration, and %s.example is a start", path);
}

int cli_config(const char *path, struct config **ret)
{
	struct faults faults = { 0 };
	int code = config_check(path, ret, &faults);

	cli_print_faults(path, &faults);
	faults_done(&faults);
	return code ? CLI_BAD : 0;
}

int cli_run_dir(const char *path, char **ret)
{
	struct faults faults = { 0 };
	struct config *config = NULL;

	if (config_read(path, &config, &faults) != 0 || !config->agent.run_dir) {
		faults_sort(&faults);
		cli_print_faults(path, &faults);
	} else {
		*ret = strdup(config->agent.run_dir);
	}
	config_free(config);
	faults_done(&faults);
	return *ret ? 0 : CLI_BAD;
}

static int no_verb(const char *name)
{
	struct hint hint = hint_for(name);
	char meant[HINT_TEXT_MAX];
	size_t n;
	const struct cli_verb *verbs = cli_verbs(&n);
	struct err err;

	for (size_t i = 0; i < n; i++) {
		if (verbs[i].summary)
			hint_try(&hint, verbs[i].name);
	}
	hint_try(&hint, "--help");
	hint_try(&hint, "--version");
	err_set(&err, -ENOENT, "no verb \"%s\"%s", name, hint_text(hint.best, meant));
	return cli_fail(&err, "`tapwarden help` lists them");
}

/* -h with other words is the verb's own: of extract, as grep has it. */
static bool wants_help(int argc, char **argv)
{
	return argc > 1 &&
	       ((argc == 2 && strcmp(argv[1], "-h") == 0) || strcmp(argv[1], "--help") == 0);
}

int cli_main(int argc, char **argv)
{
	const struct cli_verb *verb;

	log_init(NULL, LOG_LEVEL_INFO);
	opterr = 0; /* cli_usage() says it, in our words */
	if (argc < 2) {
		cmd_help(0, NULL);
		return CLI_BAD;
	}
	if (wants_help(argc, argv) || strcmp(argv[1], "--version") == 0)
		return cmd_help(argc, argv);
	verb = cli_find(argv[1]);
	if (!verb)
		return no_verb(argv[1]);
	if (verb->usage && wants_help(argc - 1, argv + 1)) {
		char *help[] = { "help", (char *)verb->name, NULL };

		return cmd_help(2, help);
	}
	return verb->run(argc - 1, argv + 1);
}

const struct pattern_conf *cli_pattern(const struct config *config, const char *name,
				       struct err *err)
{
	struct hint hint = hint_for(name);
	char meant[HINT_TEXT_MAX];

	for (size_t i = 0; i < config->n_patterns; i++) {
		if (strcmp(config->patterns[i].head.name, name) == 0)
			return &config->patterns[i];
		hint_try(&hint, config->patterns[i].head.name);
	}
	err_set(err, -ENOENT, "the configuration has no [pattern %s]%s", name,
		hint_text(hint.best, meant));
	return NULL;
}
