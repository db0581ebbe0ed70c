#include "agent/cli.h"

#include <string.h>

#include "agent/boot_verbs.h"

static const struct cli_verb verbs[] = {
	{ "run", cmd_run, "[-c FILE] [-v]",
	  "supervise links, watch guests and serve boot scripts, in the foreground",
	  "SIGHUP reads the configuration again; a file with faults changes nothing.\n"
	  "SIGTERM ends the agent and leaves every link as it is, for the guests.\n"
	  "-v logs more, as why a guest was given no script." },
	{ "check", cmd_check, "[-c FILE]", "every fault of the configuration at once, by line",
	  "A fault is FILE:LINE: [section] key: what is wrong, on stderr. So is what is no\n"
	  "fault and still worth a look, below \"no faults\". Exits 2 when there is a fault.\n"
	  "A copy of FILE in another folder, as `validate: tapwarden check -c %s` of\n"
	  "Ansible makes one, finds what it includes when the globs are absolute." },
	{ "plan", cmd_plan, "[-c FILE] [--json]", "what apply would change, and why",
	  "  +    is made                     ~  is changed, under a guest that runs\n"
	  "  -/+  is removed and made anew    !  is blocked, and by what\n"
	  "  -    is removed\n"
	  "Exits 0 when nothing is to be done, 1 when changes are pending." },
	{ "apply", cmd_apply, "[-c FILE] [--json] [--force]",
	  "make the links what the configuration says, once, without an agent",
	  "--force replaces a link even while a process holds its tap." },
	{ "down", cmd_down, "[-c FILE] [--force]",
	  "remove the links that this configuration owns, and only those",
	  "--force removes a link even while a process holds its tap." },
	{ "status", cmd_status, "[-c FILE] [--json] [--wide]",
	  "sets, links, their state, who holds the taps, frames and bytes",
	  "TAP is MAJOR:MINOR where /dev/tapN is not there, or is that of a link in\n"
	  "another network namespace. HELD BY is the program that has it open, behind\n"
	  "the name that a word -name of its gives the VM. \"!\" behind one of ADDRESSES:\n"
	  "another guest claims it too. `tapwarden help filters` tells of FILTERED, and\n"
	  "`tapwarden help counters` of the other numbers.\n"
	  "\n"
	  "On a terminal, columns without room are left out; --wide prints them all." },
	{ "reach", cmd_reach, "[-c FILE] [--json] [--probe [--all]]",
	  "who can talk to whom, per lower device and mode",
	  "Of the configuration once it is applied, with what others have on the same\n"
	  "lower devices in this network namespace. \"reflected\" and \"if reflected\" take a\n"
	  "switch that sends a frame back to where it came from: one with VEPA, or a\n"
	  "bridge port with hairpin on. \"filtered\" is what the filters of the links let\n"
	  "only some of through.\n"
	  "\n"
	  "--probe proves it with frames between links that are up, one pair for each row,\n"
	  "with --all every pair: each 96 bytes, of the experimental ethertype 0x88b5,\n"
	  "which guests and hosts ignore. Where a filter looks into frames, one of 0x88b6,\n"
	  "ARP or IP is sent beside it, such as it treats otherwise, and such as nobody\n"
	  "answers; with anti-spoof one of a false MAC to the wire. No guest's tap is\n"
	  "opened: what the filter to a guest drops is not seen while a program reads its\n"
	  "tap, and the row says so. What comes from outside is written to a tap of its\n"
	  "own, tw-wireN, whose frames the lower device receives as if the wire had\n"
	  "brought them; it goes with the process. Exits 1 when an answer differs." },
	{ "qemu", cmd_qemu, "LINK [-c FILE] [--print] -- CMD...",
	  "run a guest with the queues of a link's tap open",
	  "CMD is run in place of tapwarden, with these replaced in its words:\n"
	  "  {netdev}    tap,id=LINK,fds=3:4,vhost=on,vhostfds=5:6\n"
	  "              where monitor = inline: stream,id=LINK,server=on,addr.type=unix,\n"
	  "              addr.path=RUN-DIR/guests/LINK/qemu.sock\n"
	  "  {device}    virtio-net-pci,netdev=LINK,mac=...,mq=on,vectors=6\n"
	  "  {fds} {vhostfds} {mac} {queues} {link}    their parts\n"
	  "One of {netdev} and {fds} must be there. Another {WORD} of letters is refused;\n"
	  "other braces, as in JSON, and ${WORD} stay as they are. The link's `queues`\n"
	  "says how many are opened; vhost is used where /dev/vhost-net can be opened.\n"
	  "Refused while a process holds the tap.\n"
	  "--print shows the command as it would be run, and opens no tap.\n"
	  "\n"
	  "  tapwarden qemu web01 -- qemu-system-x86_64 -m 1G -netdev {netdev} -device {device} ..." },
	{ "watch", cmd_watch, "[-c FILE] [--json] [-n COUNT] [NAME...]",
	  "records and events as they come",
	  "With NAMEs, of links, sets, patterns or logs, what is of one of them, and gaps.\n"
	  "When the agent reads its configuration again, or a worker dies, watch goes on\n"
	  "where it was, and tells what it missed. -n, --count COUNT ends after COUNT\n"
	  "records." },
	{ "extract", cmd_extract,
	  "-e REGEX | -c FILE --pattern NAME [OPTIONS] [FILE... | --live IFACE]",
	  "what patterns find in texts and captures: matches, groups, where they are",
	  "A match is printed a line. Each line of the text is a subject of its own: what\n"
	  "a match, a lookahead or \\z sees ends at its line, without LF or CRLF. Without\n"
	  "FILE, and for -, the standard input is read. Patterns are PCRE2's; bytes are\n"
	  "matched as they are.\n"
	  "\n"
	  "  -e, --regex REGEX       a pattern; several are searched for at once\n"
	  "  -f, --file FILE         patterns, one a line; - is the standard input\n"
	  "  -F, --fixed             patterns are texts\n"
	  "  -i, --ignore-case\n"
	  "  --utf                   the text is UTF-8; invalid bytes match nothing\n"
	  "  --preceded-by REGEX, --followed-by REGEX\n"
	  "                          what stands around it, and may be shared by two\n"
	  "                          neighbours\n"
	  "  -c FILE --pattern NAME  a rule of a configuration\n"
	  "  -U, --whole             each text is one subject: a match may span lines.\n"
	  "                          To come in the order of the text, those of several\n"
	  "                          patterns wait for what may begin before them, up to\n"
	  "                          16 MiB; then they are written as they are, with a\n"
	  "                          word of it on stderr\n"
	  "  --rs REGEX              records between what matches, as RS of gawk, instead\n"
	  "                          of lines; without -e they are printed, by --json and\n"
	  "                          --raw with their RT. Where it matches no bytes it\n"
	  "                          separates nothing (gawk loses text there), also as\n"
	  "                          \"\"; paragraphs, RS=\"\" of gawk, are between '\\n\\n+'\n"
	  "  --overlap none|starts   starts: one match for each place where one can start\n"
	  "  --empty skip|keep       matches of no bytes\n"
	  "  --match-limit N         steps of one search before it is given up, 1000000:\n"
	  "                          how much -U and --rs then leave out depends on how\n"
	  "                          the text comes\n"
	  "\n"
	  "  --begin REGEX --end REGEX\n"
	  "                          ranges of lines: without -e they are printed, with\n"
	  "                          it searched. What sed -n '/BEGIN/,/END/p' prints,\n"
	  "                          and without --end what '/BEGIN/,$p' does; else:\n"
	  "  --include both|begin|end|none\n"
	  "                          which of the lines of BEGIN and END\n"
	  "  --end-test next|rest|same\n"
	  "                          END may be on the line of BEGIN: no; behind BEGIN;\n"
	  "                          anywhere\n"
	  "  --open-end emit|drop    what becomes of a range without an END\n"
	  "  --nest flat|restart|count\n"
	  "                          what BEGIN is inside: nothing, another range, or\n"
	  "                          one END more\n"
	  "  --max-lines N, --max-bytes N\n"
	  "                          a range with more is closed\n"
	  "  --outside               the lines that are in no range\n"
	  "\n"
	  "  -g, --groups NAME,...   these groups, by name or number, not the match\n"
	  "  --sep TEXT              between groups, a tab; \\n \\t \\0 are known\n"
	  "  --unset TEXT            for a group that took no part, nothing\n"
	  "  --template TEXT         as \"${host} ${2:-none}\"\n"
	  "  -n  numbers of lines    -H, -h  with, without names of files\n"
	  "  -b  offsets in bytes    -0      NUL after each\n"
	  "  -q  only whether there is one\n"
	  "  --count                 of matches, for each text\n"
	  "  --json                  an object for each match\n"
	  "  --raw                   also to a terminal as it is\n"
	  "  --color auto|always|never\n"
	  "                          auto: on a terminal, unless NO_COLOR is set\n"
	  "  --threads N             for large files; the order stays\n"
	  "  --stats                 what it came to, on stderr\n"
	  "\n"
	  "Captures, pcap and pcapng, are known by how they begin. A payload is a subject\n"
	  "then, of TCP, UDP or ICMP: other protocols, and tunnels such as GRE, MPLS and\n"
	  "PPPoE, are not looked into, and --stats tells how many frames had a payload.\n"
	  "-n is the number of the packet, -b the place in the payload or stream, --json\n"
	  "the agent's records.\n"
	  "  --scope packet|stream   stream: what TCP carries, joined, and every other\n"
	  "                          payload\n"
	  "  --bpf EXPRESSION        these frames alone, as in pcap-filter(7)\n"
	  "  --live IFACE            captures by itself, without an agent, until Ctrl-C\n"
	  "  -w, --write FILE        the frames that match, as pcapng, each with the rule\n"
	  "                          and the bytes; without a pattern all; for -, to\n"
	  "                          the standard output\n"
	  "  --text                  everything is text, whatever it looks like: also\n"
	  "                          what is compressed, which is not searched else\n"
	  "\n"
	  "Exits 0 when something matched, 1 when nothing did, 2 when a text was not\n"
	  "fully searched." },
	{ "explain", cmd_explain, "PATTERN [-c FILE] [--json] | -e REGEX [OPTIONS]",
	  "how a pattern runs: engine, prefilter, what it keeps, what is unwise",
	  "Tells whether it is machine code, and if not why; the texts of which one must\n"
	  "be there before it is tried at all; what is kept of a stream for it; and what\n"
	  "its author may not have meant, found by reading the pattern and by trying it on\n"
	  "hostile texts.\n"
	  "\n"
	  "-e REGEX takes --preceded-by REGEX, --followed-by REGEX, --begin REGEX, --end\n"
	  "REGEX, --scope packet|stream, -i, --utf, --multiline, --dotall and\n"
	  "--match-limit N, as the keys of a [pattern] of the same names do." },
	{ "libvirt-xml", cmd_libvirt_xml, "LINK [--check MAC [--queues N]] [-c FILE]",
	  "the <interface> of a libvirt domain whose guest is to be on the link",
	  "The link is there before the domain, and stays after it (managed='no'). libvirt\n"
	  "takes any MAC address and opens /dev/tapN whosever it is: --check exits 1 when\n"
	  "an interface of this MAC address and as many queues would not be the link's\n"
	  "guest, as scripts/libvirt/tapwarden asks, a hook for /etc/libvirt/hooks/qemu.d.\n"
	  "Links that are not ours pass." },
	{ "boot", cmd_boot, "render|kit|set|lint|simulate|decode ...",
	  "boot scripts of guests, and every file that they need beside it",
	  "render    the iPXE script that the guest is served, or that of a state (see\n"
	  "          set)\n"
	  "kit       in a new folder, or a tar archive (\"-\": on stdout): what goes into\n"
	  "          the guest, scripts for a helper machine that make, check, copy and\n"
	  "          release its disk, the target's side, DHCP, QEMU and libvirt, seeds\n"
	  "          for cloud-init and installers, and CHECKLIST.txt with the order of it\n"
	  "          all. The same configuration gives the same bytes.\n"
	  "set       what the guest boots from here on, of a running agent: run, as it is\n"
	  "          configured; install, its install-kernel, until its phone-home;\n"
	  "          rescue, its rescue-kernel; local, a disk of its own; once, as run for\n"
	  "          one time, and local after\n"
	  "lint      what is wrong with an iPXE script; exits 1 for an error or a warning\n"
	  "simulate  what a machine would run and end with, if all answered; exits 1 when\n"
	  "          it boots nothing. Nobody is at its keyboard.\n"
	  "            --mac MAC --uuid UUID --set NAME=VALUE    the machine\n"
	  "            --fail COMMAND    each of them fails\n"
	  "            --choose ITEM     in every menu that has it\n"
	  "decode    fields and faults of a kernel command line, an iSCSI address or an\n"
	  "          error number of iPXE; \"-\" for stdin; exits 1 for an error or a\n"
	  "          warning\n"
	  "\n"
	  "A SCRIPT is \"-\", a path with '/' in it or a name that ends in .ipxe; any other\n"
	  "word is a guest. --caps https,imgverify says what the iPXE can do beside\n"
	  "Debian's." },
	{ "boot render", boot_render, "GUEST [-c FILE] [--state STATE]", NULL, NULL },
	{ "boot kit", boot_kit, "GUEST -o DIR|FILE.tar|- [-c FILE]", NULL, NULL },
	{ "boot set", boot_set, "GUEST STATE [-c FILE] [--json]", NULL, NULL },
	{ "boot lint", boot_lint, "GUEST|SCRIPT [-c FILE] [--json] [--caps CAPS]", NULL, NULL },
	{ "boot simulate", boot_simulate, "GUEST|SCRIPT [-c FILE] [--json] [--caps CAPS] [OPTIONS]",
	  NULL, NULL },
	{ "boot decode", boot_decode_verb, "TEXT [--json]", NULL, NULL },
	{ "passwd", cmd_passwd,
	  "[-m METHOD] [-S SALT] [-R ROUNDS] [-s] [--for SYSTEM] [--shadow USER]",
	  "a hash of crypt(3), for /etc/shadow, an installer or a [user]",
	  "The password is asked for twice; it is never an argument.\n"
	  "  -m, --method METHOD\n"
	  "                    yescrypt unless said; --methods lists all\n"
	  "  -S, --salt SALT   a salt, or a whole setting as crypt(3) takes it:\n"
	  "                    '$6$rounds=1000$salt$'\n"
	  "  -R, --rounds ROUNDS\n"
	  "                    the cost, in the method's own unit\n"
	  "  -s, --stdin       the password is read from there, without the line's end\n"
	  "  --for SYSTEM      what debian12, rhel8, alpine or cloud-init reads best\n"
	  "  --shadow USER     the whole line of shadow(5)\n"
	  "  --verify HASH     does the password have this hash? Exits 1 when it has not\n"
	  "  --identify HASH   its method, cost and salt; exits 1 when weaker than policy\n"
	  "  --methods [--for SYSTEM]\n"
	  "                    every method, with its prefix and its rounds\n"
	  "  --cost [-m METHOD]\n"
	  "                    time and memory of a hash, measured on this host\n"
	  "  --force           costs above the cap, and passwords of which a part would\n"
	  "                    not count\n"
	  "--identify, --methods and --cost take --json.\n"
	  "\n"
	  "  tapwarden passwd -m sha-512 -R 100000       as mkpasswd -m sha-512 -R 100000\n"
	  "  printf %s \"$password\" | tapwarden passwd -s -S \"\\$$alg\\$$salt\\$\"" },
	{ "help", cmd_help, "[VERB | TOPIC]", "this page, a verb's usage, or what a topic is about",
	  NULL },
	/* Not for people: what the agent starts. */
	{ "capture-worker", cmd_worker, NULL, NULL, NULL },
	{ "web-worker", cmd_worker, NULL, NULL, NULL },
	{ "trial-worker", cmd_trial, NULL, NULL, NULL },
	{ "plan-worker", cmd_trial, NULL, NULL, NULL },
	{ "plan-look", cmd_trial, NULL, NULL, NULL },
	{ "reach-look", cmd_trial, NULL, NULL, NULL },
};

const struct cli_verb *cli_verbs(size_t *ret_n)
{
	*ret_n = sizeof(verbs) / sizeof(verbs[0]);
	return verbs;
}

const struct cli_verb *cli_find(const char *name)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}
