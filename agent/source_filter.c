#include "agent/source_filter.h"

#include <unistd.h>

#include "netlink/tc_filter.h"

int source_filter_set(struct source_filter *filter, const struct link_spec *spec, struct err *err)
{
	const uint64_t hash = spec->programs[LINK_HOOK_FROM_GUEST];
	struct bpf_code code = { 0 };
	int fd;

	if (filter->fd >= 0 && filter->hash == hash)
		return 0;
	fd = hash ? tc_program(spec, LINK_HOOK_FROM_GUEST, &code, err) : 0;
	if (fd == 0)
		fd = ipc_memfd("tapwarden-filter", code.ops, code.n * sizeof(*code.ops));
	bpf_code_done(&code);
	if (fd < 0)
		return err_errno(err, fd, "cannot give the filter of %s to its relay", spec->name);
	source_filter_done(filter);
	*filter = (struct source_filter){ .fd = fd, .hash = hash };
	return 1;
}

void source_filter_tell(const struct source_filter *filter, uint32_t slot,
			struct ipc_channel *channel)
{
	const struct ipc_link_fd what = { .slot = slot,
					  .kind = IPC_LINK_FD_FILTER,
					  .rest.slot = slot };

	if (filter->fd >= 0)
		ipc_send(channel, IPC_LINK_FD, &what, filter->fd);
}

void source_filter_done(struct source_filter *filter)
{
	if (filter->fd >= 0)
		close(filter->fd);
	*filter = (struct source_filter){ .fd = -1 };
}
