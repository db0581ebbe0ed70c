#include "agent/base/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/hash.h"

const char *const stats_relay_drop_names[STATS_RELAY_DROPS] = {
	[STATS_RELAY_VERDICT] = "verdict", [STATS_RELAY_NO_PEER] = "no-peer",
	[STATS_RELAY_FULL] = "full",	   [STATS_RELAY_TAP] = "tap",
	[STATS_RELAY_LENGTH] = "length",   [STATS_RELAY_FILTER] = "filter",
};

uint64_t stats_tag(const char *link, const uint8_t mac[MAC_LEN])
{
	return hash_bytes(hash_bytes(HASH_INIT, mac, MAC_LEN), link, strlen(link)) | 1;
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

static void add(stat_counter *sum, const stat_counter *counters, size_t size)
{
	for (size_t i = 0; i < size / sizeof(*sum); i++)
		stat_count(&sum[i], stat_get(&counters[i]));
}

void stats_capture_sum(const struct stats_page *page, unsigned int n_workers,
		       struct stats_capture *ret)
{
	struct stats_capture sum = { 0 };

	for (unsigned int i = 0; i < STATS_CAPTURES_MAX; i++) {
		const struct stats_capture *c = &page->capture[i];
		uint64_t error = i < n_workers ? stat_get(&c->log_error) : 0;

		if (error)
			atomic_store_explicit(&sum.log_error, error, memory_order_relaxed);
		stat_count(&sum.records, stat_get(&c->records));
		stat_count(&sum.log_lost, stat_get(&c->log_lost));
		stat_count(&sum.feed_lost, stat_get(&c->feed_lost));
		stat_count(&sum.pcap_missed, stat_get(&c->pcap_missed));
		add((stat_counter *)&sum.payloads, (const stat_counter *)&c->payloads,
		    sizeof(sum.payloads));
		add((stat_counter *)&sum.frames, (const stat_counter *)&c->frames,
		    sizeof(sum.frames));
		add(sum.malformed, c->malformed, sizeof(sum.malformed));
		if (i < n_workers)
			add((stat_counter *)&sum.streams, (const stat_counter *)&c->streams,
			    sizeof(sum.streams));
	}
	atomic_store_explicit(&sum.seq_next, stat_get(&page->capture[0].seq_next),
			      memory_order_relaxed);
	atomic_store_explicit(&sum.log_next, stat_get(&page->capture[0].log_next),
			      memory_order_relaxed);
	*ret = sum;
}

void stats_pattern_sum(const struct stats_page *page, unsigned int n_workers, size_t pattern,
		       struct stats_pattern *ret)
{
	struct stats_pattern sum = { 0 };

	for (unsigned int i = 0; i < STATS_CAPTURES_MAX; i++) {
		const struct stats_pattern *p = &page->patterns[i][pattern];

		stat_count(&sum.tried, stat_get(&p->tried));
		stat_count(&sum.matches, stat_get(&p->matches));
		stat_count(&sum.limited, stat_get(&p->limited));
		stat_count(&sum.skipped, stat_get(&p->skipped));
		stat_count(&sum.dropped, stat_get(&p->dropped));
		stat_count(&sum.unnoted, stat_get(&p->unnoted));
		/* Quarantine ends with the worker that imposed it. */
		if (i < n_workers)
			stat_count(&sum.parked, stat_get(&p->parked));
	}
	*ret = sum;
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
