#include "agent/guest_link.h"

#include <errno.h>
#include <linux/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/hint.h"
#include "netlink/link_marks.h"
#include "netlink/nl_channel.h"
#include "netlink/tap_node.h"

static int no_wish(const struct link_wish *wishes, size_t n, const struct guest_link_query *query,
		   struct err *err)
{
	struct hint hint = hint_for(query->name);
	char meant[HINT_TEXT_MAX];

	for (size_t i = 0; i < n; i++)
		hint_try(&hint, wishes[i].name);
	return err_set(err, -ENOENT, "%s makes no link \"%s\"%s", query->path, query->name,
		       hint_text(hint.best, meant));
}

int guest_link_keys(const struct guest_link_query *query, struct link_keys *ret, struct err *err)
{
	struct link_wish *wishes = NULL;
	size_t n = 0, i = 0;
	int code = config_links(query->config, &wishes, &n, err);

	if (code)
		return code;
	while (i < n && strcmp(wishes[i].name, query->name) != 0)
		i++;
	if (i == n)
		code = no_wish(wishes, n, query, err);
	else if (wishes[i].keys->kind != LINK_KIND_MACVTAP)
		code = err_set(err, -EINVAL, "it is a %s, and only a macvtap has a tap",
			       link_kind_names[wishes[i].keys->kind]);
	else
		*ret = *wishes[i].keys;
	free(wishes);
	return code;
}

static int judge(const struct link_state *link, uint32_t group, const struct link_keys *keys,
		 const char *config, struct err *err)
{
	if (!link_is_ours(link, group) || link->kind != LINK_KIND_MACVTAP)
		return err_set(err, -EPERM, "the link of this name is not ours: left alone");
	if (!(link->flags & IFF_UP) && !keys->up)
		return err_set(err, -ENETDOWN, "it is down, as its configuration has up = no");
	if (!(link->flags & IFF_UP))
		return err_set(err, -ENETDOWN, "it is down: tapwarden apply -c %s brings it up",
			       config);
	if (!(link->flags & IFF_LOWER_UP))
		fprintf(stderr, "tapwarden: %s has no carrier: %s is down: going on\n", link->name,
			keys->lower);
	return 0;
}

int guest_link_find(const struct guest_link_query *query, const struct link_keys *keys,
		    struct guest_link *ret, struct err *err)
{
	struct link_table table = { 0 };
	struct nl_channel *channel = NULL;
	const struct link_state *link;
	int code = nl_channel_open_requests(&channel, err);

	if (code == 0)
		code = nl_channel_dump_links(channel, false, &table, err);
	if (code)
		goto out;
	link = link_table_find_name(&table, query->name);
	if (!link) {
		code = err_set(err, -ENODEV, "it is not there: tapwarden apply -c %s makes it",
			       query->path);
		goto out;
	}
	code = judge(link, query->config->agent.link_group, keys, query->path, err);
	if (code)
		goto out;
	memcpy(ret->name, link->name, sizeof(ret->name));
	memcpy(ret->mac, link->mac, MAC_LEN);
	ret->ifindex = link->ifindex;
	ret->queues = keys->queues;
out:
	link_table_done(&table);
	nl_channel_free(channel);
	return code;
}

int guest_link_holder(const char *name, uint32_t ifindex, pid_t agent, struct tap_holder *ret,
		      struct err *err)
{
	const struct tap_skip skip = { .self = getpid(), .agent = agent };
	struct tap_holder holder = { .dev = 0 };
	int code = tap_node_dev(name, ifindex, &holder.dev, err);

	if (code == 0 && tap_holders_find(&holder, 1, skip) < 0)
		code = err_set(err, -EIO, "who holds its tap cannot be seen: /proc is missing");
	*ret = holder;
	return code;
}
