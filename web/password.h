/*
 * Passwords by crypt(3): settings, hashes, comparison. Edge: random bytes, and time and memory of a
 * process that must have them.
 *
 * The sole user of crypt.h. Every function here is safe in any thread. What hashes takes from a
 * tenth of a millisecond to seconds: never on a loop's thread.
 */
#ifndef TW_PASSWORD_H
#define TW_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "web/password_info.h"

/*
 * Makes a setting. `salt` NULL: a random one; `rounds` 0: crypt(3)'s own default. Returns 0, or
 * -EINVAL (salt or rounds are not the method's, or this libcrypt lacks the method), -EIO.
 */
int password_setting(const struct password_method *method, const char *salt, uint64_t rounds,
		     char ret[PASSWORD_HASH_SIZE], struct err *err);

/*
 * Hashes by a setting or by another hash. Returns 0; -ERANGE for a password above PASSWORD_MAX,
 * -EINVAL for a setting that crypt(3) refuses or that has no memory: it says no more.
 */
int password_hash(const char *password, const char *setting, char ret[PASSWORD_HASH_SIZE],
		  struct err *err);

/*
 * 1 when `password` has the hash, 0 when it has not, or as password_hash(). The comparison takes
 * the same time wherever the first difference is.
 */
int password_verify(const char *password, const char *hash, struct err *err);

/* Whether this libcrypt hashes by the method. */
bool password_method_works(const struct password_method *method);

#endif
