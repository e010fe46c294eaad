# SPDX-License-Identifier: MIT
libleeway_core_la_SOURCES += \
    %D%/config.h
