#include "capture/extract_capture.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "capture/capture_scan.h"
#include "capture/source_file.h"

/* What is being searched. */
struct run {
	const struct extract_capture *capture;
	struct extract_outlet outlet;
	struct capture_scan scan;
	uint64_t bytes_before; /* payload of the captures before */
};

/* ---- what is said --------------------------------------------------------------------------- */

static void say(struct run *run, const struct err *text)
{
	const struct extract_plan *plan = &run->capture->job->plan;

	run->capture->job->totals.gaps++;
	plan->complain(plan->data, text->text);
}

static void say_loss(struct run *run, uint64_t n, const char *what)
{
	struct err text;

	if (!n)
		return;
	err_set(&text, 0, "%s: %" PRIu64 " %s", run->capture->name, n, what);
	say(run, &text);
}

static void say_losses(struct run *run)
{
	const struct scan_losses *losses = &run->scan.losses;
	struct err text;

	say_loss(run, losses->lost, "frames were lost before they could be captured");
	say_loss(run, losses->cut,
		 "frames were cut when they were captured: what is missing was not searched");
	say_loss(run, losses->unfiltered,
		 "frames are of a link type that --bpf cannot be tried on: they were not searched");
	say_loss(run, run->scan.keeper.missed,
		 "matches are not all written: their first frames were too far back");
	if (!losses->gaps)
		return;
	err_set(&text, 0,
		"%s: %" PRIu64 " gaps in streams and fragments, of %" PRIu64
		" bytes: what is missing was not searched",
		run->capture->name, losses->gaps, losses->gap_bytes);
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

/* ---- life ----------------------------------------------------------------------------------- */

static int run_begin(struct run *run, const struct extract_capture *capture, bool live)
{
	struct extract_job *job = capture->job;
	struct err err = { "out of memory" }, text;
	int code = 0;

	*run = (struct run){
		.capture = capture,
		.bytes_before = job->captures->totals.bytes,
	};
	if (job->plan.range)
		code = err_set(&err, -EINVAL, "ranges are of lines, and a capture has none");
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
	run->capture->job->totals.gaps += run->outlet.full;
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

static int search_packets(struct run *run, struct source_file *source, struct err *err)
{
	uint32_t generation = source->reader.generation;
	struct pcap_packet packet;
	int code;

	while (!extract_out_stopped(run->outlet.out) &&
	       (code = source_file_next(source, &packet, err)) > 0) {
		if (source->reader.generation != generation)
			capture_scan_section(&run->scan);
		generation = source->reader.generation;
		if (capture_scan_packet(&run->scan, &packet,
					source_file_interface(source, packet.interface),
					source->reader.ours))
			return err_set(err, -ENOMEM, "out of memory after %" PRIu64 " packets",
				       source->packets);
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
