#include "capture/log_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "capture/lines.h"
#include "capture/log_ranges.h"
#include "capture/search_time.h"

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
	const struct log_rules *group = data;
	struct log_watch *w = group->watch;
	const struct rule *rule = group->rules[hit->rule];
	const uint8_t *line = hit->subject;
	struct record_alert alert = {
		.line = line,
		.line_len = line_subject(line, (size_t)(line_end(line, group->block_end) - line)),
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
	stat_add(&w->all->stats->patterns[0][rule - w->all->ruleset->rules].matches, 1);
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

static struct stats_pattern *stats_of(const struct log_rules *group, size_t i)
{
	const struct log_watches *all = group->watch->all;

	return &all->stats->patterns[0][group->rules[i] - all->ruleset->rules];
}

/* Lines that a rule was given up on, or not tried on since it had been given up on too often. */
static void tell_limited(struct log_rules *group, size_t i, uint64_t lost, uint64_t left_out)
{
	const char *name = group->rules[i]->conf->head.name;
	struct log_watch *w = group->watch;

	if (!lost && !left_out)
		return;
	stat_add(&w->stats->limited, lost + left_out);
	stat_add(&stats_of(group, i)->limited, lost);
	stat_add(&stats_of(group, i)->skipped, left_out);
	if (lost)
		tell_gap(w, lost, RECORD_UNIT_LINES, "limit", name);
	if (left_out)
		tell_gap(w, left_out, RECORD_UNIT_LINES, "quarantine", name);
}

static void scan_lines(struct log_rules *group, const uint8_t *block, size_t len, uint64_t offset)
{
	group->block_end = block + len;
	group->watch->told_line = NULL;
	text_scan_block(&group->scan, block, len, offset);
	for (size_t i = 0; i < group->search.n; i++) {
		const struct search_count count = group->scan.counts[i];

		/* Anew for each block: what is left out is left out of one. */
		group->scan.counts[i] = (struct search_count){ 0 };
		tell_limited(group, i, count.limited + count.failed, count.left_out);
	}
}

/* ---- ranges --------------------------------------------------------------------------------- */

static void on_shown(void *data, const uint8_t *lines, size_t len, uint64_t offset, uint64_t before)
{
	(void)before;
	scan_lines(data, lines, len, offset);
}

static const struct range_text_ops range_ops = { .shown = on_shown };

static void end_ranges(struct log_watch *w, enum range_reason reason)
{
	for (size_t i = 0; i < w->n_groups; i++) {
		if (w->groups[i].rules[0]->range)
			range_text_end(&w->groups[i].ranges, reason);
	}
}

static void feed_ranges(struct log_rules *group, const uint8_t *block, size_t len)
{
	struct range_text *ranges = &group->ranges;
	uint64_t lost;

	range_text_feed(ranges, block, len, 0);
	/*
	 * On these it was not known whether they begin or end a range; of those, what was kept
	 * back.
	 */
	lost = ranges->n_limited + ranges->n_overrun;
	ranges->n_limited = ranges->n_overrun = 0;
	tell_limited(group, 0, lost, 0);
}

/* ---- what the reader tells ------------------------------------------------------------------ */

static void on_lines(void *data, const uint8_t *block, size_t len, uint64_t offset)
{
	struct log_watch *w = data;
	uint64_t lines = lines_count(block, len) + (block[len - 1] != '\n');

	for (size_t i = 0; i < w->n_groups; i++) {
		struct log_rules *group = &w->groups[i];

		if (group->rules[0]->range) {
			/* It counts by itself, from where it was told that a text begins. */
			group->ranges.offset = offset;
			feed_ranges(group, block, len);
		} else {
			scan_lines(group, block, len, offset);
		}
	}
	stat_add(&w->stats->lines, lines);
	stat_add(&w->stats->bytes, len);
}

static void on_cut(void *data, uint64_t offset)
{
	struct log_watch *w = data;
	char detail[512];

	stat_add(&w->stats->cut, 1);
	end_ranges(w, RANGE_CLOSED_GAP);
	snprintf(
		detail, sizeof(detail),
		"log %s: %.300s was cut after %" PRIu64
		" bytes had been read: it goes on from its beginning, and what was added right before "
		"the cut is not known",
		w->conf->head.name, w->conf->follow, offset);
	emitter_event(w->all->emitter, head_of(w), IPC_EVENT_SERVICE, "log-cut", detail);
}

static void on_left(void *data)
{
	end_ranges(data, RANGE_CLOSED_CLOSED);
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
	.left = on_left,
	.skipped = on_skipped,
	.failed = on_failed,
};

/* ---- life ----------------------------------------------------------------------------------- */

/* The rules that `group` has already, and what they are tried on. */
static int group_init(struct log_rules *group, size_t n, struct err *err)
{
	struct pattern_conf *confs = calloc(n + 1, sizeof(*confs));
	const struct rule *first = group->rules[0];
	size_t faulty;
	int code = -ENOMEM;

	for (size_t i = 0; confs && i < n; i++)
		confs[i] = *group->rules[i]->conf;
	if (confs)
		code = search_init(&group->search, confs, n, &extract_live, &faulty, err);
	free(confs);
	if (!code)
		code = text_scan_init(&group->scan, &group->search, on_hit, group);
	/*
	 * A line may be so long that match-limit ends no search of it before the agent ends this
	 * worker.
	 */
	if (!code)
		regex_scratch_guard(group->scan.scratch, &search_time_guard);
	if (!code && first->range)
		range_text_init(&group->ranges, first->range->conf, first->range->begin,
				first->range->end, group->scan.scratch, &range_ops, group);
	return code;
}

static struct log_rules *new_group(struct log_watch *w)
{
	struct log_rules *group = &w->groups[w->n_groups];

	group->watch = w;
	group->rules = calloc(w->all->ruleset->n + 1, sizeof(*group->rules));
	if (group->rules)
		w->n_groups++;
	return group->rules ? group : NULL;
}

static bool wants(const struct log_watch *w, const struct rule *rule, bool ranges)
{
	return !rule->range == !ranges &&
	       config_wants_pattern(&w->conf->patterns, rule->conf->head.name);
}

/* All rules without ranges are tried in one pass. */
static int add_plain(struct log_watch *w, struct err *err)
{
	const struct ruleset *ruleset = w->all->ruleset;
	struct log_rules *group = new_group(w);
	size_t n = 0;

	if (!group)
		return -ENOMEM;
	for (size_t i = 0; i < ruleset->n; i++) {
		if (wants(w, &ruleset->rules[i], false))
			group->rules[n++] = &ruleset->rules[i];
	}
	if (n)
		return group_init(group, n, err);
	free(group->rules);
	group->rules = NULL;
	w->n_groups--;
	return 0;
}

static int add_ranged(struct log_watch *w, struct err *err)
{
	const struct ruleset *ruleset = w->all->ruleset;
	int code = 0;

	for (size_t i = 0; !code && i < ruleset->n; i++) {
		struct log_rules *group;

		if (!wants(w, &ruleset->rules[i], true))
			continue;
		group = new_group(w);
		if (!group)
			return -ENOMEM;
		group->rules[0] = &ruleset->rules[i];
		code = group_init(group, 1, err);
	}
	return code;
}

static int watch_init(struct log_watch *w, struct log_watches *all, const struct log_conf *conf,
		      struct err *err)
{
	int code;

	*w = (struct log_watch){ .all = all, .conf = conf };
	log_reader_init(&w->reader, &reader_ops, w);
	w->groups = calloc(all->ruleset->n + 1, sizeof(*w->groups));
	code = w->groups ? add_plain(w, err) : -ENOMEM;
	return code ? code : add_ranged(w, err);
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

/* Of a worker before this one; the log's lines up to the next BEGIN are not searched for it. */
static void tell_lost_ranges(struct log_watch *w, const struct log_ranges_lost *lost)
{
	stat_add(&w->stats->ranges_lost, lost->n_rules + lost->unnamed);
	for (size_t i = 0; i < lost->n_rules; i++)
		tell_gap(w, 1, RECORD_UNIT_RANGES, "restart", lost->rules[i]);
	if (lost->unnamed)
		tell_gap(w, lost->unnamed, RECORD_UNIT_RANGES, "restart", NULL);
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
		if (!w->stats) {
			struct log_ranges_lost lost;

			w->stats = &ws->stats->logs[message->slot];
			log_ranges_take_up(w, message, &lost);
			tell_lost_ranges(w, &lost);
		}
		if (log_reader_add(&w->reader, &file, now_ns)) {
			stat_add(&w->stats->files_lost, 1);
			tell_gap(w, 1, RECORD_UNIT_FILES, "log-rotated-unread", NULL);
		}
		return;
	}
	/* Of another configuration: there is none but that of this worker. */
	close(fd);
}

bool log_watches_poll(struct log_watches *ws, uint64_t now_ns, uint64_t time_ns)
{
	ws->time_ns = time_ns;
	for (size_t i = 0; i < ws->n; i++) {
		struct log_watch *w = &ws->list[ws->turn];
		bool more;

		ws->turn = (ws->turn + 1) % ws->n;
		search_time_until(now_ns + LOG_TIME_NS);
		more = log_reader_poll(&w->reader, now_ns, LOG_BUDGET);
		search_time_until(0);
		if (more)
			return true;
	}
	return false;
}

void log_watches_commit(struct log_watches *ws)
{
	for (size_t i = 0; i < ws->n; i++) {
		struct log_watch *w = &ws->list[i];
		uint64_t offset, file = log_reader_place(&w->reader, &offset);

		if (!file)
			continue;
		log_ranges_leave_begin(w);
		/*
		 * Never the new file with the old place: a reader in between takes the new one's
		 * beginning.
		 */
		if (stat_get(&w->stats->file) != file)
			atomic_store_explicit(&w->stats->position, 0, memory_order_release);
		atomic_store_explicit(&w->stats->file, file, memory_order_release);
		atomic_store_explicit(&w->stats->position, offset, memory_order_release);
		log_ranges_leave_end(w, offset);
	}
}
