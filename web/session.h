/*
 * Sessions of browsers: who holds a token is the user who logged in. Pure: random bytes and time
 * (milliseconds of a clock that never goes back) are arguments.
 */
#ifndef TW_SESSION_H
#define TW_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"

#define SESSIONS_MAX	 256
#define SESSION_RANDOM	 32 /* bytes */
#define SESSION_TOKEN	 (2 * SESSION_RANDOM + 1) /* hex digits and NUL */
#define SESSION_PER_USER 16 /* the oldest of a user makes room for one more */

/*
 * May be in memory that web workers share, one after the other, so that a reload logs nobody out:
 * nothing in it points anywhere, and whatever it holds does no more harm than a wrong answer.
 */
struct sessions {
	struct session {
		char token[SESSION_TOKEN]; /* "" when free */
		uint64_t user; /* whose: a number that goes with a user's name and password */
		uint64_t since, until;
	} list[SESSIONS_MAX];
};

/*
 * A session of `user`; the token is its hex form. Returns NULL when every place is taken by other
 * users' sessions that still hold.
 */
const struct session *session_new(struct sessions *sessions, uint64_t user,
				  const uint8_t random[SESSION_RANDOM], uint64_t now,
				  uint64_t lifetime);

/*
 * The session of a token, or NULL when it has ended or never was. Every place is compared, whole.
 */
const struct session *session_find(const struct sessions *sessions, const char *token,
				   uint64_t now);

/* The token is worth nothing from here on. */
void session_end(struct sessions *sessions, const char *token);

unsigned int session_count(const struct sessions *sessions, uint64_t now);

/* The value of one cookie in a Cookie header (RFC 6265 section 5.4); false when it is not there. */
bool session_cookie(const char *header, const char *name, char *out, size_t size);

#endif
