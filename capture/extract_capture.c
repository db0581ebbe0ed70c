#include "capture/extract_capture.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/pcap_live.h"
#include "agent/base/plural.h"
#include "capture/capture_scan.h"
#include "capture/payload_log.h"
#include "capture/payload_reader.h"
#include "capture/source_file.h"

/* What is being searched. */
struct run {
	const struct extract_capture *capture;
	struct extract_outlet outlet;
	struct capture_scan scan;
	uint64_t bytes_before, malformed_before; /* of the captures before */
};

/* ---- what is said --------------------------------------------------------------------------- */

static void say(struct run *run, const struct err *text)
{
	const struct extract_plan *plan = &run->capture->job->plan;

	run->capture->job->totals.gaps++;
	plan->complain(plan->data, text->text);
}

static void say_loss(struct run *run, uint64_t n, const char *one, const char *many)
{
	struct err text;

	if (!n)
		return;
	err_set(&text, 0, "%s: %" PRIu64 " %s", run->capture->name, n, plural(n, one, many));
	say(run, &text);
}

/* They are found all the same: nothing that is searched has a gap. */
static void say_unnoted(struct run *run)
{
	const struct extract_plan *plan = &run->capture->job->plan;
	struct err text;

	if (!run->scan.losses.unnoted)
		return;
	err_set(&text, 0,
		"%s: of %" PRIu64
		" %s not all comments and frames are written: too many came with one frame",
		run->capture->name, run->scan.losses.unnoted,
		plural(run->scan.losses.unnoted, "match", "matches"));
	plan->complain(plan->data, text.text);
}

static void say_losses(struct run *run)
{
	const struct scan_losses *losses = &run->scan.losses;
	struct err text;

	say_loss(run, losses->lost, "frame was lost before it could be captured",
		 "frames were lost before they could be captured");
	say_loss(run, losses->cut,
		 "frame was cut when it was captured: what is missing was not searched",
		 "frames were cut when they were captured: what is missing was not searched");
	say_loss(run, losses->beginless,
		 "packet in fragments lacks its beginning: it was not searched",
		 "packets in fragments lack their beginning: they were not searched");
	say_loss(run, losses->evicted,
		 "stream was given up for others: there is not enough memory for all",
		 "streams were given up for others: there is not enough memory for all");
	say_loss(run, losses->unfiltered,
		 "frame is of a link type that --bpf cannot be tried on: it was not searched",
		 "frames are of a link type that --bpf cannot be tried on: they were not searched");
	say_loss(run, losses->unknown,
		 "frame is of a link type that is not known here: it was not searched",
		 "frames are of a link type that is not known here: they were not searched");
	say_loss(run, run->capture->job->captures->totals.malformed - run->malformed_before,
		 "frame is malformed: what is behind the fault was not searched",
		 "frames are malformed: what is behind the fault was not searched");
	say_loss(run, run->scan.keeper.missed,
		 "match is not all written: its first frames were too far back",
		 "matches are not all written: their first frames were too far back");
	say_unnoted(run);
	if (run->outlet.full) {
		err_set(&text, 0, "%s: %s", run->capture->name, EXTRACT_OUT_OF_MEMORY);
		say(run, &text);
	}
	if (!losses->gaps)
		return;
	err_set(&text, 0,
		"%s: %" PRIu64 " %s in streams and fragments, of %" PRIu64
		" %s: what is missing was not searched",
		run->capture->name, losses->gaps, plural(losses->gaps, "gap", "gaps"),
		losses->gap_bytes, plural(losses->gap_bytes, "byte", "bytes"));
	say(run, &text);
}

/* The counters of the rules are those of one capture at a time. */
static void settle_counts(struct run *run)
{
	struct extract_job *job = run->capture->job;
	struct capture_search *search = job->captures;

	job->totals.bytes += search->totals.bytes - run->bytes_before;
	for (size_t i = 0; i < search->rules.n; i++) {
		struct stats_pattern *stats = &search->stats[i];

		job->totals.counts[i].matches += stat_get(&stats->matches);
		job->totals.counts[i].limited += stat_get(&stats->limited);
		*stats = (struct stats_pattern){ 0 };
	}
}

/*
 * Of a capture ranges are of bytes, as a rule of a configuration may have them; what is asked of
 * lines alone has no answer.
 */
static int check_ranges(const struct extract_job *job, struct err *err)
{
	const struct capture_conf *conf = &job->captures->conf;

	if (job->plan.range && !(conf->n_patterns && conf->patterns[0].begin))
		return err_set(err, -EINVAL,
			       "--begin and --end are of lines, and a capture has none: ranges of "
			       "bytes are those of a configuration's rules");
	for (size_t i = 0; i < conf->n_patterns; i++) {
		const struct range_conf *range = &conf->patterns[i].range;

		if (range->end_test != RANGE_END_NEXT || range->nest != RANGE_FLAT ||
		    range->outside || range->max_lines)
			return err_set(err, -EINVAL,
				       "[pattern %s] has end-test, nest, outside or max-lines, "
				       "which are for lines: of a capture, ranges are of bytes",
				       conf->patterns[i].head.name);
	}
	return 0;
}

/* ---- life ----------------------------------------------------------------------------------- */

static int run_begin(struct run *run, const struct extract_capture *capture, bool live)
{
	struct extract_job *job = capture->job;
	struct err err = { "out of memory" }, text;
	int code;

	*run = (struct run){
		.capture = capture,
		.bytes_before = job->captures->totals.bytes,
		.malformed_before = job->captures->totals.malformed,
	};
	code = check_ranges(job, &err);
	if (!code)
		code = capture_search_ready(job->captures, &err);
	if (!code)
		code = capture_scan_init(&run->scan, job->captures, &job->plan, &run->outlet,
					 capture->name, live);
	if (code) {
		err_set(&text, code, "%s: %s: it was not searched", capture->name, err.text);
		say(run, &text);
		return code;
	}
	extract_outlet_init(&run->outlet, &job->out, job->out.turn);
	return 0;
}

static uint64_t run_end(struct run *run)
{
	uint64_t hits;

	capture_scan_end(&run->scan);
	extract_outlet_complete(&run->outlet, 0);
	hits = run->scan.hits;
	say_losses(run);
	settle_counts(run);
	capture_scan_done(&run->scan);
	extract_outlet_done(&run->outlet);
	return hits;
}

/* ---- files ---------------------------------------------------------------------------------- */

/* A pipe may have nothing for a while. */
static void before_read(void *data)
{
	struct run *run = data;

	extract_outlet_flush(&run->outlet);
}

static const char *scan_error(int code)
{
	return code == -E2BIG ? "more interfaces than are followed" : "out of memory";
}

static int search_packets(struct run *run, struct source_file *source, struct err *err)
{
	uint32_t generation = source->reader.generation;
	struct pcap_packet packet;
	int code = 0;

	while (!extract_out_stopped(run->outlet.out) &&
	       (code = source_file_next(source, &packet, err)) > 0) {
		if (source->reader.generation != generation)
			capture_scan_section(&run->scan);
		generation = source->reader.generation;
		code = capture_scan_packet(&run->scan, &packet,
					   source_file_interface(source, &packet),
					   source->reader.ours);
		if (code)
			return err_set(err, code, "%s after %" PRIu64 " %s", scan_error(code),
				       source->packets,
				       plural(source->packets, "packet", "packets"));
	}
	return extract_out_stopped(run->outlet.out) ? 0 : code;
}

uint64_t extract_capture_file(const struct extract_capture *capture)
{
	struct source_file source;
	struct err err, text;
	struct run run;

	if (run_begin(&run, capture, false))
		return 0;
	if (source_file_open(&source, capture->fd, capture->head, capture->head_len)) {
		err_set(&text, -ENOMEM, "%s: out of memory: it was not searched", capture->name);
		say(&run, &text);
		return run_end(&run);
	}
	source.before_read = before_read;
	source.data = &run;
	if (search_packets(&run, &source, &err) < 0) {
		err_set(&text, 0, "%s: %s: what came before was searched", capture->name, err.text);
		say(&run, &text);
	}
	source_file_close(&source);
	return run_end(&run);
}

/* ---- payload logs ---------------------------------------------------------------------------- */

#define LOG_BUFFER (4u * PAYLOAD_LOG_ENTRY_MAX)

struct log {
	const struct extract_capture *capture;
	uint8_t *buffer;
	size_t begin, end; /* of what is read and not used */
	uint64_t offset; /* of `begin` in the file */
	uint64_t entries;
};

/* 0 at the end, 1, or a negative errno. */
static int fill_log(struct log *log)
{
	ssize_t n;

	memmove(log->buffer, log->buffer + log->begin, log->end - log->begin);
	log->end -= log->begin;
	log->begin = 0;
	do {
		n = read(log->capture->fd, log->buffer + log->end, LOG_BUFFER - log->end);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	log->end += (size_t)n;
	return n > 0;
}

static int search_entry(struct run *run, const struct payload_entry *entry)
{
	return capture_scan_payload(&run->scan, entry->link, entry->time_ns,
				    entry->direction == STATS_FROM_GUEST ? SIFT_FROM_GUEST
									 : SIFT_TO_GUEST,
				    &entry->frame);
}

/* All entries that are whole in the buffer. PAYLOAD_MORE, or why it stopped. */
static enum payload_result search_buffer(struct run *run, struct log *log, int *ret_code)
{
	enum payload_result result = PAYLOAD_MORE;
	struct payload_entry entry;
	size_t used;

	while (!*ret_code && log->begin < log->end && !extract_out_stopped(run->outlet.out)) {
		result = payload_read(log->buffer + log->begin, log->end - log->begin, &entry,
				      &used);
		if (result != PAYLOAD_ENTRY)
			return result;
		*ret_code = search_entry(run, &entry);
		log->begin += used;
		log->offset += used;
		log->entries++;
	}
	return PAYLOAD_MORE;
}

static int search_log(struct run *run, struct log *log, struct err *err)
{
	enum payload_result result;
	int more, code = 0;

	do {
		result = search_buffer(run, log, &code);
		if (code)
			return err_set(err, code, "%s", scan_error(code));
		if (result == PAYLOAD_BAD)
			return err_set(err, -EBADMSG,
				       "no entry of a payload log begins at byte %" PRIu64
				       ", after %" PRIu64 " %s",
				       log->offset, log->entries,
				       plural(log->entries, "entry", "entries"));
		extract_outlet_flush(&run->outlet);
		more = extract_out_stopped(run->outlet.out) ? 0 : fill_log(log);
	} while (more > 0);
	if (more < 0)
		return err_errno(err, more, "cannot read on at byte %" PRIu64, log->offset);
	if (log->begin < log->end && !extract_out_stopped(run->outlet.out))
		return err_set(err, -ENODATA,
			       "the payload log is cut at byte %" PRIu64 ", after %" PRIu64 " %s",
			       log->offset, log->entries, plural(log->entries, "entry", "entries"));
	return 0;
}

uint64_t extract_capture_payloads(const struct extract_capture *capture)
{
	struct log log = { .capture = capture, .buffer = malloc(LOG_BUFFER) };
	struct err err = { "out of memory" }, text;
	struct run run;
	int code = -ENOMEM;

	if (run_begin(&run, capture, false)) {
		free(log.buffer);
		return 0;
	}
	if (log.buffer) {
		if (capture->head_len)
			memcpy(log.buffer, capture->head, capture->head_len);
		log.end = capture->head_len;
		code = search_log(&run, &log, &err);
	}
	if (code) {
		err_set(&text, 0, "%s: %s: what came before was searched", capture->name, err.text);
		say(&run, &text);
	}
	free(log.buffer);
	return run_end(&run);
}

/* ---- interfaces ------------------------------------------------------------------------------ */

/* The kernel's room for frames that are not read yet. */
#define RING_SIZE (64u << 20)

/* A look at the clock and at what was lost is due so often. */
#define LOOK_MS 1000
#define LOOK_NS NS_PER_S

/* What the ring may hold when the end comes: more is new. */
#define DRAIN_ROUNDS 256

struct live {
	struct run *run;
	struct pcap_live *pcap;
	struct pcap_interface interface;
	uint64_t looked_ns;
	bool failed; /* out of memory */
};

static void on_live_frame(void *data, const struct pcap_live_frame *frame)
{
	struct live *live = data;
	const struct pcap_packet packet = {
		.bytes = frame->bytes,
		.len = frame->len,
		.wire_len = frame->wire_len,
		.time_ns = frame->time_ns,
		.link_type = live->interface.link_type,
	};

	if (!extract_out_stopped(live->run->outlet.out) &&
	    capture_scan_packet(&live->run->scan, &packet, &live->interface, false))
		live->failed = true;
}

static void look(struct live *live)
{
	struct pcapng_file *file = live->run->capture->job->captures->conf.file;
	struct capture_scan *scan = &live->run->scan;
	uint64_t now = clock_ns(CLOCK_REALTIME), drops;

	if (now - live->looked_ns < LOOK_NS)
		return;
	live->looked_ns = now;
	drops = pcap_live_drops(live->pcap);
	if (drops && capture_scan_lost(scan, &live->interface, drops, "ring-full", now))
		live->failed = true;
	capture_scan_tick(scan, now);
	if (file)
		pcapng_file_flush(file);
}

static int listen_until(struct live *live, const volatile sig_atomic_t *stop, struct err *err)
{
	int n = 0;

	while (!*stop && n >= 0 && !live->failed && !extract_out_stopped(live->run->outlet.out)) {
		n = pcap_live_read(live->pcap, LOOK_MS, on_live_frame, live, err);
		extract_outlet_flush(&live->run->outlet);
		look(live);
	}
	for (int i = 0; i < DRAIN_ROUNDS && n >= 0 && (i == 0 || n > 0); i++)
		n = pcap_live_read(live->pcap, 0, on_live_frame, live, err);
	live->looked_ns = 0;
	look(live);
	if (live->failed)
		return err_set(err, -ENOMEM, "out of memory");
	return n < 0 ? n : 0;
}

uint64_t extract_capture_live(const struct extract_capture *capture,
			      const volatile sig_atomic_t *stop)
{
	struct live live = { .looked_ns = clock_ns(CLOCK_REALTIME) };
	struct err err, text;
	struct run run;

	if (run_begin(&run, capture, true))
		return 0;
	live.run = &run;
	if (pcap_live_open(capture->name, capture->job->captures->conf.bpf, RING_SIZE, &live.pcap,
			   &err)) {
		say(&run, &err);
		return run_end(&run);
	}
	(void)strncpy(live.interface.name, capture->name, sizeof(live.interface.name) - 1);
	live.interface.link_type = pcap_live_link_type(live.pcap);
	if (listen_until(&live, stop, &err)) {
		err_set(&text, 0, "%s: %s: nothing more is captured", capture->name, err.text);
		say(&run, &text);
	}
	pcap_live_close(live.pcap);
	return run_end(&run);
}
