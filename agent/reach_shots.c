#include "agent/reach_shots.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <stdlib.h>

#include "netlink/link_kind.h"

/* Grows on demand while the pairs are chosen. */
struct plan {
	struct reach_shots *shots;
	size_t shots_cap;
	size_t ports_cap;
	int code;
};

static bool can_speak(const struct reach_member *member)
{
	const unsigned int both = IFF_UP | IFF_LOWER_UP;

	return member->spec && member->link && (member->link->flags & both) == both;
}

static size_t port_of(struct plan *plan, const struct link_state *link)
{
	struct reach_shots *shots = plan->shots;
	struct reach_port *ports;

	for (size_t i = REACH_PORT_LINKS; i < shots->n_ports; i++) {
		if (shots->ports[i].link == link)
			return i;
	}
	if (shots->n_ports == plan->ports_cap) {
		plan->ports_cap = plan->ports_cap ? 2 * plan->ports_cap : 16;
		ports = reallocarray(shots->ports, plan->ports_cap, sizeof(*ports));
		if (!ports) {
			plan->code = -ENOMEM;
			return 0;
		}
		shots->ports = ports;
	}
	shots->ports[shots->n_ports].link = link;
	return shots->n_ports++;
}

/* Whether a link of mode source takes the frames of that sender. */
static bool lists(const struct link_state *link, const struct link_state *sender)
{
	return link->is_macvlan && link->macvlan_mode == link_mode_to_kernel(LINK_MODE_SOURCE) &&
	       link_sources_have(&link_state_lists(link)->sources, sender->mac);
}

/*
 * With nodst, macvlan gives the sender's frames to links of mode source alone when they come in by
 * the lower device (macvlan_forward_source()); unicast between bridge mode links does so too.
 */
static bool is_taken(const struct reach_lower *lower, const struct link_state *sender)
{
	for (size_t i = 0; i < lower->n_classes; i++) {
		const struct reach_class *class = &lower->classes[i];

		for (size_t k = 0; class->end == REACH_SOURCE && k < class->n; k++) {
			const struct link_state *link = class->members[k].link;

			if (link && (link->flags & IFF_UP) &&
			    (link->macvlan_flags & MACVLAN_FLAG_NODST) && lists(link, sender))
				return true;
		}
	}
	return false;
}

static void add_pair(struct plan *plan, size_t cell, size_t from, size_t to)
{
	struct reach_shots *shots = plan->shots;
	const struct link_state *sender;
	struct reach_shot *grown;

	if (plan->code == 0 && shots->n + REACH_CASTS > REACH_SHOTS_MAX)
		plan->code = -E2BIG;
	if (plan->code == 0 && shots->n + REACH_CASTS > plan->shots_cap) {
		plan->shots_cap = plan->shots_cap ? 2 * plan->shots_cap : 64;
		grown = reallocarray(shots->shots, plan->shots_cap, sizeof(*grown));
		if (!grown)
			plan->code = -ENOMEM;
		else
			shots->shots = grown;
	}
	if (plan->code < 0)
		return;
	sender = shots->ports[from].link;
	for (int cast = 0; cast < REACH_CASTS; cast++) {
		shots->shots[shots->n++] = (struct reach_shot){
			.cell = cell,
			.from = from,
			.to = to,
			.cast = (enum reach_cast)cast,
			.is_listed = lists(shots->ports[to].link, sender),
			.is_taken = is_taken(shots->lower, sender),
		};
	}
	shots->proofs[cell].pairs++;
}

static size_t port_of_end(enum reach_end end)
{
	return end == REACH_HOST ? REACH_PORT_HOST : REACH_PORT_WIRE;
}

static bool is_enough(const struct plan *plan, size_t cell, bool all)
{
	return plan->code < 0 || (!all && plan->shots->proofs[cell].pairs);
}

/* What pairs of a cell are wanted. */
struct choice {
	size_t cell;
	bool all;
	bool listed; /* only those whose receiver lists the sender */
};

static void add_from(struct plan *plan, const struct choice *choice, size_t from)
{
	const struct reach_cell *cell = &plan->shots->lower->cells[choice->cell];
	const struct link_state *sender = plan->shots->ports[from].link;
	const struct reach_class *to = cell->to_class;

	if (!to) {
		add_pair(plan, choice->cell, from, port_of_end(cell->to));
		return;
	}
	for (size_t i = 0; i < to->n && !is_enough(plan, choice->cell, choice->all); i++) {
		const struct link_state *link = to->members[i].link;

		if (can_speak(&to->members[i]) && link != sender &&
		    (!choice->listed || lists(link, sender)))
			add_pair(plan, choice->cell, from, port_of(plan, link));
	}
}

static void add_senders(struct plan *plan, const struct choice *choice)
{
	const struct reach_cell *cell = &plan->shots->lower->cells[choice->cell];
	const struct reach_class *from = cell->from_class;

	if (!from) {
		add_from(plan, choice, port_of_end(cell->from));
		return;
	}
	for (size_t i = 0; i < from->n && !is_enough(plan, choice->cell, choice->all); i++) {
		if (can_speak(&from->members[i]))
			add_from(plan, choice, port_of(plan, from->members[i].link));
	}
}

static void add_cell(struct plan *plan, size_t at, bool all)
{
	const struct reach_cell *cell = &plan->shots->lower->cells[at];
	struct choice choice = { .cell = at, .all = all };

	/* Nobody outside sends for us. */
	if (cell->from == REACH_OUTSIDE)
		return;
	/* One pair is to prove that a list works, if it can. */
	if (cell->to == REACH_SOURCE && !all) {
		choice.listed = true;
		add_senders(plan, &choice);
		choice.listed = false;
	}
	if (!is_enough(plan, at, all))
		add_senders(plan, &choice);
}

int reach_shots_plan(const struct reach_lower *lower, bool all, struct reach_shots *ret,
		     struct err *err)
{
	struct reach_shots shots = { .lower = lower };
	struct plan plan = { .shots = &shots, .ports_cap = 16 };

	shots.proofs = calloc(lower->n_cells + 1, sizeof(*shots.proofs));
	shots.ports = calloc(plan.ports_cap, sizeof(*shots.ports));
	if (!shots.proofs || !shots.ports) {
		plan.code = -ENOMEM;
	} else if (lower->device) {
		shots.ports[REACH_PORT_HOST].link = lower->device;
		shots.ports[REACH_PORT_WIRE].link = lower->device;
		shots.n_ports = REACH_PORT_LINKS;
		for (size_t i = 0; i < lower->n_cells; i++)
			add_cell(&plan, i, all);
	}
	if (plan.code < 0) {
		reach_shots_done(&shots);
		if (plan.code == -E2BIG)
			return err_set(err, plan.code,
				       "could not probe %s: all pairs of its links take more than "
				       "%d frames: one pair of each kind is tried without --all",
				       lower->name, REACH_SHOTS_MAX);
		return err_errno(err, plan.code, "could not probe %s", lower->name);
	}
	*ret = shots;
	return 0;
}

void reach_shots_done(struct reach_shots *shots)
{
	free(shots->ports);
	free(shots->shots);
	free(shots->proofs);
	*shots = (struct reach_shots){ 0 };
}

bool reach_shot_is_due(const struct reach_shots *shots, const struct reach_shot *shot)
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

bool reach_shots_are_in(const struct reach_shots *shots)
{
	for (size_t i = 0; i < shots->n; i++) {
		if (!shots->shots[i].arrived && reach_shot_is_due(shots, &shots->shots[i]))
			return false;
	}
	return true;
}

static const char *port_name(const struct reach_shots *shots, size_t port)
{
	return port == REACH_PORT_WIRE ? "the wire" : shots->ports[port].link->name;
}

size_t reach_shots_judge(struct reach_shots *shots)
{
	size_t differ = 0;

	for (size_t i = 0; i < shots->n; i++) {
		const struct reach_shot *shot = &shots->shots[i];
		struct reach_proof *proof = &shots->proofs[shot->cell];
		bool differs = shot->arrived != reach_shot_is_due(shots, shot);
		bool is_first = proof->differ[REACH_UNICAST] + proof->differ[REACH_BROADCAST] == 0;

		if (!proof->from || (differs && is_first)) {
			proof->from = port_name(shots, shot->from);
			proof->to = port_name(shots, shot->to);
		}
		proof->arrived[shot->cast] += shot->arrived;
		proof->differ[shot->cast] += differs;
		differ += differs;
	}
	return differ;
}
