// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the model of a seed (RandomLayer.h).
#ifndef TEST_E2E_RANDOMLAYERWRITER_H
#define TEST_E2E_RANDOMLAYERWRITER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"

#include <array>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace vae::test::random_layer {

using json = nlohmann::ordered_json;

/// A dimension; of a dynamic one the least value.
struct Dim {
  int64_t size;
  const char *symbol = nullptr; // "frames", "height" or "width"
  bool isChanged = false;       // another size than that of the symbol
};
using Dims = std::vector<Dim>;

struct Value {
  std::string name;
  Dims dims; // without the batch
  bool isFixed() const {
    return llvm::none_of(dims, [](const Dim &dim) { return dim.symbol; });
  }
  int64_t count() const {
    int64_t result = 1;
    for (const Dim &dim : dims)
      result *= dim.size;
    return result;
  }
};

class Writer {
public:
  Writer(unsigned seed, std::string type)
      : random(seed), type(std::move(type)) {}
  std::string write();

private:
  // Numbers
  int64_t integer(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(random() % (high - low + 1));
  }
  bool chance(unsigned percent) { return random() % 100 < percent; }
  int64_t pick(std::initializer_list<int64_t> of) {
    return of.begin()[random() % of.size()];
  }
  json numbers(llvm::ArrayRef<int64_t> shape, double scale, double middle = 0);
  int64_t drawChannels() {
    return pick({integer(1, 9), integer(1, 40), integer(1, 72), 16, 32, 17});
  }
  int64_t drawDivisor(int64_t number);

  // The graph
  Value input(Dims dims);
  Value add(json layer, llvm::ArrayRef<Value> operands, Dims dims);
  Value image(int64_t channels, std::array<int64_t, 2> least,
              std::array<int64_t, 2> multiple = {1, 1}, int64_t room = 13);
  Value anything();
  Value epilogue(Value value);
  void drawActivation(json &layer);
  json parameters(llvm::StringRef activation);
  void addBias(json &layer, int64_t units);
  void addAffine(json &layer, llvm::ArrayRef<int64_t> shape);

  // Layers
  struct Window {
    std::array<int64_t, 2> kernel, stride, dilation;
    std::array<int64_t, 4> padding; // top, left, bottom, right
    int64_t extent(int axis) const {
      return dilation[axis] * (kernel[axis] - 1) + 1;
    }
  };
  Window drawWindow(json &layer, int64_t mostKernel, bool isPool);
  Value windowInput(const Window &window, int64_t channels);
  Dims windowDims(const Window &window, const Value &x, int64_t channels);
  Value dense();
  Value conv();
  Value depthwise();
  Value convTranspose();
  Value norm();
  Value pool();
  Value combine();
  Value concat();
  Value split();
  Value upsample();
  Value reshape();
  Value border();
  Value elementwise();
  Value rmsNorm();
  Value glu();
  Value attention();
  Value linearAttention();
  Value codebook();
  Value resize();
  Value pixelShuffle();
  Value channels();
  Value video(int64_t channels, std::array<int64_t, 3> least,
              std::array<int64_t, 3> multiple);
  Value conv3d();
  Value frames();
  Value frameChannels();
  Value slice();
  Value videoPad();
  Value buildLayer();
  void writeScore();

  std::mt19937 random;
  std::string type;
  json model, layers = json::array(), inputs = json::array();
};

} // namespace vae::test::random_layer

#endif // TEST_E2E_RANDOMLAYERWRITER_H
