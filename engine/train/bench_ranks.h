/* SPDX-License-Identifier: MIT
 *
 * Benchmarks of several ranks: bench train devices=2 starts mpirun, and a launcher of one's own
 * makes each bench train one of its ranks. Only rank 0 has a report.
 */
#ifndef LW_TRAIN_BENCH_RANKS_H
#define LW_TRAIN_BENCH_RANKS_H

#include "engine/dist/comm.h"
#include "engine/dist/group.h"
#include "engine/model/model.h"
#include "engine/train/bench.h"

struct lw_bench_ranks {
    struct lw_comm *comm; /* NULL: one rank */
    int rank, ranks, local, locals;
    struct lw_group group;
    struct lw_reducer reducer;
};

/* Meet the others, if a launcher started any. */
LW_NODISCARD int lw_bench_ranks_open(struct lw_bench_ranks *r, struct lw_error *err);
/* Part; why: this rank failed. */
void lw_bench_ranks_close(struct lw_bench_ranks *r, const struct lw_error *why);

/* Start so many ranks of bench train with these arguments; rank 0's report goes to out. */
LW_NODISCARD int lw_bench_ranks_start(int ranks, const struct lw_bench_args *a, json_t *out,
                                      struct lw_error *err);

/* Make the device one of the group. */
LW_NODISCARD int lw_bench_ranks_join(struct lw_bench_ranks *r, struct lw_model *g,
                                     const struct lw_backend *backend, struct lw_device *device,
                                     struct lw_error *err);
/* From here on all ranks train together, from the same weights. */
LW_NODISCARD int lw_bench_ranks_together(struct lw_bench_ranks *r, struct lw_model *g,
                                         struct lw_error *err);
const char *lw_bench_ranks_sums(const struct lw_bench_ranks *r);

#endif
