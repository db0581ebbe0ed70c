/* links: capture/frame_buf.c agent/base/parse.c agent/base/err.c */
/*
 * inline_flood SOCKET NETNS DEVICE MAC FRAMES SEED [at-once]: plays a guest that does all it can to
 * get a text past the relay, and whoever listens on the wire.
 *
 * Listens at SOCKET as `-netdev stream,server=on` and sends FRAMES frames with the source MAC: TCP
 * connections whose stream has "forbidden-" and a digit somewhere, cut at random, in random order,
 * with repetitions that are cut otherwise, or have other bytes. What arrives at DEVICE of NETNS is
 * put together as receivers do, those that keep the first copy of a byte and those that keep the
 * last; none may come to the text, and no frame may have it. Some connections have none, and must
 * arrive whole. With "at-once" every text is in one segment, and there is no SYN, as where a
 * connection was there before.
 *
 * Says "flows N forbidden N arrived N innocent N short N frames N wire N"; exits 1 unless "arrived
 * 0" and "short 0".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/un.h>

#include "capture/frame_buf.h"
#include "tests/net/guest_device.h"

#define FLOWS	   32 /* at a time */
#define STREAM_MAX 400
#define PIECES_MAX 16
#define FRAMES_MAX 4096 /* of one batch */
#define HEADERS	   (14 + 20 + 20)
#define WAIT_MS	   20000
#define PORT	   1024
#define RCVBUF	   (64 << 20)

struct flow {
	uint8_t bytes[STREAM_MAX];
	size_t len;
	bool innocent;
	uint16_t port;
	uint32_t address, seq;
	uint8_t first[STREAM_MAX], last[STREAM_MAX];
	bool got[STREAM_MAX];
	bool in_frame; /* a frame arrived that has the text */
};

struct piece {
	unsigned int flow;
	uint16_t at, len;
	bool junk; /* other bytes than those of the stream */
	bool syn, rst;
};

struct flood {
	int stream, wire;
	uint8_t source[6], target[6];
	bool at_once;
	struct flow flows[FLOWS];
	struct piece pieces[FRAMES_MAX];
	size_t n_pieces;
	struct frame_buf out;
	uint64_t n_flows, n_forbidden, n_arrived, n_innocent, n_short, n_frames, n_wire;
};

static uint64_t state;

/* xorshift64*: the same on every machine. */
static uint32_t chance(uint32_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)((state * UINT64_C(2685821657736338717)) >> 33) % below;
}

/* ---- frames --------------------------------------------------------------------------------- */

static uint32_t sum(uint32_t sum_before, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum_before += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum_before;
}

static void put_sum(uint8_t *at, uint32_t value)
{
	while (value >> 16)
		value = (value & 0xffff) + (value >> 16);
	at[0] = (uint8_t)(~value >> 8);
	at[1] = (uint8_t)~value;
}

static void put32(uint8_t *at, uint32_t value)
{
	value = htonl(value);
	memcpy(at, &value, 4);
}

/* An IPv4 packet of `proto` around what is behind the IP header already. */
static void put_ip(const struct flood *flood, uint8_t *frame, uint8_t proto, uint32_t address,
		   size_t len)
{
	uint8_t *ip = frame + 14;

	memcpy(frame, flood->target, 6);
	memcpy(frame + 6, flood->source, 6);
	frame[12] = 8;
	frame[13] = 0;
	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[2] = (uint8_t)((20 + len) >> 8);
	ip[3] = (uint8_t)(20 + len);
	ip[8] = 64;
	ip[9] = proto;
	put32(ip + 12, address);
	put32(ip + 16, 0xc0000202);
	put_sum(ip + 10, sum(0, ip, 20));
}

static void flush(struct flood *flood)
{
	const uint8_t *bytes;
	size_t len;

	while ((bytes = frame_buf_bytes(&flood->out, &len)), len) {
		ssize_t n = send(flood->stream, bytes, len, MSG_NOSIGNAL);

		if (n <= 0) {
			perror("send");
			exit(EXIT_FAILURE);
		}
		frame_buf_sent(&flood->out, (size_t)n);
	}
}

static uint8_t *begin_frame(struct flood *flood)
{
	uint8_t *frame = frame_buf_room(&flood->out);

	if (frame)
		return frame;
	flush(flood);
	return frame_buf_room(&flood->out);
}

static void send_piece(struct flood *flood, const struct piece *piece)
{
	const struct flow *flow = &flood->flows[piece->flow];
	uint8_t *frame = begin_frame(flood), *tcp = frame + 34, pseudo[12];

	memset(tcp, 0, 20);
	tcp[0] = (uint8_t)(flow->port >> 8);
	tcp[1] = (uint8_t)flow->port;
	tcp[3] = 80;
	put32(tcp + 4, flow->seq + piece->at - piece->syn);
	put32(tcp + 8, 1);
	tcp[12] = 0x50;
	tcp[13] = piece->syn ? 0x02 : piece->rst ? 0x14 : 0x18;
	tcp[14] = 0x20;
	memcpy(tcp + 20, flow->bytes + piece->at, piece->len);
	if (piece->junk)
		memset(tcp + 20, '#', piece->len);
	put_ip(flood, frame, IPPROTO_TCP, flow->address, 20u + piece->len);
	memcpy(pseudo, frame + 26, 8);
	pseudo[8] = 0;
	pseudo[9] = IPPROTO_TCP;
	pseudo[10] = 0;
	pseudo[11] = 0;
	put_sum(tcp + 16, sum(sum(20u + piece->len, pseudo, 12), tcp, 20u + piece->len));
	frame_buf_push(&flood->out, HEADERS + (size_t)piece->len);
	flood->n_frames++;
}

/* A datagram with a number: when it arrives, all before it have, or never will. */
static void send_mark(struct flood *flood, uint32_t number)
{
	uint8_t *frame = begin_frame(flood), *udp = frame + 34;

	memset(udp, 0, 12);
	udp[3] = 9;
	udp[5] = 12;
	put32(udp + 8, number);
	put_ip(flood, frame, IPPROTO_UDP, 0x0afffffe, 12);
	frame_buf_push(&flood->out, 14 + 20 + 12);
	flush(flood);
}

/* ---- what is sent --------------------------------------------------------------------------- */

static void make_flow(struct flood *flood, struct flow *flow)
{
	static const char text[] = "forbidden-7";
	size_t at;

	memset(flow, 0, sizeof(*flow));
	flow->len = sizeof(text) + chance(STREAM_MAX - sizeof(text));
	flow->innocent = chance(8) == 0;
	for (size_t i = 0; i < flow->len; i++)
		flow->bytes[i] = (uint8_t)("fforbidden- \\r\\n07x"[chance(17)]);
	/* No text by chance: they end in a digit. */
	for (size_t i = 0; i < flow->len; i++)
		flow->bytes[i] = flow->bytes[i] >= '0' && flow->bytes[i] <= '9' ? 'x'
										: flow->bytes[i];
	at = chance((uint32_t)(flow->len - (sizeof(text) - 1)) + 1);
	memcpy(flow->bytes + at, text, sizeof(text) - 1);
	if (flow->innocent)
		flow->bytes[at + sizeof(text) - 2] = 'x';
	flow->address = 0x0a000000 + (uint32_t)(flood->n_flows / 50000);
	flow->port = (uint16_t)(PORT + flood->n_flows % 50000);
	flow->seq = chance(UINT32_MAX);
	flood->n_flows++;
	flood->n_innocent += flow->innocent;
	flood->n_forbidden += !flow->innocent;
}

static void add_piece(struct flood *flood, unsigned int flow, size_t at, size_t end, bool junk)
{
	if (at >= end || flood->n_pieces == FRAMES_MAX - FLOWS)
		return;
	flood->pieces[flood->n_pieces++] = (struct piece){
		.flow = flow, .at = (uint16_t)at, .len = (uint16_t)(end - at), .junk = junk
	};
}

/* The whole stream in pieces that may overlap. */
static void cut(struct flood *flood, unsigned int number)
{
	const struct flow *flow = &flood->flows[number];
	size_t n = flood->at_once ? 1 : 1 + chance(PIECES_MAX), at = 0;

	for (size_t i = 0; i < n && at < flow->len; i++) {
		size_t end = i + 1 == n ? flow->len
					: at + 1 + chance(2 * (uint32_t)(flow->len / n) + 1);
		size_t back = chance(4) == 0 ? chance(8) : 0;

		end = end < flow->len ? end : flow->len;
		add_piece(flood, number, back < at ? at - back : at, end, false);
		at = end;
	}
}

static void shuffle(struct flood *flood, size_t from)
{
	for (size_t i = flood->n_pieces; i > from + 1; i--) {
		size_t k = from + chance((uint32_t)(i - from));
		struct piece piece = flood->pieces[i - 1];

		flood->pieces[i - 1] = flood->pieces[k];
		flood->pieces[k] = piece;
	}
}

static void make_batch(struct flood *flood)
{
	size_t second;

	flood->n_pieces = 0;
	for (unsigned int i = 0; i < FLOWS; i++) {
		make_flow(flood, &flood->flows[i]);
		if (!flood->at_once)
			flood->pieces[flood->n_pieces++] = (struct piece){ .flow = i, .syn = true };
	}
	for (unsigned int i = 0; i < FLOWS; i++) {
		/*
		 * The first copy of something is not what the stream has: it is as if it were lost.
		 */
		if (!flood->flows[i].innocent && !flood->at_once && chance(4) == 0) {
			size_t at = chance((uint32_t)flood->flows[i].len);

			add_piece(flood, i, at, flood->flows[i].len, true);
		}
		cut(flood, i);
	}
	shuffle(flood, flood->at_once ? 0 : FLOWS);
	/* What did not arrive is sent again, cut otherwise; twice. */
	for (unsigned int again = 0; again < 2; again++) {
		second = flood->n_pieces;
		for (unsigned int i = 0; i < FLOWS; i++)
			cut(flood, i);
		if (again)
			shuffle(flood, second);
	}
	for (unsigned int i = 0; i < FLOWS; i++)
		flood->pieces[flood->n_pieces++] = (struct piece){
			.flow = i, .at = (uint16_t)flood->flows[i].len, .rst = true
		};
}

/* ---- what arrives --------------------------------------------------------------------------- */

/* "forbidden-" and a digit. */
static bool has_text(const uint8_t *bytes, size_t len)
{
	static const char text[] = "forbidden-";
	const size_t n = sizeof(text) - 1;

	for (size_t i = 0; i + n < len; i++) {
		if (memcmp(bytes + i, text, n) == 0 && bytes[i + n] >= '0' && bytes[i + n] <= '9')
			return true;
	}
	return false;
}

static void take(struct flow *flow, uint32_t seq, const uint8_t *bytes, size_t len)
{
	size_t at = seq - flow->seq;

	flow->in_frame |= has_text(bytes, len);

	if (at > flow->len || len > flow->len - at)
		return;
	for (size_t i = 0; i < len; i++) {
		if (!flow->got[at + i])
			flow->first[at + i] = bytes[i];
		flow->last[at + i] = bytes[i];
		flow->got[at + i] = true;
	}
}

static uint32_t get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, 4);
	return ntohl(value);
}

/* True for the mark. */
static bool take_frame(struct flood *flood, const uint8_t *frame, size_t len, uint32_t number)
{
	const uint8_t *ip = frame + 14, *tcp = ip + 20;

	if (len < HEADERS - 8 || memcmp(frame + 6, flood->source, 6) != 0 || ip[0] != 0x45)
		return false;
	if (ip[9] == IPPROTO_UDP)
		return get32(tcp + 8) == number;
	if (ip[9] != IPPROTO_TCP)
		return false;
	flood->n_wire++;
	for (unsigned int i = 0; i < FLOWS; i++) {
		struct flow *flow = &flood->flows[i];
		size_t total = (size_t)ip[2] << 8 | ip[3];

		if (flow->port == (tcp[0] << 8 | tcp[1]) && flow->address == get32(ip + 12))
			take(flow, get32(tcp + 4), tcp + 20, total - 40);
	}
	return false;
}

static void await_mark(struct flood *flood, uint32_t number)
{
	static uint8_t frame[FRAME_MAX];
	struct pollfd poll_fd = { .fd = flood->wire, .events = POLLIN };

	for (;;) {
		ssize_t n;

		if (poll(&poll_fd, 1, WAIT_MS) <= 0) {
			(void)fprintf(stderr, "mark %u did not arrive\n", number);
			exit(EXIT_FAILURE);
		}
		n = recv(flood->wire, frame, sizeof(frame), 0);
		if (n > 0 && take_frame(flood, frame, (size_t)n, number))
			return;
	}
}

static void judge(struct flood *flood)
{
	for (unsigned int i = 0; i < FLOWS; i++) {
		const struct flow *flow = &flood->flows[i];
		size_t whole = 0;

		/* What a program reads of it: all before the first hole. */
		while (whole < flow->len && flow->got[whole])
			whole++;
		if (flow->innocent)
			flood->n_short += whole < flow->len;
		flood->n_arrived += flow->in_frame || has_text(flow->first, whole) ||
				    has_text(flow->last, whole);
	}
}

/* ---- life ----------------------------------------------------------------------------------- */

static int greet(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	(void)unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 1) < 0)
		return complain("%s", path);
	return accept(fd, NULL, NULL);
}

static int listen_on_wire(struct flood *flood, const char *device)
{
	struct ifreq request = { 0 };
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	const int size = RCVBUF;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return complain("%s", device);
	memcpy(flood->target, request.ifr_hwaddr.sa_data, 6);
	if (ioctl(fd, SIOCGIFINDEX, &request) < 0)
		return complain("%s", device);
	address.sll_ifindex = request.ifr_ifindex;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return complain("%s", device);
	flood->wire = fd;
	return 0;
}

int main(int argc, char **argv)
{
	static struct flood flood;
	uint64_t frames, seed;
	uint32_t number = 0;

	if (argc < 7 || parse_mac(argv[4], flood.source, NULL) < 0 ||
	    parse_u64(argv[5], 1, UINT32_MAX, &frames, NULL) < 0 ||
	    parse_u64(argv[6], 1, UINT32_MAX, &seed, NULL) < 0) {
		(void)fputs("usage: inline_flood SOCKET NETNS DEVICE MAC FRAMES SEED [at-once]\n",
			    stderr);
		return 2;
	}
	state = seed;
	flood.at_once = argc > 7;
	flood.stream = greet(argv[1]);
	if (flood.stream < 0 || frame_buf_init(&flood.out, 1u << 20) < 0 ||
	    enter_netns(argv[2]) < 0 || listen_on_wire(&flood, argv[3]) < 0)
		return EXIT_FAILURE;
	while (flood.n_frames < frames) {
		make_batch(&flood);
		for (size_t i = 0; i < flood.n_pieces; i++)
			send_piece(&flood, &flood.pieces[i]);
		send_mark(&flood, ++number);
		await_mark(&flood, number);
		judge(&flood);
	}
	printf("flows %llu forbidden %llu arrived %llu innocent %llu short %llu frames %llu wire %llu\n",
	       (unsigned long long)flood.n_flows, (unsigned long long)flood.n_forbidden,
	       (unsigned long long)flood.n_arrived, (unsigned long long)flood.n_innocent,
	       (unsigned long long)flood.n_short, (unsigned long long)flood.n_frames,
	       (unsigned long long)flood.n_wire);
	return flood.n_arrived || flood.n_short ? EXIT_FAILURE : EXIT_SUCCESS;
}
