/* links: agent/packet_socket.c capture/source_packet.c agent/base/err.c */
#include "capture/source_packet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/clock.h"
#include "agent/packet_socket.h"

/* ---- sizes ---------------------------------------------------------------------------------- */

#define KIB 1024u
#define MIB (1024u * KIB)

struct size_case {
	uint64_t budget;
	uint32_t links;
	uint32_t block_kib;
	uint32_t blocks; /* 0: does not fit */
};

static void sizes(void **state)
{
	static const struct size_case cases[] = {
		{ 64 * MIB, 1, 256, 64 },      { 64 * MIB, 0, 256, 64 },
		{ 64 * MIB, 4, 256, 64 },      { 64 * MIB, 5, 128, 102 },
		{ 64 * MIB, 16, 128, 32 },     { 64 * MIB, 17, 64, 60 },
		{ 64 * MIB, 64, 64, 16 },      { 64 * MIB, 512, 64, 2 },
		{ 64 * MIB, 513, 64, 0 },      { 16 * MIB - 1, 1, 128, 127 },
		{ 4 * MIB, 1, 128, 32 },       { 4 * MIB - 1, 1, 64, 63 },
		{ 128 * KIB, 1, 64, 2 },       { 128 * KIB - 1, 1, 64, 0 },
		{ UINT64_MAX, 4096, 256, 64 }, { 0, 1, 64, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct size_case *c = &cases[i];
		uint32_t block_size = 1, blocks = 2;
		struct err err = { "" };
		int code = packet_ring_size(c->budget, c->links, &block_size, &blocks, &err);

		if (!c->blocks) {
			assert_int_equal(code, -ENOSPC);
			assert_int_equal(block_size, 1);
			assert_int_equal(blocks, 2);
			assert_non_null(strstr(err.text, "ring-memory"));
			continue;
		}
		assert_int_equal(code, 0);
		assert_int_equal(block_size, c->block_kib * KIB);
		assert_int_equal(blocks, c->blocks);
		assert_true(!c->links || (uint64_t)block_size * blocks * c->links <= c->budget);
	}
}

/* ---- many at once --------------------------------------------------------------------------- */

#define MANY	 70
#define NO_INDEX 0x7ffffffeu /* no interface has it */

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Of the loopback interface, which every namespace has, and every third of none. */
static void many_at_once(void **state)
{
	struct packet_open list[MANY] = { 0 };
	int fds[MANY], n = 0;

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		list[i].ifindex = i % 3 ? 1 : NO_INDEX;
	packet_sockets_open(list, MANY, 64 * KIB, 2);
	for (size_t i = 0; i < MANY; i++) {
		struct sockaddr_ll address;
		socklen_t len = sizeof(address);

		/* None can be had without CAP_NET_RAW: then each says so. */
		if (list[1].fd < 0)
			assert_non_null(strstr(list[i].err.text, "cannot open a packet socket"));
		else if (i % 3 == 0)
			assert_non_null(strstr(list[i].err.text, "index 2147483646"));
		if (list[1].fd < 0 || i % 3 == 0) {
			assert_int_equal(list[i].fd, -1);
			continue;
		}
		assert_int_equal(getsockname(list[i].fd, (struct sockaddr *)&address, &len), 0);
		assert_int_equal(address.sll_ifindex, 1);
		fds[n++] = list[i].fd;
	}
	packet_sockets_close(fds, (size_t)n);
	for (int i = 0; i < n; i++)
		assert_false(is_open(fds[i]));
}

/* ---- a ring as the kernel leaves it, in a memfd --------------------------------------------- */

#define BLOCK_SIZE 4096u
#define BLOCKS	   4u
#define FIRST	   64u /* header of 48 bytes, private area of 16 */
#define STEP	   128u

static int ring_fd;
static uint8_t *ring;

static struct tpacket_block_desc *block(uint32_t i)
{
	return (struct tpacket_block_desc *)(ring + (size_t)i * BLOCK_SIZE);
}

static struct tpacket3_hdr *frame(uint32_t i, uint32_t n)
{
	return (struct tpacket3_hdr *)(ring + (size_t)i * BLOCK_SIZE + FIRST + (size_t)n * STEP);
}

static int set_up(void **state)
{
	(void)state;
	ring_fd = memfd_create("ring", MFD_CLOEXEC);
	assert_true(ring_fd >= 0);
	assert_int_equal(ftruncate(ring_fd, BLOCK_SIZE * BLOCKS), 0);
	ring = mmap(NULL, BLOCK_SIZE * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
	assert_true(ring != MAP_FAILED);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	munmap(ring, BLOCK_SIZE * BLOCKS);
	close(ring_fd);
	return 0;
}

/* As prb_open_block() of the kernel. */
static void open_block(uint32_t i, uint64_t seq)
{
	block(i)->offset_to_priv = sizeof(struct tpacket_block_desc);
	block(i)->hdr.bh1.offset_to_first_pkt = FIRST;
	block(i)->hdr.bh1.seq_num = seq;
	block(i)->hdr.bh1.num_pkts = 0;
}

/* Frames carry one letter each, counted up from `letter`. */
static void fill_block(uint32_t i, uint64_t seq, uint32_t n, char letter)
{
	open_block(i, seq);
	for (uint32_t k = 0; k < n; k++) {
		struct tpacket3_hdr *h = frame(i, k);
		struct sockaddr_ll from = { .sll_pkttype = k % 2 ? PACKET_OUTGOING : PACKET_HOST };

		*h = (struct tpacket3_hdr){
			.tp_next_offset = k + 1 < n ? STEP : 0,
			.tp_sec = 7,
			.tp_nsec = 5,
			.tp_snaplen = 1,
			.tp_len = 1,
			.tp_mac = 82,
		};
		memcpy((uint8_t *)h + TPACKET_ALIGN((int)sizeof(*h)), &from, sizeof(from));
		((char *)h)[82] = (char)(letter + (char)k);
	}
	block(i)->hdr.bh1.num_pkts = n;
	block(i)->hdr.bh1.block_status = TP_STATUS_USER;
}

struct told {
	char text[64];
	size_t n;
	size_t die_at; /* leaves by longjmp from this frame on, as a reader that dies */
	jmp_buf death;
};

static void on_frame(void *data, const struct source_frame *f)
{
	struct told *told = data;

	told->text[told->n++] = (char)f->in.bytes[0];
	assert_int_equal(f->in.len, 1);
	assert_int_equal(f->time_ns, UINT64_C(7000000005));
	if (told->n == told->die_at)
		longjmp(told->death, 1);
}

static void open_source(struct source_packet *source)
{
	struct err err;

	if (source_packet_open(source, dup(ring_fd), BLOCK_SIZE, BLOCKS, &err))
		fail_msg("%s", err.text);
}

static void check_read(struct source_packet *source, size_t max, const char *expect)
{
	struct told told = { .n = 0 };

	assert_int_equal(source_packet_read(source, max, on_frame, &told), strlen(expect));
	assert_string_equal(told.text, expect);
}

static void check_status(const char *expect)
{
	char text[BLOCKS + 1] = "";

	for (uint32_t i = 0; i < BLOCKS; i++)
		text[i] = block(i)->hdr.bh1.block_status & TP_STATUS_USER ? 'u' : 'k';
	assert_string_equal(text, expect);
}

static void reads_in_turn(void **state)
{
	struct source_packet source;

	(void)state;
	open_block(0, 1);
	open_source(&source);
	check_read(&source, 10, "");
	fill_block(0, 1, 3, 'a');
	check_read(&source, 2, "ab");
	check_status("ukkk");
	check_read(&source, 2, "c");
	check_status("kkkk");
	fill_block(1, 2, 2, 'd');
	fill_block(2, 3, 2, 'f');
	check_read(&source, 3, "def");
	check_status("kkuk");
	check_read(&source, 100, "g");
	fill_block(3, 4, 1, 'h');
	fill_block(0, 5, 1, 'i');
	fill_block(1, 6, 0, 'x');
	fill_block(2, 7, 1, 'j');
	check_read(&source, 100, "hij");
	check_status("kkkk");
	source_packet_close(&source);
	source_packet_close(&source);
}

struct start_case {
	uint64_t seq[BLOCKS];
	const char *status; /* 'u' holds a frame for the reader */
	const char *expect; /* the letters 'a' to 'd' stand for the blocks */
};

/* Where a reader begins on a ring that another one left. */
static void begins(void **state)
{
	static const struct start_case cases[] = {
		{ { 1, 0, 0, 0 }, "kkkk", "" },	    { { 1, 2, 0, 0 }, "ukkk", "a" },
		{ { 5, 6, 3, 4 }, "ukkk", "a" },    { { 5, 6, 3, 4 }, "ukuu", "cda" },
		{ { 5, 2, 3, 4 }, "uuuu", "bcda" }, { { 4, 1, 2, 3 }, "kkkk", "" },
		{ { 3, 4, 1, 2 }, "kkkk", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct start_case *c = &cases[i];
		struct source_packet source;
		uint32_t newest = 0;

		memset(ring, 0, BLOCK_SIZE * BLOCKS);
		for (uint32_t k = 0; k < BLOCKS; k++) {
			if (c->status[k] == 'u')
				fill_block(k, c->seq[k], 1, (char)('a' + (char)k));
			else
				open_block(k, c->seq[k]);
			if (c->seq[k] > c->seq[newest])
				newest = k;
		}
		open_source(&source);
		check_read(&source, 100, c->expect);
		/* Then it goes on with the block that the kernel fills next. */
		if (c->status[newest] == 'k') {
			fill_block(newest, c->seq[newest], 1, 'z');
			check_read(&source, 100, "z");
		}
		source_packet_close(&source);
	}
}

/* A new reader goes on with the next frame, whether the one before closed or died. */
static void taken_over(void **state)
{
	struct told told = { .die_at = 2 };
	struct source_losses losses = { 0 };
	struct source_packet source;

	(void)state;
	fill_block(0, 9, 5, 'a');
	open_source(&source);
	if (setjmp(told.death) == 0)
		source_packet_read(&source, 100, on_frame, &told);
	assert_int_equal(told.n, 2);
	source_packet_close(&source);

	/* It died of "b", which is told once and not read again. */
	open_source(&source);
	check_read(&source, 1, "c");
	assert_int_equal(source.died, 1);
	source_packet_close(&source);

	open_source(&source);
	check_read(&source, 1, "d");
	assert_int_equal(source.died, 0);
	check_read(&source, 100, "e");
	check_status("kkkk");
	source_packet_close(&source);

	/* The marks are of that filling of the block, not of the next. */
	fill_block(0, 13, 2, 'p');
	open_source(&source);
	check_read(&source, 100, "pq");
	assert_int_equal(source.died, 0);
	/* A memfd has no PACKET_STATISTICS. */
	assert_int_equal(source_packet_losses(&source, &losses), -ENOTSOCK);
	source_packet_close(&source);
}

/* A reader that died of the last frame of a block. */
static void died_of_the_last(void **state)
{
	struct told told = { .die_at = 2 };
	struct source_packet source;

	(void)state;
	fill_block(0, 1, 2, 'a');
	fill_block(1, 2, 1, 'c');
	open_source(&source);
	if (setjmp(told.death) == 0)
		source_packet_read(&source, 100, on_frame, &told);
	source_packet_close(&source);
	open_source(&source);
	check_read(&source, 100, "c");
	assert_int_equal(source.died, 1);
	check_status("kkkk");
	source_packet_close(&source);
}

static void check_settled(struct source_packet *source, size_t expect)
{
	assert_int_equal(source_packet_settle(source, clock_ns(CLOCK_MONOTONIC) + NS_PER_MS),
			 expect);
}

/* Frames of a block are there when the kernel hands that over, and told before. */
static void settles(void **state)
{
	struct source_packet source;

	(void)state;
	open_source(&source);
	check_settled(&source, 0);
	fill_block(0, 1, 3, 'a');
	block(0)->hdr.bh1.block_status = TP_STATUS_KERNEL;
	check_read(&source, 100, "");
	check_settled(&source, 3);
	block(0)->hdr.bh1.block_status = TP_STATUS_USER;
	check_settled(&source, 0);
	check_read(&source, 2, "ab");
	check_settled(&source, 0);
	check_read(&source, 100, "c");
	open_block(1, 2);
	check_settled(&source, 0);
	block(1)->hdr.bh1.num_pkts = 2;
	check_settled(&source, 2);
	/* Round the ring: what was read is still in what the kernel has not opened again. */
	for (uint32_t i = 1; i < BLOCKS; i++)
		fill_block(i, i + 1, 1, 'd');
	check_read(&source, 100, "ddd");
	check_settled(&source, 0);
	open_block(0, BLOCKS + 1);
	block(0)->hdr.bh1.num_pkts = 3;
	check_settled(&source, 3);
	source_packet_close(&source);
}

static void fields(void *data, const struct source_frame *f)
{
	*(struct source_frame *)data = *f;
}

static void header(void **state)
{
	struct source_packet source;
	struct source_frame f;

	(void)state;
	fill_block(0, 1, 2, 'a');
	frame(0, 0)->tp_len = 1514;
	frame(0, 0)->tp_snaplen = 14;
	open_source(&source);
	assert_int_equal(source_packet_read(&source, 1, fields, &f), 1);
	assert_int_equal(f.direction, STATS_TO_GUEST);
	assert_int_equal(f.in.len, 14);
	assert_int_equal(f.in.wire_len, 1514);
	assert_int_equal(source_packet_read(&source, 1, fields, &f), 1);
	assert_int_equal(f.direction, STATS_FROM_GUEST);
	source_packet_close(&source);
}

static void tagged(uint32_t n, uint32_t status, uint16_t tpid, uint16_t tci)
{
	struct tpacket3_hdr *h = frame(0, n);

	h->tp_status = status;
	h->hv1.tp_vlan_tpid = tpid;
	h->hv1.tp_vlan_tci = tci;
	h->tp_snaplen = h->tp_len = 14;
	memcpy((uint8_t *)h + h->tp_mac, "TOGUESTOFHOSTT", 14);
}

/* The tag that the kernel took out is where it was on the wire. */
static void vlan_tag(void **state)
{
	static const char *const expect[] = { "TOGUESTOFHOS\x81\x00\x20\x14TT",
					      "TOGUESTOFHOS\x88\xa8\x00\x64TT", "TOGUESTOFHOSTT" };
	static const size_t len[] = { 18, 18, 14 };
	struct source_packet source;
	struct source_frame f;

	(void)state;
	fill_block(0, 1, 4, 'a');
	tagged(0, TP_STATUS_VLAN_VALID, 0, 0x2014);
	tagged(1, TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID, 0x88a8, 100);
	tagged(2, 0, 0x88a8, 100);
	/* Too short for addresses, as no kernel has it. */
	frame(0, 3)->tp_status = TP_STATUS_VLAN_VALID;
	open_source(&source);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(source_packet_read(&source, 1, fields, &f), 1);
		assert_int_equal(f.in.len, len[i]);
		assert_int_equal(f.in.wire_len, len[i]);
		assert_memory_equal(f.in.bytes, expect[i], len[i]);
		assert_int_equal(f.direction, i % 2 ? STATS_FROM_GUEST : STATS_TO_GUEST);
	}
	check_read(&source, 1, "d");
	source_packet_close(&source);
}

/* Offsets that point outside the block: what can be read is, then the block is given back. */
static void corrupt(void **state)
{
	static const char *const expect[] = { "z", "z", "z", "az", "az", "az", "az", "az", "abz" };

	(void)state;
	for (size_t i = 0; i < sizeof(expect) / sizeof(expect[0]); i++) {
		struct source_packet source;

		memset(ring, 0, BLOCK_SIZE * BLOCKS);
		fill_block(0, 1, 3, 'a');
		fill_block(1, 2, 1, 'z');
		switch (i) {
		case 0:
			block(0)->hdr.bh1.offset_to_first_pkt = BLOCK_SIZE;
			break;
		case 1:
			block(0)->offset_to_priv = 4;
			break;
		case 2:
			block(0)->offset_to_priv = FIRST;
			break;
		case 3:
			frame(0, 0)->tp_next_offset = 0;
			break;
		case 4:
			frame(0, 0)->tp_next_offset = UINT32_MAX;
			break;
		case 5:
			frame(0, 0)->tp_next_offset = BLOCK_SIZE - FIRST - 8;
			break;
		case 6:
			/* A whole frame, but where none can begin. */
			memmove((uint8_t *)frame(0, 1) + 4, frame(0, 1), 100);
			frame(0, 0)->tp_next_offset = STEP + 4;
			break;
		case 7:
			frame(0, 1)->tp_snaplen = BLOCK_SIZE;
			break;
		case 8:
			frame(0, 2)->tp_mac = UINT16_MAX;
			break;
		}
		open_source(&source);
		check_read(&source, 100, expect[i]);
		assert_int_equal(source.corrupt, 1);
		check_status("kkkk");
		source_packet_close(&source);
	}
}

/* Marks that claim more frames than there are. */
static void wrong_mark(void **state)
{
	struct source_packet_mark mark = { .seq_num = 1, .begun = 1000, .done = 1000 };
	struct source_packet source;

	(void)state;
	fill_block(0, 1, 3, 'a');
	fill_block(1, 2, 1, 'z');
	memcpy((uint8_t *)block(0) + block(0)->offset_to_priv, &mark, sizeof(mark));
	open_source(&source);
	check_read(&source, 100, "z");
	check_status("kkkk");
	source_packet_close(&source);
}

static void not_a_ring(void **state)
{
	struct source_packet source;
	struct err err = { "" };
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	close(fds[1]);
	assert_true(source_packet_open(&source, fds[0], BLOCK_SIZE, BLOCKS, &err) < 0);
	assert_int_equal(strncmp(err.text, "cannot map a packet ring of 4 x 4096 bytes", 42), 0);
	assert_int_equal(source_packet_open(&source, dup(ring_fd), 0, BLOCKS, &err), -EINVAL);
	assert_int_equal(source_packet_open(&source, dup(ring_fd), UINT32_MAX, UINT32_MAX, &err),
			 -EINVAL);
}

#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),  cmocka_unit_test(many_at_once),
		RING_TEST(reads_in_turn), RING_TEST(begins),
		RING_TEST(taken_over),	  RING_TEST(died_of_the_last),
		RING_TEST(settles),	  RING_TEST(header),
		RING_TEST(vlan_tag),	  RING_TEST(corrupt),
		RING_TEST(wrong_mark),	  RING_TEST(not_a_ring),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
