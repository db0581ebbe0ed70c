/*
 * A text with places for groups: "${name} and ${1:-none}".
 *
 * Pure.
 */
#ifndef TW_HIT_TEMPLATE_H
#define TW_HIT_TEMPLATE_H

#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/config.h"
#include "agent/base/err.h"

/* Literal text, then a group; the last piece may be without. */
struct template_piece {
	char *text;
	size_t text_len;
	char *group; /* NULL: none */
	char *unset; /* what stands for a group that took no part; NULL: nothing given */
	size_t number; /* of the group among those that the template names */
};

struct hit_template {
	struct template_piece *v;
	size_t n;
	struct strv groups; /* that it names, each once, in order */
};

/*
 * "$$" is a dollar, and \n \t \0 \\ are what they are in C. -EINVAL with the place, -ENOMEM.
 * `template` is to be freed in any case.
 */
int hit_template_parse(const char *text, struct hit_template *template, struct err *err);
void hit_template_done(struct hit_template *template);

/* The text with \n \t \0 \\ replaced, for whoever has no groups; -EINVAL, -ENOMEM. */
int hit_text_parse(const char *text, struct buf *out, struct err *err);

#endif
