/* SPDX-License-Identifier: Apache-2.0 */
/* The words of commands that change and watch what containers may use. */
#include "cli/words.h"

/* clang-format off */
/* ---- update ---- */

#define U struct update_options
static const struct opt update_opts[] = {
	{ OPT_STR_AT(U, resources), .name = "resources", .letter = 'r', .arg = "FILE",
	  .help = "JSON file with an object as linux.resources is; -: standard input" },
	{ OPT_SIZE_AT(U, memory_bytes), .name = "memory", .letter = 'm', .arg = "SIZE",
	  .help = "most memory; -1: no limit" },
	{ OPT_SIZE_AT(U, memory_swap_bytes), .name = "memory-swap", .arg = "SIZE",
	  .help = "most memory and swap together; -1: swap without limit" },
	{ OPT_SIZE_AT(U, memory_reservation_bytes), .name = "memory-reservation", .arg = "SIZE",
	  .help = "memory that is reclaimed last" },
	{ OPT_NANO_AT(U, nano_cpus), .name = "cpus", .arg = "N",
	  .help = "most processor time, in processors: 1.5" },
	{ OPT_INT_AT(U, cpu_quota), .name = "cpu-quota", .arg = "USEC",
	  .help = "processor time in each period; -1: no limit" },
	{ OPT_COUNT_AT(U, cpu_period), .name = "cpu-period", .arg = "USEC",
	  .help = "length of a period, 1000 to 1000000" },
	{ OPT_COUNT_AT(U, cpu_burst), .name = "cpu-burst", .arg = "USEC",
	  .help = "unused time that may be saved up for later periods" },
	{ OPT_COUNT_AT(U, cpu_shares), .name = "cpu-share", .arg = "N",
	  .help = "weight against other containers, 2 to 262144 (1024 is usual)" },
	{ OPT_COUNT_AT(U, cpu_shares), .name = "cpu-shares", .letter = 'c', .arg = "N",
	  .help = "the same as --cpu-share" },
	{ OPT_INT_AT(U, cpu_idle), .name = "cpu-idle", .arg = "0|1",
	  .help = "1: run only when nobody else wants to" },
	{ OPT_INT_AT(U, cpu_rt_runtime), .name = "cpu-rt-runtime", .arg = "USEC",
	  .help = "of cgroup v1: anything but 0 is refused" },
	{ OPT_COUNT_AT(U, cpu_rt_period), .name = "cpu-rt-period", .arg = "USEC",
	  .help = "of cgroup v1: anything but 0 is refused" },
	{ OPT_STR_AT(U, cpuset_cpus), .name = "cpuset-cpus", .arg = "LIST",
	  .help = "processors that may be used: 0-2,5" },
	{ OPT_STR_AT(U, cpuset_mems), .name = "cpuset-mems", .arg = "LIST",
	  .help = "memory nodes that may be used: 0,1" },
	{ OPT_INT_AT(U, pids_limit), .name = "pids-limit", .arg = "N",
	  .help = "most processes and threads; -1: no limit" },
	{ OPT_COUNT_AT(U, blkio_weight), .name = "blkio-weight", .arg = "N",
	  .help = "weight of disk input and output, 10 to 1000" },
	{ OPT_SIZE_AT(U, kernel_bytes), .name = "kernel-memory", .arg = "SIZE",
	  .help = "of cgroup v1: a limit is refused" },
	{ OPT_SIZE_AT(U, kernel_tcp_bytes), .name = "kernel-memory-tcp", .arg = "SIZE",
	  .help = "of cgroup v1: a limit is refused" },
	{ OPT_STR_AT(U, l3_cache_schema), .name = "l3-cache-schema", .arg = "SCHEMA",
	  .help = "share of the L3 cache, for containers with linux.intelRdt" },
	{ OPT_STR_AT(U, mem_bw_schema), .name = "mem-bw-schema", .arg = "SCHEMA",
	  .help = "share of the memory bandwidth, for containers with linux.intelRdt" },
};

static const struct command_example update_examples[] = {
	{ "kist update -m 512m --cpus 1.5 web", "new limits for a running container" },
	{ "kist update --memory-swap -1 web db", "swap without limit, for two containers" },
	{ "echo '{\"pids\":{\"limit\":100}}' | kist update -r - web", "as OCI callers do" },
};

static const struct command_text update_text = {
	.usage = "[OPTIONS] ID...\n"
		 "--resources FILE ID...",
	.about =
		"Changes the limits of containers while they run. What is not named stays as it is: a new "
		"quota keeps the period, and a new memory limit keeps the limit of memory and swap "
		"together. The change outlives this command: a later update starts from it, and a "
		"container of kist run is started again with it; one that has stopped is changed for its "
		"next start. A change that cannot be made whole is not made at all.\n\n"
		"The file of --resources may hold every key of linux.resources. A list of devices there "
		"replaces the container's. With memory.checkBeforeUpdate, in the file or in the "
		"container's configuration, a memory limit below what is in use is refused.",
	WORDS_EXAMPLES(update_examples),
};

/* ---- events ---- */

#define E struct events_options
static const struct opt events_opts[] = {
	{ OPT_FLAG_AT(E, stats), .name = "stats", .help = "print the counters once and end" },
	{ OPT_DURATION_AT(E, interval_ms), .name = "interval", .arg = "DURATION",
	  .help = "time between two lines of counters (default 5s)" },
};

static const struct command_example events_examples[] = {
	{ "kist events --stats web | jq .data.memory.usage", "what a container uses now" },
	{ "kist events --interval 1m web", "a line each minute, and one for each process killed for memory" },
};

static const struct command_text events_text = {
	.usage = "[OPTIONS] ID",
	.about =
		"Prints JSON objects, one per line: every interval the counters of the container's cgroup "
		"(processor time, memory, processes, disks, huge pages, pressure, network interfaces), "
		"and an object of type oom whenever the kernel kills one of its processes for want of "
		"memory. Ends when the container's first process has ended.",
	WORDS_EXAMPLES(events_examples),
};

/* ---- the page ---- */

static const struct command commands[] = {
	{ "update", "", FACE_BOTH, STATUS_PLAIN, 1, WORDS_ANY, WORDS_OPTS(update_opts), .run = cmd_update,
	  .summary = "change the limits of containers", .text = &update_text },
	{ "events", "", FACE_BOTH, STATUS_PLAIN, 1, 1, WORDS_OPTS(events_opts), .run = cmd_events,
	  .summary = "print what a container uses, and when memory ran out", .text = &events_text },
};
/* clang-format on */

const struct page words_limits = {
	.name = "limits", .title = "Change and watch what containers use",
	.commands = commands, .count = ARRAY_LEN(commands),
};
