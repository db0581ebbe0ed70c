/*
 * What the agent did or noticed, on its way to become a record. Edge: sends and logs.
 *
 * The capture worker writes all records, so that they have one order; while none serves, events
 * wait here, up to a bound. Each is logged at once, too.
 */
#ifndef TW_EVENTS_H
#define TW_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/ipc.h"
#include "agent/base/log.h"

#define EVENTS_WAITING_MAX 256

struct events {
	struct ipc_event waiting[EVENTS_WAITING_MAX]; /* the oldest at `first` */
	size_t first, n;
	uint64_t lost; /* had no place; told by an event of their own */
};

/* What an event is about; NULL for none. */
struct event_about {
	enum ipc_event_kind kind;
	const char *link, *set, *action;
};

/* Logs "[link ]action: detail" and sends it to `capture`, or keeps it while that is NULL. */
void events_emit(struct events *events, struct ipc_channel *capture, enum log_level level,
		 const struct event_about *about, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Sends what waits. */
void events_flush(struct events *events, struct ipc_channel *capture);

#endif
