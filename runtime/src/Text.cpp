// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "runtime/src/Text.h"

#include <cstdarg>
#include <cstdio>

using namespace vae::runtime;

void Text::clear() {
  used = 0;
  if (size)
    data[0] = '\0';
}

void Text::add(const char *format, ...) {
  if (used + 1 >= size)
    return;
  va_list arguments;
  va_start(arguments, format);
  int wanted = vsnprintf(data + used, size - used, format, arguments);
  va_end(arguments);
  if (wanted < 0) {
    data[used] = '\0';
    return;
  }
  if (static_cast<size_t>(wanted) < size - used) {
    used += wanted;
    return;
  }
  // Continuation bytes are 10xxxxxx; drop the character that was cut.
  size_t end = size - 1;
  size_t start = end;
  while (start > used && (data[start - 1] & 0xc0) == 0x80)
    --start;
  if (start > used && (data[start - 1] & 0xc0) == 0xc0) {
    unsigned char lead = data[start - 1];
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (end - (start - 1) < length)
      end = start - 1;
  }
  data[end] = '\0';
  used = size; // nothing more fits
}
