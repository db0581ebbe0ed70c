#include "web/boot_spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/hash.h"

static int check_names(const struct boot_spec *spec, const struct target_conf *target,
		       struct err *err)
{
	int code = parse_iscsi_name(spec->initiator, err);

	if (code)
		return err_prefix(err, code, "[guest %s] initiator", spec->guest);
	code = parse_iscsi_name(spec->target, err);
	if (code)
		return err_prefix(err, code, "[target %s] name", target->head.name);
	return 0;
}

static int check_portals(const struct target_conf *target, struct err *err)
{
	if (target->n_portals == 0)
		return err_set(err, -EINVAL, "[target %s] portal: none is given",
			       target->head.name);
	if (target->n_portals > BOOT_PORTALS_MAX)
		return err_set(err, -EINVAL, "[target %s] portal: %zu are given: %d are the most",
			       target->head.name, target->n_portals, BOOT_PORTALS_MAX);
	return 0;
}

/* iPXE fails a login that has only one half of the pair ("bad credential mix"). */
static int check_pair(const struct chap_pair *pair, const char *target, const char *user_key,
		      const char *secret_key, struct err *err)
{
	size_t len;
	int code;

	if (!pair->user && !pair->secret)
		return 0;
	if (!pair->user)
		return err_set(err, -EINVAL, "[target %s] %s: missing beside the secret", target,
			       user_key);
	if (!pair->secret)
		return err_set(err, -EINVAL,
			       "[target %s] %s-file: the secret of user \"%s\" is missing", target,
			       secret_key, pair->user);
	code = parse_chap_user(pair->user, err);
	if (code)
		return err_prefix(err, code, "[target %s] %s", target, user_key);
	len = strlen(pair->secret);
	if (len < CHAP_SECRET_MIN || len > CHAP_SECRET_MAX)
		return err_set(err, -EINVAL, "[target %s] %s: %zu bytes long: %d to %d can be",
			       target, secret_key, len, CHAP_SECRET_MIN, CHAP_SECRET_MAX);
	return 0;
}

static int check_chap(const struct boot_spec *spec, const char *target, struct err *err)
{
	int code = check_pair(&spec->chap, target, "chap-user", "chap-secret", err);

	if (!code)
		code = check_pair(&spec->reverse, target, "reverse-user", "reverse-secret", err);
	if (!code && spec->reverse.user && !spec->chap.user)
		code = err_set(err, -EINVAL, "[target %s] reverse-user: chap-user is missing",
			       target);
	if (!code && spec->reverse.user && strcmp(spec->chap.secret, spec->reverse.secret) == 0)
		code = err_set(err, -EINVAL,
			       "[target %s] reverse-secret: the same in both directions", target);
	return code;
}

static int read_san(struct boot_spec *spec, const struct config *config,
		    const struct guest_conf *guest, struct err *err)
{
	const struct target_conf *target;
	int code;

	target = guest->target ? config_find_target(config, guest->target) : NULL;
	if (!target)
		return err_set(err, -EINVAL, "[guest %s] target: %s%s", spec->guest,
			       guest->target ? "there is no target " : "none is given",
			       guest->target ? guest->target : "");
	if (!guest->initiator)
		return err_set(err, -EINVAL, "[guest %s] initiator: none is given", spec->guest);
	spec->initiator = guest->initiator;
	spec->target = target->name;
	spec->portals = target->portals;
	spec->n_portals = target->n_portals;
	spec->lun = target->lun;
	spec->chap = (struct chap_pair){ target->chap_user, target->chap_secret };
	spec->reverse = (struct chap_pair){ target->reverse_user, target->reverse_secret };
	if (!spec->chap.user && target->chap_secret_file)
		return err_set(err, -EINVAL, "[target %s] chap-user: missing beside the secret",
			       target->head.name);
	code = check_names(spec, target, err);
	if (!code)
		code = check_portals(target, err);
	if (!code)
		code = check_chap(spec, target->head.name, err);
	if (!code && spec->lun > BOOT_LUN_MAX)
		code = err_set(err, -EINVAL, "[target %s] lun: %u is above %d", target->head.name,
			       spec->lun, BOOT_LUN_MAX);
	return code;
}

static void derive_uuid(char out[UUID_TEXT_LEN + 1], const char *given, const char *use,
			const struct boot_spec *spec)
{
	uint64_t half[2] = { HASH_INIT, UINT64_C(0x6c62272e07bb0142) };

	if (given) {
		snprintf(out, UUID_TEXT_LEN + 1, "%s", given);
		return;
	}
	for (int i = 0; i < 2; i++) {
		half[i] = hash_text(half[i], use);
		half[i] = hash_text(half[i], spec->guest);
		half[i] = hash_text(half[i], spec->target ? spec->target : "");
		/* The final mix of SplitMix64: FNV's upper bits are poor for short texts. */
		half[i] = (half[i] ^ half[i] >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		half[i] = (half[i] ^ half[i] >> 27) * UINT64_C(0x94d049bb133111eb);
		half[i] ^= half[i] >> 31;
	}
	half[0] = (half[0] & ~UINT64_C(0xf000)) | 0x8000;
	half[1] = (half[1] & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;
	snprintf(out, UUID_TEXT_LEN + 1, "%08x-%04x-%04x-%04x-%012llx", (uint32_t)(half[0] >> 32),
		 (uint16_t)(half[0] >> 16), (uint16_t)half[0], (uint16_t)(half[1] >> 48),
		 (unsigned long long)(half[1] & UINT64_C(0xffffffffffff)));
}

static void choose_ids(struct boot_spec *spec, const struct guest_conf *guest)
{
	struct boot_ids *ids = &spec->ids;
	char esp[UUID_TEXT_LEN + 1];

	derive_uuid(ids->machine, guest->uuid, "machine", spec);
	derive_uuid(ids->disk, NULL, "disk", spec);
	derive_uuid(ids->root, guest->root_uuid, "root", spec);
	derive_uuid(ids->swap, guest->swap_uuid, "swap", spec);
	derive_uuid(esp, NULL, "esp", spec);
	snprintf(ids->esp, sizeof(ids->esp), "%.4s-%.4s", esp, esp + 4);
	for (char *c = ids->esp; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'f' ? *c - 'a' + 'A' : *c);
}

int boot_spec_init(struct boot_spec *ret, const struct config *config,
		   const struct guest_conf *guest, struct err *err)
{
	struct boot_spec spec = {
		.guest = guest->head.name,
		.link = guest->link,
		.kind = guest->boot,
		.firmware = guest->firmware,
		.caps = guest->ipxe_caps,
		.kernel = guest->kernel,
		.initrd = guest->initrd,
		.cmdline = guest->cmdline,
		.install = { guest->install_kernel, guest->install_initrd, guest->install_cmdline },
		.rescue = { guest->rescue_kernel, guest->rescue_initrd, guest->rescue_cmdline },
		.install_seed = guest->install_seed,
		.menu = guest->menu,
		.menu_timeout = guest->menu_timeout,
		.hostname = guest->hostname ? guest->hostname : guest->head.name,
		.gateway = guest->gateway,
		.dns = &guest->dns,
		.interface = guest->interface,
		.root_password = guest->root_password,
		.suite = guest->suite,
		.mirror = guest->mirror,
		.swap = guest->swap,
	};
	int code = 0;

	if (spec.kind != BOOT_DISK)
		code = read_san(&spec, config, guest, err);
	if (!code && spec.kind == BOOT_KERNEL && (!spec.kernel || !spec.initrd))
		code = err_set(err, -EINVAL, "[guest %s] kernel: none is given, or no initrd",
			       spec.guest);
	if (!code && guest->address) {
		code = parse_net_address(guest->address, &spec.address, err);
		if (code)
			err_prefix(err, code, "[guest %s] address", spec.guest);
	}
	if (code)
		return code;
	choose_ids(&spec, guest);
	*ret = spec;
	return 0;
}

bool boot_spec_has_san(const struct boot_spec *spec)
{
	return spec->kind != BOOT_DISK;
}

bool boot_spec_set_mac(struct boot_spec *spec, const struct link_wish *links, size_t n_links)
{
	for (size_t i = 0; i < n_links; i++) {
		if (strcmp(links[i].name, spec->link) != 0)
			continue;
		memcpy(spec->mac, links[i].mac, MAC_LEN);
		return mac_is_unicast(spec->mac);
	}
	return false;
}

void format_netmask(char out[NETMASK_TEXT_MAX], unsigned int bits)
{
	uint32_t mask = bits ? UINT32_MAX << (32 - bits) : 0;

	snprintf(out, NETMASK_TEXT_MAX, "%u.%u.%u.%u", mask >> 24, mask >> 16 & 255,
		 mask >> 8 & 255, mask & 255);
}
