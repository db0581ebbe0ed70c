/*
 * read_once FILE: maps the file in windows and loads every byte once, and nothing else: what no
 * search through all of the file can go below. read_once -m FILE: maps the pages and loads none,
 * which is the kernel's share of it.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW ((size_t)4 << 20)

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

int main(int argc, char **argv)
{
	bool only_maps = argc == 3 && strcmp(argv[1], "-m") == 0;
	int fd = argc == 2 + only_maps ? open(argv[argc - 1], O_RDONLY | O_CLOEXEC) : -1;
	uint64_t all = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return 2;
	for (uint64_t at = 0; at < (uint64_t)st.st_size; at += WINDOW) {
		size_t len = (uint64_t)st.st_size - at < WINDOW
				     ? (size_t)((uint64_t)st.st_size - at)
				     : WINDOW;
		uint8_t *data = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, (off_t)at);

		if (data == MAP_FAILED || (only_maps && madvise(data, len, MADV_POPULATE_READ)))
			return 2;
		all ^= only_maps ? 0 : sum(data, len);
		munmap(data, len);
	}
	printf("%llx\n", (unsigned long long)all);
	return 0;
}
