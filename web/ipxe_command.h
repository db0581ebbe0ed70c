/*
 * The commands of iPXE: which there are, what they take, and which of them the iPXE of a guest has.
 * Pure; a table, by iPXE's src/hci/commands and what Debian 12's ROM of 2019 holds.
 */
#ifndef TW_IPXE_COMMAND_H
#define TW_IPXE_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/config.h"

#define IPXE_OPTIONS_MAX 10
#define IPXE_WORDS_ANY	 UINT8_MAX

struct ipxe_option {
	const char *name; /* "--name" */
	char letter; /* "-n" */
	bool has_value;
};

enum ipxe_presence {
	IPXE_ALWAYS, /* Debian 12's ROM has it */
	IPXE_ELSEWHERE, /* other builds do, and no ipxe-caps says whether a guest's is one */
	IPXE_BY_CAP, /* where ipxe-caps says so */
};

/* What a command does to what runs next, or to the machine; the rest only succeeds or fails. */
enum ipxe_effect {
	IPXE_DOES_ITS_WORK,
	IPXE_ASKS_NETWORK, /* and fails when that does not answer */
	IPXE_ECHO,
	IPXE_SET,
	IPXE_CLEAR,
	IPXE_INC,
	IPXE_READ,
	IPXE_ISSET,
	IPXE_ISEQ,
	IPXE_GOTO,
	IPXE_EXIT,
	IPXE_SLEEP,
	IPXE_PROMPT,
	IPXE_MENU,
	IPXE_ITEM,
	IPXE_CHOOSE,
	IPXE_LOGIN,
	IPXE_FETCH, /* keeps an image */
	IPXE_KERNEL, /* and selects it */
	IPXE_CHAIN, /* and runs it */
	IPXE_IMGFREE,
	IPXE_SANBOOT,
	IPXE_SANHOOK,
	IPXE_SANUNHOOK,
	IPXE_SHELL,
	IPXE_REBOOT,
	IPXE_POWEROFF,
};

struct ipxe_command_kind {
	const char *name;
	enum ipxe_effect effect;
	uint8_t min, max; /* words beside options; IPXE_WORDS_ANY: no bound */
	enum ipxe_presence presence;
	enum ipxe_cap cap; /* of IPXE_BY_CAP */
	struct ipxe_option options[IPXE_OPTIONS_MAX]; /* the first without a name ends them */
};

/* The command called `name`, or NULL; then *ret_near is a near miss, or NULL. */
const struct ipxe_command_kind *ipxe_command_find(const char *name, const char **ret_near);

/* Whether an iPXE of these caps (mask of 1 << enum ipxe_cap) has it. */
bool ipxe_command_is_there(const struct ipxe_command_kind *kind, uint32_t caps);

#endif
