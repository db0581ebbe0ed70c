#include "netlink/link_compare.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "netlink/link_kind.h"

static void because_of_attr(struct link_step *step, enum link_attr attr, const char *from,
			    const char *to)
{
	step->attrs |= 1u << attr;
	link_because(step, "%s%s %s -> %s", *step->reason ? ", " : "", link_attr_names[attr], from,
		     to);
}

static void compare_numbers(struct link_step *step, enum link_attr attr, uint32_t from, uint32_t to)
{
	char old[16], new[16];

	if (from == to)
		return;
	snprintf(old, sizeof(old), "%u", from);
	snprintf(new, sizeof(new), "%u", to);
	because_of_attr(step, attr, old, new);
}

static void compare_texts(struct link_step *step, enum link_attr attr, const char *from,
			  const char *to)
{
	char quoted[80];

	if (strcmp(from, to) == 0)
		return;
	snprintf(quoted, sizeof(quoted), "\"%.64s\"", from);
	because_of_attr(step, attr, quoted, to);
}

/* Names that are not ours stay; so many that not all are known leave ours in doubt, and alone. */
static void compare_altnames(struct link_step *step)
{
	const struct link_spec *spec = step->spec;

	for (size_t i = 0; i < LINK_ALTNAMES_MAX && !link_state_lists(step->link)->altnames_more;
	     i++) {
		const char *name = spec->altnames[i];

		if (!*name || link_state_has_altname(step->link, name))
			continue;
		step->attrs |= 1u << LINK_ATTR_ALTNAMES;
		link_because(step, "%saltname +%s", *step->reason ? ", " : "", name);
	}
}

static void format_flags(char *ret, size_t size, uint32_t flags)
{
	size_t len = 0;

	snprintf(ret, size, "none");
	for (size_t i = 0; i < LINK_FLAGS && len < size; i++) {
		if (flags & (1u << i))
			len += (size_t)snprintf(ret + len, size - len, "%s%s", len ? " " : "",
						link_flag_names[i]);
	}
}

/*
 * nopromisc of a passthru link that is down is left for the moment when it comes up: a change of it
 * takes back a promiscuity of the lower device that only a link that is up has given
 * (macvlan_changelink(), macvlan_open()), and the count runs below zero.
 */
static void compare_flags(struct link_step *step)
{
	const struct link_spec *spec = step->spec;
	const struct link_state *link = step->link;
	char old[32], new[32];

	if (link->macvlan_flags == spec->flags ||
	    (spec->mode == LINK_MODE_PASSTHRU && !(link->flags & IFF_UP) && !spec->up))
		return;
	format_flags(old, sizeof(old), link->macvlan_flags);
	format_flags(new, sizeof(new), spec->flags);
	because_of_attr(step, LINK_ATTR_FLAGS, old, new);
}

static uint32_t count_missing(const struct link_sources *wanted, const struct link_sources *there)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < wanted->n; i++)
		n += !link_sources_have(there, wanted->macs[i]);
	return n;
}

/* A change from or to another mode empties the list (macvlan_changelink()). */
static void compare_sources(struct link_step *step)
{
	const struct link_sources *wanted = &step->spec->sources;
	const struct link_sources *there = &link_state_lists(step->link)->sources;
	const char *comma = *step->reason ? ", " : "";
	uint32_t added, deleted;

	if (step->spec->mode != LINK_MODE_SOURCE)
		return;
	added = count_missing(wanted, there);
	deleted = count_missing(there, wanted);
	if (!added && !deleted && !there->more)
		return;
	step->attrs |= 1u << LINK_ATTR_SOURCES;
	if (there->more)
		link_because(step, "%ssource MACs more than %u -> %u", comma, there->n, wanted->n);
	else
		link_because(step, "%ssource MACs +%u -%u", comma, added, deleted);
}

static void format_cutoff(char *ret, size_t size, int32_t cutoff)
{
	if (cutoff < 0)
		snprintf(ret, size, "off");
	else
		snprintf(ret, size, "%d", cutoff);
}

static void compare_queues(struct link_step *step)
{
	const struct link_spec *spec = step->spec;
	const struct link_state *link = step->link;
	char old[16], new[16];

	if (spec->txqueuelen)
		compare_numbers(step, LINK_ATTR_TXQUEUELEN, link->txqueuelen, spec->txqueuelen);
	if (spec->bcqueuelen)
		compare_numbers(step, LINK_ATTR_BCQUEUELEN, link->bcqueuelen, spec->bcqueuelen);
	if (spec->bccutoff.set && spec->bccutoff.value != link->bccutoff) {
		format_cutoff(old, sizeof(old), link->bccutoff);
		format_cutoff(new, sizeof(new), spec->bccutoff.value);
		because_of_attr(step, LINK_ATTR_BCCUTOFF, old, new);
	}
}

static void compare_host(struct link_step *step)
{
	if (!link_kind_ops[step->spec->kind]->host_is_quiet)
		return;
	if (!(step->link->flags & IFF_NOARP))
		because_of_attr(step, LINK_ATTR_ARP, "on", "off");
	if (step->link->host_ipv6)
		because_of_attr(step, LINK_ATTR_IPV6, "on", "off");
}

static void because_of_addr(struct link_step *step, char sign, const struct cidr *cidr)
{
	char text[CIDR_TEXT_MAX];

	format_cidr(text, cidr);
	step->attrs |= 1u << LINK_ATTR_ADDRESSES;
	link_because(step, "%saddress %c%s", *step->reason ? ", " : "", sign, text);
}

static void compare_addrs(struct link_step *step)
{
	const struct link_addrs *wanted = &step->spec->addrs;
	const struct link_addr_list *there = step->addrs;

	if (!there)
		return;
	for (size_t i = 0; i < there->n; i++) {
		if (there->list[i].is_ours && !link_addrs_have(wanted, &there->list[i].cidr))
			because_of_addr(step, '-', &there->list[i].cidr);
	}
	for (uint32_t i = 0; i < wanted->n; i++) {
		if (!link_addr_list_has(there, &wanted->list[i]))
			because_of_addr(step, '+', &wanted->list[i]);
	}
}

/* "anti-spoof mac and an expression" */
static void format_filter(char *ret, size_t size, const struct link_spec *spec, int hook)
{
	const bool guards = hook == LINK_HOOK_FROM_GUEST && spec->anti_spoof >= ANTI_SPOOF_MAC;
	const bool filters = spec->filters[hook].n;

	snprintf(ret, size, "%s%s%s%s", guards ? "anti-spoof " : "",
		 guards ? anti_spoof_names[spec->anti_spoof] : "", guards && filters ? " and " : "",
		 filters ? "an expression" : "");
}

static void compare_filters(struct link_step *step)
{
	const struct link_spec *spec = step->spec;
	const struct link_tc *tc = &step->link->tc;
	char wanted[64];

	for (int hook = 0; tc->known && hook < LINK_HOOKS; hook++) {
		if (tc->programs[hook] == spec->programs[hook])
			continue;
		format_filter(wanted, sizeof(wanted), spec, hook);
		step->attrs |= 1u << LINK_ATTR_FILTERS;
		link_because(step, "%sfilter %s %s -> %s", *step->reason ? ", " : "",
			     link_hook_names[hook], tc->programs[hook] ? "another" : "none",
			     spec->programs[hook] ? wanted : "none");
	}
}

static void compare_rights(struct link_step *step, const struct tap_rights *now)
{
	const struct tap_rights *wanted = &step->spec->tap;
	char old[32], new[32];

	if (now->uid != wanted->uid || now->gid != wanted->gid) {
		snprintf(old, sizeof(old), "%u:%u", now->uid, now->gid);
		snprintf(new, sizeof(new), "%u:%u", wanted->uid, wanted->gid);
		because_of_attr(step, LINK_ATTR_OWNER, old, new);
	}
	if (now->perms != wanted->perms) {
		snprintf(old, sizeof(old), "%04o", now->perms);
		snprintf(new, sizeof(new), "%04o", wanted->perms);
		because_of_attr(step, LINK_ATTR_PERMS, old, new);
	}
}

/*
 * A node that cannot be had is told only where it should have been another than the kernel makes.
 */
static void compare_node(struct link_step *step, const struct tap_node *node)
{
	if (!node)
		return;
	if (node->state == TAP_NODE_OURS) {
		compare_rights(step, &node->rights);
	} else if (!tap_rights_are_kernels(&step->spec->tap)) {
		step->block = LINK_BLOCK_NODE;
		link_because(step, "%sowner and perms cannot be set: /dev/tap%u is %s",
			     *step->reason ? ", " : "", step->link->ifindex,
			     node->state == TAP_NODE_ABSENT ? "not there"
							    : "another link's tap: left alone");
	}
}

void link_compare(struct link_step *step, const struct tap_node *node)
{
	const struct link_spec *spec = step->spec;
	const struct link_state *link = step->link;
	char alias[LINK_ALIAS_MAX], old[MAC_TEXT_MAX], new[MAC_TEXT_MAX];
	bool up = link->flags & IFF_UP;

	link_spec_alias(spec, alias);
	if (strcmp(link->name, spec->name) != 0)
		because_of_attr(step, LINK_ATTR_NAME, link->name, spec->name);
	compare_numbers(step, LINK_ATTR_GROUP, link->group, spec->group);
	compare_texts(step, LINK_ATTR_ALIAS, link->alias, alias);
	compare_altnames(step);
	if (link->macvlan_mode != link_mode_to_kernel(spec->mode))
		because_of_attr(step, LINK_ATTR_MODE, link_mode_kernel_name(link->macvlan_mode),
				link_mode_names[spec->mode]);
	compare_flags(step);
	compare_sources(step);
	if (memcmp(link->mac, spec->mac, MAC_LEN) != 0) {
		format_mac(old, link->mac);
		format_mac(new, spec->mac);
		because_of_attr(step, LINK_ATTR_MAC, old, new);
	}
	if (step->mtu)
		compare_numbers(step, LINK_ATTR_MTU, link->mtu, step->mtu);
	compare_queues(step);
	compare_host(step);
	compare_filters(step);
	if (up != spec->up)
		because_of_attr(step, LINK_ATTR_UP, up ? "yes" : "no", spec->up ? "yes" : "no");
	compare_addrs(step);
	compare_node(step, node);
}
