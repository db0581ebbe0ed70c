/* links: agent/base/config.c agent/base/config_cross.c agent/base/config_range.c */
/* links: agent/base/config_wishes.c */
/* links: agent/base/config_lowers.c agent/base/config_boot.c agent/base/config_schema*.c */
/* links: agent/base/range_types.c agent/base/schema.c agent/base/schema_type.c */
/* links: agent/base/schema_walk.c */
/* links: agent/base/schema_fill.c */
/* links: agent/base/schema_text.c */
/* links: agent/base/parse_boot.c agent/base/schema_list.c agent/base/schema_print.c */
/* links: agent/base/ini.c agent/base/ini_load.c agent/base/ini_scan.c agent/base/fault.c */
/* links: agent/base/hint.c agent/base/name_template.c agent/base/link_types.c agent/base/parse.c */
/* links: agent/base/buf.c agent/base/err.c agent/base/utf8.c */
/*
 * Any bytes as a configuration. Oracles: a configuration has faults or is read, never both; every
 * value that was read can be written and reads back as the same; what is written for a worker is
 * read there without a fault; the links of a configuration without fault can be listed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth)
{
	if (!truth)
		abort();
}

static int memory_file(const void *bytes, size_t len)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd >= 0 && (len == 0 || write(fd, bytes, len) == (ssize_t)len));
	return fd;
}

static void print_faults(struct faults *faults)
{
	struct buf text;

	buf_init(&text, 1 << 16);
	for (size_t i = 0; i < faults->n; i++) {
		buf_reset(&text);
		fault_format(&faults->list[i], &text);
		must(!text.failed && text.len == strlen(text.data) && !strchr(text.data, '\n'));
	}
	buf_done(&text);
	faults_done(faults);
}

static void write_ini(const struct ini *ini, struct buf *text)
{
	for (size_t s = 0; s < ini->n_sections; s++) {
		const struct ini_section *section = &ini->sections[s];

		buf_addf(text, "[%s%s%s]\n", section->kind, section->name ? " " : "",
			 section->name ? section->name : "");
		for (size_t k = 0; k < section->n_keys; k++)
			must(ini_write_key(text, section->keys[k].name, section->keys[k].value) ==
			     0);
	}
	must(!text->failed);
}

static void check_same(const struct ini *a, const struct ini *b)
{
	must(a->n_sections == b->n_sections);
	for (size_t s = 0; s < a->n_sections; s++) {
		const struct ini_section *x = &a->sections[s], *y = &b->sections[s];

		must(strcmp(x->kind, y->kind) == 0 && !x->name == !y->name &&
		     x->n_keys == y->n_keys);
		for (size_t k = 0; k < x->n_keys; k++)
			must(strcmp(x->keys[k].name, y->keys[k].name) == 0 &&
			     strcmp(x->keys[k].value, y->keys[k].value) == 0);
	}
}

static void check_ini(int fd)
{
	struct faults faults = { 0 }, none = { 0 };
	struct ini *ini = NULL, *copy = NULL;
	struct buf text;
	int copy_fd;

	must(ini_load_fd(fd, "fuzz", &ini, &faults) == 0);
	buf_init(&text, 1 << 24);
	write_ini(ini, &text);
	copy_fd = memory_file(text.data ? text.data : "", text.len);
	must(ini_load_fd(copy_fd, "copy", &copy, &none) == 0);
	check_same(ini, copy);
	close(copy_fd);
	buf_done(&text);
	ini_free(copy);
	ini_free(ini);
	faults_done(&none);
	print_faults(&faults);
}

static void check_copy(const struct config *config, enum config_role role)
{
	struct faults faults = { 0 };
	struct config *copy = NULL;
	struct buf text;
	struct err err;
	int fd;

	buf_init(&text, 1 << 20);
	must(config_write(config, role, &text, &err) == 0);
	fd = memory_file(text.data ? text.data : "", text.len);
	must(config_load_fd(fd, &copy, &faults) == 0);
	must(role == CONFIG_FOR_CAPTURE ? copy->n_targets == 0 && copy->n_guests == 0
					: copy->n_guests == config->n_guests);
	must(copy->n_sets == config->n_sets && copy->n_links == config->n_links);
	config_free(copy);
	faults_done(&faults);
	close(fd);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct faults faults = { 0 };
	struct config *config = NULL;
	struct link_wish *wishes;
	struct err err;
	size_t n;
	int fd = memory_file(data, size);
	int code;

	check_ini(fd);
	code = config_load_fd(fd, &config, &faults);
	must((code == 0) == (faults.n == 0) && (code == 0) == (config != NULL));
	if (config) {
		must(config_links(config, &wishes, &n, &err) == 0);
		free(wishes);
		check_copy(config, CONFIG_FOR_CAPTURE);
		check_copy(config, CONFIG_FOR_WEB);
	}
	config_free(config);
	print_faults(&faults);
	close(fd);
	return 0;
}
