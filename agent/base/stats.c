#include "agent/base/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const stats_relay_drop_names[STATS_RELAY_DROPS] = {
	[STATS_RELAY_VERDICT] = "verdict", [STATS_RELAY_NO_PEER] = "no-peer",
	[STATS_RELAY_FULL] = "full",	   [STATS_RELAY_TAP] = "tap",
	[STATS_RELAY_LENGTH] = "length",   [STATS_RELAY_FILTER] = "filter",
};

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
uint64_t stats_tag(const char *link, const uint8_t mac[MAC_LEN])
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < MAC_LEN; i++)
		hash = (hash ^ mac[i]) * 0x100000001b3u;
	for (; *link; link++)
		hash = (hash ^ (unsigned char)*link) * 0x100000001b3u;
	return hash | 1;
}

unsigned int stats_latency_bucket(uint64_t ns)
{
	unsigned int octave, bucket;

	if (ns < 4)
		return 0;
	octave = 63u - (unsigned int)__builtin_clzll(ns);
	bucket = octave * 4 + (unsigned int)(ns >> (octave - 2) & 3);
	return bucket < STATS_LATENCY_BUCKETS ? bucket : STATS_LATENCY_BUCKETS - 1;
}

uint64_t stats_latency_bound(unsigned int bucket)
{
	unsigned int octave = bucket / 4;

	if (octave < 2)
		return 3;
	return ((UINT64_C(5) + bucket % 4) << (octave - 2)) - 1;
}

uint64_t stats_latency_quantile(const stat_counter buckets[STATS_LATENCY_BUCKETS],
				unsigned int per_mille)
{
	uint64_t total = 0, seen = 0, wanted;

	for (unsigned int i = 0; i < STATS_LATENCY_BUCKETS; i++)
		total += stat_get(&buckets[i]);
	if (!total)
		return 0;
	wanted = (total * per_mille + 999) / 1000;
	for (unsigned int i = 0; i < STATS_LATENCY_BUCKETS; i++) {
		seen += stat_get(&buckets[i]);
		if (seen >= wanted)
			return stats_latency_bound(i);
	}
	return stats_latency_bound(STATS_LATENCY_BUCKETS - 1);
}

int stats_create(void)
{
	struct stats_page *page;
	int fd = memfd_create("tapwarden-stats", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	uint64_t seed;
	int err;

	if (fd < 0)
		return -errno;
	/* The size is sealed: no reader can be made to touch a page that is no longer there. */
	if (ftruncate(fd, sizeof(struct stats_page)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		goto fail;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		goto fail;
	page->magic = STATS_MAGIC;
	page->version = STATS_VERSION;
	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed)) {
		munmap(page, sizeof(*page));
		goto fail;
	}
	atomic_store_explicit(&page->condemned.seed, seed, memory_order_relaxed);
	munmap(page, sizeof(*page));
	return fd;
fail:
	err = -errno;
	close(fd);
	return err;
}

static int map(int fd, int prot, void **ret)
{
	struct stat st;
	struct stats_page *page;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != (off_t)sizeof(struct stats_page))
		return -EBADMSG;
	page = mmap(NULL, sizeof(*page), prot, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	if (page->magic != STATS_MAGIC || page->version != STATS_VERSION) {
		munmap(page, sizeof(*page));
		return -EBADMSG;
	}
	*ret = page;
	return 0;
}

int stats_map(int fd, struct stats_page **ret)
{
	return map(fd, PROT_READ | PROT_WRITE, (void **)ret);
}

int stats_map_readonly(int fd, const struct stats_page **ret)
{
	return map(fd, PROT_READ, (void **)ret);
}
