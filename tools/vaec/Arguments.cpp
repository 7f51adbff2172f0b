// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/Arguments.h"

#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/WriteMasks.h"
#include "dialects/vae/IR/VaeAlgorithm.h"
#include "tools/vaec/CompressionArguments.h"

#include "CLI/CLI.hpp"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace vae;
using namespace vae::tool;

static std::string stageList() {
  std::string text;
#define VAE_STAGE(NAME, IDENTIFIER, DESCRIPTION)                               \
  text += std::string(text.empty() ? "" : ", ") + (NAME);
#include "compiler/pipeline/Stages.def"
  return text;
}

static constexpr llvm::StringLiteral kPrecisions = "f32, bf16, mixed";

/// Of the user's choices, mixed is named by its aim: some layers in block
/// floating point, others f32.
static std::optional<Precision> parsePrecision(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<Precision>>(name)
      .Case("f32", Precision::F32)
      .Case("bf16", Precision::BF16)
      .Case("mixed", Precision::BFP16)
      .Default(std::nullopt);
}

static constexpr llvm::StringLiteral kQuantizations =
    "none, int8, w8, w4, auto";

static std::optional<Quantize> parseQuantize(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<Quantize>>(name)
      .Case("none", Quantize::None)
      .Case("int8", Quantize::Int8)
      .Case("w8", Quantize::W8)
      .Case("w4", Quantize::W4)
      .Default(std::nullopt);
}

static std::string storageList() {
  std::string text;
  for (uint32_t i = 0; i <= getMaxEnumValForStorage(); ++i)
    text += (i ? ", " : "") + stringifyStorage(Storage(i)).str();
  return text;
}

namespace {
/// What the options of CLI11 write into before it is checked.
struct Raw {
  std::string emit, stopAfter, entries, cpus = "native", tile, size;
  std::string precision, storage;
  std::string quantize = "none", rangeMethod, maxDrop, optimize;
  CompressionTexts compression;
  unsigned level = 2;
};
} // namespace

void tool::addModelOptions(CLI::App &app, Arguments &a, std::string &size) {
  app.add_option(
         "model", a.input,
         "The model: JSON (docs/model-format.md), a folder of diffusers "
         "(docs/import-diffusers.md), or a file of Keras "
         "(docs/import-keras.md)")
      ->option_text("MODEL");
  app.add_option("--size", size,
                 "Compile for images of one size in pixels, where the model "
                 "takes any: height times width, as 512x768")
      ->option_text("HxW");
  app.add_option("--frames", a.options.frames,
                 "Make every N images of a batch one clip, where the model "
                 "takes the whole batch for one")
      ->option_text("N")
      ->check(CLI::Range(int64_t(1), int64_t(65535)));
  app.add_flag("--allow-nonfinite", a.options.allowNonfinite,
               "Accept NaN and infinite weights");

  const std::string keras = "Models of Keras";
  ModelFiles &files = a.options.files;
  auto addFile = [&](const char *name, std::string &file, const char *text) {
    app.add_option(name, file, text)->option_text("FILE")->group(keras);
  };
  addFile("--weights", files.weights, "Weights of a model that is JSON: HDF5");
  addFile("--encoder", files.encoder,
          "The encoder, a model of its own; without MODEL");
  addFile("--decoder", files.decoder,
          "The decoder, a model of its own; without MODEL");
  addFile("--encoder-weights", files.encoderWeights,
          "Weights of an encoder that is JSON");
  addFile("--decoder-weights", files.decoderWeights,
          "Weights of a decoder that is JSON");
  app.add_option("--latent", files.latent,
                 "Layers of the encoder that are the latent: MEAN,LOGVAR or "
                 "HEAD:halves or HEAD:interleaved or CODE; default: found")
      ->option_text("LAYERS")
      ->group(keras);
}

static void addCompileOptions(CLI::App &app, Arguments &a, Raw &raw) {
  addModelOptions(app, a, raw.size);
  app.add_option("-o,--output", a.output,
                 "Output file, - for standard output; default: the model's "
                 "name with the ending of what is emitted, in this folder")
      ->option_text("FILE");
  app.add_option("--entry", raw.entries,
                 "Entry points to compile, separated by commas; default: all")
      ->option_text("NAMES");

  const std::string code = "Code generation";
  app.add_option("-O,--opt-level", raw.level,
                 "Optimization: 0 (direct, no fusion) to 3; default 2")
      ->option_text("LEVEL")
      ->check(CLI::Range(0, 3))
      ->group(code);
  app.add_option("--mcpu", raw.cpus,
                 "CPU to compile for: native, x86-64-v3, x86-64-v4, or any of "
                 "--mcpu=help; default native. Several, separated by commas: "
                 "one library with code for each")
      ->option_text("CPU,...")
      ->group(code);
  app.add_option("--mtriple", a.options.triple,
                 "Target triple; default: this machine, or the architecture "
                 "that has the CPU")
      ->option_text("TRIPLE")
      ->group(code);
  app.add_option(
         "--algorithm", a.options.algorithms,
         "How convolutions are computed, all that can be or one "
         "layer's: direct, winograd2, winograd4 or winograd6 (Winograd's "
         "algorithm on tiles of 2x2, 4x4 or 6x6 outputs; with -stored the "
         "library has its weights transformed); default: what costs least")
      ->option_text("[LAYER=]ALGORITHM")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->group(code);
  // For --help, as --report.
  app.add_flag("--tune",
               "Measure on this machine which algorithm is fastest for each "
               "convolution, use it, and write what was measured to the "
               "output's name with the ending .tune; --tune=FILE: there")
      ->group(code);
  app.add_option("--tuned", a.options.tuned,
                 "Use what --tune has written instead of the model of the "
                 "machine; with --tune, measure only what is not in it")
      ->option_text("FILE")
      ->group(code);
  app.add_option("--precision", raw.precision,
                 "Numbers that layers multiply: " + kPrecisions.str() +
                     " (16-bit block floating point where convolutions use "
                     "Winograd's algorithm); default f32, with "
                     "--quantize=int8 mixed where the CPU has it, and weights "
                     "of 8 bits")
      ->option_text("NAME")
      ->group(code);
  app.add_option(
         "--storage", raw.storage,
         "What lies in memory as f16, arithmetic being as precise as "
         "before: " +
             storageList() +
             " (weights and what passes between layers); default f32, with "
             "--quantize=int8 f16 where the CPU converts it")
      ->option_text("NAME")
      ->group(code);
  app.add_flag("--exact-conv", a.options.exactConv,
               "Forbid forms of convolution that are faster but less exact")
      ->group(code);
  app.add_flag("--deterministic", a.options.deterministic,
               "Give an example the same bits in any batch")
      ->group(code);
  app.add_option("--tile", raw.tile,
                 "Register tile of dense layers and convolutions, for study: "
                 "output positions times vectors of channels, as 6x2; default: "
                 "chosen for each layer")
      ->option_text("ROWSxVECTORS")
      ->group(code);
  app.add_flag("-g,--debug-info", a.options.debugInfo,
               "Add line tables: debuggers and profilers show the lines of "
               "layers in the model's file")
      ->group(code);
}

static std::string methodList() {
  std::string text;
  for (const char *name : kRangeMethodNames)
    text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

static void addQuantizationOptions(CLI::App &app, Arguments &a, Raw &raw) {
  const std::string group = "Quantization";
  app.add_option(
         "--quantize", raw.quantize,
         "What is made integers: " + kQuantizations.str() +
             " (int8: what layers multiply; ranges of the numbers "
             "between them are measured on what the model generates, "
             "unless there are others; w8: weights, with a scale for "
             "each output; w4: weights of 4 bits with one for every 32 "
             "inputs of it; auto: of each layer what saves most, as far "
             "as --max-drop allows); default none")
      ->option_text("NAME")
      ->group(group);
  app.add_option("--max-drop", raw.maxDrop,
                 "With --quantize=auto, the most that the model may lose, on "
                 "data that the search has not seen: elbo:0.1nat, elbo:1%, "
                 "mse:1% or psnr:0.5dB")
      ->option_text("MEASURE:AMOUNT")
      ->group(group);
  app.add_option("--optimize", raw.optimize,
                 "With --quantize=auto, what is to become less: time, by the "
                 "model of the machine, or size, the bytes of weights; default "
                 "time")
      ->option_text("NAME")
      ->group(group);
  app.add_option("--ranges", a.options.ranges,
                 "Ranges that vaec calibrate has written for this model (with "
                 "--prune or --apply-recipe, for what that leaves of it), "
                 "instead of measuring them")
      ->option_text("FILE")
      ->group(group);
  app.add_option("--write-ranges", a.writeRanges,
                 "Write the ranges that were measured, for --ranges")
      ->option_text("FILE")
      ->group(group);
  app.add_option(
         "--range-method", raw.rangeMethod,
         "Which of the ranges of a tensor 8 bits are to represent: " +
             methodList() + "; default " +
             kRangeMethodNames[static_cast<size_t>(kDefaultRangeMethod)])
      ->option_text("NAME")
      ->group(group);
  app.add_option("--quantize-layer", a.options.quantizeLayers,
                 "What all layers that can, or one, are, for study: " +
                     listPrecisionKinds() +
                     " (as --precision says); default: what --quantize chooses")
      ->option_text("[LAYER=]KIND")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false)
      ->group(group);
}

static void addInspectionOptions(CLI::App &app, Arguments &a, Raw &raw) {
  const std::string look = "Looking inside";
  auto *emit = app.add_option("--emit", raw.emit,
                              "What to write: " + stageList() + "; default so")
                   ->option_text("STAGE")
                   ->group(look);
  app.add_option("--stop-after", raw.stopAfter, "The same as --emit")
      ->option_text("STAGE")
      ->excludes(emit)
      ->group(look);
  app.add_option("--dump-stages", a.options.dumpStages,
                 "Write the IR after every stage into a folder")
      ->option_text("DIR")
      ->group(look);
  app.add_flag("--expose-layers", a.options.exposeLayers,
               "Make the result of every layer an output, for comparison")
      ->group(look);
  // For --help: parseArguments takes it away, for CLI11 would take the model
  // that follows for the file.
  app.add_flag("--report",
               "Print layers, operations, memory and times; --report=FILE.json "
               "writes them there")
      ->group(look);
}

static std::string getDefaultOutput(const Arguments &a) {
  llvm::StringRef ending;
  switch (a.options.emit) {
  case Stage::Json:
    ending = "json";
    break;
  case Stage::Asm:
    ending = "s";
    break;
  case Stage::Obj:
    ending = "o";
    break;
  case Stage::So:
    ending = "so";
    break;
  default:
    return "-";
  }
  llvm::SmallString<64> path(llvm::sys::path::filename(a.input));
  llvm::sys::path::replace_extension(path, ending);
  return path.str().str();
}

/// Where --tune writes if it is not told.
static std::string getDefaultTable(const Arguments &a) {
  llvm::SmallString<64> path(a.output == "-"
                                 ? llvm::sys::path::filename(a.input)
                                 : llvm::StringRef(a.output));
  llvm::sys::path::replace_extension(path, "tune");
  return path.str().str();
}

ExitCode tool::failUsage(const llvm::Twine &message) {
  llvm::errs() << "vaec: error: " << message << "\n";
  return kUsage;
}
static ExitCode usage(const llvm::Twine &message) { return failUsage(message); }

/// Two numbers from 1 to `most` with an x between them: "6x2".
static std::optional<std::pair<int64_t, int64_t>>
parsePair(llvm::StringRef text, int64_t most) {
  auto [first, second] = text.split('x');
  std::pair<int64_t, int64_t> pair;
  if (first.getAsInteger(10, pair.first) ||
      second.getAsInteger(10, pair.second) ||
      std::min(pair.first, pair.second) < 1 ||
      std::max(pair.first, pair.second) > most)
    return std::nullopt;
  return pair;
}

/// Models that are two files. `input` becomes what messages call the model.
static std::optional<ExitCode> checkFiles(Arguments &a) {
  const ModelFiles &files = a.options.files;
  if (files.hasParts() && !a.input.empty())
    return usage("'" + a.input +
                 "' and --encoder or --decoder exclude each other");
  if (files.hasParts() && !files.weights.empty())
    return usage("--weights goes with a model; use --encoder-weights and "
                 "--decoder-weights");
  if ((files.encoder.empty() && !files.encoderWeights.empty()) ||
      (files.decoder.empty() && !files.decoderWeights.empty()))
    return usage("--encoder-weights goes with --encoder, --decoder-weights "
                 "with --decoder");
  if (files.hasParts())
    a.input = files.encoder.empty() ? files.decoder : files.encoder;
  return std::nullopt;
}

std::optional<ExitCode> tool::checkModelOptions(Arguments &a,
                                                const std::string &size) {
  if (auto code = checkFiles(a))
    return code;
  if (a.input.empty())
    return usage("no model; name one, or ask for --help");
  if (size.empty())
    return std::nullopt;
  auto pair = parsePair(size, 1 << 24);
  if (!pair)
    return usage("--size takes height and width in pixels, HxW, as 512x768; "
                 "found '" +
                 size + "'");
  a.options.size = ImageSize{pair->first, pair->second};
  return std::nullopt;
}

/// What layers have that multiply no integers, if nothing else was asked for:
/// as few bytes and as fast products as this CPU has.
static void setPrecisionBesideIntegers(Arguments &a, const Raw &raw) {
  auto cpus = resolveTargets(a.options);
  if (!cpus) {
    // An unknown CPU is reported where it is compiled for.
    llvm::consumeError(cpus.takeError());
    return;
  }
  if (llvm::any_of(*cpus, [](const Cpu &cpu) { return cpu.kernels.wordDots; }))
    a.options.precision = Precision::BFP16;
  // --quantize=auto chooses layer by layer, and measures what it chooses.
  if (raw.quantize == "auto")
    return;
  a.options.integerWeights = true;
  bool converts = llvm::all_of(*cpus, [](const Cpu &cpu) {
    llvm::Error error = checkConvertsF16(cpu);
    bool does = !error;
    llvm::consumeError(std::move(error));
    return does;
  });
  if (converts && raw.storage.empty())
    a.options.storage = Storage::F16;
}

static std::optional<ExitCode> checkPrecision(Arguments &a, const Raw &raw) {
  a.hasPrecision = !raw.precision.empty();
  if (raw.precision.empty() && a.options.quantize == Quantize::Int8) {
    setPrecisionBesideIntegers(a, raw);
    return std::nullopt;
  }
  auto precision =
      parsePrecision(raw.precision.empty() ? "f32" : raw.precision);
  if (!precision)
    return usage("unknown precision '" + raw.precision + "'; choose one of " +
                 kPrecisions.str());
  a.options.precision = *precision;
  return std::nullopt;
}

/// What --quantize=auto is and what it cannot be together with.
static std::optional<ExitCode> checkAuto(Arguments &a, const Raw &raw) {
  if (raw.quantize != "auto") {
    if (!raw.maxDrop.empty() || !raw.optimize.empty())
      return usage("--max-drop and --optimize go with --quantize=auto");
    return std::nullopt;
  }
  if (raw.maxDrop.empty())
    return usage("--quantize=auto needs the most that the model may lose, as "
                 "--max-drop=elbo:0.1nat");
  a.maxDrop.emplace();
  if (std::string error = Budget::parse(raw.maxDrop, *a.maxDrop);
      !error.empty())
    return usage(error);
  if (raw.optimize != "" && raw.optimize != "time" && raw.optimize != "size")
    return usage("--optimize takes time or size; found '" + raw.optimize + "'");
  a.objective = raw.optimize == "size" ? Objective::Size : Objective::Time;
  a.options.searchBudget = raw.maxDrop;
  a.options.searchObjective = getObjectiveName(a.objective).str();
  if (!a.options.ranges.empty())
    return usage("--quantize=auto measures ranges on a part of the data that "
                 "it does not decide on; leave --ranges out");
  if (a.tune)
    return usage("--quantize=auto measures the layers as they are compiled: "
                 "tune first, and give the table with --tuned=FILE");
  for (llvm::StringRef text : a.options.quantizeLayers)
    if (!text.contains('='))
      return usage("--quantize-layer=" + text +
                   " decides for all layers, which --quantize=auto is to do; "
                   "name one: LAYER=" +
                   text);
  return std::nullopt;
}

static std::optional<ExitCode> checkQuantization(Arguments &a, const Raw &raw) {
  CompileOptions &options = a.options;
  auto quantize = parseQuantize(raw.quantize == "auto" ? "int8" : raw.quantize);
  if (!quantize)
    return usage("unknown integers '" + raw.quantize + "'; choose one of " +
                 kQuantizations.str());
  options.quantize = *quantize;
  if (options.quantize != Quantize::Int8 &&
      (!options.ranges.empty() || !a.writeRanges.empty() ||
       !raw.rangeMethod.empty()))
    return usage("--ranges, --write-ranges and --range-method go with "
                 "--quantize=int8 or auto");
  if (options.quantize == Quantize::None && !options.quantizeLayers.empty())
    return usage("--quantize-layer goes with --quantize");
  if (auto code = checkAuto(a, raw))
    return code;
  if (!raw.rangeMethod.empty()) {
    const auto *found = llvm::find(kRangeMethodNames, raw.rangeMethod);
    if (found == std::end(kRangeMethodNames))
      return usage("unknown method '" + raw.rangeMethod + "'; choose one of " +
                   methodList());
    options.rangeMethod =
        static_cast<RangeMethod>(found - std::begin(kRangeMethodNames));
  }
  for (llvm::StringRef text : options.quantizeLayers) {
    auto kind = parsePrecisionKind(text.substr(text.rfind('=') + 1));
    if (!kind)
      return usage("--quantize-layer takes " + listPrecisionKinds() +
                   ", for all layers or as LAYER=KIND; found '" + text + "'");
    if (*kind == PrecisionKind::Int8 && options.quantize != Quantize::Int8)
      return usage("--quantize-layer=" + text +
                   " needs ranges, which --quantize=" + raw.quantize +
                   " does not measure; use --quantize=int8, and "
                   "--quantize-layer=LAYER=" +
                   raw.quantize + " for others");
  }
  return std::nullopt;
}

/// No output may replace the model or another one.
static std::optional<ExitCode> checkOutputs(const Arguments &a) {
  const CompileOptions &options = a.options;
  std::vector<std::pair<std::string, std::string>> outputs = {
      {"output", a.output},
      {"report", a.reportFile},
      {"tuning table", options.tune},
      {"recipe", options.recipe},
      {"table of ranges", a.writeRanges},
      {"file of masks", options.writeMasks}};
  if (!options.recipe.empty())
    outputs.push_back(
        {"recipe's file of weights", getRecipeWeightsPath(options.recipe)});
  if (options.maskSchedule)
    outputs.push_back(
        {"schedule of masks", getSchedulePath(options.writeMasks)});
  llvm::erase_if(outputs, [](const auto &output) {
    return output.second.empty() || output.second == "-";
  });
  for (const auto &[what, path] : outputs)
    for (const std::string &model :
         {a.input, options.files.encoder, options.files.decoder})
      if (llvm::sys::fs::equivalent(path, model))
        return usage("'" + path + "' is the model; choose another output");
  for (const auto &[i, output] : llvm::enumerate(outputs))
    for (const auto &other : llvm::ArrayRef(outputs).take_front(i))
      if (output.second == other.second)
        return usage("the " + output.first + " would replace the " +
                     other.first + " '" + output.second +
                     "'; choose another file for one of them");
  return std::nullopt;
}

/// What the options mean together.
static std::optional<ExitCode> check(Arguments &a, const Raw &raw) {
  a.options.optLevel = raw.level;
  a.listCpus = raw.cpus == "help" || raw.cpus == "list";
  if (a.reportFile == "-")
    a.reportFile.clear();
  if (a.listCpus)
    return std::nullopt;
  if (auto code = checkModelOptions(a, raw.size))
    return code;
  std::string name = !raw.emit.empty()        ? raw.emit
                     : !raw.stopAfter.empty() ? raw.stopAfter
                                              : "so";
  auto stage = getStage(name);
  if (!stage)
    return usage("unknown stage '" + name + "'; stages are " + stageList());
  a.options.emit = *stage;
  llvm::SmallVector<llvm::StringRef> names, cpus;
  llvm::StringRef(raw.cpus).split(cpus, ',');
  a.options.cpus.assign(cpus.begin(), cpus.end());
  if (auto code = checkQuantization(a, raw))
    return code;
  if (auto code = checkPrecision(a, raw))
    return code;
  a.hasStorage = !raw.storage.empty();
  if (a.hasStorage) {
    auto storage = symbolizeStorage(raw.storage);
    if (!storage)
      return usage("unknown storage '" + raw.storage + "'; choose one of " +
                   storageList());
    a.options.storage = *storage;
  }
  if (auto code = checkCompression(a, raw.compression))
    return code;
  llvm::StringRef(raw.entries).split(names, ',', -1, false);
  a.options.entries.assign(names.begin(), names.end());
  if (!raw.tile.empty()) {
    auto pair = parsePair(raw.tile, 64);
    if (pair)
      a.options.tile = Tile{pair->second, pair->first};
    else
      return usage("--tile takes two numbers from 1 to 64, ROWSxVECTORS, as "
                   "6x2; found '" +
                   raw.tile + "'");
  }
  for (llvm::StringRef text : a.options.algorithms)
    if (!Algorithm::parse(text.substr(text.rfind('=') + 1)))
      return usage("--algorithm takes " + listAlgorithms() +
                   ", for all layers or as LAYER=ALGORITHM; found '" + text +
                   "'");
  if (a.output.empty())
    a.output = getDefaultOutput(a);
  if (a.tune && a.options.tune.empty())
    a.options.tune = getDefaultTable(a);
  if (a.output == "-" &&
      (a.options.emit == Stage::Obj || a.options.emit == Stage::So))
    return usage("standard output takes text only; name a file with -o");
  if (a.output == "-" && a.report && a.reportFile.empty())
    return usage("the report and the " + name +
                 " would both go to standard output; use -o, or "
                 "--report=FILE.json");
  return checkOutputs(a);
}

std::optional<ExitCode> tool::parseArguments(int argc, char **argv,
                                             Arguments &arguments) {
  CLI::App app("vaec compiles a variational autoencoder to a shared library.",
               "vaec");
  app.set_version_flag("--version", "vaec " VAEC_VERSION);
  app.footer("vaec calibrate measures the ranges of a model's activations: "
             "vaec calibrate --help.\n"
             "Flags that begin with --mlir- go to MLIR: --mlir-timing, "
             "--mlir-print-ir-after-all, ...\n"
             "Exit codes: 0 success, 1 an error in the input, 2 an error in "
             "the usage, 70 a bug of vaec.");
  Raw raw;
  addCompileOptions(app, arguments, raw);
  addQuantizationOptions(app, arguments, raw);
  addCompressionOptions(app, arguments, raw.compression);
  addInspectionOptions(app, arguments, raw);
  std::vector<std::string> own;
  for (int i = argc - 1; i > 0; --i) { // CLI11 takes them in reverse order
    llvm::StringRef text = argv[i];
    if (text.starts_with("--mlir-")) {
      arguments.mlirFlags.insert(arguments.mlirFlags.begin(), argv[i]);
    } else if (text == "--report" || text.starts_with("--report=")) {
      arguments.report = true;
      if (text.consume_front("--report="))
        arguments.reportFile = text.str();
    } else if (text == "--tune" || text.starts_with("--tune=")) {
      arguments.tune = true;
      if (text.consume_front("--tune="))
        arguments.options.tune = text.str();
    } else {
      own.push_back(argv[i]);
    }
  }
  try {
    app.parse(std::move(own));
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? kOk : kUsage;
  }
  return check(arguments, raw);
}
