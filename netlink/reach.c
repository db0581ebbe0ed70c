#include "netlink/reach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/bridge_port.h"
#include "netlink/link_kind.h"
#include "netlink/link_marks.h"

/* A member on its way to its class. */
struct seat {
	struct reach_member member;
	const char *lower;
	const struct link_state *device;
	enum link_kind kind;
	enum reach_end end;
	size_t order;
};

/* The device that links asked for on `name` are really on. */
static const struct link_state *find_device(const struct link_table *table, const char *name)
{
	return link_table_real_lower(table, link_table_find_lower(table, name));
}

static void seat_spec(struct seat *seat, const struct link_spec *spec,
		      const struct link_table *table)
{
	const uint32_t mode = link_mode_to_kernel(spec->mode);
	const struct link_state *link = link_table_find_name(table, spec->name);
	const struct link_state *device = find_device(table, spec->lower);
	bool as_wanted = link && device && link_is_ours(link, spec->group) &&
			 link->kind == spec->kind && link->macvlan_mode == mode &&
			 !link->lower_elsewhere && link->lower == device->ifindex;

	*seat = (struct seat){
		.member = { .name = spec->name, .spec = spec, .link = as_wanted ? link : NULL },
		.lower = device ? device->name : spec->lower,
		.device = device,
		.kind = spec->kind,
	};
	reach_end_of_mode(mode, &seat->end);
}

/* A macvlan or macvtap of others, on a device that a spec has too. */
static bool seat_other(struct seat *seat, const struct link_state *link, uint32_t group,
		       const struct seat *seats, size_t n_specs)
{
	enum reach_end end;

	if (!link->is_macvlan || link->lower_elsewhere || link_is_ours(link, group) ||
	    !reach_end_of_mode(link->macvlan_mode, &end))
		return false;
	for (size_t i = 0; i < n_specs; i++) {
		if (!seats[i].device || seats[i].device->ifindex != link->lower)
			continue;
		*seat = (struct seat){
			.member = { .name = link->name, .link = link },
			.lower = seats[i].lower,
			.device = seats[i].device,
			.kind = link->kind,
			.end = end,
		};
		return true;
	}
	return false;
}

static int by_class(const void *a, const void *b)
{
	const struct seat *x = a, *y = b;
	int order = strcmp(x->lower, y->lower);

	if (order)
		return order;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* The name of a port that the configuration gives for this device; "" for none. */
static const char *port_named(const struct reach_lower *lower)
{
	for (size_t i = 0; i < lower->n_classes; i++) {
		const struct reach_class *class = &lower->classes[i];

		for (size_t k = 0; k < class->n; k++) {
			const struct link_spec *spec = class->members[k].spec;

			if (spec && *spec->hairpin_port)
				return spec->hairpin_port;
		}
	}
	return "";
}

/* What the other end of the cable is, as far as this namespace shows it. */
static void judge_reflection(struct reach_lower *lower, const struct link_table *table)
{
	const struct link_state *device = lower->device, *peer = NULL;
	const char *named = port_named(lower);
	const char *why = "what it is plugged into is not to be seen from here";

	if (device && strcmp(device->kind_text, "dummy") == 0) {
		lower->reflection = REACH_REFLECTS_NO;
		why = "a dummy device has no wire";
	} else if (device && (*named || !device->lower_elsewhere)) {
		peer = bridge_port_of(table, device, named);
	}
	if (peer) {
		lower->reflection = peer->hairpin ? REACH_REFLECTS_YES : REACH_REFLECTS_NO;
		snprintf(lower->reflection_why, sizeof(lower->reflection_why),
			 "its other end %s is a bridge port with hairpin %s", peer->name,
			 peer->hairpin ? "on" : "off");
		return;
	}
	if (device && strcmp(device->kind_text, "veth") == 0 && !device->lower_elsewhere)
		peer = link_table_find(table, device->lower);
	if (peer && !peer->master) {
		lower->reflection = REACH_REFLECTS_NO;
		snprintf(lower->reflection_why, sizeof(lower->reflection_why),
			 "its other end %s is a port of nothing", peer->name);
		return;
	}
	snprintf(lower->reflection_why, sizeof(lower->reflection_why), "%s", why);
}

/* The MAC that a class has when it is one link. */
static const uint8_t *mac_of(const struct reach_class *class)
{
	if (class->n != 1)
		return NULL;
	return class->members[0].spec ? class->members[0].spec->mac : class->members[0].link->mac;
}

/* What the links of `class` are told of those at the other end. */
static struct reach_peer peer_of(const struct reach_lower *lower, const struct reach_class *class,
				 enum reach_end end, enum reach_end receiver)
{
	struct reach_peer peer = {
		.takes_all = receiver == REACH_PASSTHRU || receiver == REACH_SOURCE,
	};

	if (class)
		peer.mac = mac_of(class);
	else if (end == REACH_HOST && lower->device)
		peer.mac = lower->device->mac;
	return peer;
}

static void sift(struct reach_sieve *sieve, const struct reach_class *class, enum link_hook hook,
		 const struct reach_peer *peer)
{
	for (size_t i = 0; class && i < class->n; i++)
		reach_sieve_add(sieve, i, class->members[i].spec, hook, peer);
}

static void judge_filters(const struct reach_lower *lower, struct reach_cell *cell)
{
	const struct reach_peer receiver = peer_of(lower, cell->to_class, cell->to, cell->to);
	const struct reach_peer sender = peer_of(lower, cell->from_class, cell->from, cell->to);
	const struct reach_sieve *sieves = cell->sieves;

	sift(&cell->sieves[LINK_HOOK_FROM_GUEST], cell->from_class, LINK_HOOK_FROM_GUEST,
	     &receiver);
	sift(&cell->sieves[LINK_HOOK_TO_GUEST], cell->to_class, LINK_HOOK_TO_GUEST, &sender);
	for (int cast = 0; cast < REACH_CASTS; cast++)
		cell->pass[cast] = reach_pass_both(sieves[LINK_HOOK_FROM_GUEST].pass[cast],
						   sieves[LINK_HOOK_TO_GUEST].pass[cast]);
}

static void add_cell(struct reach_lower *lower, const struct reach_class *from,
		     enum reach_end from_end, const struct reach_class *to, enum reach_end to_end)
{
	struct reach_cell *cell = &lower->cells[lower->n_cells++];

	*cell = (struct reach_cell){
		.from_class = from,
		.to_class = to,
		.from = from_end,
		.to = to_end,
	};
	judge_filters(lower, cell);
}

static int add_cells(struct reach_lower *lower)
{
	const size_t n = lower->n_classes;

	lower->cells = calloc(n * n + 4 * n + 1, sizeof(*lower->cells));
	if (!lower->cells)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct reach_class *from = &lower->classes[i];

		for (size_t k = 0; k < n; k++) {
			if (i != k || from->n > 1)
				add_cell(lower, from, from->end, &lower->classes[k],
					 lower->classes[k].end);
		}
		add_cell(lower, from, from->end, NULL, REACH_HOST);
		add_cell(lower, NULL, REACH_HOST, from, from->end);
		add_cell(lower, from, from->end, NULL, REACH_OUTSIDE);
		add_cell(lower, NULL, REACH_OUTSIDE, from, from->end);
	}
	return 0;
}

static void judge_modes(struct reach_lower *lower)
{
	size_t links = 0;
	bool passthru = false;

	for (size_t i = 0; i < lower->n_classes; i++) {
		links += lower->classes[i].n;
		passthru = passthru || lower->classes[i].end == REACH_PASSTHRU;
		lower->is_mixed = lower->is_mixed || lower->classes[i].end != lower->classes[0].end;
	}
	lower->is_refused = passthru && links > 1;
}

/* Takes the next seat's member into the class that it belongs to, beginning one where it must. */
static void place(struct reach *reach, const struct seat *seat, const struct reach_member *member)
{
	struct reach_lower *lower = reach->n ? &reach->lowers[reach->n - 1] : NULL;
	struct reach_class *class;

	if (!lower || strcmp(lower->name, seat->lower) != 0) {
		lower = &reach->lowers[reach->n++];
		lower->name = seat->lower;
		lower->device = seat->device;
	}
	class = lower->n_classes ? &lower->classes[lower->n_classes - 1] : NULL;
	if (!class || class->kind != seat->kind || class->end != seat->end) {
		class = &lower->classes[lower->n_classes++];
		class->kind = seat->kind;
		class->end = seat->end;
		class->members = member;
	}
	class->n++;
	if (member->spec && *member->spec->netns)
		class->elsewhere++;
	else
		class->planned += !member->link;
	class->foreign += !member->spec;
}

/* Every wanted link, and what others have beside them; returns how many there are. */
static size_t seat_all(struct seat *seats, const struct link_spec *specs, size_t n_specs,
		       const struct link_table *table, uint32_t group)
{
	size_t n = n_specs;

	for (size_t i = 0; i < n_specs; i++)
		seat_spec(&seats[i], &specs[i], table);
	for (size_t i = 0; i < table->n; i++)
		n += seat_other(&seats[n], &table->links[i], group, seats, n_specs);
	for (size_t i = 0; i < n; i++)
		seats[i].order = i;
	qsort(seats, n, sizeof(*seats), by_class);
	return n;
}

/* `members` and `lowers` of `reach` have the room. */
static int fill(struct reach *reach, const struct seat *seats, size_t n,
		const struct link_table *table)
{
	int code = 0;

	for (size_t i = 0; i < n; i++)
		reach->members[i] = seats[i].member;
	for (size_t i = 0; i < n; i++)
		place(reach, &seats[i], &reach->members[i]);
	for (size_t i = 0; code == 0 && i < reach->n; i++) {
		judge_reflection(&reach->lowers[i], table);
		judge_modes(&reach->lowers[i]);
		code = add_cells(&reach->lowers[i]);
	}
	return code;
}

void reach_format_end(char ret[REACH_END_MAX], const struct reach_class *class, enum reach_end end)
{
	if (class)
		snprintf(ret, REACH_END_MAX, "%s %s", link_kind_names[class->kind],
			 reach_end_names[end]);
	else
		snprintf(ret, REACH_END_MAX, "%s", reach_end_names[end]);
}

enum reach_answer reach_cell_answer(const struct reach_lower *lower, const struct reach_cell *cell,
				    enum reach_cast cast)
{
	const enum reach_path path = reach_path(cell->from, cell->to, cast);

	return reach_filtered(reach_answer(path, lower->reflection), cell->pass[cast]);
}

int reach_make(const struct link_spec *specs, size_t n_specs, const struct link_table *table,
	       uint32_t group, struct reach *ret)
{
	const size_t most = n_specs + table->n + 1;
	struct seat *seats = calloc(most, sizeof(*seats));
	struct reach reach = {
		.members = calloc(most, sizeof(*reach.members)),
		.lowers = calloc(n_specs + 1, sizeof(*reach.lowers)),
	};
	int code = -ENOMEM;

	if (seats && reach.members && reach.lowers)
		code = fill(&reach, seats, seat_all(seats, specs, n_specs, table, group), table);
	free(seats);
	if (code < 0)
		reach_done(&reach);
	else
		*ret = reach;
	return code;
}

void reach_done(struct reach *reach)
{
	for (size_t i = 0; i < reach->n; i++)
		free(reach->lowers[i].cells);
	free(reach->lowers);
	free(reach->members);
	*reach = (struct reach){ 0 };
}
