# SPDX-License-Identifier: MIT
bin_PROGRAMS += leeway-engine
leeway_engine_SOURCES = %D%/main.c %D%/verbs.h
leeway_engine_LDADD = libleeway.la
libleeway_la_SOURCES += %D%/usage.c %D%/usage.h
