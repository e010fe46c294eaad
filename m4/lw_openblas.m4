# SPDX-License-Identifier: MIT
#
# LW_OPENBLAS
# leeway calls BLAS on panels inside its own OpenMP regions, so OpenBLAS itself has nothing to
# parallelise there, but must bear being called by several threads at once. Debian and Ubuntu have
# three builds behind one alternative: openmp and pthread do, serial does not (its work buffers
# have no lock, so the engine must call it from one thread at a time, which is slow). The one that
# links here is recorded in lw_cv_openblas_kind; the engine copes with whichever is loaded later.
AC_DEFUN([LW_OPENBLAS], [
LW_NEED([BLAS], [openblas], [libopenblas-openmp-dev])
AC_CACHE_CHECK([which OpenBLAS links], [lw_cv_openblas_kind], [
    lw_saved_cflags=$CFLAGS
    lw_saved_libs=$LIBS
    CFLAGS="$CFLAGS $BLAS_CFLAGS"
    LIBS="$BLAS_LIBS $LIBS"
    AC_RUN_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>
        int openblas_get_parallel(void);]], [[
        static const char *const kinds[] = {"serial", "pthread", "openmp"};
        int kind = openblas_get_parallel();
        FILE *f = fopen("conftest.kind", "w");
        if (!f || kind < 0 || kind > 2)
            return 1;
        fputs(kinds[kind], f);
        return fclose(f);]])],
        [lw_cv_openblas_kind=`cat conftest.kind`],
        [lw_cv_openblas_kind=unknown], [lw_cv_openblas_kind=unknown])
    CFLAGS=$lw_saved_cflags
    LIBS=$lw_saved_libs
    rm -f conftest.kind])
])
