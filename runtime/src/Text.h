// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Messages in buffers of fixed size: no allocation, no exception.
#ifndef VAE_RUNTIME_TEXT_H
#define VAE_RUNTIME_TEXT_H

#include <cstddef>

namespace vae::runtime {

/// Text in somebody's buffer: always terminated, cut where the buffer ends
/// (never inside a UTF-8 character). A buffer of no size swallows everything.
class Text {
public:
  Text(char *data, size_t size) : data(data), size(data ? size : 0) { clear(); }

  void clear();
  [[gnu::format(printf, 2, 3)]] void add(const char *format, ...);

private:
  char *data;
  size_t size;
  size_t used = 0;
};

} // namespace vae::runtime

#endif // VAE_RUNTIME_TEXT_H
