// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/import/native/NativeImporter.h"

#include "compiler/import/native/Entries.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace mlir;
using namespace vae;

static LogicalResult readWeights(StringRef path, const ModelSpec &model,
                                 const Source &source, WeightStore &weights) {
  for (const NameRef &file : model.weightFiles) {
    SmallString<256> full;
    if (!sys::path::is_absolute(file.name))
      full = sys::path::parent_path(path);
    sys::path::append(full, file.name);
    if (Error error = weights.addFile(full))
      return source.error(file.position) << toString(std::move(error));
  }
  return success();
}

static DictionaryAttr describeLikelihood(const LikelihoodSpec &likelihood,
                                         Builder &builder) {
  SmallVector<NamedAttribute> entries = {
      builder.getNamedAttr("kind", builder.getStringAttr(likelihood.kind))};
  if (likelihood.kind == "bernoulli")
    entries.push_back(builder.getNamedAttr(
        "parameterization",
        builder.getStringAttr(likelihood.parameterization)));
  else if (likelihood.kind == "laplace")
    entries.push_back(builder.getNamedAttr(
        "scale", builder.getF64FloatAttr(likelihood.scale)));
  else if (likelihood.learned)
    entries.push_back(
        builder.getNamedAttr("variance", builder.getStringAttr("learned")));
  else
    entries.push_back(builder.getNamedAttr(
        "variance",
        builder.getF64FloatAttr(likelihood.scale * likelihood.scale)));
  return builder.getDictionaryAttr(entries);
}

static DictionaryAttr describePrior(const PriorSpec &prior, Builder &builder) {
  SmallVector<NamedAttribute> entries = {builder.getNamedAttr(
      "kind",
      builder.getStringAttr(prior.standard ? "standard_normal" : "normal"))};
  if (!prior.standard) {
    entries.push_back(
        builder.getNamedAttr("mean", builder.getF64ArrayAttr(prior.mean)));
    entries.push_back(
        builder.getNamedAttr("std", builder.getF64ArrayAttr(prior.deviation)));
  }
  return builder.getDictionaryAttr(entries);
}

/// Both arrays have as many numbers as the longer one.
static DictionaryAttr describeScaling(const LatentSpec &latent,
                                      Builder &builder) {
  size_t count = std::max(latent.scale.size(), latent.shift.size());
  auto repeat = [&](std::vector<double> numbers) {
    numbers.resize(count, numbers.front());
    return builder.getF64ArrayAttr(numbers);
  };
  return builder.getDictionaryAttr(
      {builder.getNamedAttr("scale", repeat(latent.scale)),
       builder.getNamedAttr("shift", repeat(latent.shift))});
}

/// The module's attributes vae.model and vae.symbols.
static void describeModel(const BuildContext &context, ModuleOp module) {
  Builder builder(module.getContext());
  const ModelSpec &model = context.model;
  SmallVector<NamedAttribute> entries = {
      builder.getNamedAttr("name", builder.getStringAttr(model.name)),
      builder.getNamedAttr(
          "latent",
          builder.getStringAttr(model.latent.isCode ? "code" : "gaussian")),
      builder.getNamedAttr("parameters",
                           builder.getI64IntegerAttr(context.parameters))};
  if (model.likelihood.present)
    entries.push_back(builder.getNamedAttr(
        "likelihood", describeLikelihood(model.likelihood, builder)));
  if (!model.latent.scale.empty())
    entries.push_back(builder.getNamedAttr(
        kLatentScalingAttr, describeScaling(model.latent, builder)));
  if (!model.latent.isCode)
    entries.push_back(
        builder.getNamedAttr("prior", describePrior(model.prior, builder)));
  module->setAttr(kModelAttr, builder.getDictionaryAttr(entries));

  // Without clips of a fixed length a batch is one clip.
  bool isWhole = module
                     .walk([](BatchToFramesOp op) {
                       return op.getLike() || op.getFrames()
                                  ? WalkResult::advance()
                                  : WalkResult::interrupt();
                     })
                     .wasInterrupted();
  SmallVector<Attribute> symbols;
  for (const DynamicDim &symbol : context.emitter.symbols) {
    SmallVector<NamedAttribute> entries = {
        builder.getNamedAttr("name", builder.getStringAttr(symbol.name)),
        builder.getNamedAttr("minimum",
                             builder.getI64IntegerAttr(symbol.minimum)),
        builder.getNamedAttr("multiple",
                             builder.getI64IntegerAttr(symbol.multiple))};
    if (symbol.remainder)
      entries.push_back(builder.getNamedAttr(
          "remainder", builder.getI64IntegerAttr(symbol.remainder)));
    if (isWhole && symbols.empty())
      entries.push_back(builder.getNamedAttr("whole", builder.getUnitAttr()));
    symbols.push_back(builder.getDictionaryAttr(entries));
  }
  module->setAttr(kSymbolsAttr, builder.getArrayAttr(symbols));
}

LogicalResult vae::readNativeDocument(StringRef path, MLIRContext &context,
                                      ModelDocument &document) {
  document.files = {path.str()};
  Source source(&context, document.files);
  auto file = readText(path);
  if (!file)
    return source.error({})
           << "cannot read the model file: " << toString(file.takeError());
  if (auto error = parseJson((*file)->getBuffer(), document.root))
    return source.error(error->position) << error->message;
  return success();
}

OwningOpRef<ModuleOp> vae::buildModel(ModelDocument &document,
                                      const ImportOptions &options,
                                      MLIRContext &context) {
  context.loadDialect<func::FuncDialect, VaeDialect>();
  Source source(&context, document.files);
  Emitter emitter(source);
  ModelSpec model;
  WeightStore &weights = document.weights;
  weights.allowNonfinite = options.allowNonfinite;
  if (failed(readModel(document.root, emitter, model)) ||
      failed(readWeights(document.files.front(), model, source, weights)))
    return {};
  OwningOpRef<ModuleOp> module(ModuleOp::create(source.getLoc({})));
  BuildContext build{emitter, weights, model, {}, 0, {}};
  if (failed(buildEntries(build, *module)))
    return {};
  describeModel(build, *module);
  if (options.verify && failed(verify(*module)))
    return {};
  return module;
}

OwningOpRef<ModuleOp> vae::importNativeModel(StringRef path,
                                             const ImportOptions &options,
                                             MLIRContext &context) {
  ModelDocument document;
  if (failed(readNativeDocument(path, context, document)))
    return {};
  return buildModel(document, options, context);
}
