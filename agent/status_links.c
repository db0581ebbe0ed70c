#include "agent/status_links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "agent/status_relay.h"
#include "agent/status_seen.h"
#include "agent/status_traffic.h"

static void write_traffic(struct json_writer *w, const char *key, uint64_t frames, uint64_t bytes)
{
	jw_object(w, key);
	jw_u64(w, "frames", frames);
	jw_u64(w, "bytes", bytes);
	jw_object_end(w);
}

/* ---- members of a link ---------------------------------------------------------------------- */

static void write_holder(struct json_writer *w, const struct tap_holder *holder)
{
	if (holder->pid == 0) {
		jw_null(w, "holder");
		return;
	}
	jw_object(w, "holder");
	jw_u64(w, "pid", (uint64_t)holder->pid);
	status_text_foreign(w, "comm", holder->comm);
	if (holder->vm[0])
		status_text_foreign(w, "vm", holder->vm);
	else
		jw_null(w, "vm");
	jw_u64(w, "processes", holder->processes);
	jw_u64(w, "fds", holder->fds);
	jw_object_end(w);
}

static void write_tap(struct json_writer *w, const struct reconcile_link *link)
{
	const struct tap_holder *holder = &link->holder;

	if (holder->dev == 0) {
		jw_null(w, "tap");
		return;
	}
	jw_object(w, "tap");
	jw_text(w, "node", link->node.path);
	jw_u64(w, "major", major(holder->dev));
	jw_u64(w, "minor", minor(holder->dev));
	write_holder(w, holder);
	jw_object_end(w);
}

/*
 * Null where no program of ours has ever been: what drops there is another's matter. A relay drops
 * what the one at egress would.
 */
static void write_filtered(struct json_writer *w, const struct reconcile_drops *drops,
			   uint64_t relayed)
{
	static const char *const directions[] = {
		[1u << LINK_HOOK_FROM_GUEST] = "from_guest",
		[1u << LINK_HOOK_TO_GUEST] = "to_guest",
		[1u << LINK_HOOK_FROM_GUEST | 1u << LINK_HOOK_TO_GUEST] = "both",
	};

	if (!drops->hooks) {
		jw_null(w, "filtered");
		return;
	}
	jw_object(w, "filtered");
	jw_u64(w, "frames", drops->frames + relayed);
	jw_text(w, "direction", directions[drops->hooks]);
	jw_object_end(w);
}

/* `source` NULL: it is not watched. */
static void write_captured(struct json_writer *w, const struct source *source,
			   const struct source_counters *c)
{
	if (!source) {
		jw_null(w, "captured");
		return;
	}
	jw_object(w, "captured");
	write_traffic(w, "from_guest", c->frames[STATS_FROM_GUEST], c->bytes[STATS_FROM_GUEST]);
	write_traffic(w, "to_guest", c->frames[STATS_TO_GUEST], c->bytes[STATS_TO_GUEST]);
	jw_u64(w, "payloads", c->payloads);
	jw_u64(w, "drops", c->drops);
	jw_u64(w, "truncated", c->truncated);
	jw_u64(w, "malformed", c->malformed);
	jw_object_end(w);
}

/* Of a host link; null for a guest's. */
static void write_addresses(struct json_writer *w, const struct reconcile_link *link)
{
	char text[CIDR_TEXT_MAX];

	if (!link->spec->is_host_link) {
		jw_null(w, "addresses");
		return;
	}
	jw_array(w, "addresses");
	for (size_t i = 0; link->present && link->addrs && i < link->addrs->n; i++) {
		format_cidr(text, &link->addrs->list[i].cidr);
		jw_text(w, NULL, text);
	}
	jw_array_end(w);
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
	if (!source)
		return "";
	return source->error[0] ? source->error : source->shared;
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

/* ---- a link --------------------------------------------------------------------------------- */

static void write_head(struct json_writer *w, const struct status_input *in,
		       const struct reconcile_link *link, const struct source *source)
{
	const struct link_spec *spec = link->spec;
	char mac[MAC_TEXT_MAX];

	format_mac(mac, link->present ? link->link.mac : spec->mac);
	jw_text(w, "set", spec->set);
	jw_text(w, "lower", spec->lower);
	jw_text(w, "kind", link_kind_names[spec->kind]);
	jw_text(w, "mode", link_mode_names[spec->mode]);
	jw_text(w, "mac", mac);
	jw_u64(w, "mtu", link->link.mtu);
	jw_u64(w, "ifindex", link->link.ifindex);
	jw_text(w, "guest", guest_of(in->config, spec->name));
	jw_text(w, "state", reconcile_state_names[link->state]);
	status_text_foreign(w, "detail", detail_of(link, source));
	jw_text(w, "monitor", monitor_of(source));
}

static void write_link(struct status_text *text, const struct status_input *in,
		       const struct reconcile_link *link, const struct source *source)
{
	const struct link_stats *stats = &link->link.stats;
	struct json_writer *w = &text->json;
	struct source_counters counters = { 0 };
	double rates[STATS_WINDOWS][STATS_RATES] = { 0 };

	if (source)
		sources_counters(in->sources, source, &counters);
	status_rates_add(in, source, rates);
	status_text_item(text, STATUS_LINKS, link->spec->name);
	write_head(w, in, link, source);
	write_tap(w, link);
	write_addresses(w, link);
	/* What a guest sends leaves the host's side of the link: the kernel's tx. */
	write_traffic(w, "from_guest", stats->tx_packets, stats->tx_bytes);
	write_traffic(w, "to_guest", stats->rx_packets, stats->rx_bytes);
	write_filtered(w, &link->drops, status_relay_filtered(in->stats, source));
	write_captured(w, source, &counters);
	status_seen_write(w, in, source);
	status_protocols_write(w, in, source);
	status_sizes_write(w, in, source);
	status_rates_write(w, rates);
	status_talkers_write(w, "talkers", in->stats, source, STATUS_TALKERS_FEW);
	status_relay_write(w, in->stats, source);
	jw_u64(w, "matches", counters.matches);
	status_text_item_end(text, STATUS_LINKS);
}

/* ---- sets ----------------------------------------------------------------------------------- */

struct set_sum {
	size_t links, up, held;
	const struct reconcile_link *bad; /* the first that is not as wanted */
	const char *what; /* it is */
	double rates[STATS_WINDOWS][STATS_RATES]; /* of its links together */
};

static bool is_bad(const struct reconcile_link *link)
{
	return link->error ||
	       (link->state != RECONCILE_UP && !(link->state == RECONCILE_DOWN && !link->spec->up));
}

/* That a guest holds its tap, which is then not ours to read, is no fault. */
static bool is_unseen(const struct source *source)
{
	return source && source->message.source == IPC_SOURCE_PACKET && source->error[0];
}

static void add_link(struct set_sum *sum, const struct status_input *in,
		     const struct reconcile_link *link, const struct source *source)
{
	sum->links++;
	status_rates_add(in, source, sum->rates);
	sum->up += link->state == RECONCILE_UP;
	sum->held += link->holder.pid != 0;
	if (sum->bad || !(is_bad(link) || is_unseen(source)))
		return;
	sum->bad = link;
	sum->what = is_bad(link) ? reconcile_state_names[link->state] : "not watched";
}

static void write_set(struct status_text *text, const struct set_conf *set, struct set_sum *sum)
{
	struct json_writer *w = &text->json;
	char state[128] = "ok";

	if (sum->bad)
		snprintf(state, sizeof(state), "degraded: %s %s", sum->bad->spec->name, sum->what);
	status_text_item(text, STATUS_SETS, set->head.name);
	jw_text(w, "lower", set->keys.lower);
	jw_text(w, "kind", link_kind_names[set->keys.kind]);
	jw_text(w, "mode", link_mode_names[set->keys.mode]);
	jw_u64(w, "links", sum->links);
	jw_u64(w, "up", sum->up);
	jw_u64(w, "held", sum->held);
	status_rates_write(w, sum->rates);
	jw_text(w, "state", state);
	status_text_item_end(text, STATUS_SETS);
}

/*
 * Links come in the order of their sets: the one looked for is as a rule that of the link before.
 */
static size_t set_of(const struct status_input *in, const struct reconcile_link *link, size_t near)
{
	const size_t n = in->config->n_sets;

	for (size_t i = 0; i < n; i++) {
		const size_t at = (near + i) % n;

		if (strcmp(in->config->sets[at].head.name, link->spec->set) == 0)
			return at;
	}
	return n;
}

/* In the order of links, as a rule: the place behind the one before is looked at first. */
static void find_sources(const struct status_input *in, const struct source **ret)
{
	size_t at = 0;

	for (size_t i = 0; i < in->n_links; i++) {
		ret[i] = sources_find(in->sources, at, in->links[i].spec->name);
		if (ret[i])
			at = (size_t)(ret[i] - in->sources->list) + 1;
	}
}

static void write_sets(struct status_text *text, const struct status_input *in,
		       const struct source *const *sources, struct set_sum *sums)
{
	const size_t n = in->config->n_sets;
	size_t at = 0;

	for (size_t i = 0; i < in->n_links; i++) {
		const size_t set = set_of(in, &in->links[i], at);

		if (set == n)
			continue;
		add_link(&sums[set], in, &in->links[i], sources[i]);
		at = set;
	}
	status_text_list(text, STATUS_SETS, n);
	for (size_t i = 0; i < n; i++)
		write_set(text, &in->config->sets[i], &sums[i]);
	status_text_list_end(text, STATUS_SETS);
}

void status_links_write(struct status_text *text, const struct status_input *in)
{
	const struct source **sources = calloc(in->n_links + 1, sizeof(const struct source *));
	struct set_sum *sums = calloc(in->config->n_sets + 1, sizeof(*sums));

	if (!sources || !sums) {
		text->buf.failed = true;
		goto out;
	}
	find_sources(in, sources);
	write_sets(text, in, sources, sums);
	status_text_list(text, STATUS_LINKS, in->n_links);
	for (size_t i = 0; i < in->n_links; i++)
		write_link(text, in, &in->links[i], sources[i]);
	status_text_list_end(text, STATUS_LINKS);
out:
	free(sums);
	free(sources);
}
