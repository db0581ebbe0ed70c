#include "web/metrics_links.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/stats_traffic.h"
#include "web/metrics.h"
#include "web/metrics_text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define METRIC_NAME_MAX 96

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
	metrics_add_label(out, true, "set", link ? metrics_text(link, "set") : "_other");
	metrics_add_label(out, false, "link", link ? metrics_text(link, "name") : "_other");
	if (label)
		metrics_add_label(out, false, label, value);
	buf_adds(out, "} ");
	metrics_add_number(out, n);
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
		double n = metrics_number(link, path);

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

	metrics_add_type(out, link_counters[c].name, "counter", link_counters[c].help);
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
		metrics_add_type(out, family, "counter",
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
			sum->bytes += metrics_number(link, path);
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

	metrics_add_type(out, SIZES_NAME, "histogram",
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
			metrics_add_label(out, true, "set", metrics_text(link, "set"));
			metrics_add_label(out, false, "link", metrics_text(link, "name"));
			metrics_add_label(out, false, "direction", direction);
			metrics_add_label(out, false, "reason", reason);
			buf_adds(out, "} ");
			metrics_add_number(out, json_number_value(n));
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
			metrics_add_label(out, true, "set", metrics_text(link, "set"));
			metrics_add_label(out, false, "link", metrics_text(link, "name"));
			metrics_add_label(out, false, "direction", direction);
			metrics_add_label(out, false, "quantile", quantiles[q].quantile);
			buf_adds(out, "} ");
			metrics_add_number(out, metrics_number(way, quantiles[q].path) / 1e9);
		}
	}
}

static void add_relays(struct buf *out, const json_t *links)
{
	metrics_add_type(out, "tapwarden_relay_dropped_packets", "counter",
			 "Frames of an inline link that did not arrive.");
	add_relay_drops(out, links, "from_guest");
	add_relay_drops(out, links, "to_guest");
	metrics_add_type(out, "tapwarden_relay_latency_seconds", "summary",
			 "How long frames of an inline link were in the relay.");
	add_relay_latency(out, links, "from_guest");
	add_relay_latency(out, links, "to_guest");
}

static void add_link_flag(struct buf *out, const json_t *links, const char *name, const char *help,
			  bool (*is)(const json_t *link))
{
	const json_t *link;
	size_t i;

	metrics_add_type(out, name, "gauge", help);
	json_array_foreach(links, i, link) {
		if (i >= METRICS_LINKS_MAX)
			break;
		add_link_value(out, name, link, NULL, NULL, is(link));
	}
}

static bool is_up(const json_t *link)
{
	return strcmp(metrics_text(link, "state"), "up") == 0;
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

	metrics_add_type(out, "tapwarden_link", "info", "What a link is.");
	json_array_foreach(links, i, link) {
		if (i >= METRICS_LINKS_MAX)
			break;
		buf_adds(out, "tapwarden_link_info");
		for (size_t l = 0; l < COUNT(labels); l++)
			metrics_add_label(out, l == 0, l == 1 ? "link" : labels[l],
					  metrics_text(link, labels[l]));
		buf_adds(out, "} 1\n");
	}
}

static void add_states(struct buf *out, const json_t *sets, const json_t *links)
{
	static const char *const states[] = { "up", "down", "missing", "failed", "blocked" };
	const json_t *set, *link;
	size_t i, j;

	metrics_add_type(out, "tapwarden_links", "gauge", "Links of a set by state.");
	json_array_foreach(sets, i, set) {
		size_t n[COUNT(states)] = { 0 };

		json_array_foreach(links, j, link) {
			for (size_t s = 0; s < COUNT(states); s++)
				n[s] += strcmp(metrics_text(link, "set"),
					       metrics_text(set, "name")) == 0 &&
					strcmp(metrics_text(link, "state"), states[s]) == 0;
		}
		for (size_t s = 0; s < COUNT(states); s++) {
			buf_adds(out, "tapwarden_links");
			metrics_add_label(out, true, "set", metrics_text(set, "name"));
			metrics_add_label(out, false, "state", states[s]);
			buf_addf(out, "} %zu\n", n[s]);
		}
	}
}

void metrics_add_links(struct buf *out, const json_t *sets, const json_t *links)
{
	add_states(out, sets, links);
	add_link_info(out, links);
	add_link_flag(out, links, "tapwarden_link_up", "Whether the link is up.", is_up);
	add_link_flag(out, links, "tapwarden_link_held", "Whether a process holds its tap.",
		      is_held);
	for (size_t i = 0; i < COUNT(link_counters); i++)
		add_link_counter(out, links, i);
	add_protocols(out, links);
	add_sizes(out, links);
	add_relays(out, links);
}
