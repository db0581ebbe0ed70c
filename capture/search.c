#include "capture/search.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int rule_init(struct search_rule *rule, const struct pattern_conf *conf, struct err *err)
{
	const struct literal_set *required;
	int code = pattern_compile(conf, &rule->pattern, err);

	if (code)
		return code;
	rule->name = conf->head.name;
	required = pattern_required(rule->pattern);
	rule->has_finder = required->n > 0;
	if (rule->has_finder)
		literal_finder_init(&rule->finder, required);
	return 0;
}

/* Whether the rule has no group to tell but the whole match. */
static bool tells_whole(const struct pattern *pattern)
{
	return pattern_n_groups(pattern) == 1 && strcmp(pattern_group_name(pattern, 0), "0") == 0;
}

static bool has_simd(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
#else
	return false;
#endif
}

/* Worth it for one rule, which then has the whole text for itself. */
static int find_straight(struct search *search, const struct pattern_conf *conf)
{
	const struct straight_options options = { conf->caseless, conf->dotall };
	struct search_rule *rule = &search->rules[0];
	struct straight *straight;

	if (search->n != 1 || search->policy.starts || conf->utf || !tells_whole(rule->pattern))
		return 0;
	straight = malloc(sizeof(*straight));
	if (!straight)
		return -ENOMEM;
	if (straight_compile(pattern_text(rule->pattern), &options, pattern_required(rule->pattern),
			     has_simd(), straight))
		rule->straight = straight;
	else
		free(straight);
	return 0;
}

/* Those that have no text are tried where there is their shape, or everywhere. */
static int make_shapes(struct search *search, const struct pattern_conf *confs)
{
	const uint32_t *textless;
	size_t n;

	textless = prefilter_always(search->prefilter, &n);
	search->always = calloc(n + 1, sizeof(*search->always));
	search->shapes = malloc(sizeof(*search->shapes));
	if (!search->always || !search->shapes)
		return -ENOMEM;
	shapes_init(search->shapes);
	for (size_t i = 0; i < n; i++) {
		const struct pattern_conf *conf = &confs[textless[i]];
		struct shape shape = { .len = 0 };

		if (!conf->utf)
			shape_read(pattern_text(search->rules[textless[i]].pattern), conf->caseless,
				   conf->dotall, &shape);
		search->rules[textless[i]].has_shape =
			shape.len && shapes_add(search->shapes, &shape, textless[i]);
		if (!search->rules[textless[i]].has_shape)
			search->always[search->n_always++] = textless[i];
	}
	if (!search->shapes->n) {
		free(search->shapes);
		search->shapes = NULL;
	}
	return 0;
}

static int make_prefilter(struct search *search, const struct pattern_conf *confs)
{
	const struct literal_set **sets;
	int code;

	if (search->n < 2)
		return 0;
	sets = calloc(search->n, sizeof(*sets));
	if (!sets)
		return -ENOMEM;
	for (size_t i = 0; i < search->n; i++)
		sets[i] = pattern_required(search->rules[i].pattern);
	code = prefilter_new(sets, search->n, true, &search->prefilter);
	free(sets);
	return code ? code : make_shapes(search, confs);
}

int search_init(struct search *search, const struct pattern_conf *confs, size_t n,
		const struct extract_policy *policy, size_t *ret_faulty, struct err *err)
{
	*search = (struct search){ .policy = *policy };
	search->rules = calloc(n + 1, sizeof(*search->rules));
	if (!search->rules)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		int code = rule_init(&search->rules[i], &confs[i], err);

		if (code) {
			*ret_faulty = i;
			search_done(search);
			return code;
		}
		search->n++;
	}
	if ((n && find_straight(search, &confs[0])) || make_prefilter(search, confs)) {
		search_done(search);
		return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

void search_done(struct search *search)
{
	for (size_t i = 0; i < search->n; i++) {
		pattern_free(search->rules[i].pattern);
		free(search->rules[i].straight);
	}
	prefilter_free(search->prefilter);
	free(search->shapes);
	free(search->always);
	free(search->rules);
	*search = (struct search){ 0 };
}

void search_count_add(struct search_count *sum, const struct search_count *more)
{
	sum->matches += more->matches;
	sum->limited += more->limited;
	sum->failed += more->failed;
	sum->left_out += more->left_out;
	sum->overflowed += more->overflowed;
}
