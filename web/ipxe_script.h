/* The iPXE scripts that guests are given. Pure. */
#ifndef TW_IPXE_SCRIPT_H
#define TW_IPXE_SCRIPT_H

#include <stdbool.h>

#include "agent/base/boot_types.h"
#include "agent/base/buf.h"
#include "agent/base/err.h"
#include "web/boot_spec.h"

/* Larger than any script that valid values can give. */
#define IPXE_SCRIPT_MAX 16384

/*
 * Appends the script that `spec` is given: its menu, or what boots it in its way. It needs nothing
 * that the 2019 iPXE of Debian 12 lacks, unless the guest's caps say that its iPXE has it; what is
 * left out for want of one is said in a comment. Files of this host are fetched from where the
 * script came from, as IPXE_PATH_KERNEL and IPXE_PATH_INITRD behind the script's own path.
 *
 * Returns 0, or -EINVAL with the byte and the reason when a value cannot be carried in the script
 * language, -ENOMEM when `out` is too small; then what was appended means nothing.
 */
int ipxe_script(const struct boot_spec *spec, struct buf *out, struct err *err);

/* How a script other than that of the way that the configuration says is made. */
struct ipxe_serving {
	enum boot_state state;
	bool chosen; /* it is what the guest chose from its menu */
	const struct host_port
		*listen; /* [web] boot-listen, where seeds are served; NULL: nowhere */
};

/*
 * As ipxe_script(), of the guest's state: its installer or rescue system, to which its SAN disk is
 * attached, or a disk of its own; a guest that has a menu and did not choose yet is given that.
 * -EINVAL too when the configuration has no such system.
 */
int ipxe_script_of(const struct boot_spec *spec, const struct ipxe_serving *serving,
		   struct buf *out, struct err *err);

/* Where the script of /ipxe/MAC finds files of this host, relative to /ipxe/. */
#define IPXE_PATH_KERNEL	 "kernel"
#define IPXE_PATH_INITRD	 "initrd"
#define IPXE_PATH_INSTALL_KERNEL "install-kernel"
#define IPXE_PATH_INSTALL_INITRD "install-initrd"
#define IPXE_PATH_RESCUE_KERNEL	 "rescue-kernel"
#define IPXE_PATH_RESCUE_INITRD	 "rescue-initrd"

/* The script for every guest: it chains to the guest's own by the MAC of the NIC in use. */
const char *ipxe_chain_script(void);

/* The script for a MAC address that no guest has: the firmware's next device. */
const char *ipxe_unknown_script(void);

#endif
