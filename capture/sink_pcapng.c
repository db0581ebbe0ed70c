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

/* Of all links, in a file. */
#define INTERFACES_MAX (4u << 20)

/* Frames, and the drops before them that they tell. */
struct section_count {
	uint64_t first_ns, last_ns;
	uint64_t received, dropped;
};

struct sink_pcapng_link {
	char name[IFNAME_SIZE];
	struct section_count section; /* since it began, with what waits to be written */
	struct section_count waiting; /* as of count_waiting() */
	uint64_t untold; /* drops that no frame told */
};

static void count(struct section_count *section, uint64_t time_ns, uint64_t drops)
{
	if (!section->received)
		section->first_ns = time_ns;
	section->received++;
	section->dropped += drops;
	section->last_ns = time_ns;
}

static void on_waiting(void *data, const struct pcapng_told *told)
{
	struct sink_pcapng *sink = data;

	count(&sink->links[told->interface].waiting, told->time_ns, told->drops);
}

/* What waits belongs to the section that begins next, and not to the one that ends before it. */
static void count_waiting(struct sink_pcapng *sink)
{
	for (size_t i = 0; i < sink->n_links; i++)
		sink->links[i].waiting = (struct section_count){ 0 };
	pcapng_each_packet(sink->file.pending.data, sink->file.pending.len, on_waiting, sink);
}

static void begin_section(struct sink_pcapng *sink, struct buf *out)
{
	count_waiting(sink);
	for (size_t i = 0; i < sink->n_links; i++)
		sink->links[i].section = sink->links[i].waiting;
	pcapng_section(out, PCAPNG_APPLICATION, sink->host);
}

static void describe(const struct sink_pcapng_link *link, struct buf *out)
{
	pcapng_interface(out, &(struct pcapng_interface){
				      .name = link->name,
				      .link_type = LINKTYPE_ETHERNET,
			      });
}

/* Asked for each link, in their order. */
static bool agrees(struct sink_pcapng *sink, const struct sink_pcapng_link *link)
{
	const struct buf *former = &sink->former;
	struct buf own;
	bool same;

	buf_init(&own, BLOCK_MAX);
	describe(link, &own);
	same = !own.failed && own.len <= former->len - sink->agreed &&
	       memcmp(former->data + sink->agreed, own.data, own.len) == 0;
	sink->agreed += same ? own.len : 0;
	buf_done(&own);
	return same;
}

static bool fits(void *data, const void *bytes, size_t len)
{
	struct sink_pcapng *sink = data;
	bool same = true;

	buf_reset(&sink->former);
	sink->agreed = 0;
	pcapng_first_interfaces(bytes, len, &sink->former);
	for (size_t i = 0; len && same && i < sink->n_links; i++)
		same = agrees(sink, &sink->links[i]);
	return same;
}

/* The first part is the section's own, and each link is one. */
static size_t header(void *data, size_t have, struct buf *out)
{
	struct sink_pcapng *sink = data;

	if (!have) {
		begin_section(sink, out);
		have = 1;
	}
	for (size_t i = have - 1; i < sink->n_links; i++)
		describe(&sink->links[i], out);
	return 1 + sink->n_links;
}

static void trailer(void *data, size_t have, struct buf *out)
{
	struct sink_pcapng *sink = data;

	count_waiting(sink);
	for (size_t i = 0; i < have - 1; i++) {
		const struct section_count *all = &sink->links[i].section;
		const struct section_count *waiting = &sink->links[i].waiting;
		const struct pcapng_statistics statistics = {
			.interface = (uint32_t)i,
			.time_ns = sink->now_ns,
			.start_ns = all->first_ns,
			.end_ns = waiting->received ? waiting->first_ns : all->last_ns,
			.received = all->received - waiting->received,
			.dropped = all->dropped - waiting->dropped,
		};

		if (statistics.received || statistics.dropped)
			pcapng_statistics(out, &statistics);
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
	file.fits = fits;
	file.data = sink;
	sink_file_init(&sink->file, &file);
	buf_init(&sink->former, INTERFACES_MAX);
	sink->ids = calloc(STATS_LINKS_MAX, sizeof(*sink->ids));
	return sink->ids ? 0 : -ENOMEM;
}

/* Nothing comes any more: what waits is lost, and statistics tell what no frame told. */
static void settle(struct sink_pcapng *sink)
{
	count_waiting(sink);
	for (size_t i = 0; i < sink->n_links; i++) {
		struct sink_pcapng_link *link = &sink->links[i];

		link->section.received -= link->waiting.received;
		link->section.dropped += link->waiting.received + link->untold;
	}
	buf_reset(&sink->file.pending);
}

void sink_pcapng_done(struct sink_pcapng *sink)
{
	settle(sink);
	sink_file_done(&sink->file);
	buf_done(&sink->former);
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
	*link = (struct sink_pcapng_link){ .untold = 0 };
	(void)snprintf(link->name, sizeof(link->name), "%s", name);
	sink->ids[slot] = (uint32_t)sink->n_links;
	sink_file_extend(&sink->file);
	if (sink->former.len && !agrees(sink, link))
		sink_file_renew(&sink->file);
	return 0;
}

void sink_pcapng_drops(struct sink_pcapng *sink, uint32_t slot, uint64_t drops)
{
	struct sink_pcapng_link *link = link_of(sink, slot);

	if (link)
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
	count(&link->section, packet->time_ns, link->untold);
	link->untold = 0;
	sink->now_ns = packet->time_ns;
	return 0;
}
