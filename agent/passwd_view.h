/* What `passwd` tells of methods, hashes and costs, as a table or as JSON. */
#ifndef TW_PASSWD_VIEW_H
#define TW_PASSWD_VIEW_H

#include <stdbool.h>

#include "web/password_info.h"

/* A system that hashes are made for: what its crypt(3) reads, and which hash suits it best. */
struct passwd_system {
	const char *name;
	const char *method;
	uint64_t rounds; /* 0: the method's default */
	unsigned int library; /* its libxcrypt, as struct password_method.since; 0: none */
	const char *why;
	const char *use; /* where the hash goes there */
};

const struct passwd_system *passwd_system_find(const char *name);

/* "debian12, rhel8, ..." for messages. */
const char *passwd_system_names(void);

/* Whether the system's crypt(3) reads the method. */
bool passwd_system_reads(const struct passwd_system *system, const struct password_method *method);

/*
 * Every method; of `system` (may be NULL) only those it reads. Prints to stdout, as all of these:
 * CLI_DONE, or CLI_BAD with the reason on stderr.
 */
int passwd_print_methods(const struct passwd_system *system, bool json);

/* What the hash is; CLI_NO when it is weaker than policy asks. */
int passwd_print_identity(const struct password_info *info, bool json);

/*
 * Times hashes on this host, of `method` alone or (NULL) of all that are worth choosing. -errno
 * when a measurement was not possible.
 */
int passwd_print_costs(const struct password_method *method, bool json, struct err *err);

#endif
