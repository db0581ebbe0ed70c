#include "web/iso9660.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

/*
 * ECMA-119 (ISO 9660) and the Joliet specification. Offsets within a descriptor or record are the
 * standard's positions, which count from 1, less one.
 */
#define SECTOR 2048

enum {
	SECTOR_PRIMARY = 16,
	SECTOR_JOLIET,
	SECTOR_END,
	SECTOR_PATHS_LE, /* of each volume: the little-endian path table, then the big-endian one */
	SECTOR_PATHS_BE,
	SECTOR_JOLIET_PATHS_LE,
	SECTOR_JOLIET_PATHS_BE,
	SECTOR_ROOT,
	SECTOR_JOLIET_ROOT,
	SECTOR_DATA
};

#define RECORD_MIN	33
#define PATH_TABLE_SIZE 10
#define FLAG_FOLDER	2

static void put_le(unsigned char *p, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (unsigned char)(value >> (8 * i));
}

static void put_be(unsigned char *p, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		p[i] = (unsigned char)(value >> (8 * (bytes - 1 - i)));
}

/* 7.2.3 and 7.3.3: both orders, one after the other. */
static void put_both(unsigned char *p, uint32_t value, int bytes)
{
	put_le(p, value, bytes);
	put_be(p + bytes, value, bytes);
}

/* Text of Joliet is big-endian UCS-2. */
static size_t put_name(unsigned char *p, const char *name, bool joliet)
{
	size_t n = 0;

	for (; *name; name++) {
		if (joliet)
			p[n++] = 0;
		p[n++] = (unsigned char)*name;
	}
	return n;
}

static void pad(unsigned char *p, size_t len, bool joliet)
{
	for (size_t i = 0; i < len; i++)
		p[i] = joliet && i % 2 == 0 ? 0 : ' ';
}

/* 9.1; returns the bytes of the record, which has an even length. */
static size_t put_record(unsigned char *p, const void *id, size_t id_len, uint32_t sector,
			 uint32_t size, unsigned char flags)
{
	size_t len = (RECORD_MIN + id_len + 1) & ~(size_t)1;

	memset(p, 0, len);
	p[0] = (unsigned char)len;
	put_both(p + 2, sector, 4);
	put_both(p + 10, size, 4);
	p[18] = 70; /* years since 1900, month, day */
	p[19] = 1;
	p[20] = 1;
	p[25] = flags;
	put_both(p + 28, 1, 2);
	p[32] = (unsigned char)id_len;
	memcpy(p + RECORD_MIN, id, id_len);
	return len;
}

/* 8.4 and 8.5: the two differ in the names' characters, which the escape sequence tells. */
static void put_descriptor(unsigned char *p, const char *volume, bool joliet, uint32_t sectors)
{
	uint32_t paths = joliet ? SECTOR_JOLIET_PATHS_LE : SECTOR_PATHS_LE;
	uint32_t root = joliet ? SECTOR_JOLIET_ROOT : SECTOR_ROOT;

	p[0] = joliet ? 2 : 1;
	put_name(p + 1, "CD001\001", false);
	pad(p + 8, 32, joliet);
	pad(p + 40, 32, joliet);
	put_name(p + 40, volume, joliet);
	put_both(p + 80, sectors, 4);
	if (joliet)
		put_name(p + 88, "%/E", false);
	put_both(p + 120, 1, 2);
	put_both(p + 124, 1, 2);
	put_both(p + 128, SECTOR, 2);
	put_both(p + 132, PATH_TABLE_SIZE, 4);
	put_le(p + 140, paths, 4);
	put_be(p + 148, paths + 1, 4);
	put_record(p + 156, "", 1, root, SECTOR, FLAG_FOLDER);
	pad(p + 190, 623, joliet);
	/* Four dates that are not given (8.4.26.1), then the version of the structure. */
	for (int i = 0; i < 4; i++) {
		memset(p + 813 + 17 * i, '0', 16);
		p[813 + 17 * i + 16] = 0;
	}
	p[881] = 1;
}

static void put_path_table(unsigned char *p, uint32_t root, bool big)
{
	p[0] = 1;
	(big ? put_be : put_le)(p + 2, root, 4);
	(big ? put_be : put_le)(p + 6, 1, 2);
}

/* 7.5: eight of [A-Z0-9_], a dot, no extension, and a version. */
static size_t short_name(const char *name, char out[12])
{
	size_t n = 0;

	for (; name[n] && n < 8; n++)
		out[n] = isalnum((unsigned char)name[n]) ? (char)toupper((unsigned char)name[n])
							 : '_';
	return n + put_name((unsigned char *)out + n, ".;1", false);
}

static uint32_t sectors_of(size_t len)
{
	return (uint32_t)((len + SECTOR - 1) / SECTOR);
}

static void put_folder(unsigned char *p, const struct iso_file *files, size_t n, bool joliet)
{
	uint32_t self = joliet ? SECTOR_JOLIET_ROOT : SECTOR_ROOT, sector = SECTOR_DATA;

	p += put_record(p, "\0", 1, self, SECTOR, FLAG_FOLDER);
	p += put_record(p, "\1", 1, self, SECTOR, FLAG_FOLDER);
	for (size_t i = 0; i < n; i++) {
		unsigned char name[2 * ISO_NAME_MAX + 12];
		size_t len = joliet ? put_name(name, files[i].name, true)
				    : short_name(files[i].name, (char *)name);

		p += put_record(p, name, len, sector, (uint32_t)files[i].len, 0);
		sector += sectors_of(files[i].len);
	}
}

static int check(const char *volume, const struct iso_file *files, size_t n, struct err *err)
{
	char before[12], name[12];

	if (n > ISO_FILES_MAX || strlen(volume) > 11)
		return err_set(err, -EINVAL, "an image holds %d files at most", ISO_FILES_MAX);
	for (size_t i = 0; i < n; i++) {
		size_t len = short_name(files[i].name, name);

		if (strlen(files[i].name) > ISO_NAME_MAX || files[i].len > UINT32_MAX / 2)
			return err_set(err, -EINVAL, "%s is too long for an image", files[i].name);
		if (i && (strcmp(files[i - 1].name, files[i].name) >= 0 ||
			  memcmp(before, name, len) == 0))
			return err_set(err, -EINVAL, "%s comes twice, or not in order",
				       files[i].name);
		memcpy(before, name, sizeof(before));
	}
	return 0;
}

int iso9660_write(const char *volume, const struct iso_file *files, size_t n, struct buf *out,
		  struct err *err)
{
	int code = check(volume, files, n, err);
	uint32_t sectors = SECTOR_DATA;
	unsigned char *image;

	if (code)
		return code;
	for (size_t i = 0; i < n; i++)
		sectors += sectors_of(files[i].len);
	image = (unsigned char *)buf_reserve(out, (size_t)sectors * SECTOR);
	if (!image)
		return err_set(err, -ENOMEM, "the image is too long");
	memset(image, 0, (size_t)sectors * SECTOR);
	put_descriptor(image + SECTOR_PRIMARY * SECTOR, volume, false, sectors);
	put_descriptor(image + SECTOR_JOLIET * SECTOR, volume, true, sectors);
	image[SECTOR_END * SECTOR] = 255;
	put_name(image + SECTOR_END * SECTOR + 1, "CD001\001", false);
	put_path_table(image + SECTOR_PATHS_LE * SECTOR, SECTOR_ROOT, false);
	put_path_table(image + SECTOR_PATHS_BE * SECTOR, SECTOR_ROOT, true);
	put_path_table(image + SECTOR_JOLIET_PATHS_LE * SECTOR, SECTOR_JOLIET_ROOT, false);
	put_path_table(image + SECTOR_JOLIET_PATHS_BE * SECTOR, SECTOR_JOLIET_ROOT, true);
	put_folder(image + SECTOR_ROOT * SECTOR, files, n, false);
	put_folder(image + SECTOR_JOLIET_ROOT * SECTOR, files, n, true);
	sectors = SECTOR_DATA;
	for (size_t i = 0; i < n; i++) {
		if (files[i].len)
			memcpy(image + (size_t)sectors * SECTOR, files[i].data, files[i].len);
		sectors += sectors_of(files[i].len);
	}
	out->len += (size_t)sectors * SECTOR;
	out->data[out->len] = '\0';
	return 0;
}
