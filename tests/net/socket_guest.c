/* links: capture/frame_buf.c agent/base/parse.c agent/base/err.c */
/*
 * socket_guest LINK NETNS TAP LOCAL [REMOTE]: plays a QEMU whose -netdev is a unix socket.
 *
 * Makes the network device TAP, with the MAC of LINK, in the network namespace NETNS, which stands
 * for the guest, and carries its frames through the socket. With LOCAL alone it listens there, as
 * `-netdev stream,server=on`, and takes one connection after the other; with REMOTE it sends
 * datagrams from the one to the other, as `-netdev dgram`. Start it by `ip netns exec HOST`.
 *
 * Says "ready LINK" when its socket is there, "peer LINK" for each connection. Exits 0 when asked
 * to.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "capture/frame_buf.h"
#include "tests/net/guest_device.h"

#define BUFFER_BYTES (1u << 20)

struct guest {
	const char *link;
	int tap;
	int socket; /* listening, or the datagrams' */
	int stream; /* the connection; -1: none */
	struct sockaddr_un remote;
	struct frame_buf in, out;
};

static volatile sig_atomic_t ending;

static void on_signal(int number)
{
	(void)number;
	ending = 1;
}

static void say(const char *what, const struct guest *guest)
{
	printf("%s %s\n", what, guest->link);
	(void)fflush(stdout);
}

static int name(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((size_t)snprintf(ret->sun_path, sizeof(ret->sun_path), "%s", path) >=
	    sizeof(ret->sun_path)) {
		errno = ENAMETOOLONG;
		return complain("%s", path);
	}
	return 0;
}

/* QEMU takes the name from whoever had it before (unix_listen_saddr(), net/dgram.c). */
static int open_socket(struct guest *guest, int type, const char *path)
{
	struct sockaddr_un local;

	if (name(path, &local) < 0)
		return -1;
	(void)unlink(path);
	guest->socket = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (guest->socket < 0 ||
	    bind(guest->socket, (struct sockaddr *)&local, sizeof(local)) < 0 ||
	    (type == SOCK_STREAM && listen(guest->socket, 1) < 0))
		return complain("%s", path);
	return 0;
}

/* ---- datagrams ------------------------------------------------------------------------------ */

static void datagrams(const struct guest *guest)
{
	static uint8_t frame[FRAME_MAX];
	ssize_t n;

	while ((n = recv(guest->socket, frame, sizeof(frame), 0)) > 0)
		(void)!write(guest->tap, frame, (size_t)n);
	while ((n = read(guest->tap, frame, sizeof(frame))) > 0)
		(void)sendto(guest->socket, frame, (size_t)n, 0,
			     (const struct sockaddr *)&guest->remote, sizeof(guest->remote));
}

/* ---- a stream ------------------------------------------------------------------------------- */

static void hang_up(struct guest *guest)
{
	(void)close(guest->stream);
	guest->stream = -1;
	frame_buf_clear(&guest->in);
	frame_buf_clear(&guest->out);
}

static void greet(struct guest *guest)
{
	int fd = accept4(guest->socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	guest->stream = fd;
	say("peer", guest);
}

static void stream_in(struct guest *guest)
{
	const uint8_t *frame;
	size_t space, len;
	uint8_t *at = frame_buf_space(&guest->in, &space);
	ssize_t n = recv(guest->stream, at, space, 0);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		hang_up(guest);
		return;
	}
	frame_buf_filled(&guest->in, n < 0 ? 0 : (size_t)n);
	while (frame_buf_front(&guest->in, &frame, &len) == 1) {
		(void)!write(guest->tap, frame, len);
		frame_buf_pop(&guest->in);
	}
}

static void stream_out(struct guest *guest)
{
	const uint8_t *bytes;
	uint8_t *room;
	size_t len;
	ssize_t n;

	while ((room = frame_buf_room(&guest->out)) &&
	       (n = read(guest->tap, room, FRAME_BUF_FRAME_MAX)) > 0)
		frame_buf_push(&guest->out, (size_t)n);
	while ((bytes = frame_buf_bytes(&guest->out, &len)), len) {
		n = send(guest->stream, bytes, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		frame_buf_sent(&guest->out, (size_t)n);
	}
}

/* What the guest sends while nobody is connected is lost, as on a wire that is not plugged in. */
static void wait_for_peer(struct guest *guest)
{
	static uint8_t frame[FRAME_MAX];

	while (read(guest->tap, frame, sizeof(frame)) > 0)
		;
	greet(guest);
}

static void play(struct guest *guest)
{
	while (!ending) {
		struct pollfd fds[] = {
			{ .fd = guest->tap, .events = POLLIN },
			{ .fd = guest->stream >= 0 ? guest->stream : guest->socket,
			  .events = POLLIN },
		};

		if (guest->out.end > guest->out.begin)
			fds[1].events |= POLLOUT;
		if (poll(fds, 2, -1) < 0)
			continue;
		if (guest->remote.sun_path[0]) {
			datagrams(guest);
		} else if (guest->stream < 0) {
			wait_for_peer(guest);
		} else {
			stream_out(guest);
			stream_in(guest);
		}
	}
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct guest guest = { .tap = -1, .socket = -1, .stream = -1 };

	if (argc != 5 && argc != 6) {
		(void)fputs("usage: socket_guest LINK NETNS TAP LOCAL [REMOTE]\n", stderr);
		return 2;
	}
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	guest.link = argv[1];
	if (frame_buf_init(&guest.in, BUFFER_BYTES) < 0 ||
	    frame_buf_init(&guest.out, BUFFER_BYTES) < 0 ||
	    (argc == 6 && name(argv[5], &guest.remote) < 0) ||
	    open_socket(&guest, argc == 6 ? SOCK_DGRAM : SOCK_STREAM, argv[4]) < 0 ||
	    enter_netns(argv[2]) < 0 || make_tap(argv[3], &guest.tap) < 0 ||
	    copy_mac(guest.link, argv[3], guest.tap) < 0)
		return EXIT_FAILURE;
	say("ready", &guest);
	play(&guest);
	return EXIT_SUCCESS;
}
