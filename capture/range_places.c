#include "capture/range_places.h"

#include <stdlib.h>

void range_places_done(struct range_places *places)
{
	free(places->v);
	*places = (struct range_places){ 0 };
}

void range_places_reset(struct range_places *places)
{
	places->n = places->next = 0;
}

void range_places_add(struct range_places *places, const struct range_place *place)
{
	if (places->n == places->cap && places->cap < RANGE_PLACES_MAX) {
		size_t cap = places->cap ? 2 * places->cap : 64;
		struct range_place *v = realloc(places->v, cap * sizeof(*v));

		if (!v)
			return;
		places->v = v;
		places->cap = cap;
	}
	if (places->n < places->cap)
		places->v[places->n++] = *place;
}

bool range_places_find(struct range_places *places, bool open, size_t from, struct range_place *ret)
{
	const struct range_place *place;

	while (places->next < places->n &&
	       places->v[places->next].line + places->v[places->next].len <= from)
		places->next++;
	if (places->next == places->n)
		return false;
	place = &places->v[places->next];
	/* Lines that were given up on may be before `from`. */
	if (place->open != open || place->from > from || (place->limited && place->from != from))
		return false;
	*ret = *place;
	return true;
}
