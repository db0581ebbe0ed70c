/* The rates of the last hour as the agent samples and tells them. Edge. */
#ifndef TW_SERIES_TRACK_H
#define TW_SERIES_TRACK_H

#include <uv.h>

#include "agent/base/ipc.h"
#include "agent/series.h"

struct agent;

struct series_track {
	struct series series;
	uv_timer_t timer;
	uint64_t sampled_ms; /* the loop's clock at the last step */
};

void series_track_start(struct agent *agent);
void series_track_stop(struct agent *agent);
void series_track_done(struct agent *agent);

/* Answers an IPC_OP_SERIES: of the link that is named, else of all. */
void series_track_answer(struct agent *agent, struct ipc_channel *web,
			 const struct ipc_request *request);

#endif
