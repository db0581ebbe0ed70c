#include "capture/ruleset.h"

#include <errno.h>
#include <stdlib.h>

#define MASK_WORDS (sizeof(((struct rule_mask *)NULL)->bits) / sizeof(uint64_t))

/* FNV-1a of the name, never 0 and positive as a signed 32-bit number, which readers may use. */
static uint32_t derived_id(const char *name)
{
	uint32_t h = 0x811c9dc5u;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 0x01000193u;
	h &= 0x7fffffffu;
	return h ? h : 1;
}

static void rule_done(struct rule *rule)
{
	if (rule->range) {
		pattern_free(rule->range->begin);
		pattern_free(rule->range->end);
	}
	free(rule->range);
	free(rule->finder);
	pattern_free(rule->pattern);
	*rule = (struct rule){ 0 };
}

static int init_range(struct rule *rule, struct err *err)
{
	const struct pattern_conf *conf = rule->conf;
	struct pattern *begin = NULL, *end = NULL;
	int code;

	if (!conf->begin || !conf->end)
		return 0;
	rule->range = calloc(1, sizeof(*rule->range));
	if (!rule->range)
		return err_set(err, -ENOMEM, "out of memory");
	code = pattern_compile_delimiter(conf, conf->begin, "begin", &begin, err);
	if (!code)
		code = pattern_compile_delimiter(conf, conf->end, "end", &end, err);
	*rule->range = (struct range_stream_rule){
		.conf = &conf->range,
		.begin = begin,
		.end = end,
		.inner = rule->pattern,
		.max = RULE_MATCH_MAX,
	};
	return code;
}

/* The texts of which one is in every payload that the rule matches in. */
static const struct literal_set *required_of(const struct rule *rule)
{
	return pattern_required(rule->range ? rule->range->begin : rule->pattern);
}

static int init_finder(struct rule *rule, struct err *err)
{
	if (!required_of(rule)->n)
		return 0;
	rule->finder = malloc(sizeof(*rule->finder));
	if (!rule->finder)
		return err_set(err, -ENOMEM, "out of memory");
	literal_finder_init(rule->finder, required_of(rule));
	return 0;
}

static int rule_init(struct rule *rule, const struct pattern_conf *conf, struct err *err)
{
	int code = pattern_compile(conf, &rule->pattern, err);

	if (code)
		return err_prefix(err, code, "[pattern %s]", conf->head.name);
	rule->conf = conf;
	rule->signature_id = conf->id ? conf->id : derived_id(conf->head.name);
	code = init_range(rule, err);
	if (code)
		err_prefix(err, code, "[pattern %s]", conf->head.name);
	else
		code = init_finder(rule, err);
	if (code)
		rule_done(rule);
	return code;
}

static int make_prefilter(struct ruleset *set)
{
	const struct literal_set **required = calloc(set->n + 1, sizeof(*required));
	int code = -ENOMEM;

	for (size_t i = 0; required && i < set->n; i++)
		required[i] = required_of(&set->rules[i]);
	if (required)
		code = prefilter_new(required, set->n, true, &set->prefilter);
	if (!code)
		code = prefilter_choice_init(&set->choice, set->prefilter);
	free(required);
	return code;
}

static void make_shapes(struct ruleset *set)
{
	shapes_init(&set->shapes);
	for (size_t i = 0; i < set->n; i++) {
		const struct pattern_conf *conf = set->rules[i].conf;
		struct shape shape;

		if (required_of(&set->rules[i])->n || conf->utf || set->rules[i].range)
			continue;
		shape_read(pattern_text(set->rules[i].pattern), conf->caseless, conf->dotall,
			   &shape);
		/* Those that there is no room for are tried on every payload. */
		if (shape.len)
			(void)shapes_add(&set->shapes, &shape, (uint32_t)i);
	}
}

int ruleset_init(struct ruleset *set, const struct config *config, struct err *err)
{
	int code;

	*set = (struct ruleset){ .policy = &extract_live };
	if (config->n_patterns > STATS_PATTERNS_MAX)
		return err_set(err, -E2BIG, "more than %u patterns", STATS_PATTERNS_MAX);
	if (regex_scratch_new(&set->scratch))
		return err_set(err, -ENOMEM, "out of memory");
	set->rules = calloc(config->n_patterns + 1, sizeof(*set->rules));
	if (!set->rules) {
		regex_scratch_free(set->scratch);
		return err_set(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < config->n_patterns; i++) {
		code = rule_init(&set->rules[i], &config->patterns[i], err);
		if (code)
			goto fail;
		set->n++;
		set->n_jit += regex_jit(pattern_regex(set->rules[i].pattern), NULL);
	}
	code = make_prefilter(set);
	make_shapes(set);
	if (!code)
		return 0;
	err_set(err, code, "out of memory");
fail:
	ruleset_done(set);
	return code;
}

void ruleset_done(struct ruleset *set)
{
	for (size_t i = 0; i < set->n; i++)
		rule_done(&set->rules[i]);
	free(set->rules);
	regex_scratch_free(set->scratch);
	prefilter_choice_done(&set->choice);
	prefilter_free(set->prefilter);
	*set = (struct ruleset){ 0 };
}

void ruleset_select(const struct ruleset *set, const struct strv *patterns, struct rule_mask *ret)
{
	*ret = (struct rule_mask){ 0 };
	for (size_t i = 0; i < set->n; i++) {
		if (config_wants_pattern(patterns, set->rules[i].conf->head.name))
			mask_add(ret, i);
	}
}

struct told {
	const struct rule *rule;
	const struct ruleset_ops *ops;
	void *data;
	size_t n;
	enum extract_result result;
};

static void on_match(void *data, const struct extract_match *match)
{
	const struct told *told = data;

	told->ops->match(told->data, told->rule, match);
}

/* ---- inside ranges --------------------------------------------------------------------------- */

static void shift(struct span *span, size_t by)
{
	if (!span_is_set(*span))
		return;
	span->start += by;
	span->end += by;
}

/* The spans of a hit count from where its range begins; those of a payload from its beginning. */
static void on_range_hit(void *data, const struct hit *hit)
{
	struct span groups[PATTERN_GROUPS_MAX];
	struct told *told = data;
	struct extract_match match = { hit->match->whole, groups };

	shift(&match.whole, (size_t)hit->offset);
	for (size_t i = 0; i < pattern_n_groups(told->rule->pattern); i++) {
		groups[i] = hit->match->groups[i];
		shift(&groups[i], (size_t)hit->offset);
	}
	told->n++;
	on_match(told, &match);
}

static void on_range_loss(void *data, enum stream_loss why, uint64_t from, uint64_t to)
{
	static const enum extract_result results[STREAM_LOSSES] = {
		[STREAM_LOSS_OVERFLOW] = EXTRACT_LIMIT, [STREAM_LOSS_LIMIT] = EXTRACT_LIMIT,
		[STREAM_LOSS_ERROR] = EXTRACT_ERROR,	[STREAM_LOSS_TOO_MANY] = EXTRACT_TOO_MANY,
		[STREAM_LOSS_MEMORY] = EXTRACT_ERROR,
	};
	struct told *told = data;

	(void)from;
	(void)to;
	told->result = results[why];
}

static const struct stream_match_ops range_ops = { .match = on_range_hit, .loss = on_range_loss };

static void run_in_ranges(const struct ruleset *set, const uint8_t *payload, size_t len,
			  struct told *told)
{
	struct range_stream ranges;

	if (range_stream_init(&ranges, told->rule->range, set->policy, &range_ops, told)) {
		told->result = EXTRACT_ERROR;
		return;
	}
	range_stream_feed(&ranges, set->scratch, payload, len);
	range_stream_end(&ranges, set->scratch);
	range_stream_done(&ranges);
}

/* ---- payloads -------------------------------------------------------------------------------- */

static size_t rule_run(const struct ruleset *set, size_t i, struct stats_pattern *stats,
		       const uint8_t *payload, size_t len, const struct ruleset_ops *ops,
		       void *data)
{
	struct told told = { .rule = &set->rules[i], .ops = ops, .data = data };

	if (told.rule->range)
		run_in_ranges(set, payload, len, &told);
	else
		told.result = extract(told.rule->pattern, set->policy, set->scratch, payload, len,
				      on_match, &told, &told.n);
	stat_add(&stats->tried, 1);
	stat_add(&stats->matches, told.n);
	if (told.result == EXTRACT_DONE)
		return told.n;
	stat_add(&stats->limited, 1);
	ops->gave_up(data, told.rule, told.result);
	return told.n;
}

/* So few rules are found faster one by one, each by the rarest bytes of its own text. */
#define FEW 2

static void choose(const struct ruleset *set, const uint8_t *payload, size_t len)
{
	uint64_t found = 0;

	if (set->n > FEW) {
		prefilter_clear(set->prefilter, &set->choice);
		prefilter_choose(set->prefilter, payload, len, &set->choice);
		if (set->shapes.n)
			shapes_choose(&set->shapes, payload, len, set->choice.rules);
		return;
	}
	for (size_t i = 0; i < set->n; i++) {
		const struct literal_finder *finder = set->rules[i].finder;

		if (!finder || literal_find(finder, payload, len))
			found |= UINT64_C(1) << i;
	}
	set->choice.rules[0] = found;
}

static uint64_t candidates(const struct ruleset *set, const struct rule_mask *mask, size_t word)
{
	return mask->bits[word] & (set->try_all ? UINT64_MAX : set->choice.rules[word]);
}

size_t ruleset_run(const struct ruleset *set, const struct rule_mask *mask,
		   const struct rule_mask *parked, struct stats_pattern *stats,
		   const uint8_t *payload, size_t len, const struct ruleset_ops *ops, void *data)
{
	size_t n = 0;

	if (!set->try_all)
		choose(set, payload, len);
	for (size_t word = 0; word < MASK_WORDS && word * 64 < set->n; word++) {
		for (uint64_t bits = candidates(set, mask, word); bits; bits &= bits - 1) {
			size_t i = word * 64 + (size_t)__builtin_ctzll(bits);

			if (mask_has(parked, i))
				stat_add(&stats[i].skipped, 1);
			else
				n += rule_run(set, i, &stats[i], payload, len, ops, data);
		}
	}
	return n;
}
