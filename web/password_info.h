/* What a stored hash, or a setting, says of itself. Pure: nothing is hashed. */
#ifndef TW_PASSWORD_INFO_H
#define TW_PASSWORD_INFO_H

#include "web/password_method.h"

/* CRYPT_OUTPUT_SIZE of crypt.h: no hash and no setting is longer, its NUL included. */
#define PASSWORD_HASH_SIZE 384

struct password_info {
	const struct password_method *method;
	uint64_t cost; /* in the method's own unit; 0 when it has none */
	uint64_t memory; /* bytes that hashing takes beside a fixed 2 MiB */
	size_t salt, salt_length; /* where the salt is in the text */
	bool whole; /* a hash; else a setting, which has no last part */
	bool unusual; /* parameters that no cost of the method makes: what it takes is unknown */
};

/*
 * Reads a hash or a setting. Returns 0, or -EINVAL with what is wrong; the text of the hash is not
 * repeated there.
 */
int password_identify(const char *text, struct password_info *ret, struct err *err);

/* Why a hash is weaker than policy, as a static text, or NULL. */
const char *password_weakness(const struct password_info *info);

/* -EDOM when computing it would take more than the cap allows, with the reason; else 0. */
int password_check_cap(const struct password_info *info, struct err *err);

#endif
