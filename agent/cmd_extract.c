/* tapwarden extract: what patterns find in texts and captures. */
#include "agent/cli.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/plural.h"
#include "agent/extract_captures.h"
#include "agent/extract_options.h"
#include "agent/extract_progress.h"
#include "capture/extract_range.h"

/* Complaints come from several threads. */
static void complain(void *data, const char *text)
{
	extract_progress_clear(data);
	cli_warn("%s", text);
}

static void searched(void *data, const char *source, uint64_t bytes)
{
	extract_progress_add(data, source, bytes);
}

/* ---- rules ---------------------------------------------------------------------------------- */

/* The configuration's rules, which keep belonging to it. */
static int rules_of_config(const struct config *config, const struct strv *names,
			   struct pattern_conf **ret, struct err *err)
{
	struct pattern_conf *confs = calloc(names->n + 1, sizeof(*confs));

	if (!confs)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < names->n; i++) {
		const struct pattern_conf *conf = cli_pattern(config, names->v[i], err);

		if (!conf) {
			free(confs);
			return -ENOENT;
		}
		confs[i] = *conf;
	}
	*ret = confs;
	return 0;
}

/* The rules, by whichever words they were given. */
struct rules {
	struct pattern_conf *confs;
	size_t n;
	bool owned;
};

static int choose_rules(const struct extract_options *options, const struct config *config,
			struct rules *ret, struct err *err)
{
	int code = 0;

	*ret = (struct rules){ .confs = options->patterns, .n = options->n };
	if (!options->names.n)
		return 0;
	code = rules_of_config(config, &options->names, &ret->confs, err);
	ret->n = options->names.n;
	ret->owned = code == 0;
	return code;
}

/* Whoever wrote a file of patterns is told of more than one fault at once, but not of all lines. */
#define FAULTS_TOLD 10u

static bool is_faulty(const struct pattern_conf *conf, struct err *err)
{
	struct pattern *pattern = NULL;
	int code = pattern_compile(conf, &pattern, err);

	pattern_free(pattern);
	return code && code != -ENOMEM && err_prefix(err, code, "pattern %s", conf->head.name);
}

/* All but the last, which is in `err` then. */
static void tell_faults(const struct rules *rules, size_t first, struct err *err)
{
	size_t told = 0;
	struct err next;

	for (size_t i = first + 1; i < rules->n; i++) {
		if (!is_faulty(&rules->confs[i], &next))
			continue;
		cli_fail(err, "nothing was searched");
		*err = next;
		if (++told < FAULTS_TOLD)
			continue;
		err_set(err, 0, "pattern %s and maybe others have faults, too",
			rules->confs[i].head.name);
		break;
	}
}

static int compile(const struct extract_options *options, const struct rules *rules,
		   struct search *search, struct err *err)
{
	size_t faulty = 0;
	int code = search_init(search, rules->confs, rules->n, &options->policy, &faulty, err);

	if (code && code != -ENOMEM && rules->n > 1) {
		err_prefix(err, code, "pattern %s", rules->confs[faulty].head.name);
		tell_faults(rules, faulty, err);
	}
	return code;
}

static int compile_separator(const struct extract_options *options, struct pattern **ret,
			     struct err *err)
{
	int code = options->separator.regex ? pattern_compile(&options->separator, ret, err) : 0;

	return code ? err_prefix(err, code, "--rs") : 0;
}

/* The range of the words, or of the one rule of a configuration. */
static int compile_range(const struct extract_options *options, const struct rules *rules,
			 struct extract_range_rule *range, struct err *err)
{
	const struct pattern_conf *conf = options->range.begin ? &options->range : NULL;

	for (size_t i = 0; i < rules->n && rules->owned; i++) {
		if (!rules->confs[i].begin)
			continue;
		if (rules->n > 1)
			return err_set(err, -EINVAL,
				       "pattern %s has a range: it is searched for alone",
				       rules->confs[i].head.name);
		if (options->whole || options->separator.regex)
			return err_set(err, -EINVAL,
				       "pattern %s has a range, and with -U or --rs there are no "
				       "lines",
				       rules->confs[i].head.name);
		conf = &rules->confs[i];
	}
	return conf ? extract_range_compile(conf, range, err) : 0;
}

/* ---- what is said at the end ---------------------------------------------------------------- */

/* What a rule gave up on. Returns whether there was anything. */
static bool tell_limits(const struct search *search, const struct search_count *counts)
{
	bool any = false;

	for (size_t i = 0; i < search->n; i++) {
		if (!counts[i].limited && !counts[i].failed)
			continue;
		any = true;
		fprintf(stderr,
			"tapwarden: pattern %s was given up on %" PRIu64
			" time%s: %s: those places are not fully searched\n",
			search->rules[i].name, counts[i].limited + counts[i].failed,
			plural(counts[i].limited + counts[i].failed, "", "s"),
			counts[i].limited ? "it took more steps than --match-limit"
					  : "PCRE2 failed");
		if (counts[i].left_out)
			fprintf(stderr,
				"tapwarden: pattern %s was not searched for in %" PRIu64
				" more place%s: it had been given up on too often: another regex, or "
				"a higher --match-limit\n",
				search->rules[i].name, counts[i].left_out,
				plural(counts[i].left_out, "", "s"));
	}
	return any;
}

/* How lines are searched for it. */
static const char *way_of(const struct search_rule *rule)
{
	if (rule->straight)
		return "lines searched without PCRE2";
	if (rule->has_finder)
		return "tried where its text is";
	return rule->has_shape ? "tried where its shape is" : "tried everywhere";
}

static void tell_stats(const struct extract_job *job)
{
	const struct extract_totals *totals = &job->totals;
	const struct capture_totals *captures = job->captures ? &job->captures->totals : NULL;
	const struct search *search = job->plan.search;
	const uint64_t hits = search->n ? totals->hits : 0;

	fprintf(stderr, "%" PRIu64 " %s searched, %" PRIu64 " %s, %" PRIu64 " %s\n", totals->bytes,
		plural(totals->bytes, "byte", "bytes"), hits, plural(hits, "match", "matches"),
		totals->gaps, plural(totals->gaps, "gap", "gaps"));
	if (job->plan.separator)
		fprintf(stderr, "%" PRIu64 " %s\n", totals->records,
			plural(totals->records, "record", "records"));
	if (job->plan.range)
		fprintf(stderr, "%" PRIu64 " %s, %" PRIu64 " of them dropped\n", totals->ranges,
			plural(totals->ranges, "range", "ranges"), totals->dropped);
	if (job->threads > 1 && extract_job_alone(job))
		fprintf(stderr, "one thread: %s\n", extract_job_alone(job));
	if (totals->rests)
		fprintf(stderr,
			"one thread: where --rs separates is not to be told in parts (texts: %" PRIu64
			")\n",
			totals->rests);
	if (captures && captures->frames)
		fprintf(stderr,
			"%" PRIu64 " %s, %" PRIu64 " with a payload, %" PRIu64 " malformed\n",
			captures->frames, plural(captures->frames, "frame", "frames"),
			captures->payloads, captures->malformed);
	for (size_t i = 0; i < search->n; i++) {
		const char *why = NULL;
		bool jit = regex_jit(pattern_regex(search->rules[i].pattern), &why);

		fprintf(stderr,
			"pattern %s: %" PRIu64 " %s, %" PRIu64 " given up, jit: %s%s%s%s, %s\n",
			search->rules[i].name, totals->counts[i].matches,
			plural(totals->counts[i].matches, "match", "matches"),
			totals->counts[i].limited + totals->counts[i].failed, jit ? "on" : "off",
			why ? " (" : "", why ? why : "", why ? ")" : "", way_of(&search->rules[i]));
	}
}

static int finish(struct extract_job *job, const struct extract_options *options)
{
	bool limits = tell_limits(job->plan.search, job->totals.counts);
	int error = extract_job_write_error(job);

	if (options->stats || options->live)
		tell_stats(job);
	/* Whoever reads the output has enough. */
	if (error == EPIPE)
		return CLI_DONE;
	if (error) {
		fprintf(stderr, "tapwarden: cannot write the output: %s\n", strerror(error));
		return CLI_BAD;
	}
	if (job->plan.show == EXTRACT_QUIET && job->totals.hits)
		return CLI_DONE;
	if (limits || job->totals.gaps)
		return CLI_BAD;
	return job->totals.hits ? CLI_DONE : CLI_NO;
}

/* ---- the verb ------------------------------------------------------------------------------- */

/* A terminal unless its user says otherwise: NO_COLOR as no-color.org has it, TERM as grep(1). */
static bool likes_color(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && !(term && strcmp(term, "dumb") == 0);
}

static void make_plan(const struct extract_options *o, const struct search *search,
		      const struct extract_range_rule *range, const struct pattern *separator,
		      struct extract_plan *ret)
{
	bool terminal = isatty(STDOUT_FILENO);

	*ret = (struct extract_plan){
		.search = search,
		.show = o->show,
		.whole = o->whole,
		.range = range->begin ? range : NULL,
		.separator = separator,
		.complain = complain,
		.searched = searched,
		.format = {
			.search = search,
			.json = o->json,
			.names = (o->n_files > 1 || o->names_on) && !o->names_off,
			.lines = o->lines,
			.offsets = o->offsets,
			.color = (o->color_on || likes_color()) && !o->color_off && !o->raw,
			.escape = terminal && !o->raw,
			.raw = o->raw,
			.end = o->nul ? '\0' : '\n',
			.sep = o->sep.data ? o->sep.data : "",
			.sep_len = o->sep.len,
			.unset = o->unset.data ? o->unset.data : "",
			.template = o->has_template ? &o->template : NULL,
		},
	};
}

/* The file of the frames that match is complete only when it was closed. */
static int finish_captures(struct extract_captures *captures, const struct extract_options *options)
{
	int error = extract_captures_done(captures);

	if (error)
		cli_warn("cannot write %s: %s: it lacks frames", options->out, strerror(error));
	return error;
}

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
	(void)number;
	stopped = 1;
}

/* Without SA_RESTART: the wait for frames ends. */
static void listen_at(struct extract_job *job, const char *interface)
{
	const struct sigaction action = { .sa_handler = on_stop };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	extract_job_live(job, interface, &stopped);
}

static int run(const struct extract_options *options, const struct search *search,
	       const struct extract_range_rule *range, const struct pattern *separator,
	       struct extract_captures *captures)
{
	static char standard_input[] = EXTRACT_STDIN;
	char *only[] = { standard_input };
	char **files = options->n_files ? options->files : only;
	size_t n = options->n_files ? options->n_files : 1;
	struct extract_job job = {
		.threads = options->threads,
		.captures = options->text ? NULL : &captures->search,
	};
	struct extract_progress progress;
	int code;

	make_plan(options, search, range, separator, &job.plan);
	extract_progress_init(&progress, files, n);
	job.plan.data = &progress;
	if (extract_job_init(&job, STDOUT_FILENO)) {
		fputs("tapwarden: out of memory: nothing was searched\n", stderr);
		return CLI_BAD;
	}
	if (options->live)
		listen_at(&job, options->live);
	for (size_t i = 0; i < n && !options->live && !extract_out_stopped(&job.out); i++)
		extract_job_file(&job, files[i]);
	extract_progress_done(&progress);
	code = finish(&job, options);
	extract_job_done(&job);
	return code;
}

int cmd_extract(int argc, char **argv)
{
	struct extract_options options;
	struct config *config = NULL;
	struct extract_range_rule range = { .begin = NULL };
	struct pattern *separator = NULL;
	struct extract_captures captures;
	struct rules rules = { .owned = false };
	struct search search = { .n = 0 };
	struct err err;
	int code = extract_options_read(argc, argv, &options, &err);

	/* write(2) tells it too. */
	signal(SIGPIPE, SIG_IGN);
	if (code) {
		code = cli_fail(&err, "`tapwarden help extract` explains the words");
		goto out;
	}
	if (options.names.n &&
	    cli_config(options.config ? options.config : CONFIG_DEFAULT_PATH, &config) != 0) {
		code = CLI_BAD;
		goto out;
	}
	if (choose_rules(&options, config, &rules, &err) ||
	    compile(&options, &rules, &search, &err) ||
	    compile_range(&options, &rules, &range, &err) ||
	    compile_separator(&options, &separator, &err) ||
	    extract_captures_init(&captures, &options, rules.confs, rules.n, config, &err)) {
		code = cli_fail(&err, "nothing was searched");
		goto out;
	}
	code = run(&options, &search, &range, separator, &captures);
	if (finish_captures(&captures, &options))
		code = CLI_BAD;
out:
	if (rules.owned)
		free(rules.confs);
	pattern_free(separator);
	extract_range_rule_done(&range);
	search_done(&search);
	config_free(config);
	extract_options_done(&options);
	return code;
}
