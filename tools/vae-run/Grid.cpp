// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/Grid.h"

#include "tools/vae-run/Error.h"

#include <algorithm>
#include <cmath>

using namespace vaerun;

/// Pixels between examples, and between the images of one example.
static constexpr int64_t kGap = 2, kInnerGap = 1;
static constexpr uint8_t kGapColor = 128;

static int64_t squareRoot(int64_t value) {
  auto root = static_cast<int64_t>(std::sqrt(static_cast<double>(value)));
  while (root * root > value)
    --root;
  while ((root + 1) * (root + 1) <= value)
    ++root;
  return root;
}

ImageLayout vaerun::findImage(const Shape &shape, const std::string &layout,
                              const std::string &name) {
  ImageLayout image;
  int64_t elements =
      countElements(Shape(shape.begin() + 1, shape.end())).value();
  if (shape.size() == 5 && shape[2] > 1)
    fail("'", name, "': expected images, found videos of ", shape[2],
         " frames; write .npy or .npz");
  if (shape.size() == 5) {
    image = {shape[3], shape[4], shape[1], false};
  } else if (shape.size() == 4 && layout == "NCHW") {
    image = {shape[2], shape[3], shape[1], false};
  } else if (shape.size() == 4) {
    image = {shape[1], shape[2], shape[3], true};
  } else if (shape.size() == 3) {
    image = {shape[1], shape[2], 1, true};
  } else {
    int64_t side = squareRoot(elements);
    if (side * side != elements && elements % 3 == 0) {
      image.channels = 3;
      side = squareRoot(elements / 3);
    }
    if (side * side * image.channels != elements)
      fail("'", name, "': expected images, found vectors of ", elements,
           " numbers, which make no square image; write .npy or .npz");
    image.height = image.width = side;
  }
  if (image.channels != 1 && image.channels != 3)
    fail("'", name, "': expected images of 1 or 3 channels, found ",
         image.channels, " in shape ", formatShape(shape),
         "; write .npy or .npz");
  return image;
}

/// The number of columns with which the longer side of the grid is shortest.
static int64_t chooseColumns(int64_t count, int64_t height, int64_t width) {
  int64_t best = 1, bestSide = INT64_MAX;
  for (int64_t columns = 1; columns <= count; ++columns) {
    int64_t rows = (count + columns - 1) / columns;
    int64_t side = std::max(rows * height, columns * width);
    if (side < bestSide) {
      best = columns;
      bestSide = side;
    }
  }
  return best;
}

static uint8_t toByte(float value, float low, float high) {
  double part = high > low ? (double(value) - low) / (double(high) - low) : 0;
  // NaN becomes 0.
  return part >= 1  ? 255
         : part > 0 ? static_cast<uint8_t>(std::lround(255 * part))
                    : 0;
}

Pixels vaerun::drawGrid(const std::vector<const float *> &arrays, int64_t count,
                        const ImageLayout &layout, float low, float high) {
  auto layers = static_cast<int64_t>(arrays.size());
  int64_t channels = layout.channels;
  // A single image has the size that it has.
  int64_t gap = count * layers == 1 ? 0 : kGap;
  int64_t cellHeight = layers * layout.height + (layers - 1) * kInnerGap + gap;
  int64_t cellWidth = layout.width + gap;
  int64_t columns = chooseColumns(count, cellHeight, cellWidth);
  int64_t rows = (count + columns - 1) / columns;
  Pixels grid;
  grid.channels = channels;
  grid.height = rows * cellHeight + gap;
  grid.width = columns * cellWidth + gap;
  grid.values.assign(grid.height * grid.width * channels, kGapColor);
  int64_t plane = layout.height * layout.width;
  for (int64_t i = 0; i < count; ++i)
    for (int64_t layer = 0; layer < layers; ++layer) {
      const float *image = arrays[layer] + i * plane * channels;
      int64_t top =
          gap + i / columns * cellHeight + layer * (layout.height + kInnerGap);
      int64_t left = gap + i % columns * cellWidth;
      for (int64_t p = 0; p < plane; ++p)
        for (int64_t c = 0; c < channels; ++c) {
          int64_t y = top + p / layout.width, x = left + p % layout.width;
          float value =
              image[layout.channelsLast ? p * channels + c : c * plane + p];
          grid.values[(y * grid.width + x) * channels + c] =
              toByte(value, low, high);
        }
    }
  return grid;
}
