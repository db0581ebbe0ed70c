#include "web/worker.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "agent/base/config.h"
#include "agent/base/ipc.h"
#include "agent/base/log.h"
#include "agent/base/pcap_lib.h"
#include "agent/base/plural.h"
#include "agent/base/sandbox.h"
#include "web/mhd_lib.h"
#include "web/site.h"

/* Requests in hand get so long to finish once the worker is to end. */
#define DRAIN_MS 2000

/* Then who waits for the agent is told that no answer comes; so long has that to reach them. */
#define DRAIN_LAST_MS 500

/* How often is looked whether they have. */
#define DRAIN_TICK_MS 20

/* The same of one that only sends files on. */
#define RELIEVED_TICK_MS 200

struct web_worker {
	uv_loop_t loop;
	struct ipc_channel channel;
	struct config *config; /* NULL: not configured yet */
	struct site site;
	uv_timer_t drain;
	uint64_t drain_until; /* the loop's clock, in ms */
	bool ready; /* the agent was told */
	bool draining;
	bool last; /* no other worker follows: files are cut like all else */
	bool given_up; /* draining takes too long: nobody waits for the agent any more */
	bool relieved; /* another serves: there are files to be sent on, and nothing else */
	bool closing;
	int status;
};

/* Closes every handle: the loop then ends by itself. */
static void worker_finish(struct web_worker *worker, int status)
{
	if (worker->closing)
		return;
	worker->closing = true;
	worker->status = status;
	if (worker->config)
		site_close(&worker->site);
	uv_close((uv_handle_t *)&worker->drain, NULL);
	ipc_close(&worker->channel, NULL);
}

static void worker_fault(struct web_worker *worker, const struct err *err)
{
	struct ipc_fault fault = { 0 };

	snprintf(fault.text, sizeof(fault.text), "%s", err->text);
	if (ipc_send(&worker->channel, IPC_FAULT, &fault, -1) != 0)
		log_err("%s: the agent cannot be told: this worker ends", err->text);
	worker_finish(worker, 1);
}

/* What the first fault says; the agent has checked the file, so there should be none. */
static int load_config(int fd, struct config **ret, struct err *err)
{
	struct faults faults = { 0 };
	struct buf text;
	int code;

	code = config_load_fd(fd, ret, &faults);
	if (code) {
		buf_init(&text, sizeof(err->text));
		if (faults.n)
			fault_format(&faults.list[0], &text);
		err_set(err, code, "the web worker's configuration is bad: %s",
			text.data ? text.data : "no reason given");
		buf_done(&text);
	}
	faults_done(&faults);
	return code;
}

static int become_ready(struct web_worker *worker, struct err *err)
{
	struct ipc_ready ready = { .generation = worker->site.generation };
	int code;

	/* The seed of jansson's tables: from /dev/urandom, and at the first object. */
	json_object_seed(0);
	code = sandbox_seal(SANDBOX_WEB, -1, worker->channel.fd, &ready.sandbox, err);
	if (code)
		return code;
	worker->ready = true;
	ipc_send(&worker->channel, IPC_READY, &ready, -1);
	return 0;
}

static int on_config(struct web_worker *worker, struct ipc_message *message, struct err *err)
{
	const struct ipc_config *m = message->payload;
	struct config *config = NULL;
	int code;

	if (worker->config)
		return err_set(err, -EBADMSG, "a second configuration came: a worker has one");
	log_init("web", m->log_debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	code = load_config(message->fd, &config, err);
	if (code)
		return code;
	code = site_init(&worker->site, &worker->loop, config, &worker->channel, err);
	if (code) {
		config_free(config);
		return code;
	}
	worker->config = config;
	worker->site.generation = m->generation;
	if (worker->site.boot.n_without_mac)
		log_warning("%zu %s a link without a MAC address: no boot script there",
			    worker->site.boot.n_without_mac,
			    plural(worker->site.boot.n_without_mac, "guest has", "guests have"));
	/* Without its certificate it cannot serve what the configuration says. */
	return config->web.tls_cert ? 0 : become_ready(worker, err);
}

static int on_auth(struct web_worker *worker, struct ipc_message *message, struct err *err)
{
	int code = auth_share(&worker->site.auth, message->fd);

	(void)err;
	if (code)
		log_warning("cannot share the memory of sessions: %s: they end with this worker",
			    strerror(-code));
	return 0;
}

static int on_tls(struct web_worker *worker, struct ipc_message *message, struct err *err)
{
	int code;

	if (worker->ready)
		return err_set(err, -EBADMSG, "a certificate came that nobody waits for");
	code = site_take_tls(&worker->site, message->fd, err);
	return code ? code : become_ready(worker, err);
}

static int on_listen(struct web_worker *worker, struct ipc_message *message, struct err *err)
{
	const struct ipc_listen *listen = message->payload;
	int fd = message->fd;

	message->fd = -1;
	return site_listen(&worker->site, listen, fd, err);
}

static int on_history(struct web_worker *worker, struct ipc_message *message, struct err *err)
{
	int code = events_history(&worker->site.events, message->fd);

	(void)err;
	message->fd = -1;
	if (code)
		log_warning("the log cannot be read: %s: records of before are missing",
			    strerror(-code));
	return 0;
}

static int on_feed(struct web_worker *worker, struct ipc_message *message, struct err *err)
{
	int code = events_feed(&worker->site.events, message->fd);

	message->fd = -1;
	return code ? err_errno(err, code, "cannot read the record feed") : 0;
}

static int on_reply(struct web_worker *worker, struct ipc_message *message, struct err *err)
{
	(void)err;
	site_replied(&worker->site, message->payload, message->fd);
	return 0;
}

static int on_boot_state(struct web_worker *worker, struct ipc_message *message, struct err *err)
{
	(void)err;
	boot_take_state(&worker->site.boot, message->payload);
	return 0;
}

static int on_ping(struct web_worker *worker, struct ipc_message *message, struct err *err)
{
	(void)message;
	(void)err;
	/* A dead channel is told to the callback, later. */
	ipc_send(&worker->channel, IPC_PONG, NULL, -1);
	return 0;
}

static void on_drain_tick(uv_timer_t *timer);

static void become_relieved(struct web_worker *worker)
{
	worker->relieved = true;
	site_keep_files(&worker->site);
	uv_timer_start(&worker->drain, on_drain_tick, RELIEVED_TICK_MS, RELIEVED_TICK_MS);
	ipc_send(&worker->channel, IPC_RELIEVED, NULL, -1);
}

static void on_drain_tick(uv_timer_t *timer)
{
	struct web_worker *worker = timer->data;
	const struct http_left left = site_left(&worker->site);
	const bool late = uv_now(timer->loop) >= worker->drain_until;
	const bool over = late && worker->given_up;

	if (worker->relieved) {
		if (!left.files)
			worker_finish(worker, 0);
	} else if (left.files && !worker->last && (over || !left.others)) {
		become_relieved(worker);
	} else if (over || !(left.files || left.others)) {
		worker_finish(worker, 0);
	} else if (late) {
		worker->given_up = true;
		worker->drain_until += DRAIN_LAST_MS;
		site_give_up(&worker->site);
	}
}

static void cut_files(struct web_worker *worker)
{
	const unsigned int n = site_left(&worker->site).files;

	if (n)
		log_warning("%u %s not sent whole: this worker was relieved, and ends", n,
			    plural(n, "file is", "files are"));
	worker_finish(worker, 0);
}

static int on_drain(struct web_worker *worker, struct ipc_message *message, struct err *err)
{
	const struct ipc_drain *drain = message->payload;

	(void)err;
	worker->last |= drain->last != 0;
	if (worker->relieved && worker->last)
		cut_files(worker);
	if (worker->draining)
		return 0;
	worker->draining = true;
	site_drain(&worker->site);
	worker->drain_until = uv_now(&worker->loop) + DRAIN_MS;
	uv_timer_start(&worker->drain, on_drain_tick, 0, DRAIN_TICK_MS);
	return 0;
}

static const struct {
	int (*handle)(struct web_worker *worker, struct ipc_message *message, struct err *err);
	bool early; /* also before IPC_CONFIG */
} handlers[IPC_TYPE_END] = {
	[IPC_AUTH] = { on_auth, false },       [IPC_CONFIG] = { on_config, true },
	[IPC_TLS] = { on_tls, false },	       [IPC_LISTEN] = { on_listen, false },
	[IPC_HISTORY] = { on_history, false }, [IPC_FEED] = { on_feed, false },
	[IPC_REPLY] = { on_reply, false },     [IPC_PING] = { on_ping, true },
	[IPC_DRAIN] = { on_drain, false },     [IPC_BOOT_STATE] = { on_boot_state, false },
};

static void on_message(struct ipc_channel *channel, struct ipc_message *message, int reason)
{
	struct web_worker *worker = channel->data;
	struct err err;

	if (!message) {
		if (reason)
			log_warning("the channel to the agent broke: %s: this worker ends",
				    strerror(-reason));
		worker_finish(worker, reason ? 1 : 0);
		return;
	}
	if (message->type == IPC_DRAIN && !worker->config) {
		worker_finish(worker, 0);
		return;
	}
	if (!handlers[message->type].handle ||
	    (!worker->config && !handlers[message->type].early)) {
		err_set(&err, -EBADMSG, "message \"%s\" came too early",
			ipc_type_info(message->type)->name);
		worker_fault(worker, &err);
		return;
	}
	if (handlers[message->type].handle(worker, message, &err) != 0)
		worker_fault(worker, &err);
}

int web_worker_main(int ipc_fd)
{
	static struct web_worker worker;
	struct err err;
	int code;

	log_init("web", LOG_LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	if (mhd_lib_load(&err) != 0 || pcap_lib_load(&err) != 0) {
		log_err("the web worker cannot serve: %s: it ends", err.text);
		return 1;
	}
	if (sandbox_enter(&err) != 0) {
		log_err("the web worker cannot give up its rights: %s: it ends", err.text);
		return 1;
	}
	code = uv_loop_init(&worker.loop);
	if (code) {
		log_err("the web worker has no event loop: %s: it ends", uv_strerror(code));
		return 1;
	}
	uv_timer_init(&worker.loop, &worker.drain);
	worker.drain.data = worker.channel.data = &worker;
	code = ipc_open(&worker.channel, &worker.loop, ipc_fd, IPC_WEB, IPC_AGENT, on_message);
	if (code) {
		log_err("the channel to the agent cannot be read: %s: this worker ends",
			strerror(-code));
		worker_finish(&worker, 1);
	}
	uv_run(&worker.loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&worker.loop) != 0)
		log_warning("handles were left open at the end");
	config_free(worker.config);
	return worker.status;
}
