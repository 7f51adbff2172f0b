// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The bilinear map of a layer with weights, and its adjoints: all of them are
// products of matrices.
#ifndef COMPILER_GRADIENT_CONTRACTION_H
#define COMPILER_GRADIENT_CONTRACTION_H

#include "compiler/gradient/Window.h"
#include "compiler/reference/Interpreter.h"

namespace vae::gradient {

using reference::Tensor;

/// A convolution between an image and a map,
///
///   map[o, p] = sum over c, t of weight[o, c, t] * image[c, pixel(p, t)]
///
/// by groups. conv2d makes the map of the image; conv_transpose2d makes the
/// image of the map by the same weights, transposed. A dense layer has one
/// position and one tap, its rows being a batch.
class Contraction {
public:
  /// `weight` is [map channels, image channels / groups, taps..].
  Contraction(Window window, llvm::ArrayRef<int64_t> weight, int64_t groups);

  // All add to their last argument, which is rounded once. Tensors have the
  // batch first, then channels.
  void addMap(const Tensor &image, const Tensor &weight, Tensor &map) const;
  void addImage(const Tensor &map, const Tensor &weight, Tensor &image) const;
  void addWeight(const Tensor &image, const Tensor &map, Tensor &weight) const;

private:
  template <typename VisitFn> void forEachBlock(VisitFn visit) const;

  Window window;
  int64_t groups, mapChannels, imageChannels; // of a group
};

/// y = x * weight^T, and its adjoints: rows of a dense layer. Like those above,
/// they add.
void addDense(const Tensor &x, const Tensor &weight, Tensor &y);
void addDenseData(const Tensor &y, const Tensor &weight, Tensor &x);
void addDenseWeight(const Tensor &x, const Tensor &y, Tensor &weight);

} // namespace vae::gradient

#endif // COMPILER_GRADIENT_CONTRACTION_H
