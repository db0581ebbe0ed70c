#include "agent/link_track.h"

/* 0 after the first, then 1, 2, 4 ... seconds. */
static uint64_t back_off(unsigned int count)
{
	uint64_t wait = 1000;

	if (count <= 1)
		return 0;
	for (unsigned int i = 2; i < count && wait < LINK_TRACK_WAIT_MAX; i++)
		wait *= 2;
	return wait < LINK_TRACK_WAIT_MAX ? wait : LINK_TRACK_WAIT_MAX;
}

bool link_track_seen(struct link_track *track, bool present, bool excused, uint64_t now_ms)
{
	bool lost = track->present && !present;

	if (present && !track->present)
		track->since_ms = now_ms;
	track->present = present;
	if (!lost || excused)
		return lost;
	if (now_ms - track->since_ms >= LINK_TRACK_ALIVE_MS)
		track->losses = 0;
	track->losses++;
	track->next_ms = now_ms + back_off(track->losses);
	return true;
}

void link_track_refused(struct link_track *track, uint64_t now_ms)
{
	uint64_t wait;

	track->refusals++;
	/* The kernel does not change its mind at once, so not even the first retry is. */
	wait = back_off(track->refusals + 1);
	if (track->next_ms < now_ms + wait)
		track->next_ms = now_ms + wait;
}

void link_track_done(struct link_track *track)
{
	track->refusals = 0;
}

void link_track_changed(struct link_track *track, uint64_t now_ms)
{
	uint64_t wait;

	if (track->changes && now_ms - track->changed_ms >= LINK_TRACK_ALIVE_MS)
		track->changes = 0;
	track->changed_ms = now_ms;
	wait = back_off(++track->changes);
	if (track->next_ms < now_ms + wait)
		track->next_ms = now_ms + wait;
}

bool link_track_failed(const struct link_track *track)
{
	return track->losses >= LINK_TRACK_LOSSES_MAX && !track->present;
}

bool link_track_ready(const struct link_track *track, uint64_t now_ms)
{
	return !link_track_failed(track) && track->next_ms <= now_ms;
}

uint64_t link_track_due(const struct link_track *track, uint64_t now_ms)
{
	return link_track_failed(track) || track->next_ms <= now_ms ? 0 : track->next_ms;
}
