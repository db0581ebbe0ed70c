/*
 * The INI file as sections, keys and the lines they came from.
 *
 * iniparser gives the values. It folds names to lower case, cuts lines at 1024 bytes and silently
 * keeps the last of two equal keys, so a pass of our own over the same text finds every key's
 * line, and the faults that iniparser does not tell. Edge: reads files.
 */
#ifndef TW_INI_H
#define TW_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "agent/base/ini_scan.h"

#define INI_FILES_MAX	  256
#define INI_SECTIONS_MAX  65536
#define INI_KEYS_MAX	  262144
#define INI_FILE_SIZE_MAX (8u << 20)

/* iniparser looks a key up by walking all of them; each section is given to it by itself. */
#define INI_SECTION_KEYS_MAX 256

struct ini_key {
	const char *name;
	const char *value;
	unsigned int line;
};

struct ini_section {
	const char *kind; /* "set" of "[set web]" */
	const char *name; /* "web"; NULL for a section without a name, as "[agent]" */
	const char *file;
	unsigned int line;
	struct ini_key *keys;
	size_t n_keys;
	bool again; /* one of this kind and name came before: a fault that is told already */
	bool damaged; /* a line of it was refused: a key that seems missing may be there */
};

struct ini {
	struct ini_section *sections;
	size_t n_sections;
	bool full; /* there are more, and that was told */
	char **files; /* every file read, in order */
	size_t n_files;
	struct ini_private *private;
};

/*
 * One thing wrong with the configuration, in printable UTF-8. section and key are NULL where none
 * is meant.
 */
struct fault {
	char *file;
	unsigned int line; /* 0: the file as a whole */
	char *section; /* "set web" */
	char *key;
	char *text;
};

/* Every fault found, in the order of file and line once faults_sort() was called. */
struct faults {
	struct fault *list;
	size_t n;
	size_t n_dropped; /* above FAULTS_MAX: counted only */
	size_t n_files; /* files that were read, faulty or not */
};

#define FAULTS_MAX 1000

/*
 * `section` and `key` may be NULL: of none, or of all of it. Texts are copied, with control bytes
 * made visible. Without memory, and above FAULTS_MAX, the fault is counted as dropped.
 */
void faults_add(struct faults *faults, const char *file, unsigned int line, const char *section,
		const char *key, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
void faults_sort(struct faults *faults);
void faults_done(struct faults *faults);

/* "FILE:LINE: [section] key: text", what `check` prints and the log carries. */
void fault_format(const struct fault *fault, struct buf *out);

/*
 * Reads `path` and what its [agent] `include` names (a glob, relative to the including file's
 * folder). Every syntax fault is added to `faults`; whatever could be read is in `ret`, which the
 * caller frees by ini_free(). Returns 0 also when faults were found; a negative errno only when
 * nothing could be read at all (also told as a fault).
 */
int ini_load(const char *path, struct ini **ret, struct faults *faults);

/* As ini_load() from an open file; `name` is what faults and origins say. Includes are refused. */
int ini_load_fd(int fd, const char *name, struct ini **ret, struct faults *faults);
void ini_free(struct ini *ini);

const struct ini_key *ini_find(const struct ini_section *section, const char *key);

/*
 * Appends "key = value\n" so that ini_load_fd() reads the same value back, choosing the quotes.
 * Every value that was read can be written. -EINVAL, and nothing appended, for one that no form can
 * carry: both kinds of quotes beside ';' or '#', a control byte, more than a line holds.
 */
int ini_write_key(struct buf *out, const char *key, const char *value);

#endif
