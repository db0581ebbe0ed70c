/* A command of iPXE with its words taken apart, as iPXE's getopt_long() does it. Pure. */
#ifndef TW_IPXE_CALL_H
#define TW_IPXE_CALL_H

#include <stddef.h>

#include "agent/base/err.h"
#include "web/ipxe_command.h"

/* Options first, then the rest; all of it stays that of the words. */
struct ipxe_call {
	const struct ipxe_command_kind *kind;
	const char *values[IPXE_OPTIONS_MAX]; /* by the kind's options: NULL not given, "" a flag */
	char *const *args; /* the first word that is no option */
	size_t n_args;
};

/*
 * words[0] names `kind`. 0, or -EINVAL when an option is unknown or lacks its value, -ERANGE when
 * there are too few or too many words.
 */
int ipxe_call_parse(const struct ipxe_command_kind *kind, char *const *words, size_t n,
		    struct ipxe_call *ret, struct err *err);

/* The value of an option by its name: NULL when it was not given. */
const char *ipxe_call_option(const struct ipxe_call *call, const char *name);

#endif
