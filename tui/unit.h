/* SPDX-License-Identifier: MIT
 *
 * What a run's throughput counts.
 */
#ifndef LW_TUI_UNIT_H
#define LW_TUI_UNIT_H

/* "tok" or "img", by the configuration in a run's folder; "tok" where that cannot be read. */
const char *lw_unit_of_run(const char *dir);

#endif
