/* SPDX-License-Identifier: MIT
 *
 * Text from outside (run names, CSV headers, log lines, file names) is cleaned once, at the
 * border, so that no byte of it can steer a terminal or break a layout.
 */
#ifndef LW_BASE_TEXT_H
#define LW_BASE_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Decode one UTF-8 code point strictly (no overlongs, no surrogates) from s, at most n bytes.
 * Returns the bytes used and stores the code point; 0 where the bytes are not UTF-8 or n is 0. */
size_t lw_utf8_decode(const char *s, size_t n, uint32_t *code);

/* The bytes of the byte order mark that a text begins with: 3, or 0 where there is none. */
size_t lw_utf8_mark(const char *s, size_t n);

/* Encode code (a valid scalar value) into out[4]; returns the number of bytes, 0 if invalid. */
size_t lw_utf8_encode(uint32_t code, char out[4]);

/* Terminal cells of a code point: 0, 1 or 2, and -1 for what must not be shown: control and
 * format characters, private use, unassigned. Does not depend on the locale. */
int lw_utf8_width(uint32_t code);

/* Copy n bytes of untrusted text to out (size bytes, always terminated), safe to show: bytes that
 * are not UTF-8, C0, DEL, C1, bidi and other format controls and private use become '?'; a
 * character of width 0 is dropped but for one combining mark after a base. Cut between
 * characters. Returns the length of out. */
size_t lw_text_clean(const char *in, size_t n, char *out, size_t size);

#endif
