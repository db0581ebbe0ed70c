#include "agent/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "agent/base/clock.h"
#include "agent/base/plural.h"

static void keep(struct events *events, const struct ipc_event *event)
{
	if (events->n == EVENTS_WAITING_MAX) {
		events->first = (events->first + 1) % EVENTS_WAITING_MAX;
		events->n--;
		events->lost++;
	}
	events->waiting[(events->first + events->n++) % EVENTS_WAITING_MAX] = *event;
}

void events_emit(struct events *events, struct ipc_channel *capture, enum log_level level,
		 const struct event_about *about, const char *fmt, ...)
{
	struct ipc_event event = { .time_ns = clock_ns(CLOCK_REALTIME), .kind = about->kind };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(event.detail, sizeof(event.detail), fmt, ap);
	va_end(ap);
	snprintf(event.link, sizeof(event.link), "%s", about->link ? about->link : "");
	snprintf(event.set, sizeof(event.set), "%s", about->set ? about->set : "");
	snprintf(event.action, sizeof(event.action), "%s", about->action);
	if (event.link[0])
		log_line(level, "link %s %s: %s", event.link, event.action, event.detail);
	else
		log_line(level, "%s: %s", event.action, event.detail);
	/* A worker that has just died is still there until the loop hears of it. */
	if (!capture || ipc_send(capture, IPC_EVENT, &event, -1))
		keep(events, &event);
}

void events_flush(struct events *events, struct ipc_channel *capture)
{
	for (; events->n > 0; events->n--) {
		if (ipc_send(capture, IPC_EVENT, &events->waiting[events->first], -1))
			return;
		events->first = (events->first + 1) % EVENTS_WAITING_MAX;
	}
	if (events->lost > 0) {
		struct ipc_event event = { .time_ns = clock_ns(CLOCK_REALTIME),
					   .kind = IPC_EVENT_SERVICE,
					   .action = "events-lost" };

		snprintf(event.detail, sizeof(event.detail),
			 "%llu %s had no place while no capture worker served",
			 (unsigned long long)events->lost, plural(events->lost, "event", "events"));
		if (ipc_send(capture, IPC_EVENT, &event, -1) == 0)
			events->lost = 0;
	}
}
