# SPDX-License-Identifier: MIT
#
# LW_CUDA
# --with-cuda[=DIR]: build libleeway-cuda.so, which the engine opens at run time. DIR is the toolkit
# (default: $CUDA_HOME, where nvcc is, /usr/local/cuda). --with-cudnn[=DIR]: attention through cuDNN
# needs its headers to build (in the toolkit, or DIR/include); the library is opened at run time.
# Neither needs a GPU. Sets NVCC, CUDA_CPPFLAGS, CUDA_LIBDIR and the conditionals HAVE_CUDA, HAVE_CUDNN.
AC_DEFUN([LW_CUDA], [
AC_ARG_WITH([cuda],
    [AS_HELP_STRING([--with-cuda@<:@=DIR@:>@], [train on NVIDIA GPUs @<:@default=check@:>@])],
    [], [with_cuda=check])
AC_ARG_WITH([cudnn],
    [AS_HELP_STRING([--with-cudnn@<:@=DIR@:>@], [fused attention by cuDNN @<:@default=check@:>@])],
    [], [with_cudnn=check])
lw_cuda_wanted=$with_cuda lw_cudnn_wanted=$with_cudnn lw_cuda_dir=
AS_CASE(["$with_cuda"],
    [no], [],
    [yes | check], [
        AC_PATH_PROG([NVCC], [nvcc], [], [${CUDA_HOME:+$CUDA_HOME/bin:}$PATH:/usr/local/cuda/bin])
        AS_IF([test -n "$NVCC"], [
            lw_cuda_dir=$(dirname "$(dirname "$(readlink -f "$NVCC")")")])],
    [lw_cuda_dir=$with_cuda
     NVCC=$with_cuda/bin/nvcc
     AS_IF([test -x "$NVCC"], [], [AC_MSG_ERROR([--with-cuda=$with_cuda: no bin/nvcc there])])])
AC_SUBST([NVCC])
with_cuda=no with_cudnn=no
lw_saved_cppflags=$CPPFLAGS
AS_IF([test -n "$lw_cuda_dir"], [
    CUDA_CPPFLAGS="-isystem $lw_cuda_dir/include"
    AS_IF([test -d "$lw_cuda_dir/lib64"], [CUDA_LIBDIR=$lw_cuda_dir/lib64], [CUDA_LIBDIR=$lw_cuda_dir/lib])
    CPPFLAGS="$CPPFLAGS $CUDA_CPPFLAGS"
    AC_CHECK_HEADER([cublasLt.h], [with_cuda=yes])
    AS_CASE(["$lw_cudnn_wanted"],
        [no | yes | check], [],
        [CUDA_CPPFLAGS="$CUDA_CPPFLAGS -isystem $lw_cudnn_wanted/include"
         CPPFLAGS="$CPPFLAGS -isystem $lw_cudnn_wanted/include"])
    AS_IF([test "x$lw_cudnn_wanted" != xno], [AC_CHECK_HEADER([cudnn_backend.h], [with_cudnn=yes])])])
CPPFLAGS=$lw_saved_cppflags
AS_CASE(["$lw_cuda_wanted:$with_cuda"], [check:* | no:* | *:yes], [],
    [AC_MSG_ERROR([--with-cuda was asked for, but nvcc or cublasLt.h is missing (the CUDA toolkit, 12 or newer)])])
AS_CASE(["$lw_cudnn_wanted:$with_cudnn"], [check:* | no:* | *:yes], [],
    [AC_MSG_ERROR([--with-cudnn was asked for, but cudnn_backend.h is missing (cuDNN 9)])])
AS_IF([test "x$with_cuda" = xyes], [lw_have_cuda=1], [lw_have_cuda=0])
AC_DEFINE_UNQUOTED([HAVE_CUDA], [$lw_have_cuda], [1 where the CUDA backend is built])
AC_SUBST([CUDA_CPPFLAGS])
AC_SUBST([CUDA_LIBDIR])
AM_CONDITIONAL([HAVE_CUDA], [test "x$with_cuda" = xyes])
AM_CONDITIONAL([HAVE_CUDNN], [test "x$with_cuda$with_cudnn" = xyesyes])
LW_PART([cuda], [$with_cuda], [training on NVIDIA GPUs], [the CUDA toolkit, 12 or newer,])
LW_PART([cudnn], [$with_cudnn], [fused attention on NVIDIA GPUs], [cuDNN 9 with its headers])
])
