/* Which links are to be watched, and how: their packet sockets and taps (sources.h) follow. */
#include "agent/agent.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"

static const char *guest_of(const struct config *config, const char *link)
{
	const struct guest_conf *guest = config_guest_of_link(config, link);

	return guest ? guest->head.name : "";
}

static const enum ipc_source source_of[] = {
	[MONITOR_OFF] = IPC_SOURCES,
	[MONITOR_PASSIVE] = IPC_SOURCE_PACKET,
	[MONITOR_TAP] = IPC_SOURCE_TAP,
	[MONITOR_INLINE] = IPC_SOURCE_INLINE,
};

static void set_rings(struct agent *a)
{
	a->sources.block_size = a->setup.ring_block_size;
	a->sources.blocks = a->setup.ring_blocks;
}

/* Looks at the place `*at` first, and leaves it behind what was found: both are in one order. */
static const struct link_wish *wish_of(const struct link_wish *wishes, size_t n, const char *name,
				       size_t *at)
{
	for (size_t i = 0; i < n; i++) {
		size_t place = (*at + i) % n;

		if (strcmp(wishes[place].name, name) == 0) {
			*at = place + 1;
			return &wishes[place];
		}
	}
	return NULL;
}

void agent_watch_rising(struct supervisor *supervisor, const struct link_rising *links, size_t n)
{
	struct agent *a = supervisor->data;
	uint32_t *ifindexes = calloc(n + 1, sizeof(*ifindexes));
	struct link_wish *wishes = NULL;
	size_t n_wishes, n_watched = 0, at = 0;
	struct err err;

	if (!ifindexes || config_links(a->setup.config, &wishes, &n_wishes, &err))
		goto out;
	for (size_t i = 0; i < n; i++) {
		const struct link_wish *wish = wish_of(wishes, n_wishes, links[i].spec->name, &at);

		if (wish && source_of[wish->keys->monitor] == IPC_SOURCE_PACKET)
			ifindexes[n_watched++] = links[i].ifindex;
	}
	set_rings(a);
	sources_open_early(&a->sources, ifindexes, n_watched);
out:
	free(wishes);
	free(ifindexes);
}

/* Opened for each that is there and to be watched. */
void agent_watch_links(struct supervisor *supervisor)
{
	struct agent *a = supervisor->data;
	const struct config *config = a->setup.config;
	const struct reconcile_link *links;
	struct source_wish *sources;
	struct link_wish *wishes;
	size_t n, n_wishes, n_sources = 0;
	struct err err;

	agent_forget_status(a);
	links = reconcile_links(supervisor->reconcile, &n);
	if (config_links(config, &wishes, &n_wishes, &err)) {
		log_err("%s: links stay watched as they are", err.text);
		return;
	}
	sources = calloc(n + 1, sizeof(*sources));
	/* Both are in the order of config_links(). */
	for (size_t i = 0; sources && i < n && i < n_wishes; i++) {
		/* A packet socket is of one namespace, which is the agent's. */
		if (!links[i].present || *links[i].spec->netns)
			continue;
		sources[n_sources] = (struct source_wish){
			.source = source_of[wishes[i].keys->monitor],
			.peer = wishes[i].keys->peer,
			.uid = links[i].spec->guest_uid,
			.gid = links[i].spec->guest_gid,
			.ifindex = links[i].link.ifindex,
			.name = links[i].spec->name,
			.set = links[i].spec->set,
			.guest = guest_of(config, links[i].spec->name),
			.spec = links[i].spec,
		};
		memcpy(sources[n_sources++].mac, links[i].link.mac, MAC_LEN);
	}
	set_rings(a);
	a->sources.run_dir = config->agent.run_dir;
	if (sources)
		sources_update(&a->sources, sources, n_sources);
	if (!sources || sources_lack(&a->sources))
		supervisor_retry(supervisor);
	free(sources);
	free(wishes);
}

void agent_let_links_go(struct agent *a)
{
	struct source_wish *sources;
	struct link_wish *wishes;
	struct err err;
	size_t n;

	if (config_links(a->setup.config, &wishes, &n, &err))
		return;
	sources = calloc(n + 1, sizeof(*sources));
	for (size_t i = 0; sources && i < n; i++) {
		sources[i].name = wishes[i].name;
		sources[i].source = source_of[wishes[i].keys->monitor];
	}
	if (sources)
		sources_let_go(&a->sources, sources, n);
	free(sources);
	free(wishes);
}
