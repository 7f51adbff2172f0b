// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scaled dot-product attention, head by head and block of queries by block, so
// that scores are a small matrix.
#include "compiler/gradient/Vjp.h"

#include <Eigen/Dense>

using namespace mlir;
using namespace vae;
using namespace vae::gradient;
using llvm::Error;

namespace {
using Matrix =
    Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A head of a tensor [N, S, C] or [N, C, H, W]: rows are positions.
class Head {
public:
  Head(const Tensor &tensor, int64_t heads, int64_t example, int64_t head) {
    bool isImage = tensor.shape.size() == 4;
    int64_t channels = tensor.shape[isImage ? 1 : 2];
    positions = isImage ? tensor.shape[2] * tensor.shape[3] : tensor.shape[1];
    width = channels / heads;
    first = example * channels * positions +
            head * width * (isImage ? positions : 1);
    rowStride = isImage ? 1 : channels;
    columnStride = isImage ? positions : 1;
  }

  Matrix read(const Tensor &tensor) const {
    Matrix matrix(positions, width);
    for (int64_t s = 0; s < positions; ++s)
      for (int64_t c = 0; c < width; ++c)
        matrix(s, c) = tensor.data[at(s, c)];
    return matrix;
  }

  void write(const Matrix &matrix, Tensor *tensor) const {
    if (!tensor)
      return;
    for (int64_t s = 0; s < positions; ++s)
      for (int64_t c = 0; c < width; ++c)
        tensor->data[at(s, c)] = static_cast<float>(matrix(s, c));
  }

private:
  int64_t at(int64_t s, int64_t c) const {
    return first + s * rowStride + c * columnStride;
  }
  int64_t positions, width, first, rowStride, columnStride;
};
} // namespace

/// Queries of a block.
static constexpr int64_t kBlock = 256;

/// Softmax of the scores of some queries.
static Matrix getProbabilities(const Matrix &query, const Matrix &key,
                               double scale) {
  Matrix scores = scale * (query * key.transpose());
  for (auto row : scores.rowwise()) {
    row = (row.array() - row.maxCoeff()).exp();
    row /= row.sum();
  }
  return scores;
}

template <typename VisitFn>
static void forEachBlock(int64_t queries, VisitFn visit) {
  for (int64_t begin = 0; begin < queries; begin += kBlock)
    visit(begin, std::min(kBlock, queries - begin));
}

void gradient::evaluateAttention(AttentionOp op,
                                 ArrayRef<const Tensor *> operands, Tensor &y) {
  int64_t heads = op.getHeads();
  double scale = op.getScale().convertToDouble();
  for (int64_t n = 0; n < y.shape[0]; ++n)
    for (int64_t head = 0; head < heads; ++head) {
      auto read = [&](const Tensor &tensor) {
        return Head(tensor, heads, n, head).read(tensor);
      };
      Matrix query = read(*operands[0]), key = read(*operands[1]),
             value = read(*operands[2]);
      Matrix result(query.rows(), value.cols());
      forEachBlock(query.rows(), [&](int64_t begin, int64_t count) {
        result.middleRows(begin, count) =
            getProbabilities(query.middleRows(begin, count), key, scale) *
            value;
      });
      Head(y, heads, n, head).write(result, &y);
    }
}

/// Gradients of a head, in the place of its operands.
static void passThroughHead(Matrix &query, Matrix &key, Matrix &value,
                            const Matrix &dy, double scale) {
  Matrix dquery(query.rows(), query.cols()),
      dkey = Matrix::Zero(key.rows(), key.cols()),
      dvalue = Matrix::Zero(value.rows(), value.cols());
  forEachBlock(query.rows(), [&](int64_t begin, int64_t count) {
    Matrix rows = query.middleRows(begin, count);
    Matrix outer = dy.middleRows(begin, count);
    Matrix p = getProbabilities(rows, key, scale);
    dvalue += p.transpose() * outer;
    // Through the softmax: p * (d - the mean of d with p as weights).
    Matrix d = outer * value.transpose();
    Eigen::VectorXd means = p.cwiseProduct(d).rowwise().sum();
    d = (p.array() * (d.colwise() - means).array()).matrix();
    dquery.middleRows(begin, count) = scale * (d * key);
    dkey += scale * (d.transpose() * rows);
  });
  query = std::move(dquery);
  key = std::move(dkey);
  value = std::move(dvalue);
}

Error gradient::vjp(AttentionOp op, const Cotangents &c) {
  int64_t heads = op.getHeads();
  double scale = op.getScale().convertToDouble();
  const Tensor &dy = c.getGradient();
  for (int64_t n = 0; n < dy.shape[0]; ++n)
    for (int64_t head = 0; head < heads; ++head) {
      Matrix parts[3];
      for (size_t i = 0; i < 3; ++i)
        parts[i] = Head(c.in[i], heads, n, head).read(c.in[i]);
      passThroughHead(parts[0], parts[1], parts[2],
                      Head(dy, heads, n, head).read(dy), scale);
      for (size_t i = 0; i < 3; ++i)
        Head(c.in[i], heads, n, head).write(parts[i], c.find(i));
    }
  return Error::success();
}
