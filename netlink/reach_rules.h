/*
 * Who can talk to whom over one lower device, by mode: what macvlan does with a frame
 * (macvlan_queue_xmit(), macvlan_handle_frame(), macvlan_multicast_rx()), as measured. Pure.
 */
#ifndef TW_REACH_RULES_H
#define TW_REACH_RULES_H

#include <stdbool.h>
#include <stdint.h>

/* Where a frame begins or ends. */
enum reach_end {
	REACH_VEPA, /* a link of that mode, whoever is on it */
	REACH_BRIDGE,
	REACH_PRIVATE,
	REACH_PASSTHRU,
	REACH_SOURCE,
	REACH_HOST, /* the host's stack, on the lower device itself */
	REACH_OUTSIDE, /* whatever is beyond the lower device */
	REACH_ENDS,
};

#define REACH_MODES REACH_HOST /* the ends before it are modes */

enum reach_cast {
	REACH_UNICAST,
	REACH_BROADCAST,
	REACH_CASTS
};

enum reach_path {
	REACH_NONE,
	REACH_DIRECT,
	REACH_REFLECTED, /* out on the wire, and back when the switch there sends frames back */
};

/* Whether what the lower device is plugged into sends frames back where they came from. */
enum reach_reflection {
	REACH_REFLECTS_UNKNOWN,
	REACH_REFLECTS_NO,
	REACH_REFLECTS_YES,
	REACH_REFLECTIONS,
};

enum reach_answer {
	REACH_NO,
	REACH_YES,
	REACH_YES_REFLECTED,
	REACH_IF_REFLECTED, /* yes behind a reflecting switch, else no: which is not known */
	/* The same where filters let only some of it through. */
	REACH_FILTERED,
	REACH_FILTERED_REFLECTED,
	REACH_FILTERED_IF_REFLECTED,
	REACH_ANSWERS,
};

/*
 * "vepa" ... "host", "outside"; "unknown", "no", "yes"; "no", "yes", "reflected", "if reflected",
 * "filtered", "reflected, filtered", "if reflected, filtered"
 */
extern const char *const reach_end_names[REACH_ENDS];
extern const char *const reach_reflection_names[REACH_REFLECTIONS];
extern const char *const reach_answer_names[REACH_ANSWERS];

/* From one end to another one, which are two links where both are of one mode. */
enum reach_path reach_path(enum reach_end from, enum reach_end to, enum reach_cast cast);

/* The reason, in words. */
const char *reach_why(enum reach_end from, enum reach_end to);

enum reach_answer reach_answer(enum reach_path path, enum reach_reflection reflection);

/* False for a mode that this kernel made up after this was written. */
bool reach_end_of_mode(uint32_t macvlan_mode, enum reach_end *ret);

#endif
