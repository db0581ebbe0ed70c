/* links: agent/base/sandbox.c agent/base/landlock.c agent/base/code_pages.c */
/* links: agent/base/syscall_filter.c agent/base/syscall_list.c agent/base/ipc.c */
/* links: agent/base/ipc_msg.c agent/base/parse.c agent/base/err.c */
/*
 * sandbox_probe capture|web|landlock|pages|trial|plan DIR: tries what a worker must not do, each in
 * a process of its own that has entered the sandbox of that role, or one part of it, with the log
 * directory DIR. For each a line: "NAME works", "NAME EACCES", "NAME SIGSYS: what it told the
 * agent". As root: only a worker's sandbox is entered as somebody else, so that nothing but
 * Landlock is in its own way.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/base/code_pages.h"
#include "agent/base/ipc.h"
#include "agent/base/landlock.h"
#include "agent/base/sandbox.h"

#define CAPTURE	 (1u << 0)
#define WEB	 (1u << 1)
#define LANDLOCK (1u << 2)
#define PAGES	 (1u << 3)
#define TRIAL	 (1u << 4)
#define PLAN	 (1u << 5)
#define WORKERS	 (CAPTURE | WEB)
#define EACH	 (WORKERS | TRIAL | PLAN)

/* A worker's, of no name. */
#define UID 64901

/* What was there before the sandbox was entered. */
static int dir_fd, file_fd, tcp_fd, tcp_listener, unix_fd, channel_fd;
static struct sockaddr_in tcp_address;
static struct sockaddr_un abstract_address = { .sun_family = AF_UNIX };
static socklen_t abstract_length;
static volatile unsigned char *code, *data;

/* ---- probes: -1 with errno when it is refused ------------------------------------------------ */

static int open_in(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : close(fd);
}

static int read_outside(void)
{
	return open_in(AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static int write_outside(void)
{
	return open_in(dir_fd, "../outside", O_WRONLY | O_CREAT);
}

static int open_device(void)
{
	return open_in(AT_FDCWD, "/dev/null", O_RDWR);
}

static int make_log(void)
{
	return open_in(dir_fd, "log", O_RDWR | O_CREAT | O_APPEND);
}

static int rotate_log(void)
{
	if (make_log() < 0 || renameat(dir_fd, "log", dir_fd, "log.1") < 0)
		return -1;
	return unlinkat(dir_fd, "log.1", 0);
}

static int make_dir(void)
{
	return mkdirat(dir_fd, "dir", 0700);
}

static int make_link(void)
{
	return symlinkat("/etc/passwd", dir_fd, "link");
}

static int write_open_file(void)
{
	return write(file_fd, "x", 1) == 1 && ftruncate(file_fd, 0) == 0 ? 0 : -1;
}

static int run_program(void)
{
	return execl("/bin/true", "true", NULL);
}

static int make_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : 0;
}

static void *nothing(void *arg)
{
	return arg;
}

static int make_thread(void)
{
	pthread_t thread;

	errno = pthread_create(&thread, NULL, nothing, NULL);
	return errno ? -1 : pthread_join(thread, NULL);
}

static int trace(void)
{
	return (int)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static int signal_agent(void)
{
	return kill(getppid(), 0);
}

static int signal_thread_of_agent(void)
{
	return (int)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static int socket_packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static int socket_netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int socket_tcp(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int connect_tcp(void)
{
	return connect(tcp_fd, (struct sockaddr *)&tcp_address, sizeof(tcp_address));
}

static int bind_tcp(void)
{
	const struct sockaddr_in any = { .sin_family = AF_INET };

	return bind(tcp_fd, (const struct sockaddr *)&any, sizeof(any));
}

static int connect_abstract(void)
{
	return connect(unix_fd, (struct sockaddr *)&abstract_address, abstract_length);
}

static int accept_waiting(void)
{
	int fd = accept4(tcp_listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd >= 0 || errno == EAGAIN ? 0 : -1;
}

static int map_memory(int protection)
{
	return mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
											      : 0;
}

static int map_plain(void)
{
	return map_memory(PROT_READ | PROT_WRITE);
}

static int map_writable_code(void)
{
	return map_memory(PROT_READ | PROT_WRITE | PROT_EXEC);
}

static int map_code(void)
{
	return map_memory(PROT_READ | PROT_EXEC);
}

static int data_to_code(void)
{
	return mprotect((void *)data, 4096, PROT_READ | PROT_EXEC);
}

static int write_code(void)
{
	*code = 1;
	return 0;
}

static int code_to_data(void)
{
	return mprotect((void *)code, 4096, PROT_READ | PROT_WRITE);
}

static int unmap_code(void)
{
	return munmap((void *)code, 4096);
}

static int replace_code(void)
{
	return mmap((void *)code, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED
		       ? -1
		       : 0;
}

static int load_bpf(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int mount_it(void)
{
	return (int)syscall(SYS_mount, "none", "/mnt", "tmpfs", 0L, NULL);
}

static int use_keys(void)
{
	return (int)syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3, 0);
}

static int set_up_io_uring(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int leave_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int watch_performance(void)
{
	return (int)syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0);
}

static int silence_agent(void)
{
	return signal(SIGSYS, SIG_IGN) == SIG_ERR ? -1 : 0;
}

static int make_memfd(void)
{
	return memfd_create("probe", MFD_CLOEXEC) < 0 ? -1 : 0;
}

static int type_into_terminal(void)
{
	return ioctl(STDIN_FILENO, TIOCSTI, "x");
}

static int unknown_call(void)
{
	return (int)syscall(4000);
}

struct probe {
	const char *name;
	int (*run)(void);
	unsigned int roles;
};

static const struct probe probes[] = {
	{ "read-outside", read_outside, EACH | LANDLOCK },
	{ "write-outside", write_outside, EACH | LANDLOCK },
	{ "open-device", open_device, EACH | LANDLOCK },
	{ "make-log", make_log, EACH | LANDLOCK },
	{ "rotate-log", rotate_log, CAPTURE | LANDLOCK },
	{ "make-dir", make_dir, WORKERS | LANDLOCK },
	{ "make-link", make_link, LANDLOCK },
	{ "write-open-file", write_open_file, EACH | LANDLOCK },
	{ "run-program", run_program, EACH | LANDLOCK },
	{ "make-process", make_process, EACH },
	{ "make-thread", make_thread, WORKERS },
	{ "ptrace", trace, EACH },
	{ "signal-agent", signal_agent, EACH | LANDLOCK },
	{ "signal-thread-of-agent", signal_thread_of_agent, WORKERS },
	{ "socket-packet", socket_packet, EACH },
	{ "socket-netlink", socket_netlink, EACH },
	{ "socket-tcp", socket_tcp, EACH },
	{ "connect-tcp", connect_tcp, EACH | LANDLOCK },
	{ "bind-tcp", bind_tcp, EACH | LANDLOCK },
	{ "connect-abstract", connect_abstract, EACH | LANDLOCK },
	{ "accept-waiting", accept_waiting, WORKERS | LANDLOCK },
	{ "map-plain", map_plain, EACH | PAGES },
	{ "map-writable-code", map_writable_code, EACH | PAGES },
	{ "map-code", map_code, WORKERS },
	{ "data-to-code", data_to_code, WORKERS | PAGES },
	{ "write-code", write_code, WORKERS | PAGES },
	{ "code-to-data", code_to_data, WORKERS | PAGES },
	{ "unmap-code", unmap_code, WORKERS | PAGES },
	{ "replace-code", replace_code, WORKERS | PAGES },
	{ "bpf", load_bpf, EACH },
	{ "mount", mount_it, EACH },
	{ "keyctl", use_keys, EACH },
	{ "io-uring", set_up_io_uring, EACH },
	{ "leave-namespace", leave_namespace, EACH },
	{ "perf", watch_performance, EACH },
	{ "silence-agent", silence_agent, EACH },
	{ "make-memfd", make_memfd, EACH },
	{ "type-into-terminal", type_into_terminal, EACH },
	{ "unknown-call", unknown_call, EACH },
};

/* ---- sandboxes ------------------------------------------------------------------------------- */

static void must(int result, const char *what)
{
	if (result >= 0)
		return;
	perror(what);
	exit(2);
}

static int enter_worker(enum sandbox_role role, struct err *err)
{
	struct ipc_sandbox sandbox;
	int failed;

	must(setgroups(0, NULL), "setgroups");
	must(setresgid(UID, UID, UID), "setresgid");
	must(setresuid(UID, UID, UID), "setresuid");
	failed = sandbox_enter(err);

	return failed ? failed
		      : sandbox_seal(role, role == SANDBOX_CAPTURE ? dir_fd : -1, channel_fd,
				     &sandbox, err);
}

static int enter_capture(struct err *err)
{
	return enter_worker(SANDBOX_CAPTURE, err);
}

static int enter_web(struct err *err)
{
	return enter_worker(SANDBOX_WEB, err);
}

/* As plan-worker and trial-worker, but for their bounds of time and processes. */
static int enter_for_a_question(enum sandbox_role role, int read_dir, struct err *err)
{
	int failed;

	must(setgroups(0, NULL), "setgroups");
	must(setresgid(UID, UID, UID), "setresgid");
	must(setresuid(UID, UID, UID), "setresuid");
	failed = sandbox_enter(err);
	return failed ? failed : sandbox_seal_trial(role, read_dir, err);
}

static int enter_trial(struct err *err)
{
	return enter_for_a_question(SANDBOX_TRIAL, -1, err);
}

static int enter_plan(struct err *err)
{
	return enter_for_a_question(SANDBOX_PLAN, dir_fd, err);
}

static int enter_landlock(struct err *err)
{
	int abi;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return landlock_enter(dir_fd, &abi, err);
}

static int enter_pages(struct err *err)
{
	struct code_pages pages;

	return code_pages_seal(&pages, err);
}

static const struct {
	const char *name;
	int (*enter)(struct err *err);
} roles[] = {
	{ "capture", enter_capture }, { "web", enter_web },	{ "landlock", enter_landlock },
	{ "pages", enter_pages },     { "trial", enter_trial }, { "plan", enter_plan },
};

#define N_ROLES (sizeof(roles) / sizeof(roles[0]))

/* ---- what is there before -------------------------------------------------------------------- */

static void open_sockets(void)
{
	socklen_t len = sizeof(tcp_address);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	tcp_address.sin_family = AF_INET;
	tcp_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	tcp_listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must(bind(tcp_listener, (struct sockaddr *)&tcp_address, len), "bind");
	must(listen(tcp_listener, 4), "listen");
	must(getsockname(tcp_listener, (struct sockaddr *)&tcp_address, &len), "getsockname");
	tcp_fd = socket(AF_INET, SOCK_STREAM, 0);
	abstract_length = (socklen_t)offsetof(struct sockaddr_un, sun_path);
	abstract_length += (socklen_t)snprintf(abstract_address.sun_path + 1, 32,
					       "sandbox-probe-%d", (int)getpid()) +
			   1;
	must(bind(listener, (struct sockaddr *)&abstract_address, abstract_length), "bind");
	must(listen(listener, 4), "listen");
	unix_fd = socket(AF_UNIX, SOCK_STREAM, 0);
}

static void prepare(const char *dir)
{
	const int protection = PROT_READ | PROT_WRITE | PROT_EXEC;

	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(dir_fd, dir);
	must(fchown(dir_fd, UID, UID), dir);
	file_fd = openat(dir_fd, "open", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	must(file_fd, "open");
	open_sockets();
	code = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(code == MAP_FAILED || data == MAP_FAILED ? -1 : 0, "mmap");
}

/* ---- running --------------------------------------------------------------------------------- */

static void child(size_t role, const struct probe *probe)
{
	struct err err = { "" };

	if (roles[role].enter(&err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		_exit(255);
	}
	errno = 0;
	_exit(probe->run() < 0 ? errno : 0);
}

/* What came by the channel: a header, and the text of an IPC_FAULT. */
static void print_fault(int fd)
{
	struct {
		uint32_t type, length;
		struct ipc_fault fault;
	} message;

	if (recv(fd, &message, sizeof(message), MSG_DONTWAIT) == sizeof(message) &&
	    message.type == IPC_FAULT)
		printf(": %s", message.fault.text);
}

static void run(size_t role, const struct probe *probe)
{
	int fds[2], status;
	pid_t pid;

	must(ipc_pair(fds), "socketpair");
	(void)fflush(stdout);
	pid = fork();
	must(pid, "fork");
	if (pid == 0) {
		channel_fd = fds[1];
		child(role, probe);
	}
	must(waitpid(pid, &status, 0), "waitpid");
	printf("%s ", probe->name);
	if (WIFSIGNALED(status))
		printf("SIG%s", sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status))
		printf("%s", strerrorname_np(WEXITSTATUS(status)));
	else
		printf("works");
	print_fault(fds[0]);
	printf("\n");
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	size_t role = 0;

	while (argc == 3 && role < N_ROLES && strcmp(argv[1], roles[role].name) != 0)
		role++;
	if (argc != 3 || role == N_ROLES) {
		(void)fprintf(stderr, "usage: sandbox_probe capture|web|landlock|pages DIR\n");
		return 2;
	}
	prepare(argv[2]);
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		if (probes[i].roles & (1u << role))
			run(role, &probes[i]);
	}
	return 0;
}
