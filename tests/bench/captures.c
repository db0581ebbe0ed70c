/* links: capture/pcapng.c agent/base/buf.c agent/base/parse.c agent/base/err.c */
/*
 * Captures to measure with, always the same ones, as pcap on the standard output.
 *
 *   captures mixed COUNT   COUNT frames of some thousand flows: TCP in order with text,
 *                          acknowledgements, datagrams, ARP, VLAN tags, IPv6; each 200th payload
 *                          has "needle-" and a number
 *   captures flows COUNT   as many TCP connections, open at once: of each a SYN, then of each data,
 *                          which ends with "split-" in each 20th, and then of each data, which
 *                          begins with a number
 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/parse.h"
#include "agent/base/pcapng_format.h"

#define FLOWS	   4096u
#define POOL	   (1u << 20)
#define FRAME_MAX  1514u
#define NEEDLE	   200u
#define SPLIT	   20u
#define START_S	   1700000000u
#define FRAME_STEP 5u /* microseconds between two frames */

enum flag {
	FLAG_SYN = 0x02,
	FLAG_DATA = 0x18
};

struct out {
	uint8_t bytes[FRAME_MAX];
	size_t len;
	uint64_t number;
};

static uint64_t state = 88172645463325252u;

/* xorshift64: Marsaglia, 2003. */
static uint32_t any(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % below;
}

static char *pool;

/* Words as logs and pages have them, in lines. */
static void make_pool(void)
{
	static const char *const words[] = {
		"GET",	 "POST",   "HTTP/1.1", "Host:",	  "User-Agent:", "Accept:", "Cookie:",
		"error", "user",   "session",  "example", "index.html",	 "status",  "warning",
		"need",	 "needed", "200",      "404",	  "tapwarden",	 "request", "\r\n",
	};
	size_t at = 0;

	pool = malloc(POOL + 16);
	while (pool && at < POOL) {
		const char *word = words[any(sizeof(words) / sizeof(words[0]))];

		at += (size_t)sprintf(pool + at, any(3) ? "%.10s " : "%.6s%u ", word, any(100000));
	}
}

/* ---- frames --------------------------------------------------------------------------------- */

static void add(struct out *out, const void *data, size_t len)
{
	memcpy(out->bytes + out->len, data, len);
	out->len += len;
}

static void add16(struct out *out, uint32_t value)
{
	uint16_t big = htons((uint16_t)value);

	add(out, &big, sizeof(big));
}

static void add32(struct out *out, uint32_t value)
{
	uint32_t big = htonl(value);

	add(out, &big, sizeof(big));
}

static void begin(struct out *out, uint32_t ether_type, bool tagged)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };

	out->len = 0;
	add(out, macs, sizeof(macs));
	if (tagged) {
		add16(out, 0x8100);
		add16(out, 20);
	}
	add16(out, ether_type);
}

static void add_ip(struct out *out, bool six, uint8_t proto, uint32_t flow, size_t payload)
{
	const uint8_t words[2] = { 64, proto };

	if (six) {
		const uint8_t limit[2] = { proto, 64 };

		add32(out, 6u << 28);
		add16(out, (uint32_t)payload);
		add(out, limit, 2);
		for (uint32_t end = 0; end < 2; end++) {
			add32(out, 0x20010db8);
			add32(out, 0);
			add32(out, flow);
			add32(out, end);
		}
		return;
	}
	add16(out, 0x4500);
	add16(out, (uint32_t)payload + 20);
	add32(out, 0x4000);
	add(out, words, 2);
	add16(out, 0);
	add32(out, 0x0a000000u + flow);
	add32(out, 0xc0000202u);
}

static void add_text(struct out *out, size_t len)
{
	static uint32_t payloads;
	uint8_t *at = out->bytes + out->len;
	char needle[24];
	int n;

	add(out, pool + any(POOL - FRAME_MAX), len);
	if (++payloads % NEEDLE || len < 40)
		return;
	n = snprintf(needle, sizeof(needle), "needle-%u ", payloads);
	memcpy(at + any((uint32_t)(len - sizeof(needle))), needle, (size_t)n);
}

static void add_tcp(struct out *out, uint32_t port, uint32_t seq, enum flag flags, size_t len)
{
	add16(out, port);
	add16(out, 9000);
	add32(out, seq);
	add32(out, 1);
	add16(out, 0x5000u | flags);
	add16(out, 65535);
	add32(out, 0);
	if (len)
		add_text(out, len);
}

static void put(struct out *out)
{
	uint64_t us = out->number++ * FRAME_STEP;
	const uint32_t head[4] = {
		(uint32_t)(START_S + us / 1000000),
		(uint32_t)(us % 1000000),
		(uint32_t)out->len,
		(uint32_t)out->len,
	};

	fwrite(head, sizeof(head), 1, stdout);
	fwrite(out->bytes, out->len, 1, stdout);
}

/* ---- captures ------------------------------------------------------------------------------- */

static void put_mixed(struct out *out, uint32_t *seqs)
{
	uint32_t flow = any(FLOWS), kind = any(100);
	bool six = flow % 8 == 0, tagged = flow % 5 == 0;
	size_t len = kind < 40 ? 200 + any(400) : kind < 65 ? 1400 : 0;
	size_t udp = 20 + any(200);

	if (kind >= 98) {
		begin(out, 0x0806, false);
		add(out, "\0\1\10\0\6\4\0\1", 8);
		add_text(out, 20);
	} else if (kind >= 85) {
		begin(out, six ? 0x86dd : 0x0800, tagged);
		add_ip(out, six, 17, flow, 8 + udp);
		add16(out, 40000 + flow);
		add16(out, 9000);
		add16(out, (uint32_t)(8 + udp));
		add16(out, 0);
		add_text(out, udp);
	} else {
		begin(out, six ? 0x86dd : 0x0800, tagged);
		add_ip(out, six, 6, flow, 20 + len);
		add_tcp(out, 40000 + flow, seqs[flow], FLAG_DATA, len);
		seqs[flow] += (uint32_t)len;
	}
	put(out);
}

static void make_mixed(struct out *out, uint64_t count)
{
	static uint32_t seqs[FLOWS];

	while (out->number < count)
		put_mixed(out, seqs);
}

static void add_half(struct out *out, size_t round, uint32_t flow)
{
	if (round == 1 && flow % SPLIT == 0)
		memcpy(out->bytes + out->len - 6, "split-", 6);
	if (round == 2)
		memcpy(out->bytes + out->len - 100, "4711 ", 5);
}

static void make_flows(struct out *out, uint64_t count)
{
	static const struct {
		uint32_t seq;
		enum flag flags;
		size_t len;
	} rounds[] = { { 0, FLAG_SYN, 0 }, { 1, FLAG_DATA, 100 }, { 101, FLAG_DATA, 100 } };

	for (size_t round = 0; round < sizeof(rounds) / sizeof(rounds[0]); round++) {
		for (uint32_t flow = 0; flow < count; flow++) {
			begin(out, 0x0800, false);
			add_ip(out, false, 6, flow / 1000, 20 + rounds[round].len);
			add_tcp(out, 1024 + flow % 1000, rounds[round].seq, rounds[round].flags,
				rounds[round].len);
			add_half(out, round, flow);
			put(out);
		}
	}
}

int main(int argc, char **argv)
{
	static const uint32_t head[6] = { PCAP_MAGIC_US, 4u << 16 | 2, 0, 0, 65535, 1 };
	static struct out out;
	uint64_t count;

	if (argc != 3 || parse_u64(argv[2], 1, UINT32_MAX, &count, NULL))
		return 2;
	make_pool();
	if (!pool)
		return 1;
	fwrite(head, sizeof(head), 1, stdout);
	if (strcmp(argv[1], "flows") == 0)
		make_flows(&out, count);
	else
		make_mixed(&out, count);
	free(pool);
	return fflush(stdout) ? 1 : 0;
}
