#include "agent/base/config_boot.h"

#include <string.h>

#include "agent/base/boot_types.h"
#include "agent/base/parse_boot.h"
#include "agent/base/schema.h"

static bool target_has(const struct target_conf *target, const char *key)
{
	return schema_has(&config_schema, "target", &target->head, key);
}

/* iPXE fails a login that has only one half of a pair, or the reverse pair alone. */
static void check_pairs(const struct target_conf *target, struct faults *faults)
{
	static const struct {
		const char *key, *needs;
	} pairs[] = {
		{ "chap-user", "chap-secret-file" },
		{ "chap-secret-file", "chap-user" },
		{ "reverse-user", "reverse-secret-file" },
		{ "reverse-secret-file", "reverse-user" },
		{ "reverse-user", "chap-user" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		if (target_has(target, pairs[i].key) && !target_has(target, pairs[i].needs))
			schema_fault(faults, &target->head, pairs[i].key, "%s is missing beside it",
				     pairs[i].needs);
	}
	/* RFC 3720 section 8.2.1: one secret for both directions can be reflected. */
	if (target->chap_secret_file && target->reverse_secret_file &&
	    strcmp(target->chap_secret_file, target->reverse_secret_file) == 0)
		schema_fault(faults, &target->head, "reverse-secret-file",
			     "the secrets of the two directions must differ");
}

static void check_portals(const struct target_conf *target, struct faults *faults)
{
	if (target->n_portals > BOOT_PORTALS_MAX) {
		schema_fault(faults, &target->head, "portal", "%zu are given: %d are the most",
			     target->n_portals, BOOT_PORTALS_MAX);
		return;
	}
	for (size_t i = 0; i < target->n_portals; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct host_port *a = &target->portals[i], *b = &target->portals[j];

			if (a->port == b->port && strcmp(a->host, b->host) == 0)
				schema_fault(faults, &target->head, "portal",
					     "%s port %u is given twice", a->host, a->port);
		}
	}
}

void config_check_target(const struct target_conf *target, struct faults *faults)
{
	check_pairs(target, faults);
	check_portals(target, faults);
}

/* Which keys a way to boot must have, may have, or has no use for. */
#define NEED_SAN    (1u << 0)
#define NEED_KERNEL (1u << 1)

static const unsigned int needs[] = {
	[BOOT_SAN] = NEED_SAN,
	[BOOT_KERNEL] = NEED_SAN | NEED_KERNEL,
	[BOOT_LOCAL] = NEED_SAN,
	[BOOT_DISK] = 0,
};

static const struct {
	const char *key;
	unsigned int of; /* needed by those ways, and by no other */
	const char *why;
} guest_needs[] = {
	{ "target", NEED_SAN, ", whose root is a LUN: disk has none" },
	{ "initiator", NEED_SAN, "" },
	{ "kernel", NEED_KERNEL, "" },
	{ "initrd", NEED_KERNEL, "" },
};

static void check_way(const struct guest_conf *guest, struct faults *faults)
{
	static const char *const ways[] = {
		[BOOT_SAN] = "san",
		[BOOT_KERNEL] = "kernel",
		[BOOT_LOCAL] = "local",
		[BOOT_DISK] = "disk",
	};

	for (size_t i = 0; i < sizeof(guest_needs) / sizeof(guest_needs[0]); i++) {
		bool has = schema_has(&config_schema, "guest", &guest->head, guest_needs[i].key);
		bool needed = needs[guest->boot] & guest_needs[i].of;

		if (needed && !has)
			schema_fault(faults, &guest->head, "boot", "%s is missing for boot = %s%s",
				     guest_needs[i].key, ways[guest->boot], guest_needs[i].why);
		else if (has && !needed)
			schema_fault(faults, &guest->head, guest_needs[i].key,
				     "boot = %s has no use for it", ways[guest->boot]);
	}
}

/* The initrds' own configuration of the network (klibc's ipconfig) knows IPv4 alone. */
static void check_address(const struct guest_conf *guest, struct faults *faults)
{
	struct net_address address;
	bool v6;

	if (!guest->address || parse_net_address(guest->address, &address, NULL) != 0)
		return;
	if (!address.text[0] && guest->gateway)
		schema_fault(faults, &guest->head, "gateway", "DHCP gives it: address is dhcp");
	v6 = guest->gateway && strchr(guest->gateway, ':');
	if (address.text[0] && guest->gateway && v6 != address.ipv6)
		schema_fault(faults, &guest->head, "gateway", "not of the family of address");
	if (address.ipv6 && guest->boot != BOOT_DISK)
		schema_fault(faults, &guest->head, "address",
			     "an initrd gives itself an IPv4 address alone");
}

static void check_https(const struct guest_conf *guest, struct faults *faults)
{
	const struct {
		const char *key, *value;
	} sources[] = { { "kernel", guest->kernel },
			{ "initrd", guest->initrd },
			{ "install-kernel", guest->install_kernel },
			{ "install-initrd", guest->install_initrd },
			{ "rescue-kernel", guest->rescue_kernel },
			{ "rescue-initrd", guest->rescue_initrd } };

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (sources[i].value && strncmp(sources[i].value, "https://", 8) == 0 &&
		    !(guest->ipxe_caps & (1u << IPXE_CAP_HTTPS)))
			schema_fault(faults, &guest->head, sources[i].key,
				     "Debian's iPXE has no https: ipxe-caps = https says that the "
				     "guest's has");
	}
}

/* It stands in files of many languages, some of which have no quotes. */
static void check_interface(const struct guest_conf *guest, struct faults *faults)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";

	if (guest->interface && guest->interface[strspn(guest->interface, allowed)])
		schema_fault(faults, &guest->head, "interface",
			     "\"%s\": letters, digits, '.', '_' and '-' alone can be part of it",
			     guest->interface);
}

static void check_menu(const struct guest_conf *guest, struct faults *faults)
{
	const struct {
		enum boot_state state;
		const char *name, *kernel, *initrd;
	} systems[] = {
		{ BOOT_STATE_INSTALL, "install", guest->install_kernel, guest->install_initrd },
		{ BOOT_STATE_RESCUE, "rescue", guest->rescue_kernel, guest->rescue_initrd },
	};

	for (size_t i = 0; i < sizeof(systems) / sizeof(systems[0]); i++) {
		if (guest->menu & 1u << systems[i].state &&
		    !(systems[i].kernel && systems[i].initrd))
			schema_fault(faults, &guest->head, "menu",
				     "%s-kernel or %s-initrd is missing for %s", systems[i].name,
				     systems[i].name, systems[i].name);
	}
	if (!guest->menu && schema_has(&config_schema, "guest", &guest->head, "menu-timeout"))
		schema_fault(faults, &guest->head, "menu-timeout", "there is no menu");
}

void config_check_guest(const struct guest_conf *guest, struct faults *faults)
{
	check_way(guest, faults);
	check_address(guest, faults);
	check_https(guest, faults);
	check_interface(guest, faults);
	check_menu(guest, faults);
}
