/* What installers and cloud-init ask for: seeds that name the guest, and nobody else's secret. */
#include "web/kit.h"

#include <errno.h>
#include <string.h>

#include "web/iso9660.h"
#include "web/kit_seed.h"

static void write_meta(const struct kit *kit, struct text_out *out)
{
	text_put(out, encode_yaml, "instance-id: ", "uuid", kit->spec->ids.machine, "\n");
	text_put(out, encode_yaml, "local-hostname: ", "hostname", kit->spec->hostname, "\n");
}

static void add_phone_home(const struct kit *kit, struct text_out *out, const char *before,
			   const char *after)
{
	char mac[MAC_TEXT_MAX];

	if (!kit->listen)
		return;
	kit_mac_path(kit, mac);
	text_raw(out, before);
	kit_url(kit, out);
	text_add(out, "/ipxe/%s/phone-home", mac);
	if (kit->token)
		text_add(out, "?token=%s", kit->token);
	text_raw(out, after);
}

/* `type: hash` is taken as it is; the older `list:` takes some hashes for the password itself. */
static void write_user(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;

	text_raw(out, "#cloud-config\n");
	kit_header(kit, out, "user-data of NoCloud");
	text_put(out, encode_yaml, "hostname: ", "hostname", spec->hostname, "\n");
	if (spec->root_password) {
		text_raw(out, "disable_root: false\nchpasswd:\n  expire: false\n  users:\n"
			      "    - name: root\n      type: hash\n");
		text_put(out, encode_yaml, "      password: ", "root-password", spec->root_password,
			 "\n");
	}
	add_phone_home(kit, out, "runcmd:\n  - [\"wget\", \"-q\", \"-O\", \"-\", \"", "\"]\n");
}

static void write_vendor(const struct kit *kit, struct text_out *out)
{
	(void)kit;
	text_raw(out, "#cloud-config\n{}\n");
}

static void write_network(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;
	char mac[MAC_TEXT_MAX];

	format_mac(mac, spec->mac);
	text_add(out,
		 "version: 2\nethernets:\n  boot:\n    match: {macaddress: \"%s\"}\n"
		 "    critical: true\n",
		 mac);
	if (spec->address.text[0])
		text_add(out, "    addresses: [\"%s/%u\"]\n", spec->address.text,
			 spec->address.bits);
	else
		text_raw(out, "    dhcp4: true\n");
	if (spec->gateway)
		text_add(out, "    gateway%c: \"%s\"\n", spec->address.ipv6 ? '6' : '4',
			 spec->gateway);
	for (size_t i = 0; i < spec->dns->n; i++)
		text_add(out, "%s\"%s\"%s", i ? ", " : "    nameservers: {addresses: [",
			 spec->dns->v[i], i + 1 == spec->dns->n ? "]}\n" : "");
}

const struct kit_seed kit_seeds[KIT_SEEDS] = {
	{ "meta-data", write_meta },
	{ "network-config", write_network },
	{ "user-data", write_user },
	{ "vendor-data", write_vendor },
};

/* The same files as a disk, which is there before the network: for addresses that are fixed. */
static void write_image(const struct kit *kit, struct text_out *out)
{
	struct buf content[KIT_SEEDS];
	struct iso_file files[KIT_SEEDS];

	for (size_t i = 0; i < KIT_SEEDS; i++) {
		struct text_out text = { .buf = &content[i], .err = out->err };

		buf_init(&content[i], FILE_SIZE_MAX);
		kit_seeds[i].write(kit, &text);
		if (out->code == 0)
			out->code = text.code;
		files[i] = (struct iso_file){ kit_seeds[i].name, content[i].data, content[i].len };
	}
	if (out->code == 0)
		out->code = iso9660_write("CIDATA", files, KIT_SEEDS, out->buf, out->err);
	for (size_t i = 0; i < KIT_SEEDS; i++)
		buf_done(&content[i]);
}

/*
 * debconf reads a value to the end of its line (preseeding, appendix B of the installation guide).
 */
static void write_preseed(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;
	size_t label = strcspn(spec->hostname, ".");

	kit_header(kit, out,
		   "for debian-installer: auto=true priority=critical url=.../preseed.cfg");
	text_add(out, "d-i netcfg/get_hostname string %.*s\n", (int)label, spec->hostname);
	text_add(out, "d-i netcfg/get_domain string %s\n",
		 spec->hostname[label] ? spec->hostname + label + 1 : "");
	text_raw(out, "d-i passwd/make-user boolean false\nd-i passwd/root-login boolean true\n");
	text_put(out, encode_ini, "d-i passwd/root-password-crypted password ", "root-password",
		 spec->root_password ? spec->root_password : "!", "\n");
	if (boot_spec_has_san(spec)) {
		text_raw(out, "d-i pkgsel/include string open-iscsi\n");
		text_put(out, encode_ini, "d-i open-iscsi/initiatorname string ", "initiator",
			 spec->initiator, "\n");
	}
	add_phone_home(kit, out, "d-i preseed/late_command string wget -q -O - ", " || true\n");
}

static void add_kickstart_pair(struct text_out *out, const char *user, const char *secret,
			       const struct chap_pair *pair)
{
	if (!pair->user)
		return;
	text_put(out, encode_sh, user, "the CHAP user", pair->user, "");
	text_put(out, encode_sh, secret, "the CHAP secret", pair->secret, "");
}

static void write_kickstart(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;

	kit_header(kit, out, "for Anaconda: inst.ks=.../ks.cfg");
	text_put(out, encode_sh, "network --bootproto=dhcp --hostname=", "hostname", spec->hostname,
		 "\n");
	if (spec->root_password)
		text_put(out, encode_sh, "rootpw --iscrypted ", "root-password",
			 spec->root_password, "\n");
	else
		text_raw(out, "rootpw --lock\n");
	if (boot_spec_has_san(spec))
		text_put(out, encode_sh, "iscsiname ", "initiator", spec->initiator, "\n");
	for (size_t i = 0; i < spec->n_portals; i++) {
		text_put(out, encode_sh, "iscsi --target=", "target", spec->target, "");
		text_add(out, " --ipaddr=%s --port=%u", spec->portals[i].host,
			 spec->portals[i].port);
		add_kickstart_pair(out, " --user=", " --password=", &spec->chap);
		add_kickstart_pair(out, " --reverse-user=", " --reverse-password=", &spec->reverse);
		text_raw(out, "\n");
	}
	add_phone_home(kit, out, "%post --nochroot\ncurl -fsS ", " || true\n%end\n");
}

static void write_autoinstall(const struct kit *kit, struct text_out *out)
{
	const struct boot_spec *spec = kit->spec;

	text_raw(out, "#cloud-config\n");
	kit_header(kit, out, "for Ubuntu's installer: autoinstall ds=nocloud;s=.../autoinstall/");
	text_raw(out, "autoinstall:\n  version: 1\n  identity:\n    username: admin\n");
	text_put(out, encode_yaml, "    hostname: ", "hostname", spec->hostname, "\n");
	text_put(out, encode_yaml, "    password: ", "root-password",
		 spec->root_password ? spec->root_password : "!", "\n");
	text_raw(out, "  packages: [\"open-iscsi\"]\n");
	add_phone_home(kit, out, "  late-commands:\n    - [\"wget\", \"-q\", \"-O\", \"-\", \"",
		       "\"]\n");
}

const struct kit_file kit_seed_files[] = {
	{ "seed/meta-data", 0644, KIT_ALL, 0, write_meta },
	{ "seed/user-data", 0600, KIT_ALL, 0, write_user },
	{ "seed/vendor-data", 0644, KIT_ALL, 0, write_vendor },
	{ "seed/network-config", 0644, KIT_ALL, 0, write_network },
	{ "seed/cidata.iso", 0600, KIT_ALL, 0, write_image },
	{ "seed/preseed.cfg", 0600, KIT_ALL, 0, write_preseed },
	{ "seed/ks.cfg", 0600, KIT_ALL, KIT_OPTIONAL, write_kickstart },
	{ "seed/autoinstall/user-data", 0600, KIT_ALL, 0, write_autoinstall },
	{ "seed/autoinstall/meta-data", 0644, KIT_ALL, 0, write_meta },
	{ 0 },
};

int kit_seed_file(const struct kit *kit, const char *path, struct buf *out, struct err *err)
{
	struct text_out text = { .buf = out, .err = err };
	const struct kit_file *file = kit_seed_files;

	while (file->path && strcmp(file->path, path) != 0)
		file++;
	if (!file->path)
		return err_set(err, -ENOENT, "there is no such seed");
	file->write(kit, &text);
	if (text.code == 0 && out->failed)
		text.code = err_set(err, -ENOMEM, "no memory for a seed");
	return text.code;
}
