# SPDX-License-Identifier: MIT
#
# LW_NEED(VARIABLE, MODULE, DEBIAN-PACKAGE)
# A library leeway cannot be built without. Everything that is missing is collected, and
# LW_NEED_DONE stops once with the whole list and the line that installs it.
AC_DEFUN([LW_NEED], [
PKG_CHECK_MODULES([$1], [$2], [], [
    AS_VAR_APPEND([lw_missing], [" $3"])
    AS_VAR_APPEND([lw_missing_modules], ["${lw_missing_modules:+, }$2"])])
])

# LW_NEED_HEADER(HEADER, DEBIAN-PACKAGE): the same for a library that has no .pc file.
AC_DEFUN([LW_NEED_HEADER], [
AC_CHECK_HEADER([$1], [], [
    AS_VAR_APPEND([lw_missing], [" $2"])
    AS_VAR_APPEND([lw_missing_modules], ["${lw_missing_modules:+, }$1"])])
])

AC_DEFUN([LW_NEED_DONE], [
AS_IF([test -n "$lw_missing"], [
    AC_MSG_ERROR([missing: $lw_missing_modules
On Debian and Ubuntu: apt-get install$lw_missing
(./autogen.sh does that by itself.)])])
])

# LW_WITH(NAME, VARIABLE, MODULE, WHAT-FOR, DEBIAN-PACKAGE)
# An optional library, three ways: --with-NAME=check (the default) uses it where it is found,
# --with-NAME stops when it is missing, --without-NAME doesn't look. Sets with_NAME to yes or no
# and the automake conditional HAVE_VARIABLE.
AC_DEFUN([LW_WITH], [
AC_ARG_WITH([$1],
    [AS_HELP_STRING([--with-$1], [$4 @<:@default=check@:>@])],
    [], [with_$1=check])
AS_CASE(["$with_$1"],
    [no], [],
    [yes | check], [
        PKG_CHECK_MODULES([$2], [$3], [lw_found=yes], [lw_found=no])
        AS_IF([test "x$lw_found$with_$1" = xnoyes],
            [AC_MSG_ERROR([--with-$1 was asked for, but $3 is missing (Debian and Ubuntu: $5)])])
        with_$1=$lw_found],
    [AC_MSG_ERROR([--with-$1=$with_$1: want yes, no or check])])
AM_CONDITIONAL([HAVE_$2], [test "x$with_$1" = xyes])
LW_PART([$1], [$with_$1], [$4], [$5])
])

# LW_PART(NAME, yes or no, WHAT-FOR, DEBIAN-PACKAGE)
# A part that a build may lack, for `leeway doctor`: a row of LW_PARTS, which LW_PARTS_DONE defines.
AC_DEFUN([LW_PART], [
AS_IF([test "x$2" = xyes], [lw_has=1], [lw_has=0])
AS_VAR_APPEND([lw_parts], ["{\"$1\", $lw_has, \"$3\", \"$4\"}, "])
])

AC_DEFUN([LW_PARTS_DONE], [
AC_DEFINE_UNQUOTED([LW_PARTS], [$lw_parts], [{name, 1 where it is built, what for, packages} of each optional part])
])
