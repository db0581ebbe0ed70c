#include "capture/explain_pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pattern.h"
#include "capture/pattern_lint.h"
#include "capture/search.h"
#include "capture/stream_match.h"

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

/* Inside ranges it is BEGIN that must be there, and all of a stream is looked at for it. */
static int explain_range(const struct pattern_conf *conf, struct pattern_explained *ex,
			 struct err *err)
{
	struct pattern *begin;
	int code;

	if (!conf->begin || !conf->end)
		return 0;
	code = pattern_compile_delimiter(conf, conf->begin, "begin", &begin, err);
	if (code)
		return code;
	ex->ranges = true;
	ex->required = *pattern_required(begin);
	ex->tail = 0;
	pattern_free(begin);
	return 0;
}

/* What `extract` makes of it, which has it alone. */
static int explain_search(const struct pattern_conf *conf, struct pattern_explained *ex,
			  struct err *err)
{
	const struct extract_policy policy = { .max = SIZE_MAX };
	struct search search;
	struct shape shape;
	size_t faulty;
	int code = search_init(&search, conf, 1, &policy, &faulty, err);

	if (code)
		return code;
	ex->straight = search.rules[0].straight != NULL;
	search_done(&search);
	if (!conf->utf && !ex->ranges && !ex->required.n) {
		shape_read(ex->text, conf->caseless, conf->dotall, &shape);
		ex->shape = shape.len > 0;
	}
	return 0;
}

int explain_pattern(const struct pattern_conf *conf, size_t max, struct pattern_explained *ret,
		    struct err *err)
{
	const char *reason = "";
	struct pattern *pattern;
	int code = pattern_compile(conf, &pattern, err);

	if (code)
		return code;
	*ret = (struct pattern_explained){
		.text = strdup(pattern_text(pattern)),
		.jit = regex_jit(pattern_regex(pattern), &reason),
		.jit_bytes = regex_jit_size(pattern_regex(pattern)),
		.captures = regex_captures(pattern_regex(pattern)),
		.required = *pattern_required(pattern),
		.lookback = pattern_lookback(pattern),
		.tail = stream_match_tail(pattern),
	};
	code = ret->text ? explain_range(conf, ret, err) : err_set(err, -ENOMEM, "out of memory");
	if (!code)
		code = explain_search(conf, ret, err);
	if (code) {
		pattern_free(pattern);
		explain_pattern_done(ret);
		return code;
	}
	/* A window grows by doubling, up to what holds the bound and what is looked back at. */
	ret->stream_max = ret->tail + 2 * (max + ret->lookback);
	copy_text(ret->jit_reason, sizeof(ret->jit_reason), reason);
	regex_engine(ret->engine, sizeof(ret->engine));
	code = pattern_lint(conf, pattern, ret);
	pattern_free(pattern);
	if (!code)
		return 0;
	explain_pattern_done(ret);
	return err_set(err, code, "out of memory");
}

void explain_pattern_done(struct pattern_explained *explained)
{
	free(explained->text);
	explained->text = NULL;
}
