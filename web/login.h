/*
 * Passwords of users against their hashes, in worker threads: at most two at once, within a budget
 * of memory, and few may wait. Edge: threads of the loop.
 */
#ifndef TW_LOGIN_H
#define TW_LOGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "agent/base/config.h"

#define LOGIN_THREADS 2
#define LOGIN_QUEUE   16

/* The cap of a hash is as much: then one at a time. */
#define LOGIN_MEMORY (UINT64_C(160) << 20)

/* No index of a user: nobody of this name, or another password. */
#define LOGIN_NOBODY SIZE_MAX

struct login_job;

/* `user`: the index of who it is, or LOGIN_NOBODY. */
typedef void (*login_cb)(void *data, size_t user);

struct login {
	const struct user_conf *users; /* the configuration's, which must outlive it */
	size_t n_users;
	uint64_t accepted, rejected; /* answers of either kind */
	uint64_t refused; /* one more than may wait */

	/* private */
	uv_loop_t *loop;
	struct login_job *queue, **end;
	unsigned int waiting, running;
	uint64_t memory; /* of those that run */
	char nobody[384]; /* the setting that a name is tried with when nobody has it */
};

void login_init(struct login *login, uv_loop_t *loop, const struct config *config);

/*
 * Asks whether `name` has `password`; both are copied. A name that nobody has takes as long as
 * another. NULL when too many wait. The job is gone after its callback.
 */
struct login_job *login_ask(struct login *login, const char *name, const char *password,
			    login_cb cb, void *data);

/* The callback will not be called any more. */
void login_forget(struct login_job *job);

/* Forgets all; the memory must stay until the loop has run. */
void login_close(struct login *login);

#endif
