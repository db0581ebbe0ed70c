/* Times as people and programs write them. Pure. */
#ifndef TW_PARSE_TIME_H
#define TW_PARSE_TIME_H

#include <stdint.h>

#include "agent/base/err.h"

/* Its nanoseconds are a 64-bit number. */
#define PARSE_TIME_SECONDS_MAX 9999999999

/*
 * A time in nanoseconds of Unix time, from its seconds ("1764385200") or a date-time by RFC 3339
 * section 5.6: "2025-11-29T03:00:00Z", "2025-11-29T04:00:00.5+01:00". The whole text must be one.
 * Of a fraction nine digits count; the second 60 is the one after 59. Returns 0 or -EINVAL with the
 * reason in `err`, and leaves `ret_ns` untouched on failure.
 */
int parse_time(const char *s, uint64_t *ret_ns, struct err *err);

#endif
