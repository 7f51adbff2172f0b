// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vae-run/Quality.h"

#include <array>
#include <cmath>

using namespace vaerun;

double vaerun::getPsnr(double mse, double range) {
  return 10 * std::log10(range * range / mse);
}

std::optional<ImagePlanes> vaerun::findPlanes(const Shape &shape,
                                              const std::string &layout) {
  if (shape.size() != layout.size())
    return std::nullopt;
  if (layout == "NCHW")
    return ImagePlanes{
        shape[0], shape[1], shape[2], shape[3], shape[2] * shape[3], 1};
  if (layout == "NHWC")
    return ImagePlanes{shape[0], shape[3], shape[1], shape[2], 1, shape[3]};
  if (layout == "NHW")
    return ImagePlanes{shape[0], 1, shape[1], shape[2], shape[1] * shape[2], 1};
  if (layout == "NCDHW") // each frame by itself
    return ImagePlanes{shape[0], shape[1] * shape[2], shape[3],
                       shape[4], shape[3] * shape[4], 1};
  return std::nullopt;
}

namespace {

/// Weighted means in a window: of x, y, their squares and their product.
using Moments = std::array<double, 5>;

/// The structural similarity of two planes. The window is a product of a column
/// and a row of weights: rows are filtered once each, of which the last 11 are
/// kept, and then columns of these.
class Similarity {
public:
  Similarity(const ImagePlanes &planes, double range)
      : planes(planes), c1(0.01 * range * 0.01 * range),
        c2(0.03 * range * 0.03 * range),
        rows(kSsimWindow * (planes.width - kSsimWindow + 1)),
        pixels(planes.width) {
    double sum = 0;
    for (int64_t i = 0; i < kSsimWindow; ++i) {
      int64_t distance = i - kSsimWindow / 2;
      sum += weights[i] =
          std::exp(static_cast<double>(-distance * distance) / (2 * 1.5 * 1.5));
    }
    for (double &weight : weights)
      weight /= sum;
  }

  /// The sum over all windows.
  double add(const float *x, const float *y) {
    double sum = 0;
    for (int64_t row = 0; row < planes.height; ++row) {
      int64_t offset = row * planes.width * planes.pixelStride;
      filterRow(x + offset, y + offset, row % kSsimWindow);
      if (row + 1 >= kSsimWindow)
        sum += addColumns(row + 1);
    }
    return sum;
  }

private:
  int64_t getColumns() const { return planes.width - kSsimWindow + 1; }

  void filterRow(const float *x, const float *y, int64_t slot) {
    for (int64_t i = 0; i < planes.width; ++i) {
      double a = x[i * planes.pixelStride], b = y[i * planes.pixelStride];
      pixels[i] = {a, b, a * a, b * b, a * b};
    }
    for (int64_t i = 0; i < getColumns(); ++i) {
      Moments &result = rows[slot * getColumns() + i] = {};
      for (int64_t k = 0; k < kSsimWindow; ++k)
        for (size_t m = 0; m < result.size(); ++m)
          result[m] += weights[k] * pixels[i + k][m];
    }
  }

  /// `oldest`: the slot of the upmost row of the windows, modulo 11.
  double addColumns(int64_t oldest) const {
    double sum = 0;
    for (int64_t i = 0; i < getColumns(); ++i) {
      Moments mean = {};
      for (int64_t k = 0; k < kSsimWindow; ++k) {
        const Moments &row =
            rows[(oldest + k) % kSsimWindow * getColumns() + i];
        for (size_t m = 0; m < mean.size(); ++m)
          mean[m] += weights[k] * row[m];
      }
      sum += compare(mean);
    }
    return sum;
  }

  double compare(const Moments &mean) const {
    auto [x, y, xx, yy, xy] = mean;
    return (2 * x * y + c1) * (2 * (xy - x * y) + c2) /
           ((x * x + y * y + c1) * (xx - x * x + yy - y * y + c2));
  }

  const ImagePlanes &planes;
  double c1, c2;
  std::array<double, kSsimWindow> weights;
  std::vector<Moments> rows, pixels;
};

} // namespace

double vaerun::getSsim(const std::vector<float> &x, const std::vector<float> &y,
                       const ImagePlanes &planes, double range) {
  Similarity similarity(planes, range);
  int64_t example = planes.channels * planes.height * planes.width;
  double sum = 0;
  for (int64_t n = 0; n < planes.examples; ++n)
    for (int64_t c = 0; c < planes.channels; ++c) {
      int64_t offset = n * example + c * planes.channelStride;
      sum += similarity.add(x.data() + offset, y.data() + offset);
    }
  return sum / static_cast<double>(planes.examples * planes.channels *
                                   (planes.height - kSsimWindow + 1) *
                                   (planes.width - kSsimWindow + 1));
}
