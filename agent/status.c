#include "agent/status.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/status_logs.h"
#include "agent/status_seen.h"
#include "agent/status_traffic.h"
#include "agent/status_relay.h"
#include "agent/version.h"
#include "capture/decode.h"

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* A text from outside: JSON holds UTF-8 only, so another byte is told as \\xNN. */
static json_t *text(const char *s)
{
	json_t *json = json_string(s);
	struct buf escaped;

	if (json)
		return json;
	buf_init(&escaped, 1 << 16);
	for (; *s; s++) {
		if ((unsigned char)*s < 0x80)
			buf_addc(&escaped, *s);
		else
			buf_addf(&escaped, "\\x%02x", (unsigned char)*s);
	}
	json = json_string(escaped.data);
	buf_done(&escaped);
	return json;
}

static json_t *traffic(uint64_t frames, uint64_t bytes)
{
	return json_pack("{s:I, s:I}", "frames", (json_int_t)frames, "bytes", (json_int_t)bytes);
}

static json_t *agent_json(const struct status_input *in)
{
	return json_pack("{s:s, s:i, s:o, s:I, s:I, s:o}", "version", tapwarden_version, "pid",
			 (int)in->pid, "config", text(in->config_path), "generation",
			 (json_int_t)in->generation, "started", (json_int_t)in->started,
			 "reload_error", text(in->reload_error));
}

/* Of a worker that is ready; before that it has given up less. */
static json_t *sandbox_json(const struct ipc_sandbox *sandbox)
{
	if (!sandbox->seccomp)
		return json_null();
	return json_pack("{s:b, s:I, s:b, s:b}", "seccomp", 1, "landlock",
			 (json_int_t)sandbox->landlock, "mseal", sandbox->mseal != 0, "mdwe",
			 sandbox->mdwe != 0);
}

static json_t *worker_json(const struct worker *w)
{
	struct ipc_ready ready = { 0 };
	const char *state = worker_state(w, &ready);
	json_t *worker = json_pack("{s:s, s:i, s:s, s:I, s:o}", "name", w->name, "pid",
				   (int)worker_pid(w), "state", state, "restarts",
				   (json_int_t)w->restarts, "last_death", text(w->last_death));

	json_object_set_new(worker, "sandbox", sandbox_json(&ready.sandbox));
	if (w->role == WORKER_CAPTURE) {
		json_object_set_new(worker, "patterns", integer(ready.patterns));
		json_object_set_new(worker, "jit", integer(ready.jit));
	}
	return worker;
}

static json_t *workers_json(const struct status_input *in)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < in->n_captures; i++)
		json_array_append_new(list, worker_json(&in->captures[i]));
	json_array_append_new(list, worker_json(in->web));
	return list;
}

static json_t *tap_json(const struct reconcile_link *link)
{
	const struct tap_holder *holder = &link->holder;
	json_t *tap;

	if (holder->dev == 0)
		return json_null();
	tap = json_pack("{s:s, s:i, s:i}", "node", link->node.path, "major",
			(int)major(holder->dev), "minor", (int)minor(holder->dev));
	if (holder->pid == 0)
		json_object_set_new(tap, "holder", json_null());
	else
		json_object_set_new(tap, "holder",
				    json_pack("{s:i, s:o, s:i, s:i}", "pid", (int)holder->pid,
					      "comm", text(holder->comm), "processes",
					      (int)holder->processes, "fds", (int)holder->fds));
	return tap;
}

/*
 * Null where no program of ours has ever been: what drops there is another's matter. A relay drops what the
 * one at egress would.
 */
static json_t *filtered_json(const struct reconcile_drops *drops, uint64_t relayed)
{
	static const char *const directions[] = {
		[1u << LINK_HOOK_FROM_GUEST] = "from_guest",
		[1u << LINK_HOOK_TO_GUEST] = "to_guest",
		[1u << LINK_HOOK_FROM_GUEST | 1u << LINK_HOOK_TO_GUEST] = "both",
	};

	if (!drops->hooks)
		return json_null();
	return json_pack("{s:I, s:s}", "frames", (json_int_t)(drops->frames + relayed), "direction",
			 directions[drops->hooks]);
}

static json_t *captured_json(const struct source_counters *c)
{
	json_t *from = traffic(c->frames[STATS_FROM_GUEST], c->bytes[STATS_FROM_GUEST]);
	json_t *to = traffic(c->frames[STATS_TO_GUEST], c->bytes[STATS_TO_GUEST]);

	return json_pack("{s:o, s:o, s:I, s:I, s:I, s:I}", "from_guest", from, "to_guest", to,
			 "payloads", (json_int_t)c->payloads, "drops", (json_int_t)c->drops,
			 "truncated", (json_int_t)c->truncated, "malformed",
			 (json_int_t)c->malformed);
}

/* Of a host link; null for a guest's. */
static json_t *addresses_json(const struct reconcile_link *link)
{
	char text[CIDR_TEXT_MAX];
	json_t *list;

	if (!link->spec->is_host_link)
		return json_null();
	list = json_array();
	for (size_t i = 0; link->present && link->addrs && i < link->addrs->n; i++) {
		format_cidr(text, &link->addrs->list[i].cidr);
		json_array_append_new(list, json_string(text));
	}
	return list;
}

static const char *guest_of(const struct config *config, const char *link)
{
	const struct guest_conf *guest = config_guest_of_link(config, link);

	return guest ? guest->head.name : "";
}

/* What a link's line says after its state: why it is not as wanted, or why it is not watched. */
static const char *detail_of(const struct reconcile_link *link, const struct source *source)
{
	if (link->error)
		return link->error;
	return source ? source->error : "";
}

static const char *monitor_of(const struct source *source)
{
	static const char *const names[IPC_SOURCES] = {
		[IPC_SOURCE_PACKET] = "passive",
		[IPC_SOURCE_TAP] = "tap",
		[IPC_SOURCE_INLINE] = "inline",
	};

	return source && source->fd >= 0 ? names[source->message.source] : "off";
}

static json_t *link_json(const struct status_input *in, const struct reconcile_link *link)
{
	const struct link_spec *spec = link->spec;
	const struct link_stats *stats = &link->link.stats;
	const struct source *source = sources_find(in->sources, spec->name);
	struct source_counters counters = { 0 };
	double rates[STATS_WINDOWS][STATS_RATES] = { 0 };
	char mac[MAC_TEXT_MAX];
	json_t *json;

	if (source)
		sources_counters(in->sources, source, &counters);
	format_mac(mac, link->present ? link->link.mac : spec->mac);
	json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:o}", "name",
			 spec->name, "set", spec->set, "lower", spec->lower, "kind",
			 link_kind_names[spec->kind], "mode", link_mode_names[spec->mode], "mac",
			 mac, "mtu", (json_int_t)link->link.mtu, "ifindex",
			 (json_int_t)link->link.ifindex, "guest", guest_of(in->config, spec->name),
			 "state", reconcile_state_names[link->state], "detail",
			 text(detail_of(link, source)));
	json_object_set_new(json, "monitor", json_string(monitor_of(source)));
	json_object_set_new(json, "tap", tap_json(link));
	json_object_set_new(json, "addresses", addresses_json(link));
	/* What a guest sends leaves the host's side of the link: the kernel's tx. */
	json_object_set_new(json, "from_guest", traffic(stats->tx_packets, stats->tx_bytes));
	json_object_set_new(json, "to_guest", traffic(stats->rx_packets, stats->rx_bytes));
	json_object_set_new(json, "filtered",
			    filtered_json(&link->drops, status_relay_filtered(in->stats, source)));
	json_object_set_new(json, "captured", source ? captured_json(&counters) : json_null());
	json_object_set_new(json, "seen", status_seen_json(in, source));
	json_object_set_new(json, "protocols", status_protocols_json(in, source));
	json_object_set_new(json, "sizes", status_sizes_json(in, source));
	status_rates_add(in, source, rates);
	json_object_set_new(json, "rates", status_rates_json(rates));
	json_object_set_new(json, "talkers",
			    status_talkers_json(in->stats, source, STATUS_TALKERS_FEW));
	json_object_set_new(json, "relay", status_relay_json(in->stats, source));
	json_object_set_new(json, "matches", integer(counters.matches));
	return json;
}

struct set_sum {
	size_t links, up, held;
	const struct reconcile_link *bad; /* the first that is not as wanted */
	double rates[STATS_WINDOWS][STATS_RATES]; /* of its links together */
};

static struct set_sum sum_set(const struct status_input *in, const char *set)
{
	struct set_sum sum = { 0 };

	for (size_t i = 0; i < in->n_links; i++) {
		const struct reconcile_link *link = &in->links[i];

		if (strcmp(link->spec->set, set) != 0)
			continue;
		sum.links++;
		status_rates_add(in, sources_find(in->sources, link->spec->name), sum.rates);
		sum.up += link->state == RECONCILE_UP;
		sum.held += link->holder.pid != 0;
		if (!sum.bad &&
		    (link->error || (link->state != RECONCILE_UP &&
				     !(link->state == RECONCILE_DOWN && !link->spec->up))))
			sum.bad = link;
	}
	return sum;
}

static json_t *sets_json(const struct status_input *in)
{
	json_t *list = json_array();

	for (size_t i = 0; i < in->config->n_sets; i++) {
		const struct set_conf *set = &in->config->sets[i];
		struct set_sum sum = sum_set(in, set->head.name);
		char state[128] = "ok";

		if (sum.bad)
			snprintf(state, sizeof(state), "degraded: %s %s", sum.bad->spec->name,
				 reconcile_state_names[sum.bad->state]);
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:s}",
						"name", set->head.name, "lower", set->keys.lower,
						"kind", link_kind_names[set->keys.kind], "mode",
						link_mode_names[set->keys.mode], "links",
						(json_int_t)sum.links, "up", (json_int_t)sum.up,
						"held", (json_int_t)sum.held, "rates",
						status_rates_json(sum.rates), "state", state));
	}
	return list;
}

static json_t *links_json(const struct status_input *in)
{
	json_t *list = json_array();

	for (size_t i = 0; i < in->n_links; i++)
		json_array_append_new(list, link_json(in, &in->links[i]));
	return list;
}

static json_t *patterns_json(const struct status_input *in)
{
	json_t *list = json_array();

	for (size_t i = 0; i < in->config->n_patterns && i < STATS_PATTERNS_MAX; i++) {
		const struct stats_pattern *p = &in->stats->patterns[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "name",
						in->config->patterns[i].head.name, "tried",
						(json_int_t)stat_get(&p->tried), "matches",
						(json_int_t)stat_get(&p->matches), "dropped",
						(json_int_t)stat_get(&p->dropped), "limited",
						(json_int_t)stat_get(&p->limited), "skipped",
						(json_int_t)stat_get(&p->skipped), "quarantined",
						(json_int_t)stat_get(&p->parked)));
	}
	return list;
}

static json_t *streams_json(const struct stats_streams *streams)
{
	const struct {
		const char *name;
		const stat_counter *counter;
	} counters[] = {
		{ "flows", &streams->flows },
		{ "memory", &streams->memory },
		{ "gaps", &streams->gaps },
		{ "gap_bytes", &streams->gap_bytes },
		{ "conflicts", &streams->conflicts },
		{ "dropped", &streams->dropped },
		{ "evicted", &streams->evicted },
		{ "refused", &streams->refused },
		{ "fragments_incomplete", &streams->fragments_incomplete },
		{ "fragments_dropped", &streams->fragments_dropped },
	};
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		json_object_set_new(json, counters[i].name, integer(stat_get(counters[i].counter)));
	return json;
}

static json_t *capture_json(const struct status_input *in)
{
	const struct stats_capture *c = &in->stats->capture;
	json_t *malformed = json_object();
	uint64_t error = stat_get(&c->log_error);
	uint64_t drops = 0;

	for (unsigned int i = 0; i < STATS_REASONS_MAX; i++) {
		uint64_t n = stat_get(&c->malformed[i]);

		if (n)
			json_object_set_new(malformed, decode_reason_name(i), integer(n));
	}
	for (size_t i = 0; i < in->sources->n; i++) {
		struct source_counters counters;

		sources_counters(in->sources, &in->sources->list[i], &counters);
		drops += counters.drops;
	}
	return json_pack("{s:I, s:I, s:s, s:I, s:I, s:o, s:o, s:I, s:I, s:I}", "records",
			 (json_int_t)stat_get(&c->records), "log_lost",
			 (json_int_t)stat_get(&c->log_lost), "log_error",
			 error ? strerror((int)error) : "", "feed_lost",
			 (json_int_t)stat_get(&c->feed_lost), "drops", (json_int_t)drops,
			 "malformed", malformed, "streams", streams_json(&c->streams),
			 "payloads_lost", (json_int_t)stat_get(&c->payloads_lost), "pcap_frames",
			 (json_int_t)stat_get(&c->pcap_frames), "pcap_lost",
			 (json_int_t)stat_get(&c->pcap_lost));
}

json_t *status_json(const struct status_input *in)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "agent", agent_json(in),
			 "workers", workers_json(in), "sets", sets_json(in), "links",
			 links_json(in), "patterns", patterns_json(in), "logs",
			 status_logs_json(in->logs), "guests",
			 in->guests ? in->guests : json_array(), "capture", capture_json(in));
}
