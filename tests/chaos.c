/* SPDX-License-Identifier: MIT
 *
 * What a shared library calls of others it calls through a table of addresses, which the dynamic
 * linker fills in by name (the relocations of ELF's dynamic section). Here the entries of malloc
 * and its like are overwritten; a sanitizer's malloc stays behind ours that way.
 */
#include "tests/chaos.h"

#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_long requests, failing;

static bool fails(void)
{
    if (atomic_fetch_add(&requests, 1) + 1 != atomic_load(&failing))
        return false;
    errno = ENOMEM;
    return true;
}

static void *our_malloc(size_t n)
{
    return fails() ? NULL : malloc(n);
}

static void *our_calloc(size_t n, size_t size)
{
    return fails() ? NULL : calloc(n, size);
}

static void *our_realloc(void *p, size_t n)
{
    return fails() ? NULL : realloc(p, n);
}

static void *our_aligned_alloc(size_t align, size_t n)
{
    return fails() ? NULL : aligned_alloc(align, n);
}

static int our_posix_memalign(void **p, size_t align, size_t n)
{
    return fails() ? ENOMEM : posix_memalign(p, align, n);
}

static char *our_strdup(const char *s)
{
    return fails() ? NULL : strdup(s);
}

static char *our_strndup(const char *s, size_t n)
{
    return fails() ? NULL : strndup(s, n);
}

static uintptr_t ours(const char *name)
{
    const struct {
        const char *name;
        uintptr_t function;
    } all[] = {
        {"malloc", (uintptr_t)our_malloc},
        {"calloc", (uintptr_t)our_calloc},
        {"realloc", (uintptr_t)our_realloc},
        {"aligned_alloc", (uintptr_t)our_aligned_alloc},
        {"posix_memalign", (uintptr_t)our_posix_memalign},
        {"strdup", (uintptr_t)our_strdup},
        {"__strdup", (uintptr_t)our_strdup},
        {"strndup", (uintptr_t)our_strndup},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(name, all[i].name) == 0)
            return all[i].function;
    return 0;
}

/* The table may be read-only once the linker is done with it (RELRO). */
static void set(uintptr_t *entry, uintptr_t function)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    if (mprotect((void *)((uintptr_t)entry / page * page), page, PROT_READ | PROT_WRITE))
        abort();
    *entry = function;
}

static void set_all(uintptr_t base, const ElfW(Rela) * list, size_t bytes,
                    const ElfW(Sym) * symbols, const char *names)
{
    for (size_t i = 0; list && i < bytes / sizeof *list; i++) {
        const ElfW(Sym) *symbol = &symbols[list[i].r_info >> 32];
        uintptr_t function = symbol->st_name ? ours(names + symbol->st_name) : 0;

        if (function)
            set((uintptr_t *)(base + list[i].r_offset), function);
    }
}

static int take_over(struct dl_phdr_info *info, size_t size, void *user)
{
    const ElfW(Dyn) *dynamic = NULL;
    uintptr_t entry[DT_NUM] = {0};

    (void)size;
    if (!strstr(info->dlpi_name, "/libleeway.so"))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
            dynamic = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++)
        if (dynamic->d_tag > 0 && dynamic->d_tag < DT_NUM)
            entry[dynamic->d_tag] = dynamic->d_un.d_ptr;
    set_all(info->dlpi_addr, (const void *)entry[DT_JMPREL], entry[DT_PLTRELSZ],
            (const void *)entry[DT_SYMTAB], (const void *)entry[DT_STRTAB]);
    set_all(info->dlpi_addr, (const void *)entry[DT_RELA], entry[DT_RELASZ],
            (const void *)entry[DT_SYMTAB], (const void *)entry[DT_STRTAB]);
    *(bool *)user = true;
    return 1;
}

void chaos_fail(long nth)
{
    static bool taken;

    if (!taken)
        dl_iterate_phdr(take_over, &taken);
    atomic_store(&failing, nth);
    atomic_store(&requests, 0);
}

long chaos_requests(void)
{
    return atomic_load(&requests);
}
