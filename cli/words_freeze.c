/* SPDX-License-Identifier: Apache-2.0 */
/* The words of commands that save running containers and bring them back. */
#include "cli/words.h"

/* clang-format off */
#define IMAGE_ROWS(T) \
	{ OPT_STR_AT(T, image.image_path), .name = "image-path", .arg = "DIR", \
	  .help = "directory of the images (default: checkpoint)" }, \
	{ OPT_STR_AT(T, image.work_path), .name = "work-path", .arg = "DIR", \
	  .help = "directory of criu's log and other files (default: the image path)" }, \
	{ OPT_FLAG_AT(T, image.tcp_established), .name = "tcp-established", \
	  .help = "allow open TCP connections" }, \
	{ OPT_FLAG_AT(T, image.ext_unix_sk), .name = "ext-unix-sk", \
	  .help = "allow unix sockets that lead out of the container" }, \
	{ OPT_FLAG_AT(T, image.shell_job), .name = "shell-job", \
	  .help = "allow a terminal that is the caller's own" }, \
	{ OPT_FLAG_AT(T, image.file_locks), .name = "file-locks", \
	  .help = "allow file locks, which none outside of the container may hold" }, \
	{ OPT_WORD_AT(T, image.cgroups), .name = "manage-cgroups-mode", \
	  .arg = "soft|full|strict|ignore|none|props", \
	  .help = "what criu does with cgroups (default: soft)" }, \
	{ OPT_WORD_AT(T, image.empty_ns), .name = "empty-ns", .arg = "network", \
	  .help = "make the network namespace, but leave its content out" }, \
	{ OPT_WORD_AT(T, image.network_lock), .name = "network-lock", .arg = "iptables|nftables", \
	  .help = "how connections are held while the container is away" }, \
	{ OPT_FLAG_AT(T, image.auto_dedup), .name = "auto-dedup", \
	  .help = "free pages of images that are not needed any more" }, \
	{ OPT_FLAG_AT(T, image.lazy_pages), .name = "lazy-pages", \
	  .help = "move memory on demand, by criu lazy-pages" }

/* ---- checkpoint ---- */

#define C struct checkpoint_options
static const struct opt checkpoint_opts[] = {
	IMAGE_ROWS(C),
	{ OPT_STR_AT(C, parent_path), .name = "parent-path", .arg = "DIR",
	  .help = "images of the pre-dump before this one, relative to the image path" },
	{ OPT_FLAG_AT(C, pre_dump), .name = "pre-dump",
	  .help = "write the memory only, while the container runs on" },
	{ OPT_FLAG_AT(C, leave_running), .name = "leave-running",
	  .help = "let the container run on afterwards" },
	{ OPT_FLAG_AT(C, tcp_skip_in_flight), .name = "tcp-skip-in-flight",
	  .help = "leave out TCP connections that are not complete yet" },
	{ OPT_FLAG_AT(C, link_remap), .name = "link-remap",
	  .help = "give open files that have lost their names a new one" },
	{ OPT_STR_AT(C, page_server), .name = "page-server", .arg = "ADDRESS:PORT",
	  .help = "send memory to criu page-server, or with --lazy-pages serve it there" },
	{ OPT_COUNT_AT(C, status_fd), .name = "status-fd", .arg = "FD",
	  .help = "write a NUL to this descriptor when lazy pages can be fetched" },
};

static const struct command_example checkpoint_examples[] = {
	{ "kist checkpoint --image-path /srv/web1.img web1", "save the container web1 and end it" },
	{ "kist checkpoint --leave-running --image-path /srv/web1.img web1", "the same, and it runs on" },
	{ "kist checkpoint --pre-dump --image-path /srv/1 web1", "most of the memory while it runs" },
	{ "kist checkpoint --parent-path ../1 --image-path /srv/2 web1", "the rest of it" },
};

static const struct command_text checkpoint_text = {
	.usage = "[OPTIONS] ID",
	.about =
		"Saves the processes of a running container with their memory, open files, sockets and "
		"namespaces as files, through criu (package criu), which is looked for in PATH. Then the "
		"container has stopped, unless --leave-running or --pre-dump is given; restore brings it "
		"back. The root file system and what is bind mounted are not saved.\n\n"
		"When criu fails, the container runs on; the message holds the last errors of criu's log "
		"(dump.log in the work path). Settings of criu that are not here can be in "
		"/etc/criu/kist.conf, or in a file that the annotation org.criu.config names.\n\n"
		"A process of kist exec that still runs cannot be saved, since its parent is outside of "
		"the container. Nor can a paused container.",
	WORDS_EXAMPLES(checkpoint_examples),
};

/* ---- restore ---- */

#define R struct restore_options
static const struct opt restore_opts[] = {
	IMAGE_ROWS(R),
	{ OPT_FLAG_AT(R, detach), .name = "detach", .letter = 'd',
	  .help = "leave it running in the background" },
	{ OPT_FLAG_AT(R, tcp_close), .name = "tcp-close",
	  .help = "bring TCP connections back as closed ones" },
	{ OPT_STR_AT(R, lsm_profile), .name = "lsm-profile", .arg = "TYPE:NAME",
	  .help = "other AppArmor or SELinux label: apparmor:NAME, selinux:LABEL" },
	{ OPT_STR_AT(R, lsm_mount_context), .name = "lsm-mount-context", .arg = "CONTEXT",
	  .help = "other SELinux label of mounts" },
	{ OPT_STR_AT(R, bundle), .name = "bundle", .letter = 'b', .section = OPT_BUNDLE, .arg = "DIR",
	  .help = "directory of config.json and the root file system" },
	{ OPT_STR_AT(R, console_socket), .name = "console-socket", .section = OPT_BUNDLE, .arg = "PATH",
	  .help = "socket that receives the terminal's master descriptor" },
	{ OPT_STR_AT(R, pid_file), .name = "pid-file", .section = OPT_BUNDLE, .arg = "FILE",
	  .help = "write the container's process id to FILE" },
	{ OPT_FLAG_AT(R, no_subreaper), .name = "no-subreaper", .section = OPT_BUNDLE,
	  .help = "do not become a subreaper, which kist never does" },
	{ OPT_FLAG_AT(R, no_pivot), .name = "no-pivot", .section = OPT_BUNDLE,
	  .help = "refused: criu enters the root by pivot_root" },
};

static const struct command_example restore_examples[] = {
	{ "kist restore -d --image-path /srv/web1.img --bundle /srv/web web1", "an OCI container" },
	{ "kist restore --image-path /srv/db.img db", "a container of kist run -d, with its keeper" },
	{ "kist oci restore -d --pid-file /run/web1.pid --image-path /srv/web1.img web1",
	  "from the current directory, as an OCI caller does" },
};

static const struct command_text restore_text = {
	.usage = "[OPTIONS] [--bundle DIR] ID\n"
		 "[OPTIONS] NAME",
	.about =
		"Brings a container back from the files of checkpoint: it goes on where it was, with a "
		"cgroup, limits, mounts and standard streams made anew from the bundle's config.json. "
		"In the foreground this command waits for it, and ends with its status.\n\n"
		"A container with a record of kist run is restored from that: its own upper layer, "
		"options and log; a keeper stays with it, as with run -d. Otherwise the bundle is the "
		"current directory unless --bundle says otherwise.\n\n"
		"A regular file as standard output must not be longer than the one at checkpoint: criu "
		"goes on at the same offset. Pipes and terminals can be others.",
	WORDS_EXAMPLES(restore_examples),
};

/* ---- the page ---- */

static const struct command commands[] = {
	{ "checkpoint", "", FACE_BOTH, STATUS_PLAIN, 1, 1, WORDS_OPTS(checkpoint_opts), .run = cmd_checkpoint,
	  .summary = "save a running container as files", .text = &checkpoint_text },
	{ "restore", "", FACE_BOTH, STATUS_PROGRAM, 1, 1, WORDS_OPTS(restore_opts), .run = cmd_restore,
	  .summary = "bring a saved container back", .text = &restore_text },
};
/* clang-format on */

const struct page words_freeze = {
	.name = "checkpoint", .title = "Save and restore containers",
	.commands = commands, .count = ARRAY_LEN(commands),
};
