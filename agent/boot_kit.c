/* tapwarden boot kit: every file that a guest needs to boot, in a folder or a tar archive. */
#include "agent/boot_verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/fd_io.h"
#include "agent/boot_load.h"
#include "agent/cli.h"
#include "web/kit.h"

#define TAR_MAX (64u << 20)

struct kit_options {
	const char *config;
	const char *output; /* NULL: not given */
	const char *guest;
};

/* Every folder of the path below `dir`, which is there. */
static int make_folders(const char *dir, const char *path, struct err *err)
{
	char whole[PATH_MAX];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(whole, sizeof(whole), "%s/%.*s", dir, (int)(slash - path), path);
		if (mkdir(whole, 0755) < 0 && errno != EEXIST)
			return err_errno(err, -errno, "cannot make %s", whole);
	}
	return 0;
}

/* Some are secrets: each is made with its own mode, and none is overwritten. */
static int write_file(const char *dir, const struct file *file, struct err *err)
{
	char whole[PATH_MAX];
	int fd, code = make_folders(dir, file->path, err);

	if (code)
		return code;
	snprintf(whole, sizeof(whole), "%s/%s", dir, file->path);
	fd = open(whole, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, file->mode & 0600);
	if (fd < 0)
		return err_errno(err, -errno, "cannot make %s", whole);
	if (file->content.len)
		code = fd_write_all(fd, file->content.data, file->content.len);
	if (!code && fchmod(fd, file->mode) < 0)
		code = -errno;
	if (close(fd) < 0 && !code)
		code = -errno;
	return code ? err_errno(err, code, "cannot write %s", whole) : 0;
}

static int write_folder(const char *dir, const struct file_set *set, struct err *err)
{
	if (mkdir(dir, 0755) < 0)
		return err_errno(err, -errno, "cannot make %s", dir);
	for (size_t i = 0; i < set->n; i++) {
		int code = write_file(dir, set->files[i], err);

		if (code)
			return code;
	}
	return 0;
}

static int write_tar(const char *path, const struct file_set *set, struct err *err)
{
	bool to_stdout = strcmp(path, "-") == 0;
	struct buf tar;
	int fd, code;

	buf_init(&tar, TAR_MAX);
	code = file_set_tar(set, &tar, err);
	if (code)
		goto out;
	fd = to_stdout ? STDOUT_FILENO
		       : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		code = err_errno(err, -errno, "cannot make %s", path);
		goto out;
	}
	code = fd_write_all(fd, tar.data, tar.len);
	if (!to_stdout && close(fd) < 0 && !code)
		code = -errno;
	if (code)
		err_errno(err, code, "cannot write %s", path);
out:
	if (tar.data)
		explicit_bzero(tar.data, tar.len);
	buf_done(&tar);
	return code;
}

static bool is_tar(const char *path)
{
	size_t len = strlen(path);

	return strcmp(path, "-") == 0 || (len > 4 && strcmp(path + len - 4, ".tar") == 0);
}

static int make_kit(const struct kit_options *options, struct config *config, struct err *err)
{
	struct boot_spec spec;
	struct kit kit = { .spec = &spec };
	struct file_set set = { 0 };
	int code = boot_load(config, options->guest, &spec, err);

	if (code)
		return code;
	if (config->web.n_boot_listen)
		kit.listen = &config->web.boot_listen[0];
	code = kit_files(&kit, &set, err);
	if (!code)
		code = is_tar(options->output) ? write_tar(options->output, &set, err)
					       : write_folder(options->output, &set, err);
	for (char *line = kit.notes.data, *end; !code && line && *line; line = end + 1) {
		end = strchr(line, '\n');
		cli_warn("left out %.*s", (int)(end - line), line);
	}
	buf_done(&kit.notes);
	file_set_done(&set);
	return code;
}

static int read_options(int argc, char **argv, struct kit_options *ret)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "output", required_argument, NULL, 'o' },
		{ 0 },
	};
	struct kit_options options = { .config = CONFIG_DEFAULT_PATH };
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, ":c:o:", longs, NULL)) != -1) {
		if (c == 'c')
			options.config = optarg;
		else if (c == 'o')
			options.output = optarg;
		else
			return cli_usage_option(argv, c);
	}
	if (argc - optind != 1 || !options.output)
		return cli_usage(argv[0], argc - optind > 1 ? argv[optind + 1] : NULL);
	options.guest = argv[optind];
	*ret = options;
	return 0;
}

int boot_kit(int argc, char **argv)
{
	struct kit_options options = { .output = "" };
	struct config *config = NULL;
	struct err err;
	int code;

	if (read_options(argc, argv, &options) != 0)
		return CLI_BAD;
	if (cli_config(options.config, &config) != 0)
		return CLI_BAD;
	code = make_kit(&options, config, &err);
	if (code) {
		err_prefix(&err, code, "cannot make a kit for guest %s", options.guest);
		code = cli_fail(&err, NULL);
	}
	config_free(config);
	return cli_flush(code);
}
