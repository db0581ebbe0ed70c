/* The words of `tapwarden passwd`, as plain data. */
#ifndef TW_PASSWD_OPTIONS_H
#define TW_PASSWD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/passwd_view.h"
#include "web/password_method.h"

/*
 * Options that are about something: each belongs to some questions and means nothing to the others.
 */
enum passwd_given {
	PASSWD_GIVEN_METHOD = 1 << 0,
	PASSWD_GIVEN_SALT = 1 << 1,
	PASSWD_GIVEN_ROUNDS = 1 << 2,
	PASSWD_GIVEN_STDIN = 1 << 3,
	PASSWD_GIVEN_FOR = 1 << 4,
	PASSWD_GIVEN_SHADOW = 1 << 5,
	PASSWD_GIVEN_FORCE = 1 << 6,
	PASSWD_GIVEN_JSON = 1 << 7,
};

/* Texts are of argv; NULL: not given. */
struct passwd_options {
	const struct password_method *method;
	const struct passwd_system *system;
	const char *salt;
	uint64_t rounds; /* 0: not given */
	const char *user; /* of --shadow */
	const char *verify, *identify; /* hashes */
	bool from_stdin, methods, costs, force, json;
	unsigned int given; /* mask of enum passwd_given */
};

/*
 * 0; -EINVAL with a value that is wrong, or a word too many; CLI_BAD when what getopt_long(3) did
 * not take was said on stderr already.
 */
int passwd_options_read(int argc, char **argv, struct passwd_options *ret, struct err *err);

/* As it is given: "-m", of the first that `given` has. */
const char *passwd_given_name(unsigned int given);

#endif
