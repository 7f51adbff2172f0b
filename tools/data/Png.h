// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// PNG images.
#ifndef TOOLS_DATA_PNG_H
#define TOOLS_DATA_PNG_H

#include "tools/data/Array.h"

namespace vaedata {

bool isPng(std::string_view bytes);

/// Reads a gray or colour image of any depth, also with a palette, as an array
/// [1, height, width, channels] of u8 or u16 values with 1 or 3 channels.
/// Transparent pixels are laid over white. `source` names it in messages.
Array parsePng(std::string_view bytes, const std::string &source);

/// Turns an image of one channel into one of three or the other way round, the
/// latter with the weights 0.299, 0.587, 0.114 of ITU-R BT.601, to the nearest
/// whole value.
void convertChannels(Array &image, int64_t channels);

/// Pixels of 8 bits, row by row.
struct Pixels {
  int64_t height = 0, width = 0, channels = 1; // 1 or 3
  std::vector<uint8_t> values;
};

std::string formatPng(const Pixels &pixels);

} // namespace vaedata

#endif // TOOLS_DATA_PNG_H
