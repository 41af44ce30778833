/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer: runs several commands in turn, round after round, and says what each costs. It is made for commands
 * of a millisecond: it starts them with posix_spawn, under SCHED_RR where that is permitted, and takes turns,
 * so that a slow spell of the machine hits all of them alike. tests/bench/run calls it; nothing else does.
 *
 *   timer [-o] [-n ROUNDS] [-w WARM_UPS] [-j FILE] @NAME [-p SHELL] [-c SHELL] COMMAND [ARG...] [@NAME ...]...
 *
 *   -o       ordinary scheduling: for commands that leave work to threads of the kernel, which would have to wait
 *   -n, -w   timed rounds (50) and rounds before them that do not count (3)
 *   -j       writes the table as JSON, too: an array with one object per line
 *   -p, -c   shell text to be run before and after each run of the command, outside of its time
 *
 * A table goes to standard output: times in ms, CPU time of the command and all its children, peak memory in
 * KiB, minor faults of the command and its children. "rss" is the peak of the command's own process (VmHWM,
 * read by ptrace when it exits, in one run that is not timed); "tree" is ru_maxrss, so the largest of it and
 * of the children it waited for. A command that fails ends it all, with status 1 and what the command said.
 *
 * Build: cc -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -O2 -static -o timer timer.c
 * (Static, for a process inherits the peak of the one that spawned it: the smaller this one, the better.)
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMANDS_MAX 16
#define ROUNDS_MAX 100000U

struct sample {
	double wall_ms, cpu_ms;
	long tree_kib, faults;
};

struct command {
	const char *name, *prepare, *cleanup;
	char **argv;
	struct sample *samples;
	long own_kib;
};

struct options {
	unsigned int rounds, warm_ups;
	const char *json_path;
	bool is_ordinary;
	struct command commands[COMMANDS_MAX];
	unsigned int command_count;
};

extern char **environ;

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "timer: %s: %s\n", what, why);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double to_ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

/* Standard error of whatever is run goes to this memfd, so that a failure can be explained. */
static int stderr_fd = -1, null_fd = -1;

static void open_stdio(void)
{
	null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	stderr_fd = memfd_create("stderr", MFD_CLOEXEC);
	if (null_fd < 0 || stderr_fd < 0)
		die("stdio", strerror(errno));
}

static void forget_stderr(void)
{
	if (ftruncate(stderr_fd, 0) < 0 || lseek(stderr_fd, 0, SEEK_SET) < 0)
		die("stderr", strerror(errno));
}

static void check_status(const struct command *c, const char *what, int status)
{
	char text[2048];
	ssize_t size;

	if (status == 0)
		return;
	size = pread(stderr_fd, text, sizeof(text) - 1, 0);
	text[size > 0 ? size : 0] = '\0';
	fprintf(stderr, "timer: %s: %s ended with %s %d\n%s", c->name, what,
		WIFEXITED(status) ? "status" : "signal",
		WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), text);
	exit(1);
}

static pid_t spawn(char *const argv[], const posix_spawn_file_actions_t *actions)
{
	pid_t pid;
	int error = posix_spawnp(&pid, argv[0], actions, NULL, argv, environ);

	if (error)
		die(argv[0], strerror(error));
	return pid;
}

static void make_actions(posix_spawn_file_actions_t *actions)
{
	if (posix_spawn_file_actions_init(actions) || posix_spawn_file_actions_adddup2(actions, null_fd, 0) ||
	    posix_spawn_file_actions_adddup2(actions, null_fd, 1) ||
	    posix_spawn_file_actions_adddup2(actions, stderr_fd, 2))
		die("spawn actions", strerror(errno));
}

static void run_shell(const struct command *c, const char *what, const char *text,
		      const posix_spawn_file_actions_t *actions)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)text, NULL };
	int status;

	if (!text)
		return;
	if (waitpid(spawn(argv, actions), &status, 0) < 0)
		die(what, strerror(errno));
	check_status(c, what, status);
}

static struct sample run_timed(const struct command *c, const posix_spawn_file_actions_t *actions)
{
	struct sample s;
	struct rusage usage;
	int status;
	double start_ms = now_ms();

	if (wait4(spawn(c->argv, actions), &status, 0, &usage) < 0)
		die("wait4", strerror(errno));
	s.wall_ms = now_ms() - start_ms;
	s.cpu_ms = to_ms(usage.ru_utime) + to_ms(usage.ru_stime);
	s.tree_kib = usage.ru_maxrss;
	s.faults = usage.ru_minflt;
	check_status(c, "it", status);
	return s;
}

static long peak_kib_of(pid_t pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (kib < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmHWM: %ld", &kib) != 1)
			kib = -1;
	fclose(f);
	return kib;
}

static _Noreturn void be_traced(const struct command *c)
{
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
		_exit(126);
	raise(SIGSTOP);
	dup2(null_fd, 0);
	dup2(null_fd, 1);
	dup2(stderr_fd, 2);
	execvp(c->argv[0], c->argv);
	_exit(127);
}

/*
 * Runs the command once and returns the peak memory of its own process. ptrace(2): at PTRACE_EVENT_EXIT the
 * process still has its memory, so procfs still tells.
 */
static long run_for_peak(const struct command *c)
{
	const long options = PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
	pid_t pid = fork();
	long kib = -1;
	int status, signal;

	if (pid == 0)
		be_traced(c);
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || ptrace(PTRACE_SETOPTIONS, pid, NULL, options) < 0 ||
	    ptrace(PTRACE_CONT, pid, NULL, NULL) < 0)
		die("ptrace", strerror(errno));
	for (;;) {
		if (waitpid(pid, &status, __WALL) < 0)
			die("waitpid", strerror(errno));
		if (!WIFSTOPPED(status))
			break;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8))
			kib = peak_kib_of(pid);
		signal = status >> 16 ? 0 : WSTOPSIG(status);
		ptrace(PTRACE_CONT, pid, NULL, (long)signal);
	}
	check_status(c, "it", status);
	return kib;
}

static void run_all(struct options *o)
{
	posix_spawn_file_actions_t actions;

	make_actions(&actions);
	for (unsigned int round = 0; round < o->rounds + o->warm_ups + 1; round++)
		for (unsigned int i = 0; i < o->command_count; i++) {
			struct command *c = &o->commands[i];

			forget_stderr();
			run_shell(c, "its preparation", c->prepare, &actions);
			if (round == 0)
				c->own_kib = run_for_peak(c);
			else if (round <= o->warm_ups)
				run_timed(c, &actions);
			else
				c->samples[round - o->warm_ups - 1] = run_timed(c, &actions);
			run_shell(c, "its cleanup", c->cleanup, &actions);
		}
	posix_spawn_file_actions_destroy(&actions);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double wall_of(const struct sample *s)
{
	return s->wall_ms;
}

static double cpu_of(const struct sample *s)
{
	return s->cpu_ms;
}

static double tree_of(const struct sample *s)
{
	return (double)s->tree_kib;
}

static double faults_of(const struct sample *s)
{
	return (double)s->faults;
}

static const struct {
	const char *title, *json_key;
	double (*value_of)(const struct sample *s);	/* NULL: the peak of the process itself */
	double rank;					/* 0: the least, 0.5: the median, 1: the greatest */
	int decimals;
} columns[] = {
	{ "median", "median_ms", wall_of, 0.5, 3 },   { "min", "min_ms", wall_of, 0, 3 },
	{ "p95", "p95_ms", wall_of, 0.95, 3 },	      { "cpu", "cpu_ms", cpu_of, 0.5, 3 },
	{ "rss", "peak_rss_kib", NULL, 0, 0 },	      { "tree", "tree_rss_kib", tree_of, 0.5, 0 },
	{ "faults", "minor_faults", faults_of, 0.5, 0 },
};
#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

static double summarize(const struct command *c, unsigned int rounds, unsigned int column, double *scratch)
{
	double position = columns[column].rank * (rounds - 1);
	unsigned int low = (unsigned int)position;

	if (!columns[column].value_of)
		return (double)c->own_kib;
	for (unsigned int i = 0; i < rounds; i++)
		scratch[i] = columns[column].value_of(&c->samples[i]);
	qsort(scratch, rounds, sizeof(*scratch), compare);
	if (low + 1 >= rounds)
		return scratch[rounds - 1];
	return scratch[low] + (position - low) * (scratch[low + 1] - scratch[low]);
}

static void report(const struct options *o, FILE *json)
{
	double *scratch = calloc(o->rounds, sizeof(*scratch));

	if (!scratch)
		die("memory", strerror(errno));
	printf("%-16s", "command");
	for (unsigned int k = 0; k < COLUMN_COUNT; k++)
		printf(" %9s", columns[k].title);
	putchar('\n');
	for (unsigned int i = 0; i < o->command_count; i++) {
		printf("%-16s", o->commands[i].name);
		if (json)
			fprintf(json, "%s{\"name\":\"%s\",\"rounds\":%u", i ? ",\n" : "[\n",
				o->commands[i].name, o->rounds);
		for (unsigned int k = 0; k < COLUMN_COUNT; k++) {
			double value = summarize(&o->commands[i], o->rounds, k, scratch);

			printf(" %9.*f", columns[k].decimals, value);
			if (json)
				fprintf(json, ",\"%s\":%.*f", columns[k].json_key, columns[k].decimals,
					value);
		}
		putchar('\n');
		if (json)
			fputc('}', json);
	}
	if (json)
		fputs("\n]\n", json);
	free(scratch);
}

static unsigned int parse_count(const char *text, unsigned int min)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || value < min || value > ROUNDS_MAX)
		die(text, "not a number of rounds");
	return (unsigned int)value;
}

/* Parses one "@NAME ..." up to the next; returns where that begins. "@NAME" itself ends the argv before it. */
static char **parse_command(struct options *o, char **arg)
{
	struct command *c = &o->commands[o->command_count];

	if (o->command_count++ == COMMANDS_MAX)
		die(*arg, "too many commands");
	c->name = *arg + 1;
	*arg++ = NULL;
	for (; *arg && arg[1] && (*arg)[0] == '-'; arg += 2)
		if (strcmp(*arg, "-p") == 0)
			c->prepare = arg[1];
		else if (strcmp(*arg, "-c") == 0)
			c->cleanup = arg[1];
		else
			die(*arg, "unknown option of a command");
	c->argv = arg;
	while (*arg && **arg != '@')
		arg++;
	if (arg == c->argv)
		die(c->name, "no command");
	return arg;
}

static void parse(struct options *o, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+on:w:j:")) != -1)
		if (option == 'n')
			o->rounds = parse_count(optarg, 1);
		else if (option == 'w')
			o->warm_ups = parse_count(optarg, 0);
		else if (option == 'j')
			o->json_path = optarg;
		else if (option == 'o')
			o->is_ordinary = true;
		else
			exit(2);
	for (char **arg = argv + optind; *arg;) {
		if (**arg != '@')
			die(*arg, "expected @NAME");
		arg = parse_command(o, arg);
	}
	if (!o->command_count)
		die("usage", "[-o] [-n ROUNDS] [-w WARM_UPS] [-j FILE] @NAME [-p SHELL] [-c SHELL] COMMAND...");
}

int main(int argc, char **argv)
{
	struct options o = { .rounds = 50, .warm_ups = 3 };
	struct sched_param priority = { .sched_priority = 1 };
	FILE *json = NULL;

	parse(&o, argc, argv);
	if (!o.is_ordinary && sched_setscheduler(0, SCHED_RR, &priority) < 0)
		fprintf(stderr, "timer: SCHED_RR: %s: goes on without it\n", strerror(errno));
	for (unsigned int i = 0; i < o.command_count; i++)
		if (!(o.commands[i].samples = calloc(o.rounds, sizeof(struct sample))))
			die("memory", strerror(errno));
	open_stdio();
	run_all(&o);
	if (o.json_path && !(json = fopen(o.json_path, "we")))
		die(o.json_path, strerror(errno));
	report(&o, json);
	if (json && fclose(json) != 0)
		die(o.json_path, strerror(errno));
	for (unsigned int i = 0; i < o.command_count; i++)
		free(o.commands[i].samples);
	return 0;
}
