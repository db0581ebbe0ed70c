/*
 * What OpenMetrics text is made of, and how a sample is found in the JSON that it is told from.
 * Pure.
 */
#ifndef TW_METRICS_TEXT_H
#define TW_METRICS_TEXT_H

#include <jansson.h>
#include <stdbool.h>

#include "agent/base/buf.h"

/* A member's text, "" when there is none; it is the object's. */
const char *metrics_text(const json_t *object, const char *key);

/* "a.b.c" from object to object; 0 when there is nothing. */
double metrics_number(const json_t *object, const char *path);

/* The two lines that begin a family. */
void metrics_add_type(struct buf *out, const char *name, const char *type, const char *help);

/*
 * A label, and `{` or `,` before it: backslash, quote and newline are escaped ("escaped-string").
 */
void metrics_add_label(struct buf *out, bool first, const char *name, const char *value);

/* A sample's value and the end of its line. */
void metrics_add_number(struct buf *out, double n);

#endif
