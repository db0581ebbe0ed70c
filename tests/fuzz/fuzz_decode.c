/* links: capture/decode.c capture/payload_log.c capture/record.c capture/json_writer.c */
/* links: capture/decode_link.c */
/* links: capture/regex_match.c */
/* links: capture/pattern.c capture/regex.c agent/base/buf.c agent/base/parse.c agent/base/err.c */
/* links: capture/pattern_compose.c */
/* links: capture/literal.c capture/literal_reader.c capture/literal_part.c agent/base/utf8.c */
/*
 * A frame as a guest may send it: decoded, and what came out written to the payload log, which has
 * to be whole. The first byte says how the frame was captured.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "capture/decode.h"
#include "capture/payload_log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_payload(const struct decode_input *in, const struct frame *frame)
{
	struct buf out;
	uint64_t n;

	if (frame->payload < in->bytes ||
	    frame->payload_len > (size_t)(in->bytes + in->len - frame->payload) ||
	    frame->payload != in->bytes + frame->payload_offset)
		abort();
	buf_init(&out, PAYLOAD_LOG_ENTRY_MAX);
	if (payload_log_entry(&out, 1, "web01", STATS_FROM_GUEST, frame) == 0 &&
	    (payload_log_whole(out.data, out.len, &n) != out.len || n != 1))
		abort();
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_input in;
	struct frame frame;
	enum decode_reason reason;
	uint8_t *exact;

	if (size < 1 || size > 65536)
		return 0;
	/* Of exactly its size, so that a sanitizer sees one byte too far. */
	exact = malloc(size);
	if (!exact)
		return 0;
	memcpy(exact, data + 1, size - 1);
	in = (struct decode_input){
		.bytes = exact,
		.len = size - 1,
		.wire_len = size - 1 + (data[0] & 1),
	};
	reason = decode_ethernet(&in, &frame);
	if (!decode_reason_name(reason) || frame.n_vlans > FRAME_VLANS_MAX ||
	    (reason != DECODE_OK && frame.payload))
		abort();
	if (frame.payload)
		check_payload(&in, &frame);
	free(exact);
	return 0;
}
