#include "agent/status.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/status_links.h"
#include "agent/status_logs.h"
#include "agent/version.h"
#include "capture/decode.h"

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static void write_agent(struct json_writer *w, const struct status_input *in)
{
	jw_object(w, "agent");
	jw_text(w, "version", tapwarden_version);
	jw_u64(w, "pid", (uint64_t)in->pid);
	status_text_foreign(w, "config", in->config_path);
	jw_u64(w, "generation", in->generation);
	jw_i64(w, "started", in->started);
	status_text_foreign(w, "reload_error", in->reload_error);
	jw_object_end(w);
}

/* Of a worker that is ready; before that it has given up less. */
static void write_sandbox(struct json_writer *w, const struct ipc_sandbox *sandbox)
{
	if (!sandbox->seccomp) {
		jw_null(w, "sandbox");
		return;
	}
	jw_object(w, "sandbox");
	jw_bool(w, "seccomp", true);
	jw_u64(w, "landlock", sandbox->landlock);
	jw_bool(w, "mseal", sandbox->mseal != 0);
	jw_bool(w, "mdwe", sandbox->mdwe != 0);
	jw_object_end(w);
}

static void write_worker(struct json_writer *w, const struct worker *worker)
{
	struct ipc_ready ready = { 0 };
	const char *state = worker_state(worker, &ready);

	jw_object(w, NULL);
	jw_text(w, "name", worker->name);
	jw_u64(w, "pid", (uint64_t)worker_pid(worker));
	jw_text(w, "state", state);
	jw_u64(w, "restarts", worker->restarts);
	status_text_foreign(w, "last_death", worker->last_death);
	write_sandbox(w, &ready.sandbox);
	if (worker->role == WORKER_CAPTURE) {
		jw_u64(w, "patterns", ready.patterns);
		jw_u64(w, "jit", ready.jit);
	}
	jw_object_end(w);
}

static void write_workers(struct json_writer *w, const struct status_input *in)
{
	jw_array(w, "workers");
	for (unsigned int i = 0; i < in->n_captures; i++)
		write_worker(w, &in->captures[i]);
	write_worker(w, in->web);
	jw_array_end(w);
}

static void write_patterns(struct status_text *text, const struct status_input *in)
{
	struct json_writer *w = &text->json;

	status_text_list(text, STATUS_PATTERNS, in->config->n_patterns);
	for (size_t i = 0; i < in->config->n_patterns && i < STATS_PATTERNS_MAX; i++) {
		struct stats_pattern sum, *p = &sum;

		stats_pattern_sum(in->stats, in->n_captures, i, p);
		status_text_item(text, STATUS_PATTERNS, in->config->patterns[i].head.name);
		jw_u64(w, "tried", stat_get(&p->tried));
		jw_u64(w, "matches", stat_get(&p->matches));
		jw_u64(w, "dropped", stat_get(&p->dropped));
		jw_u64(w, "limited", stat_get(&p->limited));
		jw_u64(w, "skipped", stat_get(&p->skipped));
		jw_u64(w, "quarantined", stat_get(&p->parked));
		jw_u64(w, "unnoted", stat_get(&p->unnoted));
		status_text_item_end(text, STATUS_PATTERNS);
	}
	status_text_list_end(text, STATUS_PATTERNS);
}

static json_t *streams_json(const struct stats_streams *streams)
{
	const struct {
		const char *name;
		const stat_counter *counter;
	} counters[] = {
		{ "flows", &streams->flows },
		{ "memory", &streams->memory },
		{ "gaps", &streams->gaps },
		{ "gap_bytes", &streams->gap_bytes },
		{ "conflicts", &streams->conflicts },
		{ "dropped", &streams->dropped },
		{ "evicted", &streams->evicted },
		{ "refused", &streams->refused },
		{ "fragments_incomplete", &streams->fragments_incomplete },
		{ "fragments_dropped", &streams->fragments_dropped },
	};
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		json_object_set_new(json, counters[i].name, integer(stat_get(counters[i].counter)));
	return json;
}

/* Connections of inline links of which nothing passes, and those of them that others pushed out. */
static json_t *condemned_json(const struct stats_condemned *condemned)
{
	return json_pack("{s:I, s:I}", "connections", (json_int_t)stat_get(&condemned->n),
			 "evicted", (json_int_t)stat_get(&condemned->evicted));
}

static json_t *capture_json(const struct status_input *in)
{
	json_t *malformed = json_object();
	struct stats_capture sum, *c = &sum;
	uint64_t error, drops = 0;

	stats_capture_sum(in->stats, in->n_captures, c);
	error = stat_get(&c->log_error);
	for (unsigned int i = 0; i < STATS_REASONS_MAX; i++) {
		uint64_t n = stat_get(&c->malformed[i]);

		if (n)
			json_object_set_new(malformed, decode_reason_name(i), integer(n));
	}
	for (size_t i = 0; i < in->sources->n; i++) {
		struct source_counters counters;

		sources_counters(in->sources, &in->sources->list[i], &counters);
		drops += counters.drops;
	}
	return json_pack("{s:I, s:I, s:s, s:I, s:I, s:o, s:o, s:o, s:I, s:I, s:I, s:I}", "records",
			 (json_int_t)stat_get(&c->records), "log_lost",
			 (json_int_t)stat_get(&c->log_lost), "log_error",
			 error ? strerror((int)error) : "", "feed_lost",
			 (json_int_t)stat_get(&c->feed_lost), "drops", (json_int_t)drops,
			 "malformed", malformed, "streams", streams_json(&c->streams), "condemned",
			 condemned_json(&in->stats->condemned), "payloads_lost",
			 (json_int_t)stat_get(&c->payloads.lost), "pcap_frames",
			 (json_int_t)stat_get(&c->frames.written), "pcap_lost",
			 (json_int_t)stat_get(&c->frames.lost), "pcap_missed",
			 (json_int_t)stat_get(&c->pcap_missed));
}

/* Takes `json` over; without it there is no memory. */
static void add(struct status_text *text, const char *key, json_t *json)
{
	char *value = json ? json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;

	if (value)
		jw_raw(&text->json, key, value);
	else
		text->buf.failed = true;
	free(value);
	json_decref(json);
}

int status_make(const struct status_input *in, struct status_text *ret)
{
	status_text_reset(ret);
	jw_object(&ret->json, NULL);
	write_agent(&ret->json, in);
	write_workers(&ret->json, in);
	status_links_write(ret, in);
	write_patterns(ret, in);
	add(ret, "logs", status_logs_json(in->logs));
	add(ret, "guests", in->guests ? in->guests : json_array());
	add(ret, "capture", capture_json(in));
	jw_object_end(&ret->json);
	if (!ret->buf.failed)
		return 0;
	status_text_done(ret);
	return -ENOMEM;
}
