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

static int64_t countIntegers(const PrecisionAssignment &assignment) {
  return llvm::count_if(assignment, [](PrecisionKind kind) {
    return kind != PrecisionKind::Base;
  });
}

void vae::tool::printAutoReport(const AutoReport &report, raw_ostream &out) {
  const Budget &budget = report.budget;
  std::string unit = StringRef(budget.getUnit()).trim().str();
  std::string loses = std::string(budget.getName()) + " loses, with its error" +
                      (unit.empty() ? "" : ", ") + unit;
  Table layers({"layer", "multiplies",
                ">alone it loses" + (unit.empty() ? "" : ", " + unit),
                ">saves of cost", ">saves B", "because"});
  double saved = 0;
  int64_t bytes = 0;
  for (const AutoLayer &layer : report.layers) {
    bool chosen = layer.choice != PrecisionKind::Base;
    if (!layer.candidate) {
      layers.add({layer.name, "as it is", "", "", "", layer.note});
      continue;
    }
    layers.add({layer.name,
                chosen ? getPrecisionKindName(layer.choice).str() : "as it is",
                formatDrop(layer.sensitivity), formatPart(layer.saving),
                group(layer.savedBytes), chosen ? "" : "the budget"});
    if (!chosen)
      continue;
    saved += layer.saving.value_or(0);
    bytes += layer.savedBytes;
  }
  layers.add({"all chosen", "", "", formatPart(saved), group(bytes)});
  layers.print(out);

  Table steps({">step", ">layers with integers", ">" + loses, "budget"});
  for (auto [i, step] : enumerate(report.steps))
    steps.add({std::to_string(i + 1),
               std::to_string(countIntegers(step.assignment)),
               formatNumber(step.drop), step.fits ? "kept" : "exceeded"});
  steps.print(out);

  Table parts(
      {"part of the data", ">samples",
       budget.measure == BudgetMeasure::Elbo ? ">ELBO of f32" : ">MSE of f32",
       ">without integers it loses", ">as chosen", "budget"});
  for (auto [part, name] : zip(report.parts, kPartNames))
    parts.add({name, group(part.samples), formatNumber(part.reference),
               formatDrop(part.base), formatDrop(part.chosen),
               budget.format(budget.most)});
  parts.print(out);
  out << "the same by hand: --quantize=int8 --precision=" << report.precision;
  for (const std::string &text : report.quantizeLayers)
    out << " --quantize-layer=" << text;
  out << ", with ranges of the same samples (--write-ranges)\n\n";
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

void vae::tool::writeAutoReport(const AutoReport &report, json::OStream &json) {
  const Budget &budget = report.budget;
  json.attributeObject("auto", [&] {
    json.attribute("measure", budget.getName());
    json.attribute("unit", StringRef(budget.getUnit()).trim());
    json.attribute("max_drop", budget.most);
    json.attribute("data", json::fixUTF8(report.data));
    json.attribute("compilations", report.compilations);
    json.attributeArray("layers", [&] {
      for (const AutoLayer &layer : report.layers)
        json.object([&] {
          json.attribute("name", layer.name);
          json.attribute("candidate", layer.candidate);
          json.attribute("choice", getPrecisionKindName(layer.choice));
          json.attribute("note", layer.note.empty() ? json::Value(nullptr)
                                                    : json::Value(layer.note));
          write(json, "sensitivity", layer.sensitivity);
          json.attribute("saving", layer.saving ? getNumber(*layer.saving)
                                                : json::Value(nullptr));
          json.attribute("saved_bytes", layer.savedBytes);
        });
    });
    json.attributeArray("steps", [&] {
      for (const PrecisionStep &step : report.steps)
        json.object([&] {
          json.attribute("integers", countIntegers(step.assignment));
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
    json.attributeArray("quantize_layer", [&] {
      for (const std::string &text : report.quantizeLayers)
        json.value(text);
    });
  });
}
