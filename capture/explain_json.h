/* What is known of a pattern, as JSON. Pure. */
#ifndef TW_EXPLAIN_JSON_H
#define TW_EXPLAIN_JSON_H

#include <jansson.h>

#include "agent/base/buf.h"

#include "capture/explain_pattern.h"

/* Bytes as people write them: what is not printable ASCII as \xNN. */
void explain_add_text(struct buf *out, const struct literal *text);

/*
 * {"name", "scope", "regex", "engine", "jit": {"on", "reason", "bytes"}, "captures",
 * "prefilter": {"texts", "caseless"}, "lookback", "stream": {"tail", "worst"}, "match_limit",
 * "lints": [{"name", "text"}]}; NULL without memory.
 */
json_t *explain_json(const struct pattern_conf *conf, const struct pattern_explained *ex);

#endif
