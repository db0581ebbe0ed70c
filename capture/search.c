#include "capture/search.h"

#include <errno.h>
#include <stdlib.h>

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
	return 0;
}

void search_done(struct search *search)
{
	for (size_t i = 0; i < search->n; i++)
		pattern_free(search->rules[i].pattern);
	free(search->rules);
	*search = (struct search){ 0 };
}

void search_count_add(struct search_count *sum, const struct search_count *more)
{
	sum->matches += more->matches;
	sum->limited += more->limited;
	sum->failed += more->failed;
	sum->overflowed += more->overflowed;
}
