// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// vae-run info: what a library's note says. Nothing of the library runs, unless
// sizes are given: what memory they need, its code knows.
#include "tools/data/File.h"
#include "tools/data/Model.h"
#include "tools/vae-run/Error.h"
#include "tools/vae-run/Limit.h"
#include "tools/vae-run/Prepare.h"
#include "tools/vae-run/Report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

using namespace vaerun;
using Json = nlohmann::ordered_json;

/// The newest form of the note that is known.
static constexpr int kNoteSchema = 1;

/// "bernoulli (parameterization logits)".
static std::string formatKind(const Json &object) {
  std::string text = object.at("kind").get<std::string>(), more;
  for (const auto &[key, value] : object.items())
    if (key != "kind")
      more +=
          concat(more.empty() ? "" : ", ", key, " ",
                 value.is_string() ? value.get<std::string>() : value.dump());
  return more.empty() ? text : text + " (" + more + ")";
}

/// "(z - 0.5) * 2", or with the lists of numbers of the channels.
static std::string formatScaling(const Json &scaling) {
  const Json &scale = scaling.at("scale"), &shift = scaling.at("shift");
  if (scale.size() == 1 && shift.size() == 1) {
    auto by = shift[0].get<double>();
    return concat(
        by == 0 ? "z" : concat("(z ", by < 0 ? "+ " : "- ", std::abs(by), ")"),
        " * ", scale[0].dump());
  }
  return concat("(z - shift) * scale, shift ", shift.dump(), ", scale ",
                scale.dump());
}

/// "[batch, 784]".
static std::string formatDims(const Json &shape) {
  std::string text;
  for (const Json &dim : shape)
    text += (text.empty() ? "" : ", ") +
            (dim.is_string() ? dim.get<std::string>() : dim.dump());
  return "[" + text + "]";
}

static std::string join(const Json &names) {
  std::string text;
  for (const Json &name : names)
    text += (text.empty() ? "" : " ") + name.get<std::string>();
  return text;
}

static std::string formatSymbol(const Json &symbol) {
  std::string text = symbol.at("name").get<std::string>();
  auto minimum = symbol.at("minimum").get<int64_t>();
  auto multiple = symbol.at("multiple").get<int64_t>();
  // Libraries of older versions have none.
  int64_t remainder = symbol.value("remainder", 0);
  text += concat(" at least ", minimum);
  if (multiple == 1)
    return text;
  return concat(text, " and ",
                remainder ? concat(remainder, " more than ") : std::string(),
                "a multiple of ", multiple);
}

using Row = std::vector<std::string>;

static void printTable(const std::vector<Row> &rows, std::ostream &out) {
  std::vector<size_t> widths;
  for (const Row &row : rows)
    for (size_t c = 0; c < row.size(); ++c) {
      if (c == widths.size())
        widths.push_back(0);
      widths[c] = std::max(widths[c], row[c].size());
    }
  for (const Row &row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) {
      line += row[c];
      line.append(widths[c] - row[c].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << "\n";
  }
}

static void addTensors(const Json &entry, bool inputs, std::vector<Row> &rows) {
  for (const Json &tensor : entry.at(inputs ? "inputs" : "outputs")) {
    auto text = [&](const char *key) {
      return tensor.at(key).get<std::string>();
    };
    rows.push_back(
        {"", inputs ? "in" : "out", text("name"), text("role"), text("dtype"),
         formatDims(tensor.at("shape")), text("layout"),
         tensor.contains("range") ? formatDims(tensor["range"]) : ""});
  }
}

/// The versions of the code, and which would run here.
static void describeVersions(const Options &options, Report &report,
                             std::vector<Row> &facts) {
  VersionChoice choice = chooseVersion(options.library, options.cpuVersion);
  for (const Json &version : report.json.at("versions")) {
    auto name = version.at("name").get<std::string>();
    facts.push_back(
        {"version", concat(name, choice.name == name ? " (runs here): " : ": ",
                           join(version.at("features")))});
  }
  if (choice.name)
    report.json["version"] = *choice.name;
  else
    facts.push_back({"runs here", concat("none: ", choice.refusal)});
}

static void describe(const Options &options, const Json &note, Report &report) {
  std::ostream &out = report.text;
  auto text = [&](const char *key) { return note.at(key).get<std::string>(); };
  std::vector<Row> facts = {
      {"model", text("name")},
      {"compiler", concat(text("compiler"), ", ABI ", note.at("abi_version"))},
      {"target", text("target")},
      {"CPU features", join(note.at("features"))},
      {"arithmetic", text("quantization")},
      {"storage", note.value("storage", "f32")},
      {"parameters", formatCount(note.at("parameters").get<int64_t>())},
      {"weights",
       formatCount(note.at("weight_bytes").get<int64_t>()) + " bytes"}};
  if (note.contains("versions"))
    describeVersions(options, report, facts);
  for (const char *key : {"likelihood", "prior"})
    if (note.contains(key))
      facts.push_back({key, formatKind(note[key])});
  if (note.contains("latent_scaling"))
    facts.push_back({"scaled latent", formatScaling(note["latent_scaling"])});
  for (const Json &symbol : note.at("symbols"))
    facts.push_back({"dynamic", formatSymbol(symbol)});
  printTable(facts, out);
  out << "\n";
  std::vector<Row> rows = {
      {"entry", "", "tensor", "role", "type", "shape", "layout", "range"}};
  for (const Json &entry : note.at("entries")) {
    size_t first = rows.size();
    addTensors(entry, true, rows);
    addTensors(entry, false, rows);
    if (rows.size() > first)
      rows[first][0] = entry.at("name").get<std::string>();
  }
  printTable(rows, out);
}

static int64_t countBytes(const vae_abi_model &table,
                          const vae_abi_tensor *tensors, uint32_t count,
                          const Sizes &sizes) {
  int64_t bytes = 0;
  for (uint32_t i = 0; i < count; ++i) {
    int64_t elements = 1;
    for (int64_t dim : getShape(table, tensors[i], sizes, sizes[0]))
      elements *= dim;
    bytes += elements * static_cast<int64_t>(sizeof(float));
  }
  return bytes;
}

/// Bytes of the threads that run it.
static int64_t getScratch(const Model &model, const vae_abi_entry &entry,
                          const Sizes &sizes, uint32_t threads) {
  auto plan = findPlan(model, entry, sizes, 0, threads).plan;
  return plan ? plan->run.scratch_bytes : 0;
}

/// How an entry point is run within a limit: JSON, and either a row of a table
/// or a line.
static void describePlan(const Model &model, const vae_abi_entry &entry,
                         const Sizes &sizes, uint64_t limit, uint32_t threads,
                         std::vector<Row> &rows, std::string &refusals,
                         Json &json) {
  const vae_abi_model &table = model.getTable();
  PlanResult found = findPlan(model, entry, sizes, limit, threads);
  if (!found.plan) {
    refusals += found.refusal + "\n";
    json["refused"] = found.refusal;
    return;
  }
  const Plan &plan = *found.plan;
  Json before = Json::array(), after = Json::array();
  std::string halo;
  for (uint32_t s = 0; s < table.num_symbols; ++s) {
    bool overlaps = plan.part[s] < sizes[s] && s > 0;
    vae_abi_halo each =
        overlaps ? plan.run.largest->tiling->halos[s] : vae_abi_halo();
    before.push_back(each.before);
    after.push_back(each.after);
    if (overlaps)
      halo += concat(halo.empty() ? "" : ", ", table.symbols[s].name, " ",
                     each.before, " + ", each.after);
  }
  json["plan"] = {{"segments", plan.run.segments},
                  {"parts", plan.run.parts},
                  {"largest", plan.run.largest->name},
                  {"part", plan.part},
                  {"halo_before", before},
                  {"halo_after", after},
                  {"recomputed_percent", plan.recomputed},
                  {"flops", plan.run.flops},
                  {"arena_bytes", plan.run.arena_bytes},
                  {"scratch_bytes", plan.run.scratch_bytes},
                  {"noise_bytes", plan.run.noise_bytes},
                  {"copy_bytes", plan.run.copy_bytes},
                  {"planned_bytes", plan.getBytes()}};
  rows.push_back(
      {entry.name, formatCount(plan.run.parts), plan.run.largest->name,
       formatPart(table, plan.part), halo.empty() ? "none" : halo,
       formatNumber(plan.recomputed) + "%", formatCount(plan.getBytes())});
}

/// The memory that each entry point takes at a size, from the model's plan.
static void describeMemory(const Options &options, Report &report) {
  Model model(options.library, options.cpuVersion);
  const vae_abi_model &table = model.getTable();
  Sizes sizes = parseSizes(table, options);
  sizes[0] = options.batches.front();
  requireSizes(table, sizes);
  uint64_t limit = parseMaxMemory(options.maxMemory);
  std::vector<Row> rows = {
      {"bytes", "arena", "scratch", "inputs", "outputs", "all"}};
  std::vector<Row> plans = {{"entry", "parts", "most memory", "part", "halo",
                             "more operations", "planned bytes"}};
  std::string refusals;
  Json entries = Json::array();
  for (uint32_t i = 0; i < table.num_entries; ++i) {
    const vae_abi_entry &entry = table.entries[i];
    int64_t bytes[] = {
        entry.arena_size(sizes.data()),
        getScratch(model, entry, sizes, options.threads),
        countBytes(table, entry.inputs, entry.num_inputs, sizes),
        countBytes(table, entry.outputs, entry.num_outputs, sizes)};
    int64_t all = std::accumulate(bytes, std::end(bytes), int64_t{0});
    rows.push_back({entry.name, formatCount(bytes[0]), formatCount(bytes[1]),
                    formatCount(bytes[2]), formatCount(bytes[3]),
                    formatCount(all)});
    entries.push_back({{"entry", entry.name},
                       {"arena_bytes", bytes[0]},
                       {"scratch_bytes", bytes[1]},
                       {"input_bytes", bytes[2]},
                       {"output_bytes", bytes[3]}});
    if (limit)
      describePlan(model, entry, sizes, limit, options.threads, plans, refusals,
                   entries.back());
  }
  report.text << "\nmemory at batch " << sizes[0];
  for (uint32_t s = 1; s < table.num_symbols; ++s)
    report.text << ", " << table.symbols[s].name << " " << sizes[s];
  report.text << ", besides the weights\n";
  printTable(rows, report.text);
  if (limit)
    report.text << "\narena and outputs within "
                << formatCount(static_cast<int64_t>(limit)) << " bytes\n";
  if (plans.size() > 1)
    printTable(plans, report.text);
  report.text << refusals;
  report.json["memory"] = std::move(entries);
}

void vaerun::runInfo(const Options &options) {
  Report report(options);
  try {
    Json note = Json::parse(readNote(options.library));
    if (note.at("schema").get<int64_t>() > kNoteSchema)
      fail(options.library, ": expected a note of schema ", kNoteSchema,
           ", found ", note["schema"], "; use a newer vae-run");
    std::error_code code;
    report.json["library_bytes"] =
        std::filesystem::file_size(options.library, code);
    report.json["model"] = note.at("name");
    report.json["version"] = nullptr;
    for (const auto &[key, value] : note.items())
      if (key != "schema" && key != "name")
        report.json[key] = value;
    describe(options, note, report);
    if (options.wantsMemory || !options.maxMemory.empty() ||
        !options.size.empty() || !options.dims.empty())
      describeMemory(options, report);
  } catch (const Json::exception &error) {
    fail(options.library,
         ": expected a note that describes a model, found a "
         "damaged one (",
         error.what(), "); compile the model again");
  }
  report.print(options);
}
