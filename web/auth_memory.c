#include "web/auth_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_SIZE sizeof(struct auth_memory)

int auth_memory_create(void)
{
	int fd = memfd_create("tapwarden-auth", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int code;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, MEMORY_SIZE) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	code = -errno;
	close(fd);
	return code;
}

int auth_memory_map(int fd, struct auth_memory **ret)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);
	void *memory;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* A shorter one would end this process where it is read. */
	if (st.st_size != MEMORY_SIZE || seals < 0 || !(seals & F_SEAL_SHRINK))
		return -EINVAL;
	memory = mmap(NULL, MEMORY_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	*ret = memory;
	return 0;
}

void auth_memory_unmap(struct auth_memory *memory)
{
	munmap(memory, MEMORY_SIZE);
}
