/* links: agent/base/ipc.c agent/base/ipc_msg.c */
#include "agent/base/ipc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/stats.h"

/* One end is a channel, the other a bare socket that says whatever it likes. */
struct end {
	struct ipc_channel channel;
	uv_loop_t loop;
	int raw;
	unsigned int messages;
	enum ipc_type type;
	unsigned char payload[IPC_MESSAGE_MAX];
	int fd; /* taken when take_fds */
	bool take_fds;
	bool close_at_once;
	unsigned int deaths, closes;
	int reason;
};

static void on_closed(struct ipc_channel *channel)
{
	struct end *end = channel->data;

	end->closes++;
}

static void on_message(struct ipc_channel *channel, struct ipc_message *message, int reason)
{
	struct end *end = channel->data;

	if (!message) {
		end->deaths++;
		end->reason = reason;
	} else {
		end->messages++;
		end->type = message->type;
		memcpy(end->payload, message->payload, ipc_type_info(message->type)->length);
		if (end->take_fds) {
			end->fd = message->fd;
			message->fd = -1;
		}
	}
	if (end->close_at_once)
		ipc_close(channel, on_closed);
}

static unsigned int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	assert_non_null(dir);
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void open_end(struct end *end, enum ipc_end self, enum ipc_end peer)
{
	int fds[2];

	memset(end, 0, sizeof(*end));
	end->fd = -1;
	end->channel.data = end;
	assert_int_equal(ipc_pair(fds), 0);
	end->raw = fds[1];
	assert_int_equal(uv_loop_init(&end->loop), 0);
	assert_int_equal(ipc_open(&end->channel, &end->loop, fds[0], self, peer, on_message), 0);
}

/* Whatever happened before: closing tells once, and the loop is empty after. */
static void close_end(struct end *end)
{
	ipc_close(&end->channel, on_closed);
	ipc_close(&end->channel, on_closed);
	uv_run(&end->loop, UV_RUN_DEFAULT);
	assert_int_equal(end->closes, 1);
	assert_int_equal(uv_loop_close(&end->loop), 0);
	if (end->raw >= 0)
		close(end->raw);
}

/* Everything that waited was handed to the kernel. */
static bool is_idle(const struct end *end)
{
	return end->channel.queue == NULL;
}

static void turn(struct end *end)
{
	for (int i = 0; i < 4; i++)
		uv_run(&end->loop, UV_RUN_NOWAIT);
}

/* One datagram with `n_fds` descriptors beside it. */
static void send_raw(int sock, const void *bytes, size_t len, unsigned int n_fds)
{
	union {
		char room[CMSG_SPACE(64 * sizeof(int))];
		struct cmsghdr align;
	} control = { .room = { 0 } };
	struct iovec iov = { (void *)bytes, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n_fds) {
		struct cmsghdr *c;
		int fds[64];

		for (unsigned int i = 0; i < n_fds; i++)
			fds[i] = STDERR_FILENO;
		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(sock, &msg, MSG_NOSIGNAL), len);
}

struct raw_message {
	uint32_t type;
	uint32_t length;
	unsigned char payload[IPC_MESSAGE_MAX];
};

/* A message of the type that every check lets pass. */
static size_t good_message(enum ipc_type type, struct raw_message *m)
{
	struct ipc_config config = { .generation = 1, .workers = 1 };
	struct ipc_link link = { .ring_block_size = 4096, .ring_blocks = 1 };
	struct ipc_lease lease = { .version = 4, .address = { 192, 0, 2, 1 } };
	struct ipc_records_in in = { .index = 1 };
	struct ipc_log log = { .file = 1 };

	memset(m, 0, sizeof(*m));
	m->type = type;
	m->length = (uint32_t)ipc_type_info(type)->length;
	if (type == IPC_CONFIG)
		memcpy(m->payload, &config, sizeof(config));
	if (type == IPC_RECORDS_IN)
		memcpy(m->payload, &in, sizeof(in));
	if (type == IPC_LINK_ADD)
		memcpy(m->payload, &link, sizeof(link));
	if (type == IPC_LEASE)
		memcpy(m->payload, &lease, sizeof(lease));
	if (type == IPC_LOG)
		memcpy(m->payload, &log, sizeof(log));
	return 2 * sizeof(uint32_t) + m->length;
}

static const enum ipc_end ends[] = { IPC_AGENT, IPC_CAPTURE, IPC_WEB };

/* Each type passes from those who may send it to those who take it, and nowhere else. */
static void types_go_where_they_may(void **state)
{
	unsigned int before = count_fds();
	struct raw_message m;

	(void)state;
	for (uint32_t type = IPC_CONFIG; type < IPC_TYPE_END; type++) {
		const struct ipc_type_info *info = ipc_type_info(type);

		for (size_t i = 0; i < 9; i++) {
			enum ipc_end from = ends[i / 3], to = ends[i % 3];
			bool may = (info->from & from) && (info->to & to);
			struct end end;

			open_end(&end, to, from);
			send_raw(end.raw, &m, good_message(type, &m), info->fds);
			turn(&end);
			assert_int_equal(end.messages, may);
			assert_int_equal(end.deaths, !may);
			assert_int_equal(end.reason, may ? 0 : -EBADMSG);
			if (may)
				assert_int_equal(end.type, type);
			if (may)
				assert_memory_equal(end.payload, m.payload, info->length);
			close_end(&end);
			assert_int_equal(count_fds(), before);
		}
	}
}

static void table_is_sound(void **state)
{
	(void)state;
	assert_null(ipc_type_info(0));
	assert_null(ipc_type_info(IPC_TYPE_END));
	assert_null(ipc_type_info(UINT32_MAX));
	for (uint32_t type = IPC_CONFIG; type < IPC_TYPE_END; type++) {
		const struct ipc_type_info *info = ipc_type_info(type);

		assert_non_null(info);
		assert_true(info->from && info->to && !(info->from & info->to));
		assert_true(info->length + 2 * sizeof(uint32_t) <= IPC_MESSAGE_MAX);
		assert_true(info->fds <= IPC_FDS_MAX);
	}
}

/* After it the channel is dead for -EBADMSG, once, and holds nothing. */
static void expect_refusal(enum ipc_end self, enum ipc_end peer, const void *bytes, size_t len,
			   unsigned int n_fds)
{
	unsigned int before = count_fds();
	struct end end;

	open_end(&end, self, peer);
	send_raw(end.raw, bytes, len, n_fds);
	turn(&end);
	assert_int_equal(end.messages, 0);
	assert_int_equal(end.deaths, 1);
	assert_int_equal(end.reason, -EBADMSG);
	assert_int_equal(ipc_send(&end.channel, self == IPC_AGENT ? IPC_PING : IPC_PONG, NULL, -1),
			 -EPIPE);
	close_end(&end);
	assert_int_equal(count_fds(), before);
}

static void wrong_lengths_are_refused(void **state)
{
	struct raw_message m;

	(void)state;
	for (uint32_t type = IPC_READY; type <= IPC_REQUEST; type++) {
		size_t len = good_message(type, &m);

		expect_refusal(IPC_AGENT, IPC_WEB, &m, len + 1, 0);
		expect_refusal(IPC_AGENT, IPC_WEB, &m, sizeof(m), 0);
		for (size_t cut = 1; cut <= 8 && cut < len; cut++)
			expect_refusal(IPC_AGENT, IPC_WEB, &m, len - cut, 0);
		m.length++;
		expect_refusal(IPC_AGENT, IPC_WEB, &m, len, 0);
		expect_refusal(IPC_AGENT, IPC_WEB, &m, len + 1, 0);
		m.length = UINT32_MAX;
		expect_refusal(IPC_AGENT, IPC_WEB, &m, len, 0);
	}
}

/* Longer than the room that the receiver has: the kernel cuts it and says so. */
static void huge_messages_are_refused(void **state)
{
	static unsigned char bytes[4 * IPC_MESSAGE_MAX];
	struct raw_message m;

	(void)state;
	good_message(IPC_PONG, &m);
	memcpy(bytes, &m, 8);
	expect_refusal(IPC_AGENT, IPC_WEB, bytes, sizeof(bytes), 0);
	expect_refusal(IPC_AGENT, IPC_WEB, bytes, sizeof(bytes), 3);
}

static void unknown_types_are_refused(void **state)
{
	static const uint32_t types[] = { 0, IPC_TYPE_END, IPC_TYPE_END + 1, 1u << 31, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		uint32_t header[2] = { types[i], 0 };

		expect_refusal(IPC_AGENT, IPC_CAPTURE, header, sizeof(header), 0);
		expect_refusal(IPC_AGENT, IPC_CAPTURE, header, sizeof(header), 1);
	}
}

/* A type has its number of descriptors: none is kept of a message with another number. */
static void wrong_descriptors_are_refused(void **state)
{
	static const unsigned int numbers[] = { 0, 1, 2, 7, 8, 9, 64 };
	struct raw_message m;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (numbers[i] != 0)
			expect_refusal(IPC_AGENT, IPC_WEB, &m, good_message(IPC_PONG, &m),
				       numbers[i]);
		if (numbers[i] != 1)
			expect_refusal(IPC_WEB, IPC_AGENT, &m, good_message(IPC_FEED, &m),
				       numbers[i]);
	}
}

/* unix(7): where no descriptor can be made, the kernel drops it and sets MSG_CTRUNC. */
static void dropped_descriptors_are_noticed(void **state)
{
	struct rlimit limit, tight;
	struct raw_message m;
	struct end end;

	(void)state;
	open_end(&end, IPC_AGENT, IPC_WEB);
	send_raw(end.raw, &m, good_message(IPC_PONG, &m), 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	tight = limit;
	tight.rlim_cur = (rlim_t)end.raw + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	turn(&end);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(end.messages, 0);
	assert_int_equal(end.deaths, 1);
	assert_int_equal(end.reason, -EBADMSG);
	close_end(&end);
}

/* It looks like the end of the channel, so it is; descriptors beside it are closed. */
static void an_empty_message_is_the_end(void **state)
{
	unsigned int before = count_fds();

	(void)state;
	for (unsigned int n_fds = 0; n_fds < 3; n_fds++) {
		struct end end;

		open_end(&end, IPC_AGENT, IPC_WEB);
		send_raw(end.raw, "", 0, n_fds);
		turn(&end);
		assert_int_equal(end.deaths, 1);
		close_end(&end);
		assert_int_equal(count_fds(), before);
	}
}

/* Payload fields that are out of range: type, offset, bytes that are set to 0xff. */
static void wrong_fields_are_refused(void **state)
{
#define FIELD(message, member) \
	offsetof(struct message, member), sizeof(((struct message *)NULL)->member)
	static const struct {
		enum ipc_type type;
		size_t offset, size;
	} cases[] = {
		{ IPC_CONFIG, FIELD(ipc_config, host) },
		{ IPC_CONFIG, FIELD(ipc_config, log_debug) },
		{ IPC_CONFIG, FIELD(ipc_config, without_rules) },
		{ IPC_CONFIG, FIELD(ipc_config, index) },
		{ IPC_CONFIG, FIELD(ipc_config, workers) },
		{ IPC_LISTEN, FIELD(ipc_listen, listener) },
		{ IPC_LISTEN, FIELD(ipc_listen, address) },
		{ IPC_RECORDS_IN, FIELD(ipc_records_in, index) },
		{ IPC_LINK_ADD, FIELD(ipc_link, slot) },
		{ IPC_LINK_ADD, FIELD(ipc_link, name) },
		{ IPC_LINK_ADD, FIELD(ipc_link, set) },
		{ IPC_LINK_ADD, FIELD(ipc_link, guest) },
		{ IPC_LINK_ADD, FIELD(ipc_link, source) },
		{ IPC_LINK_FD, FIELD(ipc_link_fd, slot) },
		{ IPC_LINK_FD, FIELD(ipc_link_fd, kind) },
		{ IPC_LINK_DEL, FIELD(ipc_link_del, slot) },
		{ IPC_LOG, FIELD(ipc_log, slot) },
		{ IPC_LOG, FIELD(ipc_log, partial) },
		{ IPC_LOG, FIELD(ipc_log, offset) },
		{ IPC_LOG, FIELD(ipc_log, name) },
		{ IPC_EVENT, FIELD(ipc_event, kind) },
		{ IPC_EVENT, FIELD(ipc_event, link) },
		{ IPC_EVENT, FIELD(ipc_event, set) },
		{ IPC_EVENT, FIELD(ipc_event, action) },
		{ IPC_EVENT, FIELD(ipc_event, detail) },
		{ IPC_FAULT, FIELD(ipc_fault, text) },
		{ IPC_REQUEST, FIELD(ipc_request, op) },
		{ IPC_LEASE, FIELD(ipc_lease, slot) },
		{ IPC_LEASE, FIELD(ipc_lease, version) },
		{ IPC_LEASE, FIELD(ipc_lease, address) },
	};
	struct raw_message m;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct ipc_type_info *info = ipc_type_info(cases[i].type);
		size_t len = good_message(cases[i].type, &m);
		enum ipc_end from = info->from & IPC_AGENT ? IPC_AGENT
				    : info->from & IPC_WEB ? IPC_WEB
							   : IPC_CAPTURE;
		enum ipc_end to = info->to & IPC_AGENT ? IPC_AGENT
				  : info->to & IPC_WEB ? IPC_WEB
						       : IPC_CAPTURE;

		memset(m.payload + cases[i].offset, 0xff, cases[i].size);
		expect_refusal(to, from, &m, len, info->fds);
	}
	good_message(IPC_CONFIG, &m);
	memset(m.payload, 0, sizeof(uint32_t));
	expect_refusal(IPC_WEB, IPC_AGENT, &m, 8 + sizeof(struct ipc_config), 1);
}

/* Any bytes: it may be taken or refused, and nothing else happens. */
static void random_messages_do_no_harm(void **state)
{
	unsigned int before = count_fds(), taken = 0;
	uint32_t seed = 1;
	struct end end;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct raw_message m;
		size_t len;

		seed = seed * 1664525u + 1013904223u;
		len = good_message(IPC_CONFIG + (seed >> 24) % (IPC_TYPE_END - 1), &m);
		open_end(&end, ends[seed >> 8 & 1 ? 0 : 2], ends[seed >> 9 & 1 ? 0 : 1]);
		for (unsigned int flips = seed >> 10 & 3; flips; flips--) {
			seed = seed * 1664525u + 1013904223u;
			((unsigned char *)&m)[(seed >> 8) % (len + 4)] ^= (unsigned char)seed;
		}
		send_raw(end.raw, &m, len + (seed >> 12 & 1), seed >> 13 & 1);
		turn(&end);
		assert_int_equal(end.messages + end.deaths, 1);
		taken += end.messages;
		close_end(&end);
	}
	assert_true(taken > 10);
	assert_int_equal(count_fds(), before);
}

static void the_peers_end_is_told_once(void **state)
{
	struct end end;

	(void)state;
	open_end(&end, IPC_WEB, IPC_AGENT);
	close(end.raw);
	end.raw = -1;
	turn(&end);
	assert_int_equal(end.deaths, 1);
	assert_int_equal(end.reason, 0);
	assert_int_equal(ipc_send(&end.channel, IPC_PONG, NULL, -1), -EPIPE);
	close_end(&end);
	assert_int_equal(end.deaths, 1);
}

/* What was sent before the peer died is read first. */
static void last_words_are_heard(void **state)
{
	struct raw_message m;
	struct end end;

	(void)state;
	open_end(&end, IPC_AGENT, IPC_WEB);
	good_message(IPC_FAULT, &m);
	strcpy((char *)m.payload, "why");
	send_raw(end.raw, &m, 8 + m.length, 0);
	close(end.raw);
	end.raw = -1;
	turn(&end);
	assert_int_equal(end.messages, 1);
	assert_string_equal((char *)end.payload, "why");
	assert_int_equal(end.deaths, 1);
	assert_int_equal(end.reason, 0);
	close_end(&end);
}

static void the_callback_may_close(void **state)
{
	struct raw_message m;
	struct end end;

	(void)state;
	open_end(&end, IPC_AGENT, IPC_WEB);
	end.close_at_once = true;
	for (int i = 0; i < 10; i++)
		send_raw(end.raw, &m, good_message(IPC_PONG, &m), 0);
	turn(&end);
	assert_int_equal(end.messages, 1);
	assert_int_equal(end.deaths, 0);
	close_end(&end);

	open_end(&end, IPC_AGENT, IPC_WEB);
	end.close_at_once = true;
	send_raw(end.raw, "x", 1, 2);
	turn(&end);
	assert_int_equal(end.deaths, 1);
	close_end(&end);
}

static void a_descriptor_arrives(void **state)
{
	static const char text[] = "hello";
	unsigned int before = count_fds();
	struct end sender, receiver;
	char got[8] = "";
	int fd;

	(void)state;
	open_end(&sender, IPC_AGENT, IPC_WEB);
	open_end(&receiver, IPC_WEB, IPC_AGENT);
	/* The receiver's channel takes the place of the sender's bare end. */
	close(receiver.raw);
	receiver.raw = -1;
	turn(&receiver);
	close_end(&receiver);
	memset(&receiver, 0, sizeof(receiver));
	receiver.channel.data = &receiver;
	receiver.take_fds = true;
	assert_int_equal(uv_loop_init(&receiver.loop), 0);
	assert_int_equal(ipc_open(&receiver.channel, &receiver.loop, sender.raw, IPC_WEB, IPC_AGENT,
				  on_message),
			 0);
	sender.raw = receiver.raw = -1;

	fd = ipc_memfd("test", text, sizeof(text));
	assert_true(fd >= 0);
	assert_int_equal(ipc_send(&sender.channel, IPC_FEED, NULL, fd), 0);
	assert_true(is_idle(&sender));
	close(fd);
	turn(&receiver);
	assert_int_equal(receiver.type, IPC_FEED);
	assert_true(receiver.fd >= 0);
	assert_true(fcntl(receiver.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(read(receiver.fd, got, sizeof(got)), sizeof(text));
	assert_string_equal(got, text);
	close(receiver.fd);
	close_end(&sender);
	close_end(&receiver);
	assert_int_equal(count_fds(), before);
}

static void a_memfd_cannot_be_changed(void **state)
{
	int fd = ipc_memfd("test", "abc", 3);
	char got[4] = "";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(read(fd, got, 4), 3);
	assert_string_equal(got, "abc");
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_true(mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	close(fd);
	fd = ipc_memfd("empty", NULL, 0);
	assert_int_equal(read(fd, got, 4), 0);
	close(fd);
}

/* What the kernel cannot take waits, in order, with its descriptors. */
static void messages_wait_for_a_slow_peer(void **state)
{
	unsigned int before = count_fds();
	struct ipc_link_del del;
	unsigned char bytes[256];
	uint32_t sent = 0, got = 0;
	struct end end;

	(void)state;
	open_end(&end, IPC_AGENT, IPC_CAPTURE);
	while (sent < STATS_LINKS_MAX) {
		del.slot = sent++;
		assert_int_equal(ipc_send(&end.channel, IPC_LINK_DEL, &del, -1), 0);
	}
	assert_false(is_idle(&end));
	turn(&end);
	assert_int_equal(end.deaths, 0);
	while (got < sent) {
		ssize_t n = recv(end.raw, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			turn(&end);
			continue;
		}
		assert_int_equal(n, 8 + sizeof(del));
		memcpy(&del, bytes + 8, sizeof(del));
		assert_int_equal(del.slot, got);
		got++;
	}
	assert_true(is_idle(&end));
	assert_int_equal(ipc_send(&end.channel, IPC_PING, NULL, -1), 0);
	assert_true(is_idle(&end));
	close_end(&end);
	assert_int_equal(count_fds(), before);
}

/* A waiting message has a descriptor of its own, which goes with the channel. */
static void waiting_descriptors_are_closed(void **state)
{
	unsigned int before = count_fds();
	struct end end;

	(void)state;
	open_end(&end, IPC_AGENT, IPC_CAPTURE);
	while (is_idle(&end))
		assert_int_equal(ipc_send(&end.channel, IPC_PING, NULL, -1), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(ipc_send(&end.channel, IPC_FEED, NULL, STDERR_FILENO), 0);
	assert_true(count_fds() >= before + 100);
	close_end(&end);
	assert_int_equal(count_fds(), before);
}

/* The owner hears why from the loop, once, and not from inside ipc_send(). */
static void a_peer_that_never_reads_is_given_up(void **state)
{
	unsigned int before = count_fds(), sent = 0;
	struct end end;
	char byte[1];
	int code;

	(void)state;
	open_end(&end, IPC_AGENT, IPC_CAPTURE);
	while ((code = ipc_send(&end.channel, IPC_PING, NULL, -1)) == 0)
		assert_true(++sent < 2 * IPC_QUEUE_MAX);
	assert_int_equal(code, -ENOBUFS);
	assert_true(sent >= IPC_QUEUE_MAX);
	assert_int_equal(end.deaths, 0);
	/* What happens to the socket after does not hide the reason. */
	while (recv(end.raw, byte, sizeof(byte), MSG_DONTWAIT) > 0)
		;
	assert_true(ipc_send(&end.channel, IPC_PING, NULL, -1) < 0);
	turn(&end);
	assert_int_equal(end.deaths, 1);
	assert_int_equal(end.reason, -ENOBUFS);
	close_end(&end);
	assert_int_equal(count_fds(), before);
}

/* Two channels on one loop, many messages both ways. */
static void bursts_arrive_whole(void **state)
{
	static struct end a, b;
	const unsigned int n = 20000;
	struct raw_message m;

	(void)state;
	open_end(&a, IPC_AGENT, IPC_CAPTURE);
	memset(&b, 0, sizeof(b));
	b.channel.data = &b;
	assert_int_equal(ipc_open(&b.channel, &a.loop, a.raw, IPC_CAPTURE, IPC_AGENT, on_message),
			 0);
	a.raw = -1;
	good_message(IPC_EVENT, &m);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(ipc_send(&a.channel, IPC_EVENT, m.payload, -1), 0);
		assert_int_equal(ipc_send(&b.channel, IPC_PONG, NULL, -1), 0);
		if (i % 50 == 0)
			uv_run(&a.loop, UV_RUN_NOWAIT);
	}
	for (int i = 0; i < 100000 && (a.messages < n || b.messages < n); i++)
		uv_run(&a.loop, UV_RUN_NOWAIT);
	assert_int_equal(a.messages, n);
	assert_int_equal(b.messages, n);
	assert_int_equal(a.deaths + b.deaths, 0);
	ipc_close(&b.channel, on_closed);
	close_end(&a);
	assert_int_equal(b.closes, 1);
}

/* libuv keeps a pair of descriptors for signals once a loop was made. */
static int warm_up(void **state)
{
	struct end end;

	(void)state;
	open_end(&end, IPC_AGENT, IPC_WEB);
	close_end(&end);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_is_sound),
		cmocka_unit_test(types_go_where_they_may),
		cmocka_unit_test(wrong_lengths_are_refused),
		cmocka_unit_test(huge_messages_are_refused),
		cmocka_unit_test(unknown_types_are_refused),
		cmocka_unit_test(wrong_descriptors_are_refused),
		cmocka_unit_test(dropped_descriptors_are_noticed),
		cmocka_unit_test(an_empty_message_is_the_end),
		cmocka_unit_test(wrong_fields_are_refused),
		cmocka_unit_test(random_messages_do_no_harm),
		cmocka_unit_test(the_peers_end_is_told_once),
		cmocka_unit_test(last_words_are_heard),
		cmocka_unit_test(the_callback_may_close),
		cmocka_unit_test(a_descriptor_arrives),
		cmocka_unit_test(a_memfd_cannot_be_changed),
		cmocka_unit_test(messages_wait_for_a_slow_peer),
		cmocka_unit_test(waiting_descriptors_are_closed),
		cmocka_unit_test(a_peer_that_never_reads_is_given_up),
		cmocka_unit_test(bursts_arrive_whole),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, warm_up, NULL);
}
