/* SPDX-License-Identifier: MIT */
#include "engine/run/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/base/io.h"
#include "engine/base/text.h"
#include "engine/run/folder.h"
#include "engine/run/one_line.h"

static const char *const names[LW_REQUEST_COUNT] = {
    NULL, "status", "pause", "continue", "checkpoint", "stop",
};

const char *lw_request_name(enum lw_request request)
{
    return (unsigned)request < LW_REQUEST_COUNT ? names[request] : NULL;
}

enum lw_request lw_request_from(const char *name)
{
    for (int i = 1; i < LW_REQUEST_COUNT; i++)
        if (!strcmp(names[i], name))
            return (enum lw_request)i;
    return LW_REQUEST_NONE;
}

enum lw_request lw_protocol_request(const char *line, size_t size, struct lw_error *err)
{
    enum lw_request request = LW_REQUEST_NONE;
    const char *command;
    json_error_t bad;
    json_t *root = json_loadb(line, size, JSON_REJECT_DUPLICATES, &bad);

    if (!root) {
        lw_fail(err, LW_EDATA, "not JSON: %s", bad.text);
        return LW_REQUEST_NONE;
    }
    command = json_string_value(json_object_get(root, "command"));
    if (!command)
        lw_fail(err, LW_EDATA, "must be a line such as {\"command\": \"status\"}");
    else
        request = lw_request_from(command);
    if (command && !request)
        lw_fail(err, LW_EDATA,
                "unknown command \"%.40s\": pause, continue, checkpoint, stop and status are known",
                command);
    json_decref(root);
    return request;
}

size_t lw_protocol_answer(char *out, size_t size, bool ok, enum lw_run_state state, int64_t step,
                          const char *text)
{
    char clean[1024];
    json_t *root;
    size_t n;

    lw_one_line(text ? text : "", clean, sizeof(clean));
    root = json_pack("{s:b, s:s, s:I, s:s}", "ok", ok, "state", lw_state_name(state), "step",
                     (json_int_t)step, "text", clean);
    n = json_dumpb(root, out, size, JSON_COMPACT);
    json_decref(root);
    if (!root || n + 2 > size)
        return 0;
    out[n] = '\n';
    out[n + 1] = '\0';
    return n + 1;
}

int lw_protocol_reply(const char *line, size_t size, struct lw_reply *reply, struct lw_error *err)
{
    json_error_t bad;
    json_t *root = json_loadb(line, size, JSON_REJECT_DUPLICATES, &bad);
    json_t *ok = json_object_get(root, "ok"), *text = json_object_get(root, "text");
    const char *state = json_string_value(json_object_get(root, "state"));

    memset(reply, 0, sizeof(*reply));
    if (!root || !json_is_boolean(ok)) {
        json_decref(root);
        return lw_fail(err, LW_EDATA, "the run's answer cannot be read");
    }
    reply->ok = json_is_true(ok);
    reply->step = json_integer_value(json_object_get(root, "step"));
    for (int i = 0; state && i < LW_STATE_COUNT; i++)
        if (!strcmp(state, lw_state_name((enum lw_run_state)i)))
            reply->state = (enum lw_run_state)i;
    if (json_is_string(text))
        lw_text_clean(json_string_value(text), json_string_length(text), reply->text,
                      sizeof(reply->text));
    json_decref(root);
    return 0;
}

int lw_protocol_address(int sock, const char *dir,
                        int (*use)(int, const struct sockaddr *, socklen_t))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int folder = -1, rc, saved;

    if (strlen(dir) + sizeof("/" LW_RUN_CONTROL) <= sizeof(address.sun_path)) {
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s", dir, LW_RUN_CONTROL);
    } else {
        folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (folder < 0)
            return -1;
        snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", folder,
                 LW_RUN_CONTROL);
    }
    rc = use(sock, (const struct sockaddr *)&address, sizeof(address));
    saved = errno;
    if (folder >= 0)
        close(folder);
    errno = saved;
    return rc;
}
