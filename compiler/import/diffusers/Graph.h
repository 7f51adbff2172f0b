// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes layers of the native format.
#ifndef COMPILER_IMPORT_DIFFUSERS_GRAPH_H
#define COMPILER_IMPORT_DIFFUSERS_GRAPH_H

#include "compiler/import/Json.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Twine.h"

namespace vae::diffusers {

/// A value in the graph: the layer that gives it, and its channels.
struct Image {
  std::string name;
  int64_t channels = 0;
};

/// The layers of an encoder or a decoder. A layer with tensors has the name of
/// its module, so that they are found by convention.
class Graph {
public:
  /// Layers stand for what is at `position` of the file, which may be moved.
  explicit Graph(JsonPosition position)
      : position(position), layers(JsonValue::makeArray(position)) {}

  JsonPosition position;

  struct Window {
    int64_t kernel = 3, stride = 1;
    /// Rows and columns of zeros: before, after.
    int64_t before = 1, after = 1;
    bool bias = true;
  };
  static Window pointwise() { return {1, 1, 0, 0, true}; }

  Image conv(const llvm::Twine &name, const Image &x, int64_t filters,
             const Window &window, llvm::StringRef activation = "");
  Image groupNorm(const llvm::Twine &name, const Image &x, int64_t groups,
                  llvm::StringRef activation = "");
  Image add(const llvm::Twine &name, const Image &a, const Image &b,
            llvm::StringRef activation = "");
  Image multiply(const llvm::Twine &name, const Image &a, const Image &b);
  /// x * factor + offset.
  Image scale(const llvm::Twine &name, const Image &x, double factor,
              double offset, llvm::StringRef activation = "");
  Image upsample(const llvm::Twine &name, const Image &x, int64_t factor,
                 llvm::StringRef mode);
  /// Nearest resampling to the height and width of `like`.
  Image resize(const llvm::Twine &name, const Image &x, const Image &like);
  Image attention(const llvm::Twine &name, const Image &query, const Image &key,
                  const Image &value, int64_t heads);
  /// The nearest entries of a codebook of `entries` vectors.
  Image quantize(llvm::StringRef tensor, const Image &x, int64_t entries);

  JsonValue takeLayers() { return std::move(layers); }

private:
  JsonValue makeLayer(const llvm::Twine &name, llvm::StringRef type,
                      llvm::ArrayRef<Image> inputs,
                      llvm::StringRef activation = "");
  Image finish(JsonValue layer, int64_t channels);
  JsonValue makeInteger(int64_t value) const {
    return JsonValue::makeInteger(value, position);
  }

  JsonValue layers;
};

} // namespace vae::diffusers

#endif // COMPILER_IMPORT_DIFFUSERS_GRAPH_H
