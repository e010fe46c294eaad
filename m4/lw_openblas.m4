# SPDX-License-Identifier: MIT
#
# LW_OPENBLAS
# Where leeway has no matrix kernels of its own (without AVX2), it calls BLAS on panels inside its
# own OpenMP regions: several threads at once, each for itself. Debian and Ubuntu have three builds
# behind one alternative: openmp and pthread bear that, serial does not (its work buffers have no
# lock), so the engine must then call it from one thread at a time. The one that links here is
# recorded in lw_cv_openblas_kind; the engine copes with whichever is loaded later.
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
