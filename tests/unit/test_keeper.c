/* links: capture/keeper.c capture/flashback.c capture/record.c capture/record_number.c */
/* links: capture/json_writer.c capture/pattern.c capture/regex_match.c capture/regex.c */
/* links: capture/pattern_compose.c */
/* links: capture/extract.c capture/literal.c capture/literal_reader.c capture/literal_part.c */
/* links: agent/base/buf.c agent/base/parse.c agent/base/err.c agent/base/utf8.c */
#include "capture/keeper.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "agent/base/buf.h"

static const uint8_t one[] = { 192, 0, 2, 1 }, other[] = { 192, 0, 2, 2 };

static const struct frame datagram = {
	.ip_version = 4,
	.proto = IPPROTO_UDP,
	.src_ip = one,
	.dst_ip = other,
	.has_ports = true,
	.src_port = 1000,
	.dst_port = 9,
};

static void on_write(void *data, uint32_t link, const struct pcapng_packet *packet)
{
	buf_addf(data, "%u:%llu%s ", link, (unsigned long long)packet->id,
		 packet->n_comments ? "*" : "");
}

struct fixture {
	struct keeper keeper;
	struct buf out; /* "LINK:NUMBER ", with a star when it has a comment */
};

static void begin(struct fixture *f, uint32_t before, uint32_t after)
{
	const struct keeper_conf conf = {
		.mode = PCAP_MATCHES,
		.before = before,
		.after = after,
		.memory = 1 << 16,
		.write = on_write,
		.data = &f->out,
	};

	buf_init(&f->out, 1 << 12);
	buf_adds(&f->out, "");
	assert_int_equal(keeper_init(&f->keeper, &conf), 0);
}

static void expect(struct fixture *f, const char *text)
{
	assert_string_equal(f->out.data, text);
	buf_done(&f->out);
	keeper_done(&f->keeper);
}

static void frame(struct fixture *f, uint32_t link, uint64_t number)
{
	static const uint8_t bytes[100];
	const struct pcapng_packet packet = {
		.bytes = bytes, .len = sizeof(bytes), .has_id = true, .id = number
	};

	keeper_frame(&f->keeper, link, &packet, &datagram);
}

/* A match that is complete with the frame `last`, and has bytes of the frames of `spans`, too. */
static void match(struct fixture *f, uint32_t link, uint64_t last, const struct record_span *spans,
		  size_t n)
{
	const struct sift_link on = { .id = link };
	const struct pattern_conf conf = { .head.name = "r" };
	const struct rule rule = { .conf = &conf };
	const struct extract_match found = { .whole = { 0, 4 } };
	const struct hit hit = { .match = &found };

	assert_true(keeper_match(&f->keeper, &(struct sift_match){
						     .link = &on,
						     .rule = &rule,
						     .hit = &hit,
						     .frame = &datagram,
						     .stream = n > 0,
						     .number = last,
						     .spans = spans,
						     .n_spans = n,
					     }));
}

/* As two guests of this host that talk: each of their links sees every frame. */
static void links_have_flows_of_their_own(void **state)
{
	struct fixture f;
	uint64_t number = 1;

	(void)state;
	begin(&f, 2, 2);
	for (int i = 0; i < 8; i++) {
		for (uint32_t link = 1; link <= 2; link++) {
			if (i == 4)
				match(&f, link, number, NULL, 0);
			frame(&f, link, number++);
		}
	}
	/* Numbers of link 1 are odd. */
	expect(&f, "1:5 1:7 1:9* 2:6 2:8 2:10* 1:11 2:12 1:13 2:14 ");
}

/* What came before is before the first frame that the match has bytes of. */
static void before_all_of_a_match(void **state)
{
	static const struct record_span spans[] = { { 5, 0, 2 }, { 7, 2, 2 } };
	struct fixture f;

	(void)state;
	begin(&f, 2, 1);
	for (uint64_t number = 1; number <= 9; number++) {
		if (number == 7)
			match(&f, 1, 7, spans, 2);
		frame(&f, 1, number);
	}
	expect(&f, "1:3 1:4 1:5* 1:6 1:7* 1:8 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_have_flows_of_their_own),
		cmocka_unit_test(before_all_of_a_match),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
