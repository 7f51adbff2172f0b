// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How close images are to others.
#ifndef TOOLS_VAE_RUN_QUALITY_H
#define TOOLS_VAE_RUN_QUALITY_H

#include "tools/data/Array.h"

namespace vaerun {

using namespace vaedata;

/// Peak signal-to-noise ratio in dB, 10 log10(range^2 / mse); `range` is the
/// difference of the greatest and the least value that data may have. Infinite
/// if the mean squared error is 0.
double getPsnr(double mse, double range);

/// Sides of the window of the structural similarity, in pixels.
constexpr int64_t kSsimWindow = 11;

/// Where the planes of images lie, one for each example and channel.
struct ImagePlanes {
  int64_t examples = 0, channels = 1, height = 0, width = 0;
  /// Distances of neighbours in memory, in elements.
  int64_t channelStride = 0, pixelStride = 1;

  bool fitWindow() const {
    return height >= kSsimWindow && width >= kSsimWindow;
  }
};

/// The planes in an array of shape `shape` (batch first) and layout "NCHW",
/// "NHWC" or "NHW"; nothing for other layouts.
std::optional<ImagePlanes> findPlanes(const Shape &shape,
                                      const std::string &layout);

/// Mean structural similarity of the images x and y, at most 1: Wang, Bovik,
/// Sheikh and Simoncelli, "Image quality assessment: from error visibility to
/// structural similarity", IEEE Transactions on Image Processing 13(4), 2004,
/// equations 13 and 17, with the weights of equations 14 to 16: a Gaussian
/// window of 11 x 11 pixels and standard deviation 1.5 whose sum is 1, K1 =
/// 0.01, K2 = 0.03. The mean is over all windows that lie within an image, all
/// channels and examples. `planes` fit the window; `range` as above.
double getSsim(const std::vector<float> &x, const std::vector<float> &y,
               const ImagePlanes &planes, double range);

} // namespace vaerun

#endif // TOOLS_VAE_RUN_QUALITY_H
