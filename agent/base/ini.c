#include "agent/base/ini.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <iniparser/iniparser.h>

#include "agent/base/ini_read.h"

/* The reading of one file: lines are collected per section, then given to iniparser. */
struct reading {
	struct ini *ini;
	struct faults *faults;
	const char *file;
	unsigned int line;
	struct ini_section *section; /* NULL before the first, and behind a faulty header */
	bool skipping; /* behind a faulty header: its keys belong to nobody */
	struct buf chunk; /* the section's header and good lines */
	int memfd;
	int error; /* a reason to stop: -ENOMEM, or what the system said */
};

char *ini_keep(struct ini *ini, const char *text)
{
	size_t len = strlen(text);
	struct kept *kept = malloc(sizeof(*kept) + len + 1);

	if (!kept)
		return NULL;
	memcpy(kept->text, text, len + 1);
	kept->next = ini->private->kept;
	ini->private->kept = kept;
	return kept->text;
}

void ini_section_text(const struct ini_section *section, char out[INI_SECTION_TEXT_MAX])
{
	snprintf(out, INI_SECTION_TEXT_MAX, "%s%s%s", section->kind, section->name ? " " : "",
		 section->name ? section->name : "");
}

static void fault_here(struct reading *r, const char *key, const char *text)
{
	char section[INI_SECTION_TEXT_MAX];

	if (r->section) {
		ini_section_text(r->section, section);
		r->section->damaged = true;
	}
	faults_add(r->faults, r->file, r->line, r->section ? section : NULL, key, "%s", text);
}

/* ---- iniparser ------------------------------------------------------------------------------- */

/* What it would print is found by the pass over the lines, with the place. */
static int say_nothing(const char *fmt, ...)
{
	(void)fmt;
	return 0;
}

/* iniparser 4.1 reads only by path, and a path can change under it: it gets a copy in memory. */
static int parse_chunk(struct reading *r, dictionary **ret)
{
	char path[64];
	dictionary *d;

	if (r->memfd < 0)
		r->memfd = memfd_create("ini", MFD_CLOEXEC);
	if (r->memfd < 0)
		return -errno;
	if (ftruncate(r->memfd, 0) < 0)
		return -errno;
	if (pwrite(r->memfd, r->chunk.data, r->chunk.len, 0) != (ssize_t)r->chunk.len)
		return -ENOSPC;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", r->memfd);
	iniparser_set_error_callback(say_nothing);
	d = iniparser_load(path);
	iniparser_set_error_callback(NULL);
	if (!d)
		return -EIO;
	*ret = d;
	return 0;
}

static int take_values(struct reading *r, const dictionary *d)
{
	struct ini_section *s = r->section;

	for (size_t i = 0; i < s->n_keys; i++) {
		char path[3 * NAME_MAX_LEN + 4];
		const char *value;

		snprintf(path, sizeof(path), "%s%s%s:%s", s->kind, s->name ? " " : "",
			 s->name ? s->name : "", s->keys[i].name);
		value = iniparser_getstring(d, path, NULL);
		if (!value)
			return -EIO;
		s->keys[i].value = ini_keep(r->ini, value);
		if (!s->keys[i].value)
			return -ENOMEM;
	}
	return 0;
}

static void end_section(struct reading *r)
{
	dictionary *d = NULL;

	if (!r->section || r->error)
		return;
	r->error = r->chunk.failed ? -ENOMEM : parse_chunk(r, &d);
	if (!r->error)
		r->error = take_values(r, d);
	if (d)
		iniparser_freedict(d);
	buf_reset(&r->chunk);
	r->section = NULL;
}

/* ---- lines ----------------------------------------------------------------------------------- */

static void begin_section(struct reading *r, const struct ini_line *line)
{
	struct ini *ini = r->ini;
	struct ini_section *list;
	struct ini_section section = { .file = r->file, .line = r->line };

	end_section(r);
	r->skipping = ini->n_sections >= INI_SECTIONS_MAX;
	if (r->skipping) {
		if (!ini->full)
			fault_here(r, NULL, "too many sections: the rest is not read");
		ini->full = true;
		return;
	}
	section.kind = ini_keep(ini, line->name);
	section.name = line->section_name[0] ? ini_keep(ini, line->section_name) : NULL;
	/* Doubles at each power of two. */
	list = ini->sections;
	if ((ini->n_sections & (ini->n_sections - 1)) == 0)
		list = realloc(list, (ini->n_sections ? 2 * ini->n_sections : 1) * sizeof(*list));
	if (list)
		ini->sections = list;
	if (!section.kind || (line->section_name[0] && !section.name) || !list) {
		r->error = -ENOMEM;
		return;
	}
	ini->sections[ini->n_sections] = section;
	r->section = &ini->sections[ini->n_sections++];
	buf_addf(&r->chunk, "[%s%s%s]\n", section.kind, section.name ? " " : "",
		 section.name ? section.name : "");
}

static void add_key(struct reading *r, const struct ini_line *line, const char *text, size_t len)
{
	struct ini_section *s = r->section;
	const struct ini_key *first = ini_find(s, line->name);
	struct ini_key *keys;
	char note[64];

	if (first) {
		snprintf(note, sizeof(note), "given twice: the first is in line %u", first->line);
		fault_here(r, line->name, note);
		return;
	}
	if (s->n_keys >= INI_SECTION_KEYS_MAX || r->ini->private->n_keys >= INI_KEYS_MAX) {
		fault_here(r, line->name, "too many keys: it is not read");
		return;
	}
	keys = realloc(s->keys, (s->n_keys + 1) * sizeof(*keys));
	if (keys)
		s->keys = keys;
	else
		r->error = -ENOMEM;
	if (r->error)
		return;
	keys[s->n_keys] = (struct ini_key){ .name = ini_keep(r->ini, line->name), .line = r->line };
	if (!keys[s->n_keys].name) {
		r->error = -ENOMEM;
		return;
	}
	s->n_keys++;
	r->ini->private->n_keys++;
	buf_add(&r->chunk, text, len);
	buf_addc(&r->chunk, '\n');
}

/*
 * iniparser folds such a name in silence; going on with what it makes of it keeps other faults out.
 */
static void fault_folded(struct reading *r, const struct ini_line *line, const char *text,
			 size_t len)
{
	const char *open = memchr(text, '[', len);
	const char *close = memchr(text, ']', len);
	char note[5 * NAME_MAX_LEN];

	if (line->kind == INI_LINE_KEY)
		snprintf(note, sizeof(note), "names are lower case: write %s", line->name);
	else
		snprintf(note, sizeof(note), "names are lower case: write [%s%s%s], not %.*s",
			 line->name, line->section_name[0] ? " " : "", line->section_name,
			 (int)(close + 1 - open), open);
	fault_here(r, NULL, note);
}

static void read_good_line(struct reading *r, const struct ini_line *line, const char *text,
			   size_t len)
{
	switch (line->kind) {
	case INI_LINE_EMPTY:
		break;
	case INI_LINE_SECTION:
		begin_section(r, line);
		break;
	case INI_LINE_KEY:
		if (r->section)
			add_key(r, line, text, len);
		else if (!r->skipping)
			fault_here(r, line->name, "it stands before the first [section]");
		break;
	}
}

static void read_line(struct reading *r, const char *text, size_t len)
{
	struct ini_line line;
	struct err err;
	int code;

	if (len && text[len - 1] == '\r')
		len--;
	code = ini_scan_line(text, len, &line, &err);
	if (!code) {
		read_good_line(r, &line, text, len);
		if (line.folded && !r->error)
			fault_folded(r, &line, text, len);
		return;
	}
	if (line.kind == INI_LINE_SECTION) {
		end_section(r);
		r->skipping = true;
	}
	fault_here(r, line.kind == INI_LINE_KEY && line.name[0] ? line.name : NULL, err.text);
}

/* A program, or a text of two bytes a character: each of its lines would have the same fault. */
static bool is_text(struct reading *r, const char *bytes, size_t len)
{
	const char *newline = len ? memchr(bytes, '\n', len) : NULL;

	if (newline)
		len = (size_t)(newline - bytes);
	if (!len || !memchr(bytes, '\0', len))
		return true;
	fault_here(r, NULL,
		   "a NUL byte is here: the file is no text, or one of UTF-16, and not read");
	return false;
}

int ini_read_text(struct ini *ini, const char *file, const char *text, size_t len,
		  struct faults *faults)
{
	static const char mark[] = "\xef\xbb\xbf";
	struct reading r = { .ini = ini, .faults = faults, .file = file, .line = 1, .memfd = -1 };
	const char *end = text + len;

	if (!is_text(&r, text, len))
		return 0;
	buf_init(&r.chunk, (INI_SECTION_KEYS_MAX + 1) * (INI_LINE_MAX + 1));
	if (len >= 3 && memcmp(text, mark, 3) == 0) {
		fault_here(&r, NULL, "the file begins with a byte order mark: save it without one");
		text += 3;
	}
	for (; text < end && !r.error; r.line++) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t line_len = (size_t)((newline ? newline : end) - text);

		read_line(&r, text, line_len);
		text += line_len + (newline != NULL);
	}
	end_section(&r);
	if (r.memfd >= 0)
		close(r.memfd);
	buf_done(&r.chunk);
	return r.error;
}

/* ---- asking and writing ---------------------------------------------------------------------- */

const struct ini_key *ini_find(const struct ini_section *section, const char *key)
{
	for (size_t i = 0; i < section->n_keys; i++) {
		if (strcmp(section->keys[i].name, key) == 0)
			return &section->keys[i];
	}
	return NULL;
}

int ini_write_key(struct buf *out, const char *key, const char *value)
{
	/* A long line has no room for what is only pleasant to read. */
	static const char *const all_quotes[] = { "\"", "'", "" };
	static const char *const all_equals[] = { " = ", "=" };

	for (size_t q = 0; q < 3; q++) {
		const char *quotes = all_quotes[q];

		if (!ini_carries(value, quotes))
			continue;
		for (size_t e = 0; e < 2; e++) {
			if (strlen(key) + strlen(all_equals[e]) + strlen(value) +
				    2 * strlen(quotes) >
			    INI_LINE_MAX)
				continue;
			buf_addf(out, "%s%s%s%s%s\n", key, all_equals[e], quotes, value, quotes);
			return 0;
		}
	}
	return -EINVAL;
}
