/*
 * The command line of a guest's kernel, so that its initrd finds the root on the LUN. Pure.
 *
 * No secret is ever on it: /proc/cmdline is for every user of the guest. With CHAP the initrd takes
 * the login from iBFT, the table that iPXE leaves, or from a file of its own.
 */
#ifndef TW_KERNEL_LINE_H
#define TW_KERNEL_LINE_H

#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "web/boot_spec.h"

enum initrd {
	INITRD_DEBIAN, /* initramfs-tools with open-iscsi's script */
	INITRD_DRACUT,
};

enum line_login {
	LINE_LOGIN_NAMED, /* the target stands on the line, without CHAP */
	LINE_LOGIN_IBFT, /* from the table that the firmware left */
	LINE_LOGIN_FILE, /* the initrd has a file of its own that says it */
};

/*
 * Appends the words, single blanks between them: root, network, where the LUN is, then the guest's
 * own. Returns 0, or -EINVAL when they do not fit or cannot be carried (a portal that is a name,
 * IPv6 where the initrd cannot, a login with CHAP on the line), -ENOMEM when `out` is full.
 */
int kernel_line(const struct boot_spec *spec, enum initrd initrd, enum line_login login,
		struct buf *out, struct err *err);

/* How the line of the way `kernel` lets the initrd log in: by name where there is no secret. */
enum line_login kernel_line_login(const struct boot_spec *spec);

#endif
