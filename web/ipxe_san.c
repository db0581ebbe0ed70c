#include "web/ipxe_san.h"

#include <errno.h>
#include <string.h>

static bool is_set(const struct ipxe_runner *run, const char *name)
{
	struct buf value;
	bool there;

	buf_init(&value, IPXE_VALUE_MAX);
	ipxe_setting_get(&run->machine->settings, name, &value);
	there = value.len > 0;
	buf_done(&value);
	return there;
}

/* iPXE's iscsi.c: what of CHAP goes with what. */
static int check_login(struct ipxe_runner *run)
{
	bool user = is_set(run, "username"), secret = is_set(run, "password");
	bool reverse_user = is_set(run, "reverse-username");
	bool reverse_secret = is_set(run, "reverse-password");

	if (user == secret && reverse_user == reverse_secret && (user || !reverse_user))
		return 0;
	ipxe_note(run,
		  "bad credential mix: username and password go together, and the reverse pair "
		  "only with them");
	return -EINVAL;
}

static int check_san(struct ipxe_runner *run, const char *uri)
{
	if (strncmp(uri, "iscsi:", 6) != 0)
		return 0;
	if (!is_set(run, "initiator-iqn") && !is_set(run, "hostname") && !is_set(run, "uuid")) {
		ipxe_note(run, "no initiator name: initiator-iqn, hostname and uuid are not set");
		return -EINVAL;
	}
	return check_login(run);
}

static int attach(struct ipxe_runner *run, const struct ipxe_call *call, struct buf *paths)
{
	int code = 0;

	ipxe_join(paths, call->args, call->n_args);
	if (!call->n_args)
		ipxe_setting_get(&run->machine->settings, "root-path", paths);
	if (!paths->len) {
		ipxe_note(run, "no disk is named, and root-path is not set");
		return -ENOENT;
	}
	for (size_t i = 0; i < call->n_args && !code; i++)
		code = check_san(run, call->args[i]);
	if (!code && !call->n_args)
		code = check_san(run, paths->data);
	return code;
}

/* "--drive 0x80" without a URI is a disk that the firmware has; a hooked one is a SAN disk. */
int ipxe_sanboot(struct ipxe_runner *run, const struct ipxe_call *call)
{
	const char *drive = ipxe_call_option(call, "drive");
	struct buf paths;
	int code = 0;

	buf_init(&paths, IPXE_VALUE_MAX);
	if (call->n_args || !drive)
		code = attach(run, call, &paths);
	if (code)
		goto out;
	if (paths.len)
		ipxe_end_run(run, IPXE_END_SAN, "boots the SAN disk %s%s", paths.data,
			     ipxe_call_option(call, "no-describe") ? ", not described to the system"
								   : "");
	else if (run->has_san)
		ipxe_end_run(run, IPXE_END_SAN, "boots the SAN disk attached as drive %s", drive);
	else
		ipxe_end_run(run, IPXE_END_DISK, "boots drive %s of the machine", drive);
out:
	buf_done(&paths);
	return code;
}

int ipxe_sanhook(struct ipxe_runner *run, const struct ipxe_call *call)
{
	struct buf paths;
	int code;

	buf_init(&paths, IPXE_VALUE_MAX);
	code = attach(run, call, &paths);
	if (!code) {
		run->has_san = true;
		ipxe_note(run, "attaches it");
	}
	buf_done(&paths);
	return code;
}

int ipxe_sanunhook(struct ipxe_runner *run, const struct ipxe_call *call)
{
	(void)call;
	run->has_san = false;
	return 0;
}
