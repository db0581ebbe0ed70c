/*
 * The logs of the configuration: lines that are added to them are searched, and matches recorded.
 *
 * Edge. A line is a subject of its own, as for `extract`; scope says nothing here.
 */
#ifndef TW_LOG_WATCH_H
#define TW_LOG_WATCH_H

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "agent/base/ipc_msg.h"
#include "agent/base/stats.h"
#include "agent/base/time_units.h"
#include "capture/emitter.h"
#include "capture/log_reader.h"
#include "capture/range_text.h"
#include "capture/ruleset.h"
#include "capture/search.h"
#include "capture/text_scan.h"

/*
 * Bytes of one log that are searched before frames and messages have their turn, and then the next
 * log: in lines that make a rule give up, each up to its match-limit, they take a third of a
 * second.
 */
#define LOG_BUDGET ((size_t)64 << 10)

/*
 * And no longer than this: a worker that does not answer is ended, and the next one begins with the
 * same lines. Those that are left count as ones that their rules gave up on.
 */
#define LOG_TIME_NS (2 * NS_PER_S)

/* Rules that see the same lines: all that have no ranges, or one that has. */
struct log_rules {
	struct log_watch *watch;
	struct search search;
	struct text_scan scan;
	const struct rule **rules; /* of the search's */
	const uint8_t *block_end;
	struct range_text ranges; /* of the one that has */
};

struct log_watch {
	struct log_watches *all;
	const struct log_conf *conf;
	struct stats_log *stats; /* NULL until a file came: it has no slot */
	struct log_reader reader;
	struct log_rules *groups;
	size_t n_groups;
	const uint8_t *told_line; /* of which a record has the text already, and its seq: */
	uint64_t told_seq;
	int told_error;
};

struct log_watches {
	struct log_watch *list;
	size_t n;
	const struct ruleset *ruleset;
	struct stats_page
		*stats; /* where patterns are counted by worker, logs are the first one's */
	struct emitter *emitter;
	size_t turn; /* the log that is read next */
	uint64_t payload_bytes;
	uint64_t time_ns; /* of the records that are made now */
};

/*
 * Compiles what the logs are searched for. All that is pointed to is the caller's and outlives the
 * watches. -ENOMEM or the error of pattern_compile(). They are there until the
 * process ends: code that is sealed cannot be freed, see code_pages.h.
 */
int log_watches_init(struct log_watches *ws, const struct config *config,
		     const struct ruleset *ruleset, struct stats_page *stats,
		     struct emitter *emitter, struct err *err);

/* The next file of a log; takes `fd`. `now_ns` is of a clock that never goes back. */
void log_watches_add(struct log_watches *ws, const struct ipc_log *message, int fd,
		     uint64_t now_ns);

/*
 * Reads on until one log has had its turn, all of them if nothing came; `now_ns` is of
 * CLOCK_MONOTONIC, `time_ns` of CLOCK_REALTIME. True when there may be more at once.
 */
bool log_watches_poll(struct log_watches *ws, uint64_t now_ns, uint64_t time_ns);

/*
 * The records of what was read are written: a worker that comes after this one goes on behind it.
 */
void log_watches_commit(struct log_watches *ws);

#endif
