#include "agent/status_view_parts.h"

#include <stdio.h>
#include <string.h>

#define ADDRESSES_SHOWN	   2u /* of a link; 1 where there is little room */
#define ADDRESSES_TEXT_MAX 256u

/* On less, what is no column of its own is told shorter, too. */
#define FULL_COLUMNS 120u

static bool is_brief(const struct view *view)
{
	return view->columns && view->columns < FULL_COLUMNS;
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

/*
 * "12 / 1.4 KiB, 1.2 kbit/s": frames and bytes of one direction, and what comes now, if anything;
 * without the frames when it is to be brief.
 */
static void add_traffic(struct table *table, const json_t *link, const char *direction, bool brief)
{
	const json_t *traffic = json_object_get(link, direction);
	char bytes[32], rate[32];
	bool any;

	format_bytes(bytes, sizeof(bytes), view_number(traffic, "bytes"));
	view_rate(rate, sizeof(rate), link, direction);
	any = strcmp(rate, "0 bit/s") != 0;
	if (brief)
		table_add(table, "%s%s%s", bytes, any ? ", " : "", any ? rate : "");
	else
		table_add(table, "%" JSON_INTEGER_FORMAT " / %s%s%s",
			  view_number(traffic, "frames"), bytes, any ? ", " : "", any ? rate : "");
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
		if (strcmp(view_text(filtered, "direction"), directions[i][0]) == 0)
			table_add(table, "%" JSON_INTEGER_FORMAT " %s",
				  view_number(filtered, "frames"), directions[i][1]);
	}
}

/* The node by its usual path, or the device's number where that path is another link's. */
static void add_tap(struct table *table, const json_t *tap)
{
	if (json_is_object(tap) && !view_text(tap, "node")[0])
		table_add(table, "%" JSON_INTEGER_FORMAT ":%" JSON_INTEGER_FORMAT,
			  view_number(tap, "major"), view_number(tap, "minor"));
	else
		table_add(table, "%s", view_text(tap, "node"));
}

/* What the guest of a link has, or the host by its own link: the first, and how many more. */
static void add_addresses(struct table *table, const json_t *link, size_t max)
{
	const json_t *own = json_object_get(link, "addresses");
	const json_t *seen = json_object_get(json_object_get(link, "seen"), "addresses");
	const json_t *list = json_is_array(own) ? own : seen, *one;
	struct buf shown;
	size_t i;

	buf_init(&shown, ADDRESSES_TEXT_MAX);
	json_array_foreach(list, i, one) {
		if (i == max)
			break;
		buf_addf(&shown, "%s%s%s", i ? " " : "",
			 json_is_string(one) ? json_string_value(one) : view_text(one, "address"),
			 json_is_string(json_object_get(one, "conflict")) ? "!" : "");
	}
	if (json_array_size(list) > max)
		buf_addf(&shown, " +%zu", json_array_size(list) - max);
	table_add(table, "%s", shown.len ? shown.data : "");
	buf_done(&shown);
}

/* Whether the agent itself has the tap. */
static bool is_ours(const json_t *link)
{
	const char *monitor = view_text(link, "monitor");

	return strcmp(monitor, "tap") == 0 || strcmp(monitor, "inline") == 0;
}

/* "vm7: qemu-system-x86 (812)", or when it is to be brief, "vm7". */
static void add_holder(struct table *table, const json_t *link, bool brief)
{
	const json_t *holder = json_object_get(json_object_get(link, "tap"), "holder");
	const char *vm = view_text(holder, "vm"), *comm = view_text(holder, "comm");

	if (!json_is_object(holder))
		table_add(table, "%s", is_ours(link) ? "tapwarden" : "");
	else if (brief)
		table_add(table, "%s", *vm ? vm : comm);
	else
		table_add(table, "%s%s%s (%" JSON_INTEGER_FORMAT ")", vm, *vm ? ": " : "", comm,
			  view_number(holder, "pid"));
}

static void add_link(struct table *table, const json_t *link, bool brief)
{
	const json_t *tap = json_object_get(link, "tap");
	const char *detail = view_text(link, "detail");

	table_add(table, "%s", view_text(link, "name"));
	table_add(table, "%s", view_text(link, "set"));
	table_add(table, "%s", view_text(link, "mode"));
	table_add(table, "%s", view_text(link, "mac"));
	add_addresses(table, link, brief ? 1 : ADDRESSES_SHOWN);
	add_tap(table, tap);
	add_holder(table, link, brief);
	add_traffic(table, link, "from_guest", brief);
	add_traffic(table, link, "to_guest", brief);
	add_filtered(table, json_object_get(link, "filtered"));
	table_add(table, "%" JSON_INTEGER_FORMAT, view_number(link, "matches"));
	table_add(table, "%s%s%s", view_text(link, "state"), detail[0] ? ": " : "", detail);
}

void view_links(const json_t *links, struct view *view)
{
	static const char *const headline[] = { "LINK",	     "SET",	 "MODE",    "MAC",
						"ADDRESSES", "TAP",	 "HELD BY", "FROM GUEST",
						"TO GUEST",  "FILTERED", "MATCHES", "STATE",
						NULL };
	static const char *const spare[] = { "MODE",	"SET",	   "MAC",	"TAP", "FILTERED",
					     "MATCHES", "HELD BY", "ADDRESSES", NULL };
	struct table table;
	const json_t *link;
	size_t i;

	if (!json_array_size(links)) {
		buf_adds(view->out, "No links are configured.\n");
		return;
	}
	table_init(&table, headline);
	json_array_foreach(links, i, link)
		add_link(&table, link, is_brief(view));
	view_end_table(view, &table, spare);
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
		  view_number(dropped, "verdict"), others);
	table_add(table, "%.1f / %.1f us", (double)view_number(latency, "p50_ns") / 1000,
		  (double)view_number(latency, "p99_ns") / 1000);
}

void view_relays(const json_t *links, struct view *view)
{
	static const char *const headline[] = { "INLINE",    "GUEST",	   "DROPPED FROM",
						"P50 / P99", "DROPPED TO", "P50 / P99",
						"ON ERROR",  NULL };
	static const char *const spare[] = { "GUEST", NULL };
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
		table_add(&table, "%s", view_text(link, "name"));
		table_add(&table, "%s",
			  json_is_true(json_object_get(relay, "attached")) ? "attached" : "");
		add_relay(&table, link, "from_guest");
		add_relay(&table, link, "to_guest");
		table_add(&table, "%" JSON_INTEGER_FORMAT, view_number(relay, "failed"));
	}
	if (any)
		buf_addc(view->out, '\n');
	if (any)
		view_end_table(view, &table, spare);
	else
		table_done(&table);
}
