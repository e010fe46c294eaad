/* SPDX-License-Identifier: MIT
 *
 * YAML files and key=value arguments.
 */
#include "engine/config/field.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/config/nearest.h"

enum { FILE_LIMIT = 1 << 20 };

static const char *nearest_field(const char *name)
{
    const char *names[LW_FIELD_LIMIT];

    for (int i = 0; i < lw_field_count; i++)
        names[i] = lw_fields[i].name;
    return lw_nearest(name, names, lw_field_count);
}

/* What other programs call it. */
static const char *known_elsewhere(const char *name)
{
    static const char *const words[][2] = {
        {"lr", "learning_rate"},
        {"max_lr", "learning_rate"},
        {"min_lr", "min_lr_ratio"},
        {"steps", "max_steps"},
        {"max_iters", "max_steps"},
        {"num_train_epochs", "epochs"},
        {"seed", "random_seed"},
        {"bs", "batch_size"},
        {"n_layer", "num_layers"},
        {"layers", "num_layers"},
        {"n_head", "num_heads"},
        {"heads", "num_heads"},
        {"n_embd", "d_model"},
        {"hidden_size", "d_model"},
        {"block_size", "max_seq_len"},
        {"seq_len", "max_seq_len"},
        {"grad_clip", "max_grad_norm"},
        {"grad_accum", "gradient_accumulation_steps"},
        {"wd", "weight_decay"},
        {"dtype", "precision"},
        {"compile", "compile_mode"},
        {"dataset", "data"},
        {"train_data", "data"},
        {"val_data", "validation_data"},
        {"eval_every", "evaluate_every"},
        {"eval_interval", "evaluate_every"},
        {"save_every", "checkpoint_every"},
        {"patience", "early_stopping_patience"},
        {"out_dir", "runs_dir"},
        {"output_dir", "runs_dir"},
        {"name", "run_name"},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (!strcmp(name, words[i][0]))
            return words[i][1];
    return NULL;
}

static void unknown_field(struct lw_config *c, const char *place, const char *name)
{
    const char *near = known_elsewhere(name);

    if (!near)
        near = nearest_field(name);
    if (near)
        lw_config_problem(c, "%s%.64s: unknown field, did you mean %s?", place, name, near);
    else
        lw_config_problem(c, "%s%.64s: unknown field; leeway train --help lists them", place, name);
}

/* What stands behind "#" after the value that ends at mark; "" when there is nothing. Columns of
 * a mark count characters. */
static void comment_behind(const char *text, size_t size, const yaml_mark_t *mark, char *out,
                           size_t out_size)
{
    const char *p = text, *end = text + size, *stop;
    size_t line = mark->line, column = mark->column;

    *out = '\0';
    for (; line && p < end; line--) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p)
            return;
        p++;
    }
    stop = memchr(p, '\n', (size_t)(end - p));
    if (!stop)
        stop = end;
    for (; column && p < stop; column--) {
        uint32_t code;
        size_t n = lw_utf8_decode(p, (size_t)(stop - p), &code);

        p += n ? n : 1;
    }
    while (p < stop && (*p == ' ' || *p == '\t' || *p == ','))
        p++;
    if (p >= stop || *p != '#')
        return;
    while (p < stop && (*p == '#' || *p == ' ' || *p == '\r'))
        p++;
    while (stop > p && (stop[-1] == ' ' || stop[-1] == '\r'))
        stop--;
    lw_text_clean(p, (size_t)(stop - p), out, out_size);
}

struct source {
    const char *text;
    size_t size;
    const char *name;
    int seen[LW_FIELD_LIMIT]; /* line a field was set at */
};

static int load_pair(struct lw_config *c, struct source *src, yaml_document_t *doc,
                     yaml_node_t *key, yaml_node_t *value, struct lw_error *err)
{
    int line = (int)key->start_mark.line + 1, field, rc;
    char place[320], why[256];
    struct lw_error bad = {0, ""};
    const char *name;

    snprintf(place, sizeof(place), "%s:%d: ", src->name, line);
    if (key->type != YAML_SCALAR_NODE) {
        lw_config_problem(c, "%sa field's name must be a word", place);
        return 0;
    }
    name = (const char *)key->data.scalar.value;
    field = lw_field_index(name);
    if (field < 0) {
        unknown_field(c, place, name);
        return 0;
    }
    if (src->seen[field]) {
        lw_config_problem(c, "%s%s: given twice, first in line %d", place, name, src->seen[field]);
        return 0;
    }
    src->seen[field] = line;
    rc = lw_field_set_node(c, &lw_fields[field], doc, value, &bad);
    if (rc == LW_EMEM)
        return lw_fail(err, rc, "%s", bad.text);
    if (rc < 0) {
        lw_config_problem(c, "%s%s: %s", place, name, bad.text);
        c->failed[field] = true;
        return 0;
    }
    comment_behind(src->text, src->size, &value->end_mark, why, sizeof(why));
    lw_config_mark(c, field, LW_ORIGIN_FILE, line, why);
    return 0;
}

static int load_document(struct lw_config *c, struct source *src, yaml_document_t *doc,
                         struct lw_error *err)
{
    yaml_node_t *root = yaml_document_get_root_node(doc);

    if (!root)
        return 0;
    if (root->type != YAML_MAPPING_NODE) {
        if (root->type == YAML_SCALAR_NODE && !root->data.scalar.length)
            return 0;
        lw_config_problem(c, "%s:%d: must be lines of \"field: value\"", src->name,
                          (int)root->start_mark.line + 1);
        return 0;
    }
    for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
         p++) {
        int rc = load_pair(c, src, doc, yaml_document_get_node(doc, p->key),
                           yaml_document_get_node(doc, p->value), err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static void syntax_problem(struct lw_config *c, const struct source *src, const yaml_parser_t *p)
{
    size_t line = p->problem_mark.line + 1;

    if (p->error == YAML_READER_ERROR) {
        line = 1;
        for (size_t i = 0; i < p->problem_offset && i < src->size; i++)
            line += src->text[i] == '\n';
        lw_config_problem(c, "%s:%zu: %s (byte %zu); the file must be UTF-8 text", src->name, line,
                          p->problem ? p->problem : "unreadable", p->problem_offset + 1);
    } else {
        lw_config_problem(c, "%s:%zu: not YAML here: %s%s%s", src->name, line,
                          p->problem ? p->problem : "unreadable", p->context ? " " : "",
                          p->context ? p->context : "");
    }
}

/* The block of comment lines a file begins with. */
static int take_preamble(struct lw_config *c, const char *text, size_t size, struct lw_error *err)
{
    size_t n = 0;

    while (n < size && text[n] == '#') {
        const char *end = memchr(text + n, '\n', size - n);

        if (!end)
            break;
        n = (size_t)(end - text) + 1;
        if (n > 16 << 10)
            return 0;
    }
    free(c->preamble);
    c->preamble = NULL;
    if (!n)
        return 0;
    c->preamble = strndup(text, n);
    return c->preamble ? 0 : lw_fail(err, LW_EMEM, "out of memory");
}

int lw_config_parse(struct lw_config *c, const char *text, size_t size, const char *name,
                    struct lw_error *err)
{
    struct source src = {text, size, name, {0}};
    yaml_document_t doc, more;
    yaml_parser_t parser;
    size_t before = (size_t)c->problems.count;
    int rc = 0;

    free(c->file);
    c->file = strdup(name);
    if (!c->file || !yaml_parser_initialize(&parser))
        return lw_fail(err, LW_EMEM, "out of memory reading %s", name);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (!yaml_parser_load(&parser, &doc)) {
        syntax_problem(c, &src, &parser);
        goto out;
    }
    rc = load_document(c, &src, &doc, err);
    yaml_document_delete(&doc);
    if (rc < 0)
        goto out;
    if (!yaml_parser_load(&parser, &more)) {
        syntax_problem(c, &src, &parser);
        goto out;
    }
    if (yaml_document_get_root_node(&more))
        lw_config_problem(c, "%s:%zu: a second YAML document begins, one is read", name,
                          more.start_mark.line + 1);
    yaml_document_delete(&more);
    if (before == (size_t)c->problems.count)
        rc = take_preamble(c, text, size, err);
out:
    yaml_parser_delete(&parser);
    return rc;
}

int lw_config_load(struct lw_config *c, const char *path, struct lw_error *err)
{
    char *text = NULL;
    size_t size = 0;
    int rc = lw_read_file(path, FILE_LIMIT, &text, &size, err);

    if (rc == 0)
        rc = lw_config_parse(c, text, size, path, err);
    free(text);
    return rc;
}

/* A value written as YAML: lists, maps and quoted strings of arguments. */
static int set_flow(struct lw_config *c, const struct lw_field *f, const char *value,
                    struct lw_error *err)
{
    yaml_parser_t parser;
    yaml_document_t doc;
    yaml_node_t *root;
    int rc;

    if (!yaml_parser_initialize(&parser))
        return lw_fail(err, LW_EMEM, "out of memory");
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)value, strlen(value));
    if (!yaml_parser_load(&parser, &doc)) {
        rc = lw_fail(err, LW_EUSAGE, "not YAML: %s", parser.problem ? parser.problem : "?");
        yaml_parser_delete(&parser);
        return rc;
    }
    root = yaml_document_get_root_node(&doc);
    rc =
        root ? lw_field_set_node(c, f, &doc, root, err) : lw_field_set_text(c, f, "", 0, true, err);
    yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
    return rc;
}

static int set_value(struct lw_config *c, const struct lw_field *f, const char *value,
                     struct lw_error *err)
{
    size_t n = strlen(value);
    bool quoted = n > 1 && *value == '"' && value[n - 1] == '"';

    if (f->type >= LW_FIELD_WORDS || quoted)
        return set_flow(c, f, value, err);
    return lw_field_set_text(c, f, value, n, true, err);
}

int lw_config_set(struct lw_config *c, const char *assignment, struct lw_error *err)
{
    const char *eq = strchr(assignment, '=');
    struct lw_error bad = {0, ""};
    char name[128];
    int field, rc;

    if (!eq || eq == assignment || eq - assignment >= (ptrdiff_t)sizeof(name)) {
        lw_config_problem(c, "%.64s: must be written field=value", assignment);
        return 0;
    }
    snprintf(name, sizeof(name), "%.*s", (int)(eq - assignment), assignment);
    field = lw_field_index(name);
    if (field < 0) {
        unknown_field(c, "", name);
        return 0;
    }
    if (c->origin[field] == LW_ORIGIN_ARGUMENT)
        lw_config_problem(c, "%s: given twice on the command line", name);
    rc = set_value(c, &lw_fields[field], eq + 1, &bad);
    if (rc == LW_EMEM)
        return lw_fail(err, rc, "%s", bad.text);
    c->failed[field] = rc < 0;
    if (rc < 0)
        lw_config_problem(c, "%s: %s", name, bad.text);
    lw_config_mark(c, field, LW_ORIGIN_ARGUMENT, 0, NULL);
    return 0;
}

int lw_config_change(struct lw_config *c, const char *field, const char *value, const char *why,
                     struct lw_error *err)
{
    int i = lw_field_index(field), rc;

    if (i < 0)
        return lw_fail(err, LW_EUSAGE, "%s: unknown field", field);
    rc = set_value(c, &lw_fields[i], value, err);
    if (rc < 0)
        return lw_wrap(err, "%s", field);
    lw_config_mark(c, i, LW_ORIGIN_CHANGED, 0, why);
    return 0;
}
