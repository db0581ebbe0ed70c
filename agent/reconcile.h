/*
 * Desired against observed, again and again: dump, plan, apply. Level-triggered: a notification
 * only says that a pass is due; the pass looks at everything. Used by the daemon, for ever, and by
 * plan, apply and down, once. Edge.
 */
#ifndef TW_RECONCILE_H
#define TW_RECONCILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/config.h"
#include "agent/base/err.h"
#include "agent/leases.h"
#include "agent/held_taps.h"
#include "agent/reconcile_link.h"
#include "netlink/link_apply.h"
#include "netlink/link_plan.h"
#include "netlink/port_apply.h"
#include "netlink/reach.h"

struct reconcile;

/*
 * A context on the links of `config`, which need not live on. Opens the netlink sockets in the
 * caller's network namespace. Freed by reconcile_free().
 */
int reconcile_open(const struct config *config, struct reconcile **ret, struct err *err);

/*
 * The same for a verb that looks and acts once: nothing is listened to, since each change would be
 * told to a socket that nobody reads. Not for reconcile_fd() and reconcile_drain().
 */
int reconcile_open_once(const struct config *config, struct reconcile **ret, struct err *err);
void reconcile_free(struct reconcile *reconcile);

/*
 * What it takes from the host, for a process that gives up its rights before it reads a
 * configuration.
 */
struct reconcile_means {
	struct nl_channel *channel;
	int home; /* the open network namespace */
	pid_t agent;
};

/* 0 or a negative errno, with nothing open. */
int reconcile_prepare(struct reconcile_means *ret, struct err *err);

/* As reconcile_open_once(), with what was prepared, which is taken over. */
int reconcile_open_prepared(const struct config *config, const struct reconcile_means *means,
			    struct reconcile **ret, struct err *err);

/*
 * Another configuration from here on. Links that it names as the old one did keep their MAC, which
 * is a function of the configuration; the count of losses starts anew: a reload is the operator's
 * word to try again. On failure everything stays as it was.
 */
int reconcile_reload(struct reconcile *reconcile, const struct config *config, struct err *err);

/*
 * What DHCP gave to guests, by `now` (CLOCK_REALTIME, seconds). Returns whether a link is to be
 * changed, by the next pass, or a negative errno.
 */
int reconcile_learn(struct reconcile *reconcile, const struct leases *leases, int64_t now,
		    struct err *err);

/* Readable when notifications wait; then reconcile_drain() says whether a pass is due (1 or 0). */
int reconcile_fd(const struct reconcile *reconcile);
int reconcile_drain(struct reconcile *reconcile);

/* What a pass tells. What the arguments point to lives for the call. */
struct reconcile_watch {
	link_result_cb step; /* each step that was tried, or is blocked anew */
	void (*lost)(const struct reconcile_link *link, void *data); /* it was there and is not */
	/* Its MAC was as wanted and is not; `who` holds its tap, "" when nobody does. */
	void (*mac_changed)(const struct reconcile_link *link, const char *who, void *data);
	void (*port)(const struct port_result *result,
		     void *data); /* as `step`, of a bridge port */
	void *data;
};

/* Who is told from here on of links of the agent's own namespace that passes set up. */
void reconcile_watch_rising(struct reconcile *reconcile, const struct link_rising_watch *watch);

/*
 * One pass: dumps, plans, executes what back-off allows. `now_ms`: see link_track.h. On success
 * `ret_wait_ms` is the time until the next pass is due by itself, -1 when only a notification makes
 * one due. A negative errno when the kernel could not be asked: try again later.
 */
int reconcile_pass(struct reconcile *reconcile, uint64_t now_ms,
		   const struct reconcile_watch *watch, int64_t *ret_wait_ms, struct err *err);

/*
 * As reconcile_plan() without force, by what is known of who holds the taps: `held` is taken over.
 * For a process that cannot look itself.
 */
int reconcile_plan_held(struct reconcile *reconcile, struct held_taps *held,
			const struct link_plan **ret, struct err *err);

/*
 * For `status`: the links whose taps somebody may hold, as the last pass saw them, in `ret`, which
 * is the caller's; 0 or -ENOMEM. When held_taps_find() has told of those, reconcile_look()
 * refreshes the links and changes nothing; it takes `held` over.
 */
int reconcile_taps(struct reconcile *reconcile, struct link_table *ret);
int reconcile_look(struct reconcile *reconcile, struct held_taps *held, struct err *err);

/*
 * The link that the machine with this address is behind, as frames from the host to it go: its MAC
 * is the link's and the way to it leads over the link's lower device. `scope` as of peer_find().
 * `ret_link` is its name, valid as reconcile_links(). -ENOENT or -EHOSTUNREACH when it is behind
 * none, with the reason.
 */
int reconcile_peer(struct reconcile *reconcile, const struct cidr *address, uint32_t scope,
		   const char **ret_link, struct err *err);

/* The wanted links, in the order of config_links(). Valid until the next reload. */
const struct reconcile_link *reconcile_links(const struct reconcile *reconcile, size_t *ret_n);

/* For the verbs. */
enum reconcile_goal {
	RECONCILE_GOAL_CONFIG, /* as the configuration says */
	RECONCILE_GOAL_NOTHING, /* no link of ours at all */
};

/*
 * Dumps and plans; with `force`, held taps do not block. The plan belongs to the context and lives
 * until the next call on it.
 */
int reconcile_plan(struct reconcile *reconcile, enum reconcile_goal goal, bool force,
		   const struct link_plan **ret, struct err *err);

/* Who can talk to whom when the plan is done. Points into the context; see reach_make(). */
int reconcile_reach(const struct reconcile *reconcile, struct reach *ret, struct err *err);

/* What reconcile_plan() found to do on bridge ports, and its execution; as port_apply(). */
const struct port_plan *reconcile_port_plan(const struct reconcile *reconcile);
int reconcile_apply_ports(struct reconcile *reconcile, port_result_cb cb, void *data);

/* Executes the plan that reconcile_plan() made; as link_apply(). */
int reconcile_apply(struct reconcile *reconcile, link_result_cb cb, void *data, struct err *err);

/*
 * Looks at what the kernel made of it: tells `cb` of each change that was done without an error,
 * and does not show. (A kernel passes over attributes that it does not know.) The plan is another
 * one after it. Returns how many there are, or a negative errno.
 */
int reconcile_read_back(struct reconcile *reconcile, link_result_cb cb, void *data,
			struct err *err);

#endif
