/*
 * The configuration as plain data: what the INI file asks for, validated, with defaults filled in.
 *
 * Every process reads it by the same code: the agent from the file, the workers from a memfd that
 * the agent wrote (config_write()). The tables in config_schema*.c are the reference of every key.
 */
#ifndef TW_CONFIG_H
#define TW_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/ini.h"
#include "agent/base/link_types.h"
#include "agent/base/parse.h"
#include "agent/base/range_types.h"

#define CONFIG_DEFAULT_PATH "/etc/tapwarden/tapwarden.ini"

/* The API's socket in run-dir. */
#define API_SOCKET_NAME "api.sock"

/* Listening sockets of the web worker: the API's, every listen and every boot-listen address. */
#define CONFIG_LISTENERS_MAX 32

/* One worker's counters page has this many places; see stats.h. */
#define CONFIG_LINKS_MAX 16384

/* What becomes of the frames of an inline link whose rules cannot be loaded. */
enum inline_fail {
	INLINE_FAIL_CLOSED,
	INLINE_FAIL_OPEN
};

/* Of a frame of an inline link, in the order of their weight. */
enum pattern_action {
	ACTION_LOG,
	ACTION_DROP,
	ACTION_RESET
};

enum pattern_on_error {
	ON_ERROR_PASS,
	ON_ERROR_DROP
};

enum monitor_mode {
	MONITOR_OFF,
	MONITOR_PASSIVE,
	MONITOR_TAP,
	MONITOR_INLINE
};

enum payload_log_mode {
	PAYLOAD_LOG_OFF,
	PAYLOAD_LOG_MATCHES,
	PAYLOAD_LOG_ALL
};

/* Which frames go to the pcapng file. */
enum pcap_mode {
	PCAP_OFF,
	PCAP_MATCHES,
	PCAP_ALL
};

enum pattern_scope {
	SCOPE_PACKET,
	SCOPE_STREAM
};

enum boot_kind {
	BOOT_SAN, /* iPXE attaches the LUN and boots what is on it */
	BOOT_KERNEL, /* iPXE loads kernel and initrd; the root is the LUN */
	BOOT_LOCAL, /* the guest loads them itself; the root is the LUN */
	BOOT_DISK /* nothing of a SAN */
};

enum boot_firmware {
	FIRMWARE_BIOS,
	FIRMWARE_UEFI
};

/* What an iPXE can do that the one of Debian 12 cannot. */
enum ipxe_cap {
	IPXE_CAP_HTTPS,
	IPXE_CAP_POWEROFF,
	IPXE_CAP_IMGVERIFY,
	IPXE_CAPS
};

/* What an installer is told to answer its questions with, of what is served as the guest's seed. */
enum boot_seed {
	BOOT_SEED_NONE,
	BOOT_SEED_PRESEED,
	BOOT_SEED_KICKSTART,
	BOOT_SEED_AUTOINSTALL,
	BOOT_SEED_NOCLOUD,
};

/* Its word in ipxe-caps. */
const char *ipxe_cap_name(enum ipxe_cap cap);

/* Who is given what a guest boots from. */
enum boot_answers {
	BOOT_ANSWERS_LINK, /* the machine behind the guest's link */
	BOOT_ANSWERS_ANYBODY,
};

/* What a MAC address is answered that no guest has. */
enum boot_unknown {
	BOOT_UNKNOWN_404,
	BOOT_UNKNOWN_EXIT, /* a script that ends iPXE */
};

/* The roles that read a configuration, as a mask: which sections and keys a process is given. */
enum config_role {
	CONFIG_FOR_AGENT = 1 << 0,
	CONFIG_FOR_CAPTURE = 1 << 1,
	CONFIG_FOR_WEB = 1 << 2,
};

struct strv {
	char **v;
	size_t n;
};

/*
 * Leads every section's struct. `has` has bit K set when key K of the section's table was given,
 * which tells "not set" from the default.
 */
struct conf_head {
	const char *name; /* NULL in a section without a name */
	const struct ini_section *origin; /* NULL when the section is absent (all defaults) */
	uint64_t has;
};

struct agent_conf {
	struct conf_head head;
	char *run_dir;
	char *state_dir; /* NULL: run_dir */
	char *log_dir;
	uint32_t link_group; /* rtnetlink group, the ownership mark set at create */
	char *user_capture; /* name or number */
	char *user_web;
	uint64_t ring_memory; /* bytes for all packet rings together */
	uint32_t capture_workers; /* processes that share the links */
	struct strv include;
};

/* The keys that a [set] gives to its links and a [link] may give for itself. */
struct link_keys {
	enum link_kind kind;
	enum link_mode mode;
	char *lower;
	uint32_t flags; /* mask of 1 << enum link_flag */
	struct link_sources sources;
	uint32_t mtu; /* 0: the lower's */
	uint32_t txqueuelen; /* these two 0: left alone */
	uint32_t bcqueuelen;
	struct link_cutoff bccutoff;
	uint32_t queues; /* of the tap that `qemu` opens */
	char *owner; /* of the tap's node; "user", "user:group", by name or number */
	uint32_t perms; /* of the tap's node */
	enum monitor_mode monitor;
	enum peer_kind peer; /* these three: of an inline link */
	enum inline_fail fail;
	uint32_t deadline_ms;
	enum anti_spoof anti_spoof;
	struct guest_addrs addresses;
	enum address_learning learn;
	struct guest_addrs dhcp_servers; /* that count; none given: any that is no guest's */
	char *filter; /* pcap-filter(7), as the next two; NULL: none */
	char *filter_from_guest; /* beside `filter`: both must match */
	char *filter_to_guest;
	struct strv patterns; /* names; "all" stands for every pattern */
	bool up;
};

struct set_conf {
	struct conf_head head;
	struct link_keys keys;
	uint32_t count;
	char *name; /* template with one %d form: "web%02d" */
	uint8_t mac_prefix[3];
	bool has_mac_prefix;
	char *host_link; /* NULL: none */
	struct link_addrs host_addrs;
	enum link_hairpin hairpin;
	char *hairpin_port; /* NULL: to be found */
};

struct link_conf {
	struct conf_head head;
	struct link_keys keys; /* only those whose bit in head.has is set mean anything */
	char *set;
	uint8_t mac[MAC_LEN]; /* all zero: automatic */
	struct strv altnames; /* at most LINK_ALTNAMES_MAX */
	char *netns; /* NULL: the agent's own */
	char *master; /* a bridge; NULL: left alone */
};

struct pattern_conf {
	struct conf_head head;
	char *regex;
	char *preceded_by; /* NULL: none */
	char *followed_by;
	char *begin, *end; /* of a range of lines; NULL: none */
	struct range_conf range;
	struct strv groups; /* names or numbers; empty: 0, the whole match */
	bool caseless;
	bool multiline;
	bool dotall;
	bool utf;
	enum pattern_scope scope;
	uint32_t match_limit;
	uint32_t quarantine_after; /* searches given up in a minute; 0: never */
	uint32_t quarantine_seconds;
	enum pattern_action action;
	enum pattern_on_error on_error;
	uint32_t id; /* signature_id of the records; 0: derived from the name */
	uint32_t severity;
	char *category;
};

/* A text file of the host that is followed. */
struct log_conf {
	struct conf_head head;
	char *follow; /* its path */
	struct strv patterns;
};

struct record_conf {
	struct conf_head head;
	uint64_t rotate_bytes;
	uint32_t keep; /* rotated files kept beside the one being written */
	uint64_t payload_bytes; /* of a payload in one JSON record; more is cut and marked */
	enum payload_log_mode payload_log;
	uint32_t rotate_seconds; /* of the clock; 0: files rotate by size alone */
	/* of each file with those rotated from it; 0: `keep` alone bounds them */
	uint64_t quota_bytes;
	enum pcap_mode pcap;
	uint32_t before; /* frames of the same flow that a match has in the pcapng file */
	uint32_t after;
	uint64_t pcap_memory; /* bytes of the ring that has the frames before */
};

struct stream_options {
	struct conf_head head;
	uint64_t memory; /* bytes for all flows of a worker together */
	uint64_t pending; /* bytes behind a hole, in one direction of a flow */
	uint64_t fragments; /* bytes of IP packets that are not whole yet */
};

struct target_conf {
	struct conf_head head;
	struct host_port *portals;
	size_t n_portals;
	char *name; /* iSCSI name */
	uint32_t lun;
	char *chap_user;
	char *chap_secret_file;
	char *chap_secret; /* this and reverse_secret only in copies: the agent read the file */
	char *reverse_user; /* the target shows that it knows this pair, too */
	char *reverse_secret_file;
	char *reverse_secret;
};

struct guest_conf {
	struct conf_head head;
	char *link;
	enum boot_kind boot;
	char *target;
	char *initiator;
	char *kernel; /* path or URL */
	char *initrd;
	char *cmdline;
	char *hostname;
	char *address; /* "dhcp", or ADDRESS/BITS */
	char *gateway;
	struct strv dns;
	char *interface; /* what the guest calls the NIC that it boots by */
	enum boot_firmware firmware;
	char *install_kernel, *install_initrd, *install_cmdline; /* as kernel, for state install */
	char *rescue_kernel, *rescue_initrd, *rescue_cmdline; /* for state rescue */
	enum boot_seed install_seed;
	/* mask of 1 << enum boot_state, of those that a guest may choose; 0: no menu */
	uint32_t menu;
	uint32_t menu_timeout; /* seconds; 0: it waits for a key */
	uint32_t ipxe_caps; /* mask of 1 << enum ipxe_cap */
	char *uuid; /* of the machine; NULL, as the next three: made from names */
	char *root_uuid;
	char *swap_uuid;
	uint64_t swap; /* bytes; 0: none */
	char *root_password; /* crypt(5) hash */
	char *suite;
	char *mirror;
};

/* What somebody may do over the API; each may what those before it may. */
enum user_role {
	ROLE_VIEWER, /* look at everything but secrets */
	ROLE_OPERATOR, /* and act on links */
	ROLE_ADMIN /* and change the configuration that holds */
};

struct web_conf {
	struct conf_head head;
	struct host_port *boot_listen;
	size_t n_boot_listen;
	enum boot_answers boot_answers;
	enum boot_unknown boot_unknown;
	struct host_port *listen;
	size_t n_listen;
	char *tls_cert, *tls_key; /* paths of PEM files */
	uint32_t session_hours;
};

struct user_conf {
	struct conf_head head;
	char *password; /* crypt(5) hash */
	enum user_role role;
};

struct config {
	struct agent_conf agent;
	struct record_conf record;
	struct stream_options stream;
	struct web_conf web;
	struct set_conf *sets;
	size_t n_sets;
	struct link_conf *links;
	size_t n_links;
	struct pattern_conf *patterns;
	size_t n_patterns;
	struct log_conf *logs;
	size_t n_logs;
	struct user_conf *users;
	size_t n_users;
	struct target_conf *targets;
	size_t n_targets;
	struct guest_conf *guests;
	size_t n_guests;
	struct ini *ini; /* owns every origin */
};

/* A link as set and link sections together ask for it. */
struct link_wish {
	char name[IFNAME_SIZE];
	const struct set_conf *set;
	const struct link_conf *link; /* NULL: only the set itself made it */
	bool is_host_link; /* the host's own, by the set's host-link */
	const struct link_keys *keys; /* merged; they live as long as config and wishes both do */
	uint8_t mac[MAC_LEN]; /* all zero: automatic */
};

/*
 * Reads and validates `path`. All faults found are in `faults` (sorted); `ret` is set only when
 * there is none, and freed by config_free(). Returns 0, or -EINVAL with at least one fault.
 */
int config_load(const char *path, struct config **ret, struct faults *faults);

/*
 * As config_load(), but gives the configuration also when it has faults, for checks that go deeper:
 * fields at fault are zero or NULL. Returns 0 with `ret` set, or -EINVAL when nothing could be
 * read. The caller sorts the faults.
 */
int config_read(const char *path, struct config **ret, struct faults *faults);

/* As config_load() for a copy that config_write() made, read from the start of `fd`. */
int config_load_fd(int fd, struct config **ret, struct faults *faults);
void config_free(struct config *config);

/*
 * Appends the INI text of every section and key that `role` may see (one of enum config_role). The
 * chap_secret fields, where set, are written for CONFIG_FOR_WEB alone. Returns 0 or -errno.
 */
int config_write(const struct config *config, enum config_role role, struct buf *out,
		 struct err *err);

/*
 * Every link of the configuration, in order of set, then number, then name, then the host link. The
 * caller frees it.
 */
int config_links(const struct config *config, struct link_wish **ret, size_t *ret_n,
		 struct err *err);

/* Whether the link's own section gives `key`; and who does: that section, or else the set. */
bool link_wish_says(const struct link_wish *wish, const char *key);
const struct conf_head *link_wish_head(const struct link_wish *wish, const char *key);

struct config_pin {
	const char *name, *set; /* a link and its set */
	uint8_t mac[MAC_LEN];
};

/*
 * Gives `n` links an explicit MAC each, as if their sections said so; a link that only its set's
 * count made gets a section. Wishes that config_links() gave before are no longer valid. Returns 0
 * or -ENOMEM.
 */
int config_pin_macs(struct config *config, const struct config_pin *pins, size_t n);

const struct set_conf *config_find_set(const struct config *config, const char *name);
const struct target_conf *config_find_target(const struct config *config, const char *name);
const struct guest_conf *config_find_guest(const struct config *config, const char *name);

/* The guest section that names the link, or NULL; there is at most one. */
const struct guest_conf *config_guest_of_link(const struct config *config, const char *link);

/* Whether `patterns` of a link names `pattern`, itself or by "all". */
bool config_wants_pattern(const struct strv *patterns, const char *pattern);

#endif
