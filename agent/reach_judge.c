#include "agent/reach_judge.h"

/* Whether it is not to be seen if the filter of `to` drops it. */
static bool is_unproven(const struct reach_shots *shots, const struct reach_shot *shot)
{
	const struct reach_port *to = &shots->ports[shot->to];

	return to->is_held && to->programs[LINK_HOOK_TO_GUEST].n;
}

/* Whether there is a way for it, but for filters. */
static bool has_way(const struct reach_shots *shots, const struct reach_shot *shot)
{
	const struct reach_cell *cell = &shots->lower->cells[shot->cell];
	enum reach_reflection reflection = shots->lower->reflection;

	if (cell->to == REACH_SOURCE && !shot->is_listed)
		return false;
	if (shot->is_taken && cell->to != REACH_SOURCE && cell->to != REACH_OUTSIDE &&
	    (shot->cast == REACH_UNICAST ||
	     reach_path(cell->from, cell->to, shot->cast) == REACH_REFLECTED))
		return false;
	if (reflection == REACH_REFLECTS_UNKNOWN)
		reflection = shots->came_back ? REACH_REFLECTS_YES : REACH_REFLECTS_NO;
	return reach_answer(reach_path(cell->from, cell->to, shot->cast), reflection) != REACH_NO;
}

bool reach_shot_is_due(const struct reach_shots *shots, const struct reach_shot *shot)
{
	return has_way(shots, shot) && shot->passes[LINK_HOOK_FROM_GUEST] &&
	       (shot->passes[LINK_HOOK_TO_GUEST] || is_unproven(shots, shot));
}

bool reach_shots_are_in(const struct reach_shots *shots, size_t first, size_t n)
{
	for (size_t i = first; i < first + n; i++) {
		if (!shots->shots[i].arrived && reach_shot_is_due(shots, &shots->shots[i]))
			return false;
	}
	return true;
}

static const char *port_name(const struct reach_shots *shots, size_t port)
{
	return port == REACH_PORT_WIRE ? "the wire" : shots->ports[port].link->name;
}

static void judge_plain(const struct reach_shots *shots, const struct reach_shot *shot,
			struct reach_proof *proof, bool differs)
{
	const bool is_first = proof->differ[REACH_UNICAST] + proof->differ[REACH_BROADCAST] == 0;

	if (!proof->from || (differs && is_first)) {
		proof->from = port_name(shots, shot->from);
		proof->to = port_name(shots, shot->to);
	}
	proof->arrived[shot->cast] += shot->arrived;
	proof->differ[shot->cast] += differs;
}

/* One that has no way shows nothing of filters, nor does one that was seen before them. */
static void judge_witness(const struct reach_shots *shots, const struct reach_shot *shot,
			  struct reach_proof *proof, bool differs)
{
	const bool shows = has_way(shots, shot) && !(shot->arrived && is_unproven(shots, shot));

	if (differs ? !proof->witnesses_differ : !proof->witness && shows)
		proof->witness = shot;
	proof->witnesses_differ += differs;
}

size_t reach_shots_judge(struct reach_shots *shots)
{
	size_t differ = 0;

	for (size_t i = 0; i < shots->n; i++) {
		const struct reach_shot *shot = &shots->shots[i];
		struct reach_proof *proof = &shots->proofs[shot->cell];
		bool differs = shot->arrived != reach_shot_is_due(shots, shot);

		if (shot->is_witness)
			judge_witness(shots, shot, proof, differs);
		else
			judge_plain(shots, shot, proof, differs);
		if (has_way(shots, shot) && is_unproven(shots, shot)) {
			proof->held = proof->held ? proof->held : port_name(shots, shot->to);
			proof->unproven++;
		}
		differ += differs;
	}
	return differ;
}
