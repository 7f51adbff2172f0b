// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Png.h"

#include "tools/data/Error.h"

#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <new>
#include <png.h>

using namespace vaedata;

bool vaedata::isPng(std::string_view bytes) {
  return bytes.substr(0, 8) == std::string_view("\x89PNG\r\n\x1a\n", 8);
}

// libpng reports errors by longjmp, which runs no destructors: whatever owns
// memory lives in these structs, outside the functions that it leaves.
namespace {
struct Reader {
  std::string_view bytes;
  size_t position = 0;
  char message[128] = "";
  png_structp png = nullptr;
  png_infop info = nullptr;
  png_uint_32 width = 0, height = 0;
  int depth = 0, channels = 0;
  std::vector<uint8_t> pixels;
  std::vector<png_bytep> rows;

  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
};

struct Writer {
  std::string bytes;
  char message[128] = "";
  png_structp png = nullptr;
  png_infop info = nullptr;

  ~Writer() { png_destroy_write_struct(&png, &info); }
};
} // namespace

template <typename State>
static void onError(png_structp png, png_const_charp message) {
  auto *state = static_cast<State *>(png_get_error_ptr(png));
  std::snprintf(state->message, sizeof(state->message), "%s", message);
  png_longjmp(png, 1);
}

static void onWarning(png_structp, png_const_charp) {}

static void readBytes(png_structp png, png_bytep out, size_t count) {
  auto *reader = static_cast<Reader *>(png_get_io_ptr(png));
  if (reader->bytes.size() - reader->position < count)
    png_error(png, "it ends early");
  std::memcpy(out, reader->bytes.data() + reader->position, count);
  reader->position += count;
}

/// Deflate makes at most 1032 bytes out of one: larger images are lies, found
/// before any memory is asked for.
static bool isPlausible(const Reader &reader) {
  uint64_t bits = uint64_t(png_get_bit_depth(reader.png, reader.info)) *
                  png_get_channels(reader.png, reader.info);
  uint64_t row = (uint64_t(reader.width) * bits + 7) / 8;
  return row <= (uint64_t(reader.bytes.size()) * 1032) / reader.height + 1032;
}

static bool resize(Reader &reader, size_t row) {
  try {
    reader.pixels.resize(row * reader.height);
    reader.rows.resize(reader.height);
    return true;
  } catch (const std::exception &) {
    return false;
  }
}

/// False with a message after an error.
static bool readPixels(Reader &reader) {
  if (setjmp(png_jmpbuf(reader.png)))
    return false;
  png_structp png = reader.png;
  png_infop info = reader.info;
  png_set_read_fn(png, &reader, readBytes);
  png_read_info(png, info);
  reader.width = png_get_image_width(png, info);
  reader.height = png_get_image_height(png, info);
  if (!isPlausible(reader))
    png_error(png, "it is too short for its stated size");
  png_set_expand(png); // palettes, fewer than 8 bits, transparent colours
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  reader.depth = png_get_bit_depth(png, info);
  reader.channels = png_get_channels(png, info);
  size_t row = png_get_rowbytes(png, info);
  if (!resize(reader, row))
    png_error(png, "it is too large for the memory");
  for (size_t y = 0; y < reader.rows.size(); ++y)
    reader.rows[y] = reader.pixels.data() + y * row;
  png_read_image(png, reader.rows.data());
  png_read_end(png, nullptr);
  return true;
}

/// Drops an alpha channel, laying the pixels over white.
static void toArray(const Reader &reader, Array &array) {
  bool alpha = reader.channels == 2 || reader.channels == 4;
  int channels = reader.channels - (alpha ? 1 : 0);
  bool wide = reader.depth == 16;
  unsigned most = wide ? 65535 : 255;
  auto sample = [&](size_t i) -> unsigned {
    return wide ? reader.pixels[2 * i] << 8 | reader.pixels[2 * i + 1]
                : reader.pixels[i];
  };
  size_t count = size_t(reader.width) * reader.height;
  array.type = {ElementType::Unsigned, wide ? 2u : 1u, false};
  array.shape = {1, reader.height, reader.width, channels};
  array.layout = "NHWC";
  array.values.reserve(count * channels);
  for (size_t i = 0; i < count; ++i) {
    size_t first = i * reader.channels;
    uint64_t cover = alpha ? sample(first + channels) : most;
    for (int c = 0; c < channels; ++c) {
      uint64_t value =
          (sample(first + c) * cover + most * (most - cover) + most / 2) / most;
      array.values.push_back(static_cast<float>(value));
    }
  }
}

Array vaedata::parsePng(std::string_view bytes, const std::string &source) {
  Reader reader;
  reader.bytes = bytes;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader,
                                      onError<Reader>, onWarning);
  reader.info = reader.png ? png_create_info_struct(reader.png) : nullptr;
  if (!reader.info)
    throw std::bad_alloc();
  if (!readPixels(reader))
    fail(source, ": truncated or damaged PNG image (", reader.message,
         "); save or copy it again");
  Array array;
  array.source = source;
  toArray(reader, array);
  return array;
}

void vaedata::convertChannels(Array &image, int64_t channels) {
  int64_t found = image.shape.back();
  if (found == channels)
    return;
  std::vector<float> values;
  if (channels == 3) {
    for (float value : image.values)
      values.insert(values.end(), 3, value);
  } else {
    for (size_t i = 0; i + 2 < image.values.size(); i += 3) {
      // In 1/65536 parts, whose sum is 1.
      auto part = [&](size_t c) {
        return static_cast<uint64_t>(image.values[i + c]);
      };
      uint64_t sum = 19595 * part(0) + 38470 * part(1) + 7471 * part(2);
      values.push_back(static_cast<float>((sum + 32768) >> 16));
    }
  }
  image.shape.back() = channels;
  image.values = std::move(values);
}

static bool append(std::string &bytes, png_const_bytep data, size_t count) {
  try {
    bytes.append(reinterpret_cast<const char *>(data), count);
    return true;
  } catch (const std::exception &) {
    return false;
  }
}

static void writeBytes(png_structp png, png_bytep data, size_t count) {
  auto *writer = static_cast<Writer *>(png_get_io_ptr(png));
  if (!append(writer->bytes, data, count))
    png_error(png, "out of memory");
}

static void flushBytes(png_structp) {}

static bool writePixels(Writer &writer, const Pixels &pixels) {
  if (setjmp(png_jmpbuf(writer.png)))
    return false;
  png_structp png = writer.png;
  png_set_write_fn(png, &writer, writeBytes, flushBytes);
  png_set_IHDR(png, writer.info, static_cast<png_uint_32>(pixels.width),
               static_cast<png_uint_32>(pixels.height), 8,
               pixels.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY,
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
               PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, writer.info);
  size_t row = static_cast<size_t>(pixels.width * pixels.channels);
  for (int64_t y = 0; y < pixels.height; ++y)
    png_write_row(png, pixels.values.data() + y * row);
  png_write_end(png, writer.info);
  return true;
}

std::string vaedata::formatPng(const Pixels &pixels) {
  Writer writer;
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer,
                                       onError<Writer>, onWarning);
  writer.info = writer.png ? png_create_info_struct(writer.png) : nullptr;
  if (!writer.info)
    throw std::bad_alloc();
  if (!writePixels(writer, pixels))
    fail("cannot draw a PNG image of ", pixels.width, " x ", pixels.height,
         " pixels (", writer.message, "); write an .npy file");
  return writer.bytes;
}
