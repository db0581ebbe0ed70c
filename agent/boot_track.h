/* How guests boot: their states and steps, between the web worker, the file and `status`. Edge. */
#ifndef TW_BOOT_TRACK_H
#define TW_BOOT_TRACK_H

#include <jansson.h>

#include "agent/base/ipc.h"
#include "agent/boot_states.h"

struct agent;

/* Before workers serve. A file that is damaged is begun anew. */
void boot_track_start(struct agent *agent);
void boot_track_done(struct agent *agent);

/* The configuration is another one than `old`: where states are kept, too, perhaps. */
void boot_track_reload(struct agent *agent, const struct config *old);

/* A message of the web worker. */
void boot_track_step(struct agent *agent, const struct ipc_boot_step *message);

/* A web worker that begins to serve is told of every guest that does not simply run. */
void boot_track_hand_over(const struct agent *agent, struct ipc_channel *web);

/*
 * Another state for a guest; -ENOENT for one that does not exist, -EINVAL for a state that there is
 * not or that needs keys which the guest has not.
 */
int boot_track_set(struct agent *agent, const char *name, const char *word, struct err *err);

/*
 * A new list of [name, link, mac or null, boot, target or null, hostname, state, booting: the state
 * that the last script was of or null, steps {step: {time, count}}, waits_for: a step or null]; the
 * caller owns it.
 */
json_t *boot_track_json(const struct agent *agent);

#endif
