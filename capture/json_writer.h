/*
 * JSON for the hot path: values go straight into a buffer, a comma where one is due.
 *
 * Pure. Nothing is checked that the caller's code fixes (pairs of begin and end, keys in objects
 * only); whatever came from outside is escaped. Whether all fitted is asked once, of the buffer.
 */
#ifndef TW_JSON_WRITER_H
#define TW_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"

struct json_writer {
	struct buf *out;
	bool comma; /* a value precedes in this object or array */
};

/* `key` is NULL inside an array and for the outermost value; keys are written as they are. */
void jw_object(struct json_writer *w, const char *key);
void jw_object_end(struct json_writer *w);
void jw_array(struct json_writer *w, const char *key);
void jw_array_end(struct json_writer *w);
void jw_null(struct json_writer *w, const char *key);
void jw_bool(struct json_writer *w, const char *key, bool value);
void jw_u64(struct json_writer *w, const char *key, uint64_t value);
void jw_i64(struct json_writer *w, const char *key, int64_t value);

/*
 * With two digits behind the point; 0 for what a fast link's rates never are (1e15 and above, NaN).
 */
void jw_hundredths(struct json_writer *w, const char *key, double value);

/* A value that is JSON already. */
void jw_raw(struct json_writer *w, const char *key, const char *json);

/*
 * U+0000 to U+001F, U+007F to U+009F, quotes and backslashes are escaped: a record printed as it
 * is cannot steer a terminal. A byte that is not UTF-8 becomes U+FFFD.
 */
void jw_string(struct json_writer *w, const char *key, const void *data, size_t len);
void jw_text(struct json_writer *w, const char *key, const char *text);

/* RFC 4648 section 4, padded. */
void jw_base64(struct json_writer *w, const char *key, const void *data, size_t len);

/* Printable ASCII, CR and LF as they are, a dot for every other byte, as Suricata does. */
void jw_printable(struct json_writer *w, const char *key, const void *data, size_t len);

#endif
