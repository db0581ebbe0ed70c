#include "web/file_set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAR_BLOCK 512

struct file *file_set_add(struct file_set *set, const char *path, unsigned int mode)
{
	struct file **files = realloc(set->files, (set->n + 1) * sizeof(*files));
	struct file *file;

	if (!files)
		return NULL;
	set->files = files;
	file = calloc(1, sizeof(*file));
	if (!file)
		return NULL;
	snprintf(file->path, sizeof(file->path), "%s", path);
	file->mode = mode;
	buf_init(&file->content, FILE_SIZE_MAX);
	files[set->n++] = file;
	return file;
}

/* The content may be a secret. */
static void file_free(struct file *file)
{
	if (file->content.data)
		explicit_bzero(file->content.data, file->content.len);
	buf_done(&file->content);
	free(file);
}

void file_set_drop(struct file_set *set)
{
	file_free(set->files[--set->n]);
}

static int by_path(const void *a, const void *b)
{
	return strcmp((*(struct file *const *)a)->path, (*(struct file *const *)b)->path);
}

void file_set_sort(struct file_set *set)
{
	if (set->n)
		qsort(set->files, set->n, sizeof(struct file *), by_path);
}

void file_set_done(struct file_set *set)
{
	while (set->n)
		file_set_drop(set);
	free(set->files);
	*set = (struct file_set){ 0 };
}

/*
 * Offsets and lengths are those of the ustar header; the checksum counts its own place as blanks.
 */
static void add_header(const struct file *file, struct buf *out)
{
	char header[TAR_BLOCK] = { 0 };
	unsigned int sum = 0;

	memcpy(header, file->path, strlen(file->path));
	snprintf(header + 100, 8, "%07o", file->mode);
	snprintf(header + 108, 8, "%07o", 0);
	snprintf(header + 116, 8, "%07o", 0);
	snprintf(header + 124, 12, "%011zo", file->content.len);
	snprintf(header + 136, 12, "%011o", 0);
	memset(header + 148, ' ', 8);
	header[156] = '0';
	snprintf(header + 257, 6, "ustar");
	header[263] = header[264] = '0';
	snprintf(header + 265, 32, "root");
	snprintf(header + 297, 32, "root");
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	snprintf(header + 148, 8, "%06o", sum & 0777777);
	buf_add(out, header, sizeof(header));
}

int file_set_tar(const struct file_set *set, struct buf *out, struct err *err)
{
	static const char zeros[2 * TAR_BLOCK];

	for (size_t i = 0; i < set->n; i++) {
		const struct buf *content = &set->files[i]->content;

		add_header(set->files[i], out);
		if (content->len)
			buf_add(out, content->data, content->len);
		buf_add(out, zeros, -content->len % TAR_BLOCK);
	}
	buf_add(out, zeros, sizeof(zeros));
	return out->failed ? err_set(err, -ENOMEM, "the archive is too long") : 0;
}
