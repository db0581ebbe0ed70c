/* What the status tells of the logs that are followed. Edge: asks how large they are. */
#ifndef TW_STATUS_LOGS_H
#define TW_STATUS_LOGS_H

#include <jansson.h>

#include "agent/log_files.h"

/*
 * [name, file, state "followed", "missing" or "starting", error, lines, bytes, matches, limited,
 * cut, skipped, files_lost, ranges_lost, notes_lost (times that notes of renames were), behind
 * (bytes that are not read yet; of a file before the last one they are not counted)]
 */
json_t *status_logs_json(const struct log_files *files);

#endif
