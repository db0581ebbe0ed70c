#include "agent/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"
#include "agent/config_check.h"
#include "agent/pin_macs.h"
#include "agent/privs.h"
#include "agent/secrets.h"

/* A worker's copy of the configuration; the largest file with some room for quotes. */
#define COPY_MAX (2 * INI_FILE_SIZE_MAX)

static const enum config_role copies[WORKER_ROLES] = {
	[WORKER_CAPTURE] = CONFIG_FOR_CAPTURE,
	[WORKER_WEB] = CONFIG_FOR_WEB,
};

int setup_config(const char *path, struct config **ret, struct err *err)
{
	struct faults faults = { 0 };
	struct buf line;
	int code = config_check(path, ret, &faults);

	buf_init(&line, 1 << 16);
	for (size_t i = 0; i < faults.n; i++) {
		buf_reset(&line);
		fault_format(&faults.list[i], &line);
		/* A single one is the reason itself, which the caller tells. */
		if (faults.n > 1)
			log_err("%s", line.data ? line.data : "a fault too long to print");
		if (i == 0)
			err_set(err, 0, "%s", line.data ? line.data : path);
	}
	if (faults.n > 1)
		err_prefix(err, 0, "%zu faults, the first", faults.n + faults.n_dropped);
	buf_done(&line);
	faults_done(&faults);
	return code;
}

static int make_copy(const struct config *config, enum worker_role role, uint32_t generation,
		     struct worker_config *ret, struct err *err)
{
	const char *user = role == WORKER_CAPTURE ? config->agent.user_capture
						  : config->agent.user_web;
	struct ipc_config *message = &ret->message;
	struct buf text;
	int code;

	code = privs_user(user, &ret->uid, &ret->gid, err);
	if (code)
		return err_prefix(err, code, "[agent] %s",
				  role == WORKER_CAPTURE ? "user-capture" : "user-web");
	buf_init(&text, COPY_MAX);
	code = config_write(config, copies[role], &text, err);
	if (code == 0) {
		ret->fd = ipc_memfd("tapwarden-config", text.data, text.len);
		if (ret->fd < 0)
			code = err_errno(err, ret->fd, "cannot copy the configuration");
	}
	if (code == 0) {
		message->generation = generation;
		message->length = (uint32_t)text.len;
		message->workers = role == WORKER_CAPTURE ? config->agent.capture_workers : 1;
		message->log_debug = log_max_level() >= LOG_LEVEL_DEBUG;
		gethostname(message->host, sizeof(message->host) - 1);
	}
	/* The copy may hold secrets. */
	if (text.data)
		explicit_bzero(text.data, text.len);
	buf_done(&text);
	return code;
}

int setup_open(struct config *config, uint32_t generation, const struct setup *old,
	       struct setup *ret, struct err *err)
{
	const struct listeners none = { 0 };
	struct setup setup = { .config = config, .log_fd = -1, .tls_fd = -1 };
	int code;

	for (int i = 0; i < WORKER_ROLES; i++)
		setup.workers[i].fd = -1;
	code = secrets_load(config, err);
	if (code == 0)
		code = secrets_load_tls(&config->web, &setup.tls_fd, err);
	if (code == 0)
		code = pin_macs(config, err);
	if (code == 0)
		code = config_rings(config, &setup.ring_block_size, &setup.ring_blocks, err);
	for (int i = 0; code == 0 && i < WORKER_ROLES; i++)
		code = make_copy(config, (enum worker_role)i, generation, &setup.workers[i], err);
	if (code == 0)
		code = open_log_dir(config->agent.log_dir, setup.workers[WORKER_CAPTURE].uid,
				    setup.workers[WORKER_CAPTURE].gid, &setup.log_fd,
				    &setup.log_made, err);
	if (code == 0)
		code = open_listeners(config, old ? &old->listeners : &none, &setup.listeners, err);
	if (code) {
		setup_drop(&setup);
		return code;
	}
	*ret = setup;
	return 0;
}

int setup_worker(const struct setup *setup, enum worker_role role, unsigned int index,
		 struct worker_config *ret)
{
	struct worker_config config = setup->workers[role];

	config.fd = fcntl(config.fd, F_DUPFD_CLOEXEC, 0);
	if (config.fd < 0)
		return -errno;
	config.message.index = index;
	*ret = config;
	return 0;
}

void setup_done(struct setup *setup)
{
	listeners_done(&setup->listeners);
	if (setup->log_fd >= 0)
		close(setup->log_fd);
	if (setup->tls_fd >= 0)
		close(setup->tls_fd);
	for (int i = 0; i < WORKER_ROLES; i++) {
		if (setup->workers[i].fd >= 0)
			close(setup->workers[i].fd);
	}
	config_free(setup->config);
	*setup = (struct setup){ .log_fd = -1, .tls_fd = -1 };
}

void setup_drop(struct setup *setup)
{
	/* Of one that is not empty this is no more than a try. */
	if (setup->log_made)
		(void)rmdir(setup->config->agent.log_dir);
	setup_done(setup);
}
