/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ------------------------------------------------------------------ stopping */

static volatile int stop_wanted;
static bool quiet;

static void on_signal(int signal_number)
{
  (void)signal_number;
  stop_wanted = 1;
}

/* The first SIGINT or SIGTERM asks for a clean stop; the handler then steps aside, so that a second one kills. */
static void catch_signals(void)
{
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = (int)SA_RESETHAND;
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  signal(SIGXFSZ, SIG_IGN);   /* a file-size limit is then an error of the write, with its sentence */
}

/* ------------------------------------------------------------------ progress */

static struct { char what[64]; double began, printed; bool on_line; } bar;

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print_duration(double seconds)
{
  if (seconds < 90) fprintf(stderr, "%.0f s", seconds);
  else if (seconds < 5400) fprintf(stderr, "%.0f min", seconds / 60);
  else fprintf(stderr, "%.1f h", seconds / 3600);
}

/* Nothing is shown of work that ends within two seconds. */
static void show_progress(void *ctx, const char *what, double done, double total, const char *detail)
{
  (void)ctx;
  double t = now();
  if (strncmp(bar.what, what, sizeof bar.what - 1) != 0) {
    cli_progress_end();
    snprintf(bar.what, sizeof bar.what, "%s", what);
    bar.began = t;
  }
  if (t - bar.began < 2 || (t - bar.printed < 0.2 && done < total)) return;
  bar.printed = t;
  double fraction = total > 0 ? done / total : 0;
  fprintf(stderr, "\r\033[K%s [", what);
  for (int i = 0; i < 24; i++) fputc(i < (int)(24 * fraction) ? '#' : '.', stderr);
  fprintf(stderr, "] %3.0f %%", 100 * fraction);
  if (detail && *detail) fprintf(stderr, "  %s", detail);
  else fprintf(stderr, "  %.3g/s", done / (t - bar.began));
  if (fraction > 0 && fraction < 1) {
    fputs("  ", stderr);
    print_duration((t - bar.began) * (1 - fraction) / fraction);
    fputs(" left", stderr);
  }
  fflush(stderr);
  bar.on_line = true;
}

void cli_progress_end(void)
{
  if (bar.on_line) fputs("\r\033[K", stderr);
  bar.on_line = false;
}

/* ------------------------------------------------------------------ help */

static bool is_positional(const cli_page *page, const char *name)
{
  for (int i = 0; page->positional[i]; i++)
    if (!strcmp(page->positional[i], name)) return true;
  return page->rest && !strcmp(page->rest, name);
}

static const char *short_form(const char *name)
{
  if (!strcmp(name, "output")) return "-o, ";
  if (!strcmp(name, "n")) return "-n, ";
  return "    ";
}

static void print_option(const sdn_knob *k)
{
  char left[80];
  snprintf(left, sizeof left, "%s--%s%s%s", short_form(k->name), k->name, k->kind == SDN_KNOB_FLAG ? "" : " ",
           k->kind == SDN_KNOB_FLAG ? "" : k->unit && *k->unit ? k->unit : k->kind == SDN_KNOB_TEXT ? "TEXT" : "X");
  for (char *c = left; *c; c++)
    if (*c == '_') *c = '-';
  printf("  %-30s %s", left, k->help);
  if (k->initial && *k->initial && k->kind != SDN_KNOB_FLAG) printf(" [%s]", k->initial);
  putchar('\n');
}

static void print_page(const cli_page *page)
{
  printf("sedna %s: %s\n\nusage: sedna %s", page->name, page->summary, page->name);
  for (int i = 0; page->positional[i]; i++) {
    fputs(page->instead_of_them ? " [" : " ", stdout);
    for (const char *c = page->positional[i]; *c; c++) putchar(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    if (page->instead_of_them) putchar(']');
  }
  if (page->rest) printf(" %s", page->rest_usage);
  printf(" [OPTIONS]\n\n%s\n", page->about);
  for (size_t k = 0; k < *page->n_knob; k++)
    if (is_positional(page, page->knobs[k].name)) printf("  %-30s %s\n", page->knobs[k].name, page->knobs[k].help);
  puts("\noptions [default]:");
  for (size_t k = 0; k < *page->n_knob; k++)
    if (!is_positional(page, page->knobs[k].name)) print_option(&page->knobs[k]);
  puts("  -j, --threads N                cores to use; results do not depend on it [all]\n"
       "  -q, --quiet                    no progress, no summary\n"
       "  -h, --help                     this page");
  printf("\nexamples:\n%s", page->examples);
}

/* ------------------------------------------------------------------ reading a command line */

typedef struct reader {
  const cli_page *page;
  void *options;
  sdn_run *run;
  bool given[64];
  int n_positional;
  char rest[65536];       /* further arguments, joined */
  bool help;
} reader;

static bool complain(const reader *r, const char *sentence, const char *word)
{
  fprintf(stderr, "sedna %s: %s%s (sedna %s --help)\n", r->page->name, sentence, word, r->page->name);
  return false;
}

/* What a short option stands for, its value attached ("-n10") or not; NULL: no short option that takes a value. */
static const char *long_form(const char *arg)
{
  if (arg[0] != '-') return NULL;
  return arg[1] == 'o' ? "--output" : arg[1] == 'n' ? "--n" : arg[1] == 'j' ? "--threads" : NULL;
}

/* "--n-epoch" and "--n_epoch" are the same word. */
static void option_name(const char *arg, char *name, size_t size)
{
  if (long_form(arg)) arg = long_form(arg);
  snprintf(name, size, "%s", arg + 2);
  char *equals = strchr(name, '=');
  if (equals) *equals = 0;
  for (char *c = name; *c; c++)
    if (*c == '-') *c = '_';
}

static const sdn_knob *find_knob(const reader *r, const char *name, size_t *index)
{
  for (size_t k = 0; k < *r->page->n_knob; k++)
    if (!strcmp(r->page->knobs[k].name, name)) {
      *index = k;
      return &r->page->knobs[k];
    }
  return NULL;
}

static bool set_knob(reader *r, const char *name, const char *value)
{
  sdn_err err;
  size_t k;
  if (sdn_knob_set(r->page->knobs, *r->page->n_knob, r->options, name, value, &err) != SDN_OK) {
    fprintf(stderr, "sedna %s: %s\n", r->page->name, err.text);
    return false;
  }
  if (find_knob(r, name, &k)) r->given[k] = true;
  return true;
}

static bool set_threads(reader *r, const char *value)
{
  char *end;
  long n = strtol(value, &end, 10);
  if (*end || end == value || n < 1 || n > 4096) return complain(r, "--threads wants a number from 1 to 4096, not ", value);
  r->run->n_thread = (int)n;
  return true;
}

/* The knob's text grows in r->rest, which therefore outlives the call. */
static bool read_rest(reader *r, const char *arg)
{
  const size_t used = strlen(r->rest);
  if (used + strlen(arg) + 2 > sizeof r->rest) return complain(r, "too many arguments before ", arg);
  snprintf(r->rest + used, sizeof r->rest - used, "%s%s", used ? "\n" : "", arg);
  return true;
}

static bool read_positional(reader *r, const char *arg)
{
  const char *knob = r->n_positional < CLI_MAX_POSITIONAL ? r->page->positional[r->n_positional] : NULL;
  if (!knob && r->page->rest) return read_rest(r, arg);
  if (!knob) return complain(r, "one argument too many: ", arg);
  r->n_positional++;
  return set_knob(r, knob, arg);
}

/* Reads argv[*i] and, where it takes one, its value. */
static bool read_argument(reader *r, int argc, char **argv, int *i)
{
  const char *arg = argv[*i];
  if (!strcmp(arg, "-h") || !strcmp(arg, "--help")) return r->help = true;
  if (!strcmp(arg, "-q") || !strcmp(arg, "--quiet")) {
    r->run->progress = NULL;
    return quiet = true;
  }
  bool is_short = long_form(arg) != NULL;
  if (!is_short && strncmp(arg, "--", 2) != 0) {
    if (arg[0] == '-' && arg[1]) return complain(r, "unknown option ", arg);
    return read_positional(r, arg);
  }
  char name[64];
  option_name(arg, name, sizeof name);
  size_t index;
  const sdn_knob *knob = find_knob(r, name, &index);
  const char *value = is_short ? (arg[2] ? arg + 2 : NULL) : strchr(arg, '=');
  if (value) value += *value == '=';
  else if (knob && knob->kind == SDN_KNOB_FLAG) value = "true";
  else if (*i + 1 < argc) value = argv[++*i];
  else return complain(r, "a value is missing after ", arg);
  return strcmp(name, "threads") ? set_knob(r, name, value) : set_threads(r, value);
}

/* Further arguments, and what the same knob was given by name, are one text. */
static bool set_rest(reader *r)
{
  size_t k;
  if (!r->rest[0] || !find_knob(r, r->page->rest, &k)) return true;
  const char *named = *(const char **)(void *)((char *)r->options + r->page->knobs[k].offset);
  return (!named || read_rest(r, named)) && set_knob(r, r->page->rest, r->rest);
}

static bool is_given(const reader *r, const char *name)
{
  size_t k;
  return name && find_knob(r, name, &k) && r->given[k];
}

static bool check_complete(const reader *r)
{
  if (r->n_positional < CLI_MAX_POSITIONAL && r->page->positional[r->n_positional] && !is_given(r, r->page->instead_of_them))
    return complain(r, "missing argument: ", r->page->positional[r->n_positional]);
  if (is_given(r, r->page->instead)) return true;
  char words[128];
  snprintf(words, sizeof words, "%s", r->page->required);
  for (char *word = strtok(words, " "); word; word = strtok(NULL, " ")) {
    size_t k;
    if (find_knob(r, word, &k) && !r->given[k]) return complain(r, "missing option: --", word);
  }
  return true;
}

/* The command line as one text, for the output's record of its origin. */
static const char *join_command(const cli_page *page, int argc, char **argv)
{
  static char text[2048];
  size_t used = (size_t)snprintf(text, sizeof text, "sedna %s", page->name);
  for (int i = 1; i < argc && used < sizeof text; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, strpbrk(argv[i], " \t'\"") ? " \"%s\"" : " %s", argv[i]);
  return text;
}

cli_parsed cli_parse(const cli_page *page, int argc, char **argv, void *options, sdn_run *run)
{
  static reader r;   /* options point into its text */
  r = (reader){.page = page, .options = options, .run = run};
  memset(run, 0, sizeof *run);
  run->stop = &stop_wanted;
  run->command = join_command(page, argc, argv);
  if (isatty(STDERR_FILENO)) run->progress = show_progress;
  sdn_knob_defaults(page->knobs, *page->n_knob, options);
  for (int i = 1; i < argc; i++) {
    if (!read_argument(&r, argc, argv, &i)) return CLI_WRONG;
    if (r.help) {
      print_page(page);
      return CLI_HELP_SHOWN;
    }
  }
  if (!set_rest(&r) || !check_complete(&r)) return CLI_WRONG;
  catch_signals();
  return CLI_GO;
}

/* ------------------------------------------------------------------ ending */

int cli_exit_code(sdn_status status)
{
  switch (status) {
  case SDN_OK: return 0;
  case SDN_USAGE:
  case SDN_RANGE: return 2;
  case SDN_INTERRUPTED: return 130;
  default: return 1;
  }
}

bool cli_quiet(void) { return quiet; }

int cli_report(const char *command, const sdn_err *err)
{
  cli_progress_end();
  fprintf(stderr, "sedna %s: %s\n", command, err->text);
  return cli_exit_code(err->status);
}
