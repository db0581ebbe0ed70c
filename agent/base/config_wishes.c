#include "agent/base/config_wishes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/config_lowers.h"
#include "agent/base/hint.h"
#include "agent/base/schema.h"

/* Looking for the nearest of all links costs, and a file with so many faults needs no hint. */
#define HINTS_MAX 100

struct check {
	const struct config *config;
	struct faults *faults;
	const struct link_wish *wishes;
	size_t n;
	const struct link_wish **sorted; /* by name, then in order; later by other things */
	bool *told; /* by set: what is wrong with each of its links is told once */
};

static bool told_of_set(struct check *check, const struct link_wish *wish)
{
	bool *told = &check->told[wish->set - check->config->sets];
	bool before = *told;

	*told = true;
	return before;
}

static void forget_told(struct check *check)
{
	memset(check->told, 0, check->config->n_sets * sizeof(*check->told));
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

static const struct link_wish *find_wish(const struct check *check, const char *name)
{
	const struct link_wish **found =
		bsearch(name, check->sorted, check->n, sizeof(*check->sorted), name_only);

	return found ? *found : NULL;
}

static void check_names(struct check *check)
{
	for (size_t i = 1; i < check->n; i++) {
		const struct link_wish *a = check->sorted[i - 1], *b = check->sorted[i];

		if (strcmp(a->name, b->name) != 0)
			continue;
		if (b->link || a->link)
			schema_fault(check->faults, b->link ? &b->link->head : &a->link->head,
				     "set", "[set %s] makes a link of this name too",
				     b->link ? a->set->head.name : b->set->head.name);
		else if (!told_of_set(check, b))
			schema_fault(check->faults, &b->set->head,
				     b->is_host_link ? "host-link" : "name",
				     "link \"%s\" is made by [set %s] too", b->name,
				     a->set->head.name);
	}
	forget_told(check);
}

static void check_lowers(struct check *check)
{
	for (size_t i = 0; i < check->n; i++) {
		const struct link_wish *wish = check->sorted[i];
		const struct conf_head *head = link_wish_head(wish, "lower");

		if (!wish->keys->lower || !find_wish(check, wish->keys->lower))
			continue;
		if (head == &wish->set->head && told_of_set(check, wish))
			continue;
		schema_fault(check->faults, head, "lower",
			     "\"%s\" is a link of this configuration, and links do not stack",
			     wish->keys->lower);
	}
	forget_told(check);
}

/* What makes it the host's leg is not to be said otherwise. */
static void check_host_links(struct check *check)
{
	static const char *const fixed[] = { "kind", "mode" };

	for (size_t i = 0; i < check->config->n_sets; i++) {
		const struct set_conf *set = &check->config->sets[i];

		if (set->host_addrs.n && !set->host_link)
			schema_fault(check->faults, &set->head, "host-address",
				     "host-link is missing beside it");
	}
	for (size_t i = 0; i < check->n; i++) {
		const struct link_wish *wish = &check->wishes[i];

		for (size_t k = 0; wish->is_host_link && wish->link && k < 2; k++) {
			if (link_wish_says(wish, fixed[k]))
				schema_fault(check->faults, &wish->link->head, fixed[k],
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
static void check_places(struct check *check)
{
	for (size_t i = 0; i < check->n; i++) {
		const struct link_wish *wish = &check->wishes[i];
		const struct link_conf *link = wish->link;
		const char *key = link && link->netns ? "netns" : "master";

		if (!link || (!link->netns && !link->master))
			continue;
		if (wish->keys->kind != LINK_KIND_MACVLAN)
			schema_fault(check->faults, &link->head, key, "it is for macvlan links: %s",
				     link->netns ? "the tap of a macvtap is opened here"
						 : "the tap of a macvtap is in the place that a "
						   "bridge needs");
		else if (wish->is_host_link)
			schema_fault(check->faults, &link->head, key,
				     "it is the host-link of [set %s], and the host's own",
				     wish->set->head.name);
		else if (link->netns && link->master)
			schema_fault(check->faults, &link->head, "master",
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

static int check_guests(const struct check *check)
{
	const struct config *config = check->config;
	const struct guest_conf **owners = calloc(check->n + 1, sizeof(const struct guest_conf *));

	if (!owners)
		return -ENOMEM;
	for (size_t i = 0; i < config->n_guests; i++) {
		const struct guest_conf *guest = &config->guests[i];
		const struct link_wish *wish = guest->link ? find_wish(check, guest->link) : NULL;
		struct hint hint = hint_for(guest->link);
		char meant[HINT_TEXT_MAX];

		if (wish && owners[wish - check->wishes])
			schema_fault(check->faults, &guest->head, "link",
				     "[guest %s] is on link \"%s\" already",
				     owners[wish - check->wishes]->head.name, guest->link);
		else if (wish)
			owners[wish - check->wishes] = guest;
		if (wish || !guest->link || has_section(config, guest->link))
			continue;
		for (size_t k = 0; k < check->n && check->faults->n < HINTS_MAX; k++)
			hint_try(&hint, check->sorted[k]->name);
		schema_fault(check->faults, &guest->head, "link",
			     "no set and no section makes a link \"%s\"%s", guest->link,
			     hint_text(hint.best, meant));
	}
	free(owners);
	return 0;
}

static void check_macs(struct check *check)
{
	static const uint8_t automatic[MAC_LEN];
	char text[MAC_TEXT_MAX];

	qsort(check->sorted, check->n, sizeof(*check->sorted), by_mac);
	for (size_t i = 1; i < check->n; i++) {
		const struct link_wish *a = check->sorted[i - 1], *b = check->sorted[i];

		if (memcmp(a->mac, b->mac, MAC_LEN) != 0 || memcmp(b->mac, automatic, MAC_LEN) == 0)
			continue;
		format_mac(text, b->mac);
		schema_fault(check->faults, &b->link->head, "mac",
			     "%s is the address of link \"%s\" too", text, a->name);
	}
}

/* The flags mean something in one mode each; elsewhere the kernel takes them and does nothing. */
static void check_flags(struct check *check)
{
	static const enum link_mode modes[LINK_FLAGS] = {
		[LINK_FLAG_NOPROMISC] = LINK_MODE_PASSTHRU,
		[LINK_FLAG_NODST] = LINK_MODE_SOURCE,
	};

	for (size_t i = 0; i < check->n; i++) {
		const struct link_wish *wish = check->sorted[i];
		const struct conf_head *head = link_wish_head(wish, "flags");
		size_t flag = 0;

		while (flag < LINK_FLAGS &&
		       (!(wish->keys->flags & (1u << flag)) || wish->keys->mode == modes[flag]))
			flag++;
		if (flag == LINK_FLAGS || (head == &wish->set->head && told_of_set(check, wish)))
			continue;
		schema_fault(check->faults, head, "flags",
			     "%s is for mode %s, and link \"%s\" has mode %s",
			     link_flag_names[flag], link_mode_names[modes[flag]], wish->name,
			     link_mode_names[wish->keys->mode]);
	}
	forget_told(check);
}

static void check_monitors(struct check *check)
{
	for (size_t i = 0; i < check->n; i++) {
		const struct link_wish *wish = check->sorted[i];
		const struct conf_head *head = link_wish_head(wish, "monitor");

		if ((wish->keys->monitor != MONITOR_TAP && wish->keys->monitor != MONITOR_INLINE) ||
		    wish->keys->kind == LINK_KIND_MACVTAP ||
		    (head == &wish->set->head && told_of_set(check, wish)))
			continue;
		schema_fault(check->faults, head, "monitor",
			     "only a macvtap has a tap, and link \"%s\" is a %s", wish->name,
			     link_kind_names[wish->keys->kind]);
	}
	forget_told(check);
}

static bool says_sources(const struct link_wish *wish)
{
	return schema_has(&config_schema, "set", &wish->set->head, "source-macs") ||
	       link_wish_says(wish, "source-macs");
}

/* No other mode takes a list; without one no frame comes in, which must be meant. */
static void check_sources(struct check *check)
{
	for (size_t i = 0; i < check->n; i++) {
		const struct link_wish *wish = check->sorted[i];
		bool source = wish->keys->mode == LINK_MODE_SOURCE;
		const char *key = source ? "mode" : "source-macs";
		const struct conf_head *head = link_wish_head(wish, key);

		if (source ? says_sources(wish) : wish->keys->sources.n == 0)
			continue;
		if (head == &wish->set->head && told_of_set(check, wish))
			continue;
		if (source)
			schema_fault(check->faults, head, key,
				     "source-macs is missing beside it: link \"%s\" would get "
				     "nothing",
				     wish->name);
		else
			schema_fault(check->faults, head, key,
				     "it is for mode source, and link \"%s\" has mode %s",
				     wish->name, link_mode_names[wish->keys->mode]);
	}
	forget_told(check);
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
static void check_altname(struct check *check, const struct altname *one,
			  const struct altname *before)
{
	const struct link_wish *taken = find_wish(check, one->name);

	if (before && strcmp(before->name, one->name) == 0)
		taken = before->wish;
	if (taken == one->wish)
		schema_fault(check->faults, one->giver, "altnames",
			     "\"%s\" is said twice, or the name of the link itself", one->name);
	else if (taken)
		schema_fault(check->faults, one->giver, "altnames",
			     "link \"%s\" has the name \"%s\" already", taken->name, one->name);
}

static int check_altnames(struct check *check)
{
	struct altname *all = calloc(check->n * LINK_ALTNAMES_MAX + 1, sizeof(*all));
	size_t n = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < check->n; i++) {
		const struct link_wish *wish = &check->wishes[i];
		const struct link_conf *link = wish->link;

		if (link && link->altnames.n > LINK_ALTNAMES_MAX)
			schema_fault(check->faults, &link->head, "altnames",
				     "%zu names are too many: at most %d", link->altnames.n,
				     LINK_ALTNAMES_MAX);
		for (size_t k = 0; link && k < link->altnames.n && k < LINK_ALTNAMES_MAX; k++)
			all[n++] = (struct altname){ link->altnames.v[k], wish, &link->head };
	}
	qsort(all, n, sizeof(*all), by_altname);
	for (size_t i = 0; i < n; i++)
		check_altname(check, &all[i], i ? &all[i - 1] : NULL);
	free(all);
	return 0;
}

static int check_all(struct check *check)
{
	int code;

	qsort(check->sorted, check->n, sizeof(*check->sorted), by_name);
	check_names(check);
	check_lowers(check);
	check_host_links(check);
	check_places(check);
	check_flags(check);
	check_sources(check);
	check_monitors(check);
	code = check_guests(check);
	if (!code)
		code = check_altnames(check);
	check_macs(check);
	config_check_lowers(check->sorted, check->n, check->faults);
	return code;
}

int config_check_wishes(const struct config *config, const struct link_wish *wishes, size_t n,
			struct faults *faults)
{
	struct check check = {
		.config = config,
		.faults = faults,
		.wishes = wishes,
		.n = n,
		.sorted = calloc(n + 1, sizeof(const struct link_wish *)),
		.told = calloc(config->n_sets + 1, sizeof(bool)),
	};
	int code = -ENOMEM;

	if (!check.sorted || !check.told)
		goto out;
	for (size_t i = 0; i < n; i++)
		check.sorted[i] = &wishes[i];
	code = check_all(&check);
out:
	free(check.sorted);
	free(check.told);
	return code;
}
