// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Gzip.h"

#include "tools/data/Error.h"

#include <algorithm>
#include <zlib.h>

using namespace vaedata;

static constexpr size_t kMostContent = size_t(4) << 30;
static constexpr size_t kChunk = size_t(1) << 18;

bool vaedata::isGzip(std::string_view bytes) {
  return bytes.substr(0, 2) == "\x1f\x8b";
}

namespace {
/// Ends the stream whatever happens.
struct Inflater {
  Inflater() {
    // 16: gzip headers only.
    if (inflateInit2(&stream, 15 + 16) != Z_OK)
      throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater &) = delete;
  Inflater &operator=(const Inflater &) = delete;
  z_stream stream = {};
};
} // namespace

std::string vaedata::gunzip(std::string_view bytes, const std::string &source) {
  Inflater inflater;
  z_stream &stream = inflater.stream;
  std::string content, buffer(kChunk, '\0');
  size_t position = 0;
  for (;;) {
    size_t input = std::min(bytes.size() - position, kChunk);
    // zlib takes a pointer to non-const and does not write.
    stream.next_in =
        reinterpret_cast<Bytef *>(const_cast<char *>(bytes.data() + position));
    stream.avail_in = static_cast<uInt>(input);
    stream.next_out = reinterpret_cast<Bytef *>(buffer.data());
    stream.avail_out = static_cast<uInt>(buffer.size());
    int code = inflate(&stream, Z_NO_FLUSH);
    size_t produced = buffer.size() - stream.avail_out;
    size_t consumed = input - stream.avail_in;
    position += consumed;
    if (content.size() + produced > kMostContent)
      fail(source, ": expected at most 4 GiB of content, found more; split the "
                   "file, or decompress it first");
    content.append(buffer.data(), produced);
    if (code == Z_STREAM_END) {
      if (position == bytes.size())
        return content;
      inflateReset(&stream);
      continue;
    }
    if (code == Z_MEM_ERROR)
      throw std::bad_alloc();
    if (code != Z_OK && code != Z_BUF_ERROR)
      fail(source, ": damaged gzip file (",
           stream.msg ? stream.msg : "not readable", "); download it again");
    if (produced == 0 && consumed == 0)
      fail(source, ": truncated gzip file: expected more than the ",
           bytes.size(), " bytes found; download it again");
  }
}
