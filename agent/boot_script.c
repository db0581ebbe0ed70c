#include "agent/boot_script.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/boot_load.h"
#include "agent/cli.h"
#include "web/ipxe_reader.h"
#include "web/ipxe_script.h"

static int read_fd(int fd, const char *name, struct buf *out, struct err *err)
{
	for (;;) {
		char part[16384];
		ssize_t n = read(fd, part, sizeof(part));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, -errno, "cannot read %s", name);
		if (!n)
			return 0;
		buf_add(out, part, (size_t)n);
		if (out->failed)
			return err_set(err, -EFBIG, "cannot read %s: more than %zu bytes", name,
				       out->max);
	}
}

int boot_read_stdin(struct buf *out, struct err *err)
{
	return read_fd(STDIN_FILENO, "stdin", out, err);
}

static int read_file(const char *path, struct buf *out, struct err *err)
{
	int fd, code;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, -errno, "cannot open %s", path);
	code = read_fd(fd, path, out, err);
	close(fd);
	return code;
}

static bool is_file(const char *word)
{
	size_t len = strlen(word);

	return strcmp(word, "-") == 0 || strchr(word, '/') ||
	       (len > 5 && strcmp(word + len - 5, ".ipxe") == 0);
}

int boot_script_beside(const char *script, const char *uri, struct buf *out)
{
	const char *slash = strrchr(script, '/');
	char path[PATH_MAX];

	if (!is_file(script) || strcmp(script, "-") == 0 || uri[0] == '/' || strchr(uri, ':'))
		return -ENOENT;
	if (snprintf(path, sizeof(path), "%.*s%s", slash ? (int)(slash - script) + 1 : 0, script,
		     uri) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return read_file(path, out, NULL);
}

static int render(const char *path, const char *guest, struct boot_script *script, struct err *err)
{
	int code;

	if (cli_config(path, &script->config) != 0)
		return err_set(err, -EINVAL, "%s has faults", path);
	code = boot_load(script->config, guest, &script->spec, err);
	if (!code)
		code = ipxe_script(&script->spec, &script->text, err);
	if (!code)
		script->caps = script->spec.caps;
	return code;
}

int boot_script_load(const char *path, const char *word, struct boot_script *ret, struct err *err)
{
	struct boot_script script = { .name = strcmp(word, "-") == 0 ? "stdin" : word };
	int code;

	buf_init(&script.text, IPXE_TEXT_MAX);
	if (strcmp(word, "-") == 0)
		code = boot_read_stdin(&script.text, err);
	else if (is_file(word))
		code = read_file(word, &script.text, err);
	else
		code = render(path, word, &script, err);
	if (code)
		boot_script_done(&script);
	else
		*ret = script;
	return code;
}

void boot_script_done(struct boot_script *script)
{
	if (script->text.data)
		explicit_bzero(script->text.data, script->text.len);
	buf_done(&script->text);
	config_free(script->config);
}

int boot_caps_parse(const char *words, uint32_t *ret, struct err *err)
{
	uint32_t caps = 0;

	for (const char *s = words; *s; s += strspn(s, ", ")) {
		size_t len = strcspn(s, ", ");
		unsigned int cap = 0;

		while (cap < IPXE_CAPS && (strlen(ipxe_cap_name(cap)) != len ||
					   strncmp(ipxe_cap_name(cap), s, len) != 0))
			cap++;
		if (cap == IPXE_CAPS)
			return err_set(err, -EINVAL,
				       "iPXE's \"%.*s\" is not known: https, "
				       "poweroff, imgverify are",
				       (int)len, s);
		caps |= 1u << cap;
		s += len;
	}
	*ret = caps;
	return 0;
}
