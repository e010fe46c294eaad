/* SPDX-License-Identifier: MIT */
#include "engine/ops/ops.h"

const struct lw_backend *const lw_backends[] = {&lw_backend_cpu, NULL};
