// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/native/Entries.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace mlir;
using namespace vae;

namespace {
/// Builds the functions of a model, one after the other.
class ModelBuilder {
public:
  ModelBuilder(BuildContext &context, ModuleOp module)
      : context(context), emitter(context.emitter), model(context.model),
        module(module) {}

  LogicalResult build();

private:
  func::FuncOp begin(StringRef name, const SectionSpec &section,
                     NamedValues &values);
  void end(func::FuncOp function, ArrayRef<Value> results);
  LogicalResult buildEncoder();
  LogicalResult buildDecoder();
  LogicalResult getHeads(const NamedValues &values,
                         SmallVectorImpl<Value> &heads);
  LogicalResult splitHead(Location loc, StringRef subject, SplitKind split,
                          SmallVectorImpl<Value> &heads);
  LogicalResult checkLatent(Value mu);
  LogicalResult checkOutput();
  LogicalResult checkChannels();
  LogicalResult checkChannels(StringRef subject, JsonPosition position,
                              ArrayRef<double> numbers);

  // Entry points.
  LogicalResult buildEncode(bool sampled);
  LogicalResult buildDecode();
  LogicalResult buildReconstruct(bool sampled);
  LogicalResult buildSample();
  LogicalResult buildScore();

  Port getInput(const InputSpec &input, StringRef role) const;
  Port getLatent(StringRef name, StringRef role) const;
  /// Ports of the conditions that the sections take.
  void addConditions(std::vector<Port> &ports, bool encoder,
                     bool decoder) const;
  /// Adds the outputs of the encoder that are no part of the latent.
  void addFurtherOutputs(EntryFunction &entry, ArrayRef<Value> results) const;
  /// Runs the encoder, or the decoder from `z`.
  SmallVector<Value> encode(EntryFunction &entry);
  SmallVector<Value> decode(EntryFunction &entry, Value z);
  Value sampleLatent(EntryFunction &entry, ArrayRef<Value> heads);
  Value getPriorConstant(EntryFunction &entry, ArrayRef<double> numbers);
  /// The decoder's output in the shape and layout of the data input.
  Value toData(EntryFunction &entry, Value value);
  void addMean(EntryFunction &entry, Value output);

  bool hasPlainCode() const { return model.latent.isCode; }
  const InputSpec *getData() const {
    return model.inputs.empty() ? nullptr : &model.inputs.front();
  }

  BuildContext &context;
  Emitter &emitter;
  const ModelSpec &model;
  ModuleOp module;
  func::FuncOp encoder, decoder;
  /// The latent's shape and layout, as callers see it.
  Dims latentDims;
  std::string latentLayout;
};
} // namespace

//===----------------------------------------------------------------------===//
// @encoder and @decoder
//===----------------------------------------------------------------------===//

func::FuncOp ModelBuilder::begin(StringRef name, const SectionSpec &section,
                                 NamedValues &values) {
  OpBuilder &builder = emitter.builder;
  SmallVector<Dims> shapes;
  SmallVector<Type> types;
  for (const NameRef &input : section.inputs) {
    const InputSpec *spec = model.findInput(input.name);
    shapes.push_back(spec ? toInternal(spec->dims, spec->layout)
                          : toInternal(latentDims, latentLayout));
    types.push_back(getTensorType(shapes.back(), builder.getF32Type()));
  }
  builder.setInsertionPointToEnd(module.getBody());
  auto function = func::FuncOp::create(
      builder,
      NameLoc::get(builder.getStringAttr(name),
                   emitter.source.getLoc(section.position)),
      name, builder.getFunctionType(types, {}));
  function.setPrivate();
  Block *block = function.addEntryBlock();
  for (unsigned i = 0; i < shapes.size(); ++i) {
    emitter.setDims(block->getArgument(i), shapes[i]);
    values[section.inputs[i].name] = block->getArgument(i);
  }
  builder.setInsertionPointToEnd(block);
  return function;
}

void ModelBuilder::end(func::FuncOp function, ArrayRef<Value> results) {
  func::ReturnOp::create(emitter.builder, function.getLoc(), results);
  SmallVector<Type> types;
  for (Value result : results)
    types.push_back(result.getType());
  function.setFunctionType(emitter.builder.getFunctionType(
      function.getFunctionType().getInputs(), types));
}

LogicalResult ModelBuilder::splitHead(Location loc, StringRef subject,
                                      SplitKind split,
                                      SmallVectorImpl<Value> &heads) {
  if (split == SplitKind::None)
    return success();
  auto parts =
      emitter.createMany<SplitOp>(loc, subject, heads.front(), uint64_t(1),
                                  uint64_t(2), split == SplitKind::Interleaved);
  heads.assign(parts.begin(), parts.end());
  return success(!heads.empty());
}

/// mu and logvar, or the code.
LogicalResult ModelBuilder::getHeads(const NamedValues &values,
                                     SmallVectorImpl<Value> &heads) {
  const LatentSpec &latent = model.latent;
  Location loc = NameLoc::get(emitter.builder.getStringAttr("latent"),
                              emitter.source.getLoc(latent.position));
  heads.push_back(findValue(context, values, latent.mu, "latent"));
  if (!heads[0])
    return failure();
  if (latent.logvar) {
    heads.push_back(findValue(context, values, latent.logvar, "latent"));
    if (!heads[1])
      return failure();
    if (emitter.getDims(heads[0]) != emitter.getDims(heads[1]))
      return emitter.source.error(latent.logvar.position)
             << "latent: expected mu and logvar of the same shape, '"
             << latent.mu.name << "' gives " << emitter.formatDims(heads[0])
             << ", '" << latent.logvar.name << "' gives "
             << emitter.formatDims(heads[1]);
  }
  if (failed(splitHead(loc, "latent", latent.split, heads)))
    return failure();
  if (latent.clamp) {
    auto clamp = ActivationAttr::get(loc.getContext(), ActivationKind::Clamp,
                                     latent.clamp->first, latent.clamp->second);
    heads[1] = emitter.create<ActivationOp>(loc, "latent", heads[1], clamp);
    if (!heads[1])
      return failure();
  }
  return success();
}

LogicalResult ModelBuilder::checkLatent(Value mu) {
  Dims dims = emitter.getDims(mu);
  latentLayout = model.latent.layout;
  if (latentLayout.empty())
    latentLayout = getLogicalLayout(dims.size());
  if (latentLayout.size() != dims.size())
    return emitter.source.error(model.latent.position)
           << "latent: layout '" << latentLayout << "' does not fit the shape "
           << emitter.formatDims(dims);
  latentDims = toExternal(dims, latentLayout);
  if (!model.latent.dims.empty() && model.latent.dims != latentDims)
    return emitter.source.error(model.latent.position)
           << "latent: 'shape' is " << emitter.formatDims(model.latent.dims)
           << ", the encoder gives " << emitter.formatDims(latentDims);
  for (AffineExpr dim : latentDims)
    if (!emitter.getLinear(dim))
      return emitter.source.error(model.latent.position)
             << "latent: its height or width is no linear function of the "
                "input's; enlarge \"multiple\" in \"dynamic\"";
  return success();
}

LogicalResult ModelBuilder::buildEncoder() {
  NamedValues values;
  encoder = begin("encoder", model.encoder, values);
  SmallVector<Value> heads;
  if (failed(buildSection(context, model.encoder, values)) ||
      failed(getHeads(values, heads)))
    return failure();
  SmallVector<Value> results = heads;
  for (const NameRef &output : model.encoder.outputs) {
    results.push_back(findValue(context, values, output, "encoder"));
    if (!results.back())
      return failure();
  }
  end(encoder, results);
  return checkLatent(heads.front());
}

LogicalResult ModelBuilder::buildDecoder() {
  NamedValues values;
  decoder = begin("decoder", model.decoder, values);
  if (failed(buildSection(context, model.decoder, values)))
    return failure();
  SmallVector<Value> heads = {
      findValue(context, values, model.decoder.output, "decoder")};
  if (!heads[0])
    return failure();
  const LikelihoodSpec &likelihood = model.likelihood;
  if (model.decoder.outputLogvar) {
    heads.push_back(
        findValue(context, values, model.decoder.outputLogvar, "decoder"));
    if (!heads[1])
      return failure();
    if (emitter.getDims(heads[0]) != emitter.getDims(heads[1]))
      return emitter.source.error(model.decoder.outputLogvar.position)
             << "decoder: expected 'output' and 'output_logvar' of the same "
                "shape, found "
             << emitter.formatDims(heads[0]) << " and "
             << emitter.formatDims(heads[1]);
  }
  Location loc = NameLoc::get(emitter.builder.getStringAttr("likelihood"),
                              emitter.source.getLoc(likelihood.position));
  if (failed(splitHead(loc, "likelihood", likelihood.split, heads)))
    return failure();
  end(decoder, heads);
  return checkOutput();
}

/// The decoder's output must be the data, or the data in another shape.
LogicalResult ModelBuilder::checkOutput() {
  const InputSpec *data = getData();
  if (!data)
    return success();
  MLIRContext *mlirContext = emitter.source.getContext();
  Dims output = emitter.getDims(decoder.front().getTerminator()->getOperand(0));
  Dims wanted = toInternal(data->dims, data->layout);
  if (output == wanted)
    return success();
  AffineExpr count = getNumElements(ArrayRef(output).drop_front(), mlirContext);
  AffineExpr expected =
      getNumElements(ArrayRef(wanted).drop_front(), mlirContext);
  if (count == expected && !ShapedType::isDynamic(getStaticDim(count)))
    return success();
  return emitter.source.error(model.decoder.output.position)
         << "decoder: '" << model.decoder.output.name << "' gives "
         << emitter.formatDims(output) << ", the data input '"
         << data->name.name << "' is " << emitter.formatDims(wanted);
}

LogicalResult ModelBuilder::checkChannels(StringRef subject,
                                          JsonPosition position,
                                          ArrayRef<double> numbers) {
  Dims dims = toInternal(latentDims, latentLayout);
  int64_t channels = getStaticDim(dims[1]);
  if (numbers.size() <= 1 || static_cast<int64_t>(numbers.size()) == channels)
    return success();
  return emitter.source.error(position)
         << subject << ": expected one number or " << channels
         << ", one a channel of the latent " << emitter.formatDims(dims)
         << ", found " << static_cast<unsigned>(numbers.size());
}

/// What may have one number a channel has as many as the latent.
LogicalResult ModelBuilder::checkChannels() {
  for (const auto *numbers : {&model.prior.mean, &model.prior.deviation})
    if (failed(checkChannels("prior", model.prior.position, *numbers)))
      return failure();
  for (const auto *numbers : {&model.latent.scale, &model.latent.shift})
    if (failed(checkChannels("latent", model.latent.position, *numbers)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Pieces of entry points
//===----------------------------------------------------------------------===//

Port ModelBuilder::getInput(const InputSpec &input, StringRef role) const {
  return {input.name.name, role.str(), input.layout, input.dims, input.range};
}

Port ModelBuilder::getLatent(StringRef name, StringRef role) const {
  return {name.str(), role.str(), latentLayout, latentDims, std::nullopt};
}

static bool takes(const SectionSpec &section, const InputSpec &input) {
  return llvm::any_of(section.inputs, [&](const NameRef &name) {
    return name.name == input.name.name;
  });
}

void ModelBuilder::addConditions(std::vector<Port> &ports, bool withEncoder,
                                 bool withDecoder) const {
  for (const InputSpec &input :
       ArrayRef(model.inputs).drop_front(model.inputs.empty() ? 0 : 1))
    if ((withEncoder && takes(model.encoder, input)) ||
        (withDecoder && takes(model.decoder, input)))
      ports.push_back(getInput(input, "condition"));
}

SmallVector<Value> ModelBuilder::encode(EntryFunction &entry) {
  SmallVector<Value> operands;
  for (const NameRef &input : model.encoder.inputs)
    operands.push_back(entry.getInternal(StringRef(input.name)));
  return entry.call(encoder, operands);
}

SmallVector<Value> ModelBuilder::decode(EntryFunction &entry, Value z) {
  SmallVector<Value> operands;
  for (const NameRef &input : model.decoder.inputs)
    operands.push_back(
        input.name == "z" ? z : entry.getInternal(StringRef(input.name)));
  return entry.call(decoder, operands);
}

Value ModelBuilder::sampleLatent(EntryFunction &entry, ArrayRef<Value> heads) {
  Value noise = entry.getInternal("noise");
  if (!heads[0] || !noise)
    return {};
  return entry.create<ReparameterizeOp>(heads[0], heads[1], noise);
}

Value ModelBuilder::getPriorConstant(EntryFunction &entry,
                                     ArrayRef<double> numbers) {
  int64_t channels = getStaticDim(toInternal(latentDims, latentLayout)[1]);
  SmallVector<float> values;
  for (int64_t i = 0; i < channels; ++i)
    values.push_back(static_cast<float>(numbers[numbers.size() == 1 ? 0 : i]));
  auto type = RankedTensorType::get({channels}, emitter.builder.getF32Type());
  auto attribute = DenseElementsAttr::get(type, ArrayRef<float>(values));
  return ConstantOp::create(emitter.builder, entry.loc,
                            cast<ElementsAttr>(attribute));
}

Value ModelBuilder::toData(EntryFunction &entry, Value value) {
  const InputSpec *data = getData();
  if (!value || !data)
    return value;
  if (emitter.getDims(value) == toInternal(data->dims, data->layout)) {
    if (data->layout != "NHWC")
      return value;
    return entry.create<TransposeOp>(value, ArrayRef<int64_t>({0, 2, 3, 1}));
  }
  SmallVector<int64_t> shape;
  for (AffineExpr dim : ArrayRef(data->dims).drop_front())
    shape.push_back(getStaticDim(dim));
  return entry.create<ReshapeOp>(value, ArrayRef<int64_t>(shape));
}

void ModelBuilder::addMean(EntryFunction &entry, Value output) {
  if (output && model.likelihood.present &&
      model.likelihood.likelihood == Likelihood::BernoulliLogits)
    output = entry.create<ActivationOp>(
        output,
        ActivationAttr::get(output.getContext(), ActivationKind::Sigmoid));
  Value mean = toData(entry, output);
  Port port = {"y", "mean", "", {}, std::nullopt};
  if (const InputSpec *data = getData()) {
    port.layout = data->layout;
    port.range = data->range;
  } else if (mean) {
    port.layout = getLogicalLayout(emitter.getDims(mean).size());
  }
  entry.addExternal(mean, std::move(port));
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

void ModelBuilder::addFurtherOutputs(EntryFunction &entry,
                                     ArrayRef<Value> results) const {
  for (auto [name, value] :
       zip_equal(model.encoder.outputs,
                 results.take_back(model.encoder.outputs.size()))) {
    size_t rank = value ? emitter.getDims(value).size() : 0;
    entry.addInternal(
        value,
        {name.name,
         "layer",
         rank == latentDims.size() ? latentLayout : getLogicalLayout(rank),
         {},
         std::nullopt});
  }
}

LogicalResult ModelBuilder::buildEncode(bool sampled) {
  std::vector<Port> ports = {getInput(*getData(), "input")};
  if (sampled)
    ports.push_back(getLatent("noise", "noise"));
  addConditions(ports, true, false);
  EntryFunction entry(emitter, module, sampled ? "encode_sample" : "encode",
                      model.encoder.position, ports);
  SmallVector<Value> heads = encode(entry);
  if (hasPlainCode()) {
    entry.addInternal(heads[0], getLatent("z", "latent"));
  } else {
    entry.addInternal(heads[0], getLatent("mu", "mu"));
    entry.addInternal(heads[1], getLatent("logvar", "logvar"));
    if (sampled)
      entry.addInternal(sampleLatent(entry, heads), getLatent("z", "latent"));
  }
  addFurtherOutputs(entry, heads);
  return entry.finish();
}

LogicalResult ModelBuilder::buildDecode() {
  std::vector<Port> ports = {getLatent("z", "latent")};
  addConditions(ports, false, true);
  EntryFunction entry(emitter, module, "decode", model.decoder.position, ports);
  SmallVector<Value> outputs = decode(entry, entry.getInternal(0));
  const InputSpec *data = getData();
  for (auto [i, output] : enumerate(outputs)) {
    Port port = {i ? "y_logvar" : "y",
                 i ? "output_logvar" : "output",
                 "",
                 {},
                 std::nullopt};
    if (!output)
      continue;
    // Logits have another range than the data.
    if (i == 0 && data &&
        !(model.likelihood.present &&
          model.likelihood.likelihood == Likelihood::BernoulliLogits))
      port.range = data->range;
    size_t rank = emitter.getDims(output).size();
    port.layout = data && data->dims.size() == rank ? data->layout
                                                    : getLogicalLayout(rank);
    entry.addInternal(output, std::move(port));
  }
  return entry.finish();
}

LogicalResult ModelBuilder::buildReconstruct(bool sampled) {
  std::vector<Port> ports = {getInput(*getData(), "input")};
  if (sampled)
    ports.push_back(getLatent("noise", "noise"));
  addConditions(ports, true, true);
  EntryFunction entry(emitter, module,
                      sampled ? "reconstruct_sample" : "reconstruct",
                      model.encoder.position, ports);
  SmallVector<Value> heads = encode(entry);
  Value z = sampled ? sampleLatent(entry, heads) : heads[0];
  addMean(entry, decode(entry, z)[0]);
  return entry.finish();
}

LogicalResult ModelBuilder::buildSample() {
  std::vector<Port> ports = {getLatent("noise", "noise")};
  addConditions(ports, false, true);
  EntryFunction entry(emitter, module, "sample", model.decoder.position, ports);
  Value z = entry.getInternal(0);
  if (z && !model.prior.standard)
    z = entry.create<ChannelAffineOp>(
        z, getPriorConstant(entry, model.prior.deviation),
        getPriorConstant(entry, model.prior.mean));
  addMean(entry, decode(entry, z)[0]);
  return entry.finish();
}

LogicalResult ModelBuilder::buildScore() {
  std::vector<Port> ports = {getInput(*getData(), "input")};
  if (!hasPlainCode())
    ports.push_back(getLatent("noise", "noise"));
  addConditions(ports, true, true);
  EntryFunction entry(emitter, module, "score", model.likelihood.position,
                      ports);
  SmallVector<Value> heads = encode(entry);
  Value z = hasPlainCode() ? heads[0] : sampleLatent(entry, heads);
  SmallVector<Value> outputs = decode(entry, z);
  for (Value &output : outputs)
    output = toData(entry, output);
  Port perExample = {"log_likelihood", "log_likelihood", "N", {}, std::nullopt};
  if (is_contained(outputs, Value()))
    return failure();
  Value logLikelihood = entry.create<LogLikelihoodOp>(
      entry.getArgument(0), outputs[0],
      outputs.size() > 1 ? outputs[1] : Value(), model.likelihood.likelihood,
      APFloat(model.likelihood.scale));
  entry.addExternal(logLikelihood, perExample);
  if (!logLikelihood || hasPlainCode())
    return entry.finish();
  Value mean, deviation;
  if (!model.prior.standard) {
    mean = getPriorConstant(entry, model.prior.mean);
    deviation = getPriorConstant(entry, model.prior.deviation);
  }
  Value kl = entry.create<KlOp>(heads[0], heads[1], mean, deviation);
  perExample.name = perExample.role = "kl";
  entry.addExternal(kl, perExample);
  perExample.name = perExample.role = "elbo";
  entry.addExternal(kl ? entry.create<SubOp>(logLikelihood, kl) : Value(),
                    perExample);
  return entry.finish();
}

LogicalResult ModelBuilder::build() {
  latentDims = model.latent.dims;
  latentLayout = model.latent.layout;
  bool encodes = model.encoder.present, decodes = model.decoder.present;
  bool gaussian = !hasPlainCode();
  if ((encodes && failed(buildEncoder())) || failed(checkChannels()) ||
      (decodes && failed(buildDecoder())))
    return failure();
  if (encodes &&
      (failed(buildEncode(false)) || (gaussian && failed(buildEncode(true)))))
    return failure();
  if (decodes && failed(buildDecode()))
    return failure();
  if (encodes && decodes &&
      (failed(buildReconstruct(false)) ||
       (gaussian && failed(buildReconstruct(true)))))
    return failure();
  if (decodes && gaussian && failed(buildSample()))
    return failure();
  if (encodes && decodes && model.likelihood.present)
    return buildScore();
  return success();
}

LogicalResult vae::buildEntries(BuildContext &context, ModuleOp module) {
  return ModelBuilder(context, module).build();
}
