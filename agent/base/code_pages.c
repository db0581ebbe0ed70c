#include "agent/base/code_pages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Newer than the headers of Debian 12. */
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef PR_SET_MDWE
#define PR_SET_MDWE		 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

struct range {
	char *from;
	size_t len;
};

/* "7f0000000000-7f0000010000 rwxp ...", as proc_pid_maps(5) has it. */
static bool is_writable_code(const char *line, struct range *ret)
{
	char *end;
	unsigned long from = strtoul(line, &end, 16), to;

	if (*end != '-')
		return false;
	to = strtoul(end + 1, &end, 16);
	if (strncmp(end, " rwx", 4) != 0 && strncmp(end, " -wx", 4) != 0)
		return false;
	/* An address that the kernel wrote down as text. */
	ret->from = (char *)from; /* NOLINT(performance-no-int-to-ptr) */
	ret->len = to - from;
	return true;
}

/* Returns 1 with the first range of pages that are both writable and executable, 0, or -errno. */
static int find_range(struct range *ret)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char *line = NULL;
	size_t size = 0;
	int found = 0;

	if (!maps)
		return -errno;
	while (!found && getline(&line, &size, maps) > 0)
		found = is_writable_code(line, ret);
	if (!found && ferror(maps))
		found = -EIO;
	free(line);
	fclose(maps);
	return found;
}

static int seal_range(const struct range *range, bool *sealed)
{
	if (mprotect(range->from, range->len, PROT_READ | PROT_EXEC) < 0)
		return -errno;
	if (syscall(SYS_mseal, range->from, range->len, 0UL) == 0)
		return 0;
	*sealed = false;
	return errno == ENOSYS ? 0 : -errno;
}

int code_pages_seal(struct code_pages *ret, struct err *err)
{
	struct code_pages pages = { .sealed = true };
	struct range range = { 0 };
	int found;

	/* What was taken is not found again: at the end, none is left. */
	while ((found = find_range(&range)) > 0) {
		int code = seal_range(&range, &pages.sealed);

		if (code)
			return err_errno(err, code, "cannot seal machine code");
	}
	if (found < 0)
		return err_errno(err, found, "cannot see which pages are code");
	pages.no_more = prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0L, 0L, 0L) == 0;
	if (!pages.no_more && errno != EINVAL)
		return err_errno(err, -errno, "cannot refuse new machine code");
	*ret = pages;
	return 0;
}
