#include "agent/watch_place.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void watch_place_init(struct watch_place *place, size_t line_max)
{
	*place = (struct watch_place){ 0 };
	buf_init(&place->line, line_max);
}

void watch_place_done(struct watch_place *place)
{
	buf_done(&place->line);
}

void watch_place_cut(struct watch_place *place)
{
	place->back = true;
}

/*
 * No id comes before record 0, so all that there is is asked for; and so it is before any record.
 */
const char *watch_place_ask(const struct watch_place *place, char header[WATCH_HEADER_MAX])
{
	header[0] = '\0';
	if (!place->back)
		return "/v1/events";
	if (place->last.seq == 0)
		return "/v1/events?backlog=65536";
	snprintf(header, WATCH_HEADER_MAX, "Last-Event-ID: %" PRIu64, place->last.seq - 1);
	return "/v1/events";
}

static enum watch_step step_back(const struct watch_place *place, const char *record, size_t len,
				 uint64_t seq, uint64_t *ret_missed)
{
	*ret_missed = 0;
	if (!place->last.known || seq == place->last.next)
		return WATCH_ON;
	if (seq > place->last.next) {
		*ret_missed = seq - place->last.next;
		return WATCH_HOLE;
	}
	if (seq == place->last.seq && len == place->line.len &&
	    memcmp(record, place->line.data, len) == 0)
		return WATCH_SEEN;
	*ret_missed = seq;
	return WATCH_ANEW;
}

enum watch_step watch_place_take(struct watch_place *place, const char *record, size_t len,
				 const struct watch_seq *seq, uint64_t *ret_missed)
{
	enum watch_step step = WATCH_ON;

	*ret_missed = 0;
	if (!seq->known)
		return step;
	if (place->back)
		step = step_back(place, record, len, seq->seq, ret_missed);
	place->back = false;
	place->last = *seq;
	buf_reset(&place->line);
	buf_add(&place->line, record, len);
	return step;
}
