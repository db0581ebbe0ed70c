/*
 * read_once [-m] [-2] FILE: maps the file in windows and loads every byte once, and nothing else:
 * what no search through all of the file can go below. With -m it loads one byte of the 16 pages
 * that the kernel maps with one fault (fault_around_bytes), which is the kernel's share. With -2
 * two threads share the windows.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW	     ((uint64_t)4 << 20)
#define FAULT_AROUND ((size_t)64 << 10)

struct reading {
	int fd;
	bool only_maps;
	uint64_t size, next;
	uint64_t all; /* of all bytes, so that each is looked at */
	bool failed;
};

/* Sums up words of 32 bytes, which the compiler keeps in vector registers. */
static uint64_t sum(const uint8_t *data, size_t len)
{
	uint64_t sums[8] = { 0 };

	for (size_t i = 0; i + sizeof(sums) <= len; i += sizeof(sums)) {
		const uint64_t *words = (const uint64_t *)(const void *)(data + i);

		for (size_t k = 0; k < 8; k++)
			sums[k] ^= words[k];
	}
	for (size_t k = 1; k < 8; k++)
		sums[0] ^= sums[k];
	return sums[0];
}

static uint64_t touch(const volatile uint8_t *data, size_t len)
{
	uint64_t all = 0;

	for (size_t i = 0; i < len; i += FAULT_AROUND)
		all ^= data[i];
	return all;
}

static void *read_windows(void *data)
{
	struct reading *reading = data;
	uint64_t at, all = 0;

	while ((at = __atomic_fetch_add(&reading->next, WINDOW, __ATOMIC_RELAXED)) <
	       reading->size) {
		uint64_t left = reading->size - at;
		size_t len = left < WINDOW ? left : WINDOW;
		uint8_t *window = mmap(NULL, len, PROT_READ, MAP_PRIVATE, reading->fd, (off_t)at);

		if (window == MAP_FAILED) {
			__atomic_store_n(&reading->failed, true, __ATOMIC_RELAXED);
			break;
		}
		all ^= reading->only_maps ? touch(window, len) : sum(window, len);
		munmap(window, len);
	}
	__atomic_fetch_xor(&reading->all, all, __ATOMIC_RELAXED);
	return NULL;
}

int main(int argc, char **argv)
{
	struct reading reading = { .fd = -1 };
	bool two = false;
	pthread_t thread;
	struct stat st;
	int option;

	while ((option = getopt(argc, argv, "m2")) != -1) {
		reading.only_maps |= option == 'm';
		two |= option == '2';
	}
	if (optind < argc)
		reading.fd = open(argv[optind], O_RDONLY | O_CLOEXEC);
	if (reading.fd < 0 || fstat(reading.fd, &st))
		return 2;
	reading.size = (uint64_t)st.st_size;
	if (two && pthread_create(&thread, NULL, read_windows, &reading))
		return 2;
	read_windows(&reading);
	if (two)
		pthread_join(thread, NULL);
	printf("%llx\n", (unsigned long long)reading.all);
	return reading.failed ? 2 : 0;
}
