/* links: capture/talkers.c agent/base/stats_guest.c agent/base/stats_traffic.c */
#include "capture/talkers.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S      UINT64_C(1000000000)
#define HOSTS  2000u
#define FRAMES 200000

static const uint8_t unicast[6] = { 0x52, 0x54, 0, 0, 0, 1 };
static const uint8_t group[6] = { 1, 0, 0x5e, 0, 0, 1 };

struct fixture {
	struct stats_talkers list;
	struct stats_link counters;
	struct talkers talkers;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	talkers_init(&f->talkers, &f->list, &f->counters);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	free(*state);
	return 0;
}

static void talk(struct fixture *f, enum stats_direction direction, uint32_t host,
		 uint16_t local_port, uint16_t remote_port, size_t bytes)
{
	const uint8_t local[4] = { 192, 0, 2, 1 };
	const uint8_t remote[4] = { 10, (uint8_t)(host >> 16), (uint8_t)(host >> 8),
				    (uint8_t)host };
	bool sent = direction == STATS_FROM_GUEST;
	const struct frame frame = {
		.dst_mac = unicast,
		.ip_version = 4,
		.proto = IPPROTO_TCP,
		.src_ip = sent ? local : remote,
		.dst_ip = sent ? remote : local,
		.has_ports = true,
		.src_port = sent ? local_port : remote_port,
		.dst_port = sent ? remote_port : local_port,
	};

	talkers_frame(&f->talkers, &frame, direction, bytes, 5 * S);
}

static const struct stats_talker *find(const struct fixture *f, uint32_t host)
{
	for (uint32_t i = 0; i < f->list.n; i++) {
		const uint8_t *ip = f->list.list[i].ip;

		if (((uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3]) == host)
			return &f->list.list[i];
	}
	return NULL;
}

static void both_ways_are_one(void **state)
{
	struct fixture *f = *state;
	const struct stats_talker *t;

	talk(f, STATS_FROM_GUEST, 7, 40000, 443, 100);
	talk(f, STATS_TO_GUEST, 7, 40001, 443, 1000);
	talk(f, STATS_TO_GUEST, 8, 80, 50000, 10);
	talk(f, STATS_FROM_GUEST, 8, 80, 50001, 10);
	assert_int_equal(f->list.n, 2);
	assert_int_equal(f->counters.talkers, 2);
	t = find(f, 7);
	assert_int_equal(t->bytes, 1100);
	assert_int_equal(t->frames, 2);
	assert_int_equal(t->error, 0);
	assert_int_equal(t->port, 443);
	assert_int_equal(find(f, 8)->port, 80);
	assert_int_equal(f->list.bytes, 1120);
	assert_int_equal(f->list.since_ns, 5 * S);
}

static void groups_and_others_are_not_counted(void **state)
{
	struct fixture *f = *state;
	const uint8_t ip[4] = { 10, 0, 0, 1 };
	struct frame frame = {
		.dst_mac = group, .ip_version = 4, .src_ip = ip, .dst_ip = ip, .proto = 17
	};

	talkers_frame(&f->talkers, &frame, STATS_TO_GUEST, 60, S);
	frame.dst_mac = unicast;
	frame.ip_version = 0;
	talkers_frame(&f->talkers, &frame, STATS_TO_GUEST, 60, S);
	assert_int_equal(f->list.n, 0);
	assert_int_equal(f->list.bytes, 0);
}

/* Many hosts of very different weight: what the sketch says has to hold of the true sums. */
static void bounds_hold(void **state)
{
	struct fixture *f = *state;
	static uint64_t truth[HOSTS];
	uint64_t total = 0, least = UINT64_MAX;
	unsigned int seed = 4711;

	for (int i = 0; i < FRAMES; i++) {
		/* Half of the frames are of eight hosts, the others of all alike. */
		uint32_t host = rand_r(&seed) % 2 ? (uint32_t)rand_r(&seed) % 8
						  : (uint32_t)rand_r(&seed) % HOSTS;
		size_t bytes = 60 + (size_t)rand_r(&seed) % 1400;

		talk(f, STATS_TO_GUEST, host, 80, 50000, bytes);
		truth[host] += bytes;
		total += bytes;
	}
	assert_int_equal(f->list.bytes, total);
	assert_int_equal(f->list.n, STATS_TALKERS_MAX);
	for (uint32_t i = 0; i < f->list.n; i++) {
		if (f->list.list[i].bytes < least)
			least = f->list.list[i].bytes;
	}
	for (uint32_t host = 0; host < HOSTS; host++) {
		const struct stats_talker *t = find(f, host);

		if (t) {
			assert_true(t->bytes >= truth[host]);
			assert_true(t->bytes - t->error <= truth[host]);
			assert_true(t->error <= total / STATS_TALKERS_MAX);
		} else {
			assert_true(truth[host] <= least);
			assert_true(truth[host] <= total / STATS_TALKERS_MAX);
		}
	}
	for (uint32_t host = 0; host < 8; host++)
		assert_non_null(find(f, host));
}

static void the_next_reader_goes_on(void **state)
{
	struct fixture *f = *state;

	talk(f, STATS_TO_GUEST, 7, 80, 50000, 10);
	talk(f, STATS_TO_GUEST, 8, 80, 50000, 10);
	talkers_init(&f->talkers, &f->list, &f->counters);
	talk(f, STATS_TO_GUEST, 7, 80, 50000, 10);
	talk(f, STATS_TO_GUEST, 8, 80, 50000, 10);
	assert_int_equal(f->list.n, 2);
	assert_int_equal(find(f, 7)->bytes, 20);
	f->list.seq++;
	talkers_init(&f->talkers, &f->list, &f->counters);
	assert_int_equal(f->list.n, 0);
}

static void an_hour_later_it_begins_anew(void **state)
{
	struct fixture *f = *state;

	talk(f, STATS_TO_GUEST, 7, 80, 50000, 10);
	talkers_tick(&f->talkers, 5 * S + TALKERS_NS);
	assert_int_equal(f->list.n, 1);
	talkers_tick(&f->talkers, 6 * S + TALKERS_NS);
	assert_int_equal(f->list.n, 0);
	assert_int_equal(f->counters.talkers, 0);
}

/* ---- rates ---------------------------------------------------------------------------------- */

static void near(double value, double wanted)
{
	assert_true(value > wanted * 0.99 - 0.001 && value < wanted * 1.01 + 0.001);
}

static void rates_come_and_fade(void **state)
{
	const uint64_t counted[STATS_RATES] = { 10, 20, 1000, 2000 };
	const uint64_t burst[STATS_RATES] = { 100, 0, 0, 0 };
	struct stats_rates rates = { 0 };
	double now[STATS_WINDOWS][STATS_RATES];
	uint64_t t = 1000 * S;

	(void)state;
	for (int i = 0; i < 600; i++)
		stats_rates_add(&rates, counted, S, t += S);
	stats_rates_read(&rates, t + S / 2, now);
	for (int w = 0; w < STATS_WINDOWS; w++) {
		for (int r = 0; r < STATS_RATES; r++)
			near(now[w][r], (double)counted[r]);
	}
	/* Nothing for ten seconds after the one that is not sampled yet. */
	stats_rates_read(&rates, t + 11 * S, now);
	near(now[STATS_1_S][STATS_FRAMES_FROM], 10 * 0.0000454);
	near(now[STATS_10_S][STATS_FRAMES_FROM], 10 * 0.367879);
	near(now[STATS_60_S][STATS_FRAMES_FROM], 10 * 0.846482);
	/* A burst after it was quiet for long is as fast as it is. */
	stats_rates_add(&rates, burst, S, t + 3600 * S);
	stats_rates_read(&rates, t + 3600 * S, now);
	near(now[STATS_1_S][STATS_FRAMES_FROM], 100 * 0.632121);
	near(now[STATS_60_S][STATS_FRAMES_FROM], 100 * 0.016529);
	/* The clock was set back. */
	stats_rates_add(&rates, counted, S, 5 * S);
	stats_rates_read(&rates, 5 * S, now);
	assert_true(now[STATS_1_S][STATS_FRAMES_FROM] < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_ways_are_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(groups_and_others_are_not_counted, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bounds_hold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_next_reader_goes_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_hour_later_it_begins_anew, set_up, tear_down),
		cmocka_unit_test(rates_come_and_fade),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
