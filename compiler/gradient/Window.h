// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which elements of an image a convolution's taps read, in any number of
// dimensions.
#ifndef COMPILER_GRADIENT_WINDOW_H
#define COMPILER_GRADIENT_WINDOW_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <vector>

namespace vae::gradient {

class Window {
public:
  /// Sizes of the image and of the map that a convolution makes of it, without
  /// batch and channels; `padding` before the image.
  Window(llvm::ArrayRef<int64_t> image, llvm::ArrayRef<int64_t> map,
         llvm::ArrayRef<int64_t> kernel, llvm::ArrayRef<int64_t> strides,
         llvm::ArrayRef<int64_t> dilations, llvm::ArrayRef<int64_t> padding);

  int64_t getTaps() const { return taps; }
  int64_t getPixels() const { return pixels; }
  int64_t getPositions() const { return positions; }

  /// The pixel that a tap reads for each of `count` positions of the map from
  /// `begin` on; -1: padding.
  void findPixels(int64_t tap, int64_t begin,
                  llvm::MutableArrayRef<int64_t> found) const;

private:
  llvm::SmallVector<int64_t> image, map, kernel, strides, dilations, padding;
  int64_t taps, pixels, positions;
};

} // namespace vae::gradient

#endif // COMPILER_GRADIENT_WINDOW_H
