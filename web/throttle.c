#include "web/throttle.h"

#include <stdio.h>
#include <string.h>

static const struct throttle_place *find(const struct throttle *throttle, const char *key)
{
	for (int i = 0; i < THROTTLE_PLACES; i++) {
		if (strncmp(throttle->places[i].key, key, THROTTLE_KEY_MAX - 1) == 0)
			return &throttle->places[i];
	}
	return NULL;
}

static uint64_t wait_after(unsigned int failures, uint64_t most)
{
	unsigned int steps = failures - THROTTLE_FREE;
	uint64_t wait = failures < THROTTLE_FREE ? 0
			: steps > 5		 ? THROTTLE_WAIT_MS
						 : UINT64_C(1000) << steps;

	return wait > most ? most : wait;
}

uint64_t throttle_wait(const struct throttle *throttle, const char *key, uint64_t now,
		       uint64_t most)
{
	const struct throttle_place *place = find(throttle, key);
	uint64_t until = place ? place->last + wait_after(place->failures, most) : 0;

	return until > now ? until - now : 0;
}

void throttle_failed(struct throttle *throttle, const char *key, uint64_t now)
{
	struct throttle_place *place = (struct throttle_place *)find(throttle, key);

	if (!place) {
		place = &throttle->places[0];
		for (int i = 1; i < THROTTLE_PLACES && place->key[0]; i++) {
			struct throttle_place *other = &throttle->places[i];

			if (!other->key[0] || other->last < place->last)
				place = other;
		}
		snprintf(place->key, sizeof(place->key), "%s", key);
		place->failures = 0;
	}
	if (now - place->last > THROTTLE_WAIT_MS)
		place->failures = 0;
	place->failures++;
	place->last = now;
}

void throttle_passed(struct throttle *throttle, const char *key)
{
	struct throttle_place *place = (struct throttle_place *)find(throttle, key);

	if (place)
		*place = (struct throttle_place){ 0 };
}
