/*
 * TCP streams out of segments in any order, and which packet each byte came in.
 *
 * Pure. The rules, where TCP leaves a choice:
 *
 * - Overlap: the first copy of a byte wins, also among those that wait behind a hole. A later copy
 *   that is known to differ is counted as a conflict: known for bytes that wait, and for a segment
 *   that repeats one of the last few exactly.
 * - A hole is waited for. It becomes a gap when the other end acknowledged what is behind it, so
 *   that it was the capture that lost it, and STREAM_HOLD_ACKED_NS have passed; of a flow whose
 *   other end is not seen, after STREAM_HOLD_ALONE_NS, or when more waits than may; and when the
 *   flow ends. A guest's data alone, however far ahead, moves nothing.
 * - A flow that was begun before the capture is picked up at its first data.
 * - What the capture cut off a segment is a gap at once. What is missing at the end, before a FIN
 *   or as acknowledged by the other end, is one when the flow ends.
 * - FIN ends a direction when everything before it has come. RST ends both when it is inside the
 *   window that is waited for; closed flows are remembered, so that a late copy is not a new flow.
 */
#ifndef TW_STREAM_H
#define TW_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/time_units.h"
#include "capture/flow.h"
#include "capture/frame.h"

#define STREAM_HOLD_ACKED_NS UINT64_C(100000000)
#define STREAM_HOLD_ALONE_NS NS_PER_S

/* Of a closed flow, or one without data; STREAM_IDLE_NS of the others. */
#define STREAM_YOUNG_NS (30 * NS_PER_S)
#define STREAM_IDLE_NS	(300 * NS_PER_S)

/*
 * Where what goes unsearched is not to pass: who only has to wait would send the rest of a text.
 * The kernel takes a connection for over after as long (nf_conntrack_tcp_timeout_established).
 */
#define STREAM_STRICT_IDLE_NS (432000 * NS_PER_S)

/* No window is larger: RFC 7323 section 2.3. */
#define STREAM_WINDOW_MAX (1 << 30)

/* Segments that wait in one direction, whatever their length: bounds the walk over them. */
#define STREAM_PENDING_SEGMENTS 1024u

/* Packets that are remembered behind what the reader said it still needs, and in all. */
#define STREAM_PIECES_BEHIND 4u
#define STREAM_PIECES_MAX    256u

enum stream_end {
	STREAM_FIN,
	STREAM_RST,
	STREAM_IDLE,
	STREAM_EVICTED, /* the memory was needed */
	STREAM_REUSED, /* the same ends began a new connection */
	STREAM_FINISHED, /* the input ended */
	STREAM_HANDED, /* another process goes on with it */
	STREAM_ENDS
};

struct stream_chunk {
	const uint8_t *bytes;
	size_t len;
	uint64_t offset; /* of its first byte in the stream */
	uint64_t packet; /* number of the packet it came in */
	uint64_t now_ns;
};

/* A part of a stream and the packet that it came in. */
struct stream_span {
	uint64_t offset;
	uint64_t len;
	uint64_t packet;
};

struct stream_counts {
	uint64_t bytes; /* handed over */
	uint64_t repeated; /* bytes that had been seen */
	uint64_t conflicts; /* segments that repeat bytes with others */
	uint64_t gaps;
	uint64_t gap_bytes;
	uint64_t dropped; /* segments that would wait but for a bound, and those after an end */
	uint64_t odd; /* segments outside any window, or sent by the wrong side */
	uint64_t midway; /* directions that were not seen from their beginning */
	uint64_t unknown; /* with `in_path`: segments that repeat bytes which nobody has any more */
	uint64_t refused; /* packets of flows for which there was no memory */
	uint64_t flows; /* begun */
	uint64_t ends[STREAM_ENDS]; /* directions that ended */
};

/*
 * Who reads the streams. `end` is that of the flow which sends. In data() memory may be charged to
 * the table for `flow`; in end(), which is the last call for this direction and frees half->user,
 * it may not.
 */
struct stream_ops {
	void (*data)(void *data, struct flow *flow, unsigned int end,
		     const struct stream_chunk *chunk);
	/*
	 * What a frame brought is to wait behind a hole; it may be handed over when no frame is in
	 * hand. As in data(), memory may be charged. NULL: nobody cares.
	 */
	void (*wait)(void *data, struct flow *flow, unsigned int end, uint64_t now_ns);
	void (*gap)(void *data, struct flow *flow, unsigned int end, uint64_t offset, uint64_t len,
		    uint64_t now_ns);
	void (*end)(void *data, struct flow *flow, unsigned int end, enum stream_end why,
		    uint64_t now_ns);
	/*
	 * A strict flow is not known any more, although its ends may go on: no more than a FIN that
	 * the other end acknowledged says that they do not. A RST may not have arrived, or not been
	 * believed.
	 */
	void (*lost)(void *data, const struct flow *flow, enum stream_end why);
};

struct stream_conf {
	size_t memory; /* bytes for all flows together */
	size_t pending; /* bytes that may wait in one direction */
	uint64_t seed; /* see flow_table_init() */
	/* A flow with data is kept as long as a strict one, while half of the memory is free. */
	bool patient;
};

struct streams {
	struct flow_table flows;
	struct stream_conf conf;
	const struct stream_ops *ops;
	void *data;
	struct stream_counts counts;
	uint64_t now_ns; /* of the last frame or tick */
	bool waits; /* the last frame had bytes that wait behind a hole */
	/* set by the caller, of the next frame: it waits here, and what repeats is compared */
	bool in_path;
	/* the same, with `in_path`: what is not searched is not to pass */
	bool strict;
	bool from_guest; /* the same, of a frame in the path: which side of the link sent it */
};

/* 0 or -ENOMEM. `ops` and `data` outlive the streams. */
int streams_init(struct streams *streams, const struct stream_conf *conf,
		 const struct stream_ops *ops, void *data);

/* Ends every flow with STREAM_FINISHED, the quietest first, and frees all. */
void streams_done(struct streams *streams);

/* Takes a frame; one that is not TCP is passed over. `packet` is its number, for stream_spans(). */
void streams_frame(struct streams *streams, const struct frame *frame, uint32_t link,
		   uint64_t packet, uint64_t now_ns);

/* Every second or so: holes that waited long enough, flows that are quiet. */
void streams_tick(struct streams *streams, uint64_t now_ns);

/* Ends the flows of a link with STREAM_FINISHED. */
void streams_end_link(struct streams *streams, uint32_t link);

/*
 * Takes the flows of a link out, the quietest first: each ends with STREAM_HANDED where take() says
 * that another process has all of it, else with STREAM_EVICTED.
 */
void streams_take_link(struct streams *streams, uint32_t link,
		       bool (*take)(void *data, struct flow *flow), void *data);

/* Ends a flow without handing over what waits. */
void streams_cut_flow(struct streams *streams, struct flow *flow, enum stream_end why);

/*
 * Ends a flow of which nothing more is to come, if it is there; not from within the reader's calls.
 */
void streams_end_flow(struct streams *streams, const struct flow_key *key);

/* The reader does not need the packets of bytes before `offset` any more. */
void stream_forget(struct stream_half *half, uint64_t offset);

/*
 * Which packets the bytes from `offset` on came in: fills at most `max` spans and returns how many.
 * Those that are not remembered any more, and gaps, are left out.
 */
size_t stream_spans(const struct stream_half *half, uint64_t offset, uint64_t len,
		    struct stream_span *ret, size_t max);

#endif
