#include "agent/base/stats_traffic.h"

#include "agent/base/time_units.h"

/* Below it a rate is none: a frame in some hours. */
#define RATE_NONE 1e-4f

const char *const stats_protocol_names[STATS_PROTOCOLS] = {
	[STATS_ARP] = "arp", [STATS_IPV4] = "ipv4", [STATS_IPV6] = "ipv6", [STATS_OTHER] = "other",
	[STATS_TCP] = "tcp", [STATS_UDP] = "udp",   [STATS_ICMP] = "icmp",
};

const uint32_t stats_size_bounds[STATS_SIZES] = {
	[STATS_SIZE_64] = 64,		[STATS_SIZE_127] = 127,	  [STATS_SIZE_255] = 255,
	[STATS_SIZE_511] = 511,		[STATS_SIZE_1023] = 1023, [STATS_SIZE_1518] = 1518,
	[STATS_SIZE_OVER] = UINT32_MAX,
};

static const double window_s[STATS_WINDOWS] = {
	[STATS_1_S] = 1,
	[STATS_10_S] = 10,
	[STATS_60_S] = 60,
};

/* exp(-x) to a thousandth, as the limit of (1 - x/n)^n: without libm. */
static double fade(double x)
{
	double f = 1 - x / 1024;

	if (f <= 0)
		return 0;
	for (int i = 0; i < 10; i++)
		f *= f;
	return f;
}

static double seconds_between(uint64_t from_ns, uint64_t to_ns)
{
	return from_ns && to_ns > from_ns ? (double)(to_ns - from_ns) / (double)NS_PER_S : 0;
}

void stats_rates_add(struct stats_rates *rates, const uint64_t counted[STATS_RATES],
		     uint64_t span_ns, uint64_t now_ns)
{
	double span = (double)span_ns / (double)NS_PER_S;
	double quiet = seconds_between(rates->at_ns, now_ns) - span;

	for (int w = 0; w < STATS_WINDOWS; w++) {
		double old = fade(span / window_s[w]);
		double before = quiet > 0 ? fade(quiet / window_s[w]) : 1;

		for (int r = 0; r < STATS_RATES; r++) {
			double rate = (double)rates->per_s[w][r] * before * old +
				      (double)counted[r] / span * (1 - old);

			atomic_store_explicit(&rates->per_s[w][r],
					      rate < (double)RATE_NONE ? 0 : (float)rate,
					      memory_order_relaxed);
		}
	}
	atomic_store_explicit(&rates->at_ns, now_ns, memory_order_relaxed);
}

void stats_rates_read(const struct stats_rates *rates, uint64_t now_ns,
		      double ret[STATS_WINDOWS][STATS_RATES])
{
	double since = seconds_between(rates->at_ns, now_ns);

	for (int w = 0; w < STATS_WINDOWS; w++) {
		/*
		 * The next sample is due after a second: only what comes after is known to be
		 * quiet.
		 */
		double f = since > 1 ? fade((since - 1) / window_s[w]) : 1;

		for (int r = 0; r < STATS_RATES; r++)
			ret[w][r] = (double)rates->per_s[w][r] * f;
	}
}
