#include "agent/extract_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/utf8.h"
#include "agent/cli.h"

#define FIRST_MS 1000u
#define EVERY_MS 500u

/* Of a name, so that the line stays one. */
#define NAME_SHOWN 40

static uint64_t now_ms(void)
{
	return clock_ns(CLOCK_MONOTONIC) / NS_PER_MS;
}

void extract_progress_init(struct extract_progress *progress, char *const *files, size_t n)
{
	*progress = (struct extract_progress){
		.on = isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO),
		.next_ms = now_ms() + FIRST_MS,
	};
	pthread_mutex_init(&progress->lock, NULL);
	for (size_t i = 0; i < n && progress->on; i++) {
		struct stat st;

		if (stat(files[i], &st) == 0 && S_ISREG(st.st_mode))
			progress->total += (uint64_t)st.st_size;
	}
}

void extract_progress_done(struct extract_progress *progress)
{
	extract_progress_clear(progress);
	pthread_mutex_destroy(&progress->lock);
}

static void show(struct extract_progress *progress, const char *source)
{
	char name[NAME_SHOWN + 1];

	snprintf(name, sizeof(name), "%.*s", (int)utf8_cut(source, strlen(source), NAME_SHOWN),
		 source);
	fputs("\r", stderr);
	cli_put(name);
	fprintf(stderr, ": %" PRIu64 " MiB searched", progress->done >> 20);
	if (progress->total)
		fprintf(stderr, ", %" PRIu64 " %%",
			progress->done < progress->total ? progress->done * 100 / progress->total
							 : 100);
	fputs("\33[K", stderr);
	fflush(stderr);
	progress->shown = true;
}

void extract_progress_add(struct extract_progress *progress, const char *source, uint64_t bytes)
{
	uint64_t now;

	if (!progress->on)
		return;
	now = now_ms();
	pthread_mutex_lock(&progress->lock);
	progress->done += bytes;
	if (now >= progress->next_ms) {
		progress->next_ms = now + EVERY_MS;
		show(progress, source);
	}
	pthread_mutex_unlock(&progress->lock);
}

void extract_progress_clear(struct extract_progress *progress)
{
	if (!progress->on)
		return;
	pthread_mutex_lock(&progress->lock);
	if (progress->shown)
		fputs("\r\33[K", stderr);
	progress->shown = false;
	pthread_mutex_unlock(&progress->lock);
}
