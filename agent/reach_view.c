#include "agent/reach_view.h"

#include <stdio.h>
#include <string.h>

#include "agent/table.h"

/* Names of a class are listed up to so many. */
#define NAMES_SHOWN 4

#define END_MAX 64

#define CELL_MAX 1024 /* of text in a cell */

static void format_end(char ret[END_MAX], const struct reach_class *class, enum reach_end end)
{
	if (class)
		snprintf(ret, END_MAX, "%s %s", link_kind_names[class->kind], reach_end_names[end]);
	else
		snprintf(ret, END_MAX, "%s", reach_end_names[end]);
}

static const char *answer_of(const struct reach_lower *lower, const struct reach_cell *cell,
			     enum reach_cast cast)
{
	return reach_answer_names[reach_cell_answer(lower, cell, cast)];
}

/* ---- why ---- */

/* What a filter does to unicasts (row) and to broadcasts. */
static const char *const sieve_texts[REACH_PASSES][REACH_PASSES] = {
	[REACH_PASS_ALL] = { NULL, "lets some broadcasts through", "drops broadcasts" },
	[REACH_PASS_SOME] = { "lets some unicasts through", "lets some through",
			      "lets some unicasts through, no broadcasts" },
	[REACH_PASS_NONE] = { "drops unicasts", "lets some broadcasts through, no unicasts",
			      "drops all" },
};

static bool has_filter(const struct reach_sieve *sieve, enum link_hook hook)
{
	return sieve->first->filters[hook].n > 0;
}

/* "filter from guest of web01 lets some through" */
static void add_sieve(struct buf *out, const struct reach_sieve *sieve, enum link_hook hook)
{
	buf_addf(out, "%s %s of %s %s", has_filter(sieve, hook) ? "filter" : "anti-spoof",
		 link_hook_names[hook], sieve->first->name,
		 sieve_texts[sieve->pass[REACH_UNICAST]][sieve->pass[REACH_BROADCAST]]);
}

static bool is_no(const struct reach_lower *lower, const struct reach_cell *cell,
		  enum reach_cast cast)
{
	return reach_answer(reach_path(cell->from, cell->to, cast), lower->reflection) == REACH_NO;
}

/* The reason by mode, then by filters; filters that drop all are reason enough. */
static void add_why(struct buf *out, const struct reach_lower *lower, const struct reach_cell *cell)
{
	const bool no_way = is_no(lower, cell, REACH_UNICAST) &&
			    is_no(lower, cell, REACH_BROADCAST);
	const bool dropped = cell->pass[REACH_UNICAST] == REACH_PASS_NONE &&
			     cell->pass[REACH_BROADCAST] == REACH_PASS_NONE;
	const char *before = "";

	if (!dropped || no_way) {
		buf_adds(out, reach_why(cell->from, cell->to));
		before = "; ";
	}
	for (int hook = 0; hook < LINK_HOOKS && !no_way; hook++) {
		if (!cell->sieves[hook].first)
			continue;
		buf_adds(out, before);
		add_sieve(out, &cell->sieves[hook], (enum link_hook)hook);
		before = "; ";
	}
}

static bool has_mode(const struct reach_lower *lower, enum reach_end end)
{
	for (size_t i = 0; i < lower->n_classes; i++) {
		if (lower->classes[i].end == end)
			return true;
	}
	return false;
}

/* ---- notes ---- */

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
	return has_class(lower, LINK_KIND_MACVTAP, REACH_BRIDGE) &&
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

/* What a reader has to know beside the cells. */
static const struct {
	bool (*holds)(const struct reach_lower *lower, const struct reach_shots *shots);
	const char *text;
} notes[] = {
	{ is_missing, "the device is not there: all of this is planned" },
	{ is_refused, "the kernel refuses passthru beside other links: not all of these can be" },
	{ is_mixed, "links of different modes do not talk directly" },
	{ has_lame_leg,
	  "a host-link talks to links of mode bridge; the others need a reflecting switch" },
	{ is_private, "private does not isolate behind a reflecting switch" },
	{ is_source, "a source link is given what the MACs on its list send, whoever it is for" },
	{ is_nodst, "a source link with nodst takes these frames from everybody else" },
	{ has_leg, "the host and its bridge mode guests talk by the macvlan link" },
	{ has_no_leg, "host and guests talk once a macvlan of mode bridge is beside them" },
	{ came_back, "the probe's frames came back: the switch reflects" },
	{ stayed_away, "the probe's frames did not come back: the switch does not reflect" },
	{ has_nothing_up, "nothing was probed: no link of ours on it is up" },
};

#define NOTES (sizeof(notes) / sizeof(notes[0]))

/* ---- text ---- */

static void add_names(struct table *table, const struct reach_class *class)
{
	char text[NAMES_SHOWN * (IFNAME_SIZE + 1) + 8] = "";
	size_t len = 0;

	for (size_t i = 0; i < class->n && i < NAMES_SHOWN; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
					class->members[i].name);
	if (class->n > NAMES_SHOWN)
		snprintf(text + len, sizeof(text) - len, " ...");
	table_add(table, "%s", text);
}

/* What of a class is not simply there: "2 planned, 1 not ours". */
static void add_state(struct table *table, const struct reach_class *class)
{
	const struct {
		size_t n;
		const char *what;
	} parts[] = {
		{ class->planned, "planned" },
		{ class->foreign, "not ours" },
		{ class->elsewhere, "in other namespaces" },
	};
	char text[96] = "";
	size_t len = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (parts[i].n)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%zu %s",
						len ? ", " : "", parts[i].n, parts[i].what);
	}
	table_add(table, "%s", len ? text : "there");
}

static void add_classes(const struct reach *reach, struct buf *out)
{
	static const char *const headline[] = { "LOWER", "KIND",  "MODE", "LINKS",
						"STATE", "NAMES", NULL };
	struct table table;

	table_init(&table, headline);
	for (size_t i = 0; i < reach->n; i++) {
		const struct reach_lower *lower = &reach->lowers[i];

		for (size_t k = 0; k < lower->n_classes; k++) {
			const struct reach_class *class = &lower->classes[k];

			table_add(&table, "%s", lower->name);
			table_add(&table, "%s", link_kind_names[class->kind]);
			table_add(&table, "%s", reach_end_names[class->end]);
			table_add(&table, "%zu", class->n);
			add_state(&table, class);
			add_names(&table, class);
		}
	}
	table_print(&table, out);
	table_done(&table);
}

static const char *const cast_names[REACH_CASTS] = {
	[REACH_UNICAST] = "unicast",
	[REACH_BROADCAST] = "broadcast",
};

static size_t differ_of(const struct reach_proof *proof)
{
	return proof->differ[REACH_UNICAST] + proof->differ[REACH_BROADCAST] +
	       proof->witnesses_differ;
}

static void add_frame(struct buf *out, const struct reach_shot *shot)
{
	buf_adds(out, reach_kind_names[shot->kind]);
	if (reach_kind_has_port(shot->kind))
		buf_addf(out, " port %u", shot->number);
}

static void add_difference(struct buf *out, const struct reach_proof *proof)
{
	const char *before = ": ";

	buf_addf(out, "! DIFFERS: %s > %s", proof->from, proof->to);
	for (int cast = 0; cast < REACH_CASTS; cast++) {
		if (!proof->differ[cast])
			continue;
		buf_addf(out, "%s%s arrived at %zu of %zu", before, cast_names[cast],
			 proof->arrived[cast], proof->pairs);
		before = ", ";
	}
	if (!proof->witnesses_differ)
		return;
	buf_adds(out, before);
	add_frame(out, proof->witness);
	buf_adds(out, proof->witness->arrived ? " arrived" : " did not arrive");
}

/* "agrees", with what is said to it, or what was seen instead. */
static void add_proof(struct buf *out, const struct reach_proof *proof)
{
	if (!proof->pairs)
		return;
	if (differ_of(proof)) {
		add_difference(out, proof);
	} else {
		buf_adds(out, "agrees");
		if (proof->witness) {
			buf_adds(out, "; ");
			add_frame(out, proof->witness);
			buf_adds(out, proof->witness->arrived ? " passes" : " is dropped");
		}
	}
	if (proof->unproven)
		buf_addf(out, "; not seen: the filter of %s, whose tap is held", proof->held);
}

static void add_cell(struct table *table, struct buf *text)
{
	table_add(table, "%s", text->data ? text->data : "");
	buf_reset(text);
}

static void add_cells(const struct reach_lower *lower, const struct reach_shots *shots,
		      struct buf *out)
{
	static const char *const plain[] = { "FROM", "TO", "UNICAST", "BROADCAST", "WHY", NULL };
	static const char *const probed[] = { "FROM",  "TO",  "UNICAST", "BROADCAST",
					      "PROBE", "WHY", NULL };
	char from[END_MAX], to[END_MAX];
	struct table table;
	struct buf text;

	buf_init(&text, CELL_MAX);
	table_init(&table, shots ? probed : plain);
	for (size_t i = 0; i < lower->n_cells; i++) {
		const struct reach_cell *cell = &lower->cells[i];

		format_end(from, cell->from_class, cell->from);
		format_end(to, cell->to_class, cell->to);
		table_add(&table, "%s", from);
		table_add(&table, "%s", to);
		table_add(&table, "%s", answer_of(lower, cell, REACH_UNICAST));
		table_add(&table, "%s", answer_of(lower, cell, REACH_BROADCAST));
		if (shots) {
			add_proof(&text, &shots->proofs[i]);
			add_cell(&table, &text);
		}
		add_why(&text, lower, cell);
		add_cell(&table, &text);
	}
	table_print(&table, out);
	table_done(&table);
	buf_done(&text);
}

/* "macvtap vepa (set db)": which sets share the device in other modes. */
static void add_sets(const struct reach_lower *lower, struct buf *out)
{
	char end[END_MAX];

	for (size_t i = 0; i < lower->n_classes; i++) {
		const struct reach_class *class = &lower->classes[i];
		const char *last = NULL;

		format_end(end, class, class->end);
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

static void add_note(const struct reach_lower *lower, size_t i, struct buf *out)
{
	buf_adds(out, notes[i].text);
	if (notes[i].holds == is_mixed || notes[i].holds == is_refused)
		add_sets(lower, out);
}

void reach_view_text(const struct reach *reach, const struct reach_shots *shots, struct buf *out)
{
	if (!reach->n) {
		buf_adds(out, "No links are configured.\n");
		return;
	}
	add_classes(reach, out);
	for (size_t i = 0; i < reach->n; i++) {
		const struct reach_lower *lower = &reach->lowers[i];
		const struct reach_shots *mine = shots ? &shots[i] : NULL;

		buf_addf(out, "\n%s: does its switch reflect? %s: %s\n", lower->name,
			 reach_reflection_names[lower->reflection], lower->reflection_why);
		add_cells(lower, mine, out);
		for (size_t k = 0; k < NOTES; k++) {
			if (!notes[k].holds(lower, mine))
				continue;
			buf_addf(out, "! %s: ", lower->name);
			add_note(lower, k, out);
			buf_addc(out, '\n');
		}
	}
}

/* Of the configuration, and not of what happens to be there. */
static bool is_of_config(size_t i)
{
	return notes[i].holds == is_refused || notes[i].holds == is_mixed ||
	       notes[i].holds == has_lame_leg;
}

void reach_view_notes(const struct reach *reach, struct buf *out)
{
	for (size_t i = 0; i < reach->n; i++) {
		for (size_t k = 0; k < NOTES; k++) {
			if (!is_of_config(k) || !notes[k].holds(&reach->lowers[i], NULL))
				continue;
			buf_addf(out, "! %s: ", reach->lowers[i].name);
			add_note(&reach->lowers[i], k, out);
			buf_addc(out, '\n');
		}
	}
}

/* ---- JSON ---- */

static json_t *class_json(const struct reach_class *class)
{
	json_t *names = json_array();

	for (size_t i = 0; i < class->n; i++)
		json_array_append_new(names, json_string(class->members[i].name));
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "kind",
			 link_kind_names[class->kind], "mode", reach_end_names[class->end], "links",
			 (json_int_t) class->n, "planned", (json_int_t) class->planned, "foreign",
			 (json_int_t) class->foreign, "elsewhere", (json_int_t) class->elsewhere,
			 "names", names);
}

static json_t *text_json(struct buf *text)
{
	json_t *json = json_string(text->data ? text->data : "");

	buf_reset(text);
	return json;
}

static json_t *witness_json(const struct reach_shot *shot, struct buf *text)
{
	if (!shot)
		return json_null();
	add_frame(text, shot);
	return json_pack("{s:o, s:s, s:b}", "frame", text_json(text), "cast",
			 cast_names[shot->cast], "arrived", shot->arrived);
}

static json_t *proof_json(const struct reach_proof *proof, struct buf *text)
{
	if (!proof || !proof->pairs)
		return json_null();
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:o, s:I, s:I}", "from", proof->from, "to",
			 proof->to, "pairs", (json_int_t)proof->pairs, "unicast",
			 (json_int_t)proof->arrived[REACH_UNICAST], "broadcast",
			 (json_int_t)proof->arrived[REACH_BROADCAST], "witness",
			 witness_json(proof->witness, text), "unproven",
			 (json_int_t)proof->unproven, "differ", (json_int_t)differ_of(proof));
}

static json_t *cell_json(const struct reach_lower *lower, size_t i, const struct reach_shots *shots)
{
	const struct reach_cell *cell = &lower->cells[i];
	char from[END_MAX], to[END_MAX];
	json_t *json, *why;
	struct buf text;

	buf_init(&text, CELL_MAX);
	format_end(from, cell->from_class, cell->from);
	format_end(to, cell->to_class, cell->to);
	add_why(&text, lower, cell);
	why = text_json(&text);
	json = json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:o, s:o}", "from", from, "to", to,
			 "unicast", answer_of(lower, cell, REACH_UNICAST), "broadcast",
			 answer_of(lower, cell, REACH_BROADCAST), "passes", "unicast",
			 reach_pass_names[cell->pass[REACH_UNICAST]], "broadcast",
			 reach_pass_names[cell->pass[REACH_BROADCAST]], "why", why, "probe",
			 proof_json(shots ? &shots->proofs[i] : NULL, &text));
	buf_done(&text);
	return json;
}

static json_t *notes_json(const struct reach_lower *lower, const struct reach_shots *shots)
{
	json_t *list = json_array();
	struct buf text;

	for (size_t i = 0; i < NOTES; i++) {
		if (!notes[i].holds(lower, shots))
			continue;
		buf_init(&text, 1 << 20);
		add_note(lower, i, &text);
		json_array_append_new(list, json_string(text.data ? text.data : ""));
		buf_done(&text);
	}
	return list;
}

static json_t *probe_json(const struct reach_lower *lower, const struct reach_shots *shots)
{
	json_int_t differ = 0, unproven = 0;

	if (!shots)
		return json_null();
	for (size_t i = 0; i < lower->n_cells; i++) {
		differ += (json_int_t)differ_of(&shots->proofs[i]);
		unproven += (json_int_t)shots->proofs[i].unproven;
	}
	return json_pack("{s:b, s:I, s:I}", "came_back", shots->came_back, "unproven", unproven,
			 "differ", differ);
}

static json_t *lower_json(const struct reach_lower *lower, const struct reach_shots *shots)
{
	json_t *classes = json_array(), *cells = json_array();

	for (size_t i = 0; i < lower->n_classes; i++)
		json_array_append_new(classes, class_json(&lower->classes[i]));
	for (size_t i = 0; i < lower->n_cells; i++)
		json_array_append_new(cells, cell_json(lower, i, shots));
	return json_pack("{s:s, s:b, s:s, s:s, s:o, s:o, s:o, s:o}", "name", lower->name, "present",
			 lower->device != NULL, "reflects",
			 reach_reflection_names[lower->reflection], "reflects_why",
			 lower->reflection_why, "classes", classes, "cells", cells, "notes",
			 notes_json(lower, shots), "probe", probe_json(lower, shots));
}

json_t *reach_view_json(const struct reach *reach, const struct reach_shots *shots)
{
	json_t *lowers = json_array();

	for (size_t i = 0; i < reach->n; i++)
		json_array_append_new(lowers,
				      lower_json(&reach->lowers[i], shots ? &shots[i] : NULL));
	return json_pack("{s:o}", "lowers", lowers);
}
