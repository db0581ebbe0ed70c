#include "capture/worker_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "agent/base/log.h"
#include "agent/base/sandbox.h"
#include "capture/search_time.h"

/*
 * Patterns that cannot be loaded, for want of memory or because a library dies of them, must not
 * keep links from being relayed that are to fail open.
 */
static int load_rules(struct worker *w, struct err *err)
{
	size_t n = w->config->n_patterns;
	int code;

	if (!w->conf.without_rules)
		return ruleset_init(&w->rules, w->config, err);
	log_err("patterns are left out, since no worker came to be ready with them: frames of inline "
		"links pass or do not as `fail` says, until a reload");
	w->rules_error = true;
	w->config->n_patterns = 0;
	code = ruleset_init(&w->rules, w->config, err);
	w->config->n_patterns = n;
	return code;
}

int worker_on_config(struct worker *w, struct ipc_message *message, struct err *err)
{
	struct faults faults = { 0 };
	struct buf text;
	int code;

	memcpy(&w->conf, message->payload, sizeof(w->conf));
	snprintf(w->name, sizeof(w->name), w->conf.index ? "capture %u" : "capture", w->conf.index);
	log_init(w->name, w->conf.log_debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	code = config_load_fd(message->fd, &w->config, &faults);
	if (code) {
		buf_init(&text, sizeof(err->text));
		if (faults.n)
			fault_format(&faults.list[0], &text);
		err_set(err, code, "the configuration is faulty: %s",
			text.data ? text.data : strerror(-code));
		buf_done(&text);
		faults_done(&faults);
		return code;
	}
	faults_done(&faults);
	code = load_rules(w, err);
	return code ? code : config_links(w->config, &w->wishes, &w->n_wishes, err);
}

int worker_on_stats(struct worker *w, struct ipc_message *message, struct err *err)
{
	int code = stats_map(message->fd, &w->stats);

	return code ? err_errno(err, code, "cannot map the counters") : 0;
}

static void tell_rules(const struct worker *w)
{
	for (size_t i = 0; i < w->rules.n; i++) {
		const struct rule *rule = &w->rules.rules[i];
		const char *name = rule->conf->head.name, *reason;

		if (pattern_note(rule->pattern))
			log_info("pattern %s: %s", name, pattern_note(rule->pattern));
		if (!regex_jit(pattern_regex(rule->pattern), &reason))
			log_warning("pattern %s is not compiled to machine code: %s: it is "
				    "interpreted, several times slower",
				    name, reason);
	}
}

static void on_lease(void *data, const struct ipc_lease *lease)
{
	struct worker *w = data;

	ipc_send(&w->channel, IPC_LEASE, lease, -1);
}

/* The last of the first three: everything is there that the worker is made of. */
int worker_on_log_dir(struct worker *w, struct ipc_message *message, struct err *err)
{
	struct ipc_ready ready = {
		.generation = w->conf.generation,
		.patterns = (uint32_t)w->rules.n,
		.jit = (uint32_t)w->rules.n_jit,
	};
	uint64_t seed;
	int code;

	w->log_dir = message->fd;
	message->fd = -1;
	code = emitter_init(&w->emitter, w->conf.index, w->log_dir, w->conf.host,
			    &w->config->record, &w->stats->capture[w->conf.index]);
	if (code)
		return err_errno(err, code, "cannot keep records");
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return err_errno(err, -errno, "cannot have random numbers");
	code = inspector_init(&w->inspector, &w->rules, w->config, w->stats, &w->emitter,
			      w->conf.workers, seed);
	if (code)
		return err_errno(err, code, "cannot follow streams");
	w->inspector.guests.lease = on_lease;
	w->inspector.guests.data = w;
	code = log_watches_init(&w->logs, w->config, &w->rules, w->stats, &w->emitter, err);
	if (code)
		return code;
	code = record_feeds_init(&w->feeds, &w->emitter, w->stats, worker_flush, w);
	if (code)
		return err_errno(err, code, "cannot read the records of others");
	/* Where nothing is searched there is no need for its signals. */
	code = w->rules.n ? search_time_start() : 0;
	if (code)
		return err_errno(err, code, "cannot bound the time of searches");
	regex_scratch_guard(w->rules.scratch, &search_time_guard);
	tell_rules(w);
	w->sealed = true;
	code = sandbox_seal(SANDBOX_CAPTURE, w->log_dir, w->channel.fd, &ready.sandbox, err);
	return code ? code : ipc_send(&w->channel, IPC_READY, &ready, -1);
}
