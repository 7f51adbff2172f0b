// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Batches of arrays drawn as a grid of images.
#ifndef TOOLS_VAE_RUN_GRID_H
#define TOOLS_VAE_RUN_GRID_H

#include "tools/data/Png.h"

namespace vaerun {

using namespace vaedata;

/// How the numbers of one example make an image.
struct ImageLayout {
  int64_t height = 0, width = 0, channels = 1; // 1 or 3
  bool channelsLast = true;
};

/// Finds the image in examples of this shape (batch first) and layout ("NCHW",
/// "NHWC", "NHW", "NC"). A vector is a square gray image, or a square colour
/// image with channels last. `name` names the array in messages. Fails if
/// there is no image of 1 or 3 channels.
ImageLayout findImage(const Shape &shape, const std::string &layout,
                      const std::string &name);

/// Draws `count` examples, in rows, in a grid that is as square as possible.
/// Each of `arrays` has one image for each example; they stand one above the
/// other. Values from `low` to `high` become 0 to 255; the lines between the
/// images are mid-gray.
Pixels drawGrid(const std::vector<const float *> &arrays, int64_t count,
                const ImageLayout &layout, float low, float high);

} // namespace vaerun

#endif // TOOLS_VAE_RUN_GRID_H
