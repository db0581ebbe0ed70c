/* links: web/pcapng_pick.c capture/pcapng.c agent/base/buf.c */
/* The files are made by the writer of capture, which is whose files they are. */
#include "web/pcapng_pick.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "capture/pcapng.h"

#define MAX (1u << 20)

static void add_packet(struct buf *file, uint32_t interface, uint64_t id, const char *comment)
{
	static const uint8_t bytes[61] = { 1, 2, 3 };
	const char *const comments[] = { comment };
	struct pcapng_packet packet = { .interface = interface,
					.time_ns = 1000 + id,
					.bytes = bytes,
					.len = sizeof(bytes),
					.wire_len = sizeof(bytes),
					.has_id = true,
					.id = id,
					.comments = comments,
					.n_comments = comment ? 1 : 0 };

	pcapng_packet(file, &packet);
}

/* Two sections: in the second, numbers of interfaces mean others. */
static void make_file(struct buf *file)
{
	const struct pcapng_interface one = { .name = "web01", .link_type = 1 };
	const struct pcapng_interface two = { .name = "web02", .link_type = 1 };

	buf_init(file, MAX);
	pcapng_section(file, "tapwarden", "host");
	pcapng_interface(file, &one);
	pcapng_interface(file, &two);
	add_packet(file, 0, 1, NULL);
	add_packet(file, 1, 2, "rule order: payload bytes 0-4");
	add_packet(file, 0, 3, "rule order: payload bytes 5-9");
	add_packet(file, 0, 4, "rule orders: payload bytes 5-9");
	pcapng_section(file, "tapwarden", "host");
	pcapng_interface(file, &two);
	pcapng_interface(file, &one);
	add_packet(file, 0, 5, "rule order: stream bytes 5-9");
	add_packet(file, 1, 6, NULL);
	add_packet(file, 7, 7, NULL);
}

static const struct {
	const char *link, *rule;
	int64_t packet; /* -1: any */
	const char *ids; /* of the packets that are picked */
	uint64_t since_ns, until_ns; /* 0: any */
} cases[] = {
	{ NULL, NULL, -1, "3456", 1003, 0 },
	{ NULL, NULL, -1, "12", 0, 1003 },
	{ "web01", NULL, -1, "34", 1002, 1006 },
	{ NULL, "order", -1, "35", 1003, 0 },
	{ NULL, NULL, -1, "", 1ull << 32, 0 },
	{ NULL, NULL, -1, "123456", 0, 1ull << 32 },
	{ NULL, NULL, -1, "123456", 0, 0 },
	{ "web01", NULL, -1, "1346", 0, 0 },
	{ "web02", NULL, -1, "25", 0, 0 },
	{ "web0", NULL, -1, "", 0, 0 },
	{ NULL, "order", -1, "235", 0, 0 },
	{ NULL, "orders", -1, "4", 0, 0 },
	{ NULL, "orde", -1, "", 0, 0 },
	{ "web01", "order", -1, "3", 0, 0 },
	{ NULL, NULL, 4, "4", 0, 0 },
	{ "web02", NULL, 4, "", 0, 0 },
	{ NULL, "order", 5, "5", 0, 0 },
};

/* The packets of a file, by their times, and how many other blocks it has. */
static size_t read_ids(const struct buf *file, char *ids)
{
	size_t others = 0;

	for (size_t at = 0; at < file->len;) {
		uint32_t type, len;

		memcpy(&type, file->data + at, 4);
		memcpy(&len, file->data + at + 4, 4);
		if (type == 6) {
			uint32_t low;

			memcpy(&low, file->data + at + 16, 4);
			*ids++ = (char)('0' + low - 1000);
		} else {
			others++;
		}
		at += len;
	}
	*ids = '\0';
	return others;
}

/* Whatever the pieces are in which it is read. */
static void pick(struct pcapng_pick *picker, const struct buf *file, size_t piece, struct buf *out)
{
	size_t at = 0, have = 0;

	while (at < file->len) {
		ssize_t used;

		have = have + piece < file->len - at ? have + piece : file->len - at;
		used = pcapng_pick(picker, (const uint8_t *)file->data + at, have, out);
		assert_true(used >= 0);
		at += (size_t)used;
		have -= (size_t)used;
	}
}

static void what_is_picked(void **state)
{
	struct buf file;

	(void)state;
	make_file(&file);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t piece = 1; piece < 300; piece += 7) {
			struct pcapng_pick *picker = calloc(1, sizeof(*picker));
			struct buf out;
			char ids[16];

			picker->link = cases[i].link;
			picker->rule = cases[i].rule;
			picker->has_packet = cases[i].packet >= 0;
			picker->packet = (uint64_t)cases[i].packet;
			picker->since_ns = cases[i].since_ns;
			picker->until_ns = cases[i].until_ns;
			buf_init(&out, MAX);
			pick(picker, &file, piece, &out);
			assert_int_equal(read_ids(&out, ids), 6);
			assert_string_equal(ids, cases[i].ids);
			buf_done(&out);
			free(picker);
		}
	}
	buf_done(&file);
}

/* The frames of a second and a third file are of their own links, in the section that is open. */
static void files_are_joined(void **state)
{
	static const char *const links[] = { NULL, "web01", "web02" };
	static const char *const ids[] = { "123456123456123456", "134613461346", "252525" };
	/*
	 * The first has two sections, of which the second stays; of others, four interfaces are
	 * added.
	 */
	static const uint32_t interfaces[] = {
		0, 1, 0, 0, 0, 1, 2, 3, 2, 2, 4, 5, 6, 7, 6, 6, 8, 9
	};
	struct buf file;

	(void)state;
	make_file(&file);
	for (size_t i = 0; i < 3; i++) {
		struct pcapng_pick *picker = calloc(1, sizeof(*picker));
		char all[32];
		struct buf out;
		size_t n = 0;

		picker->link = links[i];
		buf_init(&out, MAX);
		for (int k = 0; k < 3; k++) {
			pick(picker, &file, 100, &out);
			pcapng_pick_next_file(picker);
		}
		/* Sections: two; interfaces: four of each file. */
		assert_int_equal(read_ids(&out, all), 2 + 3 * 4);
		assert_string_equal(all, ids[i]);
		for (size_t at = 0; !links[i] && at < out.len;) {
			uint32_t block[3];

			memcpy(block, out.data + at, sizeof(block));
			if (block[0] == 6)
				assert_int_equal(block[2], interfaces[n++]);
			at += block[1];
		}
		buf_done(&out);
		free(picker);
	}
	buf_done(&file);
}

/*
 * A file has a section for each worker that wrote it, all with their interfaces: no frame is left
 * out.
 */
static void many_sections_are_joined(void **state)
{
	struct pcapng_pick *picker = calloc(1, sizeof(*picker));
	struct buf file, out;
	char ids[16];

	(void)state;
	make_file(&file);
	buf_init(&out, MAX);
	pcapng_pick_next_file(picker);
	for (unsigned int n = 0; n <= PCAPNG_INTERFACES_MAX; n += 4) {
		buf_reset(&out);
		pick(picker, &file, file.len, &out);
		read_ids(&out, ids);
		assert_string_equal(ids, "123456");
	}
	buf_done(&out);
	buf_done(&file);
	free(picker);
}

static void what_is_no_block(void **state)
{
	static const uint32_t bad[][4] = {
		{ 6, 8, 0, 0 }, /* shorter than a block */
		{ 6, 13, 0, 0 }, /* not a multiple of 4 */
		{ 6, 16, 0, 12 }, /* another length at its end */
		{ 6, UINT32_MAX, 0, 0 },
	};
	struct pcapng_pick *picker = calloc(1, sizeof(*picker));
	struct buf out;

	(void)state;
	buf_init(&out, MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(pcapng_pick(picker, (const uint8_t *)bad[i], 16, &out), -EBADMSG);
	assert_int_equal(pcapng_pick(picker, (const uint8_t *)"", 0, &out), 0);
	assert_int_equal(out.len, 0);
	buf_done(&out);
	free(picker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_picked),
		cmocka_unit_test(files_are_joined),
		cmocka_unit_test(many_sections_are_joined),
		cmocka_unit_test(what_is_no_block),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
