#include "capture/record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "agent/base/hash.h"
#include "agent/base/time_units.h"
#include "agent/base/utf8.h"
#include "capture/json_writer.h"
#include "capture/record_number.h"

/* What is left of texts in the second try: every group still shows how it begins. */
#define TEXT_CUT 64u

static const char *const event_names[IPC_EVENT_KINDS] = {
	[IPC_EVENT_LINK] = "link",
	[IPC_EVENT_SERVICE] = "service",
};

static const char *const direction_names[STATS_DIRECTIONS] = {
	[STATS_FROM_GUEST] = "from_guest",
	[STATS_TO_GUEST] = "to_guest",
};

static const char *const unit_names[] = {
	[RECORD_UNIT_FRAMES] = "frames",     [RECORD_UNIT_RECORDS] = "records",
	[RECORD_UNIT_PAYLOADS] = "payloads", [RECORD_UNIT_PCAP_FRAMES] = "pcap-frames",
	[RECORD_UNIT_BYTES] = "bytes",	     [RECORD_UNIT_LINES] = "lines",
	[RECORD_UNIT_FILES] = "files",	     [RECORD_UNIT_RANGES] = "ranges",
};

void record_format_time(char out[RECORD_TIME_TEXT], uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / NS_PER_S);
	char date[RECORD_TIME_TEXT];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	if (!strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm))
		date[0] = '\0';
	snprintf(out, RECORD_TIME_TEXT, "%.19s.%09uZ", date, (unsigned int)(time_ns % NS_PER_S));
}

size_t record_whole(const void *data, size_t len, uint64_t *ret_lines)
{
	const char *p = data, *newline = len ? memrchr(data, '\n', len) : NULL;
	size_t whole = newline ? (size_t)(newline - p) + 1 : 0;
	uint64_t lines = 0;

	if (!ret_lines)
		return whole;
	for (const char *end = p + whole; p < end; lines++)
		p = (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
	*ret_lines = lines;
	return whole;
}

const char *record_proto_name(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_ICMP:
		return "ICMP";
	case IPPROTO_ICMPV6:
		return "IPv6-ICMP";
	default:
		return "";
	}
}

void record_format_ip(char out[ADDRESS_TEXT_MAX], const struct frame *frame, const uint8_t *ip)
{
	if (!inet_ntop(frame->ip_version == 6 ? AF_INET6 : AF_INET, ip, out, ADDRESS_TEXT_MAX))
		out[0] = '\0';
}

/* Who can choose addresses can also make two flows alike: the id is a hint. */
uint64_t record_flow_id(const struct frame *frame)
{
	const uint64_t mask = (UINT64_C(1) << 53) - 1;
	size_t ip_len = frame->ip_version == 6 ? 16 : 4;
	uint8_t ends[2][18] = { { 0 } };
	uint64_t h = HASH_INIT;
	int first;

	memcpy(ends[0], frame->src_ip, ip_len);
	memcpy(ends[1], frame->dst_ip, ip_len);
	memcpy(ends[0] + 16, &frame->src_port, 2);
	memcpy(ends[1] + 16, &frame->dst_port, 2);
	first = memcmp(ends[0], ends[1], sizeof(ends[0])) > 0;
	h = hash_bytes(h, &frame->proto, 1);
	h = hash_bytes(h, ends[first], sizeof(ends[0]));
	h = hash_bytes(h, ends[!first], sizeof(ends[0]));
	return (h ^ (h >> 53)) & mask;
}

static void begin_record(struct json_writer *w, const struct record_head *head, const char *type)
{
	char timestamp[RECORD_TIME_TEXT];

	buf_reset(w->out);
	record_format_time(timestamp, head->time_ns);
	jw_object(w, NULL);
	jw_text(w, "timestamp", timestamp);
	jw_text(w, "event_type", type);
	jw_text(w, "host", head->host);
	if (*head->link)
		jw_text(w, "in_iface", head->link);
}

static void begin_own(struct json_writer *w, const struct record_head *head)
{
	jw_object(w, "tapwarden");
	jw_u64(w, "v", RECORD_VERSION);
	jw_u64(w, "seq", head->seq);
	if (*head->set)
		jw_text(w, "set", head->set);
	if (*head->link)
		jw_text(w, "link", head->link);
	if (*head->guest)
		jw_text(w, "guest", head->guest);
	if (!head->log)
		return;
	jw_text(w, "log", head->log);
	jw_text(w, "file", head->file);
}

static int end_record(struct json_writer *w)
{
	jw_object_end(w);
	return w->out->failed ? -ENOBUFS : 0;
}

static void write_mac(struct json_writer *w, const char *key, const uint8_t *mac)
{
	char text[MAC_TEXT_MAX];

	format_mac(text, mac);
	jw_text(w, key, text);
}

static void write_flow(struct json_writer *w, const struct frame *frame)
{
	char ip[ADDRESS_TEXT_MAX];

	jw_u64(w, "flow_id", record_flow_id(frame));
	record_format_ip(ip, frame, frame->src_ip);
	jw_text(w, "src_ip", ip);
	if (frame->has_ports)
		jw_u64(w, "src_port", frame->src_port);
	record_format_ip(ip, frame, frame->dst_ip);
	jw_text(w, "dest_ip", ip);
	if (frame->has_ports)
		jw_u64(w, "dest_port", frame->dst_port);
	jw_text(w, "proto", record_proto_name(frame->proto));
	if (frame->has_icmp) {
		jw_u64(w, "icmp_type", frame->icmp_type);
		jw_u64(w, "icmp_code", frame->icmp_code);
	}
	if (frame->n_vlans) {
		jw_array(w, "vlan");
		for (unsigned int i = 0; i < frame->n_vlans; i++)
			jw_u64(w, NULL, frame->vlan[i]);
		jw_array_end(w);
	}
	/* A capture of raw IP has none. */
	if (!frame->src_mac)
		return;
	jw_object(w, "ether");
	write_mac(w, "src_mac", frame->src_mac);
	write_mac(w, "dest_mac", frame->dst_mac);
	jw_u64(w, "ether_type", frame->ether_type);
	jw_object_end(w);
}

static void write_capture(struct json_writer *w, const struct record_alert *alert)
{
	if (alert->pcap_filename)
		jw_text(w, "pcap_filename", alert->pcap_filename);
	if (alert->frame_number)
		jw_u64(w, "pcap_cnt", alert->frame_number);
	if (alert->capture_file)
		jw_text(w, "capture_file", alert->capture_file);
}

static void write_spans(struct json_writer *w, const struct record_alert *alert)
{
	if (!alert->n_spans)
		return;
	jw_array(w, "frames");
	for (size_t i = 0; i < alert->n_spans; i++) {
		jw_object(w, NULL);
		jw_u64(w, "n", alert->spans[i].frame);
		jw_u64(w, "offset", alert->spans[i].offset);
		jw_u64(w, "length", alert->spans[i].len);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_rule(struct json_writer *w, const struct record_alert *alert)
{
	jw_object(w, "alert");
	jw_text(w, "action", alert->blocked ? "blocked" : "allowed");
	jw_u64(w, "gid", 1);
	jw_u64(w, "signature_id", alert->signature_id);
	jw_u64(w, "rev", 1);
	jw_text(w, "signature", alert->rule);
	jw_text(w, "category", alert->category ? alert->category : "");
	jw_u64(w, "severity", alert->severity);
	jw_object_end(w);
}

/* Writes "text" or "b64" of a span that is set; true when all of it was written. */
static bool write_span(struct json_writer *w, const uint8_t *subject, struct span span,
		       size_t text_max)
{
	const uint8_t *data = subject + span.start;
	size_t len = span.end - span.start, kept;

	if (utf8_valid(data, len)) {
		kept = utf8_cut(data, len, text_max);
		jw_string(w, "text", data, kept);
	} else {
		kept = len < text_max ? len : text_max;
		jw_base64(w, "b64", data, kept);
	}
	return kept == len;
}

static bool write_groups(struct json_writer *w, const struct record_alert *alert,
			 const uint8_t *subject, size_t text_max)
{
	bool whole = true;

	jw_object(w, "groups");
	for (size_t i = 0; i < pattern_n_groups(alert->pattern); i++) {
		const char *name = pattern_group_name(alert->pattern, i);
		struct span span = alert->match->groups[i];

		/* Group 0 is the match itself, told above. */
		if (strcmp(name, "0") == 0)
			continue;
		if (!span_is_set(span)) {
			jw_null(w, name);
			continue;
		}
		jw_object(w, name);
		whole = write_span(w, subject, span, text_max) && whole;
		jw_u64(w, "offset", alert->base + span.start);
		jw_object_end(w);
	}
	jw_object_end(w);
	return whole;
}

/* What the match was found in: a frame's payload, or a line. */
struct payload {
	const uint8_t *bytes;
	size_t len;
	bool truncated;
};

static struct payload payload_of(const struct record_alert *alert)
{
	const struct frame *frame = alert->frame;

	if (!frame)
		return (struct payload){ alert->line, alert->line_len, false };
	return (struct payload){ frame->payload, frame->payload_len, frame->truncated };
}

static const char *scope_of(const struct record_alert *alert)
{
	if (!alert->frame)
		return "line";
	return alert->stream ? "stream" : "packet";
}

static int write_alert(struct buf *out, const struct record_head *head,
		       const struct record_alert *alert, size_t payload_max, size_t text_max)
{
	struct json_writer w = { .out = out };
	struct payload payload = payload_of(alert);
	struct span span = alert->match->whole;
	size_t payload_len = payload.len < payload_max ? payload.len : payload_max;
	bool whole = payload_len == payload.len && !payload.truncated;
	const uint8_t *subject = alert->subject ? alert->subject : payload.bytes;
	bool utf8 = utf8_valid(subject + span.start, span.end - span.start);

	begin_record(&w, head, "alert");
	write_capture(&w, alert);
	if (alert->frame)
		write_flow(&w, alert->frame);
	write_rule(&w, alert);
	if (!alert->payload_told) {
		jw_base64(&w, "payload", payload.bytes, payload_len);
		jw_printable(&w, "payload_printable", payload.bytes, payload_len);
	}
	begin_own(&w, head);
	if (alert->payload_told)
		jw_u64(&w, "payload_seq", alert->payload_seq);
	if (alert->has_direction)
		jw_text(&w, "flow_dir", direction_names[alert->direction]);
	jw_text(&w, "rule", alert->rule);
	jw_text(&w, "scope", scope_of(alert));
	jw_u64(&w, "offset", alert->base + span.start);
	jw_u64(&w, "length", span.end - span.start);
	write_spans(&w, alert);
	jw_object(&w, "match");
	whole = write_span(&w, subject, span, text_max) && whole;
	jw_object_end(&w);
	whole = write_groups(&w, alert, subject, text_max) && whole;
	jw_text(&w, "end", "match");
	jw_bool(&w, "gap", alert->gap);
	jw_bool(&w, "trunc", !whole);
	jw_text(&w, "enc", utf8 ? "utf-8" : "binary");
	jw_object_end(&w);
	return end_record(&w);
}

int record_alert(struct buf *out, const struct record_head *head, const struct record_alert *alert)
{
	int err = write_alert(out, head, alert, alert->payload_bytes, RECORD_TEXT_MAX);

	return err ? write_alert(out, head, alert, TEXT_CUT, TEXT_CUT) : 0;
}

int record_event(struct buf *out, const struct record_head *head, enum ipc_event_kind kind,
		 const char *action, const char *detail)
{
	struct json_writer w = { .out = out };

	begin_record(&w, head, event_names[kind]);
	jw_object(&w, event_names[kind]);
	jw_text(&w, "action", action);
	jw_text(&w, "detail", detail);
	jw_object_end(&w);
	begin_own(&w, head);
	jw_object_end(&w);
	return end_record(&w);
}

int record_gap(struct buf *out, const struct record_head *head, const struct record_gap *gap)
{
	struct json_writer w = { .out = out };

	begin_record(&w, head, "gap");
	if (gap->frame)
		write_flow(&w, gap->frame);
	jw_object(&w, "gap");
	jw_u64(&w, "lost", gap->lost < RECORD_SEQ_MAX ? gap->lost : RECORD_SEQ_MAX);
	jw_text(&w, "unit", unit_names[gap->unit]);
	jw_text(&w, "reason", gap->reason);
	jw_object_end(&w);
	begin_own(&w, head);
	if (gap->rule)
		jw_text(&w, "rule", gap->rule);
	if (gap->frame)
		jw_u64(&w, "offset", gap->offset);
	jw_object_end(&w);
	return end_record(&w);
}
