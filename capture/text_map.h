/*
 * A window into a file that is mapped, which may shrink at any time. Edge.
 *
 * Half of what read(2) costs is the copy. A mapping has none, but where the file was cut the
 * processor finds no memory: SIGBUS, for which there is a handler here that puts zeroes there. So
 * whoever reads a window asks afterwards whether it is intact, and throws away what it found if
 * not.
 */
#ifndef TW_TEXT_MAP_H
#define TW_TEXT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text_map {
	int fd; /* stays the caller's */
	uint8_t *data; /* NULL: nothing is mapped */
	size_t len;
	uint64_t offset; /* of data[0] in the file */
	size_t cap; /* bytes of addresses that are ours from `data` on */
	volatile bool cut; /* zeroes were put into the window */
};

/* `fd` is of a regular file. One thread has one map at a time. */
void text_map_init(struct text_map *map, int fd);
void text_map_done(struct text_map *map);

/*
 * The file from `from` on, as far as it goes, but about `want` bytes; the window before is gone.
 * Behind the end of the file there are 0 bytes. 0 or -errno.
 */
int text_map_window(struct text_map *map, uint64_t from, size_t want, const uint8_t **ret_data,
		    size_t *ret_len);

/* Whether all of the window was of the file, until now. */
bool text_map_intact(const struct text_map *map);

#endif
