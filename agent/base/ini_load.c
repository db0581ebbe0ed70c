#include "agent/base/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/ini_read.h"

/* Bytes asked from the kernel at once, at least; a file that says its size is read in one step. */
#define READ_STEP 4096

/* ---- files ----------------------------------------------------------------------------------- */

static int slurp(int fd, struct buf *ret, struct err *err)
{
	size_t step = READ_STEP;
	off_t at = 0;
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return err_errno(err, -errno, "cannot be read");
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "it is not a regular file");
	if (st.st_size > INI_FILE_SIZE_MAX)
		return err_set(err, -EFBIG, "it has %lld bytes: at most %u are possible",
			       (long long)st.st_size, INI_FILE_SIZE_MAX);
	if ((size_t)st.st_size >= step)
		step = (size_t)st.st_size + 1;
	for (;;) {
		char *room = buf_reserve(ret, step);

		if (!room)
			return err_set(err, -EFBIG, "it is too large");
		n = pread(fd, room, step, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, -errno, "cannot be read");
		if (n == 0)
			return 0;
		ret->len += (size_t)n;
		at += n;
	}
}

/* Remembers the file; -EEXIST when it was read before, under whatever name. */
static int add_file(struct ini *ini, int fd, const char *name, struct err *err)
{
	struct stat st;
	char *copy;

	if (fstat(fd, &st) < 0)
		return err_errno(err, -errno, "cannot be read");
	for (size_t i = 0; i < ini->n_files; i++) {
		const struct file_id *id = &ini->private->ids[i];

		if (id->dev == st.st_dev && id->ino == st.st_ino)
			return err_set(err, -EEXIST, "it is included twice, first as %s",
				       ini->files[i]);
	}
	if (ini->n_files >= INI_FILES_MAX)
		return err_set(err, -E2BIG, "more than %d files: the rest is not read",
			       INI_FILES_MAX);
	copy = ini_keep(ini, name);
	if (!copy)
		return err_set(err, -ENOMEM, "out of memory");
	ini->private->ids[ini->n_files] = (struct file_id){ st.st_dev, st.st_ino };
	ini->files[ini->n_files++] = copy;
	return 0;
}

static int read_file(struct ini *ini, int fd, const char *name, struct faults *faults)
{
	struct buf text;
	struct err err;
	int code;

	buf_init(&text, 2 * (INI_FILE_SIZE_MAX + READ_STEP));
	code = add_file(ini, fd, name, &err);
	if (!code)
		code = slurp(fd, &text, &err);
	if (code)
		goto out;
	faults->n_files++;
	if (text.len)
		code = ini_read_text(ini, ini->files[ini->n_files - 1], text.data, text.len,
				     faults);
	if (code)
		err_errno(&err, code, "cannot be read");
out:
	if (code)
		faults_add(faults, name, 0, NULL, NULL, "%s", err.text);
	buf_done(&text);
	return code;
}

/* O_NONBLOCK: a FIFO without a writer must not stop the agent. */
static int open_and_read(struct ini *ini, const char *path, struct faults *faults)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int code;

	if (fd < 0) {
		code = -errno;
		faults_add(faults, path, 0, NULL, NULL, "cannot be opened: %s", strerror(-code));
		return code;
	}
	code = read_file(ini, fd, path, faults);
	close(fd);
	return code;
}

/* ---- include --------------------------------------------------------------------------------- */

static int folder_trouble(const char *path, int error)
{
	(void)path;
	return error != ENOENT;
}

/* The folder of `file` with what glob(7) would take for a pattern escaped, and '/' at its end. */
static void add_folder(struct buf *out, const char *file)
{
	const char *slash = strrchr(file, '/');

	for (const char *p = file; slash && p <= slash; p++) {
		if (strchr("*?[]\\", *p))
			buf_addc(out, '\\');
		buf_addc(out, *p);
	}
}

static void include_fault(const struct ini_section *from, const struct ini_key *key,
			  struct faults *faults, const char *text, const char *what)
{
	faults_add(faults, from->file, key->line, from->kind, key->name, "%s: \"%s\"", text, what);
}

static void include_glob(struct ini *ini, const struct ini_section *from, const struct ini_key *key,
			 const char *pattern, struct faults *faults)
{
	glob_t found = { 0 };
	struct buf path;
	int code;

	buf_init(&path, 2 * 4096);
	if (pattern[0] != '/')
		add_folder(&path, from->file);
	buf_adds(&path, pattern);
	code = path.failed ? GLOB_NOSPACE : glob(path.data, 0, folder_trouble, &found);
	/* As with every conf.d, a wildcard that matches nothing is an empty folder. */
	if (code == GLOB_NOMATCH && !strpbrk(pattern, "*?["))
		include_fault(from, key, faults, "there is no such file", pattern);
	else if (code && code != GLOB_NOMATCH)
		include_fault(from, key, faults, "the folder cannot be read", pattern);
	for (size_t i = 0; !code && i < found.gl_pathc; i++)
		open_and_read(ini, found.gl_pathv[i], faults);
	globfree(&found);
	buf_done(&path);
}

static void include_all(struct ini *ini, struct faults *faults)
{
	const struct ini_section *agent = NULL;
	const struct ini_key *key;
	struct ini_section from;
	char *rest, *list, *item;

	for (size_t i = 0; i < ini->n_sections && !agent; i++) {
		if (strcmp(ini->sections[i].kind, "agent") == 0)
			agent = &ini->sections[i];
	}
	key = agent ? ini_find(agent, "include") : NULL;
	if (!key)
		return;
	/* Reading more sections moves the array. */
	from = *agent;
	list = ini_keep(ini, key->value);
	for (item = list ? strtok_r(list, " \t,", &rest) : NULL; item;
	     item = strtok_r(NULL, " \t,", &rest))
		include_glob(ini, &from, key, item, faults);
}

/* Only the first file of all says what is included: no loops, one place to look. */
static void refuse_includes(const struct ini *ini, const char *except, struct faults *faults)
{
	for (size_t i = 0; i < ini->n_sections; i++) {
		const struct ini_section *s = &ini->sections[i];
		const struct ini_key *key = ini_find(s, "include");

		if (key && strcmp(s->kind, "agent") == 0 &&
		    (!except || strcmp(s->file, except) != 0))
			faults_add(faults, s->file, key->line, s->kind, key->name,
				   "only the first file includes others");
	}
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int compare_names(const struct ini_section *a, const struct ini_section *b)
{
	int order = strcmp(a->kind, b->kind);

	return order ? order : strcmp(a->name ? a->name : "", b->name ? b->name : "");
}

static int compare_places(const void *a, const void *b)
{
	const struct ini_section *x = *(const struct ini_section *const *)a;
	const struct ini_section *y = *(const struct ini_section *const *)b;
	int order = compare_names(x, y);

	/* The array is in the order of reading. */
	return order ? order : (x > y) - (x < y);
}

static void same_section(const struct ini_section *first, struct ini_section *again,
			 struct faults *faults)
{
	char section[INI_SECTION_TEXT_MAX];

	again->again = true;
	ini_section_text(again, section);
	faults_add(faults, again->file, again->line, section, NULL,
		   "given twice: the first is in %s:%u", first->file, first->line);
}

static int find_same_sections(struct ini *ini, struct faults *faults)
{
	struct ini_section **sorted;

	if (ini->n_sections == 0)
		return 0;
	sorted = calloc(ini->n_sections, sizeof(struct ini_section *));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < ini->n_sections; i++)
		sorted[i] = &ini->sections[i];
	qsort(sorted, ini->n_sections, sizeof(struct ini_section *), compare_places);
	for (size_t i = 1, first = 0; i < ini->n_sections; i++) {
		if (compare_names(sorted[first], sorted[i]) == 0)
			same_section(sorted[first], sorted[i], faults);
		else
			first = i;
	}
	free(sorted);
	return 0;
}

static struct ini *ini_new(void)
{
	struct ini *ini = calloc(1, sizeof(*ini));

	if (!ini)
		return NULL;
	ini->private = calloc(1, sizeof(*ini->private));
	ini->files = calloc(INI_FILES_MAX, sizeof(*ini->files));
	if (!ini->private || !ini->files) {
		ini_free(ini);
		return NULL;
	}
	return ini;
}

void ini_free(struct ini *ini)
{
	struct kept *kept;

	if (!ini)
		return;
	while (ini->private && (kept = ini->private->kept)) {
		ini->private->kept = kept->next;
		free(kept);
	}
	for (size_t i = 0; i < ini->n_sections; i++)
		free(ini->sections[i].keys);
	free(ini->sections);
	free(ini->files);
	free(ini->private);
	free(ini);
}

/* `fd` is -1 for a file that is opened by its name and may include others. */
static int load(const char *name, int fd, struct ini **ret, struct faults *faults)
{
	struct ini *ini = ini_new();
	int code;

	if (!ini)
		return -ENOMEM;
	code = fd < 0 ? open_and_read(ini, name, faults) : read_file(ini, fd, name, faults);
	if (!code && fd < 0)
		include_all(ini, faults);
	if (!code)
		code = find_same_sections(ini, faults);
	if (code) {
		ini_free(ini);
		return code;
	}
	refuse_includes(ini, fd < 0 ? ini->files[0] : NULL, faults);
	*ret = ini;
	return 0;
}

int ini_load(const char *path, struct ini **ret, struct faults *faults)
{
	return load(path, -1, ret, faults);
}

int ini_load_fd(int fd, const char *name, struct ini **ret, struct faults *faults)
{
	return load(name, fd, ret, faults);
}
