#include "agent/status_losses.h"

#include "agent/base/plural.h"

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* "! 12 frames were malformed: 9 ip4-length, 3 truncated" */
static void add_malformed(const json_t *malformed, struct buf *out)
{
	json_int_t total = 0;
	const char *reason;
	json_t *frames;

	json_object_foreach((json_t *)malformed, reason, frames)
		total += json_integer_value(frames);
	if (!total)
		return;
	buf_addf(out, "! %" JSON_INTEGER_FORMAT " %s not decoded to the end:", total,
		 plural((uint64_t)total, "frame was", "frames were"));
	json_object_foreach((json_t *)malformed, reason, frames)
		buf_addf(out, " %" JSON_INTEGER_FORMAT " %s", json_integer_value(frames), reason);
	buf_addc(out, '\n');
}

static void add_quarantine(const json_t *patterns, struct buf *out)
{
	const json_t *pattern;
	size_t i;

	json_array_foreach(patterns, i, pattern) {
		if (number(pattern, "quarantined"))
			buf_addf(out,
				 "! pattern %s is left out on %" JSON_INTEGER_FORMAT
				 " %s for a while: its searches were given up too often\n",
				 text(pattern, "name"), number(pattern, "quarantined"),
				 plural((uint64_t)number(pattern, "quarantined"), "link", "links"));
	}
}

static void add_unnoted(const json_t *patterns, struct buf *out)
{
	const json_t *pattern;
	size_t i;

	json_array_foreach(patterns, i, pattern) {
		if (number(pattern, "unnoted"))
			buf_addf(
				out,
				"! pattern %s: frames.pcapng has not all comments and frames of %" JSON_INTEGER_FORMAT
				" %s: too many came with one frame\n",
				text(pattern, "name"), number(pattern, "unnoted"),
				plural((uint64_t)number(pattern, "unnoted"), "match", "matches"));
	}
}

static const struct {
	const char *key, *one, *many;
} log_losses[] = {
	{ "limited", "search of a line was given up", "searches of lines were given up" },
	{ "skipped", "byte is of a line too long to be searched",
	  "bytes are of lines too long to be searched" },
	{ "cut", "time the file was cut, and what was added right before is not known",
	  "times the file was cut, and what was added right before is not known" },
	{ "notes_lost", "time notes of renames were lost, and with them maybe files",
	  "times notes of renames were lost, and with them maybe files" },
	{ "files_lost", "file that took its place was not read",
	  "files that took its place were not read" },
	{ "ranges_lost", "open range ended with a worker", "open ranges ended with a worker" },
};

static void add_log_losses(const json_t *logs, struct buf *out)
{
	const json_t *log;
	size_t i;

	json_array_foreach(logs, i, log) {
		for (size_t k = 0; k < sizeof(log_losses) / sizeof(log_losses[0]); k++) {
			json_int_t n = number(log, log_losses[k].key);

			if (n)
				buf_addf(out, "! log %s: %" JSON_INTEGER_FORMAT " %s\n",
					 text(log, "name"), n,
					 plural((uint64_t)n, log_losses[k].one,
						log_losses[k].many));
		}
	}
}

static const struct {
	const char *key, *one, *many;
} losses[] = {
	{ "log_lost", "record could not be written to the log",
	  "records could not be written to the log" },
	{ "payloads_lost", "payload could not be written to payloads.log",
	  "payloads could not be written to payloads.log" },
	{ "pcap_lost", "frame could not be written to frames.pcapng",
	  "frames could not be written to frames.pcapng" },
	{ "pcap_missed",
	  "match of a stream lacks its first frames in frames.pcapng: they were too far back",
	  "matches of streams lack their first frames in frames.pcapng: they were too far back" },
	{ "drops", "frame was lost in a full packet ring",
	  "frames were lost in full packet rings" },
};

static void add_loss(json_int_t n, const char *one, const char *many, struct buf *out)
{
	if (n)
		buf_addf(out, "! %" JSON_INTEGER_FORMAT " %s\n", n, plural((uint64_t)n, one, many));
}

static json_int_t cut_frames(const json_t *links)
{
	json_int_t total = 0;
	const json_t *link;
	size_t i;

	json_array_foreach(links, i, link)
		total += number(json_object_get(link, "captured"), "truncated");
	return total;
}

/* What was lost or refused, only when there is something to say. */
static void add_losses(const json_t *status, struct buf *out)
{
	const json_t *capture = json_object_get(status, "capture");
	const json_t *agent = json_object_get(status, "agent");
	const char *reload = text(agent, "reload_error");

	if (text(capture, "log_error")[0])
		buf_addf(out, "! records and payloads wait, they cannot be written: %s\n",
			 text(capture, "log_error"));
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++)
		add_loss(number(capture, losses[i].key), losses[i].one, losses[i].many, out);
	add_loss(cut_frames(json_object_get(status, "links")),
		 "frame was longer than a packet ring keeps: patterns saw its beginning",
		 "frames were longer than a packet ring keeps: patterns saw their beginning", out);
	add_malformed(json_object_get(capture, "malformed"), out);
	if (reload[0])
		buf_addf(out, "! the last reload was refused: %s\n", reload);
}

void status_losses(const json_t *status, struct buf *out)
{
	add_quarantine(json_object_get(status, "patterns"), out);
	add_unnoted(json_object_get(status, "patterns"), out);
	add_log_losses(json_object_get(status, "logs"), out);
	add_losses(status, out);
}
