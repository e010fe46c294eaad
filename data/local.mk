# SPDX-License-Identifier: MIT
EXTRA_DIST += %D%/make_text_widths.py
