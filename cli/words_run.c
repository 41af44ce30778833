/* SPDX-License-Identifier: Apache-2.0 */
/* run, create, start, exec: the words of commands that start programs. */
#include "cli/words.h"

/* clang-format off */
/* ---- create, and what run has of it ---- */

#define AT_SELF(m) m
#define AT_OCI(m) oci.m

#define CREATE_ROWS(T, AT) \
	{ OPT_STR_AT(T, AT(bundle)), .name = "bundle", .letter = 'b', .section = OPT_BUNDLE, .arg = "DIR", \
	  .help = "directory of config.json and the root file system" }, \
	{ OPT_STR_AT(T, AT(console_socket)), .name = "console-socket", .section = OPT_BUNDLE, .arg = "PATH", \
	  .help = "socket that receives the terminal's master descriptor" }, \
	{ OPT_STR_AT(T, AT(pidfd_socket)), .name = "pidfd-socket", .section = OPT_BUNDLE, .arg = "PATH", \
	  .help = "socket that receives a pidfd of the container's first process" }, \
	{ OPT_STR_AT(T, AT(pid_file)), .name = "pid-file", .section = OPT_BUNDLE, .arg = "FILE", \
	  .help = "write the container's process id to FILE" }, \
	{ OPT_COUNT_AT(T, AT(preserve_fds)), .name = "preserve-fds", .section = OPT_BUNDLE, .arg = "N", \
	  .help = "pass N descriptors, from 3 on, to the container" }, \
	{ OPT_FLAG_AT(T, AT(no_pivot)), .name = "no-pivot", .section = OPT_BUNDLE, \
	  .help = "enter the root by a move mount and chroot, for roots on an initramfs" }, \
	{ OPT_FLAG_AT(T, AT(no_new_keyring)), .name = "no-new-keyring", .section = OPT_BUNDLE, \
	  .help = "keep the caller's session keyring" }, \
	{ OPT_FLAG_AT(T, AT(no_subreaper)), .name = "no-subreaper", .section = OPT_BUNDLE, \
	  .help = "do not become a subreaper, which kist never does" }

static const struct opt create_opts[] = {
	CREATE_ROWS(struct create_options, AT_SELF),
	{ OPT_STR_AT(struct create_options, config), .name = "config", .letter = 'f', .section = OPT_BUNDLE,
	  .arg = "FILE", .help = "configuration to take instead of the bundle's config.json" },
};

static const struct command_example create_examples[] = {
	{ "kist create --bundle /srv/web web1",
	  "make the container web1 from a bundle; its program waits for start" },
	{ "kist oci create --pid-file /run/web1.pid web1",
	  "the same from the current directory, as an OCI caller does" },
};

static const struct command_text create_text = {
	.usage = "[OPTIONS] [--bundle DIR] ID",
	.about =
		"Makes a container from an OCI bundle: its namespaces, cgroup, mounts and devices. The "
		"program of the container is not run before start. Standard input, output and error of "
		"this command become the container's own, unless the configuration asks for a terminal; "
		"then --console-socket names who holds it. The bundle is the current directory unless "
		"--bundle says otherwise.",
	WORDS_EXAMPLES(create_examples),
};

/* ---- run ---- */

#define R struct run_options
const struct opt words_run_opts[] = {
	{ OPT_STR_AT(R, name), .name = "name", .faces = FACE_KIST, .arg = "NAME",
	  .help = "name of the container (default: made up)" },
	{ OPT_WORD_AT(R, pull), .name = "pull", .faces = FACE_KIST, .arg = "missing|always|newer|never",
	  .help = "get the image from its registry if the store does not have it (default), always, always but do "
		  "with what is there if that fails, or never" },
	{ OPT_FLAG_AT(R, detach), .name = "detach", .letter = 'd',
	  .help = "leave it running in the background and print its name" },
	{ OPT_FLAG_AT(R, rm), .name = "rm", .faces = FACE_KIST,
	  .help = "remove the container when its program has ended" },
	{ OPT_FLAG_AT(R, interactive), .name = "interactive", .letter = 'i', .faces = FACE_KIST,
	  .help = "pass standard input to the program" },
	{ OPT_TRI_AT(R, tty), .name = "tty", .letter = 't', .faces = FACE_KIST,
	  .help = "give the program a terminal" },
	{ OPT_STR_AT(R, config), .name = "config", .faces = FACE_KIST, .arg = "FILE",
	  .help = "OCI config.json that describes the container; it names its image by an annotation" },
	{ OPT_LIST_AT(R, env), .name = "env", .letter = 'e', .faces = FACE_KIST, .arg = "K[=V]",
	  .help = "set an environment variable; K alone takes kist's own value" },
	{ OPT_LIST_AT(R, env_files), .name = "env-file", .faces = FACE_KIST, .arg = "FILE",
	  .help = "read variables from FILE, one K=V or K per line" },
	{ OPT_STR_AT(R, workdir), .name = "workdir", .letter = 'w', .faces = FACE_KIST, .arg = "DIR",
	  .help = "working directory of the program" },
	{ OPT_STR_AT(R, user), .name = "user", .letter = 'u', .faces = FACE_KIST, .arg = "USER[:GROUP]",
	  .help = "user and group of the program, by name or number" },
	{ OPT_LIST_AT(R, group_add), .name = "group-add", .faces = FACE_KIST, .arg = "GROUP",
	  .help = "one more group of the program, by name or number" },
	{ OPT_STR_AT(R, entrypoint), .name = "entrypoint", .faces = FACE_KIST, .arg = "PROGRAM",
	  .help = "program to run instead of the image's entrypoint; empty: none" },
	{ OPT_LIST_AT(R, volumes), .name = "volume", .letter = 'v', .faces = FACE_KIST,
	  .arg = "SOURCE:DIR[:OPTIONS]",
	  .help = "mount a file or directory of the host into the container" },
	{ OPT_LIST_AT(R, tmpfs), .name = "tmpfs", .faces = FACE_KIST, .arg = "DIR[:OPTIONS]",
	  .help = "mount an empty file system in memory" },
	{ OPT_SIZE_AT(R, shm_bytes), .name = "shm-size", .faces = FACE_KIST, .arg = "SIZE",
	  .help = "size of /dev/shm (default 64m)" },
	{ OPT_TRI_AT(R, read_only), .name = "read-only", .faces = FACE_KIST,
	  .help = "mount the root file system read-only" },
	{ OPT_STR_AT(R, hostname), .name = "hostname", .letter = 'h', .faces = FACE_KIST, .arg = "NAME",
	  .help = "host name inside the container" },
	{ OPT_WORD_AT(R, network), .name = "network", .faces = FACE_KIST, .arg = "none|host",
	  .help = "a network of its own with loopback only, or the host's" },
	{ OPT_STR_AT(R, userns), .name = "userns", .faces = FACE_KIST, .arg = "MODE",
	  .help = "host: none of its own, whatever --config says; auto, or auto:size=COUNT: one with ids (65536) that no "
		  "other container has" },
	{ OPT_LIST_AT(R, uid_maps), .name = "uidmap", .faces = FACE_KIST, .arg = "CONTAINER:HOST[:COUNT]",
	  .help = "users of a user namespace; without --gidmap groups, too. Layers and volumes are seen through the map" },
	{ OPT_LIST_AT(R, gid_maps), .name = "gidmap", .faces = FACE_KIST, .arg = "CONTAINER:HOST[:COUNT]",
	  .help = "groups of a user namespace; without --uidmap users, too" },
	{ OPT_STR_AT(R, stop_signal), .name = "stop-signal", .faces = FACE_KIST, .arg = "SIGNAL",
	  .help = "signal that stop sends (default: the image's, else TERM)" },
	{ OPT_DURATION_AT(R, stop_timeout_ms), .name = "stop-timeout", .faces = FACE_KIST, .arg = "SECONDS",
	  .help = "grace that stop gives before KILL; -1: for ever (default 10)" },
	{ OPT_LIST_AT(R, labels), .name = "label", .letter = 'l', .faces = FACE_KIST, .arg = "K[=V]",
	  .help = "label of the container" },
	{ OPT_LIST_AT(R, annotations), .name = "annotation", .faces = FACE_KIST, .arg = "K=V",
	  .help = "OCI annotation of the container" },
	{ OPT_STR_AT(R, cidfile), .name = "cidfile", .faces = FACE_KIST, .arg = "FILE",
	  .help = "write the container's name to FILE, which must not exist" },
	{ OPT_STR_AT(R, oci.pid_file), .name = "pidfile", .faces = FACE_KIST, .arg = "FILE",
	  .help = "the same as --pid-file" },

	{ OPT_STR_AT(R, platform), .name = "platform", .faces = FACE_KIST, .section = OPT_PULLING, .arg = "OS/ARCH[/VARIANT]",
	  .help = "take the image for another platform than this machine's; one in the store that is for none such is pulled "
		  "anew" },
	{ OPT_FLAG_AT(R, quiet), .name = "quiet", .letter = 'q', .faces = FACE_KIST, .section = OPT_PULLING,
	  .help = "show no progress of the pull" },
	{ OPT_STR_AT(R, policy), .name = "policy", .faces = FACE_KIST, .section = OPT_PULLING, .arg = "FILE",
	  .help = "a policy of containers-policy.json(5), instead of the user's or the host's" },
	{ OPT_STR_AT(R, remote.authfile), .name = "authfile", .faces = FACE_KIST, .section = OPT_PULLING, .arg = "FILE",
	  .help = "file with credentials (default $REGISTRY_AUTH_FILE, then those of login)" },
	{ OPT_STR_AT(R, remote.creds), .name = "creds", .faces = FACE_KIST, .section = OPT_PULLING, .arg = "USER:PASSWORD",
	  .help = "credentials, instead of those of login; others can see them in the list of processes" },
	{ OPT_STR_AT(R, remote.cert_dir), .name = "cert-dir", .faces = FACE_KIST, .section = OPT_PULLING, .arg = "DIR",
	  .help = "directory with the registry's CA (*.crt) and our certificate (*.cert, *.key)" },
	{ OPT_TRI_AT(R, remote.tls_verify), .name = "tls-verify", .faces = FACE_KIST, .section = OPT_PULLING,
	  .help = "false: take any certificate, and plain HTTP where there is no TLS (default true, or as "
		  "registries.conf says)" },

	{ OPT_SIZE_AT(R, memory_bytes), .name = "memory", .letter = 'm', .faces = FACE_KIST,
	  .section = OPT_RESOURCES,
	  .arg = "SIZE", .help = "most memory the container may use" },
	{ OPT_SIZE_AT(R, memory_swap_bytes), .name = "memory-swap", .faces = FACE_KIST,
	  .section = OPT_RESOURCES,
	  .arg = "SIZE", .help = "most memory and swap together; -1: swap without limit" },
	{ OPT_SIZE_AT(R, memory_reservation_bytes), .name = "memory-reservation", .faces = FACE_KIST,
	  .section = OPT_RESOURCES, .arg = "SIZE", .help = "memory that is reclaimed last" },
	{ OPT_NANO_AT(R, nano_cpus), .name = "cpus", .faces = FACE_KIST, .section = OPT_RESOURCES, .arg = "N",
	  .help = "most processor time, in processors: 1.5" },
	{ OPT_COUNT_AT(R, cpu_shares), .name = "cpu-shares", .faces = FACE_KIST, .section = OPT_RESOURCES,
	  .arg = "N",
	  .help = "weight against other containers, 2 to 262144 (1024 is usual)" },
	{ OPT_STR_AT(R, cpuset_cpus), .name = "cpuset-cpus", .faces = FACE_KIST, .section = OPT_RESOURCES,
	  .arg = "LIST",
	  .help = "processors that may be used: 0-2,5" },
	{ OPT_STR_AT(R, cpuset_mems), .name = "cpuset-mems", .faces = FACE_KIST, .section = OPT_RESOURCES,
	  .arg = "LIST",
	  .help = "memory nodes that may be used: 0,1" },
	{ OPT_INT_AT(R, pids_limit), .name = "pids-limit", .faces = FACE_KIST, .section = OPT_RESOURCES,
	  .arg = "N",
	  .help = "most processes and threads; -1: no limit" },
	{ OPT_COUNT_AT(R, blkio_weight), .name = "blkio-weight", .faces = FACE_KIST, .section = OPT_RESOURCES,
	  .arg = "N",
	  .help = "weight of disk input and output, 10 to 1000" },
	{ OPT_LIST_AT(R, ulimits), .name = "ulimit", .faces = FACE_KIST, .section = OPT_RESOURCES,
	  .arg = "NAME=SOFT[:HARD]", .help = "resource limit of the program: nofile=1024:4096" },

	{ OPT_LIST_AT(R, cap_add), .name = "cap-add", .faces = FACE_KIST, .section = OPT_SECURITY,
	  .arg = "CAP",
	  .help = "add a capability, or ALL" },
	{ OPT_LIST_AT(R, cap_drop), .name = "cap-drop", .faces = FACE_KIST, .section = OPT_SECURITY,
	  .arg = "CAP",
	  .help = "take a capability away, or ALL" },
	{ OPT_LIST_AT(R, security), .name = "security-opt", .faces = FACE_KIST, .section = OPT_SECURITY,
	  .arg = "WORD",
	  .help = "no-new-privileges, seccomp=FILE or seccomp=unconfined" },
	{ OPT_LIST_AT(R, devices), .name = "device", .faces = FACE_KIST, .section = OPT_SECURITY,
	  .arg = "HOST[:PATH[:rwm]]",
	  .help = "make a device of the host usable in the container" },
	{ OPT_LIST_AT(R, sysctls), .name = "sysctl", .faces = FACE_KIST, .section = OPT_SECURITY,
	  .arg = "NAME=VALUE",
	  .help = "kernel setting of the container's namespaces" },

	{ OPT_SIZE_AT(R, log_max_bytes), .name = "log-max-size", .faces = FACE_KIST, .section = OPT_LOGGING,
	  .arg = "SIZE",
	  .help = "size at which the log of a detached container is rotated (default 10m)" },
	{ OPT_COUNT_AT(R, log_max_files), .name = "log-max-files", .faces = FACE_KIST, .section = OPT_LOGGING,
	  .arg = "N",
	  .help = "log files that are kept (default 3)" },

	CREATE_ROWS(R, AT_OCI),
	{ OPT_FLAG_AT(R, keep), .name = "keep", .section = OPT_BUNDLE,
	  .help = "keep the container's state after its program has ended" },
	{ OPT_STR_AT(R, oci.config), .name = "config", .letter = 'f', .faces = FACE_OCI, .section = OPT_BUNDLE,
	  .arg = "FILE", .help = "configuration to take instead of the bundle's config.json" },
};

static const struct command_example run_examples[] = {
	{ "kist run --rm -it debian sh", "a shell in a fresh container that is gone afterwards" },
	{ "kist run -d --name web -m 256m --cpus 0.5 -v /srv/www:/www:ro httpd",
	  "a service in the background, limited" },
	{ "kist run --rm ./app.kist", "an image that comes in one file" },
	{ "kist run --config config.example.json", "the container that one JSON file describes" },
	{ "kist run --bundle . c1", "an OCI bundle in the foreground" },
};

static const struct command_text run_text = {
	.usage = "[OPTIONS] IMAGE [COMMAND [ARG...]]\n"
		 "[OPTIONS] --config FILE [COMMAND [ARG...]]\n"
		 "[OPTIONS] --bundle DIR ID",
	.about =
		"Makes a container and runs a program in it. With an image, the container's configuration "
		"is made from what the image says, and the options change it. With --config, the file is "
		"an OCI config.json: it names its image by the annotation io.kist.image, or a root "
		"directory by root.path; what it leaves out comes from the image and from kist's "
		"defaults, and the options go over it. An image that is not in the store is pulled first, as "
		"--pull says. IMAGE may be a file that kist pack has written: a word that begins with "
		"\"/\", \"./\" or \"../\", or ends in \".kist\". With --bundle, the directory is an OCI bundle and "
		"the word an ID, as runc has it.\n\n"
		"In the foreground, signals are passed on to the program and kist ends with the program's "
		"status. With -d, a keeper stays behind that writes the log and records how the program "
		"ended.\n\n"
		"For a user other than root, kist makes a user namespace of the ids that /etc/subuid and "
		"/etc/subgid give, through newuidmap(1), with the own id as root; without them the own id "
		"is the only one. Limits need a cgroup that is delegated to the user: systemd-run --user "
		"--scope -p Delegate=yes -- kist run ...\n\n"
		"Options after the image or ID belong to the program.",
	WORDS_EXAMPLES(run_examples),
};

_Static_assert(ARRAY_LEN(words_run_opts) == WORDS_RUN_OPTS, "WORDS_RUN_OPTS in words.h");

/* ---- start ---- */

#define S struct start_options
static const struct opt start_opts[] = {
	{ OPT_FLAG_AT(S, attach), .name = "attach", .letter = 'a', .faces = FACE_KIST,
	  .help = "stay in the foreground and end with the program's status" },
};

static const struct command_example start_examples[] = {
	{ "kist start web1", "let the program of a created container begin, or a stopped one again" },
};

static const struct command_text start_text = {
	.usage = "[OPTIONS] ID",
	.about =
		"Runs the program of a container that create made. A stopped container of an image is "
		"started again with what it was made with.",
	WORDS_EXAMPLES(start_examples),
};

/* ---- exec ---- */

#define X struct exec_options
static const struct opt exec_opts[] = {
	{ OPT_FLAG_AT(X, interactive), .name = "interactive", .letter = 'i', .faces = FACE_KIST,
	  .help = "pass standard input to the program" },
	{ OPT_TRI_AT(X, tty), .name = "tty", .letter = 't', .help = "give the program a terminal" },
	{ OPT_FLAG_AT(X, detach), .name = "detach", .letter = 'd',
	  .help = "do not wait for the program to end" },
	{ OPT_LIST_AT(X, env), .name = "env", .letter = 'e', .arg = "K[=V]",
	  .help = "set an environment variable; K alone takes kist's own value" },
	{ OPT_LIST_AT(X, env_files), .name = "env-file", .faces = FACE_KIST, .arg = "FILE",
	  .help = "read variables from FILE, one K=V or K per line" },
	{ OPT_STR_AT(X, user), .name = "user", .letter = 'u', .arg = "USER[:GROUP]",
	  .help = "user and group of the program, by name or number" },
	{ OPT_STR_AT(X, cwd), .name = "workdir", .letter = 'w', .faces = FACE_KIST, .arg = "DIR",
	  .help = "working directory of the program" },
	{ OPT_STR_AT(X, cwd), .name = "cwd", .arg = "DIR", .help = "the same as --workdir" },
	{ OPT_LIST_AT(X, additional_gids), .name = "additional-gids", .letter = 'g', .arg = "GID",
	  .help = "one more group of the program" },
	{ OPT_LIST_AT(X, caps), .name = "cap", .letter = 'c', .section = OPT_SECURITY, .arg = "CAP",
	  .help = "add a capability to those of the container" },
	{ OPT_TRI_AT(X, no_new_privs), .name = "no-new-privs", .section = OPT_SECURITY,
	  .help = "let the program gain no privileges by execve" },
	{ OPT_STR_AT(X, process_label), .name = "process-label", .section = OPT_SECURITY, .arg = "LABEL",
	  .help = "SELinux label of the program" },
	{ OPT_STR_AT(X, apparmor), .name = "apparmor", .section = OPT_SECURITY, .arg = "PROFILE",
	  .help = "AppArmor profile of the program" },
	{ OPT_STR_AT(X, process), .name = "process", .letter = 'p', .section = OPT_BUNDLE, .arg = "FILE",
	  .help = "JSON file with the process object of the OCI configuration, instead of words" },
	{ OPT_STR_AT(X, console_socket), .name = "console-socket", .section = OPT_BUNDLE, .arg = "PATH",
	  .help = "socket that receives the terminal's master descriptor" },
	{ OPT_STR_AT(X, pidfd_socket), .name = "pidfd-socket", .section = OPT_BUNDLE, .arg = "PATH",
	  .help = "socket that receives a pidfd of the program" },
	{ OPT_STR_AT(X, pid_file), .name = "pid-file", .section = OPT_BUNDLE, .arg = "FILE",
	  .help = "write the program's process id to FILE" },
	{ OPT_COUNT_AT(X, preserve_fds), .name = "preserve-fds", .section = OPT_BUNDLE, .arg = "N",
	  .help = "pass N descriptors, from 3 on, to the program" },
	{ OPT_STR_AT(X, cgroup), .name = "cgroup", .section = OPT_BUNDLE, .arg = "PATH",
	  .help = "run the program in the group PATH below the container's, which must be there" },
	{ OPT_FLAG_AT(X, ignore_paused), .name = "ignore-paused", .section = OPT_BUNDLE,
	  .help = "enter a paused container too; the program waits until it is resumed" },
};

static const struct command_example exec_examples[] = {
	{ "kist exec -it web sh", "a shell in a running container" },
	{ "kist exec -u nobody -w /tmp web id", "a command as another user" },
	{ "kist exec --process p.json --detach --pid-file p.pid web", "as OCI callers do" },
};

static const struct command_text exec_text = {
	.usage = "[OPTIONS] ID COMMAND [ARG...]\n"
		 "[OPTIONS] --process FILE ID",
	.about =
		"Runs one more program in a running container: in all of its namespaces and its cgroup, "
		"with its capabilities and seccomp filter. Options after the ID belong to the program.",
	WORDS_EXAMPLES(exec_examples),
};

/* ---- the page ---- */

static const struct command commands[] = {
	{ "run", "", FACE_BOTH, STATUS_PROGRAM, 0, WORDS_ANY, .stops_at_word = true,
	  WORDS_OPTS(words_run_opts),
	  .run = cmd_run, .summary = "make a container and run a program in it", .text = &run_text },
	{ "create", "", FACE_BOTH, STATUS_PLAIN, 1, 1, WORDS_OPTS(create_opts),
	  .run = cmd_create, .summary = "make a container from an OCI bundle; its program waits",
	  .text = &create_text },
	{ "start", "", FACE_BOTH, STATUS_ATTACH, 1, 1, WORDS_OPTS(start_opts),
	  .run = cmd_start, .summary = "run the program of a created or stopped container",
	  .text = &start_text },
	{ "exec", "", FACE_BOTH, STATUS_EXEC, 1, WORDS_ANY, .stops_at_word = true, WORDS_OPTS(exec_opts),
	  .run = cmd_exec, .summary = "run one more program in a running container", .text = &exec_text },
};
/* clang-format on */

const struct page words_run = {
	.name = "run", .title = "Start programs",
	.commands = commands, .count = ARRAY_LEN(commands),
};
