// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/gradient/Window.h"

#include <numeric>

using namespace vae::gradient;

static int64_t multiply(llvm::ArrayRef<int64_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t(1),
                         std::multiplies<>());
}

Window::Window(llvm::ArrayRef<int64_t> image, llvm::ArrayRef<int64_t> map,
               llvm::ArrayRef<int64_t> kernel, llvm::ArrayRef<int64_t> strides,
               llvm::ArrayRef<int64_t> dilations,
               llvm::ArrayRef<int64_t> padding)
    : image(image), map(map), kernel(kernel), strides(strides),
      dilations(dilations), padding(padding), taps(multiply(kernel)),
      pixels(multiply(image)), positions(multiply(map)) {}

void Window::findPixels(int64_t tap, int64_t begin,
                        llvm::MutableArrayRef<int64_t> found) const {
  size_t rank = kernel.size();
  // What the tap adds to the place of its window.
  llvm::SmallVector<int64_t, 3> offsets(rank), at(rank);
  for (size_t axis = rank; axis-- > 0;) {
    offsets[axis] = tap % kernel[axis] * dilations[axis] - padding[axis];
    tap /= kernel[axis];
    at[axis] = begin % map[axis];
    begin /= map[axis];
  }
  for (int64_t &pixel : found) {
    pixel = 0;
    for (size_t axis = 0; axis < rank && pixel >= 0; ++axis) {
      int64_t place = at[axis] * strides[axis] + offsets[axis];
      bool inside = place >= 0 && place < image[axis];
      pixel = inside ? pixel * image[axis] + place : -1;
    }
    for (size_t axis = rank; axis-- > 0 && ++at[axis] == map[axis];)
      at[axis] = 0;
  }
}
