#include "agent/status_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/status_losses.h"
#include "agent/table.h"

#define ADDRESSES_SHOWN	   2u
#define ADDRESSES_TEXT_MAX 256u
#define STEPS_TEXT_MAX	   256u
#define SANDBOX_TEXT_MAX   64u

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void format_bytes(char *out, size_t size, json_int_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double value = (double)bytes;
	size_t unit = 0;

	for (; value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
		value /= 1024;
	snprintf(out, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* "1.2 Mbit/s" over the last ten seconds or so. */
static void format_rate(char *out, size_t size, const json_t *of, const char *direction)
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

	format_rate(rate, sizeof(rate), of, direction);
	table_add(table, "%s", rate);
}

/*
 * "12 / 1.4 KiB, 1.2 kbit/s": frames and bytes of one direction, and what comes now, if anything.
 */
static void add_traffic(struct table *table, const json_t *link, const char *direction)
{
	const json_t *traffic = json_object_get(link, direction);
	char bytes[32], rate[32];
	bool any;

	format_bytes(bytes, sizeof(bytes), number(traffic, "bytes"));
	format_rate(rate, sizeof(rate), link, direction);
	any = strcmp(rate, "0 bit/s") != 0;
	table_add(table, "%" JSON_INTEGER_FORMAT " / %s%s%s", number(traffic, "frames"), bytes,
		  any ? ", " : "", any ? rate : "");
}

/* "8 from guest": what filters dropped of one direction, or of both. */
static void add_filtered(struct table *table, const json_t *filtered)
{
	static const char *const directions[][2] = {
		{ "from_guest", "from guest" },
		{ "to_guest", "to guest" },
		{ "both", "both ways" },
	};

	if (!json_is_object(filtered)) {
		table_add(table, "%s", "");
		return;
	}
	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		if (strcmp(text(filtered, "direction"), directions[i][0]) == 0)
			table_add(table, "%" JSON_INTEGER_FORMAT " %s", number(filtered, "frames"),
				  directions[i][1]);
	}
}

static void add_sets(const json_t *sets, struct buf *out)
{
	static const char *const headline[] = { "SET",	 "LOWER", "KIND",	 "MODE",
						"LINKS", "HELD",  "FROM GUESTS", "TO GUESTS",
						"STATE", NULL };
	struct table table;
	const json_t *set;
	size_t i;

	if (!json_array_size(sets))
		return;
	table_init(&table, headline);
	json_array_foreach(sets, i, set) {
		table_add(&table, "%s", text(set, "name"));
		table_add(&table, "%s", text(set, "lower"));
		table_add(&table, "%s", text(set, "kind"));
		table_add(&table, "%s", text(set, "mode"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, number(set, "links"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, number(set, "held"));
		add_rate(&table, set, "from_guest");
		add_rate(&table, set, "to_guest");
		table_add(&table, "%s", text(set, "state"));
	}
	table_print(&table, out);
	table_done(&table);
	buf_addc(out, '\n');
}

/* The node by its usual path, or the device's number where that path is another link's. */
static void add_tap(struct table *table, const json_t *tap)
{
	if (json_is_object(tap) && !text(tap, "node")[0])
		table_add(table, "%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT,
			  number(tap, "major"), number(tap, "minor"));
	else
		table_add(table, "%s", text(tap, "node"));
}

/* What the guest of a link has, or the host by its own link: the first two, and how many more. */
static void add_addresses(struct table *table, const json_t *link)
{
	const json_t *own = json_object_get(link, "addresses");
	const json_t *seen = json_object_get(json_object_get(link, "seen"), "addresses");
	const json_t *list = json_is_array(own) ? own : seen, *one;
	struct buf shown;
	size_t i;

	buf_init(&shown, ADDRESSES_TEXT_MAX);
	json_array_foreach(list, i, one) {
		if (i == ADDRESSES_SHOWN)
			break;
		buf_addf(&shown, "%s%s%s", i ? " " : "",
			 json_is_string(one) ? json_string_value(one) : text(one, "address"),
			 json_is_string(json_object_get(one, "conflict")) ? "!" : "");
	}
	if (json_array_size(list) > ADDRESSES_SHOWN)
		buf_addf(&shown, " +%zu", json_array_size(list) - ADDRESSES_SHOWN);
	table_add(table, "%s", shown.len ? shown.data : "");
	buf_done(&shown);
}

/* Whether the agent itself has the tap. */
static bool is_ours(const json_t *link)
{
	const char *monitor = text(link, "monitor");

	return strcmp(monitor, "tap") == 0 || strcmp(monitor, "inline") == 0;
}

static void add_link(struct table *table, const json_t *link)
{
	const json_t *tap = json_object_get(link, "tap");
	const json_t *holder = json_object_get(tap, "holder");
	const char *detail = text(link, "detail");

	table_add(table, "%s", text(link, "name"));
	table_add(table, "%s", text(link, "set"));
	table_add(table, "%s", text(link, "mode"));
	table_add(table, "%s", text(link, "mac"));
	add_addresses(table, link);
	add_tap(table, tap);
	if (json_is_object(holder))
		table_add(table, "%s%s%s (%" JSON_INTEGER_FORMAT ")", text(holder, "vm"),
			  text(holder, "vm")[0] ? ": " : "", text(holder, "comm"),
			  number(holder, "pid"));
	else
		table_add(table, "%s", is_ours(link) ? "tapwarden" : "");
	add_traffic(table, link, "from_guest");
	add_traffic(table, link, "to_guest");
	add_filtered(table, json_object_get(link, "filtered"));
	table_add(table, "%" JSON_INTEGER_FORMAT, number(link, "matches"));
	table_add(table, "%s%s%s", text(link, "state"), detail[0] ? ": " : "", detail);
}

static void add_links(const json_t *links, struct buf *out)
{
	static const char *const headline[] = { "LINK",	     "SET",	 "MODE",    "MAC",
						"ADDRESSES", "TAP",	 "HELD BY", "FROM GUEST",
						"TO GUEST",  "FILTERED", "MATCHES", "STATE",
						NULL };
	struct table table;
	const json_t *link;
	size_t i;

	if (!json_array_size(links)) {
		buf_adds(out, "No links are configured.\n");
		return;
	}
	table_init(&table, headline);
	json_array_foreach(links, i, link)
		add_link(&table, link);
	table_print(&table, out);
	table_done(&table);
}

static void add_relay(struct table *table, const json_t *link, const char *direction)
{
	const json_t *way = json_object_get(json_object_get(link, "relay"), direction);
	const json_t *dropped = json_object_get(way, "dropped");
	const json_t *latency = json_object_get(way, "latency"), *reason;
	json_int_t others = 0;
	const char *key;

	json_object_foreach((json_t *)dropped, key, reason)
		others += strcmp(key, "verdict") == 0 ? 0 : json_integer_value(reason);
	table_add(table, "%" JSON_INTEGER_FORMAT " / %" JSON_INTEGER_FORMAT,
		  number(dropped, "verdict"), others);
	table_add(table, "%.1f / %.1f us", (double)number(latency, "p50_ns") / 1000,
		  (double)number(latency, "p99_ns") / 1000);
}

/*
 * Of inline links: frames dropped by a verdict and for other reasons, and how long the others took.
 */
static void add_relays(const json_t *links, struct buf *out)
{
	static const char *const headline[] = { "INLINE",    "GUEST",	   "DROPPED FROM",
						"P50 / P99", "DROPPED TO", "P50 / P99",
						"ON ERROR",  NULL };
	struct table table;
	const json_t *link;
	bool any = false;
	size_t i;

	table_init(&table, headline);
	json_array_foreach(links, i, link) {
		const json_t *relay = json_object_get(link, "relay");

		if (!json_is_object(relay))
			continue;
		any = true;
		table_add(&table, "%s", text(link, "name"));
		table_add(&table, "%s",
			  json_is_true(json_object_get(relay, "attached")) ? "attached" : "");
		add_relay(&table, link, "from_guest");
		add_relay(&table, link, "to_guest");
		table_add(&table, "%" JSON_INTEGER_FORMAT, number(relay, "failed"));
	}
	if (any)
		buf_addc(out, '\n');
	if (any)
		table_print(&table, out);
	table_done(&table);
}

static void add_logs(const json_t *logs, struct buf *out)
{
	static const char *const headline[] = { "LOG",	  "FILE",  "LINES", "MATCHES",
						"BEHIND", "STATE", NULL };
	struct table table;
	const json_t *log;
	size_t i;

	if (!json_array_size(logs))
		return;
	table_init(&table, headline);
	json_array_foreach(logs, i, log) {
		const char *error = text(log, "error");

		table_add(&table, "%s", text(log, "name"));
		table_add(&table, "%s", text(log, "file"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, number(log, "lines"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, number(log, "matches"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, number(log, "behind"));
		table_add(&table, "%s%s%s", text(log, "state"), *error ? ": " : "", error);
	}
	table_print(&table, out);
	table_done(&table);
	buf_addc(out, '\n');
}

/* "seccomp, landlock 7, mseal, mdwe": by which means the kernel holds it. */
static void add_sandbox(struct table *table, const json_t *sandbox)
{
	struct buf shown;

	buf_init(&shown, SANDBOX_TEXT_MAX);
	buf_adds(&shown, json_is_object(sandbox) ? "seccomp" : "-");
	if (number(sandbox, "landlock"))
		buf_addf(&shown, ", landlock %" JSON_INTEGER_FORMAT, number(sandbox, "landlock"));
	for (const char *const *key = (const char *const[]){ "mseal", "mdwe", NULL }; *key; key++) {
		if (json_is_true(json_object_get(sandbox, *key)))
			buf_addf(&shown, ", %s", *key);
	}
	table_add(table, "%s", shown.data ? shown.data : "");
	buf_done(&shown);
}

static void add_workers(const json_t *workers, struct buf *out)
{
	static const char *const headline[] = { "WORKER",  "PID",	 "STATE", "RESTARTS",
						"SANDBOX", "LAST DEATH", NULL };
	struct table table;
	const json_t *worker;
	size_t i;

	table_init(&table, headline);
	json_array_foreach(workers, i, worker) {
		table_add(&table, "%s", text(worker, "name"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, number(worker, "pid"));
		table_add(&table, "%s", text(worker, "state"));
		table_add(&table, "%" JSON_INTEGER_FORMAT, number(worker, "restarts"));
		add_sandbox(&table, json_object_get(worker, "sandbox"));
		table_add(&table, "%s", text(worker, "last_death"));
	}
	table_print(&table, out);
	table_done(&table);
}

/* "script 12:00:03, kernel 12:00:04": when the steps of the last boot were, of today or not. */
static void add_steps(struct table *table, const json_t *steps)
{
	struct buf shown;
	const char *step;
	json_t *seen;

	buf_init(&shown, STEPS_TEXT_MAX);
	json_object_foreach((json_t *)steps, step, seen) {
		const char *time = text(seen, "time"), *clock = strchr(time, 'T');

		buf_addf(&shown, "%s%s %.8s", shown.len ? ", " : "", step,
			 clock ? clock + 1 : time);
	}
	table_add(table, "%s", shown.len ? shown.data : "");
	buf_done(&shown);
}

static void add_guests(const json_t *guests, struct buf *out)
{
	static const char *const headline[] = { "GUEST",       "LINK",	    "BOOT", "STATE",
						"STEPS (UTC)", "WAITS FOR", NULL };
	struct table table;
	const json_t *guest;
	size_t i;

	if (!json_array_size(guests))
		return;
	table_init(&table, headline);
	json_array_foreach(guests, i, guest) {
		table_add(&table, "%s", text(guest, "name"));
		table_add(&table, "%s", text(guest, "link"));
		table_add(&table, "%s", text(guest, "boot"));
		table_add(&table, "%s", text(guest, "state"));
		add_steps(&table, json_object_get(guest, "steps"));
		table_add(&table, "%s", text(guest, "waits_for"));
	}
	buf_addc(out, '\n');
	table_print(&table, out);
	table_done(&table);
}

void status_view(const json_t *status, struct buf *out)
{
	add_sets(json_object_get(status, "sets"), out);
	add_links(json_object_get(status, "links"), out);
	add_relays(json_object_get(status, "links"), out);
	buf_addc(out, '\n');
	add_logs(json_object_get(status, "logs"), out);
	add_workers(json_object_get(status, "workers"), out);
	add_guests(json_object_get(status, "guests"), out);
	status_losses(status, out);
}
