/* SPDX-License-Identifier: MIT
 *
 * A thread that looks at one card about once a second, so that nobody who trains ever waits for
 * a driver.
 */
#ifndef LW_GPU_WATCH_H
#define LW_GPU_WATCH_H

#include <stdbool.h>

#include "engine/base/error.h"
#include "engine/gpu/nvml.h"

struct lw_gpu_watch;

/* What is told of the card (clocks held down, and no longer), from the thread. */
typedef void lw_gpu_tell(void *context, bool warn, const char *text);

/* Look at the card at a PCI address every `seconds`. LW_EMISSING: no NVML, or none there. */
LW_NODISCARD int lw_gpu_watch_start(struct lw_gpu_watch **out, const char *pci, double seconds,
                                    lw_gpu_tell *tell, void *context, struct lw_error *err);

/* The newest sample, without waiting; false while there is none, and for NULL. */
bool lw_gpu_watch_read(struct lw_gpu_watch *w, struct lw_gpu_sample *out);

/* End the thread; NULL is fine. */
void lw_gpu_watch_stop(struct lw_gpu_watch *w);

#endif
