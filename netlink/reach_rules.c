#include "netlink/reach_rules.h"

#include <linux/if_link.h>
#include <stddef.h>

const char *const reach_end_names[REACH_ENDS] = {
	[REACH_VEPA] = "vepa",	       [REACH_BRIDGE] = "bridge", [REACH_PRIVATE] = "private",
	[REACH_PASSTHRU] = "passthru", [REACH_SOURCE] = "source", [REACH_HOST] = "host",
	[REACH_OUTSIDE] = "outside",
};

const char *const reach_reflection_names[REACH_REFLECTIONS] = {
	[REACH_REFLECTS_UNKNOWN] = "unknown",
	[REACH_REFLECTS_NO] = "no",
	[REACH_REFLECTS_YES] = "yes",
};

const char *const reach_answer_names[REACH_ANSWERS] = {
	[REACH_NO] = "no",
	[REACH_YES] = "yes",
	[REACH_YES_REFLECTED] = "reflected",
	[REACH_IF_REFLECTED] = "if reflected",
	[REACH_FILTERED] = "filtered",
	[REACH_FILTERED_REFLECTED] = "reflected, filtered",
	[REACH_FILTERED_IF_REFLECTED] = "if reflected, filtered",
};

struct reach_rule {
	enum reach_path path[REACH_CASTS];
	const char *why;
};

#define RULE(unicast, broadcast, text)                       \
	{                                                    \
		{ REACH_##unicast, REACH_##broadcast }, text \
	}

#define BETWEEN RULE(REFLECTED, REFLECTED, "needs a reflecting switch")
#define HANDED	RULE(DIRECT, DIRECT, "handed over inside the host")
#define TO_PRIVATE            \
	RULE(REFLECTED, NONE, \
	     "needs a reflecting switch; of neighbours, private drops only broadcasts")
#define FROM_PRIVATE          \
	RULE(REFLECTED, NONE, \
	     "needs a reflecting switch; a broadcast comes back to its sender alone")
#define TO_SOURCE \
	RULE(REFLECTED, REFLECTED, "needs a reflecting switch, and the sender's MAC on its list")
#define ALONE RULE(NONE, NONE, "a passthru link is alone on its lower device")
#define LOWER RULE(REFLECTED, REFLECTED, "never inside the host; needs a reflecting switch")
#define LOWER_QUIET \
	RULE(REFLECTED, NONE, "never inside the host; a broadcast comes back to its sender alone")
#define LOWER_LISTED \
	RULE(REFLECTED, REFLECTED, "needs a reflecting switch, and the host's MAC on its list")
#define OUT RULE(DIRECT, DIRECT, "sent on the wire")
#define IN  RULE(DIRECT, DIRECT, "received from the wire by its MAC")

static const struct reach_rule rules[REACH_ENDS][REACH_ENDS] = {
	[REACH_VEPA] = {
		[REACH_VEPA] = BETWEEN,
		[REACH_BRIDGE] = BETWEEN,
		[REACH_PRIVATE] = TO_PRIVATE,
		[REACH_PASSTHRU] = ALONE,
		[REACH_SOURCE] = TO_SOURCE,
		[REACH_HOST] = LOWER,
		[REACH_OUTSIDE] = OUT,
	},
	[REACH_BRIDGE] = {
		[REACH_VEPA] = BETWEEN,
		[REACH_BRIDGE] = HANDED,
		[REACH_PRIVATE] = TO_PRIVATE,
		[REACH_PASSTHRU] = ALONE,
		[REACH_SOURCE] = TO_SOURCE,
		[REACH_HOST] = LOWER,
		[REACH_OUTSIDE] = OUT,
	},
	[REACH_PRIVATE] = {
		[REACH_VEPA] = FROM_PRIVATE,
		[REACH_BRIDGE] = FROM_PRIVATE,
		[REACH_PRIVATE] = FROM_PRIVATE,
		[REACH_PASSTHRU] = ALONE,
		[REACH_SOURCE] = TO_SOURCE,
		[REACH_HOST] = LOWER_QUIET,
		[REACH_OUTSIDE] = OUT,
	},
	[REACH_PASSTHRU] = {
		[REACH_VEPA] = ALONE,
		[REACH_BRIDGE] = ALONE,
		[REACH_PRIVATE] = ALONE,
		[REACH_PASSTHRU] = ALONE,
		[REACH_SOURCE] = ALONE,
		[REACH_HOST] = RULE(NONE, NONE, "what comes back comes back to the guest"),
		[REACH_OUTSIDE] = OUT,
	},
	[REACH_SOURCE] = {
		[REACH_VEPA] = FROM_PRIVATE,
		[REACH_BRIDGE] = FROM_PRIVATE,
		[REACH_PRIVATE] = FROM_PRIVATE,
		[REACH_PASSTHRU] = ALONE,
		[REACH_SOURCE] = TO_SOURCE,
		[REACH_HOST] = LOWER_QUIET,
		[REACH_OUTSIDE] = OUT,
	},
	[REACH_HOST] = {
		[REACH_VEPA] = LOWER,
		[REACH_BRIDGE] = LOWER,
		[REACH_PRIVATE] = LOWER,
		[REACH_PASSTHRU] = RULE(REFLECTED, REFLECTED,
					"what a reflecting switch sends back is the guest's"),
		[REACH_SOURCE] = LOWER_LISTED,
		[REACH_OUTSIDE] = OUT,
	},
	[REACH_OUTSIDE] = {
		[REACH_VEPA] = IN,
		[REACH_BRIDGE] = IN,
		[REACH_PRIVATE] = IN,
		[REACH_PASSTHRU] = RULE(DIRECT, DIRECT, "all that comes in is the guest's"),
		[REACH_SOURCE] = RULE(DIRECT, DIRECT,
				      "for source MACs on its list, whatever the destination"),
		[REACH_HOST] = RULE(DIRECT, DIRECT, "received from the wire by its MAC"),
	},
};

enum reach_path reach_path(enum reach_end from, enum reach_end to, enum reach_cast cast)
{
	return rules[from][to].path[cast];
}

const char *reach_why(enum reach_end from, enum reach_end to)
{
	return rules[from][to].why ? rules[from][to].why : "";
}

enum reach_answer reach_answer(enum reach_path path, enum reach_reflection reflection)
{
	static const enum reach_answer by_reflection[REACH_REFLECTIONS] = {
		[REACH_REFLECTS_UNKNOWN] = REACH_IF_REFLECTED,
		[REACH_REFLECTS_NO] = REACH_NO,
		[REACH_REFLECTS_YES] = REACH_YES_REFLECTED,
	};

	if (path == REACH_REFLECTED)
		return by_reflection[reflection];
	return path == REACH_DIRECT ? REACH_YES : REACH_NO;
}

bool reach_end_of_mode(uint32_t macvlan_mode, enum reach_end *ret)
{
	static const uint32_t modes[REACH_MODES] = {
		[REACH_VEPA] = MACVLAN_MODE_VEPA,	[REACH_BRIDGE] = MACVLAN_MODE_BRIDGE,
		[REACH_PRIVATE] = MACVLAN_MODE_PRIVATE, [REACH_PASSTHRU] = MACVLAN_MODE_PASSTHRU,
		[REACH_SOURCE] = MACVLAN_MODE_SOURCE,
	};

	for (size_t end = 0; end < REACH_MODES; end++) {
		if (modes[end] == macvlan_mode) {
			*ret = (enum reach_end)end;
			return true;
		}
	}
	return false;
}
