/* tapwarden explain: how a pattern runs, and what is unwise about it. */
#include "agent/cli.h"

#include <getopt.h>
#include <jansson.h>
#include <string.h>

#include "agent/cli_print.h"
#include "capture/explain_json.h"
#include "capture/explain_pattern.h"
#include "capture/sift.h"

enum word {
	WORD_JSON = 256,
	WORD_PRECEDED,
	WORD_FOLLOWED,
	WORD_BEGIN,
	WORD_END,
	WORD_SCOPE,
	WORD_UTF,
	WORD_MULTILINE,
	WORD_DOTALL,
	WORD_LIMIT,
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "regex", required_argument, NULL, 'e' },
	{ "ignore-case", no_argument, NULL, 'i' },
	{ "json", no_argument, NULL, WORD_JSON },
	{ "preceded-by", required_argument, NULL, WORD_PRECEDED },
	{ "followed-by", required_argument, NULL, WORD_FOLLOWED },
	{ "begin", required_argument, NULL, WORD_BEGIN },
	{ "end", required_argument, NULL, WORD_END },
	{ "scope", required_argument, NULL, WORD_SCOPE },
	{ "utf", no_argument, NULL, WORD_UTF },
	{ "multiline", no_argument, NULL, WORD_MULTILINE },
	{ "dotall", no_argument, NULL, WORD_DOTALL },
	{ "match-limit", required_argument, NULL, WORD_LIMIT },
	{ 0 },
};

struct words {
	const char *config;
	const char *name; /* of a pattern of the configuration; NULL: -e */
	struct pattern_conf conf; /* of -e and the words beside it */
	bool json;
};

/* ---- words ---------------------------------------------------------------------------------- */

static bool read_number(const char *text, uint32_t *ret)
{
	uint64_t number;

	if (parse_u64(text, 1, UINT32_MAX, &number, NULL))
		return false;
	*ret = (uint32_t)number;
	return true;
}

static bool read_word(int word, char *value, struct words *w)
{
	switch (word) {
	case 'c':
		w->config = value;
		return true;
	case 'e':
		w->conf.regex = value;
		return true;
	case 'i':
		return w->conf.caseless = true;
	case WORD_JSON:
		return w->json = true;
	case WORD_PRECEDED:
		w->conf.preceded_by = value;
		return true;
	case WORD_FOLLOWED:
		w->conf.followed_by = value;
		return true;
	case WORD_BEGIN:
		w->conf.begin = value;
		return true;
	case WORD_END:
		w->conf.end = value;
		return true;
	case WORD_SCOPE:
		w->conf.scope = strcmp(value, "stream") == 0 ? SCOPE_STREAM : SCOPE_PACKET;
		return w->conf.scope == SCOPE_STREAM || strcmp(value, "packet") == 0;
	case WORD_UTF:
		return w->conf.utf = true;
	case WORD_MULTILINE:
		return w->conf.multiline = true;
	case WORD_DOTALL:
		return w->conf.dotall = true;
	case WORD_LIMIT:
		return read_number(value, &w->conf.match_limit);
	default:
		return false;
	}
}

/* 0 or CLI_BAD. */
static int read_words(int argc, char **argv, struct words *w)
{
	int word;

	*w = (struct words){
		.config = CONFIG_DEFAULT_PATH,
		.conf = { .head.name = "-e", .match_limit = 100000, .quarantine_after = 10 },
	};
	optind = 1;
	while ((word = getopt_long(argc, argv, ":c:e:i", longs, NULL)) != -1) {
		if (!read_word(word, optarg, w))
			return cli_usage_option(argv, word);
	}
	if (!w->conf.regex && optind < argc)
		w->name = argv[optind++];
	if (optind < argc || (!w->name && !w->conf.regex))
		return cli_usage("explain", optind < argc ? argv[optind] : NULL);
	return 0;
}

/* ---- showing -------------------------------------------------------------------------------- */

static void show_prefilter(const struct pattern_explained *ex, struct buf *out)
{
	const struct literal_set *required = &ex->required;

	buf_adds(out, "prefilter  ");
	if (!required->n) {
		buf_adds(out, ex->shape ? "no text; beside other patterns, tried where a few bytes "
					  "in a row are of its sets\n"
					: "none: tried on every payload\n");
		return;
	}
	buf_addf(out, "tried where there is%s", required->n > 1 ? " one of" : "");
	for (size_t i = 0; i < required->n; i++) {
		buf_adds(out, " \"");
		explain_add_text(out, &required->v[i]);
		buf_addc(out, '"');
	}
	buf_adds(out, required->caseless ? " in either case\n" : "\n");
}

static void show_kept(const struct pattern_explained *ex, struct buf *out)
{
	if (ex->tail)
		buf_addf(
			out,
			"streams    %zu bytes of each direction are kept until a text comes; at worst "
			"%zu\n",
			ex->tail, ex->stream_max);
	else
		buf_addf(
			out,
			"streams    every byte is searched; of each direction at worst %zu bytes are "
			"kept\n",
			ex->stream_max);
}

static int print_text(const struct pattern_conf *conf, const struct pattern_explained *ex)
{
	struct buf out;

	buf_init(&out, 1 << 20);
	buf_addf(&out, "pattern    %s, scope %s\n", conf->head.name,
		 conf->scope == SCOPE_STREAM ? "stream" : "packet");
	buf_addf(&out, "regex      %s\n", ex->text);
	if (ex->ranges)
		buf_addf(&out, "ranges     from %s to %s\n", conf->begin, conf->end);
	buf_addf(&out, "engine     %s, %s\n", ex->engine, conf->utf ? "UTF-8" : "bytes");
	if (ex->jit)
		buf_addf(&out, "jit        on: %zu bytes of machine code\n", ex->jit_bytes);
	else
		buf_addf(&out, "jit        off: %s\n", ex->jit_reason);
	if (ex->straight)
		buf_adds(&out, "lines      searched without PCRE2 when it is the only pattern\n");
	show_prefilter(ex, &out);
	if (conf->scope == SCOPE_STREAM)
		show_kept(ex, &out);
	buf_addf(&out, "limit      %u steps of one search\n", conf->match_limit);
	for (size_t i = 0; i < ex->n_lints; i++)
		buf_addf(&out, "lint       %s: %s\n", ex->lints[i].name, ex->lints[i].text);
	return cli_print_text(&out, "what was found");
}

/* ---- the verb ------------------------------------------------------------------------------- */

static int explain(const struct pattern_conf *conf, bool json)
{
	struct pattern_explained ex;
	struct err err;
	int code;

	if (explain_pattern(conf, SIFT_MATCH_MAX, &ex, &err))
		return cli_fail(&err, NULL);
	code = json ? cli_print_json(explain_json(conf, &ex), "what was found")
		    : print_text(conf, &ex);
	explain_pattern_done(&ex);
	return code;
}

int cmd_explain(int argc, char **argv)
{
	const struct pattern_conf *conf;
	struct config *config = NULL;
	struct words words;
	struct err err;
	int code = read_words(argc, argv, &words);

	if (code)
		return code;
	conf = &words.conf;
	if (words.name) {
		code = cli_config(words.config, &config);
		if (code)
			return code;
		conf = cli_pattern(config, words.name, &err);
	}
	code = conf ? explain(conf, words.json) : cli_fail(&err, NULL);
	config_free(config);
	return cli_flush(code);
}
