// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "test/import/diffusers/ImportFolder.h"

#include "compiler/import/diffusers/DiffusersImporter.h"
#include "compiler/import/native/NativeImporter.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"

#include <cstdlib>
#include <fstream>

using namespace llvm;
using namespace vae;
using namespace vae::test;

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

namespace {

/// Adds tensors of zeros, all of them the same bytes, for the layers that the
/// importer writes. Knows the channels of each layer's result.
class TensorMaker {
public:
  explicit TensorMaker(WeightStore &weights) : weights(weights) {}

  void add(const JsonValue &root);

private:
  static constexpr int64_t kMaxCount = 1 << 18;
  static constexpr size_t kMaxLayers = 1500;

  void addLayers(const JsonValue &layers);
  int64_t addLayer(const JsonValue &layer, StringRef type, int64_t x);
  void addTensor(const std::string &name, ArrayRef<int64_t> shape);

  WeightStore &weights;
  std::shared_ptr<MemoryBuffer> zeros =
      WritableMemoryBuffer::getNewMemBuffer(kMaxCount * sizeof(float));
  StringMap<int64_t> channels;
};

} // namespace

static int64_t getInt(const JsonValue &layer, StringRef key, int64_t missing) {
  const JsonValue *value = layer.find(key);
  return value ? value->integer : missing;
}

void TensorMaker::addTensor(const std::string &name, ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    if (MulOverflow(count, size, count) || count > kMaxCount)
      return;
  WeightTensor tensor;
  tensor.name = name;
  tensor.fileName = "zeros.safetensors";
  tensor.dtype = "F32";
  tensor.shape.assign(shape.begin(), shape.end());
  tensor.data = ArrayRef(zeros->getBufferStart(), count * sizeof(float));
  tensor.file = zeros;
  // The codebook is there for each of its two layers.
  consumeError(weights.addTensor(std::move(tensor)));
}

/// The channels of the result of a layer that gets `x` channels.
int64_t TensorMaker::addLayer(const JsonValue &layer, StringRef type,
                              int64_t x) {
  std::string name = layer.find("name")->text;
  if (type == "conv2d") {
    int64_t filters = getInt(layer, "filters", 1),
            size = getInt(layer, "kernel_size", 1),
            groups = getInt(layer, "groups", 1);
    addTensor(name + ".weight", {filters, x / groups, size, size});
    if (!layer.find("bias"))
      addTensor(name + ".bias", {filters});
    return filters;
  }
  if (type == "conv3d") {
    int64_t filters = getInt(layer, "filters", 1);
    std::vector<int64_t> shape = {filters, x};
    for (const JsonValue &size : layer.find("kernel_size")->items)
      shape.push_back(size.integer);
    addTensor(name + ".weight", shape);
    addTensor(name + ".bias", {filters});
    return filters;
  }
  if (type == "rms_norm" && layer.find("weights")) {
    addTensor(layer.find("weights")->find("weight")->text, {x, 1, 1});
    return x;
  }
  if (type.ends_with("_norm")) {
    for (const char *role : {".weight", ".bias"})
      addTensor(name + role, {x});
    if (type == "batch_norm")
      for (const char *role : {".running_mean", ".running_var"})
        addTensor(name + role, {x});
    return x;
  }
  if (type == "nearest_codebook")
    addTensor(layer.find("weights")->find("codebook")->text,
              {getInt(layer, "entries", 1), x});
  if (type == "embedding")
    return getInt(layer, "units", 1);
  if (type == "glu")
    return x / 2;
  if (type == "linear_attention")
    return x / 3;
  if (type == "repeat_channels")
    return x * getInt(layer, "repeats", 1);
  if (type == "mean_channels")
    return x / getInt(layer, "group", 1);
  int64_t factor = getInt(layer, "factor", 1);
  if (type == "channels_to_frames")
    return x / factor;
  if (type == "frames_to_channels")
    return x * factor;
  if (type == "pixel_shuffle")
    return x / (factor * factor);
  if (type == "pixel_unshuffle")
    return x * (factor * factor);
  return x;
}

void TensorMaker::addLayers(const JsonValue &layers) {
  if (layers.items.size() > kMaxLayers)
    return;
  for (const JsonValue &layer : layers.items) {
    StringRef type = layer.find("type")->text;
    const std::vector<JsonValue> &inputs = layer.find("inputs")->items;
    int64_t x = channels.lookup(inputs.front().text);
    if (type == "concat" && !layer.find("axis")) // of channels
      for (const JsonValue &input : ArrayRef(inputs).drop_front())
        x += channels.lookup(input.text);
    const std::string &name = layer.find("name")->text;
    channels[name] = addLayer(layer, type, x);
    for (int64_t part = 0; part < getInt(layer, "sections", 0); ++part)
      channels[name + ":" + std::to_string(part)] =
          x / getInt(layer, "sections", 1);
  }
}

void TensorMaker::add(const JsonValue &root) {
  const JsonValue &input = root.find("inputs")->items.front();
  channels[input.find("name")->text] =
      input.find("shape")->items.front().integer;
  addLayers(*root.find("encoder")->find("layers"));
  const JsonValue &latent = *root.find("latent");
  const JsonValue *head = latent.find("head");
  channels["z"] = head ? channels.lookup(head->text) / 2
                       : channels.lookup(latent.find("code")->text);
  addLayers(*root.find("decoder")->find("layers"));
}

//===----------------------------------------------------------------------===//
// Folders
//===----------------------------------------------------------------------===//

static void write(const std::string &path, const std::string &content) {
  std::ofstream(path, std::ios::binary) << content;
}

/// The bytes of a safetensors file with tensors of one element.
static std::string makeFile(ArrayRef<StringRef> names) {
  std::string header = "{", data;
  for (StringRef name : names) {
    header += (data.empty() ? "\"" : ",\"") + name.str() +
              "\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[" +
              std::to_string(data.size()) + "," +
              std::to_string(data.size() + 4) + "]}";
    data.append(4, '\0');
  }
  header += "}";
  std::string size(8, '\0');
  size[0] = static_cast<char>(header.size());
  size[1] = static_cast<char>(header.size() >> 8);
  return size + header + data;
}

static constexpr const char *kWeights = "/diffusion_pytorch_model.safetensors";

DiffusersFolder::DiffusersFolder() {
  for (std::string *folder : {&plain, &shards}) {
    SmallString<128> path;
    if (sys::fs::createUniqueDirectory("vaec-diffusers", path))
      std::abort();
    *folder = path.str().str();
  }
  // Numbers that the importer itself reads.
  std::vector<std::string> mixes = {"decoder.mid_block.resnets.0",
                                    "decoder.mid_block.resnets.1"};
  for (int block = 0; block < 3; ++block)
    for (int layer = 0; layer < 3; ++layer)
      mixes.push_back("decoder.up_blocks." + std::to_string(block) +
                      ".resnets." + std::to_string(layer));
  for (std::string &name : mixes)
    name += ".time_mixer.mix_factor";
  write(plain + kWeights,
        makeFile(std::vector<StringRef>(mixes.begin(), mixes.end())));
  write(shards + "/a.safetensors", makeFile({"one"}));
  write(shards + "/b.safetensors", makeFile({"two", "three"}));
}

DiffusersFolder::~DiffusersFolder() {
  for (const std::string &folder : {plain, shards})
    (void)sys::fs::remove_directories(folder);
}

DiffusersFolder::Outcome DiffusersFolder::run(const std::string &folder,
                                              bool makeTensors) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  Outcome outcome;
  unsigned errors = 0;
  context.getDiagEngine().registerHandler([&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error)
      return;
    ++errors;
    std::string text = diagnostic.str();
    auto loc = dyn_cast<mlir::FileLineColLoc>(diagnostic.getLocation());
    if (!loc || text.empty() || StringRef(text).contains("' op "))
      outcome.fault += "an error without a place, or of a verifier: " + text;
    else
      outcome.error = std::to_string(loc.getLine()) + ":" +
                      std::to_string(loc.getColumn()) + ": " + text;
  });
  ModelDocument document;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  if (succeeded(readDiffusersFolder(folder, context, document))) {
    if (makeTensors)
      TensorMaker(document.weights).add(document.root);
    ImportOptions options;
    options.verify = false;
    module = buildModel(document, options, context);
  }
  outcome.imported = static_cast<bool>(module);
  if (module && failed(mlir::verify(*module)))
    outcome.fault += "a module that does not verify";
  else if (errors != (module ? 0 : 1))
    outcome.fault += std::to_string(errors) + " errors";
  return outcome;
}

DiffusersFolder::Outcome DiffusersFolder::import(const std::string &config) {
  write(plain + "/config.json", config);
  return run(plain, /*makeTensors=*/true);
}

DiffusersFolder::Outcome
DiffusersFolder::importShards(const std::string &config,
                              const std::string &index) {
  write(shards + "/config.json", config);
  write(shards + kWeights + ".index.json", index);
  return run(shards, /*makeTensors=*/false);
}
