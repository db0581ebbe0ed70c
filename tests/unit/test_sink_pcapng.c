/* links: capture/sink_pcapng.c capture/sink_file.c capture/pcapng.c capture/pcap_reader.c */
/* links: capture/pcapng_reader.c agent/base/buf.c */
/* links: capture/rotated.c */
#include "capture/sink_pcapng.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/pcapng_format.h"
#include "capture/pcap_reader.h"

struct fixture {
	char dir[64];
	int dir_fd;
	struct sink_file_conf conf;
	struct sink_pcapng sink;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/test_sink_pcapng.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->dir_fd = open(f->dir, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	assert_true(f->dir_fd >= 0);
	f->conf = (struct sink_file_conf){
		.dir_fd = f->dir_fd,
		.name = "frames",
		.rotate_bytes = 1 << 20,
		.keep = 1,
		.pending_max = 1 << 20,
	};
	assert_int_equal(sink_pcapng_init(&f->sink, &f->conf, "hv1"), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	unlinkat(f->dir_fd, "frames", 0);
	unlinkat(f->dir_fd, "frames.1", 0);
	close(f->dir_fd);
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

/* Where isb_ifrecv and isb_osdrop stand in a block of ours. */
#define STATISTICS_RECEIVED 48
#define STATISTICS_DROPPED  60

static void describe(const struct pcap_reader *reader, const struct pcap_packet *packet,
		     struct buf *out)
{
	buf_addf(out, "%s:%.*s", reader->interfaces[packet->interface].name, (int)packet->len,
		 (const char *)packet->bytes);
	if (packet->drops)
		buf_addf(out, "+%u", (unsigned int)packet->drops);
	buf_adds(out, " ");
}

/*
 * "web01:text " for each packet, with "+N" for N drops before it, "|" for each section, "web01:+N "
 * for drops that statistics alone tell, before "web01=RECEIVED/DROPPED " of these.
 */
static void check_file(const struct fixture *f, const char *name, const char *expect)
{
	static uint8_t data[1 << 16];
	int fd = openat(f->dir_fd, name, O_RDONLY);
	ssize_t len = read(fd, data, sizeof(data));
	struct pcap_reader reader;
	struct pcap_step step;
	unsigned long long received, dropped;
	uint32_t section = 0, type, interface;
	struct buf text;

	assert_true(len >= 0);
	close(fd);
	buf_init(&text, 4096);
	pcap_reader_init(&reader);
	for (size_t at = 0; at < (size_t)len; at += step.used) {
		pcap_reader_next(&reader, data + at, (size_t)len - at, &step);
		assert_true(step.result != PCAP_MORE && step.result != PCAP_BAD);
		if (reader.generation != section)
			buf_adds(&text, "|");
		section = reader.generation;
		memcpy(&type, data + at, sizeof(type));
		if (step.result != PCAP_NO_PACKET)
			describe(&reader, &step.packet, &text);
		if (type == BLOCK_STATISTICS) {
			memcpy(&interface, data + at + 8, sizeof(interface));
			memcpy(&received, data + at + STATISTICS_RECEIVED, sizeof(received));
			memcpy(&dropped, data + at + STATISTICS_DROPPED, sizeof(dropped));
			buf_addf(&text, "%s=%llu/%llu ", reader.interfaces[interface].name,
				 received, dropped);
		}
	}
	pcap_reader_done(&reader);
	assert_string_equal(text.data, expect);
	buf_done(&text);
}

static int put(struct fixture *f, uint32_t slot, const char *text)
{
	return sink_pcapng_put(&f->sink, slot,
			       &(struct pcapng_packet){
				       .time_ns = 1,
				       .bytes = (const uint8_t *)text,
				       .len = strlen(text),
				       .wire_len = strlen(text),
			       });
}

static void flush(struct fixture *f, uint64_t packets)
{
	uint64_t written;

	assert_int_equal(sink_file_flush(&f->sink.file, 1, &written), 0);
	assert_int_equal(written, packets);
}

static void links(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sink_pcapng_link(&f->sink, 5, "web01"), 0);
	assert_int_equal(sink_pcapng_link(&f->sink, 9, "web02"), 0);
	assert_int_equal(put(f, 7, "x"), -ENOENT);
	assert_int_equal(put(f, 9, "a"), 0);
	assert_int_equal(put(f, 5, "b"), 0);
	flush(f, 2);
	/* The others keep their numbers when another link joins. */
	assert_int_equal(put(f, 9, "c"), 0);
	assert_int_equal(sink_pcapng_link(&f->sink, 7, "web03"), 0);
	assert_int_equal(sink_pcapng_link(&f->sink, 9, "web02"), 0);
	assert_int_equal(put(f, 7, "d"), 0);
	flush(f, 2);
	/* A slot that another link took. */
	assert_int_equal(sink_pcapng_link(&f->sink, 5, "web04"), 0);
	assert_int_equal(put(f, 5, "e"), 0);
	flush(f, 1);
	sink_pcapng_done(&f->sink);
	check_file(f, "frames",
		   "|web02:a web01:b web02:c web03:d web04:e web01=1/0 web02=2/0 "
		   "web03=1/0 web04=1/0 ");
}

/* What the kernel lost, and what found no room, is told by the next frame of the link. */
static void drops(void **state)
{
	struct fixture *f = *state;
	char text[4096];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(sink_pcapng_link(&f->sink, 0, "web01"), 0);
	assert_int_equal(sink_pcapng_link(&f->sink, 1, "web02"), 0);
	sink_pcapng_drops(&f->sink, 0, 3);
	sink_pcapng_drops(&f->sink, 2, 3);
	assert_int_equal(put(f, 1, "a"), 0);
	assert_int_equal(put(f, 0, "b"), 0);
	assert_int_equal(put(f, 0, "c"), 0);
	flush(f, 3);
	f->sink.file.conf.pending_max = f->sink.file.pending.max = 1000;
	assert_int_equal(put(f, 0, text), -ENOBUFS);
	assert_int_equal(put(f, 0, text), -ENOBUFS);
	assert_int_equal(put(f, 0, "d"), 0);
	flush(f, 1);
	sink_pcapng_done(&f->sink);
	check_file(f, "frames", "|web02:a web01:b+3 web01:c web01:d+2 web01=3/5 web02=1/0 ");
}

/* What no frame came after is told at the end of a section, and once. */
static void drops_at_the_end(void **state)
{
	struct fixture *f = *state;

	f->sink.file.conf.rotate_bytes = 250;
	assert_int_equal(sink_pcapng_link(&f->sink, 0, "web01"), 0);
	assert_int_equal(put(f, 0, "a"), 0);
	flush(f, 1);
	sink_pcapng_drops(&f->sink, 0, 3);
	assert_int_equal(sink_pcapng_link(&f->sink, 1, "web02"), 0);
	assert_int_equal(put(f, 0, "b"), 0);
	flush(f, 1);
	sink_pcapng_drops(&f->sink, 0, 4);
	f->sink.file.conf.rotate_bytes = 1;
	assert_int_equal(put(f, 1, "c"), 0);
	flush(f, 1);
	assert_int_equal(put(f, 0, "d"), 0);
	sink_pcapng_drops(&f->sink, 0, 5);
	f->sink.file.conf.rotate_bytes = 0;
	flush(f, 1);
	sink_pcapng_done(&f->sink);
	check_file(f, "frames.1", "|web01:a web01:b+3 web01=2/3 ");
	check_file(f, "frames", "|web02:c web01:d+4 web01:+5 web01=1/9 web02=1/0 ");
}

/* Of a link that no section describes nothing can be told. */
static void joins_at_the_end(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sink_pcapng_link(&f->sink, 0, "web01"), 0);
	assert_int_equal(put(f, 0, "a"), 0);
	flush(f, 1);
	assert_int_equal(sink_pcapng_link(&f->sink, 1, "web02"), 0);
	sink_pcapng_drops(&f->sink, 0, 2);
	sink_pcapng_drops(&f->sink, 1, 3);
	assert_int_equal(put(f, 1, "b"), 0);
	sink_pcapng_done(&f->sink);
	check_file(f, "frames", "|web01:a web01:+2 web01=1/2 ");
}

/* Each file can be read by itself. */
static void rotation(void **state)
{
	struct fixture *f = *state;

	f->sink.file.conf.rotate_bytes = 250;
	assert_int_equal(sink_pcapng_link(&f->sink, 0, "web01"), 0);
	assert_int_equal(put(f, 0, "a"), 0);
	flush(f, 1);
	for (int i = 0; i < 4; i++)
		assert_int_equal(put(f, 0, "b"), 0);
	flush(f, 4);
	sink_pcapng_done(&f->sink);
	check_file(f, "frames.1", "|web01:a web01=1/0 ");
	check_file(f, "frames", "|web01:b web01:b web01:b web01:b web01=4/0 ");
}

/* As another worker after the one before: its links, in that order, with a frame of the last. */
static void worker(struct fixture *f, const char *const *links, const char *text)
{
	uint32_t slot = 0;

	assert_int_equal(sink_pcapng_init(&f->sink, &f->conf, "hv1"), 0);
	for (; links[slot]; slot++)
		assert_int_equal(sink_pcapng_link(&f->sink, slot, links[slot]), 0);
	assert_int_equal(put(f, slot - 1, text), 0);
	flush(f, 1);
}

/* Who looks numbers up among the interfaces of all sections finds those of the first. */
static void other_workers(void **state)
{
	struct fixture *f = *state;

	sink_pcapng_done(&f->sink);
	worker(f, (const char *[]){ "web01", "web02", NULL }, "a");
	sink_pcapng_done(&f->sink);
	worker(f, (const char *[]){ "web01", NULL }, "b");
	assert_int_equal(sink_pcapng_link(&f->sink, 1, "web02"), 0);
	assert_int_equal(put(f, 1, "c"), 0);
	flush(f, 1);
	sink_pcapng_done(&f->sink);
	check_file(f, "frames", "|web02:a web02=1/0 |web01:b web02:c web01=1/0 web02=1/0 ");
	worker(f, (const char *[]){ "web02", NULL }, "d");
	check_file(f, "frames.1", "|web02:a web02=1/0 |web01:b web02:c web01=1/0 web02=1/0 ");
	sink_pcapng_done(&f->sink);
	check_file(f, "frames", "|web02:d web02=1/0 ");
	worker(f, (const char *[]){ "web02", NULL }, "e");
	assert_int_equal(sink_pcapng_link(&f->sink, 1, "web01"), 0);
	assert_int_equal(put(f, 1, "f"), 0);
	assert_int_equal(put(f, 0, "g"), 0);
	flush(f, 2);
	sink_pcapng_done(&f->sink);
	check_file(f, "frames.1", "|web02:d web02=1/0 |web02:e web02=1/0 ");
	check_file(f, "frames", "|web01:f web02:g web02=1/0 web01=1/0 ");
	/* Better so than without the frames before. */
	f->conf.keep = 0;
	worker(f, (const char *[]){ "web03", NULL }, "h");
	sink_pcapng_done(&f->sink);
	check_file(f, "frames", "|web01:f web02:g web02=1/0 web01=1/0 |web03:h web03=1/0 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(links),	TEST(drops),	    TEST(drops_at_the_end), TEST(joins_at_the_end),
		TEST(rotation), TEST(other_workers)
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
