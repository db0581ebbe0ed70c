/*
 * Records: one line of JSON each, in the words of Suricata's EVE, ours in one object "tapwarden".
 *
 * Pure. No line holds a newline. Every record has
 *
 *   timestamp   "2026-11-22T16:20:01.123456789Z", UTC with nanoseconds
 *   event_type  "alert", "link", "service" or "gap"
 *   host        the hypervisor
 *   in_iface    the link; left out where there is none
 *   tapwarden   v: 1, raised when a meaning changes; seq: numbers records without holes: the next
 *               is seq + 1, behind a gap of unit "records" seq + lost, also when the agent was
 *               started again; set, link, guest: left out where there is none
 *
 * alert: a match of a rule in the payload of one frame, or in a stream
 *   flow_id     below 2^53, the same for both directions of a 5-tuple
 *   src_ip src_port dest_ip dest_port proto ("TCP", "UDP"; "ICMP" and "IPv6-ICMP", which have
 *               icmp_type and icmp_code instead of ports)
 *   pcap_filename  of what was read from a capture
 *   pcap_cnt    number of the frame that completed the match: in that file, or of the link
 *   capture_file  the pcapng file that gets the frames, where that is another than frames.pcapng
 *   vlan        ids, outermost first; left out for none
 *   ether       src_mac, dest_mac, ether_type
 *   alert       action "allowed" or "blocked", gid 1, signature_id, rev 1, signature (the rule),
 *               category, severity
 *   payload     base64, and payload_printable: of that frame, cut at the configuration's
 *               payload-bytes; only in the first record of a frame
 *   tapwarden   payload_seq, in the further records of a frame: seq of the one with the payload;
 *               flow_dir "from_guest" or "to_guest", left out where nobody knows; rule; scope
 *               "packet" or "stream"; offset and length of the match in the payload, or in the
 *               stream from where it was picked up; frames, of a match in a stream or in an IP
 *               packet that came in fragments: n as pcap_cnt, offset and length of what it has of
 *               the match; match {"text"} when it is UTF-8, else {"b64"};
 *               groups: name to {"text" or "b64", "offset"}, null for one that took no part;
 *               end "match"; gap: bytes of the stream were lost somewhere before the match, never
 *               inside it;
 *               trunc: something above was cut, or the capture cut the frame;
 *               enc of the match: "utf-8" or "binary"
 *
 *   Of a line of a log there is no flow and no frame: payload is the line, and tapwarden has log
 *               and file, scope "line", and the offset in the file
 *
 * link, service: what the supervisor did; the body, under a key of that name, is action and detail
 *
 * gap: something was lost: gap is lost (how many, or 2^53 - 1 where it is more), unit ("frames",
 *   "records", "payloads", "pcap-frames", "bytes", "lines", "files") and reason. For bytes, there
 *   are the flow as in an alert, and tapwarden.offset and rule; a gap without a rule is one for all
 *   of them. For records, seq is the number of the first that is missing, so that seq has no hole.
 *   Reason "cut" is of frames of which only the beginning was seen.
 */
#ifndef TW_RECORD_H
#define TW_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/ipc_msg.h"
#include "agent/base/stats.h"
#include "capture/extract.h"
#include "capture/frame.h"

#define RECORD_VERSION 1

/* A line: 64 KiB of payload in both forms, and a match of several groups. */
#define RECORD_MAX (512u << 10)

/* Of a match or group in a record. */
#define RECORD_TEXT_MAX 4096u

#define RECORD_TIME_TEXT 31 /* with NUL */

struct record_head {
	uint64_t time_ns; /* CLOCK_REALTIME */
	uint64_t seq;
	const char *host;
	const char *link; /* "" for none, as the next two */
	const char *set;
	const char *guest;
	const char *log, *file; /* of a line of a log: the [log] and its path; NULL: of none */
};

/* What a frame has of a match. */
struct record_span {
	uint64_t frame; /* its number */
	uint64_t offset;
	uint64_t len;
};

struct record_alert {
	const struct frame *frame; /* NULL: a match in a line: */
	const uint8_t *line;
	size_t line_len;
	bool has_direction;
	enum stats_direction direction;
	const char *pcap_filename; /* NULL: live */
	uint64_t frame_number; /* 0: not known */
	const char *capture_file; /* NULL: the usual one, or none */
	const uint8_t *subject; /* what the match's spans are in; NULL: the frame's payload */
	uint64_t base; /* offset of the subject in the stream */
	bool stream;
	bool gap;
	const struct record_span *spans;
	size_t n_spans;
	bool blocked; /* its frame does not go on */
	const char *rule;
	uint32_t signature_id;
	const char *category; /* may be NULL */
	uint32_t severity;
	const struct pattern *pattern; /* for the names of the groups */
	const struct extract_match *match;
	size_t payload_bytes;
	bool payload_told; /* by an earlier record of the frame: */
	uint64_t payload_seq;
};

enum record_unit {
	RECORD_UNIT_FRAMES,
	RECORD_UNIT_RECORDS,
	RECORD_UNIT_PAYLOADS, /* of the payload log */
	RECORD_UNIT_PCAP_FRAMES, /* of the pcapng file */
	RECORD_UNIT_BYTES, /* of a stream, of an IP packet or of a log */
	RECORD_UNIT_LINES, /* of a log */
	RECORD_UNIT_FILES, /* that took a log's place */
	RECORD_UNIT_RANGES, /* of a log, that were open */
};

struct record_gap {
	uint64_t lost;
	enum record_unit unit;
	const char *reason;
	const struct frame *frame; /* addresses of the flow that it is about; NULL: no flow */
	const char *rule; /* that did not see them; NULL: none of them did */
	uint64_t offset; /* in the flow's stream or payload */
};

/*
 * Each replaces what is in `out`. 0, or -ENOBUFS when the line does not fit; an alert then is
 * tried once more with all its texts cut short.
 */
int record_alert(struct buf *out, const struct record_head *head, const struct record_alert *alert);
int record_event(struct buf *out, const struct record_head *head, enum ipc_event_kind kind,
		 const char *action, const char *detail);
int record_gap(struct buf *out, const struct record_head *head, const struct record_gap *gap);

/* The same whichever end sent the frame; below 2^53, which JavaScript holds exactly. */
uint64_t record_flow_id(const struct frame *frame);

/*
 * The length of the longest prefix of `data` that consists of whole lines; `ret_lines` (may be
 * NULL) is how many.
 */
size_t record_whole(const void *data, size_t len, uint64_t *ret_lines);

void record_format_time(char out[RECORD_TIME_TEXT], uint64_t time_ns);

/* "TCP", "UDP", "ICMP", "IPv6-ICMP", or "" for what has no payload. */
const char *record_proto_name(uint8_t proto);

/* An address of the frame as inet_ntop(3) prints it. */
void record_format_ip(char out[ADDRESS_TEXT_MAX], const struct frame *frame, const uint8_t *ip);

#endif
