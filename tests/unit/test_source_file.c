/* links: capture/source_file.c capture/pcap_reader.c capture/pcapng_reader.c capture/pcapng.c */
/* links: agent/base/buf.c agent/base/err.c */
#include "capture/source_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/pcapng.h"

#define PACKETS 5000

/* A file of PACKETS packets of growing length, with a large block that no one knows before them. */
static void make_file(struct buf *file)
{
	static uint8_t bytes[PACKETS];
	const uint32_t big[2] = { 0x0bad, 6u << 20 };

	pcapng_section(file, "tapwarden", NULL);
	pcapng_interface(file, &(struct pcapng_interface){ .name = "web01", .link_type = 1 });
	buf_add(file, big, sizeof(big));
	memset(buf_reserve(file, big[1]), 0, big[1]);
	file->len += big[1] - 12;
	buf_add(file, &big[1], 4);
	for (size_t i = 0; i < PACKETS; i++) {
		bytes[i] = (uint8_t)i;
		pcapng_packet(file,
			      &(struct pcapng_packet){
				      .time_ns = i, .bytes = bytes, .len = i, .wire_len = i });
	}
	assert_false(file->failed);
}

static int file_of(const void *data, size_t len)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Returns the last result; `ret_n` is how many packets came before it. */
static int read_all(int fd, const void *head, size_t head_len, size_t *ret_n, struct err *err)
{
	struct source_file source;
	struct pcap_packet packet;
	size_t n = 0;
	int code;

	assert_int_equal(source_file_open(&source, fd, head, head_len), 0);
	while ((code = source_file_next(&source, &packet, err)) == 1) {
		assert_int_equal(packet.time_ns, n);
		assert_int_equal(packet.len, n);
		if (n)
			assert_int_equal(packet.bytes[n - 1], (uint8_t)(n - 1));
		assert_string_equal(source_file_interface(&source, &packet)->name, "web01");
		n++;
	}
	source_file_close(&source);
	*ret_n = n;
	return code;
}

static void whole_file(void **state)
{
	struct err err = { "" };
	struct buf file;
	size_t n;
	int fd;

	(void)state;
	buf_init(&file, 64u << 20);
	make_file(&file);
	fd = file_of(file.data, file.len);
	assert_int_equal(read_all(fd, NULL, 0, &n, &err), 0);
	assert_int_equal(n, PACKETS);
	/* As behind a caller that had a look at the beginning. */
	assert_int_equal(lseek(fd, 1000, SEEK_SET), 1000);
	assert_int_equal(read_all(fd, file.data, 1000, &n, &err), 0);
	assert_int_equal(n, PACKETS);
	close(fd);
	buf_done(&file);
}

static void faulty_file(void **state)
{
	struct err err = { "" };
	char expect[128];
	struct buf file;
	size_t n;
	int fd;

	(void)state;
	buf_init(&file, 64u << 20);
	make_file(&file);
	fd = file_of(file.data, file.len - 1);
	assert_int_equal(read_all(fd, NULL, 0, &n, &err), -ENODATA);
	assert_int_equal(n, PACKETS - 1);
	(void)snprintf(expect, sizeof(expect), "the capture is cut at byte %zu, after 4999 packets",
		       file.len - (32 + 5000 + 4));
	assert_string_equal(err.text, expect);
	close(fd);
	/* Cut inside what would have been passed over. */
	fd = file_of(file.data, 1u << 20);
	assert_int_equal(read_all(fd, NULL, 0, &n, &err), -ENODATA);
	assert_int_equal(n, 0);
	close(fd);
	file.data[file.len - 4]++;
	fd = file_of(file.data, file.len);
	assert_int_equal(read_all(fd, NULL, 0, &n, &err), -EBADMSG);
	assert_int_equal(n, PACKETS - 1);
	assert_non_null(strstr(err.text, "a block whose two lengths differ"));
	close(fd);
	assert_int_equal(read_all(-1, NULL, 0, &n, &err), -EBADF);
	buf_done(&file);
}

static void nothing(void **state)
{
	struct err err = { "" };
	size_t n;
	int fd;

	(void)state;
	fd = file_of("", 0);
	assert_int_equal(read_all(fd, NULL, 0, &n, &err), 0);
	close(fd);
	fd = file_of("\xd4\xc3\xb2\xa1", 4);
	assert_int_equal(read_all(fd, NULL, 0, &n, &err), -ENODATA);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_file),
		cmocka_unit_test(faulty_file),
		cmocka_unit_test(nothing),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
