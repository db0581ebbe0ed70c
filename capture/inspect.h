/* What happens to one frame of a watched link: counted, decoded, matched, recorded. Edge. */
#ifndef TW_INSPECT_H
#define TW_INSPECT_H

#include "agent/base/config.h"
#include "agent/base/ipc_msg.h"
#include "agent/base/stats.h"
#include "capture/emitter.h"
#include "capture/ruleset.h"
#include "capture/source_packet.h"

/* The same for all links of a worker; nothing is owned. */
struct inspector {
	const struct ruleset *rules;
	const struct record_conf *conf;
	struct stats_page *stats;
	struct emitter *emitter;
};

struct inspected_link {
	const struct inspector *inspector;
	const struct ipc_link *link;
	struct rule_mask mask;
};

/* A source_frame_cb; `data` is a struct inspected_link. */
void inspect_frame(void *data, const struct source_frame *frame);

/* Counts what a link's source lost and records each kind as a gap. */
void inspect_losses(const struct inspected_link *inspected, const struct source_losses *losses,
		    uint64_t now_ns);

#endif
