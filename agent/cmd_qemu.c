/* tapwarden qemu: runs a guest on the tap of a link, with the queues open. */
#include "agent/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/guest_dir.h"
#include "agent/guest_link.h"
#include "agent/lock.h"
#include "agent/qemu_args.h"
#include "netlink/tap_node.h"

#define VHOST_NET "/dev/vhost-net"

/* A command line; the kernel takes 6 MiB at most (execve(2)). */
#define LINE_MAX_BYTES (6u << 20)

static int find_link(const struct config *config, const struct cli_options *options,
		     struct link_keys *ret_keys, struct qemu_tap *ret, struct err *err)
{
	const struct guest_link_query query = { config, options->config, options->operands[0] };
	struct guest_link link;
	int code = guest_link_keys(&query, ret_keys, err);

	if (code == 0)
		code = guest_link_find(&query, ret_keys, &link, err);
	if (code)
		return code;
	memcpy(ret->link, link.name, sizeof(ret->link));
	memcpy(ret->mac, link.mac, MAC_LEN);
	ret->ifindex = link.ifindex;
	ret->queues = link.queues;
	return 0;
}

/* Where QEMU and the agent meet, of an inline link. */
static int find_socket(const struct config *config, const struct link_keys *keys,
		       struct qemu_tap *ret, struct err *err)
{
	const struct guest_dir dir = { .run_dir = config->agent.run_dir, .link = ret->link };
	int code = guest_dir_path(&dir, GUEST_END_QEMU, ret->here, err);

	if (code == 0)
		code = guest_dir_path(&dir, GUEST_END_RELAY, ret->there, err);
	ret->in_path = true;
	ret->peer = keys->peer;
	/* A socket is one queue. */
	ret->queues = 1;
	return code;
}

/* Every open is a queue that takes its share of the frames from whoever has the tap already. */
static int check_free(const struct qemu_tap *tap, struct err *err)
{
	struct tap_holder holder;
	int code = guest_link_holder(tap->link, tap->ifindex, tap->agent, &holder, err);

	if (code == 0 && holder.pid)
		return err_set(err, -EBUSY,
			       "%s (pid %d) holds its tap, and another open would take frames from "
			       "it: end that first",
			       holder.comm, (int)holder.pid);
	if (code == 0 && tap->agent)
		code = guest_link_holder(tap->link, tap->ifindex, 0, &holder, err);
	if (code || !holder.pid)
		return code;
	return err_set(err, -EBUSY,
		       "the agent (pid %d) reads its tap itself: set monitor = passive, and reload "
		       "it, first",
		       (int)tap->agent);
}

static void close_vhost(struct qemu_tap *tap, unsigned int n)
{
	while (n)
		close(tap->vhost_fds[--n]);
}

/* Where there is no vhost, QEMU moves the frames by itself. */
static void open_vhost(struct qemu_tap *tap)
{
	for (unsigned int i = 0; i < tap->queues; i++) {
		tap->vhost_fds[i] = open(VHOST_NET, O_RDWR | O_CLOEXEC);
		if (tap->vhost_fds[i] >= 0)
			continue;
		if (errno != ENOENT)
			fprintf(stderr, "tapwarden: could not open %s: %s: going on without it\n",
				VHOST_NET, strerror(errno));
		close_vhost(tap, i);
		return;
	}
	tap->vhost = true;
}

/* The agent has the tap, and waits for the guest at its socket. */
static int check_relay(const struct qemu_tap *tap, struct err *err)
{
	char dir[QEMU_PATH_SIZE];
	struct tap_holder holder;
	int code = guest_link_holder(tap->link, tap->ifindex, tap->agent, &holder, err);

	if (code)
		return code;
	if (holder.pid)
		return err_set(
			err, -EBUSY,
			"%s (pid %d) holds its tap, and the agent waits for its end to relay "
			"the frames: end that first",
			holder.comm, (int)holder.pid);
	if (!tap->agent)
		return err_set(err, -ECONNREFUSED,
			       "no agent runs that would relay its frames, and it is inline: start "
			       "`tapwarden run` first");
	snprintf(dir, sizeof(dir), "%.*s", (int)(strrchr(tap->here, '/') - tap->here), tap->here);
	if (access(dir, W_OK | X_OK) < 0)
		return err_errno(err, -errno, "its socket cannot be made in %s", dir);
	return 0;
}

static int open_queue(struct qemu_tap *tap, unsigned int i, struct err *err)
{
	struct err why;
	int code = tap_node_open(tap->link, tap->ifindex, &tap->fds[i], &why);

	if (code == 0)
		return 0;
	return err_set(err, code, "%s%s", why.text,
		       code == -EACCES ? ": owner and perms of its set say who may" : "");
}

static int open_tap(struct qemu_tap *tap, struct err *err)
{
	int code = tap->in_path ? check_relay(tap, err) : check_free(tap, err);

	if (tap->in_path)
		return code;
	for (unsigned int i = 0; code == 0 && i < tap->queues; i++)
		code = open_queue(tap, i, err);
	/* Somebody else may have come in between. */
	if (code == 0)
		code = check_free(tap, err);
	if (code == 0)
		open_vhost(tap);
	return code;
}

static int next_free(int fd)
{
	while (fcntl(fd, F_GETFD) >= 0)
		fd++;
	return fd;
}

/* The numbers that open_tap() would get: the lowest that are free (open(2)). Opens no tap. */
static void number_tap(struct qemu_tap *tap)
{
	int fd = open(VHOST_NET, O_RDWR | O_CLOEXEC);

	tap->vhost = fd >= 0;
	if (fd >= 0)
		close(fd);
	fd = -1;
	for (unsigned int i = 0; i < tap->queues; i++)
		tap->fds[i] = fd = next_free(fd + 1);
	for (unsigned int i = 0; i < tap->queues; i++)
		tap->vhost_fds[i] = fd = next_free(fd + 1);
}

static int print(char *const *words, struct qemu_tap *tap, struct err *err)
{
	struct buf line;
	char **args;
	int code;

	if ((tap->in_path ? check_relay(tap, err) : check_free(tap, err)) < 0)
		cli_warn("now it could not be run: %s", err->text);
	if (!tap->in_path)
		number_tap(tap);
	code = qemu_args_make(words, tap, &args, err);
	if (code)
		return code;
	buf_init(&line, LINE_MAX_BYTES);
	qemu_args_quote(args, &line);
	if (line.failed)
		code = err_errno(err, -ENOMEM, "cannot print the command");
	else
		puts(line.data);
	buf_done(&line);
	qemu_args_free(args);
	return code;
}

static void keep_over_exec(const int *fds, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		fcntl(fds[i], F_SETFD, 0);
}

/* Returns only when it failed; the end of the process closes what is open. */
static int run(char *const *words, struct qemu_tap *tap, struct err *err)
{
	char **args = NULL;
	int code = open_tap(tap, err);

	if (code == 0)
		code = qemu_args_make(words, tap, &args, err);
	if (code)
		return code;
	if (!tap->in_path)
		keep_over_exec(tap->fds, tap->queues);
	if (tap->vhost)
		keep_over_exec(tap->vhost_fds, tap->queues);
	execvp(args[0], args);
	code = err_errno(err, -errno, "cannot run %s", args[0]);
	qemu_args_free(args);
	return code;
}

static int qemu(const struct cli_options *options, char *const *words)
{
	struct config *config = NULL;
	struct qemu_tap tap = { 0 };
	struct link_keys keys = { 0 };
	struct err err;
	int code;

	if (cli_config(options->config, &config) != 0)
		return CLI_BAD;
	tap.agent = agent_lock_pid(config->agent.run_dir);
	code = find_link(config, options, &keys, &tap, &err);
	if (code == 0 && keys.monitor == MONITOR_INLINE)
		code = find_socket(config, &keys, &tap, &err);
	config_free(config);
	if (code == 0)
		code = options->print ? print(words, &tap, &err) : run(words, &tap, &err);
	if (code) {
		err_prefix(&err, code, "cannot run a guest on %s", options->operands[0]);
		return cli_fail(&err, NULL);
	}
	return cli_flush(CLI_DONE);
}

int cmd_qemu(int argc, char **argv)
{
	struct cli_options options;
	struct err err;
	int end = 1;

	/* What follows is the command's own, whatever it looks like. */
	while (end < argc && strcmp(argv[end], "--") != 0)
		end++;
	if (cli_options(end, argv, CLI_PRINT, 1, &options) != 0)
		return CLI_BAD;
	if (end + 1 >= argc) {
		err_set(&err, -EINVAL,
			"no command after \"--\": what is to run on %s? `tapwarden help qemu` has "
			"an example",
			options.operands[0]);
		return cli_fail(&err, NULL);
	}
	if (qemu_args_check(argv + end + 1, &err) != 0)
		return cli_fail(&err, "`tapwarden help qemu` explains them");
	return qemu(&options, argv + end + 1);
}
