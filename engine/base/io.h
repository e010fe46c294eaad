/* SPDX-License-Identifier: MIT
 *
 * Files, written so that a crash at any moment leaves either the old content or the new.
 */
#ifndef LW_BASE_IO_H
#define LW_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/base/error.h"

/* A program that was started with standard input, output or error closed would get another file
 * under their numbers, and print into it: they become /dev/null. The first thing a program does. */
void lw_fill_standard(void);

/* write(2) until all is out, through EINTR and short writes. 0, or -1 with errno. */
int lw_write_all(int fd, const void *data, size_t size);

/* Read a whole file into memory the caller frees; *data ends in an extra NUL. max 0: no limit.
 * A larger file is LW_EDATA before anything is allocated. */
LW_NODISCARD int lw_read_file(const char *path, size_t max, char **data, size_t *size,
                              struct lw_error *err);

/* Replace path: written beside it, fsynced, renamed over it, folder fsynced if durable. */
LW_NODISCARD int lw_replace_file(const char *path, const void *data, size_t size, int durable,
                                 struct lw_error *err);

/* Something that is another after a file was written or replaced; -1: it is not there. */
int64_t lw_file_stamp(const char *path);

/* Copy a file so that `to` is whole or as it was: written beside it, fsynced, renamed. The data
 * stays in the kernel; memory does not grow with it. */
LW_NODISCARD int lw_copy_file(const char *from, const char *to, struct lw_error *err);

/* Remove what the functions above left beside files of dir when their process was killed: files
 * called NAME.PID.tmp where there is no process PID. Never fails: what cannot be removed stays. */
void lw_remove_leftovers(const char *dir);

/* fsync a folder, so that names created or renamed in it survive a power cut. */
LW_NODISCARD int lw_sync_folder(const char *path, struct lw_error *err);

/* mkdir -p. */
LW_NODISCARD int lw_make_folders(const char *path, struct lw_error *err);

/* rm -rf of a folder that we made; missing is fine. */
LW_NODISCARD int lw_remove_tree(const char *path, struct lw_error *err);

/* "dir/name" ("name" where dir is empty) in memory the caller frees; NULL when out of memory. */
char *lw_path_join(const char *dir, const char *name);

/* Does a path end so, in small letters or capitals? */
bool lw_path_ends(const char *path, const char *end);

#endif
