/* SPDX-License-Identifier: MIT
 *
 * A fuzz target is one file that includes this header and defines LLVMFuzzerTestOneInput. With
 * --enable-fuzz (clang) libFuzzer drives it. In every other build it is a small test: it replays
 * tests/fuzz/corpus/NAME/, NAME from tests/fuzz/fuzz_NAME.c, every file whole, cut short and
 * damaged in ways that are the same in each run.
 */
#ifndef LW_TESTS_FUZZ_H
#define LW_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

typedef int fuzz_target(const uint8_t *data, size_t size);

fuzz_target LLVMFuzzerTestOneInput;

/* main() of a replay: the files and folders in argv, else the corpus of the target in source. */
int fuzz_replay(int argc, char **argv, const char *source, fuzz_target *target);

#ifndef LW_LIBFUZZER
int main(int argc, char **argv)
{
    return fuzz_replay(argc, argv, __BASE_FILE__, LLVMFuzzerTestOneInput);
}
#endif

#endif
