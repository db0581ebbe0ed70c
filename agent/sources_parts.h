/* What the files of sources share, and nobody else. Edge. */
#ifndef TW_SOURCES_PARTS_H
#define TW_SOURCES_PARTS_H

#include "agent/sources.h"

/* Says why something of a link is not as it should be; "" takes back what the same part said. */
void source_fault(struct source *source, enum source_part part, const char *why);

/* Looks at the place `from` first: a thousand links come in the order of their places as a rule. */
struct source *sources_find_from(const struct sources *sources, size_t from, const char *link);

/* The worker that has the link or is to have it, or NULL. */
struct ipc_channel *sources_channel(const struct sources *sources, const struct source *source);
void sources_tell_deleted(const struct sources *sources, const struct source *source);

/* Takes the taps that are wanted, and lets those go that others have. */
void sources_take_taps(struct sources *sources);
void source_forget_holder(struct source *source);

/*
 * The rings of sources_rings.c: closed all together by sources_close_rings(); of a link that is let
 * go, kept unread when there is no worker to read it now (then it is not the source's any more),
 * and handed over to one that comes, before all that follows in the same place.
 */
void sources_close_ring(struct sources *sources, int fd);
void sources_close_rings(struct sources *sources);
void source_keep_unread(struct sources *sources, struct source *source);
void sources_hand_over_unread(struct sources *sources, struct ipc_channel *channel);
void sources_forget_unread(struct sources *sources);

/*
 * The one that was opened early for a link, which is the caller's now; or -1. Looks at the place
 * `*at` first, and leaves it behind what was found.
 */
int sources_take_early(struct sources *sources, uint32_t ifindex, size_t *at);
void sources_forget_early(struct sources *sources);

/* Where the tap of an inline link is ours, its guest may come; else nothing happens. */
void sources_await_guest(struct sources *sources, struct source *source,
			 const struct source_wish *wish);

/* What the kernel would drop behind the tap is dropped before patterns look at it. */
void sources_set_filter(struct sources *sources, struct source *source,
			const struct source_wish *wish);

/* A guest at the other end of a relay has no other way: it keeps that one until it comes anew. */
bool source_stays_inline(const struct source *source, const struct source_wish *wish);
void source_stay_inline(struct source *source);

#endif
