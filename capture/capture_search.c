#include "capture/capture_search.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void capture_search_init(struct capture_search *search, const struct capture_conf *conf)
{
	*search = (struct capture_search){ .conf = *conf };
	search->config.patterns = conf->patterns;
	search->config.n_patterns = conf->n_patterns;
}

void capture_search_done(struct capture_search *search)
{
	if (search->ready)
		ruleset_done(&search->rules);
	free(search->stats);
}

int capture_search_ready(struct capture_search *search, struct err *err)
{
	static char all[] = "all", *names[] = { all };
	const struct strv every = { .v = names, .n = 1 };
	int code;

	if (search->ready)
		return 0;
	if (getrandom(&search->seed, sizeof(search->seed), 0) != (ssize_t)sizeof(search->seed))
		return err_errno(err, -errno, "cannot have random numbers");
	free(search->stats);
	search->stats = calloc(search->conf.n_patterns + 1, sizeof(*search->stats));
	if (!search->stats)
		return err_set(err, -ENOMEM, "out of memory");
	code = ruleset_init(&search->rules, &search->config, err);
	if (code)
		return code;
	search->rules.policy = search->conf.policy;
	ruleset_select(&search->rules, &every, &search->mask);
	search->ready = true;
	return 0;
}
