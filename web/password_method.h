/*
 * The methods of crypt(5) as a table, and what a stored hash says of itself. Pure: nothing is hashed.
 *
 * Facts are of libxcrypt 4.4: crypt(5), and what its functions were seen to do.
 */
#ifndef TW_PASSWORD_METHOD_H
#define TW_PASSWORD_METHOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"

/* CRYPT_OUTPUT_SIZE of crypt.h: no hash and no setting is longer, its NUL included. */
#define PASSWORD_HASH_SIZE 384

/* CRYPT_MAX_PASSPHRASE_SIZE without its NUL. */
#define PASSWORD_MAX 511

/* How a setting is laid out; "salt" is what comes before the hash's last part. */
enum password_shape {
	SHAPE_PLAIN, /* PREFIX salt */
	SHAPE_ROUNDS, /* PREFIX [rounds=N$] salt */
	SHAPE_BCRYPT, /* PREFIX NN$ salt */
	SHAPE_YESCRYPT, /* PREFIX parameters $ salt */
	SHAPE_SCRYPT, /* PREFIX N r r r r r p p p p p salt */
	SHAPE_SHA1, /* PREFIX N$ salt */
	SHAPE_SUNMD5, /* $md5[,rounds=N]$ salt */
	SHAPE_BSDI, /* _ N N N N salt */
	SHAPE_DES, /* salt */
};

struct password_method {
	const char *name; /* as mkpasswd(1) calls it, where it knows the method */
	const char *aliases[4];
	const char *prefix;
	enum password_shape shape;
	struct {
		uint64_t min, max; /* 0, 0: the method has no cost */
		uint64_t def; /* what crypt(3) itself does when nothing is said */
		uint64_t enough; /* less is weaker than policy */
		uint64_t cap; /* more is a denial of service */
	} cost;
	unsigned int salt_min, salt_max; /* characters that the user may give */
	bool salt_any; /* printable characters beside ./0-9A-Za-z too */
	unsigned int digest; /* characters of the last part */
	unsigned int password_max; /* bytes that count; 0: all */
	bool legacy; /* weaker than policy at any cost */
	unsigned int since; /* libxcrypt's version as major * 100 + minor; 0: older libcs have it */
};

extern const struct password_method password_methods[];
extern const size_t password_n_methods;

/* By name, alias or the letters between the '$' of its prefix, in any case; NULL for no method. */
const struct password_method *password_method_find(const char *name);

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

/* Whether `salt` may stand in a setting of the method: 0, or -EINVAL with the reason. */
int password_check_salt(const struct password_method *method, const char *salt, struct err *err);

/*
 * Whether `rounds` is a cost of the method. Outside the range crypt(3) and crypt_gensalt(3) behave
 * differently; the text says what each would do.
 */
int password_check_rounds(const struct password_method *method, uint64_t rounds, struct err *err);

#endif
