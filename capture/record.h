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
 * alert: a match of a rule in the payload of one frame
 *   flow_id     below 2^53, the same for both directions of a 5-tuple
 *   src_ip src_port dest_ip dest_port proto ("TCP", "UDP")
 *   vlan        ids, outermost first; left out for none
 *   ether       src_mac, dest_mac, ether_type
 *   alert       action "allowed", gid 1, signature_id, rev 1, signature (the rule), category,
 *               severity
 *   payload     base64, and payload_printable: cut at the configuration's payload-bytes; only in the
 *               first record of a frame
 *   tapwarden   payload_seq, in the further records of a frame: seq of the one with the payload;
 *               flow_dir "from_guest" or "to_guest"; rule; scope "packet"; offset and length of the
 *               match in the payload; match {"text"} when it is UTF-8, else {"b64"};
 *               groups: name to {"text" or "b64", "offset"}, null for one that took no part;
 *               end "match"; gap false (the scope is one frame, nothing is missing inside it);
 *               trunc: something above was cut, or the capture cut the frame;
 *               enc of the match: "utf-8" or "binary"
 *
 * link, service: what the supervisor did; the body, under a key of that name, is action and detail
 *
 * gap: something was lost: gap is lost (how many), unit ("frames", "records", "payloads", "pcap-frames") and reason. For
 *   records, seq is the number of the first that is missing, so that seq has no hole.
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
};

struct record_alert {
	const struct frame *frame;
	enum stats_direction direction;
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
};

struct record_gap {
	uint64_t lost;
	enum record_unit unit;
	const char *reason;
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
 * The length of the longest prefix of `data` that consists of whole lines; `ret_lines` (may be NULL)
 * is how many.
 */
size_t record_whole(const void *data, size_t len, uint64_t *ret_lines);

/*
 * The seq that comes next behind a line of the log, without its newline. -EBADMSG for a line that is
 * no record of ours.
 */
int record_next_seq(const char *line, size_t len, uint64_t *ret_next);

void record_format_time(char out[RECORD_TIME_TEXT], uint64_t time_ns);

/* "TCP", "UDP", or "" for what has no payload. */
const char *record_proto_name(uint8_t proto);

/* An address of the frame as inet_ntop(3) prints it. */
void record_format_ip(char out[ADDRESS_TEXT_MAX], const struct frame *frame, const uint8_t *ip);

#endif
