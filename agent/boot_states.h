/*
 * What each guest is to boot next, and how far its last boot came.
 *
 * States are kept in a file of state-dir, so that an agent that starts again goes on with them; the
 * steps are not. Edge: reads and writes that file. Times are CLOCK_REALTIME in milliseconds.
 */
#ifndef TW_BOOT_STATES_H
#define TW_BOOT_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/boot_types.h"
#include "agent/base/config.h"
#include "agent/base/err.h"

#define BOOT_STATES_NAME "boot-states"

struct boot_seen {
	int64_t time_ms; /* the last time; 0: never in this boot */
	uint64_t n; /* in this boot */
};

struct boot_guest {
	char name[NAME_MAX_LEN + 1];
	enum boot_state state;
	enum boot_state booting; /* what the script of this boot was of, once there is one */
	char token[BOOT_TOKEN_SIZE]; /* "" when none is given out */
	struct boot_seen steps[BOOT_STEPS]; /* since menu or script were fetched */
};

/* Zero-initialise. */
struct boot_states {
	struct boot_guest *list;
	size_t n;
};

void boot_states_done(struct boot_states *states);

/*
 * Replaces the content by the file's; 1 without a file: every guest runs. Wrong lines are an error.
 */
int boot_states_load(struct boot_states *states, const char *dir, struct err *err);
int boot_states_save(const struct boot_states *states, const char *dir, struct err *err);

/* From here on they are kept in `to`; what `from` has of them goes: it would be an older file. */
int boot_states_move(const struct boot_states *states, const char *from, const char *to,
		     struct err *err);

/* The guest's entry, made if need be; NULL without memory. Valid until the next call. */
struct boot_guest *boot_states_of(struct boot_states *states, const char *name);

/* The same without making one: NULL when nothing is known of the guest. */
const struct boot_guest *boot_states_find(const struct boot_states *states, const char *name);

/* Another state from here on; install gets a new token, the others have none. 0 or -errno. */
int boot_guest_set(struct boot_guest *guest, enum boot_state state);

/*
 * The guest took a step; its menu begins a boot anew, and a script that no menu came before.
 * `token`: what a phone-home showed; "" if nothing. Returns whether its state is another one after
 * it. That of an install before this one ends nothing: who took the phone-home may not have heard
 * of this one yet.
 */
bool boot_guest_step(struct boot_guest *guest, enum boot_step step, const char *token,
		     int64_t now_ms);

/*
 * The first step that this boot must take and has not, by what is served from here; BOOT_STEPS when
 * there is none, or no boot has begun. `guest` may be NULL.
 */
enum boot_step boot_guest_missing(const struct boot_guest *guest, const struct guest_conf *conf);

#endif
