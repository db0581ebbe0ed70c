#include "agent/reach_view.h"

#include <stdio.h>
#include <string.h>

#include "agent/reach_notes.h"
#include "agent/table.h"

/* Names of a class are listed up to so many. */
#define NAMES_SHOWN 4

#define CELL_MAX 1024 /* of text in a cell */

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
	char from[REACH_END_MAX], to[REACH_END_MAX];
	struct table table;
	struct buf text;

	buf_init(&text, CELL_MAX);
	table_init(&table, shots ? probed : plain);
	for (size_t i = 0; i < lower->n_cells; i++) {
		const struct reach_cell *cell = &lower->cells[i];

		reach_format_end(from, cell->from_class, cell->from);
		reach_format_end(to, cell->to_class, cell->to);
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
		reach_notes_text(lower, mine, out);
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
	char from[REACH_END_MAX], to[REACH_END_MAX];
	json_t *json, *why;
	struct buf text;

	buf_init(&text, CELL_MAX);
	reach_format_end(from, cell->from_class, cell->from);
	reach_format_end(to, cell->to_class, cell->to);
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
			 reach_notes_json(lower, shots), "probe", probe_json(lower, shots));
}

json_t *reach_view_json(const struct reach *reach, const struct reach_shots *shots)
{
	json_t *lowers = json_array();

	for (size_t i = 0; i < reach->n; i++)
		json_array_append_new(lowers,
				      lower_json(&reach->lowers[i], shots ? &shots[i] : NULL));
	return json_pack("{s:o}", "lowers", lowers);
}
