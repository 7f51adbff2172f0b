// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/e2e/RandomZeros.h"

#include <nlohmann/json.hpp>

using json = nlohmann::ordered_json;

namespace {

/// Sets pieces of `size` elements along an axis to zero, of each that many
/// percent.
void clear(json &kernel, size_t axis, int64_t size, unsigned percent,
           std::mt19937 &random) {
  std::vector<int64_t> shape = kernel["shape"];
  int64_t inner = 1;
  for (size_t i = axis + 1; i < shape.size(); ++i)
    inner *= shape[i];
  json &data = kernel["data"];
  for (size_t i = 0; i < data.size(); ++i) {
    int64_t index = static_cast<int64_t>(i) / inner % shape[axis];
    if (index % size || random() % 100 >= percent)
      continue;
    for (int64_t k = 0; k < std::min(size, shape[axis] - index); ++k)
      data[i + k * inner] = 0;
  }
}

} // namespace

std::string vae::test::addZeros(const std::string &text, std::mt19937 &random) {
  json model = json::parse(text);
  for (const char *part : {"encoder", "decoder"}) {
    if (!model.contains(part) || !model[part].contains("layers"))
      continue;
    for (json &layer : model[part]["layers"]) {
      if (!layer.contains("weights") || !layer["weights"].contains("kernel") ||
          !layer["weights"]["kernel"].is_object() ||
          !layer["weights"]["kernel"].contains("data"))
        continue;
      json &kernel = layer["weights"]["kernel"];
      constexpr unsigned kPercents[] = {0, 30, 50, 80, 95, 100};
      unsigned percent = kPercents[random() % std::size(kPercents)];
      size_t axis = random() % std::min<size_t>(2, kernel["shape"].size());
      clear(kernel, axis, random() % 2 ? 16 : 1, percent, random);
    }
  }
  return model.dump();
}
