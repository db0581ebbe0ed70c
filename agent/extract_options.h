/* The words of `tapwarden extract`, as plain data. Edge: reads the files of -f. */
#ifndef TW_EXTRACT_OPTIONS_H
#define TW_EXTRACT_OPTIONS_H

#include "agent/base/buf.h"
#include "agent/base/config.h"
#include "agent/base/err.h"
#include "capture/extract_job.h"

struct extract_options {
	struct pattern_conf *patterns; /* of the words; their texts are owned */
	size_t n;
	struct pattern_conf separator; /* --rs, owned; regex is NULL: none */
	struct pattern_conf range; /* --begin and --end, owned; NULL: none */
	const char *config; /* -c; NULL: not given */
	struct strv names; /* --pattern: of the configuration */
	struct extract_policy policy;
	struct hit_template template;
	bool has_template;
	struct buf sep, unset;
	enum extract_show show;
	unsigned int threads;
	bool json, stats, whole, lines, names_on, names_off, offsets, nul, raw;
	bool color_on, color_off;
	/* Of captures. */
	bool has_scope, text; /* text: whatever it looks like */
	enum pattern_scope scope;
	const char *bpf, *out, *live; /* of argv; NULL: not given */
	char **files; /* of argv */
	size_t n_files;
};

/*
 * 0; -EINVAL with what is wrong, as the verb's errors are worded; -ENOMEM. `ret` is to be freed in
 * any case.
 */
int extract_options_read(int argc, char **argv, struct extract_options *ret, struct err *err);
void extract_options_done(struct extract_options *options);

#endif
