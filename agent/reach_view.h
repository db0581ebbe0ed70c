/* The report of `reach` as people and programs read it. Pure. */
#ifndef TW_REACH_VIEW_H
#define TW_REACH_VIEW_H

#include <jansson.h>

#include "agent/base/buf.h"
#include "agent/reach_shots.h"
#include "netlink/reach.h"

/* `shots` has one entry per lower device that was probed; NULL when no frame was sent. */
void reach_view_text(const struct reach *reach, const struct reach_shots *shots, struct buf *out);

/*
 * {"lowers": [{
 *   "name", "present", "reflects": "yes" | "no" | "unknown", "reflects_why",
 *   "classes": [{"kind", "mode", "links", "planned", "foreign", "elsewhere", "names"}],
 *   "cells": [{"from", "to", "unicast", "broadcast", "passes": {"unicast", "broadcast"}, "why",
 *              "probe"}],
 *   "notes": [text],
 *   "probe": null, or {"came_back": whether a frame that went out came in again, "unproven",
 *             "differ"}
 * }]}
 *
 * "from" and "to" are "KIND MODE" of a class, "host" or "outside"; "unicast" and "broadcast" are
 * "yes", "no", "reflected" (yes, by the switch), "if reflected", or "filtered", "reflected,
 * filtered" and "if reflected, filtered" where the filters of both ends let only some of it
 * through, as "passes" says of them alone: "all", "some" or "none" (of frames that are true to who
 * sends them).
 *
 * A cell's "probe" is null, or {"from", "to", "pairs", "unicast", "broadcast", "witness",
 * "unproven", "differ"}: the names of the first pair or of the first that differs, how many pairs
 * were tried, to how many of them a plain frame arrived, how many frames were seen only before a
 * filter of the receiver since a program holds its tap, and how many did otherwise than the report
 * says. "witness" is the first frame that filters treat otherwise than a plain one, {"frame",
 * "cast", "arrived"}, or null. NULL when there is no memory.
 */
json_t *reach_view_json(const struct reach *reach, const struct reach_shots *shots);

#endif
