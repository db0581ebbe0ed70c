/*
 * What a configuration asks for and a reload does not bring by itself: a guest's way to its tap
 * changes only when it comes anew. Edge: asks the agent that runs, if one does.
 */
#ifndef TW_PLAN_NOTES_H
#define TW_PLAN_NOTES_H

#include "agent/base/buf.h"
#include "agent/base/config.h"

/* Lines of text, "! web01: ..."; nothing when no agent answers. */
void plan_notes(const struct config *config, struct buf *out);

#endif
