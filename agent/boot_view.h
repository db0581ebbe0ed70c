/* What boot verbs found, printed as lines or as JSON. */
#ifndef TW_BOOT_VIEW_H
#define TW_BOOT_VIEW_H

#include <jansson.h>

#include "web/finding.h"

/* FILE:LINE: level: text, one a line, on stdout. */
void findings_print(const struct findings *findings, const char *name);

/* [{ "line", "level", "text" }], or NULL without memory. */
json_t *findings_json(const struct findings *findings);

/* CLI_NO when there is an error or a warning, else CLI_DONE. */
int findings_code(const struct findings *findings);

/* A string of JSON that holds `text`, bytes that are no UTF-8 as \xNN; NULL without memory. */
json_t *boot_json_text(const char *text);

/* `text` on stdout, bytes that are no printable ASCII as \xNN. */
void boot_print_text(const char *text);

#endif
