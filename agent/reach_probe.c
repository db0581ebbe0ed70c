#include "agent/reach_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* IEEE Std 802 local experimental ethertype 1; linux/if_ether.h has no name for it. */
#define ETHERTYPE 0x88b5

/* What arrived is read after so many frames, so that no socket's buffer fills. */
#define BURST 32

struct frame {
	uint8_t to[MAC_LEN];
	uint8_t from[MAC_LEN];
	uint16_t ethertype;
	uint32_t run[2];
	uint32_t shot;
	char text[34];
} __attribute__((packed));

_Static_assert(sizeof(struct frame) == ETH_ZLEN, "the least that Ethernet carries");

struct probe {
	struct reach_shots *shots;
	struct pollfd *ports; /* as shots->ports */
	uint32_t run[2]; /* as on the wire */
};

/* Nothing but the frames of this run: each word is compared as the wire has it. */
static int filter(int fd, const uint32_t run[2])
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct frame, ethertype)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct frame, run)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(run[0]), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct frame, run) + sizeof(run[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(run[1]), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, sizeof(struct frame)),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

/*
 * A tap takes frames away before the stack's protocols are asked, so there and on the wire every
 * frame is looked at. For the host it counts what the stack is given, after macvlan took its own.
 */
static uint16_t protocol_of(const struct reach_shots *shots, size_t port)
{
	const struct link_state *link = shots->ports[port].link;

	if (port == REACH_PORT_WIRE ||
	    (port >= REACH_PORT_LINKS && link->kind == LINK_KIND_MACVTAP))
		return ETH_P_ALL;
	return ETHERTYPE;
}

static int open_port(struct probe *probe, size_t port, struct err *err)
{
	const struct link_state *link = probe->shots->ports[port].link;
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol_of(probe->shots, port)),
		.sll_ifindex = (int)link->ifindex,
	};
	/* Protocol 0: nothing is received before bind(2), see packet(7). */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(err, -errno, "could not probe: no packet socket");
	probe->ports[port] = (struct pollfd){ .fd = fd, .events = POLLIN };
	if (filter(fd, probe->run) < 0)
		return err_errno(err, -errno, "could not probe: no filter on a packet socket");
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_errno(err, -errno, "could not probe %s", link->name);
	return 0;
}

/* A unicast MAC that nobody has, for what is to go out. */
static void nobody(const struct probe *probe, uint8_t ret[MAC_LEN])
{
	ret[0] = 0x02; /* locally administered */
	memcpy(ret + 1, probe->run, MAC_LEN - 1);
}

static int send_shot(struct probe *probe, size_t number, struct err *err)
{
	const struct reach_shot *shot = &probe->shots->shots[number];
	const struct link_state *from = probe->shots->ports[shot->from].link;
	struct frame frame = {
		.ethertype = htons(ETHERTYPE),
		.run = { probe->run[0], probe->run[1] },
		.shot = htonl((uint32_t)number),
		.text = "tapwarden reach",
	};

	memcpy(frame.from, from->mac, MAC_LEN);
	if (shot->cast == REACH_BROADCAST)
		memset(frame.to, 0xff, MAC_LEN);
	else if (shot->to == REACH_PORT_WIRE)
		nobody(probe, frame.to);
	else
		memcpy(frame.to, probe->shots->ports[shot->to].link->mac, MAC_LEN);
	/* ENOBUFS: a filter or a queue of the sender dropped it (net_xmit_errno()): not arrived. */
	if (send(probe->ports[shot->from].fd, &frame, sizeof(frame), 0) < 0 && errno != ENOBUFS)
		return err_errno(err, -errno, "could not probe: nothing can be sent by %s",
				 from->name);
	return 0;
}

/*
 * A sender's own frames are shown to it as outgoing. Unicast between bridge mode links is received
 * by the lower device too, on its way (macvlan_queue_xmit()): only a broadcast tells of a switch.
 */
static void take(struct probe *probe, size_t port, const struct frame *frame, unsigned char type)
{
	const size_t number = ntohl(frame->shot);
	bool is_outgoing = type == PACKET_OUTGOING;
	struct reach_shot *shot;

	if (number >= probe->shots->n)
		return;
	shot = &probe->shots->shots[number];
	if (port == REACH_PORT_WIRE && !is_outgoing && shot->cast == REACH_BROADCAST)
		probe->shots->came_back = true;
	if (shot->to == port && is_outgoing == (port == REACH_PORT_WIRE))
		shot->arrived = true;
}

static void receive(struct probe *probe, size_t port)
{
	struct sockaddr_ll from = { 0 };
	struct frame frame;
	socklen_t len;

	for (;;) {
		len = sizeof(from);
		if (recvfrom(probe->ports[port].fd, &frame, sizeof(frame), 0,
			     (struct sockaddr *)&from, &len) != (ssize_t)sizeof(frame))
			return;
		/*
		 * The socket of a lower device is shown what macvlan gave to a link unless a tap
		 * took it (__netif_receive_skb_core(), orig_dev), under that link's index.
		 */
		if (from.sll_ifindex == (int)probe->shots->ports[port].link->ifindex)
			take(probe, port, &frame, from.sll_pkttype);
	}
}

/* Reads what is there, or comes within `wait_ms`; returns whether anything was. */
static bool listen_for(struct probe *probe, int wait_ms)
{
	const size_t n = probe->shots->n_ports;

	if (poll(probe->ports, n, wait_ms) <= 0)
		return false;
	for (size_t port = 0; port < n; port++) {
		if (probe->ports[port].revents)
			receive(probe, port);
	}
	return true;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int run(struct probe *probe, struct err *err)
{
	const int64_t end = now_ms() + REACH_PROBE_MAX_MS;
	bool quiet;
	int code;

	for (size_t i = 0; i < probe->shots->n; i++) {
		code = send_shot(probe, i, err);
		if (code < 0)
			return code;
		if (i % BURST == BURST - 1)
			listen_for(probe, 0);
	}
	do {
		quiet = !listen_for(probe, REACH_PROBE_QUIET_MS);
	} while (now_ms() < end && !(quiet && reach_shots_are_in(probe->shots)));
	return 0;
}

int reach_probe(struct reach_shots *shots, struct err *err)
{
	struct probe probe = { .shots = shots };
	int code = 0;

	if (shots->n == 0)
		return 0;
	probe.ports = calloc(shots->n_ports, sizeof(*probe.ports));
	if (!probe.ports)
		return err_errno(err, -ENOMEM, "could not probe");
	for (size_t i = 0; i < shots->n_ports; i++)
		probe.ports[i].fd = -1;
	if (getrandom(probe.run, sizeof(probe.run), 0) != (ssize_t)sizeof(probe.run))
		code = err_errno(err, -errno, "could not probe: no random number");
	for (size_t i = 0; code == 0 && i < shots->n_ports; i++)
		code = open_port(&probe, i, err);
	if (code == 0)
		code = run(&probe, err);
	for (size_t i = 0; i < shots->n_ports; i++) {
		if (probe.ports[i].fd >= 0)
			close(probe.ports[i].fd);
	}
	free(probe.ports);
	return code;
}
