/* The report of `reach` as people and programs read it. Pure. */
#ifndef TW_REACH_VIEW_H
#define TW_REACH_VIEW_H

#include <jansson.h>

#include "agent/base/buf.h"
#include "agent/reach_shots.h"
#include "netlink/reach.h"

/* `shots` has one entry per lower device that was probed; NULL when no frame was sent. */
void reach_view_text(const struct reach *reach, const struct reach_shots *shots, struct buf *out);

/* What a configuration asks for and perhaps does not mean: lines for `check` and `plan`, or none. */
void reach_view_notes(const struct reach *reach, struct buf *out);

/*
 * {"lowers": [{
 *   "name", "present", "reflects": "yes" | "no" | "unknown", "reflects_why",
 *   "classes": [{"kind", "mode", "links", "planned", "foreign", "elsewhere", "names"}],
 *   "cells": [{"from", "to", "unicast", "broadcast", "why", "probe"}],
 *   "notes": [text],
 *   "probe": null, or {"came_back": whether a frame that went out came in again, "differ"}
 * }]}
 *
 * "from" and "to" are "KIND MODE" of a class, "host" or "outside"; "unicast" and "broadcast" are
 * "yes", "no", "reflected" (yes, by the switch) or "if reflected"; a cell's "probe" is null, or
 * {"from", "to", "pairs", "unicast", "broadcast", "differ"}: the names of the first pair or of the
 * first that differs, how many pairs were tried, to how many of them a frame arrived, and how many
 * answers differ. NULL when there is no memory.
 */
json_t *reach_view_json(const struct reach *reach, const struct reach_shots *shots);

#endif
