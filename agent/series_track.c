#include "agent/agent.h"

#include <errno.h>
#include <string.h>

#include "agent/base/log.h"

#define STEP_MS (SERIES_STEP_S * UINT64_C(1000))

/* What sixteen thousand links that all are busy fill. */
#define ANSWER_MAX (64u << 20)

static int sample_link(struct agent *a, const struct source *source, unsigned int steps,
		       double span_s)
{
	struct source_counters now;

	sources_counters(&a->sources, source, &now);
	const uint64_t counted[STATS_RATES] = {
		[STATS_FRAMES_FROM] = now.frames[STATS_FROM_GUEST],
		[STATS_FRAMES_TO] = now.frames[STATS_TO_GUEST],
		[STATS_BYTES_FROM] = now.bytes[STATS_FROM_GUEST],
		[STATS_BYTES_TO] = now.bytes[STATS_TO_GUEST],
	};
	return series_add(&a->series.series, source->message.slot, source->message.name,
			  source->fd < 0 ? NULL : counted, steps, span_s);
}

static void sample(struct agent *a, unsigned int steps, double span_s)
{
	int code = series_step(&a->series.series, a->sources.n, steps, time(NULL));

	for (size_t slot = 0; slot < a->sources.n; slot++) {
		int not_kept = sample_link(a, &a->sources.list[slot], steps, span_s);

		code = code ? code : not_kept;
	}
	if (code)
		log_warning(
			"cannot keep the rates of all links: out of memory: new ones have none");
}

/* A loop that was held up, or a host that slept, has its steps at once, all with the same rate. */
static void on_timer(uv_timer_t *timer)
{
	struct agent *a = timer->data;
	const uint64_t now = uv_now(&a->loop), span = now - a->series.sampled_ms;
	const uint64_t steps = (span + STEP_MS / 2) / STEP_MS;

	if (steps == 0)
		return;
	a->series.sampled_ms = now;
	sample(a, (unsigned int)(steps < SERIES_SAMPLES ? steps : SERIES_SAMPLES),
	       (double)span / 1000);
}

void series_track_start(struct agent *a)
{
	uv_timer_init(&a->loop, &a->series.timer);
	a->series.timer.data = a;
	a->series.sampled_ms = uv_now(&a->loop);
	uv_timer_start(&a->series.timer, on_timer, STEP_MS, STEP_MS);
}

void series_track_stop(struct agent *a)
{
	uv_close((uv_handle_t *)&a->series.timer, NULL);
}

void series_track_done(struct agent *a)
{
	series_done(&a->series.series);
}

static int write_link(struct agent *a, const char *name, struct buf *out)
{
	const struct source *source = sources_find(&a->sources, 0, name);
	const struct reconcile_link *links;
	size_t n, i = 0;

	if (!a->supervisor.reconcile)
		return -ENOENT; /* the agent ends */
	links = reconcile_links(a->supervisor.reconcile, &n);
	while (i < n && strcmp(links[i].spec->name, name) != 0)
		i++;
	if (i == n)
		return -ENOENT;
	series_write_link(&a->series.series, source ? source->message.slot : SIZE_MAX, name, out);
	return 0;
}

void series_track_answer(struct agent *a, struct ipc_channel *web,
			 const struct ipc_request *request)
{
	const char *text = "there is none of this name";
	struct buf out;
	int code = 0;

	buf_init(&out, ANSWER_MAX);
	if (request->name[0])
		code = write_link(a, request->name, &out);
	else
		series_write_all(&a->series.series, &out);
	if (out.failed) {
		code = -ENOMEM;
		text = "no memory for the answer";
	}
	agent_reply(web, request->id, code, code ? text : out.data, code ? strlen(text) : out.len);
	buf_done(&out);
}
