/* links: agent/packet_socket.c capture/source_packet.c capture/decode.c capture/decode_link.c */
/* links: agent/base/err.c agent/base/parse.c */
/*
 * Watches a link as the agent and a capture worker do together, and prints each frame whose
 * payload has a given text: for tests of the real packet ring.
 *
 *   capture_probe LINK TEXT COUNT [die|close]
 *
 * One line per frame, "from NUMBER" or "to NUMBER", where the number is what follows TEXT; ends
 * after COUNT of them, or after 10 s with 1. With "close" the ring is let go and mapped again after
 * every frame; with "die" a child reads it and is killed inside every third frame, and the next
 * child goes on: then the frames it died of are missing and counted at the end.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/packet_socket.h"
#include "agent/base/parse.h"
#include "capture/source_packet.h"

#define BLOCK_SIZE (64u << 10)
#define BLOCKS	   4u
#define LIMIT_S	   10

enum mode {
	MODE_STAY,
	MODE_CLOSE,
	MODE_DIE
};

/* Shared with the children. */
struct count {
	uint64_t seen;
	uint64_t died;
	uint64_t dropped;
};

struct probe {
	const char *text;
	uint64_t wanted;
	enum mode mode;
	struct count *count;
	time_t deadline;
};

static void on_frame(void *data, const struct source_frame *frame)
{
	const struct probe *probe = data;
	const uint8_t *at = NULL;
	struct frame decoded;

	/* An ICMP error repeats the datagram that it is about. */
	if (decode_ethernet(&frame->in, &decoded) == DECODE_OK && decoded.proto == IPPROTO_UDP &&
	    decoded.payload)
		at = memmem(decoded.payload, decoded.payload_len, probe->text, strlen(probe->text));
	if (!at)
		return;
	at += strlen(probe->text);
	probe->count->seen++;
	if (probe->mode == MODE_DIE && probe->count->seen % 3 == 0)
		(void)raise(SIGKILL);
	printf("%s %.*s\n", frame->direction == STATS_FROM_GUEST ? "from" : "to",
	       (int)strspn((const char *)at, "0123456789"), (const char *)at);
	(void)fflush(stdout);
}

static void take_losses(struct probe *probe, struct source_packet *source)
{
	struct source_losses losses;

	if (source_packet_losses(source, &losses))
		return;
	probe->count->died += losses.died;
	probe->count->dropped += losses.ring_full;
}

/* Reads until enough was seen, or the mode says to let go. 0, or a negative errno. */
static int watch(struct probe *probe, int fd)
{
	struct pollfd poll_fd = { .fd = dup(fd), .events = POLLIN };
	struct source_packet source;
	struct err err;
	int code = source_packet_open(&source, poll_fd.fd, BLOCK_SIZE, BLOCKS, &err);

	if (code) {
		(void)fprintf(stderr, "%s\n", err.text);
		return code;
	}
	take_losses(probe, &source);
	while (probe->count->seen < probe->wanted && time(NULL) < probe->deadline) {
		size_t max = probe->mode == MODE_CLOSE ? 1 : 256;

		if (poll(&poll_fd, 1, 200) > 0 &&
		    source_packet_read(&source, max, on_frame, probe) && probe->mode == MODE_CLOSE)
			break;
	}
	take_losses(probe, &source);
	source_packet_close(&source);
	return 0;
}

static int watch_in_child(struct probe *probe, int fd)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (pid == 0)
		_exit(watch(probe, fd) ? 1 : 0);
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && WEXITSTATUS(status) ? -EIO : 0;
}

static int usage(void)
{
	(void)fprintf(stderr, "usage: capture_probe LINK TEXT COUNT [die|close]\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct probe probe = { .deadline = time(NULL) + LIMIT_S };
	struct err err;
	int fd, code = 0;

	if (argc < 4 || argc > 5 || parse_u64(argv[3], 1, 1000000, &probe.wanted, &err))
		return usage();
	probe.text = argv[2];
	if (argc == 5)
		probe.mode = strcmp(argv[4], "die") == 0 ? MODE_DIE : MODE_CLOSE;
	probe.count = mmap(NULL, sizeof(*probe.count), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (probe.count == MAP_FAILED)
		return 1;
	if (packet_socket_open(if_nametoindex(argv[1]), BLOCK_SIZE, BLOCKS, &fd, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	/* From here on nothing that is sent is missed. */
	printf("ready\n");
	(void)fflush(stdout);
	while (!code && probe.count->seen < probe.wanted && time(NULL) < probe.deadline)
		code = probe.mode == MODE_DIE ? watch_in_child(&probe, fd) : watch(&probe, fd);
	printf("seen %llu died %llu dropped %llu\n", (unsigned long long)probe.count->seen,
	       (unsigned long long)probe.count->died, (unsigned long long)probe.count->dropped);
	return code || probe.count->seen < probe.wanted;
}
