/*
 * What the filters of links let through of what one end sends to another, as they are configured.
 * Frames count that tell the truth about who sends them. Pure.
 */
#ifndef TW_REACH_FILTER_H
#define TW_REACH_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netlink/link_spec.h"
#include "netlink/reach_rules.h"

enum reach_pass {
	REACH_PASS_ALL,
	REACH_PASS_SOME, /* it depends on the link, or on what is in the frame */
	REACH_PASS_NONE,
	REACH_PASSES
};

/* "all", "some", "none" */
extern const char *const reach_pass_names[REACH_PASSES];

/* One hook of all links at one end: the sender's for LINK_HOOK_FROM_GUEST, else the receiver's. */
struct reach_sieve {
	enum reach_pass pass[REACH_CASTS];
	const struct link_spec *first; /* that lets not all through; NULL: none does so */
};

/* Who is at the other end of a frame; NULL: one of many, or not known. */
struct reach_peer {
	const uint8_t *mac;
	bool takes_all; /* a receiver of frames that are for others too */
};

/* `pass` of both sieves together. */
enum reach_pass reach_pass_both(enum reach_pass one, enum reach_pass other);

/* What filters leave of an answer that is by mode alone. */
enum reach_answer reach_filtered(enum reach_answer answer, enum reach_pass pass);

/*
 * Takes one more link of that end into the sieve, which has `n` already; a `spec` of NULL has no
 * filter.
 */
void reach_sieve_add(struct reach_sieve *sieve, size_t n, const struct link_spec *spec,
		     enum link_hook hook, const struct reach_peer *peer);

/*
 * Whether a filter of the link lets IPv4 through and never ARP: then nobody finds the link by its
 * IPv4 address, or it finds nobody.
 */
bool reach_hides_from_arp(const struct link_spec *spec);

#endif
