#include "agent/base/hint.h"

#include <string.h>

#include "agent/base/parse.h"

void hint_try(struct hint *hint, const char *candidate)
{
	/* A short word has many neighbours that mean something else: "up" is not a slip of "id". */
	unsigned int limit = 1 + (unsigned int)strlen(candidate) / 4;
	unsigned int distance = edit_distance(hint->word, candidate);

	if (distance > limit || (hint->best && distance >= hint->distance))
		return;
	hint->best = candidate;
	hint->distance = distance;
}
