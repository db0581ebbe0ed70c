/*
 * A pattern that somebody tries: what it finds in texts that come with it, and how it runs.
 *
 * Pure.
 */
#ifndef TW_TRIAL_H
#define TW_TRIAL_H

#include <jansson.h>

#include "agent/base/err.h"

#define TRIAL_REQUEST_MAX  (256u << 10)
#define TRIAL_SUBJECTS_MAX 512

/*
 * `request`: {"regex", "preceded-by", "followed-by", "begin", "end", "include": text, "caseless",
 * "multiline", "dotall", "utf": boolean, "scope": "packet" or "stream", "groups": [name],
 * "subjects": [base64]}, as the keys of a [pattern]; all but "regex" may be left out. The answer is
 * {"explained": see explain_json.h, "groups": [name], "subjects": [{"result": "done", "too-many",
 * "limit" or "error", "matches": [{"offset", "length", "groups": [{"offset", "length"} or
 * null]}]}]}, each subject searched by itself.
 *
 * 0, or -EINVAL with the text for who asked, -ENOMEM.
 */
int trial(const json_t *request, json_t **ret, struct err *err);

#endif
