/*
 * Scripts for the helper machine that makes a guest's disk. Each says what it would do, and does it
 * with --yes alone. What is of the guest is in vars.sh, secrets in a file that only root can read.
 */
#include "web/kit.h"

static void write_vars(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;

	kit_header(kit, out, "read by the scripts beside it");
	text_put(out, encode_sh, "GUEST=", "guest", spec->guest, "\n");
	text_put(out, encode_sh, "TARGET=", "target", spec->target, "\n");
	text_put(out, encode_sh, "INITIATOR=", "initiator", spec->initiator, "\n");
	text_add(out, "PORTALS='");
	for (size_t i = 0; i < spec->n_portals; i++) {
		const struct host_port *portal = &spec->portals[i];

		text_add(out, "%s%s%s%s:%u", i ? " " : "", portal->ipv6 ? "[" : "", portal->host,
			 portal->ipv6 ? "]" : "", portal->port);
	}
	text_add(out,
		 "'\nLUN=%u\nDISK_ID=%s\nROOT_UUID=%s\nSWAP_UUID=%s\nESP_ID=%s\nSWAP_MIB=%llu\n",
		 spec->lun, spec->ids.disk, spec->ids.root, spec->ids.swap, spec->ids.esp,
		 (unsigned long long)((spec->swap + (1 << 20) - 1) >> 20));
	text_add(out, "FIRMWARE=%s\nWAY=%s\n", spec->firmware == FIRMWARE_UEFI ? "uefi" : "bios",
		 spec->kind == BOOT_SAN	     ? "san"
		 : spec->kind == BOOT_KERNEL ? "kernel"
					     : "local");
	text_put(out, encode_sh, "SUITE=", "suite", spec->suite, "\n");
	text_put(out, encode_sh, "MIRROR=", "mirror", spec->mirror ? spec->mirror : "", "\n");
}

/* Lines of a node record of open-iscsi, which end where their line does. */
static void write_node(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;
	const struct {
		const char *line, *what, *value;
	} lines[] = {
		{ "node.session.auth.username = ", "the CHAP user", spec->chap.user },
		{ "node.session.auth.password = ", "the CHAP secret", spec->chap.secret },
		{ "node.session.auth.username_in = ", "the CHAP user", spec->reverse.user },
		{ "node.session.auth.password_in = ", "the CHAP secret", spec->reverse.secret },
	};

	text_add(out, "node.session.auth.authmethod = %s\n", spec->chap.user ? "CHAP" : "None");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i].value)
			text_put(out, encode_ini, lines[i].line, lines[i].what, lines[i].value,
				 "\n");
	}
}

/* In the founding layout: 3 MiB for the loader of a BIOS, or an ESP; swap; the rest is the root. */
static void write_layout(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;

	kit_header(kit, out, "the partitions, for sfdisk(8)");
	text_add(out, "label: gpt\nlabel-id: %s\nunit: sectors\n\n", spec->ids.disk);
	if (spec->kind == BOOT_SAN && spec->firmware == FIRMWARE_BIOS)
		text_add(out, "start=2048, size=6144, "
			      "type=21686148-6449-6E6F-744E-656564454649, name=loader\n");
	if (spec->kind == BOOT_SAN && spec->firmware == FIRMWARE_UEFI)
		text_add(out, "size=512MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp\n");
	if (spec->swap)
		text_add(out,
			 "size=%lluMiB, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F, name=swap\n",
			 (unsigned long long)((spec->swap + (1 << 20) - 1) >> 20));
	text_add(out, "type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=root\n");
}

static void write_hash(const struct kit *kit, struct text_out *out)
{
	text_add(out, "root:%s\n", kit->spec->root_password ? kit->spec->root_password : "!");
}

static const char common_sh[] =
	"here=$(cd \"$(dirname \"$0\")\" && pwd)\n"
	". \"$here/vars.sh\"\n"
	"DO=no DISK='' SOURCE='' IFACE=tapwarden-$GUEST MNT=/run/tapwarden-kit/$GUEST LOGGED_IN=no\n"
	"\n"
	"fail()\n{\n\techo \"$(basename \"$0\"): $*: nothing more is done\" >&2\n\texit 1\n}\n"
	"\n"
	"while [ $# -gt 0 ]; do\n"
	"\tcase $1 in\n"
	"\t--yes) DO=yes ;;\n"
	"\t--disk) DISK=${2:?--disk takes a device}; shift ;;\n"
	"\t--from) SOURCE=${2:?--from takes a folder}; shift ;;\n"
	"\t*) echo \"usage: $(basename \"$0\") [--yes] [--disk DEVICE] [--from FOLDER]\" >&2; exit 2 ;;\n"
	"\tesac\n"
	"\tshift\n"
	"done\n"
	"\n"
	"# run COMMAND...: says it, and does it with --yes.\n"
	"run()\n{\n\techo \"+ $*\"\n\t[ \"$DO\" = no ] || \"$@\"\n}\n"
	"\n"
	"need()\n{\n\tfor tool in \"$@\"; do\n"
	"\t\tcommand -v \"$tool\" >/dev/null || [ \"$DO\" = no ] || fail \"$tool is not installed\"\n"
	"\tdone\n}\n"
	"\n"
	"# The guest's own name, for the target lets in no other; the secrets never are arguments.\n"
	"lun_login()\n{\n"
	"\t[ -z \"$DISK\" ] || return 0\n"
	"\tneed iscsiadm udevadm\n"
	"\trun iscsiadm -m iface -I \"$IFACE\" -o new\n"
	"\trun iscsiadm -m iface -I \"$IFACE\" -o update -n iface.initiatorname -v \"$INITIATOR\"\n"
	"\tfor portal in $PORTALS; do\n"
	"\t\trun iscsiadm -m node -I \"$IFACE\" -T \"$TARGET\" -p \"$portal\" -o new\n"
	"\tdone\n"
	"\tif [ \"$DO\" = yes ]; then\n"
	"\t\tumask 077\n"
	"\t\tfind \"/etc/iscsi/nodes/$TARGET\" -type f -name \"$IFACE\" |\n"
	"\t\t\twhile read -r record; do\n"
	"\t\t\t\tsed '/^node\\.session\\.auth\\./d' \"$record\" >\"$record.new\"\n"
	"\t\t\t\tcat \"$here/node.auth\" >>\"$record.new\"\n"
	"\t\t\t\tmv \"$record.new\" \"$record\"\n"
	"\t\t\tdone\n"
	"\tfi\n"
	"\tLOGGED_IN=$DO\n"
	"\trun iscsiadm -m node -I \"$IFACE\" -T \"$TARGET\" -l\n"
	"\trun udevadm settle\n"
	"\tDISK=/dev/disk/by-path/ip-${PORTALS%% *}-iscsi-$TARGET-lun-$LUN\n"
	"\ttries=30\n"
	"\twhile [ \"$DO\" = yes ] && [ ! -b \"$DISK\" ]; do\n"
	"\t\ttries=$((tries - 1))\n"
	"\t\t[ $tries -gt 0 ] || fail \"$DISK does not appear\"\n"
	"\t\tsleep 1\n"
	"\tdone\n}\n"
	"\n"
	"lun_logout()\n{\n"
	"\t[ \"$LOGGED_IN\" = yes ] || return 0\n"
	"\tLOGGED_IN=no\n"
	"\trun iscsiadm -m node -I \"$IFACE\" -T \"$TARGET\" -u\n"
	"\trun iscsiadm -m node -I \"$IFACE\" -T \"$TARGET\" -o delete\n"
	"\trun iscsiadm -m iface -I \"$IFACE\" -o delete\n}\n"
	"\n"
	"# By the names that the kernel gives: sda1, nvme0n1p1, loop0p1; or udev's: ...-part1.\n"
	"part()\n{\n"
	"\tcase $DISK in\n"
	"\t/dev/disk/*) echo \"$DISK-part$1\" ;;\n"
	"\t*[0-9]) echo \"${DISK}p$1\" ;;\n"
	"\t*) echo \"$DISK$1\" ;;\n"
	"\tesac\n}\n"
	"\n"
	"# The number of a partition of disk.sfdisk.\n"
	"number()\n{\n\tgrep 'type=' \"$here/disk.sfdisk\" | grep -n \"name=$1\\$\" | cut -d: -f1\n}\n"
	"\n"
	"# Signatures that blkid knows, or anything in the first or last MiB.\n"
	"refuse_unless_empty()\n{\n"
	"\tif [ ! -e \"$DISK\" ]; then\n"
	"\t\t[ \"$DO\" = no ] && return 0\n\t\tfail \"$DISK is not there\"\n\tfi\n"
	"\tif blkid -p \"$DISK\" >/dev/null 2>&1; then\n"
	"\t\tfail \"$DISK is not empty: $(blkid -p -o value -s TYPE -s PTTYPE \"$DISK\" | tr '\\n' ' ')\"\n"
	"\tfi\n"
	"\tfor end in head tail; do\n"
	"\t\t[ \"$($end -c 1048576 \"$DISK\" | tr -d '\\000' | head -c 1 | wc -c)\" -eq 0 ] ||\n"
	"\t\t\tfail \"$DISK is not empty: there are bytes in the $end of it\"\n"
	"\tdone\n}\n"
	"\n"
	"disk_make()\n{\n"
	"\tneed sfdisk mkfs.ext4\n"
	"\techo \"+ sfdisk $DISK <disk.sfdisk\"\n"
	"\t[ \"$DO\" = no ] || sfdisk --quiet \"$DISK\" <\"$here/disk.sfdisk\"\n"
	"\trun udevadm settle\n"
	"\trun mkfs.ext4 -q -U \"$ROOT_UUID\" \"$(part \"$(number root)\")\"\n"
	"\t[ \"$SWAP_MIB\" -eq 0 ] || run mkswap -q -U \"$SWAP_UUID\" \"$(part \"$(number swap)\")\"\n"
	"\tif [ -n \"$(number esp)\" ]; then\n"
	"\t\trun mkfs.vfat -i \"$(echo \"$ESP_ID\" | tr -d -)\" \"$(part \"$(number esp)\")\"\n"
	"\tfi\n}\n"
	"\n"
	"disk_mount()\n{\n"
	"\trun mkdir -p \"$MNT\"\n"
	"\trun mount -o \"$1\" \"$(part \"$(number root)\")\" \"$MNT\"\n"
	"\t[ \"$1\" = rw ] && [ -n \"$(number esp)\" ] || return 0\n"
	"\trun mkdir -p \"$MNT/boot/efi\"\n"
	"\trun mount \"$(part \"$(number esp)\")\" \"$MNT/boot/efi\"\n}\n"
	"\n"
	"chroot_mounts()\n{\n"
	"\trun mount -t proc proc \"$MNT/proc\"\n"
	"\trun mount -t sysfs sysfs \"$MNT/sys\"\n"
	"\trun mount --rbind /dev \"$MNT/dev\"\n"
	"\trun mount --make-rslave \"$MNT/dev\"\n}\n"
	"\n"
	"leave()\n{\n"
	"\tcode=$?\n"
	"\ttrap - EXIT INT TERM\n"
	"\t# Another mount namespace may keep it mounted: all is on the LUN before it goes from here.\n"
	"\t[ \"$DO\" = no ] || ! mountpoint -q \"$MNT\" || { sync && umount -R \"$MNT\"; } ||\n"
	"\t\techo \"$MNT is still in use: undo.sh --yes ends it\" >&2\n"
	"\tlun_logout\n"
	"\texit $code\n}\n"
	"trap leave EXIT\ntrap 'exit 130' INT TERM\n"
	"\n"
	"# What makes the system on $MNT boot from the LUN; the same for a new and a copied one.\n"
	"configure()\n{\n"
	"\trun cp -a \"$here/guest/.\" \"$MNT/\"\n"
	"\trun chown -R root:root \"$MNT/etc/iscsi\" \"$MNT/etc/default/grub.d\"\n"
	"\tpackages=\"open-iscsi initramfs-tools busybox ${PACKAGES-}\"\n"
	"\t[ ! -e \"$here/guest/etc/multipath.conf\" ] || packages=\"$packages multipath-tools-boot\"\n"
	"\t[ \"$WAY\" = local ] || packages=\"linux-image-amd64 $packages\"\n"
	"\tcase $WAY-$FIRMWARE in\n"
	"\tsan-bios) packages=\"$packages grub-pc\" ;;\n"
	"\tsan-uefi) packages=\"$packages grub-efi-amd64\" ;;\n"
	"\tesac\n"
	"\tif [ \"$DO\" = yes ]; then\n"
	"\t\tprintf '#!/bin/sh\\nexit 101\\n' >\"$MNT/usr/sbin/policy-rc.d\"\n"
	"\t\tchmod 755 \"$MNT/usr/sbin/policy-rc.d\"\n"
	"\tfi\n"
	"\trun chroot \"$MNT\" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \\\n"
	"\t\t-o Dpkg::Options::=--force-confold --no-install-recommends install $packages\n"
	"\tcase $WAY-$FIRMWARE in\n"
	"\tsan-bios) run chroot \"$MNT\" grub-install --target=i386-pc \"$(readlink -f \"$DISK\")\" ;;\n"
	"\tsan-uefi) run chroot \"$MNT\" grub-install --target=x86_64-efi --removable --no-nvram ;;\n"
	"\tesac\n"
	"\trun chroot \"$MNT\" update-initramfs -u\n"
	"\t[ \"$WAY\" != san ] || run chroot \"$MNT\" update-grub\n"
	"\techo \"+ chpasswd -e <root.hash\"\n"
	"\t[ \"$DO\" = no ] || chroot \"$MNT\" chpasswd -e <\"$here/root.hash\"\n"
	"\trun rm -f \"$MNT/usr/sbin/policy-rc.d\"\n}\n"
	"\n"
	"done_or_dry()\n{\n"
	"\tif [ \"$DO\" = no ]; then\n"
	"\t\techo 'Nothing was done. With --yes it is.'\n"
	"\telse\n\t\techo 'Done.'\n\tfi\n}\n";

static void write_common(const struct kit *kit, struct text_out *out)
{
	kit_header(kit, out, "what the scripts beside it have in common; they source it");
	text_raw(out, "set -eu\n");
	text_raw(out, common_sh);
}

static void add_script(const struct kit *kit, struct text_out *out, const char *what,
		       const char *body)
{
	text_raw(out, "#!/bin/sh\n");
	kit_header(kit, out, what);
	text_raw(out, "set -eu\n. \"$(dirname \"$0\")/common.sh\"\n\n");
	text_raw(out, body);
	text_raw(out, "done_or_dry\n");
}

static void write_install(const struct kit *kit, struct text_out *out)
{
	add_script(kit, out,
		   "makes the LUN a disk that the guest boots; refuses one that is not empty",
		   "lun_login\n"
		   "refuse_unless_empty\n"
		   "need debootstrap\n"
		   "disk_make\n"
		   "disk_mount rw\n"
		   "run debootstrap \"$SUITE\" \"$MNT\" ${MIRROR:+\"$MIRROR\"}\n"
		   "chroot_mounts\n"
		   "configure\n");
}

static void write_clone(const struct kit *kit, struct text_out *out)
{
	add_script(kit, out,
		   "copies a system, --from its root, to the LUN; refuses one that is not empty",
		   "[ -n \"$SOURCE\" ] || fail 'which system? --from FOLDER says it'\n"
		   "[ -x \"$SOURCE/bin/sh\" ] || fail \"$SOURCE is no root of a system\"\n"
		   "need rsync\n"
		   "lun_login\n"
		   "refuse_unless_empty\n"
		   "disk_make\n"
		   "disk_mount rw\n"
		   "run rsync -aHAXx --numeric-ids --exclude='/proc/*' --exclude='/sys/*' "
		   "--exclude='/dev/*' \\\n"
		   "\t--exclude='/run/*' --exclude='/tmp/*' --exclude='/lost+found' "
		   "\"$SOURCE/\" \"$MNT/\"\n"
		   "chroot_mounts\n"
		   "configure\n");
}

static void write_verify(const struct kit *kit, struct text_out *out)
{
	add_script(
		kit, out, "looks, without writing, whether the LUN is what the guest needs",
		"lun_login\n"
		"if [ \"$DO\" = yes ]; then\n"
		"\tbad=0\n"
		"\tis()\n\t{\n"
		"\t\tif [ \"$2\" = \"$3\" ]; then echo \"ok   $1\"; else\n"
		"\t\t\techo \"BAD  $1 is \\\"$2\\\" and not \\\"$3\\\"\"; bad=1; fi\n\t}\n"
		"\tis 'the partition table' \"$(blkid -p -o value -s PTUUID \"$DISK\")\" \"$DISK_ID\"\n"
		"\tis 'the root' \"$(blkid -o value -s UUID \"$(part \"$(number root)\")\")\" \"$ROOT_UUID\"\n"
		"\t[ \"$SWAP_MIB\" -eq 0 ] ||\n"
		"\t\tis 'the swap' \"$(blkid -o value -s UUID \"$(part \"$(number swap)\")\")\" \"$SWAP_UUID\"\n"
		"\tdisk_mount ro,noload\n"
		"\tfor file in $(cd \"$here/guest\" && find . -type f); do\n"
		"\t\tif cmp -s \"$here/guest/$file\" \"$MNT/$file\"; then echo \"ok   $file\"; else\n"
		"\t\t\techo \"BAD  $file differs\"; bad=1; fi\n"
		"\tdone\n"
		"\t[ $bad -eq 0 ] || fail 'the LUN is not what the guest needs'\n"
		"fi\n");
}

static void write_undo(const struct kit *kit, struct text_out *out)
{
	add_script(
		kit, out,
		"ends what an interrupted script left: mounts, sessions, records; no byte of the LUN",
		"if mountpoint -q \"$MNT\"; then run umount -R \"$MNT\"; fi\n"
		"[ ! -d \"$MNT\" ] || run rmdir \"$MNT\"\n"
		"need iscsiadm\n"
		"LOGGED_IN=yes\n"
		"lun_logout || true\n");
}

const struct kit_file kit_script_files[] = {
	{ "vars.sh", 0644, KIT_LUN, 0, write_vars },
	{ "common.sh", 0644, KIT_LUN, 0, write_common },
	{ "node.auth", 0600, KIT_LUN, 0, write_node },
	{ "disk.sfdisk", 0644, KIT_LUN, 0, write_layout },
	{ "root.hash", 0600, KIT_LUN, 0, write_hash },
	{ "install.sh", 0755, KIT_LUN, 0, write_install },
	{ "clone.sh", 0755, KIT_LUN, 0, write_clone },
	{ "verify.sh", 0755, KIT_LUN, 0, write_verify },
	{ "undo.sh", 0755, KIT_LUN, 0, write_undo },
	{ 0 },
};
