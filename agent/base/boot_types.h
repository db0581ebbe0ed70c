/* What a guest is to boot next, and the steps of a boot: shared by agent and web worker. Pure. */
#ifndef TW_BOOT_TYPES_H
#define TW_BOOT_TYPES_H

#include <stdint.h>

enum boot_state {
	BOOT_STATE_RUN, /* in the way that the configuration says */
	BOOT_STATE_INSTALL, /* its installer; the guest's phone-home makes it run */
	BOOT_STATE_RESCUE, /* its rescue system, until somebody says otherwise */
	BOOT_STATE_LOCAL, /* a disk of its own: nothing is served */
	BOOT_STATE_ONCE, /* as run, and local after it fetched its script */
	BOOT_STATES
};

/* In the order in which a boot takes them. */
enum boot_step {
	BOOT_STEP_MENU, /* of a guest that has one; what it chose is the script */
	BOOT_STEP_SCRIPT,
	BOOT_STEP_KERNEL,
	BOOT_STEP_INITRD,
	BOOT_STEP_SEED,
	BOOT_STEP_HOME, /* phone-home */
	BOOT_STEPS
};

/* "run", ..., and "script", ... */
extern const char *const boot_state_names[BOOT_STATES];
extern const char *const boot_step_names[BOOT_STEPS];

/* The state called `name`, or BOOT_STATES. */
enum boot_state boot_state_find(const char *name);

/* Hexadecimal digits of the token that a phone-home shows, and NUL. */
#define BOOT_TOKEN_SIZE 33

#endif
