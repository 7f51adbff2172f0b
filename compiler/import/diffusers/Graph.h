// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes layers of the native format.
#ifndef COMPILER_IMPORT_DIFFUSERS_GRAPH_H
#define COMPILER_IMPORT_DIFFUSERS_GRAPH_H

#include "compiler/import/Json.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/Twine.h"

#include <array>

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
    int64_t groups = 1;
  };
  static Window pointwise(bool bias = true) { return {1, 1, 0, 0, bias}; }

  Image conv(const llvm::Twine &name, const Image &x, int64_t filters,
             const Window &window, llvm::StringRef activation = "");
  Image groupNorm(const llvm::Twine &name, const Image &x, int64_t groups,
                  llvm::StringRef activation = "", double epsilon = 1e-6);
  /// x / |x| * sqrt(channels) * gamma.
  Image l2Norm(const llvm::Twine &name, const Image &x,
               llvm::StringRef activation = "");
  /// Over the channels of each pixel.
  Image rmsNorm(const llvm::Twine &name, const Image &x,
                llvm::StringRef activation = "");
  Image batchNorm(const llvm::Twine &name, const Image &x);
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
  /// Of heads of `headDim` query, key and value channels one after the other.
  Image linearAttention(const llvm::Twine &name, const Image &x,
                        int64_t headDim);
  /// Half of the channels times a function of the other half.
  Image glu(const llvm::Twine &name, const Image &x, llvm::StringRef gate);
  Image concat(const llvm::Twine &name, llvm::ArrayRef<Image> inputs);
  Image pixelShuffle(const llvm::Twine &name, const Image &x, int64_t factor);
  Image pixelUnshuffle(const llvm::Twine &name, const Image &x, int64_t factor);
  Image repeatChannels(const llvm::Twine &name, const Image &x,
                       int64_t repeats);
  Image meanChannels(const llvm::Twine &name, const Image &x, int64_t group);
  /// The index of the nearest of `entries` vectors in a codebook; and that
  /// vector itself.
  Image nearest(const llvm::Twine &name, llvm::StringRef tensor, const Image &x,
                int64_t entries);
  Image quantize(llvm::StringRef tensor, const Image &x, int64_t entries);

  // Videos
  struct VideoWindow {
    std::array<int64_t, 3> kernel, stride;
    std::array<int64_t, 6> padding; // front, top, left, back, bottom, right
  };
  /// Three frames, rows and columns, none of the future.
  static VideoWindow causal() {
    return {{3, 3, 3}, {1, 1, 1}, {2, 1, 1, 0, 1, 1}};
  }
  static VideoWindow pointwise3d() { return {{1, 1, 1}, {1, 1, 1}, {}}; }
  /// Three frames of each pixel.
  static VideoWindow temporal(int64_t before, int64_t after,
                              int64_t stride = 1) {
    return {{3, 1, 1}, {stride, 1, 1}, {before, 0, 0, after, 0, 0}};
  }
  Image conv3d(const llvm::Twine &name, const Image &x, int64_t filters,
               const VideoWindow &window, llvm::StringRef activation = "");
  Image framesToBatch(const llvm::Twine &name, const Image &x);
  /// With the frames of `like`; of one clip if it is null.
  Image batchToFrames(const llvm::Twine &name, const Image &x,
                      const Image *like = nullptr);
  Image channelsToFrames(const llvm::Twine &name, const Image &x,
                         int64_t factor, bool channelMajor = false);
  Image framesToChannels(const llvm::Twine &name, const Image &x,
                         int64_t factor, bool channelMajor = false);
  /// Frames from `begin`, `count` of them or, with 0, all.
  Image sliceFrames(const llvm::Twine &name, const Image &x, int64_t begin,
                    int64_t count = 0);
  Image joinFrames(const llvm::Twine &name, const Image &first,
                   const Image &rest);
  Image padFrames(const llvm::Twine &name, const Image &x, int64_t before);

  // Movement
  /// Parts of equal size of the channels.
  llvm::SmallVector<Image> split(const llvm::Twine &name, const Image &x,
                                 int64_t parts);
  Image transpose(const llvm::Twine &name, const Image &x,
                  llvm::ArrayRef<int64_t> permutation);
  Image clamp(const llvm::Twine &name, const Image &x, double low, double high);

  JsonValue takeLayers() { return std::move(layers); }

private:
  JsonValue makeLayer(const llvm::Twine &name, llvm::StringRef type,
                      llvm::ArrayRef<Image> inputs,
                      llvm::StringRef activation = "");
  Image finish(JsonValue layer, int64_t channels);
  /// A layer of one input and one number.
  Image finishWith(const llvm::Twine &name, llvm::StringRef type,
                   const Image &x, llvm::StringRef key, int64_t value,
                   int64_t channels);
  JsonValue makeIntegers(llvm::ArrayRef<int64_t> values) const;
  /// Names the tensor that a layer has as `role`, of `entries` vectors.
  void useTensor(JsonValue &layer, llvm::StringRef role, llvm::StringRef tensor,
                 int64_t entries) const;
  JsonValue makeInteger(int64_t value) const {
    return JsonValue::makeInteger(value, position);
  }

  JsonValue layers;
};

} // namespace vae::diffusers

#endif // COMPILER_IMPORT_DIFFUSERS_GRAPH_H
