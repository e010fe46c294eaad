# SPDX-License-Identifier: MIT
#
# Small samples, and how they are made again: `make samples` (the same bytes each time).
EXTRA_PROGRAMS += %D%/make-sample
%C%_make_sample_SOURCES = %D%/make-sample.c
%C%_make_sample_LDADD = libleeway.la
CLEANFILES += %D%/make-sample$(EXEEXT)
EXTRA_DIST += %D%/make_text_widths.py %D%/README.md %D%/sample.txt

.PHONY: samples
samples: %D%/make-sample$(EXEEXT)
	%D%/make-sample$(EXEEXT) 65536 42 >$(srcdir)/%D%/sample.txt
