// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/AutoReport.h"

#include "tools/vaec/Table.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace llvm;
using namespace vae;
using namespace vae::tool;
using vaedata::Statistic;

static constexpr const char *kPartNames[] = {"calibration", "decision",
                                             "check"};

static std::string formatNumber(double number) {
  if (std::isnan(number))
    return "?";
  std::string text;
  raw_string_ostream(text) << format("%.4g", number);
  return text;
}

/// "0.0312 +- 0.0004".
static std::string formatDrop(const Statistic &drop) {
  return formatNumber(drop.mean) + " +- " + formatNumber(drop.error);
}

/// "12.3%".
static std::string formatPart(std::optional<double> part) {
  return part ? formatv("{0:f1}%", 100 * *part).str() : "-";
}

static int64_t countChosen(const PrecisionAssignment &assignment) {
  return llvm::count_if(assignment,
                        [](PrecisionKind kind) { return kind != kBaseKind; });
}

llvm::StringRef vae::tool::getObjectiveName(Objective objective) {
  return objective == Objective::Size ? "size" : "time";
}

const AutoCandidate *AutoLayer::getChosen() const {
  auto found = llvm::find_if(
      candidates, [&](const auto &own) { return own.kind == choice; });
  return found == candidates.end() ? nullptr : &*found;
}

/// One row for each candidate, in which the chosen one is marked.
static void printLayers(const AutoReport &report, StringRef unit,
                        raw_ostream &out) {
  Table table({"layer", "could be",
               ">alone it loses" + (unit.empty() ? "" : ", " + unit.str()),
               ">saves of cost", ">saves B", "choice"});
  double saved = 0;
  int64_t bytes = 0;
  for (const AutoLayer &layer : report.layers) {
    const AutoCandidate *chosen = layer.getChosen();
    std::string name = getPrecisionKindName(layer.choice).str();
    if (layer.candidates.empty())
      table.add({layer.name, "", "", "", "", name + ": " + layer.note});
    for (const AutoCandidate &candidate : layer.candidates) {
      std::string mark = &candidate == chosen ? name : "";
      if (!chosen && &candidate == &layer.candidates.front())
        mark = name + ": the budget";
      table.add({layer.name, getPrecisionKindName(candidate.kind).str(),
                 formatDrop(candidate.sensitivity),
                 formatPart(candidate.saving), group(candidate.savedBytes),
                 mark});
    }
    if (!chosen)
      continue;
    saved += chosen->saving.value_or(0);
    bytes += chosen->savedBytes;
  }
  table.add({"all chosen", "", "", formatPart(saved), group(bytes)});
  table.print(out);
}

void vae::tool::printAutoReport(const AutoReport &report, raw_ostream &out) {
  const Budget &budget = report.budget;
  std::string unit = StringRef(budget.getUnit()).trim().str();
  std::string loses = std::string(budget.getName()) + " loses, with its error" +
                      (unit.empty() ? "" : ", ") + unit;
  printLayers(report, unit, out);

  Table steps({">step", ">layers not f32", ">" + loses, "budget"});
  for (auto [i, step] : enumerate(report.steps))
    steps.add({std::to_string(i + 1),
               std::to_string(countChosen(step.assignment)),
               formatNumber(step.drop), step.fits ? "kept" : "exceeded"});
  steps.print(out);

  Table parts(
      {"part of the data", ">samples",
       budget.measure == BudgetMeasure::Elbo ? ">ELBO of f32" : ">MSE of f32",
       ">with nothing chosen it loses", ">as chosen", "budget"});
  for (auto [part, name] : zip(report.parts, kPartNames))
    parts.add({name, group(part.samples), formatNumber(part.reference),
               formatDrop(part.base), formatDrop(part.chosen),
               budget.format(budget.most)});
  parts.print(out);
  out << "the same by hand: --quantize=int8 --precision=" << report.precision
      << " --storage=" << report.storage;
  for (const std::string &text : report.quantizeLayers)
    out << " --quantize-layer=" << text;
  out << ", with ranges of the same samples (--write-ranges); or by a recipe "
         "(--recipe)\n\n";
}

static json::Value getNumber(double number) {
  return std::isfinite(number) ? json::Value(number) : json::Value(nullptr);
}

static void write(json::OStream &json, StringRef key, const Statistic &drop) {
  json.attributeObject(key, [&] {
    json.attribute("mean", getNumber(drop.mean));
    json.attribute("standard_error", getNumber(drop.error));
  });
}

static void write(json::OStream &json, const AutoCandidate &candidate) {
  json.attribute("kind", getPrecisionKindName(candidate.kind));
  write(json, "sensitivity", candidate.sensitivity);
  json.attribute("saving", candidate.saving ? getNumber(*candidate.saving)
                                            : json::Value(nullptr));
  json.attribute("saved_bytes", candidate.savedBytes);
}

void vae::tool::writeAutoReport(const AutoReport &report, json::OStream &json) {
  const Budget &budget = report.budget;
  json.attributeObject("auto", [&] {
    json.attribute("measure", budget.getName());
    json.attribute("unit", StringRef(budget.getUnit()).trim());
    json.attribute("max_drop", budget.most);
    json.attribute("optimize", getObjectiveName(report.objective));
    json.attribute("data", json::fixUTF8(report.data));
    json.attribute("compilations", report.compilations);
    json.attributeArray("layers", [&] {
      for (const AutoLayer &layer : report.layers)
        json.object([&] {
          json.attribute("name", layer.name);
          json.attribute("choice", getPrecisionKindName(layer.choice));
          json.attribute("note", layer.candidates.empty()
                                     ? json::Value(layer.note)
                                     : json::Value(nullptr));
          json.attributeArray("candidates", [&] {
            for (const AutoCandidate &candidate : layer.candidates)
              json.object([&] { write(json, candidate); });
          });
        });
    });
    json.attributeArray("steps", [&] {
      for (const PrecisionStep &step : report.steps)
        json.object([&] {
          json.attribute("layers", countChosen(step.assignment));
          json.attribute("drop", getNumber(step.drop));
          json.attribute("fits", step.fits);
        });
    });
    json.attributeArray("parts", [&] {
      for (auto [part, name] : zip(report.parts, kPartNames))
        json.object([&, &part = part, &name = name] {
          json.attribute("name", name);
          json.attribute("samples", part.samples);
          json.attribute("reference", getNumber(part.reference));
          write(json, "base", part.base);
          write(json, "chosen", part.chosen);
        });
    });
    json.attribute("precision", report.precision);
    json.attribute("storage", report.storage);
    json.attributeArray("quantize_layer", [&] {
      for (const std::string &text : report.quantizeLayers)
        json.value(text);
    });
  });
}
