#include "agent/base/config_cross.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/config_boot.h"
#include "agent/base/config_range.h"
#include "agent/base/config_lowers.h"
#include "agent/base/hint.h"
#include "agent/base/name_template.h"
#include "agent/base/schema.h"
#include "agent/base/stats.h"

/* Looking for the nearest of all links costs, and a file with so many faults needs no hint. */
#define HINTS_MAX 100

struct cross {
	const struct config *config;
	struct faults *faults;
	struct link_wish *wishes;
	size_t n;
	const struct link_wish **sorted; /* by name, then in order; later by other things */
	bool *told; /* by set: what is wrong with each of its links is told once */
};

/* ---- sections by themselves ------------------------------------------------------------------ */

static void check_patterns(const struct config *config, struct faults *faults)
{
	for (size_t i = 0; i < config->n_patterns; i++) {
		const struct pattern_conf *p = &config->patterns[i];

		if (i == STATS_PATTERNS_MAX)
			schema_fault(faults, &p->head, NULL, "more than %u patterns",
				     STATS_PATTERNS_MAX);
		for (size_t j = 0; p->id && j < i && i < STATS_PATTERNS_MAX; j++) {
			if (config->patterns[j].id == p->id)
				schema_fault(faults, &p->head, "id", "%u is [pattern %s]'s", p->id,
					     config->patterns[j].head.name);
		}
	}
}

static void check_logs(const struct config *config, struct faults *faults)
{
	if (config->n_logs > STATS_LOGS_MAX)
		schema_fault(faults, &config->logs[STATS_LOGS_MAX].head, NULL, "more than %u logs",
			     STATS_LOGS_MAX);
}

/* Memory that capture workers share is divided: none gets less than what a file may say for one. */
static void check_shares(const struct config *config, struct faults *faults)
{
	const uint32_t n = config->agent.capture_workers;
	const struct {
		const struct conf_head *head;
		const char *key;
		uint64_t bytes, least;
	} shares[] = {
		{ &config->stream.head, "memory", config->stream.memory, 1u << 20 },
		{ &config->stream.head, "fragments", config->stream.fragments, 128u << 10 },
		{ &config->record.head, "pcap-memory", config->record.pcap_memory, 1u << 20 },
	};

	for (size_t i = 0; n > 1 && i < sizeof(shares) / sizeof(shares[0]); i++) {
		if (shares[i].bytes / n < shares[i].least)
			schema_fault(faults, shares[i].head, shares[i].key,
				     "%llu bytes are too few for %u capture workers: each needs "
				     "%llu",
				     (unsigned long long)shares[i].bytes, n,
				     (unsigned long long)shares[i].least);
	}
}

static bool is_damaged(const struct conf_head *head)
{
	return head->origin && head->origin->damaged;
}

/* Whether the sets and links are sound enough to ask which links they make together. */
static bool check_sets(const struct config *config, struct faults *faults)
{
	char name[IFNAME_SIZE];
	uint64_t links = 0;
	bool sound = true;
	struct err err;

	for (size_t i = 0; i < config->n_sets; i++) {
		const struct set_conf *set = &config->sets[i];
		bool fits = links <= CONFIG_LINKS_MAX;

		links += set->count + (set->host_link != NULL);
		if (fits && links > CONFIG_LINKS_MAX) {
			schema_fault(faults, &set->head, "count",
				     "%llu links with the sets before: at most %d are possible",
				     (unsigned long long)links, CONFIG_LINKS_MAX);
			sound = false;
		}
		if (!set->name || is_damaged(&set->head)) {
			sound = false;
		} else if (set->count && name_template_format(set->name, set->count, name, &err)) {
			schema_fault(faults, &set->head, "name", "%s", err.text);
			sound = false;
		}
	}
	for (size_t i = 0; i < config->n_links; i++) {
		const struct link_conf *link = &config->links[i];

		if (parse_ifname(link->head.name, &err)) {
			schema_fault(faults, &link->head, NULL, "%s", err.text);
			sound = false;
		}
		sound = sound && link->set && !is_damaged(&link->head);
	}
	return sound;
}

/* ---- links ----------------------------------------------------------------------------------- */

static bool told_of_set(struct cross *cross, const struct link_wish *wish)
{
	bool *told = &cross->told[wish->set - cross->config->sets];
	bool before = *told;

	*told = true;
	return before;
}

static void forget_told(struct cross *cross)
{
	memset(cross->told, 0, cross->config->n_sets * sizeof(*cross->told));
}

static const struct link_wish *const *as_wishes(const void *p)
{
	return p;
}

/* Wishes are compared as pointers into one array: in doubt, its order. */
static int in_order(const struct link_wish *a, const struct link_wish *b, int order)
{
	return order ? order : (a > b) - (a < b);
}

static int by_name(const void *a, const void *b)
{
	const struct link_wish *x = *as_wishes(a), *y = *as_wishes(b);

	return in_order(x, y, strcmp(x->name, y->name));
}

static int by_mac(const void *a, const void *b)
{
	const struct link_wish *x = *as_wishes(a), *y = *as_wishes(b);

	return in_order(x, y, memcmp(x->mac, y->mac, MAC_LEN));
}

static int name_only(const void *key, const void *element)
{
	return strcmp(key, (*as_wishes(element))->name);
}

static const struct link_wish *find_wish(const struct cross *cross, const char *name)
{
	const struct link_wish **found =
		bsearch(name, cross->sorted, cross->n, sizeof(*cross->sorted), name_only);

	return found ? *found : NULL;
}

static void check_names(struct cross *cross)
{
	for (size_t i = 1; i < cross->n; i++) {
		const struct link_wish *a = cross->sorted[i - 1], *b = cross->sorted[i];

		if (strcmp(a->name, b->name) != 0)
			continue;
		if (b->link || a->link)
			schema_fault(cross->faults, b->link ? &b->link->head : &a->link->head,
				     "set", "[set %s] makes a link of this name too",
				     b->link ? a->set->head.name : b->set->head.name);
		else if (!told_of_set(cross, b))
			schema_fault(cross->faults, &b->set->head,
				     b->is_host_link ? "host-link" : "name",
				     "link \"%s\" is made by [set %s] too", b->name,
				     a->set->head.name);
	}
	forget_told(cross);
}

static void check_lowers(struct cross *cross)
{
	for (size_t i = 0; i < cross->n; i++) {
		const struct link_wish *wish = cross->sorted[i];
		const struct conf_head *head = link_wish_head(wish, "lower");

		if (!wish->keys->lower || !find_wish(cross, wish->keys->lower))
			continue;
		if (head == &wish->set->head && told_of_set(cross, wish))
			continue;
		schema_fault(cross->faults, head, "lower",
			     "\"%s\" is a link of this configuration, and links do not stack",
			     wish->keys->lower);
	}
	forget_told(cross);
}

/* What makes it the host's leg is not to be said otherwise. */
static void check_host_links(struct cross *cross)
{
	static const char *const fixed[] = { "kind", "mode" };

	for (size_t i = 0; i < cross->config->n_sets; i++) {
		const struct set_conf *set = &cross->config->sets[i];

		if (set->host_addrs.n && !set->host_link)
			schema_fault(cross->faults, &set->head, "host-address",
				     "host-link is missing beside it");
	}
	for (size_t i = 0; i < cross->n; i++) {
		const struct link_wish *wish = &cross->wishes[i];

		for (size_t k = 0; wish->is_host_link && wish->link && k < 2; k++) {
			if (link_wish_says(wish, fixed[k]))
				schema_fault(cross->faults, &wish->link->head, fixed[k],
					     "it is the host-link of [set %s], which is always a "
					     "macvlan of mode bridge",
					     wish->set->head.name);
		}
	}
}

/*
 * Where a macvlan can be and a macvtap cannot: its tap is opened from here, and has the one handler
 * of received frames that a bridge would need (netdev_rx_handler_register()).
 */
static void check_places(struct cross *cross)
{
	for (size_t i = 0; i < cross->n; i++) {
		const struct link_wish *wish = &cross->wishes[i];
		const struct link_conf *link = wish->link;
		const char *key = link && link->netns ? "netns" : "master";

		if (!link || (!link->netns && !link->master))
			continue;
		if (wish->keys->kind != LINK_KIND_MACVLAN)
			schema_fault(cross->faults, &link->head, key, "it is for macvlan links: %s",
				     link->netns ? "the tap of a macvtap is opened here"
						 : "the tap of a macvtap is in the place that a "
						   "bridge needs");
		else if (wish->is_host_link)
			schema_fault(cross->faults, &link->head, key,
				     "it is the host-link of [set %s], and the host's own",
				     wish->set->head.name);
		else if (link->netns && link->master)
			schema_fault(cross->faults, &link->head, "master",
				     "the link is in another network namespace than its bridge");
	}
}

/* A link that nobody makes although it has a section: that of its set is at fault. */
static bool has_section(const struct config *config, const char *link)
{
	for (size_t i = 0; i < config->n_links; i++) {
		if (strcmp(config->links[i].head.name, link) == 0)
			return true;
	}
	return false;
}

static int check_guests(const struct cross *cross)
{
	const struct config *config = cross->config;
	const struct guest_conf **owners = calloc(cross->n + 1, sizeof(const struct guest_conf *));

	if (!owners)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_guests; i++) {
		const struct guest_conf *guest = &config->guests[i];
		const struct link_wish *wish = guest->link ? find_wish(cross, guest->link) : NULL;
		struct hint hint = hint_for(guest->link);

		if (wish && owners[wish - cross->wishes])
			schema_fault(cross->faults, &guest->head, "link",
				     "[guest %s] is on link \"%s\" already",
				     owners[wish - cross->wishes]->head.name, guest->link);
		else if (wish)
			owners[wish - cross->wishes] = guest;
		if (wish || !guest->link || has_section(config, guest->link))
			continue;
		for (size_t k = 0; k < cross->n && cross->faults->n < HINTS_MAX; k++)
			hint_try(&hint, cross->sorted[k]->name);
		schema_fault(cross->faults, &guest->head, "link",
			     "no set and no section makes a link \"%s\"%s%s%s", guest->link,
			     hint.best ? ": did you mean \"" : "", hint.best ? hint.best : "",
			     hint.best ? "\"?" : "");
	}
	free(owners);
	return 0;
}

static void check_macs(struct cross *cross)
{
	static const uint8_t automatic[MAC_LEN];
	char text[MAC_TEXT_MAX];

	qsort(cross->sorted, cross->n, sizeof(*cross->sorted), by_mac);
	for (size_t i = 1; i < cross->n; i++) {
		const struct link_wish *a = cross->sorted[i - 1], *b = cross->sorted[i];

		if (memcmp(a->mac, b->mac, MAC_LEN) != 0 || memcmp(b->mac, automatic, MAC_LEN) == 0)
			continue;
		format_mac(text, b->mac);
		schema_fault(cross->faults, &b->link->head, "mac",
			     "%s is the address of link \"%s\" too", text, a->name);
	}
}

/* The flags mean something in one mode each; elsewhere the kernel takes them and does nothing. */
static void check_flags(struct cross *cross)
{
	static const enum link_mode modes[LINK_FLAGS] = {
		[LINK_FLAG_NOPROMISC] = LINK_MODE_PASSTHRU,
		[LINK_FLAG_NODST] = LINK_MODE_SOURCE,
	};

	for (size_t i = 0; i < cross->n; i++) {
		const struct link_wish *wish = cross->sorted[i];
		const struct conf_head *head = link_wish_head(wish, "flags");
		size_t flag = 0;

		while (flag < LINK_FLAGS &&
		       (!(wish->keys->flags & (1u << flag)) || wish->keys->mode == modes[flag]))
			flag++;
		if (flag == LINK_FLAGS || (head == &wish->set->head && told_of_set(cross, wish)))
			continue;
		schema_fault(cross->faults, head, "flags",
			     "%s is for mode %s, and link \"%s\" has mode %s",
			     link_flag_names[flag], link_mode_names[modes[flag]], wish->name,
			     link_mode_names[wish->keys->mode]);
	}
	forget_told(cross);
}

static void check_monitors(struct cross *cross)
{
	for (size_t i = 0; i < cross->n; i++) {
		const struct link_wish *wish = cross->sorted[i];
		const struct conf_head *head = link_wish_head(wish, "monitor");

		if ((wish->keys->monitor != MONITOR_TAP && wish->keys->monitor != MONITOR_INLINE) ||
		    wish->keys->kind == LINK_KIND_MACVTAP ||
		    (head == &wish->set->head && told_of_set(cross, wish)))
			continue;
		schema_fault(cross->faults, head, "monitor",
			     "only a macvtap has a tap, and link \"%s\" is a %s", wish->name,
			     link_kind_names[wish->keys->kind]);
	}
	forget_told(cross);
}

static bool says_sources(const struct link_wish *wish)
{
	return schema_has(&config_schema, "set", &wish->set->head, "source-macs") ||
	       link_wish_says(wish, "source-macs");
}

/* No other mode takes a list; without one no frame comes in, which must be meant. */
static void check_sources(struct cross *cross)
{
	for (size_t i = 0; i < cross->n; i++) {
		const struct link_wish *wish = cross->sorted[i];
		bool source = wish->keys->mode == LINK_MODE_SOURCE;
		const char *key = source ? "mode" : "source-macs";
		const struct conf_head *head = link_wish_head(wish, key);

		if (source ? says_sources(wish) : wish->keys->sources.n == 0)
			continue;
		if (head == &wish->set->head && told_of_set(cross, wish))
			continue;
		if (source)
			schema_fault(cross->faults, head, key,
				     "source-macs is missing beside it: link \"%s\" would get "
				     "nothing",
				     wish->name);
		else
			schema_fault(cross->faults, head, key,
				     "it is for mode source, and link \"%s\" has mode %s",
				     wish->name, link_mode_names[wish->keys->mode]);
	}
	forget_told(cross);
}

struct altname {
	const char *name;
	const struct link_wish *wish;
	const struct conf_head *giver;
};

static int by_altname(const void *a, const void *b)
{
	const struct altname *x = a, *y = b;

	return in_order(x->wish, y->wish, strcmp(x->name, y->name));
}

/* The kernel has one space for names and altnames (netdev_name_in_use()). In the order of names. */
static void check_altname(struct cross *cross, const struct altname *one,
			  const struct altname *before)
{
	const struct link_wish *taken = find_wish(cross, one->name);

	if (before && strcmp(before->name, one->name) == 0)
		taken = before->wish;
	if (taken == one->wish)
		schema_fault(cross->faults, one->giver, "altnames",
			     "\"%s\" is said twice, or the name of the link itself", one->name);
	else if (taken)
		schema_fault(cross->faults, one->giver, "altnames",
			     "link \"%s\" has the name \"%s\" already", taken->name, one->name);
}

static int check_altnames(struct cross *cross)
{
	struct altname *all = calloc(cross->n * LINK_ALTNAMES_MAX + 1, sizeof(*all));
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < cross->n; i++) {
		const struct link_wish *wish = &cross->wishes[i];
		const struct link_conf *link = wish->link;

		if (link && link->altnames.n > LINK_ALTNAMES_MAX)
			schema_fault(cross->faults, &link->head, "altnames",
				     "%zu names are too many: at most %d", link->altnames.n,
				     LINK_ALTNAMES_MAX);
		for (size_t k = 0; link && k < link->altnames.n && k < LINK_ALTNAMES_MAX; k++)
			all[n++] = (struct altname){ link->altnames.v[k], wish, &link->head };
	}
	qsort(all, n, sizeof(*all), by_altname);
	for (size_t i = 0; i < n; i++)
		check_altname(cross, &all[i], i ? &all[i - 1] : NULL);
	free(all);
	return 0;
}

static int check_links(struct cross *cross)
{
	int code;

	cross->sorted = calloc(cross->n + 1, sizeof(const struct link_wish *));
	cross->told = calloc(cross->config->n_sets + 1, sizeof(*cross->told));
	if (!cross->sorted || !cross->told)
		return -ENOMEM;
	for (size_t i = 0; i < cross->n; i++)
		cross->sorted[i] = &cross->wishes[i];
	qsort(cross->sorted, cross->n, sizeof(*cross->sorted), by_name);
	check_names(cross);
	check_lowers(cross);
	check_host_links(cross);
	check_places(cross);
	check_flags(cross);
	check_sources(cross);
	check_monitors(cross);
	code = check_guests(cross);
	if (!code)
		code = check_altnames(cross);
	check_macs(cross);
	config_check_lowers(cross->sorted, cross->n, cross->faults);
	return code;
}

int config_cross_check(const struct config *config, struct faults *faults)
{
	struct cross cross = { .config = config, .faults = faults };
	struct err err;
	int code;

	for (size_t i = 0; i < config->n_targets; i++)
		config_check_target(&config->targets[i], faults);
	for (size_t i = 0; i < config->n_guests; i++)
		config_check_guest(&config->guests[i], faults);
	check_patterns(config, faults);
	check_shares(config, faults);
	config_range_check(config, faults);
	check_logs(config, faults);
	if (!check_sets(config, faults))
		return 0;
	code = config_links(config, &cross.wishes, &cross.n, &err);
	if (code == -E2BIG) {
		schema_fault(faults, &config->links[config->n_links - 1].head, NULL, "%s",
			     err.text);
		return 0;
	}
	if (!code)
		code = check_links(&cross);
	free(cross.sorted);
	free(cross.told);
	free(cross.wishes);
	return code;
}
