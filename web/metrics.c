#include "web/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "web/metrics_links.h"
#include "web/metrics_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- lists of named things ------------------------------------------------------------------- */

/* A counter of each element of a list, told apart by one label. */
struct family {
	const char *name, *type, *help;
	const char *label, *label_path;
	const char *path;
};

static void add_family(struct buf *out, const json_t *list, const struct family *f)
{
	bool counter = strcmp(f->type, "counter") == 0;
	const json_t *element;
	size_t i;

	metrics_add_type(out, f->name, f->type, f->help);
	json_array_foreach(list, i, element) {
		buf_addf(out, "%s%s", f->name, counter ? "_total" : "");
		metrics_add_label(out, true, f->label, metrics_text(element, f->label_path));
		buf_adds(out, "} ");
		metrics_add_number(out, metrics_number(element, f->path));
	}
}

static const struct family rules[] = {
	{ "tapwarden_rule_matches", "counter", "Matches of a pattern.", "rule", "name", "matches" },
	{ "tapwarden_rule_tried", "counter", "Payloads that a pattern was tried on.", "rule",
	  "name", "tried" },
	{ "tapwarden_rule_limited", "counter", "Payloads at which a pattern met its limit.", "rule",
	  "name", "limited" },
	{ "tapwarden_rule_dropped", "counter", "Frames that a pattern kept from passing.", "rule",
	  "name", "dropped" },
	{ "tapwarden_rule_skipped", "counter",
	  "Payloads that a pattern was not tried on, being in quarantine.", "rule", "name",
	  "skipped" },
	{ "tapwarden_rule_quarantined_links", "gauge", "Links on which a pattern is in quarantine.",
	  "rule", "name", "quarantined" },
	{ "tapwarden_rule_unnoted", "counter",
	  "Matches that frames.pcapng has not all comments and frames of.", "rule", "name",
	  "unnoted" },
};

static const struct family logs[] = {
	{ "tapwarden_log_lines", "counter", "Lines of a log that were searched.", "log", "name",
	  "lines" },
	{ "tapwarden_log_bytes", "counter", "Bytes of these lines.", "log", "name", "bytes" },
	{ "tapwarden_log_matches", "counter", "Matches of patterns in them.", "log", "name",
	  "matches" },
	{ "tapwarden_log_cut", "counter", "Times that the file was truncated.", "log", "name",
	  "cut" },
	{ "tapwarden_log_skipped_bytes", "counter", "Bytes of lines too long to search.", "log",
	  "name", "skipped" },
	{ "tapwarden_log_limited", "counter",
	  "Searches of lines that were given up, or not begun for that.", "log", "name",
	  "limited" },
	{ "tapwarden_log_notes_lost", "counter",
	  "Times that the kernel let go of notes of renames.", "log", "name", "notes_lost" },
	{ "tapwarden_log_files_lost", "counter", "Files that took its place and were not read.",
	  "log", "name", "files_lost" },
	{ "tapwarden_log_ranges_lost", "counter",
	  "Open ranges that the next worker did not go on with.", "log", "name", "ranges_lost" },
	{ "tapwarden_log_behind_bytes", "gauge", "Bytes that are not read yet.", "log", "name",
	  "behind" },
};

static const struct family workers[] = {
	{ "tapwarden_worker_restarts", "counter", "Deaths of a worker.", "worker", "name",
	  "restarts" },
};

static const struct family listeners[] = {
	{ "tapwarden_http_requests", "counter", "HTTP requests.", "listener", "address",
	  "requests" },
	{ "tapwarden_http_connections", "counter", "HTTP connections.", "listener", "address",
	  "connections" },
	{ "tapwarden_http_refused", "counter", "Connections refused while all others were busy.",
	  "listener", "address", "refused_busy" },
	{ "tapwarden_http_cut", "counter", "Connections cut at a deadline.", "listener", "address",
	  "cut" },
};

/* ---- single numbers -------------------------------------------------------------------------- */

static const struct {
	const char *name, *type, *help, *path;
} of_status[] = {
	{ "tapwarden_config_generation", "gauge", "Configurations since the agent began.",
	  "agent.generation" },
	{ "tapwarden_records", "counter", "Records written.", "capture.records" },
	{ "tapwarden_records_lost", "counter", "Records that no log file took.", "capture.log_lost" },
	{ "tapwarden_pcap_missed", "counter",
	  "Matches of streams that frames.pcapng has not all frames of.", "capture.pcap_missed" },
	{ "tapwarden_feed_lost", "counter", "Records that the web worker did not get.",
	  "capture.feed_lost" },
	{ "tapwarden_capture_drops", "counter", "Frames that the capture worker did not get.",
	  "capture.drops" },
	{ "tapwarden_condemned_evicted", "counter",
	  "Connections of inline links that patterns ended, and that may go on for want of room.",
	  "capture.condemned.evicted" },
}, of_health[] = {
	{ "tapwarden_event_streams", "gauge", "Open event streams.", "events.streams" },
	{ "tapwarden_event_skipped", "counter", "Records that slow streams missed.",
	  "events.skipped" },
	{ "tapwarden_logins", "counter", "Logins that were good.", "auth.logins" },
	{ "tapwarden_auth_failures", "counter", "Logins that were not.", "auth.failures" },
	{ "tapwarden_auth_throttled", "counter", "Logins that were not even tried.",
	  "auth.throttled" },
	{ "tapwarden_boot_scripts", "counter", "Boot scripts served.", "boot.scripts" },
	{ "tapwarden_boot_refused", "counter",
	  "Requests of boot scripts by machines that are not behind the guest's link.",
	  "boot.refused" },
};

static void add_single(struct buf *out, const json_t *object, const char *name, const char *type,
		       const char *help, const char *path)
{
	metrics_add_type(out, name, type, help);
	buf_addf(out, "%s%s ", name, strcmp(type, "counter") == 0 ? "_total" : "");
	metrics_add_number(out, metrics_number(object, path));
}

static void add_build(struct buf *out, const json_t *status)
{
	metrics_add_type(out, "tapwarden_build", "info", "The program.");
	buf_adds(out, "tapwarden_build_info");
	metrics_add_label(out, true, "version",
			  metrics_text(json_object_get(status, "agent"), "version"));
	buf_adds(out, "} 1\n");
	metrics_add_type(out, "tapwarden_config_last_reload_successful", "gauge",
			 "Whether the last reload was taken.");
	buf_addf(out, "tapwarden_config_last_reload_successful %d\n",
		 !metrics_text(json_object_get(status, "agent"), "reload_error")[0]);
}

void metrics_write(const json_t *status, const json_t *health, struct buf *out)
{
	add_build(out, status);
	for (size_t i = 0; i < COUNT(of_status); i++)
		add_single(out, status, of_status[i].name, of_status[i].type, of_status[i].help,
			   of_status[i].path);
	for (size_t i = 0; i < COUNT(of_health); i++)
		add_single(out, health, of_health[i].name, of_health[i].type, of_health[i].help,
			   of_health[i].path);
	for (size_t i = 0; i < COUNT(workers); i++)
		add_family(out, json_object_get(status, "workers"), &workers[i]);
	for (size_t i = 0; i < COUNT(listeners); i++)
		add_family(out, json_object_get(health, "listeners"), &listeners[i]);
	for (size_t i = 0; i < COUNT(rules); i++)
		add_family(out, json_object_get(status, "patterns"), &rules[i]);
	for (size_t i = 0; i < COUNT(logs); i++)
		add_family(out, json_object_get(status, "logs"), &logs[i]);
	metrics_add_links(out, json_object_get(status, "sets"), json_object_get(status, "links"));
	buf_adds(out, "# EOF\n");
}
