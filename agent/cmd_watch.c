/* tapwarden watch: records and events as they come, until Ctrl-C. */
#include "agent/cli.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/api_client.h"
#include "agent/base/hint.h"
#include "agent/base/plural.h"
#include "agent/help_names.h"
#include "agent/watch_line.h"
#include "agent/watch_place.h"

/* After a reload or a worker's death the stream is back within a second or two. */
#define RETRY_MS 200
#define RETRIES	 50

struct watch {
	bool json;
	char **names; /* of what is shown */
	size_t n_names; /* 0: all is */
	uint64_t count; /* records to print; 0: no end */
	uint64_t printed;
	struct watch_place place;
	bool output_failed;
	struct buf line;
	sigset_t ends; /* the signals that end it; blocked, and read from a signalfd(2) */
};

/* While it prints: a reader that does not read, as less(1), must not make it deaf to Ctrl-C. */
static void end_now(int signal)
{
	(void)signal;
	_exit(CLI_DONE);
}

static int print_line(struct watch *watch, const char *line)
{
	int code;

	sigprocmask(SIG_UNBLOCK, &watch->ends, NULL);
	puts(line);
	code = fflush(stdout);
	sigprocmask(SIG_BLOCK, &watch->ends, NULL);
	return code;
}

/* The worker that answers now may have begun after records were written, and so may its agent. */
static enum watch_step follow(struct watch *watch, const char *line, size_t len,
			      const struct watch_seq *seq)
{
	uint64_t missed;
	enum watch_step step = watch_place_take(&watch->place, line, len, seq, &missed);

	if (step == WATCH_ANEW)
		fprintf(stderr,
			"tapwarden: the agent began anew: records are numbered from 0 again\n");
	if (missed)
		fprintf(stderr, "tapwarden: %" PRIu64 " %s in the log\n", missed,
			plural(missed, "record was missed: it is",
			       "records were missed: they are"));
	return step;
}

static int on_record(const char *line, size_t len, void *data)
{
	struct watch *watch = data;
	struct watch_seq seq;

	if (len == 0)
		return 0;
	buf_reset(&watch->line);
	if (watch_line(line, len, &watch->line, &seq) != 0) {
		fprintf(stderr, "tapwarden: a line of the stream is no record: it is left out\n");
		return 0;
	}
	if (follow(watch, line, len, &seq) == WATCH_SEEN)
		return 0;
	if (watch->n_names && !watch_is_of(line, len, watch->names, watch->n_names))
		return 0;
	if (print_line(watch, watch->json || watch->line.failed ? line : watch->line.data) != 0) {
		watch->output_failed = true;
		return 1;
	}
	watch->printed++;
	return watch->count && watch->printed == watch->count;
}

/* True when a signal ended the wait. */
static bool wait_or_stop(int stop_fd)
{
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };

	return poll(&p, 1, RETRY_MS) > 0;
}

static bool may_return(int code)
{
	return code == -ECONNRESET || code == -ECONNREFUSED || code == -ENOENT || code == -EPROTO;
}

/* A stream that has once been there is waited for; one that never was is an error at once. */
static int watch_run(struct watch *watch, const char *run_dir, int stop_fd, struct err *err)
{
	char header[WATCH_HEADER_MAX];
	const char *path;
	int tries = 0;
	int code;

	for (;;) {
		uint64_t before = watch->printed;

		path = watch_place_ask(&watch->place, header);
		code = api_stream(run_dir, path, *header ? header : NULL, stop_fd, on_record, watch,
				  err);
		if (watch->printed > before || code == -ECONNRESET)
			tries = RETRIES;
		if (!may_return(code) || tries-- == 0)
			return code;
		if (!watch->place.back)
			cli_warn("%s: connecting again", err->text);
		watch_place_cut(&watch->place);
		if (wait_or_stop(stop_fd))
			return 0;
	}
}

static int stop_signals(struct watch *watch, struct err *err)
{
	int fd;

	sigemptyset(&watch->ends);
	sigaddset(&watch->ends, SIGINT);
	sigaddset(&watch->ends, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &watch->ends, NULL) < 0)
		return err_errno(err, -errno, "cannot wait for signals");
	signal(SIGINT, end_now);
	signal(SIGTERM, end_now);
	fd = signalfd(-1, &watch->ends, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_errno(err, -errno, "cannot wait for signals") : fd;
}

/* `config` and `watch` are filled in. 0 or CLI_BAD. */
static int watch_options(int argc, char **argv, const char **ret_config, struct watch *watch)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "json", no_argument, NULL, 'j' },
		{ "count", required_argument, NULL, 'n' },
		{ 0 },
	};
	struct err err;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, ":c:n:", longs, NULL)) != -1) {
		if (c == 'c') {
			*ret_config = optarg;
		} else if (c == 'j') {
			watch->json = true;
		} else if (c == 'n') {
			if (parse_u64(optarg, 1, UINT64_MAX, &watch->count, &err) != 0) {
				err_prefix(&err, -EINVAL, "watch -n");
				return cli_fail(&err, NULL);
			}
		} else {
			return cli_usage_option(argv, c);
		}
	}
	watch->names = argv + optind;
	watch->n_names = (size_t)(argc - optind);
	return 0;
}

struct known {
	struct hint hint;
	char best[HINT_TEXT_MAX]; /* a name is handed over for the call alone */
	bool any, is;
};

static void know(const char *name, void *data)
{
	struct known *known = data;

	known->any = true;
	known->is = known->is || strcmp(name, known->hint.word) == 0;
	hint_try(&known->hint, name);
	if (known->hint.best == name) {
		snprintf(known->best, sizeof(known->best), "%s", name);
		known->hint.best = known->best;
	}
}

/* A name may come with the next reload: it is told and waited for. */
static void warn_of_unknown(const struct watch *watch, const char *path)
{
	char meant[HINT_TEXT_MAX];

	for (size_t i = 0; i < watch->n_names; i++) {
		struct known known = { .hint = hint_for(watch->names[i]) };

		help_names("NAME", path, know, &known);
		if (known.any && !known.is)
			cli_warn("%s has no link, set, pattern or log \"%s\"%s: waiting for one",
				 path, watch->names[i], hint_text(known.hint.best, meant));
	}
}

int cmd_watch(int argc, char **argv)
{
	const char *path = CONFIG_DEFAULT_PATH;
	char *run_dir = NULL;
	struct watch watch = { 0 };
	struct err err;
	int code, stop_fd;

	if (watch_options(argc, argv, &path, &watch) != 0 || cli_run_dir(path, &run_dir) != 0)
		return CLI_BAD;
	warn_of_unknown(&watch, path);
	buf_init(&watch.line, API_LINE_MAX);
	watch_place_init(&watch.place, API_LINE_MAX);
	stop_fd = stop_signals(&watch, &err);
	code = stop_fd < 0 ? stop_fd : watch_run(&watch, run_dir, stop_fd, &err);
	if (code)
		code = cli_fail(&err, NULL);
	if (stop_fd >= 0)
		close(stop_fd);
	buf_done(&watch.line);
	watch_place_done(&watch.place);
	free(run_dir);
	return watch.output_failed ? cli_flush(code) : code;
}
