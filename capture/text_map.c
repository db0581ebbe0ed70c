#include "capture/text_map.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t page_size;
static _Thread_local struct text_map *current;

/* mmap(2) is a system call and nothing more, which a handler may do. */
static void on_bus(int signal_number, siginfo_t *info, void *context)
{
	struct text_map *map = current;
	uint8_t *at = info->si_addr;
	int error = errno;

	(void)context;
	if (map && map->data && at >= map->data && at < map->data + map->len) {
		uint8_t *page = at - (uintptr_t)at % page_size;

		if (mmap(page, (size_t)(map->data + map->len - page), PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED) {
			map->cut = true;
			errno = error;
			return;
		}
	}
	/* Not ours: it comes again, and ends the process. */
	signal(signal_number, SIG_DFL);
}

static void install(void)
{
	const struct sigaction action = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };

	page_size = (size_t)sysconf(_SC_PAGESIZE);
	sigaction(SIGBUS, &action, NULL);
}

void text_map_init(struct text_map *map, int fd)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install);
	*map = (struct text_map){ .fd = fd };
	current = map;
}

void text_map_done(struct text_map *map)
{
	if (map->data)
		munmap(map->data, map->cap);
	map->data = NULL;
	current = NULL;
}

/* Over the window before where it fits there, which spares a call. */
static int place(struct text_map *map, size_t len)
{
	int fixed = map->data && len <= map->cap ? MAP_FIXED : 0;
	void *data;

	if (map->data && !fixed) {
		munmap(map->data, map->cap);
		map->data = NULL;
	}
	data = mmap(fixed ? map->data : NULL, len, PROT_READ, MAP_PRIVATE | fixed, map->fd,
		    (off_t)map->offset);
	if (data == MAP_FAILED)
		return -errno;
	map->data = data;
	map->cap = fixed ? map->cap : len;
	return 0;
}

int text_map_window(struct text_map *map, uint64_t from, size_t want, const uint8_t **ret_data,
		    size_t *ret_len)
{
	size_t before = (size_t)(from % page_size);
	struct stat st;
	uint64_t len;
	int code;

	if (fstat(map->fd, &st))
		return -errno;
	if ((uint64_t)st.st_size <= from) {
		*ret_len = 0;
		return 0;
	}
	len = (uint64_t)st.st_size - from < want ? (uint64_t)st.st_size - from : want;
	map->offset = from - before;
	map->cut = false;
	code = place(map, (size_t)len + before);
	if (code)
		return code;
	map->len = (size_t)len + before;
	*ret_data = map->data + before;
	*ret_len = (size_t)len;
	return 0;
}

bool text_map_intact(const struct text_map *map)
{
	struct stat st;

	return !map->cut && fstat(map->fd, &st) == 0 &&
	       (uint64_t)st.st_size >= map->offset + map->len;
}
