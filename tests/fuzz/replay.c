/*
 * Stands in for libFuzzer: feeds every file of the folders named on the command line to the
 * target, one TAP line each. Links with a fuzz_NOUN.c; needs no clang.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As libFuzzer declares it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a corpus file may have; libFuzzer's own default is 4096 bytes. */
#define SEED_MAX (1u << 20)

static int is_seed(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* The bytes lie in an allocation of exactly their size, so that a sanitizer sees one read past. */
static int replay_file(const char *path)
{
	static uint8_t bytes[SEED_MAX];
	uint8_t *exact;
	size_t size;
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		return -errno;
	size = fread(bytes, 1, sizeof(bytes), file);
	(void)fclose(file);
	exact = malloc(size > 0 ? size : 1);
	if (exact == NULL)
		return -ENOMEM;
	memcpy(exact, bytes, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return 0;
}

static int replay_folder(const char *folder, unsigned int *count)
{
	struct dirent **seeds = NULL;
	int failed = 0;
	int n = scandir(folder, &seeds, is_seed, alphasort);

	if (n < 0) {
		printf("Bail out! %s: %s\n", folder, strerror(errno));
		return 1;
	}
	for (int i = 0; i < n; i++) {
		char path[4096];
		int r;

		(void)snprintf(path, sizeof(path), "%s/%s", folder, seeds[i]->d_name);
		/* Said before, so that the file is known when the target dies in it. */
		printf("# %s\n", path);
		(void)fflush(stdout);
		r = replay_file(path);
		printf("%sok %u - %s\n", r < 0 ? "not " : "", ++*count, seeds[i]->d_name);
		failed |= r < 0;
		free(seeds[i]);
	}
	free(seeds);
	return failed;
}

int main(int argc, char **argv)
{
	unsigned int count = 0;
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= replay_folder(argv[i], &count);
	/* An empty corpus would pass without having tried anything. */
	printf("1..%u\n", count);
	return failed || count == 0;
}
