/*
 * One regular expression of a [pattern] and its context, which are checked each by itself before
 * they are put together. Pure.
 */
#ifndef TW_PATTERN_COMPOSE_H
#define TW_PATTERN_COMPOSE_H

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "capture/regex.h"

struct pattern_composed {
	struct regex *regex;
	char *text; /* as it was compiled; both are the caller's, for regex_free() and free() */
	const char *note; /* what the author should know of it, or NULL */
};

/* 0; -EINVAL with which key is wrong, why, and at which offset; -ENOMEM. */
int pattern_compose(const struct pattern_conf *conf, struct pattern_composed *ret, struct err *err);

/* The flags of `conf`, as REGEX_ bits. */
unsigned int pattern_regex_options(const struct pattern_conf *conf);

#endif
