# SPDX-License-Identifier: MIT
#
# LW_PROTOBUF_C
# protobuf-c for ONNX and TensorBoard's files: the library and the program that turns .proto into C.
# Newer packages have it as a plug-in of protoc. Sets with_protobuf_c to yes or no, and PROTOC_C.
AC_DEFUN([LW_PROTOBUF_C], [
AC_ARG_WITH([protobuf-c],
    [AS_HELP_STRING([--with-protobuf-c], [ONNX and TensorBoard files @<:@default=check@:>@])],
    [], [with_protobuf_c=check])
AS_IF([test "x$with_protobuf_c" != xno], [
    PKG_CHECK_MODULES([PROTOBUF_C], [libprotobuf-c >= 1.3], [lw_found=yes], [lw_found=no])
    AC_PATH_PROG([PROTOC_C], [protoc-c])
    AC_PATH_PROG([lw_plugin], [protoc-gen-c])
    AS_IF([test -z "$PROTOC_C" && test -n "$lw_plugin"], [AC_PATH_PROG([PROTOC], [protoc])
        PROTOC_C=$PROTOC])
    AS_IF([test -z "$PROTOC_C"], [lw_found=no])
    AS_IF([test "x$lw_found$with_protobuf_c" = xnoyes], [AC_MSG_ERROR([--with-protobuf-c was
asked for, but libprotobuf-c or protoc-c is missing (Debian and Ubuntu: libprotobuf-c-dev
protobuf-c-compiler)])])
    with_protobuf_c=$lw_found])
AM_CONDITIONAL([HAVE_PROTOBUF_C], [test "x$with_protobuf_c" = xyes])
LW_PART([protobuf-c], [$with_protobuf_c], [ONNX and TensorBoard files],
    [libprotobuf-c-dev protobuf-c-compiler])
])
