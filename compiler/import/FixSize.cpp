// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/FixSize.h"

#include "compiler/import/native/Fields.h"

using namespace mlir;
using namespace vae;

/// The nearest size that a dynamic dimension takes.
static int64_t getNearest(int64_t size, int64_t minimum, int64_t multiple) {
  int64_t nearest = (size + multiple / 2) / multiple * multiple;
  return std::max(nearest, (minimum + multiple - 1) / multiple * multiple);
}

static int64_t getInteger(const JsonValue &object, StringRef key,
                          int64_t missing) {
  const JsonValue *value = object.find(key);
  return value && value->isInteger() && value->integer > 0 ? value->integer
                                                           : missing;
}

/// Replaces the name of a dimension in a shape.
static void replaceInShape(JsonValue *object, StringRef name, int64_t size) {
  JsonValue *shape = object ? object->find("shape") : nullptr;
  if (!shape)
    return;
  for (JsonValue &dim : shape->items)
    if (dim.isString() && dim.text == name)
      dim = JsonValue::makeInteger(size, dim.position);
}

LogicalResult vae::fixSize(ModelDocument &document, ImageSize size,
                           MLIRContext &context) {
  Source source(&context, document.files);
  JsonValue &root = document.root;
  JsonValue *dynamic = root.find("dynamic");
  if (!dynamic || !dynamic->isObject() || dynamic->members.empty())
    return source.error(root.position)
           << "--size: the model has no dynamic height or width";
  for (auto [name, wanted] :
       {std::pair<StringRef, int64_t>("height", size.height),
        std::pair<StringRef, int64_t>("width", size.width)}) {
    const JsonValue *dim = dynamic->find(name);
    if (!dim)
      continue;
    int64_t multiple = getInteger(*dim, "multiple", 1);
    int64_t minimum = getInteger(*dim, "min", multiple);
    int64_t nearest = getNearest(wanted, minimum, multiple);
    if (nearest != wanted)
      return source.error(dim->position)
             << "--size: the " << name << " must be a multiple of " << multiple
             << " and at least " << minimum << ", found " << wanted
             << "; the nearest is " << nearest;
    if (JsonValue *inputs = root.find("inputs"))
      for (JsonValue &input : inputs->items)
        replaceInShape(&input, name, wanted);
    replaceInShape(root.find("latent"), name, wanted);
  }
  llvm::erase_if(dynamic->members, [](const JsonValue::Member &member) {
    return member.key == "height" || member.key == "width";
  });
  if (dynamic->members.empty())
    llvm::erase_if(root.members, [](const JsonValue::Member &member) {
      return member.key == "dynamic";
    });
  return success();
}

/// The layers that make clips of a batch, without the length of a clip.
static std::vector<JsonValue *> findClips(JsonValue &root) {
  std::vector<JsonValue *> found;
  for (StringRef side : {"encoder", "decoder"}) {
    JsonValue *section = root.find(side);
    JsonValue *layers = section ? section->find("layers") : nullptr;
    if (!layers)
      continue;
    for (JsonValue &layer : layers->items) {
      const JsonValue *type = layer.find("type");
      const JsonValue *inputs = layer.find("inputs");
      bool like = inputs && inputs->items.size() == 2;
      if (type && type->isString() && type->text == "batch_to_frames" &&
          !like && !layer.find("frames"))
        found.push_back(&layer);
    }
  }
  return found;
}

LogicalResult vae::fixFrames(ModelDocument &document, int64_t frames,
                             MLIRContext &context) {
  Source source(&context, document.files);
  JsonValue &root = document.root;
  JsonPosition at = root.position;
  std::vector<JsonValue *> clips = findClips(root);
  JsonValue *dynamic = root.find("dynamic");
  if (clips.empty())
    return source.error(at)
           << "--frames: the batch of this model is not the frames of a clip"
           << (dynamic && dynamic->find("frames")
                   ? "; it takes any number of frames when it runs"
                   : "");
  for (JsonValue *layer : clips)
    layer->set("frames", JsonValue::makeInteger(frames, at));
  JsonValue batch = JsonValue::makeObject(at);
  batch.set("multiple", JsonValue::makeInteger(frames, at));
  if (!dynamic) {
    root.set("dynamic", JsonValue::makeObject(at));
    dynamic = root.find("dynamic");
  }
  llvm::erase_if(dynamic->members, [](const JsonValue::Member &member) {
    return member.key == "batch";
  });
  dynamic->set("batch", std::move(batch));
  return success();
}
