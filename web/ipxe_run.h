/*
 * What a machine would do with an iPXE script: runs it without a network or a machine.
 *
 * Pure. Commands run as in iPXE's core/exec.c and image/script.c. What the network or a disk would
 * answer is assumed: everything succeeds but what the caller wants to fail, and nobody sits at the
 * keyboard. What needs an answer from there that nobody gave ends the run.
 */
#ifndef TW_IPXE_RUN_H
#define TW_IPXE_RUN_H

#include <stdint.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "web/ipxe_setting.h"

/* After this many commands, or scripts, a script is taken to run for ever. */
#define IPXE_STEPS_MAX	 10000
#define IPXE_SCRIPTS_MAX 100

/* Scripts that chain to each other, each within the one before. */
#define IPXE_DEPTH_MAX 8

/* The longest text of an end or a note, with its NUL. */
#define IPXE_RUN_TEXT 2048

enum ipxe_result {
	IPXE_OK,
	IPXE_FAILED, /* it cannot succeed here */
	IPXE_ASSUMED, /* it would ask the network, a disk or somebody, and is taken to succeed */
	IPXE_MADE_FAIL, /* as the caller wanted */
};

/* A command that ran. */
struct ipxe_step {
	const char *script; /* name of the script it is in */
	unsigned int line;
	const char *text; /* its words, expanded */
	enum ipxe_result result;
	const char *note; /* why it failed, what it set or printed; "" for nothing to say */
};

enum ipxe_end_kind {
	IPXE_END_EXIT, /* the script ended: the firmware's next device */
	IPXE_END_SAN, /* boots a SAN disk */
	IPXE_END_DISK, /* boots a disk of the machine */
	IPXE_END_KERNEL, /* boots what was fetched */
	IPXE_END_ELSEWHERE, /* runs a script or image that is not known here */
	IPXE_END_WAITS, /* for somebody at the keyboard */
	IPXE_END_POWER, /* off, or starts again */
	IPXE_END_LOOP, /* runs for ever, or hangs */
	IPXE_ENDS
};

struct ipxe_end {
	enum ipxe_end_kind kind;
	int status; /* of IPXE_END_EXIT: 0, or what failed */
	char script[256]; /* where; of IPXE_END_EXIT "", as the line is 0 */
	unsigned int line;
	uint64_t milliseconds; /* of sleep and of timeouts that passed meanwhile */
	char text[IPXE_RUN_TEXT];
};

struct ipxe_machine {
	struct ipxe_settings settings; /* changed by the run; the caller's to free */
	uint32_t caps; /* mask of 1 << enum ipxe_cap */
	const char *const *fails; /* names of commands that fail, NULL at the end; or NULL */
	/* The item that is chosen in menus that have it; NULL: nobody is there. */
	const char *choice;
	/*
	 * Appends the script behind a URI and returns 0, or a negative errno when it is not known
	 * here. May be NULL.
	 */
	int (*fetch)(void *user, const char *uri, struct buf *out);
	void (*step)(void *user, const struct ipxe_step *step); /* may be NULL */
	void *user;
};

/*
 * Runs `script` of `len` bytes, called `name`. 0 with the end; -ENOENT when no menu on the way has
 * the choice, with what they have; another negative errno when it could not be run at all: too
 * long, no memory.
 */
int ipxe_run(struct ipxe_machine *machine, const char *name, const char *script, size_t len,
	     struct ipxe_end *ret, struct err *err);

#endif
