/* What a verb answers, as text or as JSON, on stdout. */
#ifndef TW_CLI_PRINT_H
#define TW_CLI_PRINT_H

#include <jansson.h>

#include "agent/base/buf.h"

/*
 * Prints and frees. CLI_DONE; without memory, which is a `text` that failed or a `json` of NULL,
 * CLI_BAD with "cannot print WHAT" on stderr. That stdout took it, cli_flush() says.
 */
int cli_print_text(struct buf *text, const char *what);
int cli_print_json(json_t *json, const char *what);

#endif
