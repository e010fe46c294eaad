/* SPDX-License-Identifier: MIT */
#include "engine/model/match.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/base/text.h"

/* "3x4", "scalar" */
static void show_shape(char *out, size_t size, int rank, const int64_t *shape)
{
    size_t used = 0;

    snprintf(out, size, "scalar");
    for (int i = 0; i < rank && used < size; i++)
        used +=
            (size_t)snprintf(out + used, size - used, "%s%lld", i ? "x" : "", (long long)shape[i]);
}

static bool is_floating(int type)
{
    return type == LW_F32 || type == LW_F16 || type == LW_BF16 || type == LW_F64;
}

/* Does the tensor fit the parameter? If not, say how. */
static bool fits(const struct lw_param *p, const struct lw_tensor *t, char *why, size_t size)
{
    int64_t wanted[LW_TENSOR_RANK] = {0};
    char have[64], want[64], shown[96];
    bool same = t->rank == p->rank;

    for (int i = 0; i < p->rank; i++) {
        wanted[i] = p->shape[i];
        same &= t->shape[i] == wanted[i];
    }
    lw_text_clean(t->name, strlen(t->name), shown, sizeof shown);
    show_shape(have, sizeof have, t->rank, t->shape);
    show_shape(want, sizeof want, p->rank, wanted);
    if (!same)
        snprintf(why, size, "%s is %s, not %s", shown, have, want);
    else if (!is_floating(t->type))
        snprintf(why, size, "%s is %s, not floating point", shown, t->type_name);
    return same && is_floating(t->type);
}

/* The tensor of that name, with the optional prefix or without it. */
static const struct lw_tensor *find_name(const struct lw_tensor_set *set,
                                         const struct lw_match_rules *rules, const char *name)
{
    const struct lw_tensor *t = lw_tensor_set_find(set, name);
    size_t prefix = rules->optional_prefix ? strlen(rules->optional_prefix) : 0;

    if (!t && prefix && !strncmp(name, rules->optional_prefix, prefix))
        t = lw_tensor_set_find(set, name + prefix);
    return t;
}

/* The tensor of a parameter, under any of its names. */
static const struct lw_tensor *find(const struct lw_tensor_set *set,
                                    const struct lw_match_rules *rules, const char *name)
{
    const struct lw_tensor *t = find_name(set, rules, name);
    char other[LW_PARAM_NAME + 8];

    if (!t && rules->other_name && rules->other_name(name, other, sizeof other))
        t = find_name(set, rules, other);
    return t;
}

static void match_parameters(struct lw_match *m, const struct lw_params *p,
                             const struct lw_tensor_set *set, const struct lw_match_rules *rules)
{
    for (int i = 0; i < p->params * rules->suffix_count; i++) {
        const struct lw_param *param = &p->list[i / rules->suffix_count];
        bool replaceable = rules->replaceable && rules->replaceable(param->name);
        char name[LW_PARAM_NAME + 8], why[320];

        snprintf(name, sizeof name, "%s%s", param->name, rules->suffixes[i % rules->suffix_count]);
        m->of[i] = find(set, rules, name);
        m->fresh[i] = !m->of[i] || !fits(param, m->of[i], why, sizeof why);
        if (!m->fresh[i] || replaceable)
            continue;
        lw_name_list_add(m->of[i] ? &m->misshapen : &m->missing, m->of[i] ? why : name);
    }
}

static int by_address(const void *a, const void *b)
{
    const struct lw_tensor *x = *(const struct lw_tensor *const *)a;
    const struct lw_tensor *y = *(const struct lw_tensor *const *)b;

    return (x > y) - (x < y);
}

static void match_extras(struct lw_match *m, const struct lw_tensor **sorted, size_t count,
                         const struct lw_tensor_set *set, const struct lw_match_rules *rules)
{
    for (int i = 0; i < set->file_count; i++)
        for (size_t j = 0; j < set->files[i].tensors; j++) {
            const struct lw_tensor *t = &set->files[i].list[j];
            char shown[96];

            if (bsearch(&t, sorted, count, sizeof *sorted, by_address) ||
                (rules->ignore && rules->ignore(t->name)))
                continue;
            lw_text_clean(t->name, strlen(t->name), shown, sizeof shown);
            lw_name_list_add(&m->extra, shown);
        }
}

/* All that is wrong, within one error's text. */
static int complain(const struct lw_match *m, const char *what, struct lw_error *err)
{
    const struct {
        const char *title;
        const struct lw_name_list *list;
    } lists[] = {{"missing", &m->missing}, {"extra", &m->extra}, {"misshapen", &m->misshapen}};
    char text[880] = "";
    size_t used = 0, left = 0;

    for (int i = 0; i < 3; i++)
        left += lists[i].list->count > 0;
    for (int i = 0; i < 3; i++) {
        if (!lists[i].list->count)
            continue;
        /* an equal share of what is left for this list and those after it */
        used += lw_name_list_tell(lists[i].list, lists[i].title, text + used,
                                  (sizeof text - used) / left);
        left--;
    }
    return lw_fail(err, LW_EDATA, "%.100s doesn't hold this model's tensors:%s", what, text);
}

int lw_match_tensors(struct lw_match *m, const struct lw_params *p, const struct lw_tensor_set *set,
                     const struct lw_match_rules *rules, struct lw_error *err)
{
    const size_t count = (size_t)p->params * (size_t)rules->suffix_count;
    const struct lw_tensor **sorted;

    memset(m, 0, sizeof *m);
    m->of = calloc(count, sizeof *m->of);
    m->fresh = calloc(count, sizeof *m->fresh);
    sorted = malloc(count * sizeof *sorted);
    if (!m->of || !m->fresh || !sorted) {
        free(sorted);
        return lw_fail(err, LW_EMEM, "out of memory reading %s", rules->what);
    }
    match_parameters(m, p, set, rules);
    memcpy(sorted, m->of, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_address);
    match_extras(m, sorted, count, set, rules);
    free(sorted);
    if (!m->missing.count && !m->extra.count && !m->misshapen.count)
        return 0;
    return complain(m, rules->what, err);
}

void lw_match_free(struct lw_match *m)
{
    free(m->of);
    free(m->fresh);
    m->of = NULL;
    m->fresh = NULL;
    lw_name_list_free(&m->missing);
    lw_name_list_free(&m->extra);
    lw_name_list_free(&m->misshapen);
}
