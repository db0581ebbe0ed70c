#include "agent/reach_notes.h"

#include <string.h>

/* Names are listed up to so many. */
#define NAMES_SHOWN 4

static bool has_mode(const struct reach_lower *lower, enum reach_end end)
{
	for (size_t i = 0; i < lower->n_classes; i++) {
		if (lower->classes[i].end == end)
			return true;
	}
	return false;
}

static bool is_missing(const struct reach_lower *lower, const struct reach_shots *shots)
{
	(void)shots;
	return !lower->device;
}

static bool is_refused(const struct reach_lower *lower, const struct reach_shots *shots)
{
	(void)shots;
	return lower->is_refused;
}

static bool is_mixed(const struct reach_lower *lower, const struct reach_shots *shots)
{
	(void)shots;
	return lower->is_mixed && !lower->is_refused;
}

static bool is_private(const struct reach_lower *lower, const struct reach_shots *shots)
{
	(void)shots;
	return has_mode(lower, REACH_PRIVATE) && lower->reflection != REACH_REFLECTS_NO;
}

static bool is_source(const struct reach_lower *lower, const struct reach_shots *shots)
{
	(void)shots;
	return has_mode(lower, REACH_SOURCE);
}

/* As configured, for a link that is; as they are, for one of others. */
static uint32_t flags_of(const struct reach_member *member)
{
	return member->spec ? member->spec->flags : member->link->macvlan_flags;
}

static bool is_nodst(const struct reach_lower *lower, const struct reach_shots *shots)
{
	(void)shots;
	for (size_t i = 0; i < lower->n_classes; i++) {
		const struct reach_class *class = &lower->classes[i];

		for (size_t k = 0; class->end == REACH_SOURCE && k < class->n; k++) {
			if (flags_of(&class->members[k]) & 1u << LINK_FLAG_NODST)
				return true;
		}
	}
	return false;
}

static bool has_class(const struct reach_lower *lower, enum link_kind kind, enum reach_end end)
{
	for (size_t i = 0; i < lower->n_classes; i++) {
		if (lower->classes[i].kind == kind && lower->classes[i].end == end)
			return true;
	}
	return false;
}

static bool has_leg(const struct reach_lower *lower, const struct reach_shots *shots)
{
	(void)shots;
	return has_class(lower, LINK_KIND_MACVTAP, REACH_BRIDGE) &&
	       has_class(lower, LINK_KIND_MACVLAN, REACH_BRIDGE);
}

static bool has_no_leg(const struct reach_lower *lower, const struct reach_shots *shots)
{
	(void)shots;
	return lower->reflection != REACH_REFLECTS_YES &&
	       has_class(lower, LINK_KIND_MACVTAP, REACH_BRIDGE) &&
	       !has_class(lower, LINK_KIND_MACVLAN, REACH_BRIDGE);
}

static bool is_host_link(const struct reach_class *class)
{
	for (size_t i = 0; i < class->n; i++) {
		if (class->members[i].spec && class->members[i].spec->is_host_link)
			return true;
	}
	return false;
}

/* Beside links that are of no use to it. */
static bool has_lame_leg(const struct reach_lower *lower, const struct reach_shots *shots)
{
	bool leg = false, others = false;

	(void)shots;
	for (size_t i = 0; i < lower->n_classes; i++) {
		leg = leg || is_host_link(&lower->classes[i]);
		others = others || lower->classes[i].end != REACH_BRIDGE;
	}
	return leg && others && lower->reflection != REACH_REFLECTS_YES;
}

static bool came_back(const struct reach_lower *lower, const struct reach_shots *shots)
{
	return shots && shots->n && lower->reflection == REACH_REFLECTS_UNKNOWN && shots->came_back;
}

static bool stayed_away(const struct reach_lower *lower, const struct reach_shots *shots)
{
	return shots && shots->n && lower->reflection == REACH_REFLECTS_UNKNOWN &&
	       !shots->came_back;
}

static bool has_nothing_up(const struct reach_lower *lower, const struct reach_shots *shots)
{
	(void)lower;
	return shots && !shots->n;
}

static bool has_no_outside(const struct reach_lower *lower, const struct reach_shots *shots)
{
	(void)lower;
	return shots && shots->n && *shots->no_outside;
}

static bool was_not_seen(const struct reach_lower *lower, const struct reach_shots *shots)
{
	for (size_t i = 0; shots && i < lower->n_cells; i++) {
		if (shots->proofs[i].unproven)
			return true;
	}
	return false;
}

static bool hides(const struct reach_member *member)
{
	return member->spec && reach_hides_from_arp(member->spec);
}

static bool has_hidden(const struct reach_lower *lower, const struct reach_shots *shots)
{
	(void)shots;
	for (size_t i = 0; i < lower->n_classes; i++) {
		for (size_t k = 0; k < lower->classes[i].n; k++) {
			if (hides(&lower->classes[i].members[k]))
				return true;
		}
	}
	return false;
}

/* "macvtap vepa (set db)": which sets share the device in other modes. */
static void add_sets(const struct reach_lower *lower, const struct reach_shots *shots,
		     struct buf *out)
{
	char end[REACH_END_MAX];

	(void)shots;
	for (size_t i = 0; i < lower->n_classes; i++) {
		const struct reach_class *class = &lower->classes[i];
		const char *last = NULL;

		reach_format_end(end, class, class->end);
		buf_addf(out, "%s%s", i ? "; " : ": ", end);
		for (size_t k = 0; k < class->n; k++) {
			const struct link_spec *spec = class->members[k].spec;

			if (!spec || (last && strcmp(spec->set, last) == 0))
				continue;
			buf_addf(out, "%s%s", last ? ", " : " of set ", spec->set);
			last = spec->set;
		}
		if (!last)
			buf_adds(out, " of others");
	}
}

/* The first of them, and how many more there are. */
static void add_hidden(const struct reach_lower *lower, const struct reach_shots *shots,
		       struct buf *out)
{
	size_t n = 0;

	(void)shots;
	for (size_t i = 0; i < lower->n_classes; i++) {
		for (size_t k = 0; k < lower->classes[i].n; k++) {
			if (hides(&lower->classes[i].members[k]) && n++ < NAMES_SHOWN)
				buf_addf(out, "%s%s", n == 1 ? ": " : " ",
					 lower->classes[i].members[k].name);
		}
	}
	if (n > NAMES_SHOWN)
		buf_addf(out, " and %zu more", n - NAMES_SHOWN);
}

static void add_no_outside(const struct reach_lower *lower, const struct reach_shots *shots,
			   struct buf *out)
{
	(void)lower;
	buf_addf(out, ": %s", shots->no_outside);
}

/* Where a note is given beside the report of `reach`. */
enum note_place {
	NOWHERE, /* it is of what happens to be there */
	WHERE_LINKS_ARE_CHOSEN, /* as long as they are still to be made */
	WITH_THE_CONFIG,
};

static const struct note {
	bool (*holds)(const struct reach_lower *lower, const struct reach_shots *shots);
	const char *text;
	enum note_place place;
	/* Puts more behind it; NULL: none. */
	void (*add)(const struct reach_lower *lower, const struct reach_shots *shots,
		    struct buf *out);
} notes[] = {
	{ is_missing, "the device is not there: all of this is planned", NOWHERE, NULL },
	{ is_refused, "the kernel refuses passthru beside other links: not all of these can be",
	  WITH_THE_CONFIG, add_sets },
	{ is_mixed, "links of different modes do not talk directly", WITH_THE_CONFIG, add_sets },
	{ has_lame_leg,
	  "a host-link talks to links of mode bridge; the others need a reflecting switch",
	  WITH_THE_CONFIG, NULL },
	{ has_hidden, "IPv4 passes these filters, and ARP, by which it finds its way, does not",
	  WITH_THE_CONFIG, add_hidden },
	{ is_private, "private does not isolate behind a reflecting switch", NOWHERE, NULL },
	{ is_source, "a source link is given what the MACs on its list send, whoever it is for",
	  NOWHERE, NULL },
	{ is_nodst, "a source link with nodst takes these frames from everybody else", NOWHERE,
	  NULL },
	{ has_leg, "the host and its bridge mode guests talk by the macvlan link", NOWHERE, NULL },
	{ has_no_leg,
	  "the host cannot talk to these guests, but by a reflecting switch: a host-link can",
	  WHERE_LINKS_ARE_CHOSEN, NULL },
	{ came_back, "the probe's frames came back: the switch reflects", NOWHERE, NULL },
	{ stayed_away, "the probe's frames did not come back: the switch does not reflect", NOWHERE,
	  NULL },
	{ was_not_seen,
	  "what the filter of a tap drops that a program reads was not seen: the cells say which",
	  NOWHERE, NULL },
	{ has_no_outside, "what comes from outside was not tried", NOWHERE, add_no_outside },
	{ has_nothing_up, "nothing was probed: no link of ours on it is up and has a carrier",
	  NOWHERE, NULL },
};

#define NOTES (sizeof(notes) / sizeof(notes[0]))

static void add_note(const struct reach_lower *lower, const struct reach_shots *shots,
		     const struct note *note, struct buf *out)
{
	buf_adds(out, note->text);
	if (note->add)
		note->add(lower, shots, out);
}

static void add_line(const struct reach_lower *lower, const struct reach_shots *shots,
		     const struct note *note, struct buf *out)
{
	buf_addf(out, "! %s: ", lower->name);
	add_note(lower, shots, note, out);
	buf_addc(out, '\n');
}

void reach_notes_text(const struct reach_lower *lower, const struct reach_shots *shots,
		      struct buf *out)
{
	for (size_t i = 0; i < NOTES; i++) {
		if (notes[i].holds(lower, shots))
			add_line(lower, shots, &notes[i], out);
	}
}

void reach_notes_config(const struct reach *reach, bool new_links, struct buf *out)
{
	const enum note_place least = new_links ? WHERE_LINKS_ARE_CHOSEN : WITH_THE_CONFIG;

	for (size_t i = 0; i < reach->n; i++) {
		for (size_t k = 0; k < NOTES; k++) {
			if (notes[k].place >= least && notes[k].holds(&reach->lowers[i], NULL))
				add_line(&reach->lowers[i], NULL, &notes[k], out);
		}
	}
}

json_t *reach_notes_json(const struct reach_lower *lower, const struct reach_shots *shots)
{
	json_t *list = json_array();
	struct buf text;

	for (size_t i = 0; i < NOTES; i++) {
		if (!notes[i].holds(lower, shots))
			continue;
		buf_init(&text, 1 << 20);
		add_note(lower, shots, &notes[i], &text);
		json_array_append_new(list, json_string(text.data ? text.data : ""));
		buf_done(&text);
	}
	return list;
}
