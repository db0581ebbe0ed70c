/*
 * What `extract` needs for captures beside the patterns: the frames' filter, the file of those that
 * match, and the memory of streams. Edge: opens that file.
 */
#ifndef TW_EXTRACT_CAPTURES_H
#define TW_EXTRACT_CAPTURES_H

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "agent/extract_options.h"
#include "capture/capture_search.h"

struct extract_captures {
	struct capture_search search;
	struct pcapng_file file;
	bool writes;
	char host[256];
};

/*
 * Sets the scope of `confs`, which outlive this, when one was asked for. `config` may be NULL. 0,
 * or a negative errno with what is wrong.
 */
int extract_captures_init(struct extract_captures *captures, const struct extract_options *options,
			  struct pattern_conf *confs, size_t n, const struct config *config,
			  struct err *err);

/* 0, or the errno of a frame that could not be written. */
int extract_captures_done(struct extract_captures *captures);

#endif
