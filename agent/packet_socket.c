#include "agent/packet_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture/source_packet.h"

/*
 * The sizes of a block, and of how many blocks there are at least for it to be taken. The kernel
 * hands over a block that has a frame after SOURCE_PACKET_RETIRE_MS, whether or not somebody reads:
 * where little comes, a ring lasts for as many frames as it has blocks, and so does its reader's
 * absence. The reader is woken once for each, so that large ones are cheap; 128 KiB still hold a
 * GSO frame of 64 KiB whole, and small ones let thousands of links share one budget.
 */
static const struct {
	uint32_t size, min;
} blocks_of[] = {
	{ 256u << 10, 64 },
	{ 128u << 10, 32 },
	{ 64u << 10, 2 },
};

/* At a gigabit a second they last for a tenth of a second: so long may the reader be away. */
#define RING_BYTES_MAX (16u << 20)

/* Threads that open or close many sockets, for as long as that takes. */
#define THREADS_MAX  32u
#define THREAD_STACK (64u << 10)

/* The kernel wants a number that divides the block; TPACKET_V3 packs frames by their length. */
#define FRAME_SIZE 2048u

int packet_ring_size(uint64_t budget, uint32_t links, uint32_t *ret_block_size,
		     uint32_t *ret_blocks, struct err *err)
{
	const size_t n = sizeof(blocks_of) / sizeof(blocks_of[0]);
	uint64_t share = links ? budget / links : budget;
	size_t i = 0;

	while (i < n && share / blocks_of[i].size < blocks_of[i].min)
		i++;
	if (i == n)
		return err_set(err, -ENOSPC,
			       "ring-memory of %" PRIu64 " bytes is too small for %" PRIu32
			       " watched links: they need at least %" PRIu64,
			       budget, links,
			       (uint64_t)links * blocks_of[n - 1].size * blocks_of[n - 1].min);
	if (share > RING_BYTES_MAX)
		share = RING_BYTES_MAX;
	*ret_block_size = blocks_of[i].size;
	*ret_blocks = (uint32_t)(share / blocks_of[i].size);
	return 0;
}

int packet_socket_open(unsigned int ifindex, uint32_t block_size, uint32_t blocks, int *ret_fd,
		       struct err *err)
{
	const int version = TPACKET_V3;
	struct tpacket_req3 ring = {
		.tp_block_size = block_size,
		.tp_block_nr = blocks,
		.tp_frame_size = FRAME_SIZE,
		.tp_frame_nr = block_size / FRAME_SIZE * blocks,
		.tp_retire_blk_tov = SOURCE_PACKET_RETIRE_MS,
		.tp_sizeof_priv = sizeof(struct source_packet_mark),
	};
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)ifindex,
	};
	/* Protocol 0: nothing of other links is received before bind(2), see packet(7). */
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(int);
	int code, down;

	if (fd < 0)
		return err_errno(err, -errno, "cannot open a packet socket");
	if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0) {
		code = err_errno(err, -errno, "cannot ask for TPACKET_V3");
		goto fail;
	}
	if (setsockopt(fd, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) < 0) {
		code = err_errno(err, -errno, "cannot get a packet ring of %u x %u bytes", blocks,
				 block_size);
		goto fail;
	}
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		code = err_errno(err, -errno, "cannot watch the link with index %u", ifindex);
		goto fail;
	}
	/* That the link is down, as packet_do_bind() says, is no news to who polls it. */
	(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &down, &len);
	*ret_fd = fd;
	return 0;
fail:
	close(fd);
	return code;
}

struct opening {
	struct packet_open *list;
	uint32_t block_size, blocks;
};

static void open_one(void *data, size_t i)
{
	const struct opening *o = data;
	struct packet_open *one = &o->list[i];

	if (packet_socket_open(one->ifindex, o->block_size, o->blocks, &one->fd, &one->err))
		one->fd = -1;
}

static void close_one(void *data, size_t i)
{
	close(((const int *)data)[i]);
}

struct share {
	void (*one)(void *data, size_t i);
	void *data;
	size_t n;
	atomic_size_t next;
};

static void *do_share(void *data)
{
	struct share *share = data;
	size_t i;

	while ((i = atomic_fetch_add(&share->next, 1)) < share->n)
		share->one(share->data, i);
	return NULL;
}

/* Calls `one` for 0 to n - 1, many at a time. */
static void in_threads(void (*one)(void *data, size_t i), void *data, size_t n)
{
	struct share share = { .one = one, .data = data, .n = n };
	pthread_t threads[THREADS_MAX];
	size_t n_threads = 0;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, THREAD_STACK);
	/* The caller is one of them, and does what others, if there can be none, do not. */
	while (n_threads + 1 < n && n_threads < THREADS_MAX &&
	       pthread_create(&threads[n_threads], &attr, do_share, &share) == 0)
		n_threads++;
	pthread_attr_destroy(&attr);
	do_share(&share);
	for (size_t i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
}

void packet_sockets_open(struct packet_open *list, size_t n, uint32_t block_size, uint32_t blocks)
{
	struct opening opening = { .list = list, .block_size = block_size, .blocks = blocks };

	in_threads(open_one, &opening, n);
}

void packet_sockets_close(const int *fds, size_t n)
{
	in_threads(close_one, (void *)fds, n);
}
