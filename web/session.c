#include "web/session.h"

#include <stdio.h>
#include <string.h>

#include "web/constant_time.h"

static bool holds(const struct session *s, uint64_t now)
{
	return s->token[0] && s->until > now;
}

/* A free place; else the user's oldest, if he has his fill or nothing else is there. */
static struct session *place_for(struct sessions *sessions, uint64_t user, uint64_t now)
{
	struct session *oldest = NULL, *unused = NULL;
	unsigned int own = 0;

	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *s = &sessions->list[i];

		if (!holds(s, now)) {
			unused = s;
		} else if (s->user == user) {
			own++;
			if (!oldest || s->since < oldest->since)
				oldest = s;
		}
	}
	return own >= SESSION_PER_USER || !unused ? oldest : unused;
}

const struct session *session_new(struct sessions *sessions, uint64_t user,
				  const uint8_t random[SESSION_RANDOM], uint64_t now,
				  uint64_t lifetime)
{
	struct session *s = place_for(sessions, user, now);

	if (!s)
		return NULL;
	*s = (struct session){ .user = user, .since = now, .until = now + lifetime };
	for (size_t i = 0; i < SESSION_RANDOM; i++)
		snprintf(s->token + 2 * i, 3, "%02x", random[i]);
	return s;
}

const struct session *session_find(const struct sessions *sessions, const char *token, uint64_t now)
{
	char whole[SESSION_TOKEN] = "";
	const struct session *found = NULL;

	if (strnlen(token, SESSION_TOKEN) != SESSION_TOKEN - 1)
		return NULL;
	memcpy(whole, token, SESSION_TOKEN - 1);
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (constant_time_equal(sessions->list[i].token, whole, SESSION_TOKEN) &&
		    holds(&sessions->list[i], now))
			found = &sessions->list[i];
	}
	return found;
}

void session_end(struct sessions *sessions, const char *token)
{
	struct session *s = (struct session *)session_find(sessions, token, 0);

	if (s)
		*s = (struct session){ 0 };
}

unsigned int session_count(const struct sessions *sessions, uint64_t now)
{
	unsigned int n = 0;

	for (size_t i = 0; i < SESSIONS_MAX; i++)
		n += holds(&sessions->list[i], now);
	return n;
}

bool session_cookie(const char *header, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);

	for (const char *at = header; at && *at;) {
		at += strspn(at, "; ");
		if (strncmp(at, name, len) == 0 && at[len] == '=') {
			size_t n = strcspn(at + len + 1, "; ");

			if (n >= size)
				return false;
			memcpy(out, at + len + 1, n);
			out[n] = '\0';
			return true;
		}
		at = strchr(at, ';');
	}
	return false;
}
