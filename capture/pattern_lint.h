/*
 * What in the text of a pattern its author may not have meant. Pure.
 */
#ifndef TW_PATTERN_LINT_H
#define TW_PATTERN_LINT_H

#include "capture/explain_pattern.h"
#include "capture/pattern.h"

/* Adds what is found to explained->lints. -ENOMEM. */
int pattern_lint(const struct pattern_conf *conf, const struct pattern *pattern,
		 struct pattern_explained *explained);

#endif
