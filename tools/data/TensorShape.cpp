// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/TensorShape.h"

#include "tools/data/Error.h"

#include <algorithm>
#include <cmath>

using namespace vaedata;

std::optional<int64_t> vaedata::getSize(const vae_abi_model &model,
                                        const vae_abi_dim &dim,
                                        const Sizes &sizes) {
  if (dim.symbol < 0)
    return dim.offset;
  if (sizes[dim.symbol] == 0)
    return std::nullopt;
  int64_t multiple = std::max<int64_t>(model.symbols[dim.symbol].multiple, 1);
  return dim.scale * (sizes[dim.symbol] / multiple) + dim.offset;
}

Shape vaedata::getShape(const vae_abi_model &model,
                        const vae_abi_tensor &tensor, const Sizes &sizes,
                        int64_t examples) {
  Sizes all = sizes;
  all[0] = examples;
  Shape shape;
  for (uint32_t d = 0; d < tensor.rank; ++d)
    shape.push_back(getSize(model, tensor.dims[d], all).value());
  return shape;
}

bool vaedata::hasKnownSizes(const vae_abi_tensor &tensor, const Sizes &sizes) {
  for (uint32_t d = 0; d < tensor.rank; ++d)
    if (tensor.dims[d].symbol > 0 && sizes[tensor.dims[d].symbol] == 0)
      return false;
  return true;
}

/// ", height at least 16 and a multiple of 8"; empty if there is no condition.
static std::string formatCondition(const vae_abi_symbol &symbol) {
  std::string text;
  if (symbol.minimum > 1)
    text += concat(" at least ", symbol.minimum);
  if (symbol.multiple > 1) {
    text += text.empty() ? "" : " and";
    if (symbol.remainder)
      text += concat(" ", symbol.remainder, " more than");
    text += concat(" a multiple of ", symbol.multiple);
  }
  return text.empty() ? "" : concat(", ", symbol.name, text);
}

std::string vaedata::formatExpected(const vae_abi_model &model,
                                    const vae_abi_tensor &tensor,
                                    const Sizes &sizes) {
  std::string text, conditions;
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    const vae_abi_dim &dim = tensor.dims[d];
    text += d ? ", " : "[";
    auto size = dim.symbol == 0 ? std::nullopt : getSize(model, dim, sizes);
    if (size) {
      text += std::to_string(*size);
      continue;
    }
    const vae_abi_symbol &symbol = model.symbols[dim.symbol];
    int64_t multiple = std::max<int64_t>(symbol.multiple, 1);
    int64_t offset = dim.offset;
    if (dim.scale == multiple)
      offset -= symbol.remainder;
    if (dim.scale % multiple == 0) {
      if (dim.scale != multiple)
        text += concat(dim.scale / multiple, "*");
      text += symbol.name;
    } else if (multiple % dim.scale == 0) {
      text += concat(symbol.name, "/", multiple / dim.scale);
    } else {
      text += concat(dim.scale, "*", symbol.name, "/", multiple);
    }
    if (offset)
      text += concat(offset > 0 ? "+" : "", offset);
    conditions += formatCondition(symbol);
  }
  return text + "]" + conditions;
}

void vaedata::checkSizes(const vae_abi_model &model, const Sizes &sizes) {
  for (uint32_t s = 1; s < model.num_symbols; ++s) {
    const vae_abi_symbol &symbol = model.symbols[s];
    int64_t multiple = std::max<int64_t>(symbol.multiple, 1);
    int64_t units = (sizes[s] - symbol.remainder + multiple / 2) / multiple;
    int64_t nearest =
        std::max(symbol.minimum, units * multiple + symbol.remainder);
    if (sizes[s] && nearest != sizes[s])
      fail("expected ", formatCondition(symbol).substr(2), ", found ", sizes[s],
           "; the nearest is ", nearest);
  }
}

bool vaedata::matchShape(const vae_abi_model &model,
                         const vae_abi_tensor &tensor, const Shape &shape,
                         Sizes &sizes) {
  if (shape.size() != tensor.rank)
    return false;
  Sizes found = sizes;
  for (uint32_t d = 0; d < tensor.rank; ++d) {
    const vae_abi_dim &dim = tensor.dims[d];
    if (dim.symbol == 0)
      continue;
    if (auto size = getSize(model, dim, found)) {
      if (*size != shape[d])
        return false;
      continue;
    }
    const vae_abi_symbol &symbol = model.symbols[dim.symbol];
    int64_t scaled = shape[d] - dim.offset;
    if (dim.scale <= 0 || scaled < 0 || scaled % dim.scale != 0)
      return false;
    int64_t value = scaled / dim.scale * std::max<int64_t>(symbol.multiple, 1) +
                    symbol.remainder;
    if (value < symbol.minimum)
      return false;
    found[dim.symbol] = value;
  }
  sizes = found;
  return true;
}

std::string vaedata::describeImage(const vae_abi_model &model,
                                   const vae_abi_tensor &tensor,
                                   const Sizes &sizes) {
  size_t height = std::string(tensor.layout).find('H');
  if (height == std::string::npos || height + 1 >= tensor.rank) {
    int64_t pixels = tensor.rank > 1 ? tensor.dims[1].offset : 1;
    auto side = std::lround(std::sqrt(static_cast<double>(pixels)));
    return concat(pixels, " pixels",
                  side * side == pixels ? concat(", as ", side, " x ", side)
                                        : "");
  }
  auto name = [&](size_t d) {
    auto size = getSize(model, tensor.dims[d], sizes);
    return size ? std::to_string(*size)
                : std::string(model.symbols[tensor.dims[d].symbol].name);
  };
  return name(height) + " x " + name(height + 1) + " (height x width)";
}

/// The nearest sizes of a dimension, not above and not below `size` where there
/// are such.
static std::pair<int64_t, int64_t> findNearest(const vae_abi_model &model,
                                               const vae_abi_dim &dim,
                                               const Sizes &sizes,
                                               int64_t size) {
  if (auto fixed = getSize(model, dim, sizes))
    return {*fixed, *fixed};
  const vae_abi_symbol &symbol = model.symbols[dim.symbol];
  int64_t least = (symbol.minimum + symbol.multiple - 1) / symbol.multiple *
                  symbol.multiple;
  auto get = [&](int64_t units) {
    Sizes chosen = sizes;
    chosen[dim.symbol] = std::max(units * symbol.multiple, least);
    return getSize(model, dim, chosen).value();
  };
  int64_t units = std::max<int64_t>(size - dim.offset, 0) / dim.scale;
  return {get(units), get(units) < size ? get(units + 1) : get(units)};
}

std::vector<std::string>
vaedata::findNearestImages(const vae_abi_model &model,
                           const vae_abi_tensor &tensor, const Sizes &sizes,
                           int64_t height, int64_t width) {
  size_t h = std::string(tensor.layout).find('H');
  if (h == std::string::npos || h + 1 >= tensor.rank)
    return {};
  const vae_abi_dim *dims = &tensor.dims[h];
  if (getSize(model, dims[0], sizes) && getSize(model, dims[1], sizes))
    return {};
  auto rows = findNearest(model, dims[0], sizes, height);
  auto columns = findNearest(model, dims[1], sizes, width);
  if (rows == std::pair(height, height) && columns == std::pair(width, width))
    return {};
  std::vector<std::string> images = {concat(rows.first, " x ", columns.first)};
  if (rows.first != rows.second || columns.first != columns.second)
    images.push_back(concat(rows.second, " x ", columns.second));
  return images;
}

void vaedata::requireF32(const vae_abi_tensor &tensor) {
  if (tensor.dtype != VAE_DTYPE_F32)
    fail("'", tensor.name,
         "': expected elements of type f32, which is all that is handled, "
         "found type ",
         tensor.dtype,
         "; use the C API, or compile the model with f32 inputs and outputs");
}
