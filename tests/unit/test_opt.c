/* SPDX-License-Identifier: Apache-2.0 */
/* The option parser with a table of its own, and what every row of kist's tables must have. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cmd.h"
#include "cli/opt.h"
#include "cli/words.h"

struct sample {
	bool tty, interactive, detach, subreaper;
	enum opt_tri read_only;
	const char *bundle, *format, *user;
	struct opt_list env;
	struct opt_num tail, files, memory, time, cpus;
};

#define S struct sample
static const struct opt rows[] = {
	{ OPT_FLAG_AT(S, tty), .name = "tty", .letter = 't', .help = "x" },
	{ OPT_FLAG_AT(S, interactive), .name = "interactive", .letter = 'i', .help = "x" },
	{ OPT_FLAG_AT(S, detach), .name = "detach", .letter = 'd', .help = "x" },
	{ OPT_FLAG_AT(S, subreaper), .name = "no-subreaper", .help = "x" },
	{ OPT_TRI_AT(S, read_only), .name = "read-only", .help = "x" },
	{ OPT_STR_AT(S, bundle), .name = "bundle", .letter = 'b', .arg = "DIR", .help = "x" },
	{ OPT_STR_AT(S, user), .name = "user", .letter = 'u', .arg = "U", .help = "x", .faces = FACE_KIST },
	{ OPT_WORD_AT(S, format), .name = "format", .letter = 'f', .arg = "table|json", .help = "x" },
	{ OPT_LIST_AT(S, env), .name = "env", .letter = 'e', .arg = "E", .help = "x" },
	{ OPT_INT_AT(S, tail), .name = "tail", .arg = "N", .help = "x" },
	{ OPT_COUNT_AT(S, files), .name = "files", .arg = "N", .help = "x" },
	{ OPT_SIZE_AT(S, memory), .name = "memory", .letter = 'm', .arg = "SIZE", .help = "x" },
	{ OPT_DURATION_AT(S, time), .name = "time", .arg = "T", .help = "x" },
	{ OPT_NANO_AT(S, cpus), .name = "cpus", .arg = "N", .help = "x" },
};

enum { LINE_WORDS = 32 };

/* A command line cut at spaces, parsed. */
struct line {
	struct sample o;
	struct err e;
	char text[256];
	char *argv[LINE_WORDS + 1];
	int words;
};

static struct line *parse_as(const char *text, uint8_t face, bool stops)
{
	static struct line l;
	const struct opt_set set = {
		.rows = rows, .count = ARRAY_LEN(rows), .face = face, .stops_at_word = stops,
	};
	int argc = 0;

	free(l.o.env.items);
	memset(&l, 0, sizeof(l));
	snprintf(l.text, sizeof(l.text), "%s", text);
	for (char *p = l.text; *p && argc < LINE_WORDS;) {
		l.argv[argc++] = p;
		p += strcspn(p, " ");
		if (*p)
			*p++ = '\0';
	}
	l.words = opt_parse(&set, &l.o, argc, l.argv, &l.e);
	return &l;
}

static struct line *parse(const char *text)
{
	return parse_as(text, FACE_KIST, false);
}

/* ---- spellings ---- */

static void long_options(void **state)
{
	(void)state;
	struct line *l = parse("--bundle=/b=1 --user root --tty --env A=1 --env=B= x");
	assert_int_equal(l->words, 1);
	assert_string_equal(l->argv[0], "x");
	assert_string_equal(l->o.bundle, "/b=1");
	assert_string_equal(l->o.user, "root");
	assert_true(l->o.tty);
	assert_int_equal(l->o.env.count, 2);
	assert_string_equal(l->o.env.items[0], "A=1");
	assert_string_equal(l->o.env.items[1], "B=");
}

static void one_dash_long(void **state)
{
	(void)state;
	struct line *l = parse("-no-subreaper -bundle /b -tty=false id");
	assert_int_equal(l->words, 1);
	assert_true(l->o.subreaper);
	assert_string_equal(l->o.bundle, "/b");
	assert_false(l->o.tty);
}

static void letters(void **state)
{
	(void)state;
	struct line *l = parse("-it -uroot -e A=1 -eB=2 -m=64m -dt");
	assert_int_equal(l->words, 0);
	assert_true(l->o.interactive && l->o.tty && l->o.detach);
	assert_string_equal(l->o.user, "root");
	assert_int_equal(l->o.env.count, 2);
	assert_string_equal(l->o.env.items[1], "B=2");
	assert_int_equal(l->o.memory.value, 64 << 20);
	l = parse("-itu 0 x");
	assert_string_equal(l->o.user, "0");
	assert_int_equal(l->words, 1);
}

static void booleans(void **state)
{
	(void)state;
	assert_int_equal(parse("x")->o.read_only, OPT_UNSET);
	assert_int_equal(parse("--read-only")->o.read_only, OPT_YES);
	assert_int_equal(parse("--read-only=false")->o.read_only, OPT_NO);
	assert_int_equal(parse("--read-only=true x")->o.read_only, OPT_YES);
	assert_false(parse("--tty=0")->o.tty);
	struct line *l = parse("--tty=perhaps");
	assert_int_equal(l->words, -EINVAL);
	assert_string_equal(l->e.text, "option --tty: expected true or false, got \"perhaps\"");
	assert_int_equal(parse("--tty false")->words, 1);
}

static void where_options_end(void **state)
{
	(void)state;
	struct line *l = parse("a -t b");
	assert_int_equal(l->words, 2);
	assert_true(l->o.tty);
	l = parse_as("-i a -t b", FACE_KIST, true);
	assert_int_equal(l->words, 3);
	assert_true(l->o.interactive);
	assert_false(l->o.tty);
	assert_string_equal(l->argv[1], "-t");
	l = parse_as("-i -- -t b", FACE_KIST, true);
	assert_int_equal(l->words, 2);
	assert_string_equal(l->argv[0], "-t");
	l = parse("a -- --tty");
	assert_int_equal(l->words, 2);
	assert_string_equal(l->argv[1], "--tty");
	assert_int_equal(parse("-")->words, 1);
}

static void many_list_values(void **state)
{
	enum { MANY = 100 };
	static char *argv[2 * MANY + 1];
	static char values[MANY][16];
	struct sample o = { 0 };
	struct err e;
	const struct opt_set set = { .rows = rows, .count = ARRAY_LEN(rows) };

	(void)state;
	for (int i = 0; i < MANY; i++) {
		static char name[] = "--env";
		snprintf(values[i], sizeof(values[i]), "V%d", i);
		argv[2 * i] = name;
		argv[2 * i + 1] = values[i];
	}
	assert_int_equal(opt_parse(&set, &o, 2 * MANY, argv, &e), 0);
	assert_int_equal(o.env.count, MANY);
	for (int i = 0; i < MANY; i++)
		assert_string_equal(o.env.items[i], values[i]);
	free(o.env.items);
}

/* ---- wrong usage ---- */

static const struct wrong {
	const char *line, *message;
} wrongs[] = {
	{ "--memmory 1", "unknown option --memmory (did you mean --memory?)" },
	{ "--formta=json", "unknown option --formta (did you mean --format?)" },
	{ "--zzzzzz", "unknown option --zzzzzz" },
	{ "-z", "unknown option -z" },
	{ "-itz", "unknown option -z in -itz" },
	{ "--bundle", "flag needs an argument: --bundle" },
	{ "-b", "flag needs an argument: -b" },
	{ "-bundle", "flag needs an argument: --bundle" },
	{ "--format yaml", "option --format: expected table|json, got \"yaml\"" },
	{ "--format tab", "option --format: expected table|json, got \"tab\"" },
	{ "--format=", "option --format: expected table|json, got \"\"" },
	{ "--tail x", "option --tail: expected a whole number, got \"x\"" },
	{ "--tail 1.0", "option --tail: expected a whole number, got \"1.0\"" },
	{ "--tail 9223372036854775808",
	  "option --tail: expected a whole number, got \"9223372036854775808\"" },
	{ "--files -1", "option --files: expected a whole number, not negative, got \"-1\"" },
	{ "--memory 5x", "option --memory: expected a size such as 512m or 1.5g, got \"5x\"" },
	{ "--memory 1.5", "option --memory: expected a size such as 512m or 1.5g, got \"1.5\"" },
	{ "--memory -2", "option --memory: expected a size such as 512m or 1.5g, got \"-2\"" },
	{ "--memory 9000000p", "option --memory: expected a size such as 512m or 1.5g, got \"9000000p\"" },
	{ "--time 3y", "option --time: expected seconds, or a duration such as 1m30s, got \"3y\"" },
	{ "--cpus -1", "option --cpus: expected a number such as 1.5, got \"-1\"" },
	{ "--cpus .", "option --cpus: expected a number such as 1.5, got \".\"" },
	{ "--cpus 1e3", "option --cpus: expected a number such as 1.5, got \"1e3\"" },
	{ "--cpus nan", "option --cpus: expected a number such as 1.5, got \"nan\"" },
};

static void wrong_usage(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(wrongs); i++) {
		struct line *l = parse(wrongs[i].line);
		assert_int_equal(l->words, -EINVAL);
		assert_string_equal(l->e.text, wrongs[i].message);
	}
}

static void very_long_names(void **state)
{
	char line[256] = "--";

	(void)state;
	memset(line + 2, 'a', 200);
	assert_int_equal(parse(line)->words, -EINVAL);
	line[1] = 'b';
	assert_string_equal(parse(line)->o.bundle, line + 2);
}

static void faces(void **state)
{
	(void)state;
	assert_int_equal(parse_as("--user x", FACE_OCI, false)->words, -EINVAL);
	assert_int_equal(parse_as("-u x", FACE_OCI, false)->words, -EINVAL);
	assert_int_equal(parse_as("--user x", 0, false)->words, 0);
}

static void help_is_asked_for(void **state)
{
	(void)state;
	assert_int_equal(parse("--help")->words, -ECANCELED);
	assert_int_equal(parse("-h")->words, -ECANCELED);
	assert_int_equal(parse("-help")->words, -ECANCELED);
	assert_int_equal(parse("-t --bundle x --help --zzz")->words, -ECANCELED);
	assert_int_equal(parse("x -- --help")->words, 2);
	assert_int_equal(parse("--bundle --help")->words, 0);
}

/* ---- values ---- */

static void sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes;
	} good[] = {
		{ "0", 0 }, { "1", 1 }, { "4096", 4096 }, { "7b", 7 }, { "4k", 4096 }, { "4K", 4096 },
		{ "4kb", 4096 }, { "4KiB", 4096 }, { "64m", 64 << 20 }, { "1.5g", 1610612736 },
		{ "2t", 2LL << 40 }, { "-1", -1 },
		{ "9223372036854775807", INT64_MAX }, { "0.5k", 512 },
	};
	int64_t bytes = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(opt_size(good[i].text, &bytes), 0);
		assert_int_equal(bytes, good[i].bytes);
	}
	assert_int_equal(opt_size("", &bytes), -EINVAL);
	assert_int_equal(opt_size("k", &bytes), -EINVAL);
	assert_int_equal(opt_size("1kk", &bytes), -EINVAL);
	assert_int_equal(opt_size("+1", &bytes), -EINVAL);
	assert_int_equal(opt_size(" 1", &bytes), -EINVAL);
	assert_int_equal(opt_size("8388608t", &bytes), -EINVAL);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "0", 0 }, { "10", 10000 }, { "1.5", 1500 }, { "250ms", 250 }, { "3s", 3000 },
		{ "1m30s", 90000 },
		{ "2h", 7200000 }, { "1d", 86400000 }, { "1.5s", 1500 }, { "-1", -1 },
	};
	int64_t ms = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_int_equal(opt_duration(good[i].text, &ms), 0);
		assert_int_equal(ms, good[i].ms);
	}
	assert_int_equal(opt_duration("", &ms), -EINVAL);
	assert_int_equal(opt_duration("1m30", &ms), -EINVAL);
	assert_int_equal(opt_duration("s", &ms), -EINVAL);
	assert_int_equal(opt_duration("-2", &ms), -EINVAL);
}

static void cpus(void **state)
{
	(void)state;
	assert_int_equal(parse("--cpus 1.5")->o.cpus.value, 1500000000);
	assert_int_equal(parse("--cpus .5")->o.cpus.value, 500000000);
	assert_int_equal(parse("--cpus 0.000000001")->o.cpus.value, 1);
	assert_int_equal(parse("--cpus 64")->o.cpus.value, 64000000000);
	assert_true(parse("--cpus 0")->o.cpus.is_set);
	assert_false(parse("x")->o.cpus.is_set);
	assert_int_equal(parse("--tail -1")->o.tail.value, -1);
}

/* ---- kist's own tables ---- */

static void check_rows(const struct opt *opts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct opt *a = &opts[i];
		assert_true(a->name[0] && a->help && a->help[0]);
		assert_true(a->help[strlen(a->help) - 1] != '.');
		assert_int_equal(a->arg == NULL, a->kind == OPT_FLAG || a->kind == OPT_TRI);
		for (size_t j = 0; j < i; j++) {
			/* The same word may mean two things, one under each face. */
			if (a->faces && opts[j].faces && !(a->faces & opts[j].faces))
				continue;
			assert_string_not_equal(a->name, opts[j].name);
			assert_true(!a->letter || a->letter != opts[j].letter);
		}
	}
}

static void tables_are_whole(void **state)
{
	size_t commands = 0;

	(void)state;
	check_rows(words_global, words_global_count);
	for (size_t i = 0; i < words_page_count; i++) {
		for (size_t j = 0; j < words_pages[i]->count; j++, commands++) {
			const struct command *c = &words_pages[i]->commands[j];
			check_rows(c->opts, c->opt_count);
			assert_true(c->faces && c->summary && c->text && c->text->about && c->text->usage);
			assert_true((c->run == NULL) == c->is_forwarded);
			assert_true(c->min_words <= c->max_words);
			assert_ptr_equal(words_page_of(c), words_pages[i]);
		}
	}
	assert_true(commands > 20);
}

static void commands_are_found(void **state)
{
	char run[] = "run", image[] = "image", ls[] = "ls", images[] = "images";
	char stop[] = "stop", nope[] = "rnu";
	char *grouped[] = { image, ls }, *word[] = { run };
	const struct page *page;
	int taken;

	(void)state;
	assert_string_equal(words_find(FACE_KIST, 1, word, &taken, &page)->name, "run");
	assert_int_equal(taken, 1);
	assert_string_equal(words_find(FACE_KIST, 2, grouped, &taken, &page)->name, "ls");
	assert_int_equal(taken, 2);
	assert_null(words_find(FACE_KIST, 1, grouped, &taken, &page));
	assert_ptr_equal(page, &words_image);
	word[0] = images;
	assert_string_equal(words_find(FACE_KIST, 1, word, &taken, &page)->name, "ls");
	word[0] = stop;
	assert_null(words_find(FACE_OCI, 1, word, &taken, &page));
	assert_string_equal(words_nearest(FACE_KIST, NULL, nope), "run");
	assert_string_equal(words_nearest(FACE_KIST, &words_image, "lss"), "ls");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_options),      cmocka_unit_test(one_dash_long),
		cmocka_unit_test(letters),           cmocka_unit_test(booleans),
		cmocka_unit_test(where_options_end), cmocka_unit_test(many_list_values),
		cmocka_unit_test(wrong_usage),       cmocka_unit_test(very_long_names),
		cmocka_unit_test(faces),             cmocka_unit_test(help_is_asked_for),
		cmocka_unit_test(sizes),             cmocka_unit_test(durations),
		cmocka_unit_test(cpus),              cmocka_unit_test(tables_are_whole),
		cmocka_unit_test(commands_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
