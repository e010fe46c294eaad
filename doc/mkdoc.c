/* SPDX-License-Identifier: MIT
 *
 * Fills the templates of the manual page and of the bash completion from the tables that the
 * program itself runs on, so that they cannot fall behind: mkdoc TEMPLATE >RESULT
 *
 * A line of a template that is just @NAME@ is replaced by what the writer of that name prints.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/config/config.h"
#include "tui/keys.h"
#include "tui/verb.h"

/* Text as roff: nothing in it is a request, and a hyphen stays the character one types. */
static void roff_bytes(const char *s, size_t n)
{
    if (n && (*s == '.' || *s == '\''))
        fputs("\\&", stdout);
    for (; n--; s++) {
        if (*s == '\\')
            fputs("\\e", stdout);
        else if (*s == '-')
            fputs("\\-", stdout);
        else
            putchar(*s);
    }
}

static void roff(const char *s)
{
    roff_bytes(s, strlen(s));
}

/* What every command takes, described once. */
static const struct lw_option common[] = {LW_COMMON_OPTIONS};

static int is_common(const struct lw_option *o)
{
    for (const struct lw_option *c = common; c->name; c++)
        if (!strcmp(c->name, o->name))
            return 1;
    return 0;
}

static void roff_options(const struct lw_option *o, int with_common)
{
    for (; o->name; o++) {
        if (!with_common && is_common(o))
            continue;
        fputs(".TP\n.B ", stdout);
        if (o->letter)
            printf("\\-%c, ", o->letter);
        fputs("\\-\\-", stdout);
        roff(o->name);
        if (o->value) {
            fputs(" \\fI", stdout);
            roff(o->value);
            fputs("\\fR", stdout);
        }
        putchar('\n');
        roff(o->help);
        fputs(".\n", stdout);
    }
}

static void man_commands(void)
{
    for (const struct lw_verb *v = lw_verbs; v->name; v++) {
        const char *help = v->help;

        fputs(".SS \"leeway ", stdout);
        roff(v->name);
        putchar(' ');
        roff(v->usage);
        fputs("\"\n", stdout);
        roff(v->summary);
        fputs(".\n", stdout);
        if (*help)
            fputs(".PP\n", stdout);
        while (*help) {
            size_t n = strcspn(help, "\n");

            roff_bytes(help, n);
            putchar('\n');
            help += n + (help[n] == '\n');
        }
        if (v->options)
            roff_options(v->options, 0);
    }
}

static void man_options(void)
{
    roff_options(common, 1);
}

static void man_fields(void)
{
    struct lw_config c;
    struct lw_error err;
    const char *name, *word;

    if (lw_config_init(&c, &err)) {
        fprintf(stderr, "mkdoc: %s\n", err.text);
        exit(1);
    }
    for (int i = 0; (name = lw_config_field_name(i)); i++) {
        char value[256];

        fputs(".TP\n.B ", stdout);
        roff(name);
        if (lw_config_get(&c, name, value, sizeof value) >= 0 && *value) {
            fputs(" \\fR(", stdout);
            roff(value);
            fputs(")", stdout);
        }
        putchar('\n');
        roff(lw_config_field_help(i));
        fputs(".\n", stdout);
        if (!lw_config_field_choice(i, 0) || !lw_config_field_choice(i, 1))
            continue;
        for (int j = 0; (word = lw_config_field_choice(i, j)); j++) {
            fputs(j ? ", \\fB" : "One of \\fB", stdout);
            roff(word);
            fputs("\\fR", stdout);
        }
        fputs(".\n", stdout);
    }
    lw_config_fini(&c);
}

static void man_keys(void)
{
    for (const struct lw_key *k = lw_keys; k->action != LW_ACT_NONE; k++) {
        fputs(".TP\n.B ", stdout);
        roff(k->shown);
        putchar('\n');
        roff(k->help);
        fputs(".\n", stdout);
    }
}

/* A word in bash's single quotes; the tables have none of those. */
static void bash_commands(void)
{
    fputs("_leeway_commands='help", stdout);
    for (const struct lw_verb *v = lw_verbs; v->name; v++)
        printf(" %s", v->name);
    puts("'");
}

static void bash_options(void)
{
    puts("_leeway_options()\n{\n    case $1 in");
    for (const struct lw_verb *v = lw_verbs; v->name; v++) {
        if (!v->options)
            continue;
        printf("    %s) echo '", v->name);
        for (const struct lw_option *o = v->options; o->name; o++)
            printf("%s--%s", o == v->options ? "" : " ", o->name);
        puts("' ;;");
    }
    puts("    *) echo '--help --version' ;;\n    esac\n}");
}

static void bash_fields(void)
{
    const char *name, *word;

    fputs("_leeway_fields='", stdout);
    for (int i = 0; (name = lw_config_field_name(i)); i++)
        printf("%s%s=", i ? " " : "", name);
    puts("'\n\n_leeway_choices()\n{\n    case $1 in");
    for (int i = 0; (name = lw_config_field_name(i)); i++) {
        if (!lw_config_field_choice(i, 0))
            continue;
        printf("    %s) echo '", name);
        for (int j = 0; (word = lw_config_field_choice(i, j)); j++)
            printf("%s%s", j ? " " : "", word);
        puts("' ;;");
    }
    puts("    esac\n}");
}

static void version(void)
{
    puts(".TH LEEWAY 1 \"\" \"leeway " PACKAGE_VERSION "\" \"User Commands\"");
}

static const struct {
    const char *name;
    void (*print)(void);
} writers[] = {
    {"@VERSION@", version},
    {"@COMMANDS@", man_commands},
    {"@OPTIONS@", man_options},
    {"@FIELDS@", man_fields},
    {"@KEYS@", man_keys},
    {"@BASH_COMMANDS@", bash_commands},
    {"@BASH_OPTIONS@", bash_options},
    {"@BASH_FIELDS@", bash_fields},
};

int main(int argc, char **argv)
{
    FILE *in = argc == 2 ? fopen(argv[1], "r") : NULL;
    char line[1024];

    if (!in) {
        perror(argc == 2 ? argv[1] : "mkdoc: want one template");
        return 1;
    }
    while (fgets(line, sizeof line, in)) {
        size_t i, count = sizeof writers / sizeof writers[0];

        line[strcspn(line, "\n")] = '\0';
        for (i = 0; i < count && strcmp(line, writers[i].name) != 0; i++)
            ;
        if (i < count)
            writers[i].print();
        else
            puts(line);
    }
    fclose(in);
    return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
