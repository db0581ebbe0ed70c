/* What the kernel has, as far as it is known, and how that is looked at. */
#include "agent/reconcile_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/link_filters.h"
#include "netlink/link_marks.h"

int reconcile_fd(const struct reconcile *reconcile)
{
	return nl_channel_monitor_fd(reconcile->channel);
}

void reconcile_doubt(struct reconcile *reconcile, int news)
{
	if (news != NL_NEWS_NONE)
		reconcile->links_known = false;
	if (news < 0 || news & NL_NEWS_FILTERS)
		reconcile->filters_known = false;
	for (size_t i = 0; (news < 0 || news & NL_NEWS_GONE) && i < reconcile->n; i++)
		reconcile->links[i].link.tap = 0;
}

int reconcile_drain(struct reconcile *reconcile)
{
	int news = nl_channel_drain(reconcile->channel);

	reconcile_doubt(reconcile, news);

	/* A broken socket is found by the pass, which then says so. */
	return news != NL_NEWS_NONE;
}

/* A host link's addresses, and from here on what becomes of them. */
static int refresh_addrs(struct reconcile *reconcile, struct reconcile_link *link, struct err *err)
{
	int code;

	if (!link->present || !link->spec->is_host_link)
		return 0;
	if (!link->addrs) {
		code = nl_channel_listen_addrs(reconcile->channel);
		if (code == 0)
			link->addrs = calloc(1, sizeof(*link->addrs));
		if (code == 0 && !link->addrs)
			code = -ENOMEM;
		if (code < 0)
			return err_errno(err, code, "could not look at the addresses of %s",
					 link->spec->name);
	}
	return nl_channel_dump_addrs(reconcile->channel, link->link.ifindex, link->addrs, err);
}

/*
 * Takes over what was known of each link's filters; false when one is new, or its qdisc came or
 * went.
 */
static bool know_filters(struct reconcile *reconcile)
{
	for (size_t i = 0; reconcile->filters_known && i < reconcile->n; i++) {
		const struct reconcile_link *link = &reconcile->links[i];
		const struct link_state *now =
			link_find_ours(&reconcile->table, link->spec, reconcile->group);
		struct link_tc tc = link->link.tc;

		if (!now)
			continue;
		if (!link->present || link->link.ifindex != now->ifindex || !tc.known ||
		    (reconcile->stats && tc.has_clsact != now->tc.has_clsact))
			return false;
		if (reconcile->stats)
			tc.drops = now->tc.drops;
		reconcile->table.links[now - reconcile->table.links].tc = tc;
	}
	return reconcile->filters_known;
}

/*
 * Each filter is asked for by itself, which is dear: only after notifications of filters, and of
 * links that are new. Nothing notifies of drops.
 */
static int look_at_filters(struct reconcile *reconcile, struct err *err)
{
	int code = 0;

	if (reconcile->stats)
		code = link_filters_look_at_qdiscs(reconcile->channel, &reconcile->table,
						   reconcile->group, err);
	if (code == 0 && !know_filters(reconcile))
		code = link_filters_look(reconcile->channel, &reconcile->table, reconcile->group,
					 err);
	reconcile->filters_known = code == 0;
	return code;
}

void reconcile_forget(struct reconcile *reconcile)
{
	/* The plan's steps point into the table. */
	link_plan_done(&reconcile->plan);
	port_plan_done(&reconcile->port_plan);
	link_table_done(&reconcile->table);
	held_taps_done(&reconcile->held);
	reconcile->air_asked = 0;
}

/*
 * Ours as they were seen last, with the counters of now. An error means that they are not so any
 * more.
 */
static int recall_links(struct reconcile *reconcile)
{
	struct link_table *table = &reconcile->table;
	int code = 0;

	for (size_t i = 0; code == 0 && i < reconcile->n; i++) {
		const struct reconcile_link *link = &reconcile->links[i];

		if (link->present && !*link->spec->netns)
			code = link_table_add(table, &link->link);
	}
	if (code == 0)
		code = link_table_index(table);
	if (code == 0)
		code = nl_channel_dump_stats(reconcile->channel, table, NULL);
	if (code < 0)
		link_table_reset(table);
	return code;
}

/* All links; for a look that asks for counters, ours alone if nothing has changed. */
static int dump_links(struct reconcile *reconcile, struct err *err)
{
	const bool known = reconcile->links_known && !nl_channel_has_news(reconcile->channel);
	int code;

	if (reconcile->stats && known && recall_links(reconcile) == 0)
		return 0;
	code = nl_channel_dump_links(reconcile->channel, reconcile->stats, &reconcile->table, err);
	reconcile->links_known = code == 0;
	return code;
}

/* One whose alias somebody took is not lost: the plan finds it by its name, and gives it back. */
static const struct link_state *find_link(const struct reconcile *reconcile,
					  const struct reconcile_link *link)
{
	const struct link_table *table = reconcile_table_of(reconcile, link->spec);
	const struct link_state *found = link_find_ours(table, link->spec, reconcile->group);

	if (found || !link->present)
		return found;
	found = link_table_find_name(table, link->spec->name);
	return found && found->ifindex == link->link.ifindex && !*found->alias &&
			       link_is_in_group(found, reconcile->group)
		       ? found
		       : NULL;
}

int reconcile_refresh(struct reconcile *reconcile, struct err *err)
{
	int code;

	reconcile_forget(reconcile);
	code = dump_links(reconcile, err);
	if (code == 0)
		code = look_at_filters(reconcile, err);
	if (code == 0)
		code = reconcile_refresh_places(reconcile, err);
	for (size_t i = 0; code == 0 && i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];

		reconcile_link_refresh(link, find_link(reconcile, link));
		code = refresh_addrs(reconcile, link, err);
	}
	/* What was not looked at to its end is not what was seen last. */
	if (code)
		reconcile->links_known = false;
	return code;
}

/* What cannot be told is taken for held: a link deleted under a guest is lost to it for ever. */
bool reconcile_is_held(const struct link_state *link, char *who, size_t size, void *data)
{
	struct reconcile *reconcile = data;
	const struct tap_holder *holder = NULL;

	if (held_taps_find(&reconcile->held, &reconcile->table, reconcile->agent) == 0)
		holder = held_taps_holder(&reconcile->held, link->ifindex);
	if (!holder) {
		snprintf(who, size,
			 "a program that cannot be found (/sys is of another namespace)");
		return true;
	}
	if (!holder->pid)
		return false;
	snprintf(who, size, "%s %d", holder->comm, (int)holder->pid);
	return true;
}

int reconcile_taps(struct reconcile *reconcile, struct link_table *ret)
{
	struct link_table taps = { 0 };
	int code = 0;

	if (nl_channel_has_news(reconcile->channel))
		reconcile_doubt(reconcile, NL_NEWS_CHANGED | NL_NEWS_FILTERS | NL_NEWS_GONE);
	for (size_t i = 0; code == 0 && i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];

		if (reconcile_link_find_tap(link))
			code = link_table_add(&taps, &link->link);
	}
	if (code == 0)
		*ret = taps;
	else
		link_table_done(&taps);
	return code;
}

static int look(struct reconcile *reconcile, const struct held_taps *held, struct err *err)
{
	int code;

	reconcile->stats = true;
	code = reconcile_refresh(reconcile, err);
	reconcile->stats = false;
	reconcile_leave_places(reconcile);
	if (code < 0)
		return code;
	for (size_t i = 0; i < reconcile->n; i++) {
		struct reconcile_link *link = &reconcile->links[i];
		const struct tap_holder *holder = held_taps_holder(held, link->link.ifindex);

		if (link->present && holder)
			reconcile_link_look(link, holder);
	}
	return 0;
}

int reconcile_look(struct reconcile *reconcile, struct held_taps *held, struct err *err)
{
	int code = look(reconcile, held, err);

	held_taps_done(held);
	reconcile_forget(reconcile);
	return code;
}
