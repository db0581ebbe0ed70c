/*
 * The messages between the agent and its workers: one table of types, lengths and directions.
 *
 * Both ends are the same binary on the same machine, so a payload is a struct as it lies in memory.
 * Every field is checked on receipt all the same: a worker may have been taken over by a guest.
 */
#ifndef TW_IPC_MSG_H
#define TW_IPC_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/boot_types.h"
#include "agent/base/parse.h"

/* A message and its header; larger things travel as a memfd. */
#define IPC_MESSAGE_MAX 16384
#define IPC_FDS_MAX	1

/* The ends of channels, as masks in struct ipc_type_info. */
enum ipc_end {
	IPC_AGENT = 1 << 0,
	IPC_CAPTURE = 1 << 1,
	IPC_WEB = 1 << 2
};

enum ipc_type {
	/* agent to a worker, in this order, before anything else */
	IPC_CONFIG = 1, /* struct ipc_config; fd: memfd with INI text */
	IPC_STATS, /* fd: the counters page set (stats.h); capture only */
	IPC_LOG_DIR, /* fd: the open log directory; capture only */
	IPC_AUTH, /* fd: memory of sessions and failed logins, shared by web workers; web only */
	/* fd: memfd of the certificate's and the key's PEM; web only, where tls-cert is set */
	IPC_TLS,

	/* agent to a worker, at any time once it said IPC_READY */
	IPC_LISTEN, /* struct ipc_listen; fd: a listening socket; web only */
	IPC_FEED, /* fd: SEQPACKET end, a JSON record a datagram: capture writes, web reads */
	/*
	 * fd: a file of the record log, the older before the newer; web only, before its first feed
	 */
	IPC_HISTORY,
	/* fd: the same of a capture worker that is not the first: it writes its records */
	IPC_RECORDS_OUT,
	/* struct ipc_records_in; fd: its other end; the first capture worker alone */
	IPC_RECORDS_IN,
	IPC_LINK_ADD, /* struct ipc_link; fd: as its source says; capture only */
	IPC_LINK_FD, /* struct ipc_link_fd; fd: one more of a link that was added; capture only */
	IPC_LINK_DEL, /* struct ipc_link_del; capture only */
	/* struct ipc_log; fd: a file to follow, behind those of the same slot; capture only */
	IPC_LOG,
	IPC_EVENT, /* struct ipc_event: becomes a record; capture only */
	IPC_REPLY, /* struct ipc_reply; fd: memfd with JSON text; web only */
	IPC_BOOT_STATE, /* struct ipc_boot_state: what a guest boots from here on; web only */
	IPC_PING, /* answered by IPC_PONG at once: the agent's watchdog */
	/* struct ipc_drain, at any time: finish what is in hand, flush, exit 0 */
	IPC_DRAIN,

	/* a worker to the agent */
	IPC_READY, /* struct ipc_ready: configured and sandboxed */
	IPC_PONG,
	IPC_FAULT, /* struct ipc_fault: why it cannot go on; it exits after */
	IPC_REQUEST, /* struct ipc_request; web only */
	IPC_BOOT_STEP, /* struct ipc_boot_step: how far a guest's boot came; web only */
	IPC_TRY, /* struct ipc_try; fd: memfd with what is tried; web only */
	IPC_PEER_LOST, /* struct ipc_peer_lost: the guest of an inline link; capture only */
	/* struct ipc_rest: the worker lets go of an inline link, for the next; capture only */
	IPC_REST,
	IPC_LEASE, /* struct ipc_lease; capture only */
	/* drained but for files that it sends on: another may serve; web only */
	IPC_RELIEVED,

	IPC_TYPE_END,
};

struct ipc_config {
	uint32_t generation; /* of the configuration, counted by the agent from 1 */
	uint32_t length; /* bytes of text in the memfd */
	uint32_t log_debug; /* 0 or 1 */
	uint32_t without_rules; /* 0 or 1: with them no capture worker came to be ready */
	uint32_t index, workers; /* which of how many of its role; below STATS_CAPTURES_MAX */
	char host[HOST_TEXT_MAX]; /* the record field "host" */
};

enum ipc_listener {
	IPC_LISTEN_API,
	IPC_LISTEN_BOOT,
	IPC_LISTEN_OPERATORS,
	IPC_LISTENERS
};

struct ipc_listen {
	uint32_t listener; /* enum ipc_listener */
	char address[HOST_TEXT_MAX + 8]; /* for messages: "192.0.2.1:8080" or a socket's path */
};

struct ipc_records_in {
	uint32_t index; /* of the capture worker whose records come there; never 0 */
};

/* Where the frames of a link come from, and what the fd is. */
enum ipc_source {
	IPC_SOURCE_PACKET, /* a packet socket with its ring set up */
	IPC_SOURCE_TAP, /* the tap itself, of which this is the only queue */
	/* the same; its guest is at the end of a socket that comes by IPC_LINK_FD */
	IPC_SOURCE_INLINE,
	IPC_SOURCES
};

struct ipc_link {
	/* place in the counters page, below STATS_LINKS_MAX; a used one is replaced */
	uint32_t slot;
	uint32_t ifindex;
	uint32_t source; /* enum ipc_source */
	uint32_t has_peer; /* 0 or 1: of an inline link, that socket follows */
	uint32_t ring_block_size; /* bytes; of a packet socket, whose ring is mapped from the fd */
	uint32_t ring_blocks;
	uint8_t mac[MAC_LEN];
	char name[IFNAME_SIZE];
	char set[NAME_MAX_LEN + 1];
	char guest[NAME_MAX_LEN + 1]; /* "" when no guest section names the link */
};

/*
 * What is in hand of an inline link, in this order: bytes from the guest, not a whole frame yet;
 * those on their way to it; and what is known of streams (capture/sift_save.h).
 */
#define IPC_REST_MAX	(2u << 20)
#define IPC_STREAMS_MAX (1u << 30)

struct ipc_rest {
	uint32_t slot;
	uint32_t in, out, streams;
	uint32_t streams_at; /* where those begin: what is before may be of no use any more */
	uint32_t lost; /* 0 or 1: some streams, of which nobody knows any more what was in them */
	uint32_t cut; /* 0 or 1: the bytes in hand are gone, and a stream cannot go on without */
};

struct ipc_peer_lost {
	uint32_t slot;
	int32_t reason; /* a negative errno; 0: it closed its end */
};

enum ipc_link_fd_kind {
	IPC_LINK_FD_DROPPED, /* the file where the kernel counts what a full tap lost */
	IPC_LINK_FD_REST, /* a memfd for what a worker has in hand when it is relieved */
	IPC_LINK_FD_STREAM, /* these two: the guest's socket, by enum peer_kind */
	IPC_LINK_FD_DGRAM,
	IPC_LINK_FD_FILTER, /* of an inline link: the program of its egress hook, struct bpf_op */
	IPC_LINK_FD_KINDS
};

struct ipc_link_fd {
	uint32_t slot;
	uint32_t kind; /* enum ipc_link_fd_kind */
	uint64_t dropped; /* of the first kind: what it said when the tap was opened */
	struct ipc_rest rest; /* of the second: what is in it */
};

struct ipc_drain {
	uint32_t last; /* 0 or 1: no other worker goes on where this one ends */
};

struct ipc_link_del {
	uint32_t slot;
};

/* A file that a [log] names, or named before it was rotated. */
struct ipc_log {
	uint32_t slot; /* place in the counters page */
	/* 0 or 1: the offset may be in the middle of a line, which is passed over */
	uint32_t partial;
	uint64_t file; /* never 0, and no two files have the same */
	uint64_t offset; /* where it is read from */
	char name[NAME_MAX_LEN + 1]; /* of the [log] */
};

enum ipc_event_kind {
	IPC_EVENT_LINK,
	IPC_EVENT_SERVICE,
	IPC_EVENT_KINDS
};

struct ipc_event {
	uint64_t time_ns; /* CLOCK_REALTIME */
	uint32_t kind; /* enum ipc_event_kind */
	char link[IFNAME_SIZE]; /* "" when none */
	char set[NAME_MAX_LEN + 1];
	char action[32]; /* "created", "deleted", "failed", "worker-restarted" ... */
	char detail[512];
};

/* What a worker has given up beyond its rights, see sandbox.h. */
struct ipc_sandbox {
	uint32_t seccomp; /* 0 or 1 */
	uint32_t landlock; /* the kernel's version of it; 0: without */
	uint32_t mseal; /* 0 or 1: machine code cannot be unmapped or made writable again */
	uint32_t mdwe; /* 0 or 1: PR_SET_MDWE, no more machine code */
};

struct ipc_ready {
	uint32_t generation; /* as in ipc_config */
	uint32_t patterns; /* capture: rules loaded */
	uint32_t jit; /* capture: how many of them run compiled */
	struct ipc_sandbox sandbox;
};

struct ipc_fault {
	char text[1024];
};

/* What a DHCP server answered to a guest, or (seconds 0) what is over. */
struct ipc_lease {
	uint32_t slot; /* of the link, as in ipc_link */
	uint32_t seconds; /* from now on; UINT32_MAX: for ever */
	uint8_t version; /* 4 or 6 */
	uint8_t mac[MAC_LEN]; /* who sent the answer */
	uint8_t zero;
	uint8_t address[16]; /* of IPv4, the first four, and the others 0 */
	uint8_t server[16]; /* whose the answer is, as the frame says */
};

/* What the web worker may ask of the agent; the table of handlers is in agent/api_ops.c. */
enum ipc_op {
	IPC_OP_STATUS,
	IPC_OP_SETS, /* these three: all, or the one called `name` */
	IPC_OP_LINKS,
	IPC_OP_PATTERNS,
	IPC_OP_REACH,
	IPC_OP_PLAN,
	IPC_OP_APPLY,
	IPC_OP_RELOAD,
	IPC_OP_RETRY,
	IPC_OP_PEER, /* whether the machine with the address `name` is behind `link` */
	/* opens what the guest `name` boots: its "kernel" or "initrd", by `link` */
	IPC_OP_BOOT_FILE,
	/* opens a file of kept frames: that of the number `name`, from 0 on, of those there are */
	IPC_OP_PCAP,
	IPC_OP_GUESTS, /* all, or the one called `name` */
	IPC_OP_BOOT_SET, /* the guest `name` is in the state `link` from here on */
	IPC_OP_SERIES, /* rates of the last hour, of the link `name`; ten minutes of all */
	IPC_OPS
};

struct ipc_request {
	uint64_t id; /* chosen by the web worker, repeated in the reply */
	uint32_t op; /* enum ipc_op */
	uint32_t role; /* enum user_role of who asks: the agent looks at it once more */
	uint32_t scope; /* of IPC_OP_PEER: the ifindex that a link-local address is of; 0: none */
	char user[NAME_MAX_LEN + 1]; /* who asks, for the log */
	char name[NAME_MAX_LEN + 1]; /* of a set, link or pattern; "": none */
	char plan[17]; /* of IPC_OP_APPLY: the hash that the plan must have */
	char link[IFNAME_SIZE]; /* of IPC_OP_PEER; of IPC_OP_BOOT_FILE which file; of
				* IPC_OP_BOOT_SET which state */
};

enum ipc_try_kind {
	IPC_TRY_PATTERN, /* capture/trial.h */
	IPC_TRY_PLAN, /* a configuration: what would it change? */
	IPC_TRY_KINDS
};

/* What a user tries; the answer is an IPC_REPLY. */
struct ipc_try {
	uint64_t id; /* as in ipc_request */
	uint32_t role; /* enum user_role */
	uint32_t kind; /* enum ipc_try_kind */
};

struct ipc_reply {
	uint64_t id;
	/*
	 * 0, or a negative errno: then the memfd holds a problem's detail as text, or as a JSON
	 * object with members beside
	 */
	int32_t error;
	/* bytes in the memfd, or in the file that it is (IPC_OP_BOOT_FILE, IPC_OP_PCAP) */
	uint32_t length;
};

struct ipc_boot_state {
	char guest[NAME_MAX_LEN + 1];
	uint32_t state; /* enum boot_state */
	char token[BOOT_TOKEN_SIZE]; /* that a phone-home must show; "": it changes nothing */
};

struct ipc_boot_step {
	char guest[NAME_MAX_LEN + 1];
	uint32_t step; /* enum boot_step */
	uint32_t booting; /* enum boot_state: what the script is of */
	char token[BOOT_TOKEN_SIZE]; /* that a phone-home showed, since it had to; else "" */
};

struct ipc_type_info {
	const char *name;
	unsigned int from; /* enum ipc_end mask: who may send it */
	unsigned int to; /* enum ipc_end mask: who takes it */
	size_t length; /* exact bytes of payload */
	unsigned int fds; /* exact number of file descriptors */
	int (*check)(
		const void *payload); /* beyond the length: 0 or -EBADMSG; NULL: nothing more */
};

/* NULL for a type that does not exist. */
const struct ipc_type_info *ipc_type_info(uint32_t type);

#endif
