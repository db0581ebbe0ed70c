#include "capture/keeper.h"

#include <stdio.h>

#include "agent/base/hash.h"

/* Flows whose frames are found again: one more than that may have pushed another out. */
#define FLOWS (1u << 16)

/*
 * A frame comes back out of the ring as it went in: flags has the rest of a struct pcapng_packet.
 */
enum kept_flag {
	KEPT_INBOUND = 1 << 0,
	KEPT_OUTBOUND = 1 << 1,
	KEPT_CHECKSUM_PARTIAL = 1 << 2,
	KEPT_GSO = 1 << 3,
	KEPT_PASSED = 1 << 4,
	KEPT_DROPPED = 1 << 5,
};

int keeper_init(struct keeper *keeper, const struct keeper_conf *conf)
{
	*keeper = (struct keeper){ .conf = *conf };
	return conf->mode == PCAP_MATCHES ? flashback_init(&keeper->flashback, conf->memory, FLOWS)
					  : 0;
}

void keeper_done(struct keeper *keeper)
{
	flashback_done(&keeper->flashback);
}

/* ---- matches -------------------------------------------------------------------------------- */

/* Whether a comment more fits with the frame. */
static bool has_room(const struct keeper *keeper, uint64_t frame)
{
	size_t n = 0;

	for (size_t i = 0; i < keeper->n_notes; i++)
		n += keeper->notes[i].frame == frame;
	return keeper->n_notes < KEEPER_NOTES_MAX && n < PCAPNG_COMMENTS_MAX;
}

static bool add_note(struct keeper *keeper, const struct sift_match *match,
		     const struct record_span *span)
{
	struct keeper_note *note = &keeper->notes[keeper->n_notes];
	unsigned long long from = span->offset, to = span->offset + span->len;

	if (!has_room(keeper, span->frame))
		return false;
	keeper->n_notes++;
	note->frame = span->frame;
	(void)snprintf(note->text, sizeof(note->text), "rule %.100s: %s bytes %llu-%llu",
		       match->rule->conf->head.name, match->stream ? "stream" : "payload", from,
		       to);
	return true;
}

static bool add_flow(struct keeper *keeper, const struct sift_match *match, uint64_t flow,
		     uint64_t first)
{
	for (size_t i = 0; i < keeper->n_flows; i++) {
		struct keeper_flow *known = &keeper->flows[i];

		if (known->flow != flow || known->link != match->link->id)
			continue;
		if (first < known->first)
			known->first = first;
		return true;
	}
	if (keeper->n_flows == KEEPER_FLOWS_MAX)
		return false;
	keeper->flows[keeper->n_flows++] =
		(struct keeper_flow){ flow, first, match->link->id, match->stream };
	return true;
}

/*
 * Fragments have no ports, and are another flow than the packet that they make. What it is of,
 * those behind the first one do not say either: headers may be before that.
 */
static uint64_t flow_of_fragments(const struct frame *frame)
{
	struct frame portless = *frame;

	portless.src_port = portless.dst_port = 0;
	portless.proto = 0;
	return record_flow_id(&portless);
}

bool keeper_match(struct keeper *keeper, const struct sift_match *match)
{
	struct span whole = match->hit->match->whole;
	struct record_span own = { match->number, match->hit->offset + whole.start,
				   whole.end - whole.start };
	const struct record_span *spans = match->n_spans ? match->spans : &own;
	size_t n = match->n_spans ? match->n_spans : 1;
	uint64_t first = spans[0].frame;
	bool all = true;

	if (keeper->conf.mode == PCAP_OFF)
		return true;
	for (size_t i = 0; i < n; i++) {
		all &= add_note(keeper, match, &spans[i]);
		/* What comes last in the match may have come first. */
		first = spans[i].frame < first ? spans[i].frame : first;
	}
	all &= add_flow(keeper, match, record_flow_id(match->frame), first);
	if (match->n_spans && !match->stream)
		all &= add_flow(keeper, match, flow_of_fragments(match->frame), first);
	return all;
}

/* ---- frames --------------------------------------------------------------------------------- */

static void write_noted(const struct keeper *keeper, uint32_t link, struct pcapng_packet packet)
{
	const char *comments[PCAPNG_COMMENTS_MAX];

	packet.comments = comments;
	packet.n_comments = 0;
	for (size_t i = 0; i < keeper->n_notes; i++) {
		if (keeper->notes[i].frame == packet.id)
			comments[packet.n_comments++] = keeper->notes[i].text;
	}
	keeper->conf.write(keeper->conf.data, link, &packet);
}

static void write_frame(const struct keeper *keeper, uint32_t link,
			const struct pcapng_packet *packet)
{
	if (keeper->n_notes)
		write_noted(keeper, link, *packet);
	else
		keeper->conf.write(keeper->conf.data, link, packet);
}

static uint32_t flags_of(const struct pcapng_packet *packet)
{
	return (packet->direction == PCAPNG_INBOUND ? KEPT_INBOUND : 0u) |
	       (packet->direction == PCAPNG_OUTBOUND ? KEPT_OUTBOUND : 0u) |
	       (packet->checksum_partial ? KEPT_CHECKSUM_PARTIAL : 0u) |
	       (packet->gso ? KEPT_GSO : 0u) |
	       (packet->verdict == PCAPNG_PASSED ? KEPT_PASSED : 0u) |
	       (packet->verdict == PCAPNG_DROPPED ? KEPT_DROPPED : 0u);
}

/* Where not every frame could be noted, none is known to have nothing of a match. */
static bool is_noted(const struct keeper *keeper, uint64_t frame)
{
	for (size_t i = 0; i < keeper->n_notes; i++) {
		if (keeper->notes[i].frame == frame)
			return true;
	}
	return keeper->n_notes == KEEPER_NOTES_MAX;
}

static bool on_kept(void *data, const struct flashback_frame *frame)
{
	struct keeper *keeper = data;
	struct pcapng_packet packet = {
		.time_ns = frame->time_ns,
		.bytes = frame->bytes,
		.len = frame->len,
		.wire_len = frame->wire_len,
		.checksum_partial = frame->flags & KEPT_CHECKSUM_PARTIAL,
		.gso = frame->flags & KEPT_GSO,
		.has_id = true,
		.id = frame->number,
	};

	if (keeper->conf.bare && !is_noted(keeper, frame->number))
		return false;
	if (frame->flags & (KEPT_PASSED | KEPT_DROPPED))
		packet.verdict = frame->flags & KEPT_PASSED ? PCAPNG_PASSED : PCAPNG_DROPPED;
	if (frame->flags & (KEPT_INBOUND | KEPT_OUTBOUND))
		packet.direction = frame->flags & KEPT_INBOUND ? PCAPNG_INBOUND : PCAPNG_OUTBOUND;
	write_frame(keeper, frame->link, &packet);
	return true;
}

/* The same ends on another link are another flow to the ring, with its own frames. */
static uint64_t on_link(uint64_t flow, uint32_t link)
{
	return hash_bytes(flow, &link, sizeof(link));
}

void keeper_settle(struct keeper *keeper)
{
	for (size_t i = 0; i < keeper->n_flows && keeper->conf.mode == PCAP_MATCHES; i++) {
		const struct keeper_flow *flow = &keeper->flows[i];

		if (!flashback_match(&keeper->flashback, on_link(flow->flow, flow->link),
				     flow->first, keeper->conf.before, keeper->conf.after, on_kept,
				     keeper) &&
		    flow->stream)
			keeper->missed++;
	}
	keeper->n_flows = 0;
	keeper->n_notes = 0;
}

/* The flow that the frame itself shows: the last fragment's is that of the others. */
static uint64_t flow_of(const struct frame *frame, const struct pcapng_packet *packet)
{
	bool joined = frame->payload && (frame->payload < packet->bytes ||
					 frame->payload > packet->bytes + packet->len);

	if (!frame->ip_version)
		return 0;
	return joined || (frame->fragment && !frame->has_ports) ? flow_of_fragments(frame)
								: record_flow_id(frame);
}

/* True when it is one of those after a match. */
static bool hold(struct keeper *keeper, uint32_t link, const struct pcapng_packet *packet,
		 const struct frame *frame)
{
	const struct flashback_frame held = {
		.number = packet->id,
		.time_ns = packet->time_ns,
		.flow = on_link(flow_of(frame, packet), link),
		.link = link,
		.flags = flags_of(packet),
		.len = (uint32_t)packet->len,
		.wire_len = (uint32_t)packet->wire_len,
		.bytes = packet->bytes,
	};

	return flashback_add(&keeper->flashback, &held);
}

void keeper_frame(struct keeper *keeper, uint32_t link, const struct pcapng_packet *packet,
		  const struct frame *frame)
{
	if (keeper->conf.mode == PCAP_OFF)
		return;
	if (keeper->conf.mode == PCAP_ALL || hold(keeper, link, packet, frame))
		write_frame(keeper, link, packet);
	keeper_settle(keeper);
}
