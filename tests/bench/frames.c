/* links: capture/frame_buf.c netlink/tap_node.c agent/base/parse.c agent/base/err.c */
/*
 * The ends of a relay, and the barest relay there is, to measure ours against.
 *
 *   frames guest PATH give SIZE COUNT SOURCE TARGET   as a QEMU that listens at PATH: sends COUNT
 *   frames guest PATH take                            as one: takes what comes until its peer goes
 *   frames guest PATH pace SIZE COUNT SOURCE TARGET RATE   as "give", so many in a second
 *   frames arrive IFACE SOURCE COUNT                  takes paced frames at a device
 *   frames wire IFACE SIZE COUNT SOURCE TARGET        sends COUNT from a device
 *   frames bare LINK PATH                             relays between LINK's tap and PATH
 *
 * A guest says "listening", and "attached" when its relay has called; then it waits for SIGUSR1.
 * SIZE is that of the Ethernet frame: TCP with a beginning of an HTTP request. Each says a line
 * "FRAMES SECONDS" at its end; "arrive" says "P50 P99", how many microseconds the frames were on
 * their way.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/parse.h"
#include "capture/frame_buf.h"
#include "netlink/tap_node.h"

#define BATCH	     64
#define BURST_NS     200000
#define FRAME_MAX    65536
#define BUFFER_BYTES (256u << 10)
#define WINDOW	     2048
#define WINDOWS_MAX  1024

static volatile sig_atomic_t ending;

static void on_signal(int number)
{
	(void)number;
	ending = 1;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double seconds(const struct timespec *ts)
{
	return (double)ts->tv_sec + (double)ts->tv_nsec / 1e9;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return seconds(&ts);
}

static unsigned long number(const char *text)
{
	uint64_t value;

	if (parse_u64(text, 1, UINT32_MAX, &value, NULL))
		die(text);
	return value;
}

/* ---- a frame -------------------------------------------------------------------------------- */

#define HEADERS (sizeof(struct ether_header) + sizeof(struct iphdr) + sizeof(struct tcphdr))

static uint32_t sum(uint32_t before, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < len; i++)
		before += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return before;
}

static uint16_t fold(uint32_t value)
{
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	return htons((uint16_t)~value);
}

/*
 * The rest of frame `i` of a connection: its place, and its checksum. The first opens the
 * connection and has data (RFC 7413), the last ends it.
 */
static void place_frame(uint8_t *frame, size_t size, uint16_t port, unsigned int i)
{
	uint32_t seq = i ? 1 + i * (uint32_t)(size - HEADERS) : 0;
	struct iphdr *ip = (void *)(frame + sizeof(struct ether_header));
	struct tcphdr *tcp = (void *)(ip + 1);
	size_t len = size - sizeof(struct ether_header) - sizeof(*ip);

	tcp->th_sport = htons(port);
	tcp->th_seq = htonl(seq);
	tcp->th_flags = i == 0 ? TH_SYN : i == BATCH - 1 ? TH_ACK | TH_RST : TH_ACK;
	tcp->th_sum = 0;
	tcp->th_sum = fold(sum(sum((uint32_t)len + IPPROTO_TCP, &ip->saddr, 8), tcp, len));
	ip->check = 0;
	ip->check = fold(sum(0, ip, sizeof(*ip)));
}

/*
 * One connection of BATCH frames after the other; the checksum changes with port and place alone.
 */
static void next_connection(uint8_t *const *frames, uint16_t port)
{
	for (int i = 0; i < BATCH; i++) {
		struct tcphdr *tcp =
			(void *)(frames[i] + sizeof(struct ether_header) + sizeof(struct iphdr));
		/* RFC 1624 */
		uint32_t change = (uint32_t)(uint16_t)~ntohs(tcp->th_sum) +
				  (uint16_t)~ntohs(tcp->th_sport) + port;

		tcp->th_sport = htons(port);
		tcp->th_sum = fold(change);
	}
}

static void make_frame(uint8_t *frame, size_t size, const char *source, const char *target)
{
	static const char request[] = "GET /index.html?item=4711 HTTP/1.1\r\nHost: shop.example\r\n"
				      "User-Agent: bench/1\r\nAccept: text/html\r\nCookie: a=b\r\n";
	struct ether_header *eth = (void *)frame;
	struct iphdr ip = {
		.version = 4,
		.ihl = 5,
		.tot_len = htons((uint16_t)(size - sizeof(*eth))),
		.ttl = 64,
		.protocol = IPPROTO_TCP,
		.saddr = htonl(0x0a000000u | (uint32_t)getpid()),
		.daddr = htonl(0xc0000202),
	};
	struct tcphdr tcp = {
		.th_sport = htons(40000), .th_dport = htons(80), .th_off = 5, .th_flags = TH_ACK
	};
	size_t head = sizeof(*eth) + sizeof(ip) + sizeof(tcp);

	if (size < head || size > FRAME_MAX || parse_mac(source, eth->ether_shost, NULL) ||
	    parse_mac(target, eth->ether_dhost, NULL)) {
		errno = EINVAL;
		die("frame");
	}
	eth->ether_type = htons(ETHERTYPE_IP);
	memcpy(frame + sizeof(*eth), &ip, sizeof(ip));
	memcpy(frame + sizeof(*eth) + sizeof(ip), &tcp, sizeof(tcp));
	for (size_t i = head; i < size; i++)
		frame[i] = (uint8_t)request[(i - head) % (sizeof(request) - 1)];
}

/* ---- the guest's end ------------------------------------------------------------------------ */

static int serve(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	sigset_t go;
	int s = socket(AF_UNIX, SOCK_STREAM, 0), fd, number;

	(void)sigemptyset(&go);
	(void)sigaddset(&go, SIGUSR1);
	(void)sigprocmask(SIG_BLOCK, &go, NULL);
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)unlink(path);
	if (s < 0 || bind(s, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(s, 1) < 0)
		die(path);
	(void)puts("listening");
	(void)fflush(stdout);
	fd = accept(s, NULL, NULL);
	if (fd < 0)
		die("accept");
	(void)close(s);
	(void)puts("attached");
	(void)fflush(stdout);
	(void)sigwait(&go, &number);
	return fd;
}

static void give(const char *path, char **words)
{
	static uint8_t frame[FRAME_MAX];
	size_t size = number(words[0]), count = number(words[1]), len;
	struct frame_buf out;
	uint8_t *frames[BATCH];
	const uint8_t *bytes;
	uint16_t port = 0;
	double begun;
	int fd;

	make_frame(frame, size, words[2], words[3]);
	if (frame_buf_init(&out, (size + 4) * BATCH + FRAME_BUF_FRAME_MAX + 4) < 0)
		die("frame_buf_init");
	for (int i = 0; i < BATCH; i++) {
		frames[i] = frame_buf_room(&out);
		memcpy(frames[i], frame, size);
		place_frame(frames[i], size, 1024, (unsigned int)i);
		frame_buf_push(&out, size);
	}
	bytes = frame_buf_bytes(&out, &len);
	fd = serve(path);
	begun = now();
	for (size_t sent = 0; sent < count && !ending; sent += BATCH) {
		next_connection(frames, 1024 + port++ % 60000);
		for (size_t done = 0; done < len;) {
			ssize_t n = send(fd, bytes + done, len - done, MSG_NOSIGNAL);

			if (n < 0)
				die("send");
			done += (size_t)n;
		}
	}
	printf("%zu %.6f\n", (count + BATCH - 1) / BATCH * BATCH, now() - begun);
	(void)fflush(stdout);
	while (!ending)
		(void)pause();
}

/*
 * In bursts, as many as are due: the sleep of a process is not as short as the time between two
 * frames.
 */
static void pace(const char *path, char **words)
{
	static uint8_t frame[FRAME_MAX];
	size_t size = number(words[0]), count = number(words[1]), rate = number(words[4]), sent = 0;
	struct timespec pause_time = { .tv_nsec = BURST_NS }, at;
	struct frame_buf out;
	double begun;
	int fd;

	make_frame(frame, size, words[2], words[3]);
	if (frame_buf_init(&out, (size + 4) * BATCH + FRAME_BUF_FRAME_MAX + 4) < 0)
		die("frame_buf_init");
	fd = serve(path);
	for (begun = now(); sent < count && !ending; (void)nanosleep(&pause_time, NULL)) {
		size_t due = (size_t)((now() - begun) * (double)rate), len;
		const uint8_t *bytes;

		for (uint8_t *room; sent < due && sent < count; sent++) {
			room = frame_buf_room(&out);
			if (!room)
				break;
			clock_gettime(CLOCK_REALTIME, &at);
			memcpy(frame + HEADERS, &at, sizeof(at));
			memcpy(room, frame, size);
			frame_buf_push(&out, size);
		}
		while ((bytes = frame_buf_bytes(&out, &len)), len) {
			ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

			if (n < 0)
				die("send");
			frame_buf_sent(&out, (size_t)n);
		}
	}
	printf("%zu %.6f\n", sent, now() - begun);
	(void)fflush(stdout);
	while (!ending)
		(void)pause();
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * Of each WINDOW frames by themselves, the medians of all. Where others want the processors, too,
 * one stop of a few milliseconds is the 99th percentile of a second: it is that of one window here.
 */
static void say_windows(double *took, size_t n)
{
	double p50[WINDOWS_MAX], p99[WINDOWS_MAX];
	size_t windows = 0;

	for (; windows < WINDOWS_MAX && (windows + 1) * WINDOW <= n; windows++) {
		double *window = took + windows * WINDOW;

		qsort(window, WINDOW, sizeof(*window), compare);
		p50[windows] = window[WINDOW / 2];
		p99[windows] = window[WINDOW * 99 / 100];
	}
	qsort(p50, windows, sizeof(*p50), compare);
	qsort(p99, windows, sizeof(*p99), compare);
	if (windows)
		printf("%.1f %.1f\n", p50[windows / 2], p99[windows / 2]);
}

/* When the kernel had the frame of `message`: how soon this process runs is no part of its way. */
static double arrived(struct msghdr *message)
{
	struct timespec at = { 0 };
	struct cmsghdr *c = CMSG_FIRSTHDR(message);

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
		memcpy(&at, CMSG_DATA(c), sizeof(at));
	return seconds(&at);
}

static void arrive(char **words)
{
	static uint8_t frame[FRAME_MAX];
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	size_t count = number(words[2]), n = 0;
	double *took = calloc(count, sizeof(*took));
	int s = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), room = 64 << 20, on = 1;
	uint8_t source[6], control[256];
	struct timespec at;

	address.sll_ifindex = (int)if_nametoindex(words[0]);
	if (!took || s < 0 || parse_mac(words[1], source, NULL) ||
	    setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0 ||
	    setsockopt(s, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
	    bind(s, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(words[0]);
	(void)puts("listening");
	(void)fflush(stdout);
	while (n < count && !ending) {
		struct iovec part = { frame, sizeof(frame) };
		struct msghdr message = { .msg_iov = &part,
					  .msg_iovlen = 1,
					  .msg_control = control,
					  .msg_controllen = sizeof(control) };
		ssize_t len = recvmsg(s, &message, 0);

		if (len < (ssize_t)(HEADERS + sizeof(at)) || memcmp(frame + 6, source, 6) != 0)
			continue;
		memcpy(&at, frame + HEADERS, sizeof(at));
		took[n++] = (arrived(&message) - seconds(&at)) * 1e6;
	}
	say_windows(took, n);
	free(took);
}

static void take(const char *path)
{
	struct frame_buf in;
	const uint8_t *frame;
	size_t frames = 0, space, len;
	double begun = 0, ended = 0;
	ssize_t n;
	int fd = serve(path);

	if (frame_buf_init(&in, BUFFER_BYTES) < 0)
		die("frame_buf_init");
	while (!ending) {
		uint8_t *at = frame_buf_space(&in, &space);

		n = recv(fd, at, space, 0);
		if (n <= 0)
			break;
		frame_buf_filled(&in, (size_t)n);
		ended = now();
		if (!frames)
			begun = ended;
		for (; frame_buf_front(&in, &frame, &len) == 1; frames++)
			frame_buf_pop(&in);
	}
	printf("%zu %.6f\n", frames, ended - begun);
}

/* ---- the wire's end ------------------------------------------------------------------------- */

static void wire(char **words)
{
	static uint8_t frame[FRAME_MAX], copies[BATCH][FRAME_MAX];
	size_t size = number(words[1]), count = number(words[2]), sent = 0;
	struct sockaddr_ll at = { .sll_family = AF_PACKET };
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	uint8_t *frames[BATCH];
	uint16_t port = 0;
	double begun;
	int s = socket(AF_PACKET, SOCK_RAW, 0);

	make_frame(frame, size, words[3], words[4]);
	at.sll_ifindex = (int)if_nametoindex(words[0]);
	if (s < 0 || bind(s, (struct sockaddr *)&at, sizeof(at)) < 0)
		die(words[0]);
	for (int i = 0; i < BATCH; i++) {
		frames[i] = copies[i];
		memcpy(frames[i], frame, size);
		place_frame(frames[i], size, 1024, (unsigned int)i);
		parts[i] = (struct iovec){ frames[i], size };
		messages[i] =
			(struct mmsghdr){ .msg_hdr = { .msg_iov = &parts[i], .msg_iovlen = 1 } };
	}
	begun = now();
	while (sent < count && !ending) {
		next_connection(frames, 1024 + port++ % 60000);
		int n = sendmmsg(s, messages, BATCH, 0);

		if (n < 0 && errno != ENOBUFS)
			die("sendmmsg");
		sent += n < 0 ? 0 : (size_t)n;
	}
	printf("%zu %.6f\n", sent, now() - begun);
}

/* ---- the barest relay ----------------------------------------------------------------------- */

static int open_tap(const char *link)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int most = INT32_MAX, fd;
	struct err err;

	if (tap_node_open(link, if_nametoindex(link), &fd, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	if (ioctl(fd, TUNSETIFF, &request) < 0 || ioctl(fd, TUNSETOFFLOAD, 0) < 0 ||
	    ioctl(fd, TUNSETSNDBUF, &most) < 0)
		die(link);
	return fd;
}

static int dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (s < 0 || connect(s, (struct sockaddr *)&address, sizeof(address)) < 0)
		die(path);
	return s;
}

/* One read and one write for each frame. */
static size_t tap_to_peer(int tap, int peer)
{
	static uint8_t frame[FRAME_MAX];
	size_t frames = 0;
	ssize_t n;

	while (frames < BATCH && (n = read(tap, frame, sizeof(frame))) > 0) {
		uint32_t length = htonl((uint32_t)n);
		struct iovec parts[] = { { &length, sizeof(length) }, { frame, (size_t)n } };

		if (writev(peer, parts, 2) < 0)
			die("writev");
		frames++;
	}
	return frames;
}

static size_t peer_to_tap(struct frame_buf *in, int peer, int tap)
{
	const uint8_t *frame;
	size_t frames = 0, space, len;
	uint8_t *at = frame_buf_space(in, &space);
	ssize_t n = recv(peer, at, space, MSG_DONTWAIT);

	if (n == 0)
		ending = 1;
	frame_buf_filled(in, n > 0 ? (size_t)n : 0);
	for (; frame_buf_front(in, &frame, &len) == 1; frames++) {
		(void)!write(tap, frame, len);
		frame_buf_pop(in);
	}
	return frames;
}

static void bare(char **words)
{
	struct frame_buf in;
	double begun = now();
	size_t frames = 0;
	int tap = open_tap(words[0]), peer = dial(words[1]);

	if (frame_buf_init(&in, BUFFER_BYTES) < 0)
		die("frame_buf_init");
	while (!ending) {
		struct pollfd fds[] = { { tap, POLLIN, 0 }, { peer, POLLIN, 0 } };

		if (poll(fds, 2, -1) < 0)
			break;
		if (fds[0].revents)
			frames += tap_to_peer(tap, peer);
		if (fds[1].revents)
			frames += peer_to_tap(&in, peer, tap);
	}
	printf("%zu %.6f\n", frames, now() - begun);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_signal };

	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	if (argc == 8 && strcmp(argv[1], "guest") == 0 && strcmp(argv[3], "give") == 0)
		give(argv[2], argv + 4);
	else if (argc == 4 && strcmp(argv[1], "guest") == 0 && strcmp(argv[3], "take") == 0)
		take(argv[2]);
	else if (argc == 7 && strcmp(argv[1], "wire") == 0)
		wire(argv + 2);
	else if (argc == 9 && strcmp(argv[1], "guest") == 0 && strcmp(argv[3], "pace") == 0)
		pace(argv[2], argv + 4);
	else if (argc == 5 && strcmp(argv[1], "arrive") == 0)
		arrive(argv + 2);
	else if (argc == 4 && strcmp(argv[1], "bare") == 0)
		bare(argv + 2);
	else
		return 2;
	return 0;
}
