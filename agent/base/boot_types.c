#include "agent/base/boot_types.h"

#include <string.h>

const char *const boot_state_names[BOOT_STATES] = {
	[BOOT_STATE_RUN] = "run",	[BOOT_STATE_INSTALL] = "install",
	[BOOT_STATE_RESCUE] = "rescue", [BOOT_STATE_LOCAL] = "local",
	[BOOT_STATE_ONCE] = "once",
};

const char *const boot_step_names[BOOT_STEPS] = {
	[BOOT_STEP_MENU] = "menu",     [BOOT_STEP_SCRIPT] = "script",
	[BOOT_STEP_KERNEL] = "kernel", [BOOT_STEP_INITRD] = "initrd",
	[BOOT_STEP_SEED] = "seed",     [BOOT_STEP_HOME] = "phone-home",
};

enum boot_state boot_state_find(const char *name)
{
	unsigned int state = 0;

	while (state < BOOT_STATES && strcmp(boot_state_names[state], name) != 0)
		state++;
	return (enum boot_state)state;
}
