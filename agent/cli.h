/* The command line: one table of verbs drives dispatch, help and what a verb's usage says. */
#ifndef TW_CLI_H
#define TW_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/config.h"
#include "agent/base/err.h"

/* Exit codes of every verb. */
enum cli_exit {
	CLI_DONE = 0,
	CLI_NO = 1, /* the answer is no: changes pending, nothing matched */
	CLI_BAD = 2, /* usage, bad configuration, or not fully done */
};

struct cli_verb {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the verb; returns the exit code */
	const char *usage; /* what follows the verb; NULL for a verb not shown */
	const char *summary; /* NULL for a verb under another, "boot kit": shown with that one */
	const char *details; /* shown by `help VERB`; may be NULL */
};

/* The verb called `name`, or NULL. */
const struct cli_verb *cli_find(const char *name);

/* The table, for help; `ret_n` is its length. */
const struct cli_verb *cli_verbs(size_t *ret_n);

/* What `help` explains beside verbs. */
struct cli_topic {
	const char *name, *summary, *text;
};

const struct cli_topic *cli_topics(size_t *ret_n);

int cli_main(int argc, char **argv);

/* On stderr, with what a terminal would obey made visible: it may be what others chose. */
void cli_put(const char *text);

/* A line "tapwarden: TEXT" there, likewise. */
void cli_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "tapwarden: TEXT[: NEXT]" on stderr; returns CLI_BAD. `next` says what happens next, or NULL. */
int cli_fail(const struct err *err, const char *next);

/*
 * What is wrong with a verb's words, and its usage, on stderr: `word` is not understood there, or,
 * when NULL, one is missing. Returns CLI_BAD.
 */
int cli_usage(const char *verb, const char *word);

/* The same with `what` is wrong with the word: "goes with --probe". */
int cli_usage_word(const char *verb, const char *word, const char *what);

/*
 * What getopt_long(3) did not take: the word, or a letter of one with several, which `optind` is
 * not yet behind. Good until the next call.
 */
const char *cli_refused(char **argv);

/*
 * As cli_usage(), of what getopt_long(3) or the verb did not take: `c` is what it returned, ':' for
 * an option without its value, when the letters it was given begin with ':'; with an optarg it is
 * the value that is refused. argv[0] is the verb.
 */
int cli_usage_option(char **argv, int c);

/* Flushes stdout; CLI_BAD with the reason on stderr when it could not be written, else `code`. */
int cli_flush(int code);

/*
 * The options that most verbs share: -c FILE and --json, and the operands after them. A verb with
 * more options calls getopt_long(3) itself.
 */
struct cli_options {
	const char *config; /* CONFIG_DEFAULT_PATH unless given */
	bool json;
	bool force; /* only where `allow` says so */
	bool print; /* as force */
	bool wide; /* as force */
	char **operands; /* as many as were asked for */
};

#define CLI_JSON  (1u << 0)
#define CLI_FORCE (1u << 1)
#define CLI_PRINT (1u << 2)
#define CLI_WIDE  (1u << 3)

/*
 * `allow` has the CLI_ bits of the options that the verb takes beside -c; `operands` is how many
 * it must have. Returns 0 or CLI_BAD.
 */
int cli_options(int argc, char **argv, unsigned int allow, int operands, struct cli_options *ret);

/* What is wrong with the file, on stderr, and what to do when none is at the usual place. */
void cli_print_faults(const char *path, const struct faults *faults);

/*
 * Reads and checks the configuration; every fault goes to stderr. Returns 0 or CLI_BAD. The caller
 * frees `ret` by config_free().
 */
int cli_config(const char *path, struct config **ret);

/*
 * The run-dir of a configuration that may have faults meanwhile: the agent of the one before it
 * still answers there. 0 or CLI_BAD with the faults on stderr; the caller frees `ret`.
 */
int cli_run_dir(const char *path, char **ret);

/* The [pattern NAME] of a configuration; NULL with the reason, and a near miss, in `err`. */
const struct pattern_conf *cli_pattern(const struct config *config, const char *name,
				       struct err *err);

/* The verbs, one file each. */
int cmd_apply(int argc, char **argv);
int cmd_boot(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_down(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_extract(int argc, char **argv);
int cmd_help(int argc, char **argv);
int cmd_libvirt_xml(int argc, char **argv);
int cmd_passwd(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_qemu(int argc, char **argv);
int cmd_reach(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_worker(int argc, char **argv);
int cmd_trial(int argc, char **argv);

#endif
