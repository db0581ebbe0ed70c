/*
 * The pcapng file of a capture worker: an interface for each link, ended by statistics. Edge.
 *
 * Frames go the way of all entries (sink_file.h). A file, and what a worker adds to one of another
 * worker, is a section of its own that describes every link known by then, and others when they
 * join; a link's number stays the same as long as the worker lives. A file that begins with other
 * links is followed by another file: Wireshark 4.0 looks a number up among the interfaces of all
 * sections, and would take frames for those of a link that they are not of. Direction is as the
 * host sees the link: what the guest sent is outbound, as tcpdump(8) -Q has it.
 */
#ifndef TW_SINK_PCAPNG_H
#define TW_SINK_PCAPNG_H

#include <stdint.h>

#include "capture/pcapng.h"
#include "capture/sink_file.h"

struct sink_pcapng_link;

struct sink_pcapng {
	struct sink_file file;
	const char *host; /* stays the caller's */
	uint64_t now_ns; /* of the last frame */
	uint32_t *ids; /* by slot: index into links, plus 1; 0: none */
	struct sink_pcapng_link *links; /* by interface number */
	size_t n_links, cap_links;
	struct buf former; /* interfaces that the file begins with, when another worker began it */
	size_t agreed; /* bytes of it that are those of our links */
};

/* `conf` names the directory, file and bounds; the rest of it is filled in. 0 or -ENOMEM. */
int sink_pcapng_init(struct sink_pcapng *sink, const struct sink_file_conf *conf, const char *host);
void sink_pcapng_done(struct sink_pcapng *sink);

/* From here on, frames of `slot` are of the link `name`. 0 or -ENOMEM. */
int sink_pcapng_link(struct sink_pcapng *sink, uint32_t slot, const char *name);

/* Counts what the kernel lost of a link: told by the link's next frame, and by its statistics. */
void sink_pcapng_drops(struct sink_pcapng *sink, uint32_t slot, uint64_t drops);

/*
 * Takes a frame of a link; its `interface` and drops are filled in here. -ENOBUFS: no room, it
 * counts as a drop. -ENOENT: no such link.
 */
int sink_pcapng_put(struct sink_pcapng *sink, uint32_t slot, const struct pcapng_packet *packet);

#endif
