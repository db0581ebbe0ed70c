#include "agent/base/syscall_list.h"

#include <stddef.h>

/* What has conditions on its arguments is in syscall_filter.c. */
const char *const syscall_list_both[] = {
	/* frames, requests, records: by descriptors that it was given */
	"read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "pwritev", "recv",
	"recvfrom", "recvmsg", "recvmmsg", "send", "sendto", "sendmsg", "sendmmsg", "shutdown",
	"getsockopt", "getsockname", "getpeername", "close", "lseek", "_llseek", "ftruncate",
	"ftruncate64", "fstat", "fstat64", "newfstatat", "fstatat64", "statx",
	/* logs, below log-dir; and by iniparser, which reads by names, a memfd of one's own */
	"openat",
	/* the loop */
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2",
	"poll", "ppoll", "ppoll_time64",
	/* memory, but for machine code */
	"brk", "munmap", "mremap", "madvise",
	/* clocks, where the vDSO does not have them, and random numbers */
	"clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday",
	"time", "nanosleep", "clock_nanosleep", "clock_nanosleep_time64", "getrandom",
	/* what libc does by itself */
	"futex", "futex_time64", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "sigaltstack",
	"restart_syscall", "sched_yield", "sched_getaffinity", "getpid", "gettid", "getuid",
	"geteuid", "getgid", "getegid", "exit", "exit_group", NULL
};

/* Logs are kept, rotated and repaired. */
const char *const syscall_list_capture[] = { "flock", "renameat",  "renameat2", "unlinkat",
					     "fsync", "fdatasync", "fallocate", NULL };

/* Clients; threads that hash passwords; a configuration to check, which is text in a memfd. */
const char *const syscall_list_web[] = { "accept4",	"memfd_create",
					 "rseq",	"set_robust_list",
					 "setpriority", "prlimit64",
					 "ugetrlimit",	NULL };

/* Sections of the configuration, as text in memfds; names of users, groups and namespaces. */
const char *const syscall_list_plan[] = { "memfd_create", "access",	"faccessat", "getdents64",
					  "readlink",	  "readlinkat", NULL };

const char *const syscall_list_in_vain[] = { "socket", "connect", NULL };

const char *const syscall_list_fatal[] = {
	/* another program, another process */
	"execve", "execveat", "fork", "vfork", "ptrace", "process_vm_readv", "process_vm_writev",
	"process_madvise", "kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open",
	"pidfd_getfd", "pidfd_send_signal", "kcmp", "setns", "unshare", "personality", "modify_ldt",
	"pkey_mprotect", "remap_file_pages", "uselib",
	/* whom to talk to is the agent's to say */
	"socket", "socketpair", "bind", "connect", "listen", "socketcall",
	/* the file system as a whole, and files past their names */
	"mount", "umount2", "fsopen", "fsconfig", "fsmount", "fspick", "move_mount", "open_tree",
	"mount_setattr", "pivot_root", "chroot", "swapon", "swapoff", "quotactl", "quotactl_fd",
	"open_by_handle_at", "mknod", "mknodat", "chown", "fchown", "fchownat", "lchown", "setuid",
	"setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "capset",
	/* large parts of the kernel that were often broken into */
	"bpf", "perf_event_open", "io_uring_setup", "io_uring_enter", "io_uring_register",
	"userfaultfd", "keyctl", "add_key", "request_key", "vmsplice", "io_setup", "io_submit",
	/* the host */
	"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "reboot",
	"acct", "syslog", "sethostname", "setdomainname", "settimeofday", "clock_settime",
	"clock_settime64", "clock_adjtime", "adjtimex", "iopl", "ioperm", "lookup_dcookie", NULL
};

const char *const syscall_list_sanitizer[] = { "execve", "fork", "vfork", "clone",
					       "ptrace", "kill", NULL };
