#include "capture/sink_pcapng.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/parse.h"
#include "agent/base/stats.h"
#include "agent/base/pcapng_format.h"

/* A frame with its options; frames of a link are at most as long as its snapshot. */
#define BLOCK_MAX ((1u << 20) + PCAPNG_OVERHEAD_MAX)

struct sink_pcapng_link {
	char name[IFNAME_SIZE];
	uint64_t first_ns, last_ns; /* of the frames in the section */
	uint64_t received, dropped; /* since the section began */
	uint64_t untold; /* drops that no frame told */
};

static void header(void *data, struct buf *out)
{
	struct sink_pcapng *sink = data;

	pcapng_section(out, PCAPNG_APPLICATION, sink->host);
	for (size_t i = 0; i < sink->n_links; i++) {
		struct sink_pcapng_link *link = &sink->links[i];

		pcapng_interface(out, &(struct pcapng_interface){
					      .name = link->name,
					      .link_type = LINKTYPE_ETHERNET,
				      });
		link->received = link->dropped = 0;
	}
}

static void trailer(void *data, struct buf *out)
{
	const struct sink_pcapng *sink = data;

	for (size_t i = 0; i < sink->n_links; i++) {
		const struct sink_pcapng_link *link = &sink->links[i];

		if (!link->received && !link->dropped)
			continue;
		pcapng_statistics(out, &(struct pcapng_statistics){
					       .interface = (uint32_t)i,
					       .time_ns = sink->now_ns,
					       .start_ns = link->first_ns,
					       .end_ns = link->last_ns,
					       .received = link->received,
					       .dropped = link->dropped,
				       });
	}
}

int sink_pcapng_init(struct sink_pcapng *sink, const struct sink_file_conf *conf, const char *host)
{
	struct sink_file_conf file = *conf;

	*sink = (struct sink_pcapng){ .host = host };
	file.whole = pcapng_whole;
	file.entry_max = BLOCK_MAX;
	file.header = header;
	file.trailer = trailer;
	file.data = sink;
	sink_file_init(&sink->file, &file);
	sink->ids = calloc(STATS_LINKS_MAX, sizeof(*sink->ids));
	return sink->ids ? 0 : -ENOMEM;
}

void sink_pcapng_done(struct sink_pcapng *sink)
{
	sink_file_done(&sink->file);
	free(sink->ids);
	free(sink->links);
}

static struct sink_pcapng_link *link_of(struct sink_pcapng *sink, uint32_t slot)
{
	return sink->ids[slot] ? &sink->links[sink->ids[slot] - 1] : NULL;
}

int sink_pcapng_link(struct sink_pcapng *sink, uint32_t slot, const char *name)
{
	struct sink_pcapng_link *link = link_of(sink, slot);
	size_t cap = sink->cap_links ? sink->cap_links * 2 : 16;

	if (link && strcmp(link->name, name) == 0)
		return 0;
	if (sink->n_links == sink->cap_links) {
		link = reallocarray(sink->links, cap, sizeof(*link));
		if (!link)
			return -ENOMEM;
		sink->links = link;
		sink->cap_links = cap;
	}
	link = &sink->links[sink->n_links++];
	*link = (struct sink_pcapng_link){ .first_ns = 0 };
	(void)snprintf(link->name, sizeof(link->name), "%s", name);
	sink->ids[slot] = (uint32_t)sink->n_links;
	/* What waits to be written keeps its numbers: they are the same in the next section. */
	sink_file_restart(&sink->file);
	return 0;
}

void sink_pcapng_drops(struct sink_pcapng *sink, uint32_t slot, uint64_t drops)
{
	struct sink_pcapng_link *link = link_of(sink, slot);

	if (!link)
		return;
	link->dropped += drops;
	link->untold += drops;
}

int sink_pcapng_put(struct sink_pcapng *sink, uint32_t slot, const struct pcapng_packet *packet)
{
	struct sink_pcapng_link *link = link_of(sink, slot);
	struct pcapng_packet own = *packet;
	int err;

	if (!link)
		return -ENOENT;
	own.interface = sink->ids[slot] - 1;
	own.has_drops = link->untold > 0;
	own.drops = link->untold;
	pcapng_packet(&sink->file.pending, &own);
	err = sink_file_added(&sink->file);
	if (err) {
		link->untold++;
		return err;
	}
	link->untold = 0;
	if (!link->received)
		link->first_ns = packet->time_ns;
	link->received++;
	link->last_ns = sink->now_ns = packet->time_ns;
	return 0;
}
