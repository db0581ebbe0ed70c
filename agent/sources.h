/*
 * The packet sockets and taps of the watched links, each with its place in the counters page.
 *
 * The agent keeps them open: a capture worker that dies is followed by one that maps the same
 * rings and reads the same taps, so that what arrived in between is not lost. Edge.
 */
#ifndef TW_SOURCES_H
#define TW_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/base/ipc.h"
#include "agent/base/stats.h"
#include "agent/packet_socket.h"
#include "agent/pid_watch.h"
#include "agent/source_filter.h"
#include "agent/source_peer.h"
#include "agent/tap_holder.h"

/* A link that is to be watched, as it is in the kernel now. */
struct source_wish {
	uint32_t ifindex;
	enum ipc_source
		source; /* IPC_SOURCES: it is not to be watched, but an inline link may stay one */
	uint8_t mac[MAC_LEN];
	const char *name, *set, *guest; /* guest: "" for none */
	const struct link_spec *spec; /* with the programs of its hooks */
	enum peer_kind peer; /* these three: of an inline link */
	uid_t uid;
	gid_t gid;
};

/* What the capture worker counted for one link since the link got its place. */
struct source_counters {
	uint64_t frames[STATS_DIRECTIONS];
	uint64_t bytes[STATS_DIRECTIONS];
	uint64_t payloads, matches, drops, truncated, malformed;
};

/* What of a link may be at fault. */
enum source_part {
	SOURCE_PART_ITSELF, /* its socket or tap */
	SOURCE_PART_PEER, /* these three: of an inline link */
	SOURCE_PART_FILTER,
	SOURCE_PART_LEAVING,
};

struct source {
	struct ipc_link message;
	int fd; /* -1: not watched now */
	int dropped_fd; /* of a tap: what the kernel counts as lost; -1: not known */
	uint64_t dropped; /* what that said when the tap was opened */
	bool known; /* the place belongs to message.name */
	bool wanted;
	bool news; /* the worker is to be told of it */
	bool fresh; /* and of all that belongs to it */
	bool leaving; /* it stays inline only until its guest is gone */
	struct source_peer *peer; /* of an inline link whose tap is ours; else NULL */
	struct source_filter filter; /* of an inline link */
	struct source_counters before; /* the place's counters when the link got it */
	char error[256]; /* why it is not watched as it should be; "" */
	enum source_part faulty; /* where that is said: the latest that was found */
	struct pid_watch *holder; /* whose end is waited for; NULL: nobody's */
	pid_t holder_pid;
	pid_t shared_pid; /* who opened the tap of an inline link beside us; 0: nobody */
	char shared[160]; /* and what that means; "" */
};

struct sources_ops {
	/* The frames of a link cannot be read, or (`why` is "") are from now on, for a tap. */
	void (*watch)(void *data, const struct source *source, const char *why);
	/* Somebody has the tap of an inline link open beside us, or (`what` is "") not any more. */
	void (*shared)(void *data, const struct source *source, const char *what);
	/* Who held a tap has ended, or a guest is gone: sources_update() may do more now. */
	void (*retry)(void *data);
	/* A ring is closed, and no worker lives to read it: its last frames may be lost. */
	void (*unread)(void *data, const struct source *source);
	/* The guest of an inline link is there (`what` is NULL), or something is with it. */
	void (*peer)(void *data, const struct source *source, const char *what);
	/* The worker that has the link of this slot, or is to have it; NULL: none serves. */
	struct ipc_channel *(*channel)(void *data, uint32_t slot);
};

/* A packet ring that was let go while no worker had it: the next one reads it to its end. */
struct source_ring {
	struct ipc_link message;
	int fd;
};

struct sources {
	struct source *list; /* indexed by slot */
	size_t n;
	int *closing; /* packet sockets that are to be closed, all together */
	size_t n_closing, cap_closing;
	struct packet_open *early; /* of links that sources_update() is yet to hear of */
	size_t n_early;
	struct source_ring *unread;
	size_t n_unread;
	const struct stats_page *stats;
	uint32_t block_size, blocks; /* of every ring opened from now on; set by the owner */
	const char *run_dir; /* where inline guests come; set by the owner, and copied */
	uv_loop_t *loop;
	const struct sources_ops *ops;
	void *data;
};

void sources_init(struct sources *sources, const struct stats_page *stats, uv_loop_t *loop,
		  const struct sources_ops *ops, void *data);

/* Waits for nobody any more, so that the loop can end; what is open stays open. */
void sources_stop(struct sources *sources);
void sources_done(struct sources *sources);

/*
 * Opens the packet sockets of links that are still down, so that nothing is missing that is sent
 * once they are up: for the next sources_update(), which closes those that it has no wish for.
 */
void sources_open_early(struct sources *sources, const uint32_t *ifindexes, size_t n);

/*
 * Opens what is missing or belongs to an interface that is gone, closes what is not wanted, and
 * tells the workers. What cannot be opened keeps its reason in
 * `error` and is tried again at the next call. So is a tap that another process holds; one that
 * somebody opened beside us is let go.
 */
void sources_update(struct sources *sources, const struct source_wish *wishes, size_t n);

/* How many packet rings no worker that serves reads, of links that went, too. */
size_t sources_unread(const struct sources *sources);

/* Whether a packet socket could not be had, and nothing will tell when it can. */
bool sources_lack(const struct sources *sources);

/*
 * Lets the packet sockets go that no wish is for, before a worker with another configuration comes:
 * the one that serves reads what they hold, by the rules of their links. Of the wishes, in any
 * order, only name and source are asked for.
 */
void sources_let_go(struct sources *sources, const struct source_wish *wishes, size_t n);

/* Hands all that is open and that worker's to one that has just become ready. */
void sources_hand_over(struct sources *sources, struct ipc_channel *channel);

/* What the worker that serves, or the one that is relieved, says of inline links. */
void sources_peer_lost(struct sources *sources, const struct ipc_peer_lost *lost);
void sources_rest(struct sources *sources, const struct ipc_rest *rest);

/* Who has the tap of a link open, as was just seen: beside us where the link is inline. */
void sources_holder(struct sources *sources, size_t near, const char *link,
		    const struct tap_holder *holder);

/*
 * NULL for a link that never was watched. The place `near` is looked at first, then those behind
 * it.
 */
const struct source *sources_find(const struct sources *sources, size_t near, const char *link);
void sources_counters(const struct sources *sources, const struct source *source,
		      struct source_counters *ret);

#endif
