/*
 * Who failed to log in waits before the next try: longer each time, by address and by user. Pure:
 * time is an argument, in milliseconds of a clock that never goes back.
 */
#ifndef TW_THROTTLE_H
#define TW_THROTTLE_H

#include <stdint.h>

/*
 * The one that failed longest ago makes room; an attacker with more addresses than this has time.
 */
#define THROTTLE_PLACES 256

#define THROTTLE_KEY_MAX 72

struct throttle {
	struct throttle_place {
		char key[THROTTLE_KEY_MAX]; /* "" when free */
		unsigned int failures;
		uint64_t last; /* when it failed */
	} places[THROTTLE_PLACES];
};

/*
 * A few slips are free; then 1 s, 2 s, 4 s up to this. After as long without a failure all is
 * forgotten.
 */
#define THROTTLE_FREE	 3
#define THROTTLE_WAIT_MS 60000

/*
 * Milliseconds that `key` has to wait yet; 0: it may try. `most` bounds the wait: of a user less
 * than of an address, so that nobody can keep a user out by failing in his name.
 */
uint64_t throttle_wait(const struct throttle *throttle, const char *key, uint64_t now,
		       uint64_t most);

void throttle_failed(struct throttle *throttle, const char *key, uint64_t now);
void throttle_passed(struct throttle *throttle, const char *key);

#endif
