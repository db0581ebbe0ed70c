/*
 * The steps in their order, what the console says when they go well, and how to read it otherwise.
 */
#include "web/kit.h"

#include "web/ipxe_script.h"

static void write_script(const struct kit *kit, struct text_out *out)
{
	if (out->code == 0)
		out->code = ipxe_script(kit->spec, out->buf, out->err);
}

static const char made[] =
	"1. Make the target, on its machine:     target/tgt.sh FILE, or target/lio.sh DEVICE\n"
	"2. Make the disk, on a helper machine:  ./install.sh, read what it says, ./install.sh --yes\n"
	"   or copy a system that there is:      ./clone.sh --from / --yes\n"
	"   with PACKAGES='openssh-server vim' in the environment of either, these are there too\n"
	"3. Look at it:                          ./verify.sh --yes\n";

static const char served[] = "4. Give DHCP one of dhcp/*, and restart it.\n"
			     "5. Run the guest:                       host/qemu.sh\n";

static const char san[] =
	"\nThe console then says, in this order:\n"
	"  Registered SAN device 0x80         iPXE is logged in\n"
	"  Booting from SAN device 0x80       the first sector is read\n"
	"  GRUB loading.                      it is a loader\n"
	"  scsi host0: iSCSI Initiator over TCP/IP   the initrd logs in for itself\n";

static const char kernel[] =
	"\nThe console then says, in this order:\n"
	"  http://.../kernel... ok             the kernel is there, then the initrd\n"
	"  scsi host0: iSCSI Initiator over TCP/IP   the initrd logs in for itself\n"
	"With a target named in iscsi.initramfs it does so twice: \"15 - session exists\" does no harm.\n";

static const char numbers[] =
	"iPXE's numbers when it does not (tapwarden boot decode NUMBER explains each):\n"
	"  430d6601  the target wants CHAP and none was given\n"
	"  410d613c  user or secret is wrong\n"
	"  020d623c  the target does not know the reverse secret\n"
	"  2c0d603b  no such target, or it does not let this initiator in\n"
	"  1d704039  no such LUN\n"
	"  1d852039  no system is on the LUN\n"
	"  0f0d6039  the portal's machine is there, but no target listens on that port\n"
	"  4c0a6035  nobody answers at the portal\n";

static void write_checklist(const struct kit *kit, struct text_out *out)
{
	enum boot_kind kind = kit->spec->kind;

	text_add(out, "Guest %s, step by step\n\n", kit->spec->guest);
	if (boot_spec_has_san(kit->spec))
		text_raw(out, made);
	text_raw(out, served);
	if (kind == BOOT_SAN)
		text_raw(out, san);
	if (kind == BOOT_KERNEL)
		text_raw(out, kernel);
	if (kind == BOOT_SAN || kind == BOOT_KERNEL)
		text_raw(out, numbers);
	if (kit->spec->chap.user)
		text_raw(out,
			 "\nThe CHAP secret crosses the network between guest and boot server in "
			 "clear: serve it\nwhere only guests are.\n");
	if (boot_spec_has_san(kit->spec) && !kit->spec->root_password)
		text_raw(
			out,
			"\nThe disk's root has no password, and nobody can log in by one: root-password "
			"of the\n[guest] takes the hash that `tapwarden passwd` makes.\n");
	if (kit->notes.len) {
		text_raw(out, "\nLeft out:\n");
		text_raw(out, kit->notes.data);
	}
}

const struct kit_file kit_check_files[] = {
	{ "boot.ipxe", 0600, KIT_ALL, 0, write_script },
	{ "CHECKLIST.txt", 0644, KIT_ALL, 0, write_checklist },
	{ 0 },
};
