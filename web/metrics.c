#include "web/metrics.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/stats_traffic.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define METRIC_NAME_MAX 96

static const char *text(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* "a.b.c" from object to object; 0 when there is nothing. */
static double number(const json_t *object, const char *path)
{
	char key[64];

	for (;;) {
		size_t len = strcspn(path, ".");

		if (len >= sizeof(key))
			return 0;
		memcpy(key, path, len);
		key[len] = '\0';
		object = json_object_get(object, key);
		if (path[len] == '\0')
			return json_number_value(object);
		path += len + 1;
	}
}

static void add_number(struct buf *out, double n)
{
	/* Counters are whole below 2^53, and have no exponent then. */
	buf_addf(out, "%.15g\n", n);
}

static void add_type(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_addf(out, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

/* A label's value: backslash, quote and newline are escaped (OpenMetrics, "escaped-string"). */
static void add_label(struct buf *out, bool first, const char *name, const char *value)
{
	buf_addf(out, "%c%s=\"", first ? '{' : ',', name);
	for (; *value; value++) {
		if (*value == '\n') {
			buf_adds(out, "\\n");
			continue;
		}
		if (*value == '"' || *value == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *value);
	}
	buf_addc(out, '"');
}

/* ---- links ----------------------------------------------------------------------------------- */

static const struct {
	const char *name, *path, *help;
} link_counters[] = {
	{ "tapwarden_link_from_guest_packets", "from_guest.frames", "Frames that the guest sent." },
	{ "tapwarden_link_from_guest_bytes", "from_guest.bytes", "Bytes that the guest sent." },
	{ "tapwarden_link_to_guest_packets", "to_guest.frames", "Frames sent to the guest." },
	{ "tapwarden_link_to_guest_bytes", "to_guest.bytes", "Bytes sent to the guest." },
	{ "tapwarden_link_matches", "matches", "Matches of patterns in the link's payloads." },
	{ "tapwarden_link_payloads", "captured.payloads", "Payloads that patterns were tried on." },
	{ "tapwarden_link_capture_drops", "captured.drops",
	  "Frames that the capture worker did not get." },
	{ "tapwarden_link_malformed_packets", "captured.malformed",
	  "Frames that are cut or wrong." },
	{ "tapwarden_link_refused_addresses", "seen.refused",
	  "Addresses that the guest told too fast, or beyond the room there is." },
	{ "tapwarden_relay_failed_packets", "relay.failed",
	  "Frames of an inline link for which on-error decided." },
	{ "tapwarden_relay_late_packets", "relay.late",
	  "Those of them that took longer than the deadline." },
	{ "tapwarden_link_foreign_mac_packets", "seen.foreign_macs",
	  "Frames that the guest sent with another MAC than its link's." },
};

static const char *const directions[] = { "from_guest", "to_guest" };

/* A sample; `link` NULL is all those that have none of their own. */
static void add_link_value(struct buf *out, const char *name, const json_t *link, const char *label,
			   const char *value, double n)
{
	buf_adds(out, name);
	add_label(out, true, "set", link ? text(link, "set") : "_other");
	add_label(out, false, "link", link ? text(link, "name") : "_other");
	if (label)
		add_label(out, false, label, value);
	buf_adds(out, "} ");
	add_number(out, n);
}

/* Of a protocol, links have a sample once a frame of it came. */
static void add_link_values(struct buf *out, const json_t *links, const char *name,
			    const char *path, const char *protocol)
{
	const char *label = protocol ? "protocol" : NULL;
	const json_t *link;
	double other = 0;
	size_t i;

	json_array_foreach(links, i, link) {
		double n = number(link, path);

		if (i >= METRICS_LINKS_MAX)
			other += n;
		else if (n != 0 || !protocol)
			add_link_value(out, name, link, label, protocol, n);
	}
	if (json_array_size(links) > METRICS_LINKS_MAX)
		add_link_value(out, name, NULL, label, protocol, other);
}

static void add_link_counter(struct buf *out, const json_t *links, size_t c)
{
	char name[METRIC_NAME_MAX];

	add_type(out, link_counters[c].name, "counter", link_counters[c].help);
	snprintf(name, sizeof(name), "%s_total", link_counters[c].name);
	add_link_values(out, links, name, link_counters[c].path, NULL);
}

/*
 * What frames were. An IP packet counts for its version and for what it carries: those of one kind
 * are not to be added to those of the other.
 */
static void add_protocols(struct buf *out, const json_t *links)
{
	static const char *const protocols[] = { "arp", "ipv4", "ipv6", "other",
						 "tcp", "udp",	"icmp" };
	static const struct {
		const char *unit, *field;
	} units[] = { { "packets", "frames" }, { "bytes", "bytes" } };
	char family[64], name[METRIC_NAME_MAX], path[METRIC_NAME_MAX];

	for (size_t i = 0; i < COUNT(directions) * COUNT(units); i++) {
		const char *direction = directions[i / COUNT(units)];
		size_t unit = i % COUNT(units);

		snprintf(family, sizeof(family), "tapwarden_link_protocol_%s_%s", direction,
			 units[unit].unit);
		add_type(out, family, "counter",
			 "What the link's frames were, as they were captured.");
		snprintf(name, sizeof(name), "%s_total", family);
		for (size_t p = 0; p < COUNT(protocols); p++) {
			snprintf(path, sizeof(path), "protocols.%s.%s.%s", protocols[p], direction,
				 units[unit].field);
			add_link_values(out, links, name, path, protocols[p]);
		}
	}
}

#define SIZES_NAME "tapwarden_link_frame_size_bytes"

/* The frames of one link, or of all those that have no samples of their own, by size. */
struct sizes {
	double frames[STATS_SIZES];
	double all; /* of them */
	double bytes; /* with the frame check sequence, as the sizes */
};

static void sum_sizes(struct sizes *sum, const json_t *link)
{
	/* Each frame is one of them, and has been since the sizes are counted. */
	static const char *const layers[] = { "arp", "ipv4", "ipv6", "other" };
	char path[METRIC_NAME_MAX];

	for (size_t d = 0; d < COUNT(directions); d++) {
		const json_t *list = json_object_get(json_object_get(link, "sizes"), directions[d]);

		for (size_t s = 0; s < STATS_SIZES; s++) {
			double n = json_number_value(json_array_get(list, s));

			sum->frames[s] += n;
			sum->all += n;
			sum->bytes += n * STATS_FCS_LEN;
		}
		for (size_t l = 0; l < COUNT(layers); l++) {
			snprintf(path, sizeof(path), "protocols.%s.%s.bytes", layers[l],
				 directions[d]);
			sum->bytes += number(link, path);
		}
	}
}

static void add_link_sizes(struct buf *out, const json_t *link, const struct sizes *sizes)
{
	char bound[16];
	double n = 0;

	for (size_t s = 0; s < STATS_SIZES; s++) {
		n += sizes->frames[s];
		snprintf(bound, sizeof(bound), "%u.0", stats_size_bounds[s]);
		add_link_value(out, SIZES_NAME "_bucket", link, "le",
			       s == STATS_SIZE_OVER ? "+Inf" : bound, n);
	}
	add_link_value(out, SIZES_NAME "_count", link, NULL, NULL, sizes->all);
	add_link_value(out, SIZES_NAME "_sum", link, NULL, NULL, sizes->bytes);
}

static void add_sizes(struct buf *out, const json_t *links)
{
	struct sizes other = { 0 };
	const json_t *link;
	size_t i;

	add_type(out, SIZES_NAME, "histogram",
		 "How long the link's frames were, both ways, as RFC 2819 counts it.");
	json_array_foreach(links, i, link) {
		struct sizes own = { 0 };

		sum_sizes(i < METRICS_LINKS_MAX ? &own : &other, link);
		if (own.all > 0)
			add_link_sizes(out, link, &own);
	}
	if (other.all > 0)
		add_link_sizes(out, NULL, &other);
}

/* Of inline links alone. */
static void add_relay_drops(struct buf *out, const json_t *links, const char *direction)
{
	const json_t *link, *n;
	const char *reason;
	size_t i;

	json_array_foreach(links, i, link) {
		const json_t *way = json_object_get(json_object_get(link, "relay"), direction);

		json_object_foreach(json_object_get(way, "dropped"), reason, n) {
			buf_adds(out, "tapwarden_relay_dropped_packets_total");
			add_label(out, true, "set", text(link, "set"));
			add_label(out, false, "link", text(link, "name"));
			add_label(out, false, "direction", direction);
			add_label(out, false, "reason", reason);
			buf_adds(out, "} ");
			add_number(out, json_number_value(n));
		}
	}
}

static void add_relay_latency(struct buf *out, const json_t *links, const char *direction)
{
	static const struct {
		const char *quantile, *path;
	} quantiles[] = { { "0.5", "latency.p50_ns" }, { "0.99", "latency.p99_ns" } };
	const json_t *link;
	size_t i;

	json_array_foreach(links, i, link) {
		const json_t *way = json_object_get(json_object_get(link, "relay"), direction);

		for (size_t q = 0; way && q < COUNT(quantiles); q++) {
			buf_adds(out, "tapwarden_relay_latency_seconds");
			add_label(out, true, "set", text(link, "set"));
			add_label(out, false, "link", text(link, "name"));
			add_label(out, false, "direction", direction);
			add_label(out, false, "quantile", quantiles[q].quantile);
			buf_adds(out, "} ");
			add_number(out, number(way, quantiles[q].path) / 1e9);
		}
	}
}

static void add_relays(struct buf *out, const json_t *links)
{
	add_type(out, "tapwarden_relay_dropped_packets", "counter",
		 "Frames of an inline link that did not arrive.");
	add_relay_drops(out, links, "from_guest");
	add_relay_drops(out, links, "to_guest");
	add_type(out, "tapwarden_relay_latency_seconds", "summary",
		 "How long frames of an inline link were in the relay.");
	add_relay_latency(out, links, "from_guest");
	add_relay_latency(out, links, "to_guest");
}

static void add_link_flag(struct buf *out, const json_t *links, const char *name, const char *help,
			  bool (*is)(const json_t *link))
{
	const json_t *link;
	size_t i;

	add_type(out, name, "gauge", help);
	json_array_foreach(links, i, link) {
		if (i >= METRICS_LINKS_MAX)
			break;
		add_link_value(out, name, link, NULL, NULL, is(link));
	}
}

static bool is_up(const json_t *link)
{
	return strcmp(text(link, "state"), "up") == 0;
}

static bool is_held(const json_t *link)
{
	return json_is_object(json_object_get(json_object_get(link, "tap"), "holder"));
}

static void add_link_info(struct buf *out, const json_t *links)
{
	static const char *const labels[] = {
		"set", "name", "lower", "kind", "mode", "mac", "guest"
	};
	const json_t *link;
	size_t i;

	add_type(out, "tapwarden_link", "info", "What a link is.");
	json_array_foreach(links, i, link) {
		if (i >= METRICS_LINKS_MAX)
			break;
		buf_adds(out, "tapwarden_link_info");
		for (size_t l = 0; l < COUNT(labels); l++)
			add_label(out, l == 0, l == 1 ? "link" : labels[l], text(link, labels[l]));
		buf_adds(out, "} 1\n");
	}
}

static void add_states(struct buf *out, const json_t *sets, const json_t *links)
{
	static const char *const states[] = { "up", "down", "missing", "failed", "blocked" };
	const json_t *set, *link;
	size_t i, j;

	add_type(out, "tapwarden_links", "gauge", "Links of a set by state.");
	json_array_foreach(sets, i, set) {
		size_t n[COUNT(states)] = { 0 };

		json_array_foreach(links, j, link) {
			for (size_t s = 0; s < COUNT(states); s++)
				n[s] += strcmp(text(link, "set"), text(set, "name")) == 0 &&
					strcmp(text(link, "state"), states[s]) == 0;
		}
		for (size_t s = 0; s < COUNT(states); s++) {
			buf_adds(out, "tapwarden_links");
			add_label(out, true, "set", text(set, "name"));
			add_label(out, false, "state", states[s]);
			buf_addf(out, "} %zu\n", n[s]);
		}
	}
}

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

	add_type(out, f->name, f->type, f->help);
	json_array_foreach(list, i, element) {
		buf_addf(out, "%s%s", f->name, counter ? "_total" : "");
		add_label(out, true, f->label, text(element, f->label_path));
		buf_adds(out, "} ");
		add_number(out, number(element, f->path));
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
	add_type(out, name, type, help);
	buf_addf(out, "%s%s ", name, strcmp(type, "counter") == 0 ? "_total" : "");
	add_number(out, number(object, path));
}

static void add_build(struct buf *out, const json_t *status)
{
	add_type(out, "tapwarden_build", "info", "The program.");
	buf_adds(out, "tapwarden_build_info");
	add_label(out, true, "version", text(json_object_get(status, "agent"), "version"));
	buf_adds(out, "} 1\n");
	add_type(out, "tapwarden_config_last_reload_successful", "gauge",
		 "Whether the last reload was taken.");
	buf_addf(out, "tapwarden_config_last_reload_successful %d\n",
		 !text(json_object_get(status, "agent"), "reload_error")[0]);
}

void metrics_write(const json_t *status, const json_t *health, struct buf *out)
{
	const json_t *links = json_object_get(status, "links");

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
	add_states(out, json_object_get(status, "sets"), links);
	add_link_info(out, links);
	add_link_flag(out, links, "tapwarden_link_up", "Whether the link is up.", is_up);
	add_link_flag(out, links, "tapwarden_link_held", "Whether a process holds its tap.",
		      is_held);
	for (size_t i = 0; i < COUNT(link_counters); i++)
		add_link_counter(out, links, i);
	add_protocols(out, links);
	add_sizes(out, links);
	add_relays(out, links);
	buf_adds(out, "# EOF\n");
}
