/* links: agent/base/ini.c agent/base/ini_load.c agent/base/ini_scan.c agent/base/fault.c */
/* links: agent/base/buf.c agent/base/err.c agent/base/utf8.c */
#include "agent/base/ini.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <iniparser/iniparser.h>

static char folder[] = "/tmp/test_ini.XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? chdir(folder) : -1;
}

static int remove_folder(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return chdir("/") || system(command) ? -1 : 0;
}

static void write_bytes(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void write_file(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

/* Every fault on a line of its own. */
static char *all_faults(struct faults *faults)
{
	struct buf text;

	buf_init(&text, 1 << 24);
	buf_adds(&text, "");
	faults_sort(faults);
	for (size_t i = 0; i < faults->n; i++) {
		fault_format(&faults->list[i], &text);
		buf_addc(&text, '\n');
	}
	return buf_take(&text);
}

static void expect_faults(struct faults *faults, const char *expected)
{
	char *text = all_faults(faults);

	assert_string_equal(text, expected);
	free(text);
	faults_done(faults);
}

/* Reads a.ini and compares what is wrong with it. */
static void expect_load(int code, const char *expected)
{
	struct faults faults = { 0 };
	struct ini *ini = NULL;

	assert_int_equal(ini_load("a.ini", &ini, &faults), code);
	assert_true((ini != NULL) == (code == 0));
	expect_faults(&faults, expected);
	ini_free(ini);
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* What is read of "[s]\nLINE\n", where LINE gives key k. */
static const struct {
	const char *line;
	const char *value;
} values[] = {
	{ "k = v", "v" },
	{ "k=v", "v" },
	{ "  k\t=\t v \t", "v" },
	{ "k = v w", "v w" },
	{ "k =", "" },
	{ "k = ; comment", "" },
	{ "k = # a;b", "" },
	{ "k = \"\"", "" },
	{ "k = ''", "" },
	{ "k = \"\" ; \"x\"", "" },
	{ "k = v ; comment", "v" },
	{ "k = v\t# comment", "v" },
	{ "k = \" v \"", " v " },
	{ "k = \"a;b#c\"", "a;b#c" },
	{ "k = 'say \"x\"'", "say \"x\"" },
	{ "k = \"it's\"", "it's" },
	{ "k = \"v\" ; it's \"x\"", "v" },
	{ "k = \"v\";comment", "v" },
	{ "k = a\"b'c", "a\"b'c" },
	{ "k = a=b", "a=b" },
	{ "k = =", "=" },
	{ "k == x", "= x" },
	{ "k = \"a\\\"", "a\\" },
	{ "k = \\d+", "\\d+" },
	{ "k = a\\b", "a\\b" },
	{ "k = \"[x] = ]\"", "[x] = ]" },
	{ "k = \xc3\xa4\xff", "\xc3\xa4\xff" },
	{ "k = \"v\"\r", "v" },
	{ "k = v\r", "v" },
};

static void values_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct faults faults = { 0 };
		const struct ini_key *key;
		struct ini *ini = NULL;
		char text[256];

		snprintf(text, sizeof(text), "[s]\n%s\n", values[i].line);
		write_file("a.ini", text);
		assert_int_equal(ini_load("a.ini", &ini, &faults), 0);
		expect_faults(&faults, "");
		assert_int_equal(ini->n_sections, 1);
		key = ini_find(&ini->sections[0], "k");
		assert_non_null(key);
		assert_string_equal(key->value, values[i].value);
		assert_int_equal(key->line, 2);
		ini_free(ini);
	}
}

static const struct {
	const char *text;
	const char *faults;
} faulty[] = {
	{ "k = v\n", "a.ini:1: k: it stands before the first [section]\n" },
	{ "[s]\nnonsense\n", "a.ini:2: [s]: neither [section] nor key = value: \"nonsense\"\n" },
	{ "[s]\nx", "a.ini:2: [s]: neither [section] nor key = value: \"x\"\n" },
	{ "[s]\n= v\n", "a.ini:2: [s]: the key before = is missing\n" },
	{ "[s]\na b = v\n", "a.ini:2: [s]: \"a b\" is not a key: \" \" cannot be in it\n" },
	{ "[s]\na.b = v\n", "a.ini:2: [s]: \"a.b\" is not a key: \".\" cannot be in it\n" },
	{ "[s]\nKey = v\n", "a.ini:2: [s]: names are lower case: write key\n" },
	{ "[s]\nk = v\nk = w\n", "a.ini:3: [s] k: given twice: the first is in line 2\n" },
	{ "[s]\nk = \"v\n", "a.ini:2: [s] k: the closing quote \" is missing\n" },
	{ "[s]\nk = 'v\"\n", "a.ini:2: [s] k: the closing quote ' is missing\n" },
	{ "[s]\nk = \"\n", "a.ini:2: [s] k: the closing quote \" is missing\n" },
	{ "[s]\nk = \"v\" w\n",
	  "a.ini:2: [s] k: the text behind the closing quote is too much: w\n" },
	{ "[s]\nk = \"\"\"\n",
	  "a.ini:2: [s] k: the text behind the closing quote is too much: \"\n" },
	{ "[s]\nk = a;b\n",
	  "a.ini:2: [s] k: ; begins a comment and the value would end before it: put quotes around "
	  "the value, or a blank before the comment\n" },
	{ "[s]\nk = a#b\n",
	  "a.ini:2: [s] k: # begins a comment and the value would end before it: put quotes around "
	  "the value, or a blank before the comment\n" },
	{ "[s]\nk = v \\\nw = x\n",
	  "a.ini:2: [s]: a line cannot be continued: put quotes around a value that ends in a "
	  "backslash\n" },
	{ "[s]\n; comment\\ \nk = v\n",
	  "a.ini:2: [s]: a line cannot be continued: put quotes around a value that ends in a "
	  "backslash\n" },
	{ "[s]\nk = a\001b\n", "a.ini:2: [s]: byte 6 of the line is the control character 0x01\n" },
	{ "[s]\nk = a\rb\n", "a.ini:2: [s]: byte 6 of the line is the control character 0x0d\n" },
	{ "[s]\n\x7f\n", "a.ini:2: [s]: byte 1 of the line is the control character 0x7f\n" },
	{ "\xef\xbb\xbf[s]\nk = v\n",
	  "a.ini:1: the file begins with a byte order mark: save it without one\n" },
	{ "[s\nk = v\n", "a.ini:1: the ] of the section is missing\n" },
	{ "[]\nk = v\n", "a.ini:1: the section has no name\n" },
	{ "[ ]\n", "a.ini:1: the section has no name\n" },
	{ "[s] ; comment\n",
	  "a.ini:1: a section stands alone on its line: \" ; comment\" is too much\n" },
	{ "[s]t]\n", "a.ini:1: a section stands alone on its line: \"t]\" is too much\n" },
	{ "[set  web]\n", "a.ini:1: \" web\" is not a name: \" \" cannot be in it\n" },
	{ "[set\tweb]\n",
	  "a.ini:1: \"set\\x09web\" is not a kind of section: \"\\x09\" cannot be in it\n" },
	{ "[set g\xc3\xa4st]\n",
	  "a.ini:1: \"g\xc3\xa4st\" is not a name: \"\xc3\xa4\" cannot be in it\n" },
	{ "[set web:1]\n", "a.ini:1: \"web:1\" is not a name: \":\" cannot be in it\n" },
	{ " [set Web] \nk = v\n",
	  "a.ini:1: [set web]: names are lower case: write [set web], not [set Web]\n" },
	{ "[s]\n[t]\n[s]\n", "a.ini:3: [s]: given twice: the first is in a.ini:1\n" },
	{ "[set a]\n[set b]\n[set a]\n[set a]\n",
	  "a.ini:3: [set a]: given twice: the first is in a.ini:1\n"
	  "a.ini:4: [set a]: given twice: the first is in a.ini:1\n" },
	{ "[agent]\ninclude = none.ini\n",
	  "a.ini:2: [agent] include: there is no such file: \"none.ini\"\n" },
	/* Nothing else is lost, and every fault is told. */
	{ "k = 1\n[s]\nk = \"\nj\ni = 1\ni = 2\n",
	  "a.ini:1: k: it stands before the first [section]\n"
	  "a.ini:3: [s] k: the closing quote \" is missing\n"
	  "a.ini:4: [s]: neither [section] nor key = value: \"j\"\n"
	  "a.ini:6: [s] i: given twice: the first is in line 5\n" },
	/* The keys behind a faulty header belong to nobody: one fault, not many. */
	{ "[s]\nk = 1\n[x\nk = 2\nl = 3\n", "a.ini:3: the ] of the section is missing\n" },
};

static void faulty_lines_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
		write_file("a.ini", faulty[i].text);
		expect_load(0, faulty[i].faults);
	}
}

static void good_texts_have_no_fault(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"; c\n# c\n  ; c\n",
		"[s]",
		"[s]\r\nk = v\r\n",
		"[ set web ]\nk = v",
		"[set a]\n[set b]\n[link a]\n[set]\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file("a.ini", texts[i]);
		expect_load(0, "");
	}
}

static void nul_bytes_are_told(void **state)
{
	(void)state;
	write_bytes("a.ini", "[s]\nk = a\0b\nl = 1\n", 18);
	expect_load(0, "a.ini:2: [s]: byte 6 of the line is the control character 0x00\n");
	write_bytes("a.ini", "[\0s\0]\0\n\0k\0=\0a\0\n", 15);
	expect_load(0, "a.ini:1: a NUL byte is here: the file is no text, or one of UTF-16, "
		       "and not read\n");
}

/* iniparser reads 1023 bytes with the newline; one more and it would give up. */
static void long_lines_are_told(void **state)
{
	char text[INI_LINE_MAX + 16];
	struct faults faults = { 0 };
	struct ini *ini = NULL;

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "[s]\nk=", 6);
	strcpy(text + 4 + INI_LINE_MAX, "\n");
	write_file("a.ini", text);
	assert_int_equal(ini_load("a.ini", &ini, &faults), 0);
	expect_faults(&faults, "");
	assert_int_equal(strlen(ini->sections[0].keys[0].value), INI_LINE_MAX - 2);
	ini_free(ini);
	strcpy(text + 4 + INI_LINE_MAX, "x\n");
	write_file("a.ini", text);
	expect_load(0, "a.ini:2: [s]: the line has 1023 bytes: at most 1022 are possible\n");
}

static void a_section_knows_its_place(void **state)
{
	struct faults faults = { 0 };
	struct ini *ini = NULL;

	(void)state;
	write_file("a.ini", "; x\n[agent]\n\n[set web.1]\n\nk = v\n");
	assert_int_equal(ini_load("a.ini", &ini, &faults), 0);
	expect_faults(&faults, "");
	assert_int_equal(ini->n_sections, 2);
	assert_string_equal(ini->sections[0].kind, "agent");
	assert_null(ini->sections[0].name);
	assert_int_equal(ini->sections[0].line, 2);
	assert_string_equal(ini->sections[1].kind, "set");
	assert_string_equal(ini->sections[1].name, "web.1");
	assert_string_equal(ini->sections[1].file, "a.ini");
	assert_int_equal(ini->sections[1].line, 4);
	assert_int_equal(ini->sections[1].keys[0].line, 6);
	assert_null(ini_find(&ini->sections[1], "none"));
	ini_free(ini);
}

/* ---- bounds ---------------------------------------------------------------------------------- */

static void many_keys_are_quick_and_bounded(void **state)
{
	struct faults faults = { 0 };
	struct ini *ini = NULL;
	struct buf text;
	size_t keys = 0;

	(void)state;
	buf_init(&text, 1 << 24);
	for (unsigned int s = 0; s < INI_KEYS_MAX / INI_SECTION_KEYS_MAX + 1; s++) {
		buf_addf(&text, "[set s%u]\n", s);
		for (unsigned int k = 0; k < INI_SECTION_KEYS_MAX; k++)
			buf_addf(&text, "k%u = v\n", k);
	}
	write_bytes("a.ini", text.data, text.len);
	assert_int_equal(ini_load("a.ini", &ini, &faults), 0);
	for (size_t i = 0; i < ini->n_sections; i++)
		keys += ini->sections[i].n_keys;
	assert_int_equal(keys, INI_KEYS_MAX);
	assert_int_equal(faults.n + faults.n_dropped, INI_SECTION_KEYS_MAX);
	ini_free(ini);
	faults_done(&faults);

	buf_reset(&text);
	buf_adds(&text, "[s]\n");
	for (unsigned int k = 0; k <= INI_SECTION_KEYS_MAX; k++)
		buf_addf(&text, "k%u = v\n", k);
	write_bytes("a.ini", text.data, text.len);
	expect_load(0, "a.ini:258: [s] k256: too many keys: it is not read\n");

	buf_reset(&text);
	for (unsigned int s = 0; s <= INI_SECTIONS_MAX + 2; s++)
		buf_addf(&text, "[set s%u]\n", s);
	buf_adds(&text, "k = v\n");
	write_bytes("a.ini", text.data, text.len);
	expect_load(0, "a.ini:65537: too many sections: the rest is not read\n");
	buf_done(&text);
}

static void many_faults_are_counted(void **state)
{
	struct faults faults = { 0 };
	struct ini *ini = NULL;
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	for (int i = 0; i < FAULTS_MAX + 10; i++)
		buf_adds(&text, "x\n");
	write_bytes("a.ini", text.data, text.len);
	buf_done(&text);
	assert_int_equal(ini_load("a.ini", &ini, &faults), 0);
	assert_int_equal(faults.n, FAULTS_MAX);
	assert_int_equal(faults.n_dropped, 10);
	faults_done(&faults);
	ini_free(ini);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void what_is_no_file_is_told(void **state)
{
	FILE *f;

	(void)state;
	unlink("a.ini");
	expect_load(-ENOENT, "a.ini: cannot be opened: No such file or directory\n");
	assert_int_equal(mkfifo("a.ini", 0600), 0);
	expect_load(-EINVAL, "a.ini: it is not a regular file\n");
	unlink("a.ini");
	assert_int_equal(mkdir("a.ini", 0700), 0);
	expect_load(-EINVAL, "a.ini: it is not a regular file\n");
	rmdir("a.ini");
	f = fopen("a.ini", "w");
	assert_non_null(f);
	assert_int_equal(ftruncate(fileno(f), INI_FILE_SIZE_MAX + 1), 0);
	fclose(f);
	expect_load(-EFBIG, "a.ini: it has 8388609 bytes: at most 8388608 are possible\n");
	unlink("a.ini");
	assert_int_equal(symlink("/dev/zero", "a.ini"), 0);
	expect_load(-EINVAL, "a.ini: it is not a regular file\n");
	unlink("a.ini");
}

static void faults_are_printable(void **state)
{
	struct faults faults = { 0 };

	(void)state;
	faults_add(&faults, "a\nb", 3, "s\033[1m", "k\177", "text\t%s", "\001\xc3\xa4");
	faults_add(&faults, "a", 0, NULL, NULL, "text");
	faults_add(&faults, "a", 1, "s", NULL, "text");
	faults_add(&faults, "b\xff", 1, "\xfe", "", "\xc3");
	assert_string_equal(faults.list[3].section, "\\xfe");
	assert_string_equal(faults.list[3].text, "\\xc3");
	expect_faults(&faults, "a: text\n"
			       "a:1: [s]: text\n"
			       "a\\x0ab:3: [s\\x1b[1m] k\\x7f: text\\x09\\x01\xc3\xa4\n"
			       "b\\xff:1: [\\xfe] : \\xc3\n");
}

static void includes_are_read(void **state)
{
	struct faults faults = { 0 };
	struct ini *ini = NULL;
	char path[128];

	(void)state;
	assert_int_equal(mkdir("x[1]*", 0700), 0);
	assert_int_equal(mkdir("x[1]*/conf.d", 0700), 0);
	write_file("x[1]*/a.ini", "[agent]\ninclude = conf.d/*.ini, one.ini  none/*.ini ?.none\n");
	write_file("x[1]*/one.ini", "[set one]\n");
	write_file("x[1]*/conf.d/20.ini", "[set twenty]\n");
	write_file("x[1]*/conf.d/10.ini", "[set ten]\nk = v\n");
	write_file("x[1]*/conf.d/.hidden.ini", "nonsense\n");
	write_file("x[1]*/conf.d/30.ini~", "nonsense\n");
	snprintf(path, sizeof(path), "%s/x[1]*/a.ini", folder);
	assert_int_equal(ini_load(path, &ini, &faults), 0);
	assert_int_equal(faults.n_files, 4);
	expect_faults(&faults, "");
	assert_int_equal(ini->n_files, 4);
	assert_int_equal(ini->n_sections, 4);
	assert_string_equal(ini->sections[1].name, "ten");
	assert_string_equal(ini->sections[2].name, "twenty");
	assert_string_equal(ini->sections[3].name, "one");
	assert_string_equal(ini->sections[1].keys[0].value, "v");
	snprintf(path, sizeof(path), "%s/x[1]*/conf.d/10.ini", folder);
	assert_string_equal(ini->sections[1].file, path);
	ini_free(ini);
}

static void faulty_includes_are_told(void **state)
{
	(void)state;
	assert_int_equal(mkdir("conf.d", 0700), 0);
	write_file("a.ini", "[agent]\ninclude = conf.d/*\n[set x]\n");
	write_file("conf.d/again.ini", "[agent]\ninclude = more.ini\n[set x]\n");
	assert_int_equal(symlink("../a.ini", "conf.d/loop.ini"), 0);
	assert_int_equal(link("conf.d/again.ini", "conf.d/twice.ini"), 0);
	assert_int_equal(mkdir("conf.d/folder", 0700), 0);
	assert_int_equal(symlink("nowhere", "conf.d/broken"), 0);
	expect_load(0, "conf.d/again.ini:1: [agent]: given twice: the first is in a.ini:1\n"
		       "conf.d/again.ini:2: [agent] include: only the first file includes others\n"
		       "conf.d/again.ini:3: [set x]: given twice: the first is in a.ini:3\n"
		       "conf.d/broken: cannot be opened: No such file or directory\n"
		       "conf.d/folder: it is not a regular file\n"
		       "conf.d/loop.ini: it is included twice, first as a.ini\n"
		       "conf.d/twice.ini: it is included twice, first as conf.d/again.ini\n");
	write_file("a.ini", "[agent]\ninclude = *.ini\n");
	expect_load(0, "a.ini: it is included twice, first as a.ini\n");
}

static void too_many_files_are_told(void **state)
{
	struct faults faults = { 0 };
	struct ini *ini = NULL;
	char path[64];

	(void)state;
	assert_int_equal(mkdir("many", 0700), 0);
	for (int i = 0; i < INI_FILES_MAX; i++) {
		snprintf(path, sizeof(path), "many/%03d", i);
		write_file(path, "");
	}
	write_file("a.ini", "[agent]\ninclude = many/*\n");
	assert_int_equal(ini_load("a.ini", &ini, &faults), 0);
	assert_int_equal(ini->n_files, INI_FILES_MAX);
	expect_faults(&faults, "many/255: more than 256 files: the rest is not read\n");
	ini_free(ini);
}

static int memory_file(const void *bytes, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	return fd;
}

static void an_open_file_is_read_from_its_start(void **state)
{
	static const char text[] = "[agent]\ninclude = x\n[set a]\nk = v\n";
	int fd = memory_file(text, strlen(text));
	struct faults faults = { 0 };
	struct ini *ini = NULL;

	(void)state;
	assert_int_equal(ini_load_fd(fd, "copy", &ini, &faults), 0);
	expect_faults(&faults, "copy:2: [agent] include: only the first file includes others\n");
	assert_string_equal(ini->sections[1].keys[0].value, "v");
	ini_free(ini);
	close(fd);
}

/* ---- properties ------------------------------------------------------------------------------ */

static uint32_t random_state = 1;

/* xorshift32: the same cases in every run. */
static uint32_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state;
}

/* Nul-terminated, mostly of bytes that mean something in an INI file. */
static void random_text(char *out, size_t max, const char *special)
{
	size_t len = next_random() % (max + 1);

	for (size_t i = 0; i < len; i++) {
		if (next_random() % 8)
			out[i] = special[next_random() % strlen(special)];
		else
			out[i] = (char)(1 + next_random() % 255);
	}
	out[len] = '\0';
}

static struct ini *load_text(const struct buf *text, size_t *ret_faults)
{
	struct faults faults = { 0 };
	struct ini *ini = NULL;
	int fd = memory_file(text->data ? text->data : "", text->len);

	assert_int_equal(ini_load_fd(fd, "text", &ini, &faults), 0);
	close(fd);
	*ret_faults = faults.n;
	faults_done(&faults);
	return ini;
}

static void written_values_are_read_back(void **state)
{
	unsigned int written = 0, refused = 0;
	char value[INI_LINE_MAX + 8];
	size_t n_faults;
	struct buf text;
	struct ini *ini;

	(void)state;
	buf_init(&text, 4096);
	for (int i = 0; i < 20000; i++) {
		random_text(value, i % 100 ? 12 : sizeof(value) - 1, " \t;#'\"\\=[]%ab");
		buf_reset(&text);
		buf_adds(&text, "[s]\n");
		if (ini_write_key(&text, "key", value)) {
			assert_int_equal(text.len, 4);
			refused++;
			continue;
		}
		written++;
		ini = load_text(&text, &n_faults);
		assert_int_equal(n_faults, 0);
		assert_string_equal(ini->sections[0].keys[0].value, value);
		ini_free(ini);
	}
	buf_done(&text);
	assert_true(written > 5000 && refused > 500);
}

/* A line that has no fault means to iniparser, in a whole file, what it means here. */
static void iniparser_agrees(void **state)
{
	unsigned int agreed = 0;
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 16);
	for (int i = 0; i < 20000; i++) {
		char line[24], path[64];
		const char *theirs;
		dictionary *d;
		size_t n_faults;
		struct ini *ini;
		int fd;

		buf_reset(&text);
		buf_adds(&text, "[s]\nbefore = 1\n");
		random_text(line, sizeof(line) - 1, " \t;#'\"\\=[]kk\r");
		buf_addf(&text, "%s%s\nbehind = 2\n", next_random() % 2 ? "k = " : "", line);
		ini = load_text(&text, &n_faults);
		fd = memory_file(text.data, text.len);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		d = n_faults ? NULL : iniparser_load(path);
		assert_true(n_faults || d);
		for (size_t s = 0; d && s < ini->n_sections; s++) {
			for (size_t k = 0; k < ini->sections[s].n_keys; k++) {
				const struct ini_key *key = &ini->sections[s].keys[k];
				char *name;

				assert_true(
					asprintf(&name, "%s%s%s:%s", ini->sections[s].kind,
						 ini->sections[s].name ? " " : "",
						 ini->sections[s].name ? ini->sections[s].name : "",
						 key->name) > 0);
				theirs = iniparser_getstring(d, name, NULL);
				assert_non_null(theirs);
				assert_string_equal(theirs, key->value);
				free(name);
				agreed++;
			}
		}
		/* It found nothing that is not here: sections and keys are all its entries. */
		if (d) {
			size_t entries = ini->n_sections;

			for (size_t s = 0; s < ini->n_sections; s++)
				entries += ini->sections[s].n_keys;
			assert_int_equal(d->n, entries);
			iniparser_freedict(d);
		}
		close(fd);
		ini_free(ini);
	}
	buf_done(&text);
	assert_true(agreed > 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_read),
		cmocka_unit_test(faulty_lines_are_told),
		cmocka_unit_test(good_texts_have_no_fault),
		cmocka_unit_test(nul_bytes_are_told),
		cmocka_unit_test(long_lines_are_told),
		cmocka_unit_test(a_section_knows_its_place),
		cmocka_unit_test(many_keys_are_quick_and_bounded),
		cmocka_unit_test(many_faults_are_counted),
		cmocka_unit_test(what_is_no_file_is_told),
		cmocka_unit_test(faults_are_printable),
		cmocka_unit_test(includes_are_read),
		cmocka_unit_test(faulty_includes_are_told),
		cmocka_unit_test(too_many_files_are_told),
		cmocka_unit_test(an_open_file_is_read_from_its_start),
		cmocka_unit_test(written_values_are_read_back),
		cmocka_unit_test(iniparser_agrees),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
