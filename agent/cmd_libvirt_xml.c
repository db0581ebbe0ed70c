/*
 * tapwarden libvirt-xml: a link's place in a domain of libvirt, and whether a domain has it right.
 */
#include "agent/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "agent/guest_link.h"
#include "agent/libvirt_xml.h"
#include "agent/lock.h"
#include "netlink/tap_node.h"

#define XML_MAX 4096

/* QEMU opens no more (MAX_TAP_QUEUES). */
#define QUEUES_MAX 256

struct libvirt_options {
	const char *config, *link;
	const char *mac; /* of a domain that is to be checked; NULL: none is */
	uint64_t queues;
};

static int read_options(int argc, char **argv, struct libvirt_options *ret)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "check", required_argument, NULL, 'm' },
		{ "queues", required_argument, NULL, 'q' },
		{ 0 },
	};
	struct libvirt_options options = { .config = CONFIG_DEFAULT_PATH };
	int c;

	while ((c = getopt_long(argc, argv, ":c:", longs, NULL)) != -1) {
		if (c == 'c')
			options.config = optarg;
		else if (c == 'm')
			options.mac = optarg;
		else if (c != 'q' || parse_u64(optarg, 0, QUEUES_MAX, &options.queues, NULL))
			return cli_usage_option(argv, c);
	}
	if (options.queues && !options.mac)
		return cli_usage_word(argv[0], "--queues", "goes with --check");
	if (argc - optind != 1)
		return cli_usage(argv[0], argc - optind > 1 ? argv[optind + 1] : NULL);
	options.link = argv[optind];
	*ret = options;
	return 0;
}

/*
 * libvirt opens /dev/tapN by the ifindex: of another namespace's link of the same number it makes a
 * guest of that one, and without a node it makes a plain tap.
 */
static int check_node(const struct guest_link *link, struct err *err)
{
	struct tap_node node;
	dev_t dev;
	int code = tap_node_dev(link->name, link->ifindex, &dev, err);

	if (code)
		return code;
	tap_node_look(link->ifindex, dev, &node);
	if (node.state == TAP_NODE_OURS)
		return 0;
	return err_set(err, -ENXIO, "/dev/tap%u is %s", link->ifindex,
		       node.state == TAP_NODE_ABSENT
			       ? "not there: libvirt would make a tap of its own"
			       : "not this link's: libvirt would open that");
}

static int check_free(const struct guest_link *link, pid_t agent, struct err *err)
{
	struct tap_holder holder;
	int code = guest_link_holder(link->name, link->ifindex, agent, &holder, err);

	if (code == 0 && holder.pid)
		code = err_set(err, -EBUSY,
			       "%s (pid %d) holds its tap: two guests would share its frames",
			       holder.comm, (int)holder.pid);
	return code;
}

static int check(const struct libvirt_options *options, const struct libvirt_nic *nic,
		 const struct guest_link *link, pid_t agent, struct err *err)
{
	int code = libvirt_check(nic, options->mac, options->queues, err);

	if (code == 0)
		code = check_node(link, err);
	if (code == 0)
		code = check_free(link, agent, err);
	return code;
}

static int print(const struct libvirt_nic *nic, struct err *err)
{
	struct buf out;
	int code;

	buf_init(&out, XML_MAX);
	code = libvirt_xml(nic, &out, err);
	if (code == 0)
		fputs(out.data, stdout);
	buf_done(&out);
	return code;
}

/* Who has the frames of the tap is the agent, or the guest. */
static int judge_monitor(const struct link_keys *keys, struct err *err)
{
	if (keys->monitor == MONITOR_INLINE)
		return err_set(err, -EINVAL,
			       "it is inline: its guest is at a socket, which libvirt cannot give "
			       "to QEMU: tapwarden qemu can");
	if (keys->monitor == MONITOR_TAP)
		return err_set(err, -EINVAL, "the agent reads its tap itself (monitor = tap)");
	return 0;
}

static int run(const struct libvirt_options *options, const struct guest_link_query *query,
	       struct err *err)
{
	const pid_t agent = agent_lock_pid(query->config->agent.run_dir);
	struct libvirt_nic nic;
	struct guest_link link;
	struct link_keys keys;
	int code = guest_link_keys(query, &keys, err);

	/* Another's link is no business of ours. */
	if (code == -ENOENT && options->mac)
		return 0;
	if (code == 0)
		code = judge_monitor(&keys, err);
	if (code == 0)
		code = guest_link_find(query, &keys, &link, err);
	if (code)
		return code;
	nic = (struct libvirt_nic){ .link = link.name, .queues = link.queues };
	memcpy(nic.mac, link.mac, MAC_LEN);
	return options->mac ? check(options, &nic, &link, agent, err) : print(&nic, err);
}

int cmd_libvirt_xml(int argc, char **argv)
{
	struct guest_link_query query = { .config = NULL };
	struct libvirt_options options = { .link = "" };
	struct config *config = NULL;
	struct err err;
	int code;

	if (read_options(argc, argv, &options) != 0)
		return CLI_BAD;
	if (cli_config(options.config, &config) != 0)
		return CLI_BAD;
	query.config = config;
	query.path = options.config;
	query.name = options.link;
	code = run(&options, &query, &err);
	config_free(config);
	if (code) {
		err_prefix(&err, code,
			   options.mac ? "this guest cannot be on %s"
				       : "no guest of libvirt can be on %s",
			   options.link);
		code = cli_fail(&err, NULL);
		return options.mac ? CLI_NO : code;
	}
	return cli_flush(CLI_DONE);
}
