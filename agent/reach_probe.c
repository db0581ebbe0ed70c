#include "agent/reach_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/reach_judge.h"

/* What arrived is read after so many frames. */
#define BURST 32

struct probe {
	struct reach_shots *shots;
	int wire; /* what is written to it seems to come in */
	/* For each port as many sockets as the run has ethertypes, or one for all. */
	struct pollfd *fds;
	size_t *ports; /* whose they are */
	size_t n;
};

/* Nothing but the frames of this run: each word is compared as the wire has it. */
static int filter(int fd, const uint32_t run[2])
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, REACH_FRAME_MARK),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(run[0]), 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, REACH_FRAME_MARK + sizeof(run[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(run[1]), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, REACH_FRAME_LEN),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	const struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

static int listen_to(struct probe *probe, size_t port, uint16_t protocol, struct err *err)
{
	const struct link_state *link = probe->shots->ports[port].link;
	const struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(protocol),
		.sll_ifindex = (int)link->ifindex,
	};
	/* Protocol 0: nothing is received before bind(2), see packet(7). */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_errno(err, -errno, "could not probe: no packet socket");
	probe->fds[probe->n] = (struct pollfd){ .fd = fd, .events = POLLIN };
	probe->ports[probe->n++] = port;
	if (filter(fd, probe->shots->run) < 0)
		return err_errno(err, -errno, "could not probe: no filter on a packet socket");
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return err_errno(err, -errno, "could not probe %s", link->name);
	return 0;
}

/*
 * A socket for all protocols is shown a frame before the filters of the link's ingress are asked,
 * one for its protocol after them (__netif_receive_skb_core()). But between them is whoever reads
 * the tap, and takes it. On the wire every frame is looked at; for the host it counts what the
 * stack is given, after macvlan took its own.
 */
static bool hears_all(const struct reach_shots *shots, size_t port)
{
	return port == REACH_PORT_WIRE || shots->ports[port].is_held;
}

static bool is_sent(const struct reach_shots *shots, uint16_t type)
{
	for (size_t i = 0; i < shots->n; i++) {
		if (reach_kind_types[shots->shots[i].kind] == type)
			return true;
	}
	return false;
}

static int open_port(struct probe *probe, size_t port, const uint16_t *types, struct err *err)
{
	int code = 0;

	if (hears_all(probe->shots, port))
		return listen_to(probe, port, ETH_P_ALL, err);
	for (size_t i = 0; code == 0 && i < REACH_KINDS && types[i]; i++)
		code = listen_to(probe, port, types[i], err);
	return code;
}

/* The ethertypes of the run, each once, 0 behind the last. */
static void list_types(const struct reach_shots *shots, uint16_t ret[REACH_KINDS + 1])
{
	size_t n = 0;

	for (size_t kind = 0; kind < REACH_KINDS; kind++) {
		const uint16_t type = reach_kind_types[kind];

		/* Kinds of one ethertype follow each other. */
		if (is_sent(shots, type) && (n == 0 || ret[n - 1] != type))
			ret[n++] = type;
	}
	ret[n] = 0;
}

static int fd_of(const struct probe *probe, size_t port)
{
	size_t i = 0;

	while (probe->ports[i] != port)
		i++;
	return probe->fds[i].fd;
}

static int send_shot(struct probe *probe, size_t number, struct err *err)
{
	const size_t from = probe->shots->shots[number].from;
	uint8_t frame[REACH_FRAME_LEN];

	reach_shots_frame(probe->shots, number, frame);
	if (from == REACH_PORT_WIRE) {
		if (write(probe->wire, frame, sizeof(frame)) < 0)
			return err_errno(err, -errno, "could not probe: nothing comes in by %s",
					 probe->shots->ports[from].link->name);
		return 0;
	}
	/* ENOBUFS: a filter or a queue of the sender dropped it (net_xmit_errno()): not arrived. */
	if (send(fd_of(probe, from), frame, sizeof(frame), 0) < 0 && errno != ENOBUFS)
		return err_errno(err, -errno, "could not probe: nothing can be sent by %s",
				 probe->shots->ports[from].link->name);
	return 0;
}

/*
 * A sender's own frames are shown to it as outgoing. Unicast between bridge mode links is received
 * by the lower device too, on its way (macvlan_queue_xmit()): only a broadcast tells of a switch.
 */
static void take(struct probe *probe, size_t port, const uint8_t *frame, unsigned char type)
{
	bool is_outgoing = type == PACKET_OUTGOING;
	struct reach_mark mark;
	struct reach_shot *shot;

	memcpy(&mark, frame + REACH_FRAME_MARK, sizeof(mark));
	if (ntohl(mark.shot) >= probe->shots->n)
		return;
	shot = &probe->shots->shots[ntohl(mark.shot)];
	if (port == REACH_PORT_WIRE && shot->from != REACH_PORT_WIRE && !is_outgoing &&
	    shot->cast == REACH_BROADCAST)
		probe->shots->came_back = true;
	if (shot->to == port && is_outgoing == (port == REACH_PORT_WIRE))
		shot->arrived = true;
}

static void receive(struct probe *probe, int fd, size_t port)
{
	struct sockaddr_ll from = { 0 };
	uint8_t frame[REACH_FRAME_LEN];
	socklen_t len;

	for (;;) {
		len = sizeof(from);
		if (recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &len) !=
		    (ssize_t)sizeof(frame))
			return;
		/*
		 * The socket of a lower device is shown what macvlan gave to a link unless a tap
		 * took it (__netif_receive_skb_core(), orig_dev), under that link's index.
		 */
		if (from.sll_ifindex == (int)probe->shots->ports[port].link->ifindex)
			take(probe, port, frame, from.sll_pkttype);
	}
}

/* Reads what is there, or comes within `wait_ms`; returns whether anything was. */
static bool listen_for(struct probe *probe, int wait_ms)
{
	if (poll(probe->fds, probe->n, wait_ms) <= 0)
		return false;
	for (size_t i = 0; i < probe->n; i++) {
		if (probe->fds[i].revents)
			receive(probe, probe->fds[i].fd, probe->ports[i]);
	}
	return true;
}

static int64_t now_ms(void)
{
	return (int64_t)(clock_ns(CLOCK_MONOTONIC) / NS_PER_MS);
}

/* Until the frames from `first` on have arrived as far as they have to, or the time is over. */
static void await(struct probe *probe, size_t first, size_t n, int64_t *budget_ms)
{
	const int64_t begin = now_ms();

	while (!reach_shots_are_in(probe->shots, first, n) && now_ms() - begin < *budget_ms)
		listen_for(probe, 1);
	*budget_ms -= now_ms() - begin;
}

/* One burst after the other: a queue of the kernel that is full drops what is sent. */
static int run(struct probe *probe, struct err *err)
{
	const size_t n = probe->shots->n;
	int64_t budget_ms = REACH_PROBE_MAX_MS;
	int code;

	for (size_t i = 0; i < n; i++) {
		code = send_shot(probe, i, err);
		if (code < 0)
			return code;
		if (i % BURST != BURST - 1)
			continue;
		listen_for(probe, 0);
		await(probe, i + 1 - BURST, BURST, &budget_ms);
	}
	budget_ms = REACH_PROBE_MAX_MS;
	await(probe, 0, n, &budget_ms);
	/* And what must not arrive. */
	for (int64_t end = now_ms() + REACH_PROBE_MAX_MS; now_ms() < end;) {
		if (!listen_for(probe, REACH_PROBE_QUIET_MS))
			break;
	}
	return 0;
}

int reach_probe(struct reach_shots *shots, int wire, struct err *err)
{
	const size_t most = shots->n_ports * REACH_KINDS;
	struct probe probe = {
		.shots = shots,
		.wire = wire,
		.fds = calloc(most + 1, sizeof(*probe.fds)),
		.ports = calloc(most + 1, sizeof(*probe.ports)),
	};
	uint16_t types[REACH_KINDS + 1];
	int code = 0;

	if (!probe.fds || !probe.ports)
		code = err_errno(err, -ENOMEM, "could not probe");
	list_types(shots, types);
	for (size_t i = 0; code == 0 && shots->n && i < shots->n_ports; i++)
		code = open_port(&probe, i, types, err);
	if (code == 0 && shots->n)
		code = run(&probe, err);
	for (size_t i = 0; i < probe.n; i++)
		close(probe.fds[i].fd);
	free(probe.fds);
	free(probe.ports);
	return code;
}
