#include "web/ipxe_error.h"

#include <stddef.h>

#define FILE_MASK	     0x00ffe000u
#define FILE_OF(category, n) ((uint32_t)(category) | (uint32_t)(n) << 16)

enum category {
	CORE = 0x2000,
	DRIVER = 0x4000,
	NET = 0x6000,
	IMAGE = 0x8000,
	OTHER = 0xe000,
	ARCH = 0x800000,
};

#define FILE_ISCSI FILE_OF(NET, 0x0d)
#define FILE_TCP   FILE_OF(NET, 0x0a)
#define FILE_SCSI  FILE_OF(DRIVER, 0x70)
#define FILE_HTTP  FILE_OF(NET, 0x0c)
#define FILE_TFTP  FILE_OF(NET, 0x12)
#define FILE_DHCP  FILE_OF(NET, 0x10)
#define FILE_DNS   FILE_OF(NET, 0x11)
#define FILE_EXEC  FILE_OF(CORE, 0x02)
#define FILE_INT13 FILE_OF(ARCH | CORE, 0x05)

static const struct {
	uint8_t number;
	const char *name, *text;
} errors[] = {
	{ 0x01, "E2BIG", "argument list too long" },
	{ 0x02, "EACCES", "permission denied" },
	{ 0x03, "EADDRINUSE", "address already in use" },
	{ 0x04, "EADDRNOTAVAIL", "address not available" },
	{ 0x05, "EAFNOSUPPORT", "address family not supported" },
	{ 0x06, "EAGAIN", "resource temporarily unavailable" },
	{ 0x07, "EALREADY", "already in progress" },
	{ 0x08, "EBADF", "bad file descriptor" },
	{ 0x09, "EBADMSG", "bad message" },
	{ 0x0a, "EBUSY", "device or resource busy" },
	{ 0x0b, "ECANCELED", "cancelled" },
	{ 0x0c, "ECHILD", "no child processes" },
	{ 0x0d, "ECONNABORTED", "connection aborted" },
	{ 0x0e, "ECONNREFUSED", "connection refused" },
	{ 0x0f, "ECONNRESET", "connection reset" },
	{ 0x10, "EDEADLK", "a deadlock was avoided" },
	{ 0x11, "EDESTADDRREQ", "destination address required" },
	{ 0x12, "EDOM", "argument out of the function's domain" },
	{ 0x13, "EDQUOT", "disk quota exceeded" },
	{ 0x14, "EEXIST", "exists already" },
	{ 0x15, "EFAULT", "bad address" },
	{ 0x16, "EFBIG", "file too large" },
	{ 0x17, "EHOSTUNREACH", "host unreachable" },
	{ 0x18, "EIDRM", "identifier removed" },
	{ 0x19, "EILSEQ", "illegal byte sequence" },
	{ 0x1a, "EINPROGRESS", "in progress" },
	{ 0x1b, "EINTR", "interrupted" },
	{ 0x1c, "EINVAL", "invalid argument" },
	{ 0x1d, "EIO", "input/output error" },
	{ 0x1e, "EISCONN", "connected already" },
	{ 0x1f, "EISDIR", "is a directory" },
	{ 0x20, "ELOOP", "too many levels of links" },
	{ 0x21, "EMFILE", "too many open files" },
	{ 0x22, "EMLINK", "too many links" },
	{ 0x23, "EMSGSIZE", "message too long" },
	{ 0x24, "EMULTIHOP", "multihop attempted" },
	{ 0x25, "ENAMETOOLONG", "name too long" },
	{ 0x26, "ENETDOWN", "network down" },
	{ 0x27, "ENETRESET", "connection aborted by the network" },
	{ 0x28, "ENETUNREACH", "network unreachable" },
	{ 0x29, "ENFILE", "too many open files in the system" },
	{ 0x2a, "ENOBUFS", "no buffer space" },
	{ 0x2b, "ENODATA", "no data" },
	{ 0x2c, "ENODEV", "no such device" },
	{ 0x2d, "ENOENT", "no such file or directory" },
	{ 0x2e, "ENOEXEC", "exec format error" },
	{ 0x2f, "ENOLCK", "no locks available" },
	{ 0x30, "ENOLINK", "link severed" },
	{ 0x31, "ENOMEM", "not enough memory" },
	{ 0x32, "ENOMSG", "no such message" },
	{ 0x33, "ENOPROTOOPT", "protocol not available" },
	{ 0x34, "ENOSPC", "no space left on the device" },
	{ 0x35, "ENOSR", "no stream resources" },
	{ 0x36, "ENOSTR", "not a stream" },
	{ 0x37, "ENOSYS", "function not implemented" },
	{ 0x38, "ENOTCONN", "not connected" },
	{ 0x39, "ENOTDIR", "not a directory" },
	{ 0x3a, "ENOTEMPTY", "directory not empty" },
	{ 0x3b, "ENOTSOCK", "not a socket" },
	{ 0x3c, "ENOTSUP", "operation not supported" },
	{ 0x3d, "ENOTTY", "inappropriate control operation" },
	{ 0x3e, "ENXIO", "no such device or address" },
	{ 0x3f, "EOPNOTSUPP", "operation not supported on a socket" },
	{ 0x40, "EOVERFLOW", "value too large" },
	{ 0x41, "EPERM", "operation not permitted" },
	{ 0x42, "EPIPE", "broken pipe" },
	{ 0x43, "EPROTO", "protocol error" },
	{ 0x44, "EPROTONOSUPPORT", "protocol not supported" },
	{ 0x45, "EPROTOTYPE", "wrong protocol for the socket" },
	{ 0x46, "ERANGE", "out of range" },
	{ 0x47, "EROFS", "read-only file system" },
	{ 0x48, "ESPIPE", "invalid seek" },
	{ 0x49, "ESRCH", "no such process" },
	{ 0x4a, "ESTALE", "stale file handle" },
	{ 0x4b, "ETIME", "timer expired" },
	{ 0x4c, "ETIMEDOUT", "timed out" },
	{ 0x4d, "ETXTBSY", "text file busy" },
	{ 0x4e, "EWOULDBLOCK", "would block" },
	{ 0x4f, "EXDEV", "improper link" },
	{ 0x7f, "EPLATFORM", "an error of the firmware" },
};

#define SECRETS "the secret of chap-secret-file and that of the target"
#define ACL	"the target's ACL: does it let this initiator and this address in?"
#define LUN_0 \
	"is that LUN a disk? tgt's LUN 0 is its controller; in a SAN address the LUN is hexadecimal"
#define SERVER "does the server run, and is it reached from the guest's network? Ask its log"

static const struct {
	uint32_t file;
	const char *name;
} files[] = {
	{ FILE_OF(CORE, 0x01), "the downloader" },
	{ FILE_EXEC, "the command line" },
	{ FILE_OF(CORE, 0x09), "opening of a URI" },
	{ FILE_OF(CORE, 0x0b), "the resolver of names" },
	{ FILE_OF(CORE, 0x0c), "settings" },
	{ FILE_OF(CORE, 0x0e), "data transfer" },
	{ FILE_OF(CORE, 0x12), "block devices" },
	{ FILE_OF(CORE, 0x22), "EFI block devices" },
	{ FILE_OF(CORE, 0x23), "SAN boot" },
	{ FILE_SCSI, "SCSI" },
	{ FILE_OF(DRIVER, 0x5c), "the driver of virtio-net" },
	{ FILE_OF(NET, 0x01), "ARP" },
	{ FILE_OF(NET, 0x05), "IPv4" },
	{ FILE_OF(NET, 0x06), "IPv6" },
	{ FILE_OF(NET, 0x07), "neighbour discovery of IPv6" },
	{ FILE_OF(NET, 0x08), "the network device" },
	{ FILE_TCP, "TCP" },
	{ FILE_HTTP, "HTTP" },
	{ FILE_ISCSI, "the iSCSI initiator" },
	{ FILE_OF(NET, 0x0e), "TCP/IP" },
	{ FILE_OF(NET, 0x0f), "UDP" },
	{ FILE_DHCP, "DHCP" },
	{ FILE_DNS, "DNS" },
	{ FILE_TFTP, "TFTP" },
	{ FILE_OF(NET, 0x37), "neighbours" },
	{ FILE_OF(NET, 0x39), "ICMP" },
	{ FILE_OF(IMAGE, 0x00), "images" },
	{ FILE_OF(IMAGE, 0x02), "scripts" },
	{ FILE_OF(OTHER, 0x01), "CHAP" },
	{ FILE_OF(OTHER, 0x03), "autoboot" },
	{ FILE_OF(OTHER, 0x0a), "the commands of images" },
	{ FILE_OF(OTHER, 0x0c), "iBFT" },
	{ FILE_OF(OTHER, 0x0d), "TLS" },
	{ FILE_OF(OTHER, 0x16), "X.509 certificates" },
	{ FILE_INT13, "INT 13 (disks of the BIOS)" },
	{ FILE_OF(ARCH | IMAGE, 0x01), "Linux kernel images" },
};

/* `which` is what bits 12-8 hold. */
static const struct {
	uint8_t error;
	uint8_t which;
	uint32_t file;
	const char *cause, *remedy;
} causes[] = {
	{ 0x02, 1, FILE_ISCSI, "the target's own CHAP name is not reverse-username",
	  "reverse-chap-user, and the outgoing account of the target" },
	{ 0x02, 2, FILE_ISCSI, "the target's own CHAP secret is wrong",
	  "the secret of reverse-chap-secret-file and the target's outgoing account" },
	{ 0x0f, 0, FILE_ISCSI, "the portal's machine is there, and refused or cut the connection",
	  "does the target listen on that address and port?" },
	{ 0x1c, 1, FILE_ISCSI, "the SAN address is too short",
	  "it is iscsi:SERVER:PROTOCOL:PORT:LUN:TARGET" },
	{ 0x1c, 2, FILE_ISCSI, "bad mix of CHAP settings",
	  "username and password go together, the reverse pair only with them" },
	{ 0x1c, 3, FILE_ISCSI, "no SAN address", "root-path of DHCP, or the word after sanboot" },
	{ 0x1c, 4, FILE_ISCSI, "the SAN address names no target", "its last part" },
	{ 0x1c, 5, FILE_ISCSI, "the initiator has no name", "set initiator-iqn" },
	{ 0x1c, 6, FILE_ISCSI, "the target offered a bad MaxBurstLength", NULL },
	{ 0x1d, 1, FILE_ISCSI, "the target does not operate now", SERVER },
	{ 0x1d, 2, FILE_ISCSI, "the target has no resources left", SERVER },
	{ 0x2c, 0, FILE_ISCSI, "the target has no such name for this initiator",
	  "the target's name, and its ACL: one that lets nobody in looks like none" },
	{ 0x3c, 1, FILE_ISCSI, "the target says that the initiator erred", NULL },
	{ 0x3c, 2, FILE_ISCSI, "the target sent what iPXE does not know", NULL },
	{ 0x3c, 3, FILE_ISCSI, "the SAN address names no server: discovery is not supported",
	  "its first part" },
	{ 0x3c, 4, FILE_ISCSI, "the target refused for a reason that iPXE does not know", SERVER },
	{ 0x41, 1, FILE_ISCSI, "the target refused the initiator's CHAP name or secret",
	  "chap-user, " SECRETS },
	{ 0x41, 2, FILE_ISCSI, "the target does not let this initiator in", ACL },
	{ 0x43, 1, FILE_ISCSI, "the target wants a CHAP algorithm other than MD5", NULL },
	{ 0x43, 2, FILE_ISCSI, "bad CHAP identifier", NULL },
	{ 0x43, 3, FILE_ISCSI, "bad large binary value", NULL },
	{ 0x43, 4, FILE_ISCSI, "bad CHAP response", NULL },
	{ 0x43, 5, FILE_ISCSI, "the target sent a bad key", NULL },
	{ 0x43, 6, FILE_ISCSI, "the target refused what was offered: it wants CHAP",
	  "chap-user and chap-secret-file of the target's section" },
	{ 0x4c, 0, FILE_TCP, "nobody answered", SERVER },
	{ 0x0f, 0, FILE_TCP, "the server refused or cut the connection", SERVER },
	{ 0x1d, 0, FILE_SCSI, "the LUN gave no answer that a disk gives", LUN_0 },
	{ 0x1d, 2, FILE_SCSI, "the LUN is not ready", LUN_0 },
	{ 0x1d, 3, FILE_SCSI, "medium error", "the disk behind the LUN" },
	{ 0x1d, 4, FILE_SCSI, "hardware error", "the disk behind the LUN" },
	{ 0x1d, 5, FILE_SCSI, "the LUN refused the request", LUN_0 },
	{ 0x1d, 0, FILE_INT13, "neither a boot sector nor a bootable CD could be read from the LUN",
	  "whether a system was installed on it; one of less than 8 MiB cannot be read at all" },
	{ 0x2d, 1, FILE_HTTP, "HTTP 404: the server has no such file", "the path" },
	{ 0x41, 1, FILE_HTTP, "HTTP 403: forbidden",
	  "a guest is given what belongs to its own link alone" },
	{ 0x02, 1, FILE_HTTP, "HTTP 401: the server wants a login", NULL },
	{ 0x1d, 2, FILE_HTTP, "the file was shorter or longer than announced", SERVER },
	{ 0x1d, 4, FILE_HTTP, "HTTP 4xx: the server refused the request", SERVER },
	{ 0x1d, 5, FILE_HTTP, "HTTP 5xx: the server failed", SERVER },
	{ 0x2d, 1, FILE_TFTP, "the server has no such file", "the path" },
	{ 0x3e, 1, FILE_DNS, "no such name", "the name, and the domain that DHCP gave" },
	{ 0x3e, 2, FILE_DNS, "DHCP gave no name server", NULL },
	{ 0x2e, 0, FILE_EXEC, "command not found", "a misspelling, or an iPXE built without it" },
};

struct ipxe_error ipxe_error_explain(uint32_t number)
{
	uint8_t error = (uint8_t)(number >> 24 & 0x7f), which = (uint8_t)(number >> 8 & 0x1f);
	uint32_t file = number & FILE_MASK;
	struct ipxe_error ret = { 0 };

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (errors[i].number != error)
			continue;
		ret.name = errors[i].name;
		ret.text = errors[i].text;
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (files[i].file == file)
			ret.part = files[i].name;
	}
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (causes[i].error != error || causes[i].which != which || causes[i].file != file)
			continue;
		ret.cause = causes[i].cause;
		ret.remedy = causes[i].remedy;
	}
	return ret;
}
