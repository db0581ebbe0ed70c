/* A file being written, with values of a language in it: the first that fails ends it. Pure. */
#ifndef TW_TEXT_OUT_H
#define TW_TEXT_OUT_H

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "web/encode.h"

struct text_out {
	struct buf *buf;
	struct err *err; /* of the first failure */
	int code; /* 0, or that of the first failure: nothing is appended after it */
};

/* Text of our own: it holds no value that a configuration gave. */
void text_add(struct text_out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* As text_add(), of any length and without a format. */
void text_raw(struct text_out *out, const char *text);

/* `before`, `value` in the language of `encode`, `after`. `what` names the value in errors. */
void text_put(struct text_out *out, encoder encode, const char *before, const char *what,
	      const char *value, const char *after);

/* Refuses the file; the first refusal stays. */
void text_refuse(struct text_out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
