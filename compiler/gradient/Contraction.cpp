// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/gradient/Contraction.h"

#include <Eigen/Dense>

using namespace vae::gradient;

namespace {
using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Floats = Eigen::Map<
    Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
using ConstFloats =
    Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic,
                                   Eigen::RowMajor>>;

/// Positions of an example's map, of one group.
struct Block {
  int64_t example, group, begin, count;
};
} // namespace

/// Elements of the matrix of a block, about.
static constexpr int64_t kBlockElements = int64_t(1) << 20;

/// A part of a tensor as a matrix in f64.
static Matrix read(const Tensor &tensor, int64_t begin, int64_t rows,
                   int64_t columns) {
  return ConstFloats(tensor.data.data() + begin, rows, columns).cast<double>();
}

static void add(const Matrix &sums, Tensor &tensor, int64_t begin) {
  Floats target(tensor.data.data() + begin, sums.rows(), sums.cols());
  target = (target.cast<double>() + sums).cast<float>();
}

Contraction::Contraction(Window window, llvm::ArrayRef<int64_t> weight,
                         int64_t groups)
    : window(std::move(window)), groups(groups),
      mapChannels(weight[0] / groups), imageChannels(weight[1]) {}

template <typename VisitFn>
static void forEachPixel(const Window &window, const Block &block,
                         int64_t channels, const VisitFn &visit) {
  std::vector<int64_t> pixels(static_cast<size_t>(block.count));
  for (int64_t tap = 0; tap < window.getTaps(); ++tap) {
    window.findPixels(tap, block.begin, pixels);
    for (int64_t c = 0; c < channels; ++c)
      for (int64_t p = 0; p < block.count; ++p)
        if (int64_t pixel = pixels[static_cast<size_t>(p)]; pixel >= 0)
          visit(c * window.getTaps() + tap, p, c * window.getPixels() + pixel);
  }
}

/// What the taps of a block read: a column for each position ("im2col").
static Matrix gather(const float *image, const Window &window,
                     const Block &block, int64_t channels) {
  Matrix columns = Matrix::Zero(channels * window.getTaps(), block.count);
  forEachPixel(window, block, channels,
               [&](int64_t row, int64_t column, int64_t element) {
                 columns(row, column) = image[element];
               });
  return columns;
}

/// The positions of a block of a map, a row for each channel.
static Matrix readMap(const float *map, const Window &window,
                      const Block &block, int64_t channels) {
  return ConstFloats(map, channels, window.getPositions())
      .middleCols(block.begin, block.count)
      .cast<double>();
}

template <typename VisitFn>
void Contraction::forEachBlock(VisitFn visit) const {
  int64_t rows = imageChannels * window.getTaps();
  int64_t size = std::max<int64_t>(kBlockElements / rows, 64);
  for (int64_t begin = 0; begin < window.getPositions(); begin += size)
    visit(begin, std::min(size, window.getPositions() - begin));
}

void Contraction::addMap(const Tensor &image, const Tensor &weight,
                         Tensor &map) const {
  int64_t rows = imageChannels * window.getTaps();
  for (int64_t g = 0; g < groups; ++g) {
    Matrix factors = read(weight, g * mapChannels * rows, mapChannels, rows);
    for (int64_t n = 0; n < image.shape[0]; ++n) {
      int64_t part = n * groups + g;
      const float *in =
          image.data.data() + part * imageChannels * window.getPixels();
      Floats out(map.data.data() + part * mapChannels * window.getPositions(),
                 mapChannels, window.getPositions());
      forEachBlock([&](int64_t begin, int64_t count) {
        Matrix sums =
            factors * gather(in, window, {n, g, begin, count}, imageChannels);
        auto target = out.middleCols(begin, count);
        target = (target.cast<double>() + sums).cast<float>();
      });
    }
  }
}

void Contraction::addImage(const Tensor &map, const Tensor &weight,
                           Tensor &image) const {
  int64_t rows = imageChannels * window.getTaps();
  for (int64_t g = 0; g < groups; ++g) {
    Matrix factors =
        read(weight, g * mapChannels * rows, mapChannels, rows).transpose();
    for (int64_t n = 0; n < map.shape[0]; ++n) {
      int64_t part = n * groups + g;
      const float *in =
          map.data.data() + part * mapChannels * window.getPositions();
      Matrix sums = Matrix::Zero(imageChannels, window.getPixels());
      forEachBlock([&](int64_t begin, int64_t count) {
        Block block = {n, g, begin, count};
        Matrix columns = factors * readMap(in, window, block, mapChannels);
        forEachPixel(window, block, imageChannels,
                     [&](int64_t row, int64_t column, int64_t element) {
                       sums.data()[element] += columns(row, column);
                     });
      });
      add(sums, image, part * imageChannels * window.getPixels());
    }
  }
}

void Contraction::addWeight(const Tensor &image, const Tensor &map,
                            Tensor &weight) const {
  int64_t rows = imageChannels * window.getTaps();
  for (int64_t g = 0; g < groups; ++g) {
    Matrix sums = Matrix::Zero(mapChannels, rows);
    for (int64_t n = 0; n < map.shape[0]; ++n) {
      int64_t part = n * groups + g;
      const float *pixels =
          image.data.data() + part * imageChannels * window.getPixels();
      const float *positions =
          map.data.data() + part * mapChannels * window.getPositions();
      forEachBlock([&](int64_t begin, int64_t count) {
        Block block = {n, g, begin, count};
        sums.noalias() +=
            readMap(positions, window, block, mapChannels) *
            gather(pixels, window, block, imageChannels).transpose();
      });
    }
    add(sums, weight, g * mapChannels * rows);
  }
}

namespace {
struct DenseSizes {
  int64_t rows, inputs, outputs;
  DenseSizes(const Tensor &x, const Tensor &weight)
      : inputs(weight.shape[1]), outputs(weight.shape[0]) {
    rows = static_cast<int64_t>(x.data.size()) / inputs;
  }
};
} // namespace

void vae::gradient::addDense(const Tensor &x, const Tensor &weight, Tensor &y) {
  DenseSizes size(x, weight);
  Matrix sums = read(x, 0, size.rows, size.inputs) *
                read(weight, 0, size.outputs, size.inputs).transpose();
  add(sums, y, 0);
}

void vae::gradient::addDenseData(const Tensor &y, const Tensor &weight,
                                 Tensor &x) {
  DenseSizes size(x, weight);
  Matrix sums = read(y, 0, size.rows, size.outputs) *
                read(weight, 0, size.outputs, size.inputs);
  add(sums, x, 0);
}

void vae::gradient::addDenseWeight(const Tensor &x, const Tensor &y,
                                   Tensor &weight) {
  DenseSizes size(x, weight);
  Matrix sums = read(y, 0, size.rows, size.outputs).transpose() *
                read(x, 0, size.rows, size.inputs);
  add(sums, weight, 0);
}
