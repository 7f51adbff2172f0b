// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/PrintReport.h"

#include "compiler/pipeline/Pipeline.h"
#include "tools/vaec/Table.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"

using namespace llvm;
using namespace vae;
using namespace vae::tool;

static constexpr size_t kNumBatches = std::size(kReportBatches);

static double getTotal(ArrayRef<StageTime> times) {
  double total = 0;
  for (const StageTime &time : times)
    total += time.seconds;
  return total;
}

static bool hasVersions(const CompileReport &report) {
  return report.cpus.size() > 1;
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

static std::string formatSeconds(double seconds) {
  std::string text;
  raw_string_ostream(text) << format("%.3f", seconds);
  return text;
}

static bool isPruned(const CompileReport &report) {
  return !report.pruning.layers.empty();
}

/// Whether units are removed or weights are fitted, not only set to zero.
static bool hasOtherSizes(const CompileReport &report) {
  return isPruned(report) && (report.recipe.find<PruneChannelsStep>() ||
                              report.recipe.find<LeastSquaresStep>());
}

static void printHead(const CompileReport &report, raw_ostream &out) {
  out << "model       " << report.model << ", " << group(report.parameters)
      << " parameters";
  if (hasOtherSizes(report))
    out << ", " << group(report.pruning.parametersAfter) << " after pruning";
  out << "\n"
      << "target      " << report.cpus.front().triple;
  for (const Cpu &cpu : report.cpus)
    out << ", " << cpu.name;
  out << "\n";
  for (const Cpu &cpu : report.cpus)
    out << "features    "
        << (hasVersions(report) ? cpu.name + ": " : std::string())
        << join(cpu.getRequired(), " ") << "\n";
  for (auto [i, dimension] : enumerate(report.dimensions)) {
    out << (i ? "            " : "dimensions  ") << dimension.symbol;
    if (dimension.symbol != dimension.name)
      out << " = " << dimension.name;
    out << ", from " << dimension.minimum;
    if (dimension.multiple != 1)
      out << " in steps of " << dimension.multiple;
    out << "\n";
  }
  out << "\n";
}

static void printLayers(const CompileReport &report, raw_ostream &out) {
  Table table({"layer", "in", "operations", "result", "precision", "weights in",
               ">parameters", ">weights B", ">FLOPs/example"});
  int64_t bytes = 0, flops = 0;
  for (const LayerReport &layer : report.layers) {
    table.add(
        {layer.name, layer.section, layer.op, layer.shape,
         stringifyPrecision(layer.precision).str(),
         layer.storage + (layer.sparsity.empty() ? "" : " " + layer.sparsity),
         group(layer.parameters), group(layer.weightBytes),
         group(layer.flops)});
    bytes += layer.weightBytes;
    flops += layer.flops;
  }
  table.add({"all", "", "", "", "", "", group(report.parameters), group(bytes),
             group(flops)});
  table.print(out);
}

static LayerSize &operator+=(LayerSize &sum, const LayerSize &size) {
  sum.units += size.units;
  sum.parameters += size.parameters;
  sum.bytes += size.bytes;
  sum.flops += size.flops;
  sum.cost += size.cost;
  sum.weights += size.weights;
  sum.zeros += size.zeros;
  return sum;
}

static std::string formatChange(int64_t before, int64_t after) {
  return before == after ? group(before)
                         : group(before) + " -> " + group(after);
}

static std::string formatPart(int64_t count, int64_t all) {
  return formatv("{0:P1}",
                 all ? static_cast<double>(count) / static_cast<double>(all)
                     : 0.0);
}

/// Layers whose single weights were pruned, or were not although all were to
/// be.
static void printPrunedWeights(const CompileReport &report, raw_ostream &out) {
  Table table({"pruned layer", "pattern", ">weights", ">zeros before",
               ">zeros after", "stays, because it"});
  bool any = false;
  for (const PrunedLayerReport &layer : report.pruning.layers) {
    if (layer.pattern.empty() && layer.unpruned.empty())
      continue;
    any = true;
    table.add({layer.name, layer.pattern, group(layer.after.weights),
               formatPart(layer.before.zeros, layer.before.weights),
               formatPart(layer.after.zeros, layer.after.weights),
               layer.unpruned});
  }
  if (any)
    table.print(out);
}

/// Layers many of whose weights are zero, and what that is worth.
static void printSparsity(const CompileReport &report, raw_ostream &out) {
  Table table({"layer with zeros", ">zeros", "stored", ">weights B",
               ">multiplied", "not stored without zeros, because"});
  bool any = false;
  for (const LayerReport &layer : report.layers) {
    if (layer.sparsity.empty() && layer.sparsityNote.empty())
      continue;
    any = true;
    table.add({layer.name, formatPart(layer.zeros, layer.weights),
               layer.sparsity.empty() ? "all" : layer.sparsity,
               group(layer.weightBytes),
               layer.sparsity.empty()
                   ? ""
                   : formatv("{0:P1}", 1 - layer.skipped).str(),
               layer.sparsityNote});
  }
  if (!any)
    return;
  table.print(out);
  out << "faster by what is not multiplied: ";
  std::vector<std::string> faster;
  for (const LayerReport &layer : report.layers)
    if (layer.skipped > 0)
      faster.push_back(layer.name);
  out << (faster.empty() ? "no layer" : join(faster, ", ")) << "\n\n";
}

/// Layers with weights, before and after pruning.
static void printPruning(const CompileReport &report, raw_ostream &out) {
  if (!hasOtherSizes(report))
    return;
  std::vector<std::string> titles = {"pruned layer",   ">units",
                                     ">parameters",    ">weights B",
                                     ">FLOPs/example", ">% of time"};
  LayerSize all, left;
  for (const PrunedLayerReport &layer : report.pruning.layers) {
    all += layer.before;
    left += layer.after;
  }
  auto formatTime = [&](const LayerSize &from, const LayerSize &to) {
    double percent = all.cost / 100;
    if (!(percent > 0) || !(from.cost > 0))
      return std::string("-");
    return from.cost == to.cost
               ? formatv("{0:f1}", from.cost / percent).str()
               : formatv("{0:f1} -> {1:f1}", from.cost / percent,
                         to.cost / percent)
                     .str();
  };
  bool fitted = report.recipe.find<LeastSquaresStep>() != nullptr;
  if (fitted)
    titles.push_back(">error");
  Table table(std::move(titles));
  auto add = [&](const std::string &name, const LayerSize &before,
                 const LayerSize &after, std::string error) {
    table.add({name, formatChange(before.units, after.units),
               formatChange(before.parameters, after.parameters),
               formatChange(before.bytes, after.bytes),
               formatChange(before.flops, after.flops),
               formatTime(before, after), std::move(error)});
  };
  for (const PrunedLayerReport &layer : report.pruning.layers) {
    std::string error;
    if (layer.errorBefore && layer.errorAfter)
      error =
          formatv("{0:f4} -> {1:f4}", *layer.errorBefore, *layer.errorAfter);
    add(layer.name, layer.before, layer.after, error);
  }
  add("all", all, left, "");
  table.print(out);
}

/// "direct 1.00, winograd2 0.52".
static std::string
formatCosts(const std::vector<std::pair<std::string, double>> &costs,
            const char *format) {
  std::string text;
  for (const auto &[algorithm, cost] : costs)
    text += (text.empty() ? "" : ", ") + algorithm + " " +
            formatv(format, cost).str();
  return text;
}

/// Weights that are stored as others than was asked for.
static void printStorageNotes(const CompileReport &report, raw_ostream &out) {
  Table table({"weights stay", "in", "because"});
  bool any = false;
  for (const LayerReport &layer : report.layers)
    if (!layer.storageNote.empty()) {
      any = true;
      table.add({layer.name, layer.storage, layer.storageNote});
    }
  if (any)
    table.print(out);
}

/// Layers that multiply no integers although the options ask for it.
static void printQuantizeNotes(const CompileReport &report, raw_ostream &out) {
  Table table({"layer stays as it is", "because"});
  bool any = false;
  for (const LayerReport &layer : report.layers)
    if (!layer.quantizeNote.empty()) {
      any = true;
      table.add({layer.name, layer.quantizeNote});
    }
  if (any)
    table.print(out);
}

/// Convolutions that have a choice.
static void printAlgorithms(const CompileReport &report, raw_ostream &out) {
  bool any = false, measured = false;
  for (const AlgorithmReport &row : report.algorithms) {
    any |= row.costs.size() > 1;
    measured |= !row.measured.empty();
  }
  if (!any)
    return;
  std::vector<std::string> titles = {"convolution", "algorithm", "by",
                                     ">stored B", "predicted times, of direct"};
  if (measured)
    titles.push_back("measured ms");
  Table table(std::move(titles));
  for (const AlgorithmReport &row : report.algorithms)
    if (row.costs.size() > 1)
      table.add({row.layer, row.algorithm,
                 stringifyAlgorithmSource(row.source).str(),
                 group(row.storedBytes), formatCosts(row.costs, "{0:f2}"),
                 formatCosts(row.measured, "{0:f3}")});
  table.print(out);
}

static void printFused(const CompileReport &report, raw_ostream &out) {
  if (report.fused.empty())
    return;
  Table table({"fused away", "of layer", "now part of"});
  for (const FusedReport &fused : report.fused)
    table.add({fused.op, fused.layer,
               fused.into.empty() ? "- (removed)" : fused.into});
  table.print(out);
}

static void printUnused(const CompileReport &report, raw_ostream &out) {
  if (report.unusedTensors.empty())
    return;
  Table table({"tensors that no layer uses"});
  for (const std::string &name : report.unusedTensors)
    table.add({name});
  table.print(out);
}

static void printEntries(const CompileReport &report, raw_ostream &out) {
  if (report.entries.empty())
    return;
  std::vector<std::string> titles = {"entry point", ">launches"};
  if (hasVersions(report))
    titles.insert(titles.begin() + 1, "CPU");
  for (StringRef what : {"FLOPs", "arena B"})
    for (int64_t batch : kReportBatches)
      titles.push_back((">" + what + ", N=" + Twine(batch)).str());
  titles.push_back("arena B");
  Table table(std::move(titles));
  for (const EntryReport &entry : report.entries) {
    std::vector<std::string> cells = {entry.name, group(entry.launches)};
    if (hasVersions(report))
      cells.insert(cells.begin() + 1, entry.version);
    for (int64_t value : entry.flops.values)
      cells.push_back(group(value));
    for (int64_t value : entry.arenaBytes.values)
      cells.push_back(group(value));
    cells.push_back(entry.arenaBytes.text);
    table.add(std::move(cells));
  }
  table.print(out);
}

/// The same entry point for the least demanding CPU.
static const EntryReport &findFirst(const CompileReport &report,
                                    const EntryReport &entry) {
  return *find_if(report.entries, [&](const EntryReport &other) {
    return other.name == entry.name;
  });
}

/// Arenas; of CPUs after the first only those that are not as the first has
/// them.
static void printBuffers(const CompileReport &report, raw_ostream &out) {
  for (const EntryReport &entry : report.entries) {
    const EntryReport &first = findFirst(report, entry);
    bool other = &first != &entry;
    if (entry.buffers.empty() || (other && first.buffers == entry.buffers))
      continue;
    std::string owner = entry.name + (other ? " on " + entry.version : "");
    Table table({"arena of " + owner + ", N=1", ">offset", ">bytes",
                 ">from launch", ">to launch"});
    for (const BufferReport &buffer : entry.buffers)
      table.add({buffer.layer, group(buffer.offset), group(buffer.bytes),
                 group(buffer.first), group(buffer.last)});
    table.print(out);
  }
}

static void printTimes(const CompileReport &report, raw_ostream &out) {
  Table table({"stage", ">seconds"});
  for (const StageTime &time : report.times)
    table.add({time.stage, formatSeconds(time.seconds)});
  for (const StageTime &time : report.steps)
    table.add({"  " + time.stage, formatSeconds(time.seconds)});
  table.add({"all", formatSeconds(getTotal(report.times))});
  table.print(out);
}

void tool::printReport(const CompileReport &report, const Arguments &arguments,
                       raw_ostream &out) {
  printHead(report, out);
  printLayers(report, out);
  printPruning(report, out);
  printPrunedWeights(report, out);
  printSparsity(report, out);
  printStorageNotes(report, out);
  printQuantizeNotes(report, out);
  if (arguments.autoReport)
    printAutoReport(*arguments.autoReport, out);
  printAlgorithms(report, out);
  printFused(report, out);
  printUnused(report, out);
  printEntries(report, out);
  printBuffers(report, out);
  printTimes(report, out);
  out << arguments.output << ": " << group(report.outputBytes) << " bytes";
  if (report.weightBytes)
    out << ", " << group(report.weightBytes) << " of them packed weights";
  if (report.kernels)
    out << "; " << report.kernels << " kernels";
  out << "\n";
}

//===----------------------------------------------------------------------===//
// JSON
//===----------------------------------------------------------------------===//

static void writeFormula(json::OStream &json, StringRef key,
                         const Formula &formula) {
  json.attributeObject(key, [&] {
    json.attribute("formula", formula.text);
    json.attributeArray("values", [&] {
      for (size_t i = 0; i < std::min(kNumBatches, formula.values.size()); ++i)
        json.object([&] {
          json.attribute("batch", kReportBatches[i]);
          json.attribute("value", formula.values[i]);
        });
    });
  });
}

static void writeCpu(json::OStream &json, const Cpu &cpu) {
  json.attribute("cpu", cpu.name);
  json.attributeArray("features", [&] {
    for (StringRef feature : cpu.getRequired())
      json.value(feature);
  });
}

static void writeTarget(json::OStream &json, const CompileReport &report,
                        const Arguments &arguments) {
  json.attributeObject("target", [&] {
    json.attribute("triple", report.cpus.front().triple);
    writeCpu(json, report.cpus.front());
    if (hasVersions(report))
      json.attributeArray("versions", [&] {
        for (const Cpu &cpu : report.cpus)
          json.object([&] { writeCpu(json, cpu); });
      });
    json.attribute("opt_level", arguments.options.optLevel);
    json.attribute("deterministic", arguments.options.deterministic);
  });
  json.attributeArray("dimensions", [&] {
    for (const DimensionReport &dimension : report.dimensions)
      json.object([&] {
        json.attribute("name", dimension.name);
        json.attribute("symbol", dimension.symbol);
        json.attribute("minimum", dimension.minimum);
        json.attribute("multiple", dimension.multiple);
      });
  });
}

static json::Value textOrNull(const std::string &text) {
  return text.empty() ? json::Value(nullptr) : json::Value(text);
}

static void writeLayers(json::OStream &json, const CompileReport &report) {
  json.attributeArray("layers", [&] {
    for (const LayerReport &layer : report.layers)
      json.object([&] {
        json.attribute("name", layer.name);
        json.attribute("section", layer.section);
        json.attribute("op", layer.op);
        json.attribute("shape", layer.shape);
        json.attribute("precision", stringifyPrecision(layer.precision));
        json.attribute("weights_in", layer.storage);
        json.attribute("weights_note", textOrNull(layer.storageNote));
        json.attribute("quantize_note", textOrNull(layer.quantizeNote));
        json.attribute("weights", layer.weights);
        json.attribute("zeros", layer.zeros);
        json.attribute("sparsity", textOrNull(layer.sparsity));
        json.attribute("sparsity_note", textOrNull(layer.sparsityNote));
        json.attribute("skipped", layer.skipped);
        json.attribute("parameters", layer.parameters);
        json.attribute("weight_bytes", layer.weightBytes);
        json.attribute("flops", layer.flops);
        json.attribute("flops_formula", layer.flopsFormula);
      });
  });
  json.attributeArray("unused_tensors", [&] {
    for (const std::string &name : report.unusedTensors)
      json.value(name);
  });
  json.attributeArray("algorithms", [&] {
    for (const AlgorithmReport &row : report.algorithms)
      json.object([&] {
        json.attribute("layer", row.layer);
        json.attribute("algorithm", row.algorithm);
        json.attribute("source", stringifyAlgorithmSource(row.source));
        json.attribute("stored_bytes", row.storedBytes);
        json.attributeArray("measured", [&] {
          for (const auto &[algorithm, time] : row.measured)
            json.object([&, &algorithm = algorithm, &time = time] {
              json.attribute("algorithm", algorithm);
              json.attribute("ms", time);
            });
        });
        json.attributeArray("predicted", [&] {
          for (const auto &[algorithm, cost] : row.costs)
            json.object([&, &algorithm = algorithm, &cost = cost] {
              json.attribute("algorithm", algorithm);
              json.attribute("of_direct", cost);
            });
        });
      });
  });
  json.attributeArray("fused", [&] {
    for (const FusedReport &fused : report.fused)
      json.object([&] {
        json.attribute("layer", fused.layer);
        json.attribute("op", fused.op);
        if (fused.into.empty())
          json.attribute("into", nullptr);
        else
          json.attribute("into", fused.into);
      });
  });
}

static void writeSize(json::OStream &json, StringRef key,
                      const LayerSize &size) {
  json.attributeObject(key, [&] {
    json.attribute("units", size.units);
    json.attribute("parameters", size.parameters);
    json.attribute("weight_bytes", size.bytes);
    json.attribute("flops", size.flops);
    json.attribute("cost", size.cost);
    json.attribute("weights", size.weights);
    json.attribute("zeros", size.zeros);
  });
}

static void writePruning(json::OStream &json, const CompileReport &report) {
  if (!isPruned(report))
    return json.attribute("pruning", nullptr);
  json.attributeObject("pruning", [&] {
    LayerSize before, after;
    json.attributeArray("layers", [&] {
      for (const PrunedLayerReport &layer : report.pruning.layers)
        json.object([&] {
          json.attribute("name", layer.name);
          json.attribute("pattern", textOrNull(layer.pattern));
          json.attribute("unpruned", textOrNull(layer.unpruned));
          writeSize(json, "before", layer.before);
          writeSize(json, "after", layer.after);
          auto number = [](std::optional<double> value) {
            return value ? json::Value(*value) : json::Value(nullptr);
          };
          json.attribute("error_before", number(layer.errorBefore));
          json.attribute("error_after", number(layer.errorAfter));
          before += layer.before;
          after += layer.after;
        });
    });
    writeSize(json, "before", before);
    writeSize(json, "after", after);
    json.attribute("parameters_before", report.pruning.parametersBefore);
    json.attribute("parameters_after", report.pruning.parametersAfter);
  });
}

static void writeBuffers(json::OStream &json, const EntryReport &entry) {
  json.attributeArray("buffers", [&] {
    for (const BufferReport &buffer : entry.buffers)
      json.object([&] {
        json.attribute("layer", buffer.layer);
        json.attribute("offset", buffer.offset);
        json.attribute("bytes", buffer.bytes);
        json.attribute("first", buffer.first);
        json.attribute("last", buffer.last);
      });
  });
}

static void writeTimes(json::OStream &json, StringRef key,
                       ArrayRef<StageTime> times) {
  json.attributeArray(key, [&] {
    for (const StageTime &time : times)
      json.object([&] {
        json.attribute("name", time.stage);
        json.attribute("seconds", time.seconds);
      });
  });
}

void tool::printJsonReport(const CompileReport &report,
                           const Arguments &arguments, raw_ostream &out) {
  json::OStream json(out, 2);
  json.object([&] {
    json.attribute("schema", 1);
    json.attribute("compiler", "vaec " VAEC_VERSION);
    json.attribute("input", json::fixUTF8(arguments.input));
    json.attribute("output", json::fixUTF8(arguments.output));
    json.attribute("emit", getStageName(arguments.options.emit));
    json.attribute("model", report.model);
    json.attribute("parameters", report.parameters);
    writeTarget(json, report, arguments);
    writeLayers(json, report);
    writePruning(json, report);
    if (arguments.autoReport)
      writeAutoReport(*arguments.autoReport, json);
    json.attributeArray("entries", [&] {
      for (const EntryReport &entry : report.entries)
        json.object([&] {
          json.attribute("name", entry.name);
          if (hasVersions(report))
            json.attribute("version", entry.version);
          json.attribute("launches", entry.launches);
          writeFormula(json, "flops", entry.flops);
          writeFormula(json, "arena_bytes", entry.arenaBytes);
          writeBuffers(json, entry);
        });
    });
    json.attribute("kernels", report.kernels);
    json.attribute("weight_bytes", report.weightBytes);
    json.attribute("output_bytes", report.outputBytes);
    writeTimes(json, "stages", report.times);
    writeTimes(json, "steps", report.steps);
    json.attribute("seconds", getTotal(report.times));
  });
  out << "\n";
}
