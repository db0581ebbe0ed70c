#include "capture/capture_scan.h"

#include <errno.h>
#include <string.h>

#include "agent/base/bpf_compile.h"
#include "agent/base/pcapng_format.h"
#include "agent/base/saturate.h"
#include "agent/base/time_units.h"
#include "capture/sift_record.h"

/* For the frames of matches in streams: a match has to be whole while its first frame is held. */
#define FRAMES_MEMORY (64u << 20)

/* Of a payload in a record, as [record] payload-bytes has it when nobody says anything else. */
#define PAYLOAD_MAX 4096u

void capture_scan_section(struct capture_scan *scan)
{
	scan_links_section(&scan->links);
}

/* ---- records -------------------------------------------------------------------------------- */

static struct record_head head_of(struct capture_scan *scan, const struct sift_link *link,
				  uint64_t time_ns)
{
	return (struct record_head){
		.time_ns = time_ns,
		.seq = scan->search->seq++,
		.host = scan->search->conf.host,
		.link = link ? scan_link_of(link)->interface.name : "",
		.set = "",
		.guest = "",
	};
}

static bool shows_json(const struct capture_scan *scan)
{
	return scan->plan->format.json && scan->plan->show == EXTRACT_RECORDS;
}

static void put_line(struct capture_scan *scan)
{
	buf_add(&scan->outlet->buf, scan->line.data, scan->line.len);
	buf_addc(&scan->outlet->buf, scan->plan->format.end);
	extract_outlet_record(scan->outlet);
}

static void put_gap(struct capture_scan *scan, const struct sift_link *link,
		    const struct record_gap *gap, uint64_t time_ns)
{
	struct record_head head;

	if (!shows_json(scan))
		return;
	head = head_of(scan, link, time_ns);
	if (record_gap(&scan->line, &head, gap) == 0)
		put_line(scan);
}

static void put_json(struct capture_scan *scan, const struct sift_match *match)
{
	struct record_head head = head_of(scan, match->link, match->time_ns);
	struct record_alert alert;

	sift_record_alert(match, &alert);
	alert.pcap_filename = scan->filename;
	alert.payload_bytes = PAYLOAD_MAX;
	alert.payload_told = match->whole_frame && scan->payload_told;
	alert.payload_seq = scan->payload_seq;
	if (record_alert(&scan->line, &head, &alert) == 0)
		put_line(scan);
	if (!match->whole_frame || scan->payload_told)
		return;
	scan->payload_told = true;
	scan->payload_seq = head.seq;
}

static void put_text(struct capture_scan *scan, const struct sift_match *match)
{
	struct hit hit = *match->hit;

	hit.rule = (size_t)(match->rule - scan->search->rules.rules);
	hit.line = match->number;
	hit_format_add(&scan->plan->format, scan->source, &hit, NULL, &scan->outlet->buf);
	extract_outlet_record(scan->outlet);
}

static void on_match(void *data, const struct sift_match *match)
{
	struct capture_scan *scan = data;

	scan->hits++;
	scan->losses.unnoted += !keeper_match(&scan->keeper, match);
	switch (scan->plan->show) {
	case EXTRACT_RECORDS:
		if (scan->plan->format.json)
			put_json(scan, match);
		else
			put_text(scan, match);
		break;
	case EXTRACT_COUNT:
		break;
	case EXTRACT_QUIET:
		/* The frames that match are wanted whatever is printed. */
		if (!scan->search->conf.file)
			extract_out_stop(scan->outlet->out);
		break;
	}
}

static void on_loss(void *data, const struct sift_loss *loss)
{
	struct capture_scan *scan = data;
	struct record_gap gap;

	/* What a rule gave up on is in its counter. */
	if (!loss->rule) {
		scan->losses.gaps++;
		scan->losses.gap_bytes += loss->bytes;
	}
	sift_record_gap(loss, &gap);
	put_gap(scan, loss->link, &gap, loss->time_ns);
}

static const struct sift_ops sift_ops = { .match = on_match, .loss = on_loss };

/* ---- the frames that match ------------------------------------------------------------------- */

/* Without memory there is no interface: told as the file's error when it is closed. */
static bool describe(const struct capture_scan *scan, struct scan_link *link)
{
	const struct pcap_interface *from = &link->interface;
	const struct pcapng_interface interface = {
		.name = *from->name ? from->name : NULL,
		.description = *from->description ? from->description : NULL,
		.link_type = (uint16_t)from->link_type,
	};
	struct pcapng_file *file = scan->search->conf.file;

	if (!link->described && pcapng_file_interface(file, &interface, &link->out))
		file->error = ENOMEM;
	else
		link->described = true;
	return link->described;
}

static void on_kept(void *data, uint32_t number, const struct pcapng_packet *kept)
{
	struct capture_scan *scan = data;
	struct scan_link *link = scan->links.all[number];
	struct pcapng_packet packet = *kept;

	if (!describe(scan, link))
		return;
	packet.interface = link->out;
	pcapng_file_put(scan->search->conf.file, &packet);
}

static void keep(struct capture_scan *scan, const struct scan_link *link,
		 const struct pcap_packet *packet, const struct frame *frame)
{
	static const enum pcapng_direction directions[] = {
		[EPB_FLAG_INBOUND] = PCAPNG_INBOUND,
		[EPB_FLAG_OUTBOUND] = PCAPNG_OUTBOUND,
		[EPB_FLAG_DIRECTION] = PCAPNG_UNKNOWN,
	};
	const struct pcapng_packet kept = {
		.time_ns = packet->time_ns,
		.bytes = packet->bytes,
		.len = packet->len,
		.wire_len = packet->wire_len,
		.direction = directions[packet->flags & EPB_FLAG_DIRECTION],
		.checksum_partial = packet->flags & EPB_FLAG_CHECKSUM_PARTIAL,
		.gso = packet->flags & EPB_FLAG_GSO,
		.has_id = true,
		.id = scan->number,
	};

	/* Without a pattern every frame is one that was looked for. */
	scan->hits += !scan->search->rules.n;
	keeper_frame(&scan->keeper, link->sift.id, &kept, frame);
}

/* ---- packets -------------------------------------------------------------------------------- */

static enum sift_direction direction_of(const struct pcap_packet *packet, bool guest)
{
	uint32_t flag = packet->flags & EPB_FLAG_DIRECTION;

	if (!guest || (flag != EPB_FLAG_INBOUND && flag != EPB_FLAG_OUTBOUND))
		return SIFT_NOBODY_KNOWS;
	return flag == EPB_FLAG_OUTBOUND ? SIFT_FROM_GUEST : SIFT_TO_GUEST;
}

static bool is_wanted(struct capture_scan *scan, const struct scan_link *link,
		      const struct pcap_packet *packet)
{
	if (!scan->links.bpf)
		return true;
	scan->losses.unfiltered += link->unfiltered;
	return !link->unfiltered &&
	       bpf_matches(&link->filter, packet->bytes, packet->len, packet->wire_len);
}

static void count(struct capture_scan *scan, const struct pcap_packet *packet,
		  const struct sift_result *result)
{
	struct capture_totals *totals = &scan->search->totals;

	totals->frames++;
	if (result->searched) {
		totals->payloads++;
		totals->bytes += result->frame->payload_len;
	}
	if (result->reason == DECODE_LINK_TYPE) {
		scan->losses.unknown++;
	} else if (packet->wire_len > packet->len) {
		/* Padding that is not there does no harm. */
		scan->losses.cut += result->reason != DECODE_OK || result->frame->truncated;
	} else if (result->reason != DECODE_OK) {
		totals->malformed++;
	}
}

static void search_packet(struct capture_scan *scan, struct scan_link *link,
			  const struct pcap_packet *packet, bool guest)
{
	const struct sift_input input = {
		.in = { .bytes = packet->bytes, .len = packet->len, .wire_len = packet->wire_len },
		.link_type = packet->link_type,
		.number = scan->number,
		.time_ns = packet->time_ns,
		.direction = direction_of(packet, guest),
		.link = &link->sift,
	};
	struct sift_result result;

	scan->payload_told = false;
	sift_frame(&scan->sift, &input, &result);
	count(scan, packet, &result);
	if (scan->search->conf.file)
		keep(scan, link, packet, result.frame);
}

static void lose(struct capture_scan *scan, struct scan_link *link, uint64_t n, const char *why,
		 uint64_t now_ns)
{
	const struct record_gap gap = { .lost = n, .unit = RECORD_UNIT_FRAMES, .reason = why };

	scan->losses.lost = add_saturated(scan->losses.lost, n);
	put_gap(scan, &link->sift, &gap, now_ns);
	if (scan->search->conf.file && describe(scan, link))
		pcapng_file_drops(scan->search->conf.file, link->out, n, now_ns);
}

int capture_scan_packet(struct capture_scan *scan, const struct pcap_packet *packet,
			const struct pcap_interface *interface, bool guest)
{
	struct scan_link *link;
	uint64_t tick_ns;
	int code = scan_links_of(&scan->links, packet->interface, interface, &link);

	if (code)
		return code;
	/* Time that one frame alone tells has not passed for the others. */
	tick_ns = packet->time_ns < scan->now_ns ? packet->time_ns : scan->now_ns;
	if (packet->bytes)
		scan->now_ns = packet->time_ns;
	if (packet->drops)
		lose(scan, link, packet->drops, "capture-lost", scan->now_ns);
	if (!packet->bytes)
		return 0;
	scan->number++;
	if (tick_ns > scan->tick_ns && tick_ns - scan->tick_ns >= NS_PER_S)
		capture_scan_tick(scan, tick_ns);
	if (is_wanted(scan, link, packet))
		search_packet(scan, link, packet, guest);
	return 0;
}

int capture_scan_payload(struct capture_scan *scan, const char *link_name, uint64_t time_ns,
			 enum sift_direction direction, const struct frame *frame)
{
	struct capture_totals *totals = &scan->search->totals;
	struct pcap_interface interface = { .link_type = LINKTYPE_ETHERNET };
	struct scan_link *link;
	struct sift_input input;
	int code;

	(void)strncpy(interface.name, link_name, sizeof(interface.name) - 1);
	code = scan_links_find(&scan->links, &interface, &link);
	if (code)
		return code;
	input = (struct sift_input){
		.number = ++scan->number,
		.time_ns = time_ns,
		.direction = direction,
		.link = &link->sift,
	};
	scan->payload_told = false;
	totals->frames++;
	totals->payloads++;
	totals->bytes += frame->payload_len;
	scan->losses.cut += frame->truncated;
	sift_payload(&scan->sift, &input, frame);
	return 0;
}

int capture_scan_lost(struct capture_scan *scan, const struct pcap_interface *interface, uint64_t n,
		      const char *why, uint64_t now_ns)
{
	struct scan_link *link;
	int code = scan_links_find(&scan->links, interface, &link);

	if (!code)
		lose(scan, link, n, why, now_ns);
	return code;
}

void capture_scan_tick(struct capture_scan *scan, uint64_t now_ns)
{
	scan->tick_ns = now_ns;
	sift_tick(&scan->sift, now_ns);
	keeper_settle(&scan->keeper);
}

/* ---- life ----------------------------------------------------------------------------------- */

int capture_scan_init(struct capture_scan *scan, struct capture_search *search,
		      const struct extract_plan *plan, struct extract_outlet *outlet,
		      const char *source, bool live)
{
	const struct sift_conf conf = {
		.rules = &search->rules,
		.stats = search->stats,
		.policy = search->conf.policy,
		.stream_memory = (size_t)search->conf.stream.memory,
		.stream_pending = (size_t)search->conf.stream.pending,
		.fragment_memory = (size_t)search->conf.stream.fragments,
		.match_max = SIFT_MATCH_MAX,
		.seed = search->seed,
		.patient = true,
	};
	const struct keeper_conf keeper = {
		.mode = !search->conf.file ? PCAP_OFF
			: search->rules.n  ? PCAP_MATCHES
					   : PCAP_ALL,
		.bare = true,
		.memory = FRAMES_MEMORY,
		.write = on_kept,
		.data = scan,
	};
	int code;

	*scan = (struct capture_scan){
		.search = search,
		.plan = plan,
		.outlet = outlet,
		.source = source,
		.filename = live ? NULL : source,
	};
	buf_init(&scan->line, RECORD_MAX);
	/* Frames of an interface went through the filter in the kernel. */
	code = scan_links_init(&scan->links, search, live ? NULL : search->conf.bpf);
	if (!code)
		code = sift_init(&scan->sift, &conf, &sift_ops, scan);
	if (!code) {
		code = keeper_init(&scan->keeper, &keeper);
		if (code)
			sift_done(&scan->sift);
	}
	if (code)
		scan_links_done(&scan->links);
	return code;
}

void capture_scan_end(struct capture_scan *scan)
{
	const struct stream_counts *counts = &scan->sift.streams.counts;

	/* Those that are open now are not evicted by their end. */
	scan->losses.evicted = counts->ends[STREAM_EVICTED] + counts->refused;
	sift_done(&scan->sift);
	scan->losses.beginless = scan->sift.defrag.counts.beginless;
	keeper_settle(&scan->keeper);
}

void capture_scan_done(struct capture_scan *scan)
{
	keeper_done(&scan->keeper);
	scan_links_done(&scan->links);
	buf_done(&scan->line);
}
