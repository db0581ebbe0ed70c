#include "web/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "web/password.h"

/* Threads that hash give way to the loop, which serves everybody else. */
#define HASH_NICE 10

struct login_job {
	uv_work_t work;
	struct login_job *next;
	struct login *login;
	const char *hash;
	size_t user;
	uint64_t memory;
	char password[PASSWORD_MAX + 1];
	bool same;
	login_cb cb; /* NULL: forgotten */
	void *data;
};

static uint64_t memory_of(const char *hash)
{
	struct password_info info;

	return password_identify(hash, &info, NULL) == 0 ? info.memory : 0;
}

/* What nobody is tried with: as dear as the dearest of the users' hashes. */
static void choose_nobody(struct login *login)
{
	const struct password_method *m = password_method_find("yescrypt");
	struct password_info info, dearest = { 0 };

	if (password_setting(m, NULL, 0, login->nobody, NULL) != 0)
		snprintf(login->nobody, sizeof(login->nobody), "$6$rounds=100000$nobody");
	for (size_t i = 0; i < login->n_users; i++) {
		const char *hash = login->users[i].password;

		if (password_identify(hash, &info, NULL) != 0)
			continue;
		if (dearest.method && info.memory <= dearest.memory && info.cost <= dearest.cost)
			continue;
		dearest = info;
		snprintf(login->nobody, sizeof(login->nobody), "%.*s",
			 (int)(info.salt + info.salt_length), hash);
	}
}

void login_init(struct login *login, uv_loop_t *loop, const struct config *config)
{
	*login = (struct login){ .loop = loop, .users = config->users, .n_users = config->n_users };
	login->end = &login->queue;
	choose_nobody(login);
}

static void on_work(uv_work_t *work)
{
	struct login_job *job = work->data;

	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), HASH_NICE);
	job->same = password_verify(job->password, job->hash, NULL) == 1;
}

static void start_some(struct login *login);

static void job_free(struct login_job *job)
{
	explicit_bzero(job->password, sizeof(job->password));
	free(job);
}

static void on_worked(uv_work_t *work, int status)
{
	struct login_job *job = work->data;
	struct login *login = job->login;
	bool good = status == 0 && job->same && job->user != LOGIN_NOBODY;

	login->running--;
	login->memory -= job->memory;
	login->accepted += good;
	login->rejected += !good;
	if (job->cb)
		job->cb(job->data, good ? job->user : LOGIN_NOBODY);
	job_free(job);
	start_some(login);
}

static bool has_room(const struct login *login, const struct login_job *job)
{
	return login->running == 0 ||
	       (login->running < LOGIN_THREADS && login->memory + job->memory <= LOGIN_MEMORY);
}

static void start_some(struct login *login)
{
	while (login->queue && has_room(login, login->queue)) {
		struct login_job *job = login->queue;

		login->queue = job->next;
		if (!login->queue)
			login->end = &login->queue;
		login->waiting--;
		/* Nobody waits for the answer any more. */
		if (!job->cb) {
			job_free(job);
			continue;
		}
		login->running++;
		login->memory += job->memory;
		uv_queue_work(login->loop, &job->work, on_work, on_worked);
	}
}

struct login_job *login_ask(struct login *login, const char *name, const char *password,
			    login_cb cb, void *data)
{
	struct login_job *job = NULL;

	if (login->waiting < LOGIN_QUEUE)
		job = calloc(1, sizeof(*job));
	if (!job) {
		login->refused++;
		return NULL;
	}
	job->work.data = job;
	job->login = login;
	job->cb = cb;
	job->data = data;
	job->user = LOGIN_NOBODY;
	job->hash = login->nobody;
	for (size_t i = 0; i < login->n_users; i++) {
		if (strcmp(login->users[i].head.name, name) == 0) {
			job->user = i;
			job->hash = login->users[i].password;
		}
	}
	/* Longer ones are nobody's, and take as long. */
	snprintf(job->password, sizeof(job->password), "%s", password);
	if (strnlen(password, PASSWORD_MAX + 1) > PASSWORD_MAX)
		job->user = LOGIN_NOBODY;
	job->memory = memory_of(job->hash);
	*login->end = job;
	login->end = &job->next;
	login->waiting++;
	start_some(login);
	return job;
}

void login_forget(struct login_job *job)
{
	job->cb = NULL;
}

void login_close(struct login *login)
{
	for (struct login_job *job = login->queue; job; job = job->next)
		login_forget(job);
}
