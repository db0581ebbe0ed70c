/*
 * Ranges that are open in a followed log when a worker is relieved, or dies: the next one goes on
 * with them. Edge: they are in the counters page.
 */
#ifndef TW_LOG_RANGES_H
#define TW_LOG_RANGES_H

#include "capture/log_watch.h"

/*
 * Around the log's new position in the page: a worker that takes it up knows whether the ranges are
 * those of that position.
 */
void log_ranges_leave_begin(struct log_watch *w);
void log_ranges_leave_end(struct log_watch *w, uint64_t position);

/* What could not be gone on with: rules by name, whose range was kept back, and others. */
struct log_ranges_lost {
	const char *rules[STATS_LOG_RANGES];
	size_t n_rules;
	uint64_t unnamed;
};

/* The first file of a log that this worker gets, at the place where the one before was. */
void log_ranges_take_up(struct log_watch *w, const struct ipc_log *message,
			struct log_ranges_lost *ret);

#endif
