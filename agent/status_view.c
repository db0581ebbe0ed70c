#include "agent/status_view.h"

#include <stdio.h>
#include <string.h>

#include "agent/status_losses.h"
#include "agent/status_view_parts.h"

#define STEPS_TEXT_MAX	 256u
#define SANDBOX_TEXT_MAX 64u

void view_end_table(struct view *view, struct table *table, const char *const spare[])
{
	if (view->columns && table_fit(table, view->columns, spare))
		view->left_out = true;
	table_print(table, view->out);
	table_done(table);
}

const char *view_text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

json_int_t view_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

void view_rate(char *out, size_t size, const json_t *of, const char *direction)
{
	static const char *const units[] = { "bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s" };
	const json_t *rates = json_object_get(json_object_get(of, "rates"), direction);
	double value = 8 * json_number_value(json_array_get(json_object_get(rates, "bytes"), 1));
	size_t unit = 0;

	for (; value >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1000;
	snprintf(out, size, value >= 10 || !unit ? "%.0f %s" : "%.1f %s", value, units[unit]);
}

static void add_rate(struct table *table, const json_t *of, const char *direction)
{
	char rate[32];

	view_rate(rate, sizeof(rate), of, direction);
	table_add(table, "%s", rate);
}

static void add_sets(const json_t *sets, struct view *view)
{
	static const char *const headline[] = { "SET",	 "LOWER", "KIND",	 "MODE",
						"LINKS", "HELD",  "FROM GUESTS", "TO GUESTS",
						"STATE", NULL };
	static const char *const spare[] = { "KIND", "MODE", "HELD", "LINKS", NULL };
	struct table table;
	const json_t *set;
	size_t i;

	if (!json_array_size(sets))
		return;
	table_init(&table, headline);
	json_array_foreach(sets, i, set) {
		table_add(&table, "%s", view_text(set, "name"));
		table_add(&table, "%s", view_text(set, "lower"));
		table_add(&table, "%s", view_text(set, "kind"));
		table_add(&table, "%s", view_text(set, "mode"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, view_number(set, "links"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, view_number(set, "held"));
		add_rate(&table, set, "from_guest");
		add_rate(&table, set, "to_guest");
		table_add(&table, "%s", view_text(set, "state"));
	}
	view_end_table(view, &table, spare);
	buf_addc(view->out, '\n');
}

static void add_logs(const json_t *logs, struct view *view)
{
	static const char *const headline[] = { "LOG",	  "FILE",  "LINES", "MATCHES",
						"BEHIND", "STATE", NULL };
	static const char *const spare[] = { "FILE", "LINES", NULL };
	struct table table;
	const json_t *log;
	size_t i;

	if (!json_array_size(logs))
		return;
	table_init(&table, headline);
	json_array_foreach(logs, i, log) {
		const char *error = view_text(log, "error");

		table_add(&table, "%s", view_text(log, "name"));
		table_add(&table, "%s", view_text(log, "file"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, view_number(log, "lines"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, view_number(log, "matches"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, view_number(log, "behind"));
		table_add(&table, "%s%s%s", view_text(log, "state"), *error ? ": " : "", error);
	}
	view_end_table(view, &table, spare);
	buf_addc(view->out, '\n');
}

/* "seccomp, landlock 7, mseal, mdwe": by which means the kernel holds it. */
static void add_sandbox(struct table *table, const json_t *sandbox)
{
	struct buf shown;

	buf_init(&shown, SANDBOX_TEXT_MAX);
	buf_adds(&shown, json_is_object(sandbox) ? "seccomp" : "-");
	if (view_number(sandbox, "landlock"))
		buf_addf(&shown, ", landlock %" JSON_INTEGER_FORMAT,
			 view_number(sandbox, "landlock"));
	for (const char *const *key = (const char *const[]){ "mseal", "mdwe", NULL }; *key; key++) {
		if (json_is_true(json_object_get(sandbox, *key)))
			buf_addf(&shown, ", %s", *key);
	}
	table_add(table, "%s", shown.data ? shown.data : "");
	buf_done(&shown);
}

static void add_workers(const json_t *workers, struct view *view)
{
	static const char *const headline[] = { "WORKER",  "PID",	 "STATE", "RESTARTS",
						"SANDBOX", "LAST DEATH", NULL };
	static const char *const spare[] = { "SANDBOX", "RESTARTS", NULL };
	struct table table;
	const json_t *worker;
	size_t i;

	table_init(&table, headline);
	json_array_foreach(workers, i, worker) {
		table_add(&table, "%s", view_text(worker, "name"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, view_number(worker, "pid"));
		table_add(&table, "%s", view_text(worker, "state"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, view_number(worker, "restarts"));
		add_sandbox(&table, json_object_get(worker, "sandbox"));
		table_add(&table, "%s", view_text(worker, "last_death"));
	}
	view_end_table(view, &table, spare);
}

/* "script 12:00:03, kernel 12:00:04": when the steps of the last boot were, of today or not. */
static void add_steps(struct table *table, const json_t *steps)
{
	struct buf shown;
	const char *step;
	json_t *seen;

	buf_init(&shown, STEPS_TEXT_MAX);
	json_object_foreach((json_t *)steps, step, seen) {
		const char *time = view_text(seen, "time"), *clock = strchr(time, 'T');

		buf_addf(&shown, "%s%s %.8s", shown.len ? ", " : "", step,
			 clock ? clock + 1 : time);
	}
	table_add(table, "%s", shown.len ? shown.data : "");
	buf_done(&shown);
}

static void add_guests(const json_t *guests, struct view *view)
{
	static const char *const headline[] = { "GUEST",       "LINK",	    "BOOT", "STATE",
						"STEPS (UTC)", "WAITS FOR", NULL };
	static const char *const spare[] = { "BOOT", "LINK", "STEPS (UTC)", NULL };
	struct table table;
	const json_t *guest;
	size_t i;

	if (!json_array_size(guests))
		return;
	table_init(&table, headline);
	json_array_foreach(guests, i, guest) {
		table_add(&table, "%s", view_text(guest, "name"));
		table_add(&table, "%s", view_text(guest, "link"));
		table_add(&table, "%s", view_text(guest, "boot"));
		table_add(&table, "%s", view_text(guest, "state"));
		add_steps(&table, json_object_get(guest, "steps"));
		table_add(&table, "%s", view_text(guest, "waits_for"));
	}
	buf_addc(view->out, '\n');
	view_end_table(view, &table, spare);
}

void status_view(const json_t *status, size_t columns, struct buf *out)
{
	struct view view = { .out = out, .columns = columns };

	add_sets(json_object_get(status, "sets"), &view);
	view_links(json_object_get(status, "links"), &view);
	view_relays(json_object_get(status, "links"), &view);
	buf_addc(out, '\n');
	add_logs(json_object_get(status, "logs"), &view);
	add_workers(json_object_get(status, "workers"), &view);
	add_guests(json_object_get(status, "guests"), &view);
	if (view.left_out)
		buf_adds(out, "\nColumns without room are left out: --wide has all.\n");
	status_losses(status, out);
}
