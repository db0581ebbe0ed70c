/*
 * Inside the reading of INI files: one file's text becomes sections. Edge: iniparser reads files.
 */
#ifndef TW_INI_READ_H
#define TW_INI_READ_H

#include <stddef.h>
#include <sys/types.h>

#include "agent/base/ini.h"

/* Texts that the sections point at; all freed at once. */
struct kept {
	struct kept *next;
	char text[];
};

struct file_id {
	dev_t dev;
	ino_t ino;
};

struct ini_private {
	struct kept *kept;
	struct file_id ids[INI_FILES_MAX];
	size_t n_keys;
};

/* A copy of `text` that lives as long as `ini`; NULL for want of memory. */
char *ini_keep(struct ini *ini, const char *text);

/*
 * Adds the sections of `text`, which are said to be from `file` (kept by the caller as long as
 * `ini`). What is wrong with a line is a fault and the reading goes on; -errno when it cannot.
 */
int ini_read_text(struct ini *ini, const char *file, const char *text, size_t len,
		  struct faults *faults);

/* "set web" of "[set web]". */
#define INI_SECTION_TEXT_MAX (2 * NAME_MAX_LEN + 2)
void ini_section_text(const struct ini_section *section, char out[INI_SECTION_TEXT_MAX]);

#endif
