/* SPDX-License-Identifier: MIT */
#include "engine/model/attention.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct {
    int kind;
    const char *name, *title;
} kinds[] = {
    {LW_ATTENTION_AUTO, "auto", "Auto attention"},
    /* in the order in which auto tries them */
    {LW_ATTENTION_CUDNN, "cudnn", "Flash attention (cuDNN SDPA)"},
    {LW_ATTENTION_TILED, "tiled", "Tiled attention"},
    {LW_ATTENTION_MATH, "math", "Math attention"},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *lw_attention_name(int kind)
{
    for (int i = 0; i < KINDS; i++)
        if (kinds[i].kind == kind)
            return kinds[i].name;
    return "?";
}

int lw_attention_parse(const char *name)
{
    for (int i = 0; i < KINDS; i++)
        if (!strcmp(kinds[i].name, name))
            return kinds[i].kind;
    return -2;
}

/* "4 layers: h.0.attn, h.1.attn, h.2.attn and 1 more" */
static void name_layers(char *out, size_t size, int layers, const char *prefix, const char *suffix)
{
    const int shown = layers < 3 ? layers : 3;
    int n = snprintf(out, size, "%d layer%s:", layers, layers == 1 ? "" : "s");

    for (int i = 0; i < shown && n >= 0 && (size_t)n < size; i++)
        n += snprintf(out + n, size - (size_t)n, "%s %s%d%s", i ? "," : "", prefix, i, suffix);
    if (layers > shown && n >= 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, " and %d more", layers - shown);
}

int lw_attention_choose(const struct lw_backend *backend, struct lw_device *device,
                        const struct lw_attention *shape, int wanted, int layers,
                        const char *prefix, const char *suffix, struct lw_attention_choice *out,
                        struct lw_error *err)
{
    struct lw_attention a = *shape;
    char where[160], reasons[480] = "";
    size_t used = 0;

    name_layers(where, sizeof where, layers, prefix, suffix);
    for (int i = 1; i < KINDS; i++) {
        struct lw_error why = {0};

        if (wanted != LW_ATTENTION_AUTO && kinds[i].kind != wanted)
            continue;
        a.kind = (enum lw_attention_kind)kinds[i].kind;
        if (!backend->attention_ready(device, &a, &why)) {
            /* falling back is worth a reason */
            bool tell = wanted == LW_ATTENTION_AUTO && used;

            out->kind = a.kind;
            snprintf(out->event, sizeof out->event, "%s on for %s%s%.200s%s",
                     kinds[i].title, where, tell ? " (" : "", tell ? reasons : "", tell ? ")" : "");
            return 0;
        }
        if (used < sizeof reasons)
            used += (size_t)snprintf(reasons + used, sizeof reasons - used, "%s%s: %.200s",
                                     used ? "; " : "", kinds[i].name, why.text);
    }
    if (wanted == LW_ATTENTION_AUTO)
        return lw_fail(err, LW_EBACKEND, "no attention can run for %s (%s)", where, reasons);
    return lw_fail(err, LW_EUSAGE,
                   "attention=%s can't run for %s (%s); attention=auto takes what can",
                   lw_attention_name(wanted), where, reasons);
}
