// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/data/Fit.h"

#include "tools/data/Error.h"
#include "tools/data/Png.h"

#include <algorithm>

using namespace vaedata;

namespace {
/// A shape that an array can be seen in, and how its dimensions are reordered
/// after that (empty: not at all).
struct Candidate {
  Shape shape;
  std::vector<size_t> order;
};
} // namespace

static bool isImageLayout(const std::string &layout) {
  return layout == "NCHW" || layout == "NHWC";
}

/// The reordering from the other layout.
static std::vector<size_t> fromOther(const std::string &layout) {
  return layout == "NCHW" ? std::vector<size_t>{0, 3, 1, 2}
                          : std::vector<size_t>{0, 2, 3, 1};
}

static Shape withOne(Shape shape, size_t position) {
  shape.insert(shape.begin() + static_cast<ptrdiff_t>(position), 1);
  return shape;
}

static Shape withoutDim(Shape shape, size_t position) {
  shape.erase(shape.begin() + static_cast<ptrdiff_t>(position));
  return shape;
}

static std::vector<Candidate> listCandidates(const Array &array,
                                             const vae_abi_tensor &tensor) {
  std::string layout = tensor.layout;
  const Shape &shape = array.shape;
  if (!array.layout.empty()) {
    // An image of one channel or more: NHWC, nothing else.
    if (layout == "NCHW")
      return {{shape, fromOther(layout)}};
    if (layout == "NHW" && shape[3] == 1)
      return {{withoutDim(shape, 3), {}}};
    if (layout == "NCDHW") // a video of one frame
      return {{withOne(shape, 1), {0, 4, 1, 2, 3}}};
    return {{shape, {}}};
  }
  std::vector<Candidate> list = {{shape, {}}};
  bool image = isImageLayout(layout);
  if (image && shape.size() == 4)
    list.push_back({shape, fromOther(layout)});
  if (image && shape.size() == 3)
    list.push_back({withOne(shape, layout.find('C')), {}});
  if (layout == "NHW" && shape.size() == 4)
    for (size_t channel : {1, 3})
      if (shape[channel] == 1)
        list.push_back({withoutDim(shape, channel), {}});
  // A single example.
  Shape one = withOne(shape, 0);
  list.push_back({one, {}});
  if (image && one.size() == 4)
    list.push_back({one, fromOther(layout)});
  if (image && one.size() == 3)
    list.push_back({withOne(one, layout.find('C')), {}});
  return list;
}

/// The number of examples in an array whose shape does not matter; 0 if the
/// number of elements does not fit.
static int64_t countExamples(const vae_abi_model &model, const Array &array,
                             const vae_abi_tensor &tensor, const Sizes &sizes) {
  if (!hasKnownSizes(tensor, sizes))
    return 0;
  auto elements = countElements(getShape(model, tensor, sizes, 1));
  auto total = static_cast<int64_t>(array.values.size());
  if (!elements || *elements == 0 || total == 0)
    return 0;
  if (!array.shape.empty() && total % *elements == 0 &&
      array.shape[0] == total / *elements)
    return array.shape[0];
  return total == *elements ? 1 : 0;
}

/// "; the nearest sizes are 24 x 40 and 32 x 48", if there are such.
static std::string describeNearest(const vae_abi_model &model,
                                   const Array &image,
                                   const vae_abi_tensor &tensor,
                                   const Sizes &sizes) {
  auto nearest =
      findNearestImages(model, tensor, sizes, image.shape[1], image.shape[2]);
  if (nearest.empty())
    return "";
  return nearest.size() == 1
             ? "; the nearest size is " + nearest[0]
             : "; the nearest sizes are " + nearest[0] + " and " + nearest[1];
}

[[noreturn]] static void failShape(const vae_abi_model &model,
                                   const Array &array,
                                   const vae_abi_tensor &tensor,
                                   const Sizes &sizes) {
  std::string expected = formatExpected(model, tensor, sizes);
  if (!array.layout.empty())
    fail(array.source, ": input '", tensor.name, "', ", expected,
         ": expected an image of ", describeImage(model, tensor, sizes),
         ", found ", array.shape[1], " x ", array.shape[2], " with ",
         array.shape[3], array.shape[3] == 1 ? " channel" : " channels",
         "; resize it", describeNearest(model, array, tensor, sizes));
  std::string each;
  if (hasKnownSizes(tensor, sizes))
    each =
        concat(" (", countElements(getShape(model, tensor, sizes, 1)).value(),
               " numbers an example)");
  fail(array.source, ": input '", tensor.name, "': expected shape ", expected,
       each, ", found ", formatShape(array.shape), " (", array.values.size(),
       " numbers); reshape it, batch first");
}

/// Integers to the declared range.
static void scaleIntegers(Array &array, const vae_abi_tensor &tensor) {
  bool vector = tensor.role != VAE_ROLE_INPUT && tensor.rank < 3;
  if (!array.type.isInteger() || !tensor.has_range || vector)
    return;
  bool isUnsigned = array.type.kind == ElementType::Unsigned;
  double full = array.type.kind == ElementType::Bool ? 1
                : isUnsigned && array.type.size == 2 ? 65535
                                                     : 255;
  double low = tensor.range_min, high = tensor.range_max;
  for (float &value : array.values) {
    if (value < 0 || value > full)
      fail(array.source, ": expected pixels from 0 to 255 in an array of ",
           formatType(array.type), ", found ", value,
           "; scale it to the range [", low, ", ", high,
           "] yourself and save it as float32");
    value = static_cast<float>(low + value / full * (high - low));
  }
}

/// The number of channels that a tensor takes from an image of this size.
static int64_t getChannels(const Array &image, const vae_abi_tensor &tensor) {
  std::string layout = tensor.layout;
  size_t channel = layout.find('C');
  if (layout == "NHW")
    return 1;
  if (channel == std::string::npos || channel >= tensor.rank ||
      tensor.dims[channel].symbol >= 0)
    return image.shape[3];
  int64_t size = tensor.dims[channel].offset;
  if (tensor.rank == 2)
    size = size == 3 * image.shape[1] * image.shape[2] ? 3 : 1;
  return size == 1 || size == 3 ? size : image.shape[3];
}

Data vaedata::fitArray(Array array, const vae_abi_model &model,
                       const vae_abi_tensor &tensor, Sizes &sizes) {
  if (!array.layout.empty())
    convertChannels(array, getChannels(array, tensor));
  scaleIntegers(array, tensor);
  Data data;
  for (Candidate &candidate : listCandidates(array, tensor)) {
    Shape shape = candidate.shape;
    for (size_t d = 0; d < candidate.order.size(); ++d)
      shape[d] = candidate.shape[candidate.order[d]];
    if (!matchShape(model, tensor, shape, sizes))
      continue;
    data.examples = shape[0];
    if (data.examples == 0)
      break;
    array.shape = candidate.shape;
    if (!candidate.order.empty())
      permute(array, candidate.order);
    data.values = std::move(array.values);
    return data;
  }
  if (!array.shape.empty() && array.shape[0] == 0)
    fail(array.source, ": expected at least one example, found shape ",
         formatShape(array.shape), "; give a batch that is not empty");
  // An image of another size is never reshaped, except to a vector.
  if (array.layout.empty() || tensor.rank == 2)
    data.examples = countExamples(model, array, tensor, sizes);
  if (data.examples == 0)
    failShape(model, array, tensor, sizes);
  data.values = std::move(array.values);
  return data;
}

std::vector<std::string>
vaedata::getPreferredNames(const vae_abi_tensor &tensor) {
  switch (tensor.role) {
  case VAE_ROLE_LATENT:
    return {"z", "mu", tensor.name};
  case VAE_ROLE_INPUT:
    return {tensor.name, "x"};
  case VAE_ROLE_NOISE:
    return {tensor.name, "eps"};
  default:
    return {tensor.name};
  }
}

std::string vaedata::describeOutside(const Array &array,
                                     const vae_abi_tensor &tensor) {
  if (array.type.isInteger() || !tensor.has_range || array.values.empty())
    return "";
  auto [low, high] =
      std::minmax_element(array.values.begin(), array.values.end());
  float slack = 0.01f * (tensor.range_max - tensor.range_min);
  if (*low >= tensor.range_min - slack && *high <= tensor.range_max + slack)
    return "";
  return concat(array.source, ": values from ", *low, " to ", *high,
                " are outside the declared range [", tensor.range_min, ", ",
                tensor.range_max, "] of '", tensor.name,
                "'; floats are taken as they are");
}
