#include "agent/reach_shots.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/reach_witness.h"
#include "agent/base/bpf_run.h"
#include "netlink/link_kind.h"
#include "netlink/tc_filter.h"

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

static int make_programs(struct reach_port *port)
{
	int code = 0;

	for (int hook = 0; code == 0 && hook < LINK_HOOKS; hook++)
		code = tc_program(port->spec, (enum link_hook)hook, &port->programs[hook], NULL);
	return code;
}

static size_t port_of(struct plan *plan, const struct reach_member *member)
{
	struct reach_shots *shots = plan->shots;
	struct reach_port *ports;

	for (size_t i = REACH_PORT_LINKS; i < shots->n_ports; i++) {
		if (shots->ports[i].link == member->link)
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
	ports = &shots->ports[shots->n_ports];
	*ports = (struct reach_port){ .link = member->link, .spec = member->spec };
	plan->code = make_programs(ports);
	return shots->n_ports++;
}

static bool is_of_source(const struct link_state *link)
{
	return link->is_macvlan && link->macvlan_mode == link_mode_to_kernel(LINK_MODE_SOURCE);
}

/* Whether a link of mode source takes the frames of that sender. */
static bool lists(const struct link_state *link, const uint8_t sender[MAC_LEN])
{
	return is_of_source(link) && link_sources_have(&link_state_lists(link)->sources, sender);
}

static bool is_inside(const struct reach_lower *lower, const uint8_t mac[MAC_LEN])
{
	if (memcmp(lower->device->mac, mac, MAC_LEN) == 0)
		return true;
	for (size_t i = 0; i < lower->n_classes; i++) {
		const struct reach_class *class = &lower->classes[i];

		for (size_t k = 0; k < class->n; k++) {
			const struct link_state *link = class->members[k].link;

			if (link && memcmp(link->mac, mac, MAC_LEN) == 0)
				return true;
		}
	}
	return false;
}

/* Who is outside and sends to that link: one on its list where it has one, else nobody. */
static const uint8_t *outsider_of(const struct reach_shots *shots, const struct link_state *link)
{
	const struct link_sources *sources = &link_state_lists(link)->sources;

	for (size_t i = 0; is_of_source(link) && i < sources->n; i++) {
		if (!is_inside(shots->lower, sources->macs[i]))
			return sources->macs[i];
	}
	return shots->nobody;
}

/* What macvlan sees of who sends from there to that link. */
static const uint8_t *sender_of(const struct reach_shots *shots, size_t from,
				const struct link_state *to)
{
	return from == REACH_PORT_WIRE ? outsider_of(shots, to) : shots->ports[from].link->mac;
}

/*
 * With nodst, macvlan gives the sender's frames to links of mode source alone when they come in by
 * the lower device (macvlan_forward_source()); unicast between bridge mode links does so too.
 */
static bool is_taken(const struct reach_lower *lower, const uint8_t sender[MAC_LEN])
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

static struct reach_shot *add_shot(struct plan *plan, const struct reach_shot *shot)
{
	struct reach_shots *shots = plan->shots;
	struct reach_shot *grown;

	if (shots->n == REACH_SHOTS_MAX)
		plan->code = -E2BIG;
	if (plan->code == 0 && shots->n == plan->shots_cap) {
		plan->shots_cap = plan->shots_cap ? 2 * plan->shots_cap : 64;
		grown = reallocarray(shots->shots, plan->shots_cap, sizeof(*grown));
		if (!grown)
			plan->code = -ENOMEM;
		else
			shots->shots = grown;
	}
	if (plan->code < 0)
		return NULL;
	shots->shots[shots->n] = *shot;
	return &shots->shots[shots->n++];
}

/* What the filters of both ends say of the frame, which the caller has put last. */
static void judge_filters(const struct reach_shots *shots, struct reach_shot *shot)
{
	const struct reach_port *ends[LINK_HOOKS] = {
		[LINK_HOOK_FROM_GUEST] = &shots->ports[shot->from],
		[LINK_HOOK_TO_GUEST] = &shots->ports[shot->to],
	};
	uint8_t bytes[REACH_FRAME_LEN];
	const struct bpf_frame frame = { .data = bytes, .len = sizeof(bytes) };

	reach_shots_frame(shots, (size_t)(shot - shots->shots), bytes);
	for (int hook = 0; hook < LINK_HOOKS; hook++) {
		const struct bpf_code *program = &ends[hook]->programs[hook];

		shot->passes[hook] = !program->n ||
				     bpf_run(program->ops, program->n, &frame) != TC_ACT_SHOT;
	}
}

static bool is_as(const struct reach_shot *shot, const bool wanted[LINK_HOOKS])
{
	const bool gets_on = shot->passes[LINK_HOOK_FROM_GUEST];

	return gets_on == wanted[LINK_HOOK_FROM_GUEST] &&
	       (!gets_on || shot->passes[LINK_HOOK_TO_GUEST] == wanted[LINK_HOOK_TO_GUEST]);
}

/* One of which the filters say what is wanted, if it is found. */
static void add_witness(struct plan *plan, struct reach_shot like, const bool wanted[LINK_HOOKS])
{
	struct reach_shots *shots = plan->shots;
	struct reach_shot *shot;
	struct reach_tries tries;

	reach_tries_begin(&tries, &shots->ports[like.from].programs[LINK_HOOK_FROM_GUEST],
			  &shots->ports[like.to].programs[LINK_HOOK_TO_GUEST]);
	like.is_witness = true;
	shot = plan->code < 0 ? NULL : add_shot(plan, &like);
	while (shot && reach_tries_next(&tries, &shot->kind, &shot->number)) {
		judge_filters(shots, shot);
		if (is_as(shot, wanted))
			return;
	}
	shots->n -= shot != NULL;
}

/*
 * Beside a plain frame that is dropped one that passes, beside one that passes those that do not.
 */
static void add_witnesses(struct plan *plan, const struct reach_shot *plain)
{
	static const bool both[LINK_HOOKS] = { true, true };
	static const bool none[LINK_HOOKS] = { false, false };
	static const bool first[LINK_HOOKS] = { [LINK_HOOK_FROM_GUEST] = true };
	const struct reach_shot like = *plain;

	if (!is_as(&like, both)) {
		add_witness(plan, like, both);
		return;
	}
	add_witness(plan, like, none);
	add_witness(plan, like, first);
}

static bool minds_macs(const struct reach_port *port)
{
	return port->spec && (port->spec->anti_spoof == ANTI_SPOOF_MAC ||
			      port->spec->anti_spoof == ANTI_SPOOF_MAC_IP);
}

static struct reach_shot *add_judged(struct plan *plan, const struct reach_shot *shot)
{
	struct reach_shot *added = plan->code < 0 ? NULL : add_shot(plan, shot);

	if (added)
		judge_filters(plan->shots, added);
	return added;
}

static void add_pair(struct plan *plan, size_t cell, size_t from, size_t to)
{
	struct reach_shots *shots = plan->shots;
	const struct reach_port *ends = shots->ports;
	const uint8_t *sender = sender_of(shots, from, ends[to].link);
	const struct reach_shot false_mac = {
		.cell = cell,
		.from = from,
		.to = to,
		.kind = REACH_KIND_FALSE,
		.is_witness = true,
	};

	for (int cast = 0; cast < REACH_CASTS; cast++) {
		struct reach_shot shot = {
			.cell = cell,
			.from = from,
			.to = to,
			.cast = (enum reach_cast)cast,
			.is_listed = lists(ends[to].link, sender),
			.is_taken = is_taken(shots->lower, sender),
		};
		const struct reach_shot *added;

		memcpy(shot.outsider, sender, MAC_LEN);
		added = add_judged(plan, &shot);
		if (added && shots->lower->cells[cell].pass[cast] != REACH_PASS_ALL)
			add_witnesses(plan, added);
	}
	if (to == REACH_PORT_WIRE && minds_macs(&ends[from]))
		add_judged(plan, &false_mac);
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
	const struct reach_class *to = cell->to_class;

	if (!to) {
		add_pair(plan, choice->cell, from, port_of_end(cell->to));
		return;
	}
	for (size_t i = 0; i < to->n && !is_enough(plan, choice->cell, choice->all); i++) {
		const struct link_state *link = to->members[i].link;

		if (can_speak(&to->members[i]) && link != plan->shots->ports[from].link &&
		    (!choice->listed || lists(link, sender_of(plan->shots, from, link))))
			add_pair(plan, choice->cell, from, port_of(plan, &to->members[i]));
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
			add_from(plan, choice, port_of(plan, &from->members[i]));
	}
}

static void add_cell(struct plan *plan, size_t at, bool all)
{
	const struct reach_cell *cell = &plan->shots->lower->cells[at];
	struct choice choice = { .cell = at, .all = all };

	if (cell->from == REACH_OUTSIDE && *plan->shots->no_outside)
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

int reach_shots_plan(const struct reach_lower *lower, const struct reach_wish *wish,
		     struct reach_shots *ret, struct err *err)
{
	struct reach_shots shots = { .lower = lower, .run = { wish->run[0], wish->run[1] } };
	struct plan plan = { .shots = &shots, .ports_cap = 16 };

	shots.nobody[0] = 0x02; /* locally administered */
	memcpy(shots.nobody + 1, wish->run, MAC_LEN - 1);
	memcpy(shots.someone, shots.nobody, MAC_LEN);
	shots.someone[MAC_LEN - 1] ^= 1;
	if (wish->no_outside)
		snprintf(shots.no_outside, sizeof(shots.no_outside), "%s", wish->no_outside);

	shots.proofs = calloc(lower->n_cells + 1, sizeof(*shots.proofs));
	shots.ports = calloc(plan.ports_cap, sizeof(*shots.ports));
	if (!shots.proofs || !shots.ports) {
		plan.code = -ENOMEM;
	} else if (lower->device) {
		shots.ports[REACH_PORT_HOST].link = lower->device;
		shots.ports[REACH_PORT_WIRE].link = lower->device;
		shots.n_ports = REACH_PORT_LINKS;
		for (size_t i = 0; i < lower->n_cells; i++)
			add_cell(&plan, i, wish->all);
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
	for (size_t i = 0; shots->ports && i < shots->n_ports; i++) {
		for (int hook = 0; hook < LINK_HOOKS; hook++)
			bpf_code_done(&shots->ports[i].programs[hook]);
	}
	free(shots->ports);
	free(shots->shots);
	free(shots->proofs);
	*shots = (struct reach_shots){ 0 };
}

/* As it is to be: where it is not, frames tell. */
static const uint8_t *mac_of(const struct reach_port *port)
{
	return port->spec ? port->spec->mac : port->link->mac;
}

static const uint8_t *from_mac(const struct reach_shots *shots, const struct reach_shot *shot)
{
	if (shot->kind == REACH_KIND_FALSE)
		return shots->someone;
	return shot->from == REACH_PORT_WIRE ? shot->outsider : mac_of(&shots->ports[shot->from]);
}

void reach_shots_frame(const struct reach_shots *shots, size_t at, uint8_t ret[REACH_FRAME_LEN])
{
	static const uint8_t everybody[MAC_LEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const struct reach_shot *shot = &shots->shots[at];
	const struct reach_port *from = &shots->ports[shot->from], *to = &shots->ports[shot->to];
	struct reach_frame frame = {
		.from = from_mac(shots, shot),
		.to = mac_of(to),
		.from_addrs = from->spec ? &from->spec->addresses : NULL,
		.to_addrs = to->spec ? &to->spec->addresses : NULL,
		.kind = shot->kind,
		.port = shot->number,
		.mark = { .run = { shots->run[0], shots->run[1] }, .shot = htonl((uint32_t)at) },
	};

	if (shot->cast == REACH_BROADCAST)
		frame.to = everybody;
	else if (shot->to == REACH_PORT_WIRE)
		frame.to = shots->nobody;
	reach_frame_write(&frame, ret);
}
