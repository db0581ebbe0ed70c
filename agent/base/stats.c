#include "agent/base/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int stats_create(void)
{
	struct stats_page *page;
	int fd = memfd_create("tapwarden-stats", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err;

	if (fd < 0)
		return -errno;
	/* The size is sealed: no reader can be made to touch a page that is no longer there. */
	if (ftruncate(fd, sizeof(struct stats_page)) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		goto fail;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		goto fail;
	page->magic = STATS_MAGIC;
	page->version = STATS_VERSION;
	munmap(page, sizeof(*page));
	return fd;
fail:
	err = -errno;
	close(fd);
	return err;
}

static int map(int fd, int prot, void **ret)
{
	struct stat st;
	struct stats_page *page;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size != (off_t)sizeof(struct stats_page))
		return -EBADMSG;
	page = mmap(NULL, sizeof(*page), prot, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	if (page->magic != STATS_MAGIC || page->version != STATS_VERSION) {
		munmap(page, sizeof(*page));
		return -EBADMSG;
	}
	*ret = page;
	return 0;
}

int stats_map(int fd, struct stats_page **ret)
{
	return map(fd, PROT_READ | PROT_WRITE, (void **)ret);
}

int stats_map_readonly(int fd, const struct stats_page **ret)
{
	return map(fd, PROT_READ, (void **)ret);
}
