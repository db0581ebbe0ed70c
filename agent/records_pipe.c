/* The way of records from each capture worker to the first, which writes them. */
#include "agent/agent.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/base/log.h"

/*
 * Bytes of records, as the kernel counts them, that wait for the first capture worker of one other.
 */
#define RECORDS_MAX (16 << 20)

static void records_in(struct agent *a, struct ipc_channel *first, unsigned int index)
{
	const struct ipc_records_in in = { .index = index };

	if (first && a->records[index].open)
		ipc_send(first, IPC_RECORDS_IN, &in, a->records[index].in);
}

static void records_open(struct agent *a, unsigned int index)
{
	struct records_pipe *pipe = &a->records[index];
	const int size = RECORDS_MAX;
	int fds[2], code;

	code = ipc_pair(fds);
	if (code) {
		log_err("cannot connect capture worker %u to the first: %s: its records are lost "
			"and counted",
			index, strerror(-code));
		return;
	}
	/* unix(7): the sender's buffer bounds what waits, and one record. */
	if (setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		log_warning(
			"cannot enlarge what waits of capture worker %u: %s: fewer records of it "
			"can wait for the first",
			index, strerror(errno));
	*pipe = (struct records_pipe){ .open = true, .in = fds[0], .out = fds[1] };
	records_in(a, worker_channel(&a->captures[0]), index);
}

void agent_connect_records(struct agent *a, const struct worker *worker,
			   struct ipc_channel *channel)
{
	struct records_pipe *pipe = &a->records[worker->index];

	for (unsigned int i = 1; worker->index == 0 && i < STATS_CAPTURES_MAX; i++)
		records_in(a, channel, i);
	if (worker->index == 0)
		return;
	if (!pipe->open)
		records_open(a, worker->index);
	if (pipe->open)
		ipc_send(channel, IPC_RECORDS_OUT, NULL, pipe->out);
}

void agent_close_records(struct agent *a)
{
	for (unsigned int i = 0; i < STATS_CAPTURES_MAX; i++) {
		if (!a->records[i].open)
			continue;
		close(a->records[i].in);
		close(a->records[i].out);
	}
}
