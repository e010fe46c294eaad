/* SPDX-License-Identifier: MIT
 *
 * Words for ids. */
#include <stdio.h>
#include <stdlib.h>

#include "engine/drift/profile.h"

#define NAMES 1000 /* frequent tokens whose words are kept */

static int by_id(const void *key, const void *row)
{
    uint32_t a = *(const uint32_t *)key, b = ((const struct lw_id_text *)row)->id;

    return a < b ? -1 : a > b;
}

static int in_order(const void *a, const void *b)
{
    return by_id(&((const struct lw_id_text *)a)->id, b);
}

const char *lw_profile_name(const struct lw_profile *p, uint32_t id)
{
    const struct lw_id_text *found =
        p->names ? bsearch(&id, p->name, (size_t)p->names, sizeof *p->name, by_id) : NULL;

    return found ? found->text : NULL;
}

int lw_profile_take_names(struct lw_profile *p, lw_profile_namer *name, void *user,
                          struct lw_error *err)
{
    struct lw_id_count *top = malloc(NAMES * sizeof *top);
    struct lw_id_text *list = realloc(p->name, NAMES * sizeof *list);
    int n = top && list ? lw_tally_top(&p->text.tokens, top, NAMES) : 0;

    p->names = 0;
    p->name = list ? list : p->name;
    for (int i = 0; i < n; i++) {
        char room[28];
        const char *word = name(user, top[i].id, room);

        if (!word)
            continue;
        list[p->names].id = top[i].id;
        snprintf(list[p->names++].text, sizeof list->text, "%s", word);
    }
    if (p->names)
        qsort(list, (size_t)p->names, sizeof *list, in_order);
    free(top);
    return top && list ? 0 : lw_fail(err, LW_EMEM, "out of memory");
}
