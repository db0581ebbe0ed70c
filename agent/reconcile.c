#include "agent/reconcile_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/desired.h"
#include "agent/lock.h"
#include "netlink/netns.h"

static int load(const struct config *config, struct link_spec **ret_specs,
		struct reconcile_link **ret_links, size_t *ret_n, struct err *err)
{
	char host_id[HOST_ID_MAX];
	struct reconcile_link *links;
	struct link_spec *specs;
	size_t n;
	int code;

	desired_host_id(host_id);
	code = desired_links(config, host_id, &specs, &n, err);
	if (code < 0)
		return code;
	links = calloc(n + 1, sizeof(*links));
	if (!links) {
		free(specs);
		return err_errno(err, -ENOMEM, "could not list the links");
	}
	for (size_t i = 0; i < n; i++) {
		links[i].spec = &specs[i];
		links[i].state = RECONCILE_MISSING;
	}
	*ret_specs = specs;
	*ret_links = links;
	*ret_n = n;
	return 0;
}

static void free_links(struct reconcile_link *links, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(links[i].addrs);
		free(links[i].error);
		free(links[i].unsettled);
	}
	free(links);
}

static int prepare(int (*open_channel)(struct nl_channel **ret, struct err *err),
		   struct reconcile_means *ret, struct err *err)
{
	struct reconcile_means means = { .agent = getppid() };
	int code;

	means.home = netns_open("");
	if (means.home < 0)
		return err_errno(err, means.home, "could not open the agent's network namespace");
	code = open_channel(&means.channel, err);
	if (code == 0)
		*ret = means;
	else
		close(means.home);
	return code;
}

int reconcile_prepare(struct reconcile_means *ret, struct err *err)
{
	return prepare(nl_channel_open_requests, ret, err);
}

int reconcile_open_prepared(const struct config *config, const struct reconcile_means *means,
			    struct reconcile **ret, struct err *err)
{
	struct reconcile *reconcile = calloc(1, sizeof(*reconcile));
	int code;

	if (!reconcile) {
		nl_channel_free(means->channel);
		close(means->home);
		return err_errno(err, -ENOMEM, "could not open rtnetlink");
	}
	reconcile->channel = means->channel;
	reconcile->home = means->home;
	reconcile->agent = means->agent;
	reconcile->group = config->agent.link_group;
	reconcile->scan = true;
	code = load(config, &reconcile->specs, &reconcile->links, &reconcile->n, err);
	if (code < 0)
		reconcile_free(reconcile);
	else
		*ret = reconcile;
	return code;
}

static int open_by(int (*open_channel)(struct nl_channel **ret, struct err *err),
		   const struct config *config, struct reconcile **ret, struct err *err)
{
	struct reconcile_means means = { .home = -1 };
	int code = prepare(open_channel, &means, err);

	if (code)
		return code;
	means.agent = agent_lock_pid(config->agent.run_dir);
	if (!means.agent)
		means.agent = getpid();
	return reconcile_open_prepared(config, &means, ret, err);
}

int reconcile_open(const struct config *config, struct reconcile **ret, struct err *err)
{
	return open_by(nl_channel_open, config, ret, err);
}

int reconcile_open_once(const struct config *config, struct reconcile **ret, struct err *err)
{
	return open_by(nl_channel_open_requests, config, ret, err);
}

void reconcile_free(struct reconcile *reconcile)
{
	if (!reconcile)
		return;
	nl_channel_free(reconcile->channel);
	reconcile_free_places(reconcile);
	if (reconcile->home >= 0)
		close(reconcile->home);
	link_plan_done(&reconcile->plan);
	port_plan_done(&reconcile->port_plan);
	free(reconcile->ports);
	link_table_done(&reconcile->table);
	held_taps_done(&reconcile->held);
	free(reconcile->specs);
	free_links(reconcile->links, reconcile->n);
	free(reconcile);
}

/* The qdiscs outlive a reload, and what is known of their counters does too. */
static void keep_drops(const struct reconcile *reconcile, struct reconcile_link *links, size_t n)
{
	for (size_t i = 0; i < reconcile->n; i++) {
		const struct reconcile_link *old = &reconcile->links[i];

		for (size_t k = 0; k < n; k++) {
			/* Two files name most links in the same order. */
			struct reconcile_link *link = &links[(i + k) % n];

			if (strcmp(link->spec->name, old->spec->name) != 0)
				continue;
			link->drops = old->drops;
			break;
		}
	}
}

int reconcile_reload(struct reconcile *reconcile, const struct config *config, struct err *err)
{
	struct reconcile_link *links = NULL;
	struct link_spec *specs = NULL;
	size_t n = 0;
	int code = load(config, &specs, &links, &n, err);

	if (code < 0)
		return code;
	keep_drops(reconcile, links, n);
	link_plan_done(&reconcile->plan);
	port_plan_done(&reconcile->port_plan);
	free(reconcile->ports);
	reconcile->ports = NULL;
	reconcile->n_ports = 0;
	free(reconcile->specs);
	free_links(reconcile->links, reconcile->n);
	reconcile->specs = specs;
	reconcile->links = links;
	reconcile->n = n;
	reconcile->group = config->agent.link_group;
	reconcile->strays = (struct link_track){ 0 };
	reconcile->scan = true;
	reconcile->links_known = false;
	return 0;
}

int reconcile_learn(struct reconcile *reconcile, const struct leases *leases, int64_t now,
		    struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < reconcile->n; i++) {
		struct link_track *track = &reconcile->links[i].track;
		int code = desired_learn(&reconcile->specs[i], leases, now, err);

		if (code < 0)
			return err_prefix(err, code, "the leases of %s", reconcile->specs[i].name);
		if (!code)
			continue;
		/* It is we who set it otherwise: that is done at once. */
		track->changes = 0;
		any = true;
	}
	return any;
}

const struct reconcile_link *reconcile_links(const struct reconcile *reconcile, size_t *ret_n)
{
	*ret_n = reconcile->n;
	return reconcile->links;
}
