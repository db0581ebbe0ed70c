/*
 * What the commands of iPXE do to a script that runs, and what they would do to a machine. Pure.
 *
 * The inner side of ipxe_run.h: the runner as its two halves see it, that which goes through lines
 * and scripts and that which is the commands.
 */
#ifndef TW_IPXE_EFFECT_H
#define TW_IPXE_EFFECT_H

#include "web/ipxe_call.h"
#include "web/ipxe_reader.h"
#include "web/ipxe_run.h"

/* What stops commands from running on: the rest of the line, of the script, or everything. */
enum ipxe_stop {
	IPXE_STOP_NOT,
	IPXE_STOP_LINE,
	IPXE_STOP_SCRIPT,
	IPXE_STOP_ALL,
};

struct ipxe_menu {
	char *first, *standard; /* names of items; NULL when there are none */
	bool has_choice; /* the machine's choice is an item */
};

/* To a machine that chooses: the items of all menus so far, "a, b", and whether its own is one. */
struct ipxe_offers {
	struct buf items;
	bool has_choice;
};

struct ipxe_runner {
	struct ipxe_machine *machine;
	struct ipxe_end end;
	enum ipxe_stop stop;
	unsigned int steps, scripts; /* that ran */
	unsigned int depth;
	struct ipxe_menu menu;
	struct ipxe_offers offers;
	struct buf kernel; /* what is selected, with its arguments; "" for nothing */
	struct buf images; /* what else was fetched, in words */
	bool has_san; /* a SAN disk is attached */
	/* of the script that runs */
	const char *script;
	const struct ipxe_text *text;
	size_t next; /* line */
	unsigned int line;
	/* A script that takes the place of the one that runs: its name and text. */
	char *replacement;
	struct buf replacement_text;
	char note[IPXE_RUN_TEXT];
	int code; /* no memory; ends the run */
};

/*
 * Runs a command that is there and whose words are right. Its status is iPXE's: 0, a negative errno
 * or the number of exit. *ret_asks: its success is an assumption.
 */
int ipxe_effect(struct ipxe_runner *run, const struct ipxe_call *call, bool *ret_asks);

/* What is worth saying of the command that runs. */
void ipxe_note(struct ipxe_runner *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Ends the run. */
void ipxe_end_run(struct ipxe_runner *run, enum ipxe_end_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Appends words as iPXE joins them: single blanks. */
void ipxe_join(struct buf *out, char *const *words, size_t n);

/* Runs another script within the one that runs, which goes on after it (ipxe_run.c). */
int ipxe_run_script(struct ipxe_runner *run, const char *name, const struct buf *script);

void ipxe_menu_done(struct ipxe_menu *menu);

#endif
