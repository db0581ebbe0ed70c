#include "capture/log_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "capture/lines.h"

static struct record_head head_of(const struct log_watch *w)
{
	return (struct record_head){
		.time_ns = w->all->time_ns,
		.link = "",
		.set = "",
		.guest = "",
		.log = w->conf->head.name,
		.file = w->conf->follow,
	};
}

/* ---- matches -------------------------------------------------------------------------------- */

static void on_hit(void *data, const struct hit *hit)
{
	struct log_watch *w = data;
	const struct rule *rule = w->rules[hit->rule];
	const uint8_t *line = hit->subject;
	struct record_alert alert = {
		.line = line,
		.line_len = line_subject(line, (size_t)(line_end(line, w->block_end) - line)),
		.subject = line,
		.base = hit->offset,
		.rule = rule->conf->head.name,
		.signature_id = rule->signature_id,
		.category = rule->conf->category,
		.severity = rule->conf->severity,
		.pattern = rule->pattern,
		.match = hit->match,
		.payload_bytes = (size_t)w->all->payload_bytes,
		.payload_told = line == w->told_line,
		.payload_seq = w->told_seq,
	};
	uint64_t seq = emitter_alert(w->all->emitter, head_of(w), &alert);

	stat_add(&w->stats->matches, 1);
	stat_add(&w->all->stats->patterns[rule - w->all->ruleset->rules].matches, 1);
	if (line == w->told_line)
		return;
	w->told_line = line;
	w->told_seq = seq;
}

static void tell_gap(struct log_watch *w, uint64_t lost, enum record_unit unit, const char *reason,
		     const char *rule)
{
	const struct record_gap gap = {
		.lost = lost, .unit = unit, .reason = reason, .rule = rule
	};

	emitter_gap(w->all->emitter, head_of(w), &gap);
}

/* Lines that a rule was given up on since the counters were looked at last. */
static void tell_limited(struct log_watch *w)
{
	for (size_t i = 0; i < w->search.n; i++) {
		struct search_count *count = &w->scan.counts[i];
		uint64_t lost = count->limited + count->failed;
		const struct rule *rule = w->rules[i];

		*count = (struct search_count){ 0 };
		if (!lost)
			continue;
		stat_add(&w->stats->limited, lost);
		stat_add(&w->all->stats->patterns[rule - w->all->ruleset->rules].limited, lost);
		tell_gap(w, lost, RECORD_UNIT_LINES, "limit", rule->conf->head.name);
	}
}

/* ---- what the reader tells ------------------------------------------------------------------ */

static void on_lines(void *data, const uint8_t *block, size_t len, uint64_t offset)
{
	struct log_watch *w = data;
	uint64_t lines = lines_count(block, len) + (block[len - 1] != '\n');

	w->block_end = block + len;
	w->told_line = NULL;
	text_scan_block(&w->scan, block, len, offset);
	stat_add(&w->stats->lines, lines);
	stat_add(&w->stats->bytes, len);
	tell_limited(w);
}

static void on_cut(void *data, uint64_t offset)
{
	struct log_watch *w = data;
	char detail[512];

	stat_add(&w->stats->cut, 1);
	snprintf(
		detail, sizeof(detail),
		"log %s: %.300s was cut after %" PRIu64
		" bytes had been read: it goes on from its beginning, and what was added right before "
		"the cut is not known",
		w->conf->head.name, w->conf->follow, offset);
	emitter_event(w->all->emitter, head_of(w), IPC_EVENT_SERVICE, "log-cut", detail);
}

static void on_skipped(void *data, uint64_t bytes)
{
	struct log_watch *w = data;

	stat_add(&w->stats->skipped, bytes);
	tell_gap(w, bytes, RECORD_UNIT_BYTES, "line-too-long", NULL);
}

static void on_failed(void *data, int error)
{
	struct log_watch *w = data;

	if (error != w->told_error)
		log_err("cannot read log %s: %s: it is tried again", w->conf->head.name,
			strerror(-error));
	w->told_error = error;
}

static const struct log_reader_ops reader_ops = {
	.lines = on_lines,
	.cut = on_cut,
	.skipped = on_skipped,
	.failed = on_failed,
};

/* ---- life ----------------------------------------------------------------------------------- */

static int watch_init(struct log_watch *w, struct log_watches *all, const struct log_conf *conf,
		      struct err *err)
{
	const struct ruleset *ruleset = all->ruleset;
	struct pattern_conf *confs = calloc(ruleset->n + 1, sizeof(*confs));
	size_t n = 0, faulty;
	int code = -ENOMEM;

	*w = (struct log_watch){ .all = all, .conf = conf };
	log_reader_init(&w->reader, &reader_ops, w);
	w->rules = calloc(ruleset->n + 1, sizeof(*w->rules));
	for (size_t i = 0; confs && w->rules && i < ruleset->n; i++) {
		if (!config_wants_pattern(&conf->patterns, ruleset->rules[i].conf->head.name))
			continue;
		w->rules[n] = &ruleset->rules[i];
		confs[n++] = *ruleset->rules[i].conf;
	}
	if (confs && w->rules)
		code = search_init(&w->search, confs, n, &extract_live, &faulty, err);
	if (!code)
		code = text_scan_init(&w->scan, &w->search, on_hit, w);
	free(confs);
	return code;
}

static void watch_done(struct log_watch *w)
{
	log_reader_done(&w->reader);
	text_scan_done(&w->scan);
	search_done(&w->search);
	free(w->rules);
}

int log_watches_init(struct log_watches *ws, const struct config *config,
		     const struct ruleset *ruleset, struct stats_page *stats,
		     struct emitter *emitter, struct err *err)
{
	*ws = (struct log_watches){
		.ruleset = ruleset,
		.stats = stats,
		.emitter = emitter,
		.payload_bytes = config->record.payload_bytes,
	};
	ws->list = calloc(config->n_logs + 1, sizeof(*ws->list));
	if (!ws->list)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < config->n_logs; i++) {
		int code = watch_init(&ws->list[ws->n++], ws, &config->logs[i], err);

		if (code)
			return code == -ENOMEM ? err_set(err, code, "out of memory") : code;
	}
	return 0;
}

void log_watches_done(struct log_watches *ws)
{
	for (size_t i = 0; i < ws->n; i++)
		watch_done(&ws->list[i]);
	free(ws->list);
	*ws = (struct log_watches){ 0 };
}

void log_watches_add(struct log_watches *ws, const struct ipc_log *message, int fd, uint64_t now_ns)
{
	const struct log_reader_file file = {
		.fd = fd,
		.file = message->file,
		.offset = message->offset,
		.partial = message->partial,
	};

	for (size_t i = 0; i < ws->n; i++) {
		struct log_watch *w = &ws->list[i];

		if (strcmp(w->conf->head.name, message->name) != 0)
			continue;
		w->stats = &ws->stats->logs[message->slot];
		if (log_reader_add(&w->reader, &file, now_ns))
			tell_gap(w, 1, RECORD_UNIT_FILES, "log-rotated-unread", NULL);
		return;
	}
	/* Of another configuration: there is none but that of this worker. */
	close(fd);
}

bool log_watches_poll(struct log_watches *ws, uint64_t now_ns, uint64_t time_ns)
{
	bool more = false;

	ws->time_ns = time_ns;
	for (size_t i = 0; i < ws->n; i++)
		more = log_reader_poll(&ws->list[i].reader, now_ns, LOG_BUDGET) || more;
	return more;
}

void log_watches_commit(struct log_watches *ws)
{
	for (size_t i = 0; i < ws->n; i++) {
		struct log_watch *w = &ws->list[i];
		uint64_t offset, file = log_reader_place(&w->reader, &offset);

		if (!file)
			continue;
		/* Never the new file with the old place: a reader in between takes the new one's beginning. */
		if (stat_get(&w->stats->file) != file)
			atomic_store_explicit(&w->stats->position, 0, memory_order_release);
		atomic_store_explicit(&w->stats->file, file, memory_order_release);
		atomic_store_explicit(&w->stats->position, offset, memory_order_release);
	}
}
