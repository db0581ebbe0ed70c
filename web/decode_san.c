/* An iSCSI address, as boot_decode.h says. */
#include "web/boot_decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/parse.h"
#include "web/boot_spec.h"
#include "web/san_uri.h"

/* iPXE cuts a URI at '#' and decodes "%xx", before it takes the parts apart. */
static void check_uri_bytes(const char *uri, unsigned int line, struct findings *findings)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789._:[]-";
	size_t at = strspn(uri, good);

	if (uri[at] == '#')
		findings_add(findings, line, FINDING_ERROR,
			     "iPXE cuts an address at '#': \"%.40s\" is lost", uri + at);
	else if (uri[at] == '%')
		findings_add(findings, line, FINDING_WARNING,
			     "iPXE decodes \"%.3s\" before it reads the address", uri + at);
	else if (uri[at])
		findings_add(findings, line, FINDING_WARNING,
			     "byte 0x%02x in a SAN address: no iSCSI name and no host has it",
			     (unsigned char)uri[at]);
}

static void san_server(const struct san_parts *parts, enum san_reader reader, unsigned int line,
		       struct decoded *decoded)
{
	const char *server = parts->v[SAN_SERVER];
	char text[SAN_PART_SIZE + 2];
	struct host_port host;
	struct err err;

	if (!*server) {
		findings_add(&decoded->findings, line, FINDING_ERROR, "no server is named");
		return;
	}
	snprintf(text, sizeof(text), parts->brackets ? "[%.255s]" : "%.255s", server);
	decoded_add(decoded, "server", "%s", server);
	if (parse_host_port(text, ISCSI_PORT, &host, &err))
		findings_add(&decoded->findings, line, FINDING_ERROR, "server: %s", err.text);
	else if (host.ipv6 && reader == SAN_FOR_IPXE)
		findings_add(&decoded->findings, line, FINDING_WARNING,
			     "the table that iPXE leaves for the system (iBFT) holds IPv4 alone: "
			     "an initrd cannot log in from it");
	else if (host.name)
		findings_add(&decoded->findings, line, FINDING_NOTE,
			     "the server is a name: an initrd cannot ask for its address");
}

static void san_port(const char *port, unsigned int line, struct decoded *decoded)
{
	uint64_t value = 0;

	if (*port && parse_u64(port, 0, 65535, &value, NULL)) {
		findings_add(&decoded->findings, line, FINDING_ERROR, "\"%s\" is no port", port);
		return;
	}
	decoded_add(decoded, "port", "%llu", value ? (unsigned long long)value : ISCSI_PORT);
}

/* RFC 4173: hexadecimal, up to four groups of four digits. Initrds look for a decimal number. */
static void san_lun(const char *lun, enum san_reader reader, unsigned int line,
		    struct decoded *decoded)
{
	bool is_hex = reader == SAN_FOR_IPXE;
	char *rest;
	unsigned long value = strtoul(lun, &rest, is_hex ? 16 : 10);

	if (*rest &&
	    (!is_hex || *rest != '-' || strspn(rest, "0123456789abcdefABCDEF-") != strlen(rest))) {
		findings_add(&decoded->findings, line, FINDING_ERROR, "\"%s\" is no LUN: %s digits",
			     lun, is_hex ? "hexadecimal" : "decimal");
		return;
	}
	if (*rest) {
		decoded_add(decoded, "lun", "%s", lun);
		findings_add(&decoded->findings, line, FINDING_WARNING,
			     "a LUN of several levels: initrds match one decimal number");
		return;
	}
	decoded_add(decoded, "lun", "%lu", value);
	if (value > BOOT_LUN_MAX)
		findings_add(&decoded->findings, line, FINDING_WARNING,
			     "LUN %lu is above %d: udev names its disk in another form", value,
			     BOOT_LUN_MAX);
	else if (value > 9 && is_hex)
		findings_add(&decoded->findings, line, FINDING_NOTE,
			     "the LUN is hexadecimal: \"%s\" is %lu for the target and the initrd",
			     lun, value);
	else if (!value)
		findings_add(&decoded->findings, line, FINDING_NOTE,
			     "LUN 0 is the controller with tgt, and the first disk with LIO");
}

static void san_target(const char *target, unsigned int line, struct decoded *decoded)
{
	struct err err;

	if (!*target) {
		findings_add(&decoded->findings, line, FINDING_ERROR, "no target is named");
		return;
	}
	decoded_add(decoded, "target", "%s", target);
	if (parse_iscsi_name(target, &err))
		findings_add(&decoded->findings, line, FINDING_WARNING, "target: %s", err.text);
}

void decode_san_address(const char *uri, enum san_reader reader, unsigned int line,
			struct decoded *decoded)
{
	struct san_parts parts;
	struct err err;

	check_uri_bytes(uri, line, &decoded->findings);
	if (san_uri_split(uri, &parts, &err)) {
		findings_add(&decoded->findings, line, FINDING_ERROR, "%s", err.text);
		return;
	}
	san_server(&parts, reader, line, decoded);
	if (*parts.v[SAN_PROTOCOL] && strcmp(parts.v[SAN_PROTOCOL], "6") != 0)
		findings_add(&decoded->findings, line, FINDING_WARNING,
			     "protocol \"%s\": leave it empty, as Debian's initrd warns of others",
			     parts.v[SAN_PROTOCOL]);
	san_port(parts.v[SAN_PORT], line, decoded);
	san_lun(parts.v[SAN_LUN], reader, line, decoded);
	san_target(parts.v[SAN_TARGET], line, decoded);
}
