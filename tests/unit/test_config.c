/* links: agent/base/config.c agent/base/config_cross.c agent/base/config_range.c */
/* links: agent/base/config_wishes.c */
/* links: agent/base/config_lowers.c agent/base/config_boot.c agent/base/config_schema*.c */
/* links: agent/base/range_types.c agent/base/schema.c agent/base/schema_type.c */
/* links: agent/base/schema_walk.c */
/* links: agent/base/schema_fill.c */
/* links: agent/base/schema_text.c */
/* links: agent/base/parse_boot.c agent/base/schema_list.c agent/base/schema_print.c */
/* links: agent/base/ini.c agent/base/ini_load.c agent/base/ini_scan.c agent/base/fault.c */
/* links: agent/base/hint.c agent/base/name_template.c agent/base/link_types.c agent/base/parse.c */
/* links: agent/base/buf.c agent/base/err.c agent/base/utf8.c */
#include "agent/base/config.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/base/name_template.h"
#include "agent/base/schema.h"
#include "agent/base/stats.h"

static char path[] = "/tmp/test_config.XXXXXX";

static int make_file(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

static void write_file(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* Every fault on a line of its own, without the file's name: "2: [set a] lower: ...". */
static char *all_faults(const struct faults *faults)
{
	struct buf text, line;

	buf_init(&text, 1 << 24);
	buf_init(&line, 1 << 16);
	buf_adds(&text, "");
	for (size_t i = 0; i < faults->n; i++) {
		buf_reset(&line);
		fault_format(&faults->list[i], &line);
		assert_memory_equal(line.data, path, strlen(path));
		buf_addf(&text, "%s\n", line.data + strlen(path) + 1);
	}
	buf_done(&line);
	return buf_take(&text);
}

static struct config *load_good(const char *text)
{
	struct faults faults = { 0 };
	struct config *config = NULL;
	char *told;
	int code;

	write_file(text);
	code = config_load(path, &config, &faults);
	told = all_faults(&faults);
	assert_string_equal(told, "");
	assert_int_equal(code, 0);
	free(told);
	faults_done(&faults);
	return config;
}

static void expect_faults(const char *text, const char *expected)
{
	struct faults faults = { 0 };
	struct config *config = NULL;
	char *told;
	int code;

	write_file(text);
	code = config_load(path, &config, &faults);
	told = all_faults(&faults);
	assert_string_equal(told, expected);
	assert_int_equal(code, *expected ? -EINVAL : 0);
	config_free(config);
	free(told);
	faults_done(&faults);
}

/* ---- what is read ---------------------------------------------------------------------------- */

static const char whole[] =
	"[agent]\nrun-dir = /tmp/run\nlog-dir = /tmp/log\nlink-group = 9\nuser-capture = 901\n"
	"user-web = web_1\nring-memory = 2M\n"
	"[set web]\nlower = eth0\nkind = macvlan\nmode = vepa\ncount = 2\nname = web%02d\n"
	"mtu = 1400\ntxqueuelen = 9\nbcqueuelen = 8\nbccutoff = off\nmonitor = off\npatterns = http, dns\nup = no\nmac-prefix = 52:54:00\n"
	"[set db]\nlower = eth1\nqueues = 3\nowner = joe:kvm\nperms = 0640\n"
	"[link web02]\nset = web\nmac = 52-54-00-AA-BB-CC\nmode = private\npatterns =\n"
	"[link extra]\nset = web\nmac = auto\nlower = eth2\n"
	"[link alone]\nset = db\naltnames = Shop:1 other\n"
	"[link solo]\nset = db\nlower = eth3\nmode = passthru\nflags = nopromisc\n"
	"[link picky]\nset = db\nmode = source\n"
	"source-macs = 52:54:00:00:00:01, 525400000002\n"
	"[pattern http]\nregex = \"GET (\\S+); x\"\npreceded-by = ^\nfollowed-by = $\n"
	"groups = 1 name_2\ncaseless = yes\nmultiline = on\ndotall = 1\nutf = true\n"
	"match-limit = 5\nid = 77\nseverity = 1\ncategory = web\n"
	"[pattern dns]\nregex = x\n"
	"[record]\nrotate-bytes = 1M\nkeep = 0\npayload-bytes = 0\npayload-log = all\n"
	"[target san]\nportal = 192.0.2.1, [2001:db8::1]:860 san.example\n"
	"name = iqn.2026-01.org.example:disk1\nlun = 7\nchap-user = joe\n"
	"chap-secret-file = /etc/secret\n"
	"[guest shop]\nlink = web01\nboot = san\ntarget = san\n"
	"initiator = iqn.2026-01.org.example:shop\nhostname = shop.example\n"
	"[web]\nboot-listen = 192.0.2.1:80 [::]:8080\n";

static void every_key_is_read(void **state)
{
	static const uint8_t prefix[3] = { 0x52, 0x54, 0x00 };
	static const uint8_t mac[MAC_LEN] = { 0x52, 0x54, 0x00, 0xaa, 0xbb, 0xcc };
	struct config *c = load_good(whole);
	const struct set_conf *web = config_find_set(c, "web");
	const struct pattern_conf *http = &c->patterns[0];
	const struct target_conf *san = config_find_target(c, "san");
	const struct guest_conf *shop = config_find_guest(c, "shop");

	(void)state;
	assert_string_equal(c->agent.run_dir, "/tmp/run");
	assert_string_equal(c->agent.log_dir, "/tmp/log");
	assert_int_equal(c->agent.link_group, 9);
	assert_string_equal(c->agent.user_capture, "901");
	assert_string_equal(c->agent.user_web, "web_1");
	assert_int_equal(c->agent.ring_memory, 2 << 20);
	assert_string_equal(web->keys.lower, "eth0");
	assert_int_equal(web->keys.kind, LINK_KIND_MACVLAN);
	assert_int_equal(web->keys.mode, LINK_MODE_VEPA);
	assert_int_equal(web->count, 2);
	assert_string_equal(web->name, "web%02d");
	assert_int_equal(web->keys.mtu, 1400);
	assert_int_equal(web->keys.txqueuelen, 9);
	assert_int_equal(web->keys.bcqueuelen, 8);
	assert_true(web->keys.bccutoff.set);
	assert_int_equal(web->keys.bccutoff.value, LINK_CUTOFF_OFF);
	assert_int_equal(c->links[3].keys.flags, 1u << LINK_FLAG_NOPROMISC);
	assert_int_equal(c->links[4].keys.sources.n, 2);
	assert_int_equal(c->links[2].altnames.n, 2);
	assert_string_equal(c->links[2].altnames.v[0], "Shop:1");
	assert_memory_equal(c->links[4].keys.sources.macs[1], "\x52\x54\0\0\0\2", MAC_LEN);
	assert_int_equal(web->keys.monitor, MONITOR_OFF);
	assert_int_equal(web->keys.patterns.n, 2);
	assert_string_equal(web->keys.patterns.v[1], "dns");
	assert_false(web->keys.up);
	assert_int_equal(config_find_set(c, "db")->keys.queues, 3);
	assert_string_equal(config_find_set(c, "db")->keys.owner, "joe:kvm");
	assert_int_equal(config_find_set(c, "db")->keys.perms, 0640);
	assert_true(web->has_mac_prefix);
	assert_memory_equal(web->mac_prefix, prefix, 3);
	assert_int_equal(c->n_links, 5);
	assert_memory_equal(c->links[0].mac, mac, MAC_LEN);
	assert_string_equal(http->head.name, "http");
	assert_string_equal(http->regex, "GET (\\S+); x");
	assert_string_equal(http->preceded_by, "^");
	assert_string_equal(http->followed_by, "$");
	assert_int_equal(http->groups.n, 2);
	assert_string_equal(http->groups.v[1], "name_2");
	assert_true(http->caseless && http->multiline && http->dotall && http->utf);
	assert_int_equal(http->match_limit, 5);
	assert_int_equal(http->id, 77);
	assert_int_equal(http->severity, 1);
	assert_string_equal(http->category, "web");
	assert_int_equal(c->record.rotate_bytes, 1 << 20);
	assert_int_equal(c->record.keep, 0);
	assert_int_equal(c->record.payload_bytes, 0);
	assert_int_equal(c->record.payload_log, PAYLOAD_LOG_ALL);
	assert_int_equal(san->n_portals, 3);
	assert_int_equal(san->portals[0].port, 3260);
	assert_true(san->portals[1].ipv6);
	assert_int_equal(san->portals[1].port, 860);
	assert_true(san->portals[2].name);
	assert_string_equal(san->name, "iqn.2026-01.org.example:disk1");
	assert_int_equal(san->lun, 7);
	assert_string_equal(san->chap_user, "joe");
	assert_string_equal(san->chap_secret_file, "/etc/secret");
	assert_null(san->chap_secret);
	assert_string_equal(shop->link, "web01");
	assert_string_equal(shop->hostname, "shop.example");
	assert_int_equal(c->web.n_boot_listen, 2);
	assert_string_equal(c->web.boot_listen[1].host, "::");
	assert_null(config_find_set(c, "none"));
	config_free(c);
}

static void defaults_are_filled_in(void **state)
{
	struct config *c = load_good("[set web]\nlower = eth0\n[pattern p]\nregex = x\n"
				     "[target t]\nportal = a\nname = naa.0123456789abcdef\n");

	(void)state;
	assert_string_equal(c->agent.run_dir, "/run/tapwarden");
	assert_string_equal(c->agent.log_dir, "/var/log/tapwarden");
	assert_int_equal(c->agent.link_group, 7477);
	assert_string_equal(c->agent.user_capture, "_tapwarden-capture");
	assert_string_equal(c->agent.user_web, "_tapwarden-web");
	assert_int_equal(c->agent.ring_memory, 64 << 20);
	assert_int_equal(c->sets[0].keys.kind, LINK_KIND_MACVTAP);
	assert_int_equal(c->sets[0].keys.mode, LINK_MODE_BRIDGE);
	assert_int_equal(c->sets[0].keys.flags, 0);
	assert_int_equal(c->sets[0].keys.mtu, 0);
	assert_int_equal(c->sets[0].keys.txqueuelen, 0);
	assert_int_equal(c->sets[0].keys.bcqueuelen, 0);
	assert_false(c->sets[0].keys.bccutoff.set);
	assert_int_equal(c->sets[0].keys.queues, 1);
	assert_string_equal(c->sets[0].keys.owner, "0:0");
	assert_int_equal(c->sets[0].keys.perms, 0600);
	assert_int_equal(c->sets[0].keys.monitor, MONITOR_PASSIVE);
	assert_true(c->sets[0].keys.up);
	assert_true(config_wants_pattern(&c->sets[0].keys.patterns, "p"));
	assert_int_equal(c->sets[0].count, 0);
	assert_string_equal(c->sets[0].name, "web%d");
	assert_false(c->sets[0].has_mac_prefix);
	assert_null(c->patterns[0].preceded_by);
	assert_int_equal(c->patterns[0].groups.n, 0);
	assert_int_equal(c->patterns[0].match_limit, 100000);
	assert_int_equal(c->patterns[0].id, 0);
	assert_int_equal(c->patterns[0].severity, 3);
	assert_string_equal(c->patterns[0].category, "");
	assert_int_equal(c->record.rotate_bytes, 64 << 20);
	assert_int_equal(c->record.keep, 5);
	assert_int_equal(c->record.payload_bytes, 4096);
	assert_int_equal(c->record.payload_log, PAYLOAD_LOG_MATCHES);
	assert_int_equal(c->targets[0].lun, 0);
	assert_null(c->targets[0].chap_user);
	assert_int_equal(c->web.n_boot_listen, 0);
	config_free(c);
	config_free(load_good(""));
}

static void patterns_are_chosen_by_name(void **state)
{
	char *names[] = { (char *)"a", (char *)"b" }, *all[] = { (char *)"x", (char *)"all" };

	(void)state;
	assert_true(config_wants_pattern(&(struct strv){ names, 2 }, "b"));
	assert_false(config_wants_pattern(&(struct strv){ names, 2 }, "c"));
	assert_true(config_wants_pattern(&(struct strv){ all, 2 }, "c"));
	assert_false(config_wants_pattern(&(struct strv){ NULL, 0 }, "c"));
}

/* ---- links ----------------------------------------------------------------------------------- */

static void links_come_in_order(void **state)
{
	static const char *const names[] = { "web01", "web02", "extra", "alone", "picky", "solo" };
	struct config *c = load_good(whole);
	struct link_wish *wishes;
	struct err err;
	size_t n;

	(void)state;
	assert_int_equal(config_links(c, &wishes, &n, &err), 0);
	assert_int_equal(n, 6);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(wishes[i].name, names[i]);
	assert_null(wishes[0].link);
	assert_int_equal(wishes[0].keys->mode, LINK_MODE_VEPA);
	assert_int_equal(wishes[0].keys->patterns.n, 2);
	/* The section's own keys, and the set's for the others. */
	assert_ptr_equal(wishes[1].link, &c->links[0]);
	assert_int_equal(wishes[1].keys->mode, LINK_MODE_PRIVATE);
	assert_int_equal(wishes[1].keys->patterns.n, 0);
	assert_string_equal(wishes[1].keys->lower, "eth0");
	assert_int_equal(wishes[1].keys->mtu, 1400);
	assert_int_equal(wishes[1].mac[5], 0xcc);
	assert_string_equal(wishes[2].keys->lower, "eth2");
	assert_false(wishes[2].keys->up);
	assert_string_equal(wishes[3].set->head.name, "db");
	free(wishes);
	config_free(c);
}

static void a_host_link_is_the_last_of_its_set(void **state)
{
	struct config *c = load_good("[set web]\nlower = eth0\nmode = vepa\nmtu = 1400\ncount = 1\n"
				     "monitor = passive\nflags = \ntxqueuelen = 9\n"
				     "host-link = aaa\nhost-address = 192.0.2.1/24 2001:db8::1/64\n"
				     "[link zzz]\nset = web\n"
				     "[link aaa]\nset = web\nmac = 02:00:00:00:00:aa\nup = no\n");
	struct link_wish *wishes;
	struct err err;
	size_t n;

	(void)state;
	assert_int_equal(config_links(c, &wishes, &n, &err), 0);
	assert_int_equal(n, 3);
	assert_string_equal(wishes[1].name, "zzz");
	assert_false(wishes[1].is_host_link);
	assert_string_equal(wishes[2].name, "aaa");
	assert_true(wishes[2].is_host_link);
	assert_int_equal(wishes[2].keys->kind, LINK_KIND_MACVLAN);
	assert_int_equal(wishes[2].keys->mode, LINK_MODE_BRIDGE);
	assert_string_equal(wishes[2].keys->lower, "eth0");
	assert_int_equal(wishes[2].keys->mtu, 1400);
	assert_int_equal(wishes[2].keys->txqueuelen, 0);
	assert_int_equal(wishes[2].keys->monitor, MONITOR_OFF);
	assert_false(wishes[2].keys->up);
	assert_int_equal(wishes[2].mac[5], 0xaa);
	assert_int_equal(wishes[2].set->host_addrs.n, 2);
	free(wishes);
	config_free(c);
}

static void a_pinned_mac_is_written(void **state)
{
	static const struct config_pin pins[] = { { "web1", "web", { 2, 0, 0, 0, 0, 1 } },
						  { "web2", "web", { 2, 0, 0, 0, 0, 2 } } };
	struct config *c = load_good("[set web]\nlower = eth0\ncount = 2\n"
				     "[link web2]\nset = web\nmtu = 1400\n");
	struct link_wish *wishes;
	struct buf text;
	struct err err;
	size_t n;

	(void)state;
	assert_int_equal(config_pin_macs(c, pins, 2), 0);
	assert_int_equal(config_links(c, &wishes, &n, &err), 0);
	assert_int_equal(n, 2);
	assert_memory_equal(wishes[0].mac, pins[0].mac, MAC_LEN);
	assert_memory_equal(wishes[1].mac, pins[1].mac, MAC_LEN);
	free(wishes);
	buf_init(&text, 4096);
	assert_int_equal(config_write(c, CONFIG_FOR_WEB, &text, &err), 0);
	assert_string_equal(text.data,
			    "[set web]\ncount = \"2\"\nlower = \"eth0\"\n"
			    "[link web2]\nset = \"web\"\nmac = \"02:00:00:00:00:02\"\n"
			    "mtu = \"1400\"\n"
			    "[link web1]\nset = \"web\"\nmac = \"02:00:00:00:00:01\"\n[web]\n");
	buf_done(&text);
	config_free(c);
}

/* ---- copies ---------------------------------------------------------------------------------- */

static struct config *read_copy(const struct buf *text)
{
	struct faults faults = { 0 };
	struct config *config = NULL;
	int fd = memfd_create("copy", MFD_CLOEXEC);

	assert_int_equal(write(fd, text->data, text->len), text->len);
	assert_int_equal(config_load_fd(fd, &config, &faults), 0);
	assert_int_equal(faults.n, 0);
	close(fd);
	return config;
}

static struct config *copy_for(const struct config *config, enum config_role role)
{
	struct config *copy;
	struct buf text;
	struct err err;

	buf_init(&text, 1 << 16);
	assert_int_equal(config_write(config, role, &text, &err), 0);
	copy = read_copy(&text);
	buf_done(&text);
	return copy;
}

/* Every byte but NUL may be in a secret. */
static void secrets_reach_the_web_worker_alone(void **state)
{
	static const char secret[] = "a\"b'c;d#e\\\n\001\xff[x]=";
	struct config *c = load_good(whole);
	struct config *web, *agent;
	struct buf text;
	struct err err;

	(void)state;
	c->targets[0].chap_secret = strdup(secret);
	web = copy_for(c, CONFIG_FOR_WEB);
	assert_string_equal(web->targets[0].chap_secret, secret);
	agent = copy_for(c, CONFIG_FOR_AGENT);
	assert_null(agent->targets[0].chap_secret);
	buf_init(&text, 1 << 16);
	assert_int_equal(config_write(c, CONFIG_FOR_CAPTURE, &text, &err), 0);
	assert_null(strstr(text.data, "target"));
	assert_null(strstr(text.data, "guest"));
	assert_null(strstr(text.data, "[web]"));
	assert_null(strstr(text.data, "chap"));
	assert_null(strstr(text.data, "[agent]"));
	buf_done(&text);
	config_free(agent);
	config_free(web);
	config_free(c);
}

static void a_copy_holds_the_same(void **state)
{
	struct config *c = load_good(whole);
	struct config *capture = copy_for(c, CONFIG_FOR_CAPTURE);
	struct config *web = copy_for(c, CONFIG_FOR_WEB);

	(void)state;
	assert_int_equal(capture->n_sets, 2);
	assert_int_equal(capture->n_links, 5);
	assert_int_equal(capture->n_patterns, 2);
	assert_string_equal(capture->patterns[0].regex, c->patterns[0].regex);
	assert_string_equal(capture->sets[0].keys.patterns.v[0], "http");
	assert_int_equal(capture->links[0].keys.mode, LINK_MODE_PRIVATE);
	assert_memory_equal(capture->links[0].mac, c->links[0].mac, MAC_LEN);
	assert_int_equal(capture->record.payload_log, PAYLOAD_LOG_ALL);
	assert_int_equal(capture->n_guests, 0);
	assert_int_equal(web->n_patterns, 0);
	assert_int_equal(web->n_guests, 1);
	assert_string_equal(web->guests[0].hostname, "shop.example");
	assert_int_equal(web->targets[0].n_portals, 3);
	assert_int_equal(web->web.n_boot_listen, 2);
	assert_string_equal(web->agent.run_dir, "/run/tapwarden");
	config_free(web);
	config_free(capture);
	config_free(c);
}

static void a_worker_is_refused_a_faulty_copy(void **state)
{
	static const char text[] = "[set a]\nmode = x\n";
	struct faults faults = { 0 };
	struct config *config = NULL;
	int fd = memfd_create("copy", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(config_load_fd(fd, &config, &faults), -EINVAL);
	assert_null(config);
	assert_int_equal(faults.n, 2);
	faults_done(&faults);
	close(fd);
}

/* ---- faults ---------------------------------------------------------------------------------- */

#define SET	"[set a]\nlower = eth0\n"
#define TARGET	"[target t]\nportal = san\nname = iqn.2026-01.org.example:t\n"
#define PATTERN "[pattern p]\nregex = x\n"
#define GUEST	"target = t\ninitiator = iqn.2026-01.org.example:g\n"

static const struct {
	const char *text;
	const char *faults;
} faulty[] = {
	/* sections */
	{ "[sett web]\nlower = eth0\n",
	  "1: [sett web]: unknown section: did you mean [set web]?\n" },
	{ "[agnet]\n", "1: [agnet]: unknown section: did you mean [agent]?\n" },
	{ "[frobnicate]\n", "1: [frobnicate]: unknown section\n" },
	{ "[sets]\n", "1: [sets]: unknown section: did you mean [set NAME]?\n" },
	{ "[set]\nlower = eth0\n", "1: [set]: it needs a name: write [set NAME]\n" },
	{ "[agent x]\n", "1: [agent x]: there is one such section: write [agent]\n" },
	{ "[set .x]\nlower = eth0\n",
	  "1: [set .x]: \".x\": a name begins with a letter or digit\n" },
	{ "[pattern all]\nregex = x\n", "1: [pattern all]: \"all\" means all of them, not one\n" },
	{ SET "[set a]\nmode = x\nlower = eth0\n",
	  /* The second is read for its own faults, and is no other set. */
	  "3: [set a]: given twice: the first is in PATH:1\n"
	  "4: [set a] mode: unknown mode \"x\": it is one of vepa, bridge, private, passthru, source\n" },
	{ SET "count = 1\n[set a]\nlower = eth0\ncount = 1\n",
	  "4: [set a]: given twice: the first is in PATH:1\n" },
	{ "[record]\nkeep = 1\n[record]\nkeep = x\n",
	  "3: [record]: given twice: the first is in PATH:1\n"
	  "4: [record] keep: \"x\" is not a number\n" },
	/* keys */
	{ SET "mdoe = vepa\n", "3: [set a] mdoe: unknown key: did you mean \"mode\"?\n" },
	{ SET "severity = 1\n",
	  "3: [set a] severity: unknown key: it belongs into [pattern NAME]\n" },
	{ SET "frobnicate = 1\n", "3: [set a] frobnicate: unknown key\n" },
	{ TARGET "chap-secret = 00\n",
	  "4: [target t] chap-secret: unknown key: did you mean \"chap-secret-file\"?\n" },
	{ "[set a]\n",
	  "1: [set a] lower: is missing: the interface that the links stand on; an altname of it will do\n" },
	{ "[pattern p]\nregex = x\nbegin = a\n",
	  "3: [pattern p] begin: a range has two ends: end is missing\n" },
	{ "[pattern p]\nregex = x\nnest = flat\n",
	  "3: [pattern p] nest: there is no range: begin and end are missing\n" },
	{ SET "patterns = all\n[pattern p]\nregex = x\nbegin = a\nend = b\nnest = count\n",
	  "3: [set a] patterns: [pattern p] has nest, which is for lines: in the payloads of guests, "
	  "ranges are of bytes\n" },
	{ "[pattern p]\n",
	  "1: [pattern p] regex: is missing: a regular expression of pcre2pattern(3)\n" },
	{ "[link b]\n",
	  "1: [link b] set: is missing: the set that the link belongs to, and whose keys it takes\n" },
	/* A line that was refused may have been the one that is missing. */
	{ "[set a]\nlower = \"eth0\n", "2: [set a] lower: the closing quote \" is missing\n" },
	/* values */
	{ SET "mode = brigde\n",
	  "3: [set a] mode: unknown mode \"brigde\": did you mean \"bridge\"?\n" },
	{ SET "mode = x\n",
	  "3: [set a] mode: unknown mode \"x\": it is one of vepa, bridge, private, passthru, source\n" },
	{ SET "mode = Bridge\n",
	  "3: [set a] mode: unknown mode \"Bridge\": did you mean \"bridge\"?\n" },
	{ SET "kind =\n", "3: [set a] kind: unknown kind \"\": it is one of macvtap, macvlan\n" },
	{ SET "up = maybe\n", "3: [set a] up: \"maybe\" is neither yes nor no\n" },
	{ SET "mtu = 67\n", "3: [set a] mtu: 67 is out of range (68 to 65535)\n" },
	{ SET "mtu = 65536\n", "3: [set a] mtu: 65536 is out of range (68 to 65535)\n" },
	{ SET "mtu = -1\n", "3: [set a] mtu: \"-1\" is not a number\n" },
	{ SET "txqueuelen = 0\n", "3: [set a] txqueuelen: 0 is out of range (1 to 100000)\n" },
	{ SET "bcqueuelen = 0\n", "3: [set a] bcqueuelen: 0 is out of range (1 to 1000000)\n" },
	{ SET "bccutoff = -1\n", "3: [set a] bccutoff: \"-1\" is not a number\n" },
	{ SET "bccutoff = 2147483648\n",
	  "3: [set a] bccutoff: 2147483648 is out of range (0 to 2147483647)\n" },
	{ SET "mode = passthru\nflags = nopromisk\n",
	  "4: [set a] flags: unknown flags \"nopromisk\": did you mean \"nopromisc\"?\n" },
	{ SET "flags = nodst x\n",
	  "3: [set a] flags: unknown flags \"x\": it is one of nopromisc, nodst\n" },
	{ SET "mode = source\nsource-macs = 52:54:00:00:00:01 525400000001\n",
	  "4: [set a] source-macs: 525400000001 is given twice\n" },
	{ SET "mode = source\nsource-macs = 01:00:5e:00:00:01\n",
	  "4: [set a] source-macs: 01:00:5e:00:00:01 is not a unicast address: no frame comes from "
	  "it\n" },
	{ SET "mode = source\nsource-macs = x\n",
	  "4: [set a] source-macs: \"x\" is not a MAC address such as 52:54:00:12:34:56\n" },
	{ SET "count = 16385\n", "3: [set a] count: 16385 is out of range (0 to 16384)\n" },
	{ SET "count = 99999999999999999999\n",
	  "3: [set a] count: 99999999999999999999 is too large\n" },
	{ "[set a]\nlower = averylonginterface\n",
	  "2: [set a] lower: \"averylonginterface\" is 18 characters long; the kernel allows an "
	  "interface 15\n" },
	{ "[set a]\nlower = eth/0\n",
	  "2: [set a] lower: \"eth/0\" has a character that an interface name cannot have\n" },
	{ SET "name = web\n",
	  "3: [set a] name: \"web\" must have one number, as in \"web%d\" or \"web%02d\"\n" },
	{ SET "name = web%d%d\n",
	  "3: [set a] name: \"web%d%d\" must have one number, as in \"web%d\" or \"web%02d\"\n" },
	{ SET "name = web%s\n",
	  "3: [set a] name: \"web%s\" must have one number, as in \"web%d\" or \"web%02d\"\n" },
	{ SET "name = web%2d\n",
	  "3: [set a] name: \"web%2d\" must have one number, as in \"web%d\" or \"web%02d\"\n" },
	{ SET "name = web%00d\n",
	  "3: [set a] name: \"web%00d\" must have one number, as in \"web%d\" or \"web%02d\"\n" },
	{ SET "name = web%012d\n",
	  "3: [set a] name: \"web%012d\" must have one number, as in \"web%d\" or \"web%02d\"\n" },
	{ SET "name = Web%d\n",
	  "3: [set a] name: \"Web1\" could not be written as [link Web1]: a name is of a-z, 0-9, "
	  "'.', '_' and '-' and begins with a letter or digit\n" },
	{ SET "name = abcdefghijklmn%d\ncount = 10\n",
	  "3: [set a] name: \"abcdefghijklmn10\" is 16 characters long; the kernel allows an "
	  "interface 15\n" },
	{ "[set averylongname-x]\nlower = eth0\ncount = 1\n",
	  "1: [set averylongname-x] name: \"averylongname-x1\" is 16 characters long; the kernel "
	  "allows an interface 15\n" },
	{ SET "perms = 0888\n",
	  "3: [set a] perms: \"0888\" is not three octal digits, such as 660 for owner and group\n" },
	{ SET "perms = 4755\n",
	  "3: [set a] perms: \"4755\" is not three octal digits, such as 660 for owner and group\n" },
	{ SET "perms = 66\n",
	  "3: [set a] perms: \"66\" is not three octal digits, such as 660 for owner and group\n" },
	{ SET "owner = a:b:c\n", "3: [set a] owner: \"a:b:c\" is not USER or USER:GROUP\n" },
	{ SET "owner = :kvm\n", "3: [set a] owner: \":kvm\" is not USER or USER:GROUP\n" },
	{ SET "owner = a b\n", "3: [set a] owner: \"a b\" is not a user's name or number\n" },
	{ SET "queues = 257\n", "3: [set a] queues: 257 is out of range (1 to 256)\n" },
	{ SET "mac-prefix = 52:54\n",
	  "3: [set a] mac-prefix: \"52:54\" is not the first half of a MAC address, such as "
	  "52:54:00\n" },
	{ SET "mac-prefix = 53:54:00\n",
	  "3: [set a] mac-prefix: 53:54:00 begins a multicast address: a link cannot carry it\n" },
	{ SET "patterns = A\n",
	  "3: [set a] patterns: \"A\": a name is of a-z, 0-9, '.', '_' and '-'\n" },
	{ SET "[link b]\nset = a\nmac = 52:54:00:00:00\n",
	  "5: [link b] mac: \"52:54:00:00:00\" is not a MAC address such as 52:54:00:12:34:56\n" },
	{ SET "[link b]\nset = a\nmac = 01:00:5e:00:00:01\n",
	  "5: [link b] mac: 01:00:5e:00:00:01 is not a unicast address: a link cannot carry it\n" },
	{ SET "[link b]\nset = a\nmac = 00:00:00:00:00:00\n",
	  "5: [link b] mac: 00:00:00:00:00:00 is not a unicast address: a link cannot carry it\n" },
	{ "[agent]\nrun-dir = run\n",
	  "2: [agent] run-dir: \"run\" is not a path from the root, as /srv/x\n" },
	{ "[agent]\nlog-dir =\n",
	  "2: [agent] log-dir: \"\" is not a path from the root, as /srv/x\n" },
	{ "[agent]\nrun-dir = /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
	  "2: [agent] run-dir: 99 bytes are too long: at most 98\n" },
	{ "[agent]\nring-memory = 1K\n",
	  "2: [agent] ring-memory: 1K is out of range (1048576 to 17179869184 bytes)\n" },
	{ "[agent]\nring-memory = 64X\n",
	  "2: [agent] ring-memory: \"64X\" is not a size such as 64M\n" },
	{ "[agent]\nlink-group = 0\n",
	  "2: [agent] link-group: 0 is out of range (1 to 2147483647)\n" },
	{ "[agent]\nuser-web = -x\n",
	  "2: [agent] user-web: \"-x\" is not a user's name or number\n" },
	{ "[agent]\nuser-web = a/b\n",
	  "2: [agent] user-web: \"a/b\" is not a user's name or number\n" },
	{ "[pattern p]\nregex =\n", "2: [pattern p] regex: a regular expression is missing\n" },
	{ PATTERN "severity = 5\n", "3: [pattern p] severity: 5 is out of range (1 to 4)\n" },
	{ PATTERN "id = 0\n", "3: [pattern p] id: 0 is out of range (1 to 4294967295)\n" },
	{ PATTERN "match-limit = 0\n",
	  "3: [pattern p] match-limit: 0 is out of range (1 to 10000000)\n" },
	{ PATTERN "groups = 1 a-b\n",
	  "3: [pattern p] groups: \"a-b\" is not the name or number of a group\n" },
	{ PATTERN "groups = 65536\n",
	  "3: [pattern p] groups: 65536 is out of range (0 to 65535)\n" },
	{ PATTERN "groups = abcdefghijklmnopqrstuvwxyz1234567\n",
	  "3: [pattern p] groups: \"abcdefghijklmnopqrstuvwxyz1234567\": a group's name has at most "
	  "32 characters\n" },
	{ "[record]\npayload-bytes = 65537\n",
	  "2: [record] payload-bytes: 65537 is out of range (0 to 65536 bytes)\n" },
	{ "[record]\npayload-log = match\n",
	  "2: [record] payload-log: unknown payload-log \"match\": did you mean \"matches\"?\n" },
	{ "[target t]\nportal =\nname = iqn.2026-01.org.example:t\n",
	  "2: [target t] portal: a value is missing\n" },
	{ "[target t]\nportal = 192.0.2.300\nname = iqn.2026-01.org.example:t\n",
	  "2: [target t] portal: \"192.0.2.300\" is not an IPv4 address\n" },
	{ "[target t]\nportal = san\nname = IQN.2026-01.org.example:t\n",
	  "3: [target t] name: \"IQN.2026-01.org.example:t\": iSCSI names are lower case (RFC 3722 "
	  "folds them)\n" },
	{ TARGET "lun = 256\n", "4: [target t] lun: 256 is out of range (0 to 255)\n" },
	{ "[web]\nboot-listen = 192.0.2.1\n",
	  "2: [web] boot-listen: \"192.0.2.1\" names no port\n" },
	{ "[web]\nboot-listen = localhost:80\n",
	  "2: [web] boot-listen: \"localhost:80\" is a name: boot-listen takes addresses, as "
	  "192.0.2.1:8080\n" },
	{ "[web]\nboot-listen = 192.0.2.1:80000\n",
	  "2: [web] boot-listen: port of \"192.0.2.1:80000\": 80000 is out of range (1 to 65535)\n" },
	/* references */
	{ SET "patterns = httq\n[pattern http]\nregex = x\n",
	  "3: [set a] patterns: there is no [pattern httq]: did you mean \"http\"?\n" },
	{ SET "[link b]\nset = web\n", "4: [link b] set: there is no [set web]\n" },
	{ SET "count = 1\n[guest g]\nlink = a1\n" GUEST,
	  "6: [guest g] target: there is no [target t]\n" },
	{ SET "count = 2\n" TARGET "[guest g]\nlink = a3\n" GUEST,
	  "8: [guest g] link: no set and no section makes a link \"a3\": did you mean \"a1\"?\n" },
	{ TARGET "[guest g]\nlink = nowhere\n" GUEST,
	  "5: [guest g] link: no set and no section makes a link \"nowhere\"\n" },
	/* The link is there, only its set is not. */
	{ "[link b]\nset = web\n" TARGET "[guest g]\nlink = b\n" GUEST,
	  "2: [link b] set: there is no [set web]\n" },
	/* between sections */
	{ TARGET "chap-user = joe\n",
	  "4: [target t] chap-user: chap-secret-file is missing beside it\n" },
	{ TARGET "reverse-user = joe\n",
	  "4: [target t] reverse-user: chap-user is missing beside it\n"
	  "4: [target t] reverse-user: reverse-secret-file is missing beside it\n" },
	{ TARGET
	  "chap-user = a\nchap-secret-file = /x\nreverse-user = b\nreverse-secret-file = /x\n",
	  "7: [target t] reverse-secret-file: the secrets of the two directions must differ\n" },
	{ "[target t]\nportal = san san:3260\nname = iqn.2026-01.org.example:t\n",
	  "2: [target t] portal: san port 3260 is given twice\n" },
	{ "[target t]\nportal = a b c d e f g h i\nname = iqn.2026-01.org.example:t\n",
	  "2: [target t] portal: 9 are given: 8 are the most\n" },
	{ SET "count = 1\n[guest g]\nlink = a1\nboot = san\n",
	  "6: [guest g] boot: initiator is missing for boot = san\n"
	  "6: [guest g] boot: target is missing for boot = san, whose root is a LUN: disk has "
	  "none\n" },
	{ SET "count = 1\n[guest g]\nlink = a1\nboot = local\n",
	  "6: [guest g] boot: initiator is missing for boot = local\n"
	  "6: [guest g] boot: target is missing for boot = local, whose root is a LUN: disk has "
	  "none\n" },
	{ SET "count = 1\n" TARGET "[guest g]\nlink = a1\nboot = kernel\nkernel = /k\n" GUEST,
	  "9: [guest g] boot: initrd is missing for boot = kernel\n" },
	{ SET "count = 1\n" TARGET "[guest g]\nlink = a1\nkernel = /k\n" GUEST,
	  "9: [guest g] kernel: boot = san has no use for it\n" },
	{ SET "count = 1\n" TARGET "[guest g]\nlink = a1\nboot = disk\n" GUEST,
	  "10: [guest g] target: boot = disk has no use for it\n"
	  "11: [guest g] initiator: boot = disk has no use for it\n" },
	{ SET "count = 1\n" TARGET "[guest g]\nlink = a1\ngateway = 192.0.2.1\n" GUEST,
	  "9: [guest g] gateway: DHCP gives it: address is dhcp\n" },
	{ SET "count = 1\n" TARGET
	      "[guest g]\nlink = a1\naddress = 2001:db8::2/64\ngateway = 192.0.2.1\n" GUEST,
	  "9: [guest g] address: an initrd gives itself an IPv4 address alone\n"
	  "10: [guest g] gateway: not of the family of address\n" },
	{ SET "count = 1\n" TARGET
	      "[guest g]\nlink = a1\nboot = kernel\nkernel = https://h/k\ninitrd = /i\n" GUEST,
	  "10: [guest g] kernel: Debian's iPXE has no https: ipxe-caps = https says that the guest's "
	  "has\n" },
	{ SET "count = 1\n" TARGET "[guest g]\nlink = a1\nmenu = run install\n"
	      "install-kernel = /k\n" GUEST,
	  "9: [guest g] menu: install-kernel or install-initrd is missing for install\n" },
	{ SET "count = 1\n" TARGET "[guest g]\nlink = a1\nmenu = once\n" GUEST,
	  "9: [guest g] menu: unknown menu \"once\": it is one of run, install, rescue, local\n" },
	{ SET "count = 1\n" TARGET "[guest g]\nlink = a1\nmenu = none\n" GUEST, "" },
	{ SET "count = 1\n" TARGET "[guest g]\nlink = a1\nmenu = run none\n" GUEST,
	  "9: [guest g] menu: unknown menu \"none\": it is one of run, install, rescue, local\n" },
	{ SET "count = 1\n" TARGET "[guest g]\nlink = a1\nmenu = run local run\n" GUEST,
	  "9: [guest g] menu: run is given twice\n" },
	{ SET "count = 1\n" TARGET "[guest g]\nlink = a1\nmenu-timeout = 5\n" GUEST,
	  "9: [guest g] menu-timeout: there is no menu\n" },
	{ TARGET "chap-secret-file = /x\n",
	  "4: [target t] chap-secret-file: chap-user is missing beside it\n" },
	{ PATTERN "id = 7\n[pattern q]\nregex = x\nid = 7\n",
	  "6: [pattern q] id: 7 is [pattern p]'s\n" },
	{ "[link averylongname-xy]\nset = a\n" SET,
	  "1: [link averylongname-xy]: \"averylongname-xy\" is 16 characters long; the kernel allows "
	  "an interface 15\n" },
	{ SET "count = 2\nname = w%d\n[set b]\nlower = eth0\ncount = 3\nname = w%d\n",
	  "8: [set b] name: link \"w1\" is made by [set a] too\n" },
	{ SET "count = 1\nname = b1\n", "4: [set a] name: \"b1\" must have one number, as in "
					"\"web%d\" or \"web%02d\"\n" },
	{ SET "count = 1\n[set b]\nlower = eth0\n[link a1]\nset = b\n",
	  "7: [link a1] set: [set a] makes a link of this name too\n" },
	{ SET "[set b]\nlower = eth0\ncount = 1\n[link b1]\nset = a\n",
	  "7: [link b1] set: [set b] makes a link of this name too\n" },
	{ SET "[link b]\nset = a\nmac = 52:54:00:00:00:01\n[link c]\nset = a\nmac = 525400000001\n",
	  "8: [link c] mac: 52:54:00:00:00:01 is the address of link \"b\" too\n" },
	{ SET "count = 2\nmode = passthru\n",
	  "4: [set a] mode: passthru takes \"eth0\" for one link alone, and both \"a1\" and \"a2\" "
	  "are on it\n" },
	{ SET "count = 1\n[set b]\nlower = eth0\ncount = 1\nmode = passthru\n",
	  "7: [set b] mode: passthru takes \"eth0\" for one link alone, and both \"b1\" and \"a1\" "
	  "are on it\n" },
	{ SET "count = 1\n[link x]\nset = a\nmode = passthru\n",
	  "6: [link x] mode: passthru takes \"eth0\" for one link alone, and both \"x\" and \"a1\" "
	  "are on it\n" },
	{ SET "mode = passthru\nflags = nopromisc, nopromisc\n",
	  "4: [set a] flags: nopromisc is given twice\n" },
	{ SET "count = 2\nflags = nopromisc\n",
	  "4: [set a] flags: nopromisc is for mode passthru, and link \"a1\" has mode bridge\n" },
	{ SET "mode = source\nsource-macs =\n[link b]\nset = a\nflags = nodst nopromisc\n",
	  "7: [link b] flags: nopromisc is for mode passthru, and link \"b\" has mode source\n" },
	{ SET "mode = source\nflags = nodst\nsource-macs =\n[link b]\nset = a\nmode = vepa\n",
	  "4: [set a] flags: nodst is for mode source, and link \"b\" has mode vepa\n" },
	{ SET "mode = source\ncount = 2\n",
	  "3: [set a] mode: source-macs is missing beside it: link \"a1\" would get nothing\n" },
	{ SET "source-macs = 52:54:00:00:00:01\ncount = 2\n",
	  "3: [set a] source-macs: it is for mode source, and link \"a1\" has mode bridge\n" },
	{ SET "mode = source\nsource-macs =\n[link b]\nset = a\nmode = vepa\n"
	      "source-macs = 52:54:00:00:00:01\n",
	  "8: [link b] source-macs: it is for mode source, and link \"b\" has mode vepa\n" },
	{ SET "[link b]\nset = a\nnetns = box\n[link c]\nset = a\nmaster = br0\n",
	  "5: [link b] netns: it is for macvlan links: the tap of a macvtap is opened here\n"
	  "8: [link c] master: it is for macvlan links: the tap of a macvtap is in the place that a "
	  "bridge needs\n" },
	{ SET "[link b]\nset = a\nkind = macvlan\nnetns = ../x\n",
	  "6: [link b] netns: \"../x\" is not the name of a network namespace in /run/netns, nor a "
	  "pid\n" },
	{ SET "[link b]\nset = a\nkind = macvlan\nnetns = 0\n",
	  "6: [link b] netns: \"0\" is no pid\n" },
	{ SET "[link b]\nset = a\nkind = macvlan\nnetns = x\nmaster = br0\n",
	  "7: [link b] master: the link is in another network namespace than its bridge\n" },
	{ SET "host-link = h\n[link h]\nset = a\nmaster = br0\n",
	  "6: [link h] master: it is the host-link of [set a], and the host's own\n" },
	{ SET "hairpin = on\n[set b]\nlower = eth0\nhairpin = off\ncount = 1\n[link c]\nset = a\n",
	  "6: [set b] hairpin: [set a] wants another on the same lower \"eth0\"\n" },
	{ SET "host-address = 192.0.2.1/24\n",
	  "3: [set a] host-address: host-link is missing beside it\n" },
	{ SET "host-link = h\nhost-address = 192.0.2.1\n",
	  "4: [set a] host-address: \"192.0.2.1\" is not an address with its prefix, such as "
	  "192.0.2.1/24\n" },
	{ SET "host-link = h\nhost-address = 192.0.2.1/24 192.0.2.1/24\n",
	  "4: [set a] host-address: 192.0.2.1/24 is given twice\n" },
	{ SET "host-link = h\n[link h]\nset = a\nkind = macvtap\nmode = vepa\n",
	  "6: [link h] kind: it is the host-link of [set a], which is always a macvlan of mode "
	  "bridge\n"
	  "7: [link h] mode: it is the host-link of [set a], which is always a macvlan of mode "
	  "bridge\n" },
	{ SET "count = 1\nhost-link = a1\n",
	  "4: [set a] host-link: link \"a1\" is made by [set a] too\n" },
	{ SET "count = 1\nmode = passthru\nhost-link = h\n",
	  "4: [set a] mode: passthru takes \"eth0\" for one link alone, and both \"a1\" and \"h\" "
	  "are on it\n" },
	{ SET "[link b]\nset = a\naltnames = a b2 c3 d4 e5\n",
	  "5: [link b] altnames: 5 names are too many: at most 4\n" },
	{ SET "[link b]\nset = a\naltnames = a/b\n",
	  "5: [link b] altnames: \"a/b\" has a character that an altname cannot have\n" },
	{ SET "[link b]\nset = a\naltnames = x b\n",
	  "5: [link b] altnames: \"b\" is said twice, or the name of the link itself\n" },
	{ SET "[link b]\nset = a\naltnames = x x\n",
	  "5: [link b] altnames: \"x\" is said twice, or the name of the link itself\n" },
	{ SET "count = 1\n[link b]\nset = a\naltnames = x a1\n",
	  "6: [link b] altnames: link \"a1\" has the name \"a1\" already\n" },
	{ SET "[link b]\nset = a\naltnames = x\n[link c]\nset = a\naltnames = y x\n",
	  "8: [link c] altnames: link \"b\" has the name \"x\" already\n" },
	{ SET "altnames = x\n", "3: [set a] altnames: unknown key: it belongs into [link NAME]\n" },
	{ SET "bccutoff = 5\ncount = 2\n[set b]\nlower = eth0\ncount = 2\nbccutoff = off\n",
	  "8: [set b] bccutoff: \"eth0\" has one for all its links, and link \"b1\" wants another "
	  "than \"a1\"\n" },
	{ SET "count = 1\n[set b]\nlower = a1\ncount = 2\n",
	  "5: [set b] lower: \"a1\" is a link of this configuration, and links do not stack\n" },
	{ SET "count = 1\n" TARGET "[guest g]\nlink = a1\n" GUEST "[guest h]\nlink = a1\n" GUEST,
	  "12: [guest h] link: [guest g] is on link \"a1\" already\n" },
	{ SET "count = 16300\n[set b]\nlower = eth0\ncount = 85\n",
	  "6: [set b] count: 16385 links with the sets before: at most 16384 are possible\n" },
	{ "[record]\nquota-bytes = 1M\nafter = 2\n",
	  "2: [record] quota-bytes: 1048576 bytes are no bound: one file may have 67108864 "
	  "(rotate-bytes)\n"
	  "3: [record] after: it is for pcap = matches\n" },
	{ "[record]\npcap = all\nbefore = 2\n", "3: [record] before: it is for pcap = matches\n" },
	{ SET "count = 16384\n[link b]\nset = a\n",
	  "4: [link b]: more than 16384 links: nobody could count their frames\n" },
	/* many at once, in the order of the file */
	{ "[set a]\nmode = x\nmtu = 1\nfoo = 1\n[gest g]\n",
	  "1: [set a] lower: is missing: the interface that the links stand on; an altname of it will do\n"
	  "2: [set a] mode: unknown mode \"x\": it is one of vepa, bridge, private, passthru, source\n"
	  "3: [set a] mtu: 1 is out of range (68 to 65535)\n"
	  "4: [set a] foo: unknown key\n"
	  "5: [gest g]: unknown section: did you mean [guest g]?\n" },
};

/* A path that is made anew in every run stands as PATH in the table. */
static void put_path(const char *text, char *out, size_t size)
{
	const char *at = strstr(text, "PATH:");

	if (at)
		snprintf(out, size, "%.*s%s%s", (int)(at - text), text, path, at + 4);
	else
		snprintf(out, size, "%s", text);
}

static void faults_are_told(void **state)
{
	char expected[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(faulty) / sizeof(faulty[0]); i++) {
		put_path(faulty[i].faults, expected, sizeof(expected));
		expect_faults(faulty[i].text, expected);
	}
}

static void what_only_looks_wrong_is_good(void **state)
{
	static const char *const texts[] = {
		SET, /* without a link */
		SET "count = 1\nmode = passthru\n[set b]\nlower = eth1\ncount = 1\n",
		SET "count = 1\n[link a1]\nset = a\nmac = auto\n[link b]\nset = a\nmac = auto\n",
		SET "patterns = all\n",
		SET "flags =\nbccutoff = keep\n",
		SET "mode = passthru\nflags = nopromisc\n[link b]\nset = a\n",
		SET "count = 2\n[link a1]\nset = a\nbccutoff = 0\n[set b]\nlower = eth1\n"
		    "[link c]\nset = b\nbccutoff = off\n",
		SET "patterns =\n",
		SET "name = %d-x\ncount = 1\n",
		SET "count = 4096\n[link a7]\nset = a\n",
		"[agent]\n[record]\n[web]\n",
		"[record]\nrotate-bytes = 1M\nquota-bytes = 1M\npcap = matches\nbefore = 2\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		config_free(load_good(texts[i]));
}

static void too_many_sources_are_told(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 12);
	buf_addf(&text, SET "mode = source\ncount = 1\nsource-macs =");
	for (unsigned int i = 0; i < LINK_SOURCES_MAX; i++)
		buf_addf(&text, " 5254000000%02x", i);
	config_free(load_good(text.data));
	buf_adds(&text, " 525400000100");
	expect_faults(text.data, "5: [set a] source-macs: 65 addresses are too many: at most 64\n");
	buf_done(&text);
}

static void too_many_patterns_are_told(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	for (unsigned int i = 0; i <= STATS_PATTERNS_MAX; i++)
		buf_addf(&text, "[pattern p%u]\nregex = x\n", i);
	expect_faults(text.data, "2049: [pattern p1024]: more than 1024 patterns\n");
	buf_done(&text);
}

/* ---- the tables ------------------------------------------------------------------------------ */

static void check_keys(const struct schema_section *section, const struct schema_keys *keys,
		       const char *document)
{
	for (size_t i = 0; i < keys->n; i++) {
		const struct schema_key *key = &keys->keys[i];
		char entry[64];

		snprintf(entry, sizeof(entry), "    %s = ", key->name);
		assert_true(key->internal || strstr(document, entry));
		assert_true(strlen(key->help) > 4);
		/* Whoever reads a copy has all files in one. */
		assert_true(key->roles || key->type == SCHEMA_GLOBS);
		assert_false(key->required && key->def);
		assert_true(keys->offset + key->offset + schema_type_size(key->type) <=
			    section->size);
		assert_true(key->type != SCHEMA_ENUM || key->bounds.n_words > 0);
		for (size_t w = 0; w < key->bounds.n_words; w++)
			assert_non_null(key->bounds.words[w]);
	}
}

static void tables_are_sound(void **state)
{
	struct buf document;

	(void)state;
	buf_init(&document, 1 << 20);
	schema_document(&document);
	assert_false(document.failed);
	for (size_t i = 0; i < config_schema.n_sections; i++) {
		const struct schema_section *s = config_schema.sections[i];

		assert_true(s->own.n + s->shared.n <= 64);
		check_keys(s, &s->own, document.data);
		check_keys(s, &s->shared, document.data);
	}
	assert_non_null(strstr(document.data, "\n[set NAME]\n"));
	assert_non_null(strstr(document.data,
			       "mode = vepa|bridge|private|passthru|source; default: bridge"));
	assert_non_null(strstr(document.data, "ring-memory = SIZE, 1M to 16G; default: 64M"));
	assert_non_null(strstr(document.data, "regex = REGEX; required"));
	assert_null(strstr(document.data, "chap-secret ="));
	assert_non_null(strstr(document.data, "    max-bytes = SIZE; default: no limit\n"));
	buf_done(&document);
}

/* Names are numbered as printf(3) does. */
static void numbers_in_names(void **state)
{
	static const uint32_t numbers[] = { 0, 1, 9, 10, 99, 4711, 65535, 1000000, UINT32_MAX };

	(void)state;
	for (unsigned int width = 0; width < 10; width++) {
		char name_template[16] = "w%dx", expected[32], name[IFNAME_SIZE] = "untouched";

		if (width)
			snprintf(name_template, sizeof(name_template), "w%%0%udx", width);
		for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
			snprintf(expected, sizeof(expected), "w%0*ux", (int)width, numbers[i]);
			assert_int_equal(
				name_template_format(name_template, numbers[i], name, NULL), 0);
			assert_string_equal(name, expected);
		}
	}
	assert_int_equal(name_template_format("a-name-too-%dlong", 1, (char[IFNAME_SIZE]){ "" },
					      NULL),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_in_names),
		cmocka_unit_test(every_key_is_read),
		cmocka_unit_test(defaults_are_filled_in),
		cmocka_unit_test(patterns_are_chosen_by_name),
		cmocka_unit_test(links_come_in_order),
		cmocka_unit_test(a_host_link_is_the_last_of_its_set),
		cmocka_unit_test(a_pinned_mac_is_written),
		cmocka_unit_test(secrets_reach_the_web_worker_alone),
		cmocka_unit_test(a_copy_holds_the_same),
		cmocka_unit_test(a_worker_is_refused_a_faulty_copy),
		cmocka_unit_test(faults_are_told),
		cmocka_unit_test(what_only_looks_wrong_is_good),
		cmocka_unit_test(too_many_sources_are_told),
		cmocka_unit_test(too_many_patterns_are_told),
		cmocka_unit_test(tables_are_sound),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_file, remove_file);
}
