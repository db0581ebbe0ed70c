#include "capture/explain_pattern.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/pattern.h"
#include "capture/pattern_lint.h"
#include "capture/stream_match.h"

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
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
	/* A window grows by doubling, up to what holds the bound and what is looked back at. */
	ret->stream_max = ret->tail + 2 * (max + ret->lookback);
	copy_text(ret->jit_reason, sizeof(ret->jit_reason), reason);
	regex_engine(ret->engine, sizeof(ret->engine));
	code = ret->text ? pattern_lint(conf, pattern, ret) : -ENOMEM;
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
