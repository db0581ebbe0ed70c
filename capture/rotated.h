/*
 * The files that a log file was rotated to: NAME.1 is the newest of them, NAME.keep the oldest.
 * They are in the directory of NAME, which is number 0 here. Edge.
 */
#ifndef TW_ROTATED_H
#define TW_ROTATED_H

#include <limits.h>
#include <stdint.h>

/* The name of the file of that number, cut where it is longer than a name can be. */
void rotated_name(const char *name, uint32_t number, char out[NAME_MAX + 1]);

/*
 * NAME.2 becomes NAME.3, NAME.1 NAME.2 and NAME NAME.1; what was NAME.keep is replaced. With `keep`
 * 0 NAME is removed. Returns 0 or the negative errno of the first that could not be moved.
 */
int rotated_move(int dir_fd, const char *name, uint32_t keep);

/* Removes of NAME.1 to NAME.keep the oldest, so that the rest has `bytes` at most. */
void rotated_bound(int dir_fd, const char *name, uint32_t keep, uint64_t bytes);

#endif
