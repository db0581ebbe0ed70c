/* Whether the words of `tapwarden extract` make sense together. Edge, as they are. */
#ifndef TW_EXTRACT_JUDGE_H
#define TW_EXTRACT_JUDGE_H

#include "agent/extract_options.h"
#include "agent/extract_patterns.h"

/* 0, or -EINVAL with what is wrong, as the verb's errors are worded. */
int extract_judge(const struct extract_options *options, const struct extract_words *words,
		  struct err *err);

#endif
