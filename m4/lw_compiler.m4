# SPDX-License-Identifier: MIT
#
# LW_TRY_FLAGS(FLAGS, IF-WORKS, IF-NOT): does a program compile, link and run with FLAGS?
AC_DEFUN([LW_TRY_FLAGS], [
lw_saved_cflags=$CFLAGS
CFLAGS="$CFLAGS $1"
AC_RUN_IFELSE([AC_LANG_PROGRAM([], [])], [lw_works=yes], [lw_works=no], [lw_works=no])
CFLAGS=$lw_saved_cflags
AS_IF([test "x$lw_works" = xyes], [$2], [$3])
])

# LW_SANITIZERS
# --enable-asan, --enable-ubsan: build everything with AddressSanitizer (and its leak checker),
# UndefinedBehaviorSanitizer, or both. A finding ends the program: there is no recovery.
# Sets lw_sanitizers to what is on, and sanitizers_work to whether this compiler can do both.
AC_DEFUN([LW_SANITIZERS], [
AC_ARG_ENABLE([asan],
    [AS_HELP_STRING([--enable-asan], [build with AddressSanitizer])], [], [enable_asan=no])
AC_ARG_ENABLE([ubsan],
    [AS_HELP_STRING([--enable-ubsan], [build with UndefinedBehaviorSanitizer])], [],
    [enable_ubsan=no])
lw_sanitizers=
AS_IF([test "x$enable_asan" != xno], [lw_sanitizers=address])
AS_IF([test "x$enable_ubsan" != xno], [lw_sanitizers="${lw_sanitizers:+$lw_sanitizers,}undefined"])
SANITIZE_CFLAGS=
AS_IF([test -n "$lw_sanitizers"], [
    SANITIZE_CFLAGS="-fsanitize=$lw_sanitizers -fno-sanitize-recover=all -fno-omit-frame-pointer"
    LW_TRY_FLAGS([$SANITIZE_CFLAGS], [],
        [AC_MSG_ERROR([$CC cannot build and run programs with -fsanitize=$lw_sanitizers])])])
LEAKS_LDFLAGS=
AS_IF([test "x$enable_asan" != xno], # tests/leaks.c is linked although nobody calls it
    [LEAKS_LDFLAGS=-Wl,-u,__lsan_is_turned_off])
AC_SUBST([LEAKS_LDFLAGS])
AC_CACHE_CHECK([whether $CC has working sanitizers], [lw_cv_sanitizers], [
    LW_TRY_FLAGS([-fsanitize=address,undefined], [lw_cv_sanitizers=yes], [lw_cv_sanitizers=no])])
AC_SUBST([SANITIZE_CFLAGS])
AC_SUBST([SANITIZERS], [$lw_sanitizers])
])

# LW_WERROR: --enable-werror makes warnings errors (only those of leeway's own code).
AC_DEFUN([LW_WERROR], [
AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [treat compiler warnings as errors])], [],
    [enable_werror=no])
WERROR_CFLAGS=
AS_IF([test "x$enable_werror" != xno], [enable_werror=yes WERROR_CFLAGS=-Werror])
AC_SUBST([WERROR_CFLAGS])
])

# LW_FUZZ: --enable-fuzz links tests/fuzz/ with libFuzzer, which only clang has.
AC_DEFUN([LW_FUZZ], [
AC_ARG_ENABLE([fuzz],
    [AS_HELP_STRING([--enable-fuzz], [build the fuzz targets with libFuzzer (CC=clang)])], [],
    [enable_fuzz=no])
FUZZ_CFLAGS=
FUZZ_LDFLAGS=
AS_IF([test "x$enable_fuzz" != xno], [
    enable_fuzz=yes
    lw_saved_cflags=$CFLAGS
    CFLAGS="$CFLAGS -fsanitize=fuzzer"
    AC_LINK_IFELSE([AC_LANG_SOURCE([[
        #include <stddef.h>
        #include <stdint.h>
        int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
        {
            return data && size ? 0 : 0;
        }]])], [],
        [AC_MSG_ERROR([$CC has no libFuzzer: use --enable-fuzz CC=clang])])
    CFLAGS=$lw_saved_cflags
    FUZZ_CFLAGS=-fsanitize=fuzzer-no-link
    FUZZ_LDFLAGS=-fsanitize=fuzzer])
AC_SUBST([FUZZ_CFLAGS])
AC_SUBST([FUZZ_LDFLAGS])
AM_CONDITIONAL([FUZZ], [test "x$enable_fuzz" = xyes])
])
