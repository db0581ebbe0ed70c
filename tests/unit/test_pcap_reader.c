/* links: capture/pcap_reader.c capture/pcapng_reader.c capture/pcapng.c agent/base/buf.c */
#include "capture/pcap_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/pcapng.h"

#define TEXT_MAX 1024

/* Each case is the bytes of a file as hex, and what the steps over it say. */
struct file_case {
	const char *name;
	const char *hex;
	const char *expect;
};

#define SHB_LE "0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000 "
#define SHB_BE "0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c "
#define IDB_LE "01000000 14000000 0100 0000 00000000 14000000 "
#define IDB_BE "00000001 00000014 0065 0000 00000002 00000014 "
/* if_name "web01", if_tsresol 9, if_tsoffset 1 */
#define IDB_NS_LE                                                                               \
	"01000000 38000000 0100 0000 00000000 0200 0500 7765623031 000000 0900 0100 09 000000 " \
	"0e00 0800 0100000000000000 0000 0000 38000000 "
#define IDB_RESOLUTION_LE(n) "01000000 1c000000 0100 0000 00000000 0900 0100 " n " 000000 1c000000 "
#define EPB_LE(interface, time, len, wire, data, total) \
	"06000000 " total interface "00000000 " time len wire data total
#define ONE_LE EPB_LE("00000000 ", "0a000000 ", "02000000 ", "04000000 ", "41420000 ", "24000000 ")

/* Statistics of an interface, with an option of 8 bytes, all of them within 256. */
#define ISB_LE(interface, code, value)                                                           \
	"05000000 28000000 " interface "00000000 0a000000 " code "0800 " value "00000000000000 " \
	"0000 0000 28000000 "
/* isb_ifdrop 3, isb_osdrop 4 */
#define ISB_TWO_LE                                                                           \
	"05000000 30000000 00000000 00000000 0a000000 0500 0800 0300000000000000 0700 0800 " \
	"0400000000000000 30000000 "
#define DROPS_OF_LE(value)                                                                         \
	"06000000 30000000 00000000 00000000 0a000000 01000000 01000000 41000000 0400 0800 " value \
	"30000000 "
#define DROPS_LE(value) DROPS_OF_LE(value "00000000000000 ")
#define DROPS_BAD	"bad a count of drops that is not of 8 bytes|"

static const struct file_case cases[] = {
	{ "pcap, microseconds, little-endian",
	  "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000 "
	  "02000000 03000000 02000000 05000000 4142",
	  "-|if0 type1 2.000003000 2/5 AB|" },
	{ "pcap, microseconds, big-endian",
	  "a1b2c3d4 0002 0004 00000000 00000000 0000ffff 00000071 "
	  "00000002 00000003 00000001 00000001 41",
	  "-|if0 type113 2.000003000 1/1 A|" },
	{ "pcap, nanoseconds, both orders",
	  "4d3cb2a1 0200 0400 00000000 00000000 ffff0000 01000000 "
	  "02000000 03000000 01000000 01000000 41",
	  "-|if0 type1 2.000000003 1/1 A|" },
	{ "pcap, nanoseconds, big-endian",
	  "a1b23c4d 0002 0004 00000000 00000000 0000ffff 00000001 "
	  "00000002 00000003 00000001 00000001 41",
	  "-|if0 type1 2.000000003 1/1 A|" },
	{ "pcap, patched, little-endian",
	  "34cdb2a1 0200 0400 00000000 00000000 ffff0000 01000000 "
	  "02000000 03000000 01000000 01000000 01000000 0800 00 00 41"
	  "02000000 04000000 01000000 02000000 01000000 0800 00 00 42",
	  "-|if0 type1 2.000003000 1/1 A|if0 type1 2.000004000 1/2 B|" },
	{ "pcap, patched, big-endian",
	  "a1b2cd34 0002 0004 00000000 00000000 0000ffff 00000001 "
	  "00000002 00000003 00000001 00000001 00000001 0008 00 00 41",
	  "-|if0 type1 2.000003000 1/1 A|" },
	{ "pcap, patched, the packet's header is cut",
	  "a1b2cd34 0002 0004 00000000 00000000 0000ffff 00000001 "
	  "00000002 00000003 00000001 00000001 00000001 0008 00",
	  "-|more24|" },
	{ "pcap, bits of a frame check sequence beside the type",
	  "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000024", "-|" },
	{ "pcap, the header is cut", "d4c3b2a1 0200 0400 00000000 0000", "more24|" },
	{ "pcap, the packet's header is cut",
	  "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000 02000000", "-|more16|" },
	{ "pcap, the packet is cut",
	  "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000 "
	  "02000000 03000000 02000000 05000000 41",
	  "-|more18|" },
	{ "pcap, an impossible length",
	  "d4c3b2a1 0200 0400 00000000 00000000 ffff0000 01000000 "
	  "02000000 03000000 01001000 05000000 41",
	  "-|bad a packet longer than any is|" },
	{ "pcapng, one packet", SHB_LE IDB_LE ONE_LE, "-|-|if0 type1 0.000010000 2/4 AB|" },
	{ "pcapng, options of an interface",
	  SHB_LE IDB_NS_LE EPB_LE("00000000 ", "0a000000 ", "01000000 ", "01000000 ", "41000000 ",
				  "24000000 "),
	  "-|-|web01 type1 1.000000010 1/1 A|" },
	{ "pcapng, interfaces of one name, one of them described",
	  SHB_LE IDB_NS_LE
	  "01000000 28000000 0100 0000 00000000 0200 0500 7765623031 000000 0300 0300 6c616e 00 "
	  "28000000 " IDB_LE EPB_LE("00000000 ", "0a000000 ", "01000000 ", "01000000 ", "41000000 ",
				    "24000000 ") EPB_LE("01000000 ", "0a000000 ", "01000000 ",
							"01000000 ", "42000000 ", "24000000 ")
		  EPB_LE("02000000 ", "0a000000 ", "01000000 ", "01000000 ", "43000000 ",
			 "24000000 "),
	  "-|-|-|-|web01 type1 1.000000010 1/1 A|web01 twin1 (lan) type1 0.000010000 1/1 B|"
	  "if2 type1 0.000010000 1/1 C|" },
	{ "pcapng, a section in the other byte order follows",
	  SHB_LE IDB_LE SHB_BE IDB_BE
	  "00000006 00000024 00000000 00000000 0000000a 00000001 00000001 43000000 00000024",
	  "-|-|-|-|if0 type101 0.000010000 1/1 C|" },
	{ "pcapng, interfaces of two types",
	  SHB_LE IDB_LE "01000000 14000000 7100 0000 00000000 14000000 " EPB_LE(
		  "01000000 ", "0a000000 ", "01000000 ", "01000000 ", "41000000 ", "24000000 "),
	  "-|-|-|if1 type113 0.000010000 1/1 A|" },
	{ "pcapng, a simple packet cut by the snapshot length",
	  SHB_BE IDB_BE "00000003 00000014 00000003 41420000 00000014",
	  "-|-|if0 type101 0.000000000 2/3 AB|" },
	{ "pcapng, the packet block of old",
	  SHB_LE IDB_LE
	  "02000000 24000000 0000 0700 00000000 0a000000 01000000 01000000 41000000 24000000",
	  "-|-|if0 type1 0.000010000 1/1 A drops7|" },
	{ "pcapng, flags and drops",
	  SHB_LE IDB_LE "06000000 38000000 00000000 00000000 0a000000 01000000 01000000 41000000 "
			"0200 0400 02000000 0400 0800 0900000000000000 38000000",
	  "-|-|if0 type1 0.000010000 1/1 A flags2 drops9|" },
	{ "pcapng, statistics tell drops", SHB_LE IDB_LE ISB_TWO_LE,
	  "-|-|if0 type1 0.000000000 lost drops7|" },
	{ "pcapng, statistics of two interfaces, which count on",
	  SHB_LE IDB_NS_LE IDB_LE ISB_LE("01000000 ", "0700 ", "02")
		  ISB_LE("00000000 ", "0500 ", "01") ISB_LE("01000000 ", "0700 ", "05"),
	  "-|-|-|if1 type1 0.000000000 lost drops2|web01 type1 0.000000000 lost drops1|"
	  "if1 type1 0.000000000 lost drops3|" },
	{ "pcapng, statistics tell no drops that packets told",
	  SHB_LE IDB_LE DROPS_LE("02") DROPS_LE("03") ISB_LE("00000000 ", "0700 ", "05")
		  ISB_LE("00000000 ", "0700 ", "06"),
	  "-|-|if0 type1 0.000010000 1/1 A drops2|if0 type1 0.000010000 1/1 A drops3|-|"
	  "if0 type1 0.000000000 lost drops1|" },
	{ "pcapng, statistics without drops", SHB_LE IDB_LE ISB_LE("00000000 ", "0400 ", "09"),
	  "-|-|-|" },
	{ "pcapng, statistics of no interface",
	  SHB_LE IDB_LE ISB_LE("00000000 ", "0700 ", "09") ISB_LE("01000000 ", "0700 ", "09"),
	  "-|-|if0 type1 0.000000000 lost drops9|"
	  "bad statistics of an interface that the file does not describe|" },
	{ "pcapng, statistics whose drops are 2^64 together",
	  SHB_LE IDB_LE "05000000 30000000 00000000 00000000 0a000000 "
			"0500 0800 ffffffffffffffff 0700 0800 0100000000000000 30000000",
	  "-|-|if0 type1 0.000000000 lost drops18446744073709551615|" },
	{ "pcapng, packets whose drops are 2^64 together",
	  SHB_LE IDB_LE DROPS_OF_LE("ffffffffffffffff ") DROPS_LE("02")
		  ISB_LE("00000000 ", "0700 ", "05"),
	  "-|-|if0 type1 0.000010000 1/1 A drops18446744073709551615|"
	  "if0 type1 0.000010000 1/1 A drops2|-|" },
	{ "pcapng, drops of statistics that are too short",
	  SHB_LE IDB_LE "05000000 20000000 00000000 00000000 0a000000 0500 0400 03000000 20000000",
	  "-|-|" DROPS_BAD },
	{ "pcapng, drops of statistics that are too long",
	  SHB_LE IDB_LE "05000000 28000000 00000000 00000000 0a000000 "
			"0700 0c00 030000000000000000000000 28000000",
	  "-|-|" DROPS_BAD },
	{ "pcapng, drops of statistics that are longer than their block",
	  SHB_LE IDB_LE "05000000 20000000 00000000 00000000 0a000000 0700 0800 03000000 20000000",
	  "-|-|" DROPS_BAD },
	{ "pcapng, drops of a packet that are too short",
	  SHB_LE IDB_LE "06000000 2c000000 00000000 00000000 0a000000 01000000 01000000 41000000 "
			"0400 0400 09000000 2c000000",
	  "-|-|" DROPS_BAD },
	{ "pcapng, drops of a packet that are longer than its block",
	  SHB_LE IDB_LE "06000000 28000000 00000000 00000000 0a000000 01000000 01000000 41000000 "
			"0400 0800 28000000",
	  "-|-|" DROPS_BAD },
	{ "pcapng, an option that is longer than its block",
	  SHB_LE IDB_LE "06000000 28000000 00000000 00000000 0a000000 01000000 01000000 41000000 "
			"0200 0800 28000000",
	  "-|-|if0 type1 0.000010000 1/1 A|" },
	{ "pcapng, unknown blocks are passed over",
	  SHB_LE "ad0b0000 10000000 ffffffff 10000000 " IDB_LE ONE_LE,
	  "-|-|-|if0 type1 0.000010000 2/4 AB|" },
	{ "pcapng, seconds", SHB_LE IDB_RESOLUTION_LE("00") ONE_LE,
	  "-|-|if0 type1 10.000000000 2/4 AB|" },
	{ "pcapng, a power of two", SHB_LE IDB_RESOLUTION_LE("82") ONE_LE,
	  "-|-|if0 type1 2.500000000 2/4 AB|" },
	{ "pcapng, a resolution beyond any", SHB_LE IDB_RESOLUTION_LE("7f") ONE_LE,
	  "-|-|if0 type1 0.000000000 2/4 AB|" },
	{ "pcapng, a packet without an interface", SHB_LE ONE_LE,
	  "-|bad a packet of an interface that the file does not describe|" },
	{ "pcapng, a new section forgets the interfaces", SHB_LE IDB_LE SHB_LE ONE_LE,
	  "-|-|-|bad a packet of an interface that the file does not describe|" },
	{ "pcapng, lengths that differ", SHB_LE "01000000 14000000 0100 0000 00000000 18000000",
	  "-|bad a block whose two lengths differ|" },
	{ "pcapng, a length that is none", SHB_LE "01000000 0a000000 0100 0000",
	  "-|bad a block of an impossible length|" },
	{ "pcapng, a length that is odd", SHB_LE "01000000 15000000 0100 0000",
	  "-|bad a block of an impossible length|" },
	{ "pcapng, a packet longer than its block",
	  SHB_LE IDB_LE
	  "06000000 24000000 00000000 00000000 0a000000 05000000 05000000 41424344 24000000",
	  "-|-|bad a packet longer than its block, or than any is|" },
	{ "pcapng, an interface shorter than its kind",
	  SHB_LE "01000000 10000000 01000000 10000000", "-|bad a block shorter than its kind is|" },
	{ "pcapng, a version that there is not",
	  SHB_LE "0a0d0d0a 1c000000 4d3c2b1a 0200 0000 "
		 "ffffffffffffffff 1c000000",
	  "-|bad a section of a version that is not known|" },
	{ "pcapng, no byte order", "0a0d0d0a 1c000000 4d3c2b1b 0100 0000",
	  "bad neither pcap nor pcapng|" },
	{ "pcapng, a second section without byte order", SHB_LE "0a0d0d0a 1c000000 4d3c2b1b",
	  "-|bad a section header without its byte-order magic|" },
	{ "pcapng, a block that claims more than the memory",
	  SHB_LE IDB_LE "06000000 fcffff7f 00000000",
	  "-|-|bad a block longer than any of its kind is|" },
	{ "pcapng, the last block is cut", SHB_LE IDB_LE "06000000 24000000 00000000 00000000",
	  "-|-|more36|" },
	{ "nothing of both", "47455420 2f204854 54502f31", "bad neither pcap nor pcapng|" },
	{ "too short to tell", "0a0d0d0a 1c0000", "more12|" },
};

static size_t bytes_of(const char *hex, uint8_t *out)
{
	unsigned int byte;
	size_t n = 0;
	int used;

	while (sscanf(hex, " %2x%n", &byte, &used) == 1) {
		out[n++] = (uint8_t)byte;
		hex += used;
	}
	return n;
}

static void describe_packet(const struct pcap_reader *reader, const struct pcap_packet *packet,
			    struct buf *out)
{
	const struct pcap_interface *interface = &reader->interfaces[packet->interface];

	if (*interface->name)
		buf_adds(out, interface->name);
	else
		buf_addf(out, "if%u", packet->interface);
	if (interface->twin)
		buf_addf(out, " twin%u", interface->twin);
	if (*interface->description)
		buf_addf(out, " (%s)", interface->description);
	buf_addf(out, " type%u %llu.%09llu ", packet->link_type,
		 (unsigned long long)(packet->time_ns / 1000000000),
		 (unsigned long long)(packet->time_ns % 1000000000));
	if (packet->bytes)
		buf_addf(out, "%zu/%zu %.*s", packet->len, packet->wire_len, (int)packet->len,
			 (const char *)packet->bytes);
	else
		buf_adds(out, "lost");
	if (packet->flags)
		buf_addf(out, " flags%x", packet->flags);
	if (packet->drops)
		buf_addf(out, " drops%llu", (unsigned long long)packet->drops);
}

/* What the steps over `data` say; a read of more than is there is for a sanitizer to see. */
static void describe(const uint8_t *data, size_t len, struct buf *out)
{
	struct pcap_reader reader;
	struct pcap_step step = { 0 };
	size_t at = 0;

	pcap_reader_init(&reader);
	do {
		uint8_t *exact = malloc(len - at + 1);

		memcpy(exact, data + at, len - at);
		pcap_reader_next(&reader, exact, len - at, &step);
		at += step.used;
		if (step.result == PCAP_PACKET || step.result == PCAP_LOSS)
			describe_packet(&reader, &step.packet, out);
		else if (step.result == PCAP_NO_PACKET)
			buf_adds(out, "-");
		else if (step.result == PCAP_BAD)
			buf_addf(out, "bad %s", step.why);
		else
			buf_addf(out, "more%zu", step.need);
		buf_adds(out, "|");
		free(exact);
	} while (at < len && step.result != PCAP_MORE && step.result != PCAP_BAD);
	pcap_reader_done(&reader);
}

static void files(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t data[TEXT_MAX];
		size_t len = bytes_of(cases[i].hex, data);
		struct buf out;

		buf_init(&out, TEXT_MAX);
		describe(data, len, &out);
		if (strcmp(out.data, cases[i].expect) != 0)
			fail_msg("%s: %s, not %s", cases[i].name, out.data, cases[i].expect);
		buf_done(&out);
	}
}

/* Whatever a file is cut to, the packets before the cut are the same. */
static void cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t data[TEXT_MAX];
		size_t len = bytes_of(cases[i].hex, data);

		for (size_t cut = 0; cut < len; cut++) {
			struct buf out;
			char *last;

			buf_init(&out, TEXT_MAX);
			describe(data, cut, &out);
			/* The last step may say that more is needed, all before it are the same. */
			last = out.data + out.len - 1;
			while (last > out.data && last[-1] != '|')
				last--;
			if (strncmp(last, "more", 4) == 0)
				*last = '\0';
			if (strncmp(out.data, cases[i].expect, strlen(out.data)) != 0)
				fail_msg("%s, cut at %zu: %s", cases[i].name, cut, out.data);
			buf_done(&out);
		}
	}
}

static void too_many_interfaces(void **state)
{
	struct pcap_reader reader;
	struct pcap_step step;
	uint8_t shb[64], idb[64];
	size_t shb_len = bytes_of(SHB_LE, shb), idb_len = bytes_of(IDB_LE, idb);

	(void)state;
	pcap_reader_init(&reader);
	pcap_reader_next(&reader, shb, shb_len, &step);
	for (size_t i = 0; i < PCAP_INTERFACES_MAX; i++) {
		pcap_reader_next(&reader, idb, idb_len, &step);
		assert_int_equal(step.result, PCAP_NO_PACKET);
	}
	pcap_reader_next(&reader, idb, idb_len, &step);
	assert_int_equal(step.result, PCAP_BAD);
	pcap_reader_done(&reader);
}

/* What pcapng.c writes, read back; bats asks the same of tshark. */
static void written(void **state)
{
	static const char *const comments[] = { "rule a: bytes 3-5", "rule b" };
	static const struct pcapng_packet packet = {
		.interface = 1,
		.time_ns = UINT64_C(1795364401123456789),
		.bytes = (const uint8_t *)"hello",
		.len = 5,
		.wire_len = 9,
		.direction = PCAPNG_OUTBOUND,
		.checksum_partial = true,
		.gso = true,
		.has_drops = true,
		.drops = 3,
		.has_id = true,
		.id = 42,
		.verdict = PCAPNG_DROPPED,
		.comments = comments,
		.n_comments = 2,
	};
	static const struct pcapng_statistics statistics = { .interface = 1, .received = 1 };
	uint64_t packets;
	struct buf file, text;
	size_t first, last;

	(void)state;
	buf_init(&file, 1 << 16);
	buf_init(&text, TEXT_MAX);
	pcapng_section(&file, "tapwarden", "hv1");
	first = file.len;
	pcapng_interface(&file, &(struct pcapng_interface){ .name = "web01", .link_type = 1 });
	pcapng_interface(&file, &(struct pcapng_interface){ .name = "web02", .link_type = 1 });
	pcapng_packet(&file, &packet);
	last = file.len;
	pcapng_statistics(&file, &statistics);
	assert_false(file.failed);
	describe((const uint8_t *)file.data, file.len, &text);
	assert_string_equal(text.data, "-|-|-|web02 type1 1795364401.123456789 5/9 hello flagsa02 "
				       "drops3|-|");
	assert_int_equal(pcapng_whole(file.data, file.len, &packets), file.len);
	assert_int_equal(packets, 1);
	for (size_t len = last; len < file.len; len++)
		assert_int_equal(pcapng_whole(file.data, len, &packets), last);
	assert_int_equal(pcapng_whole(file.data + 4, file.len - 4, NULL), 0);
	assert_int_equal(pcapng_whole(file.data + first, file.len - first, &packets),
			 file.len - first);
	buf_done(&text);
	buf_done(&file);
}

static void a_long_comment_is_cut(void **state)
{
	char comment[PCAPNG_COMMENT_MAX + 100];
	const char *comments[PCAPNG_COMMENTS_MAX + 1];
	struct pcapng_packet packet = { .bytes = (const uint8_t *)"", .comments = comments };
	struct buf file;

	(void)state;
	memset(comment, 'c', sizeof(comment));
	comment[sizeof(comment) - 1] = '\0';
	for (size_t i = 0; i < PCAPNG_COMMENTS_MAX + 1; i++)
		comments[i] = comment;
	packet.n_comments = PCAPNG_COMMENTS_MAX + 1;
	buf_init(&file, PCAPNG_OVERHEAD_MAX);
	pcapng_packet(&file, &packet);
	assert_false(file.failed);
	assert_true(file.len > (size_t)PCAPNG_COMMENTS_MAX * PCAPNG_COMMENT_MAX);
	buf_done(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(too_many_interfaces),
		cmocka_unit_test(written),
		cmocka_unit_test(a_long_comment_is_cut),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
