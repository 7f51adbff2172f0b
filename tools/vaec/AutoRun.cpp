// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/AutoRun.h"

#include "tools/data/Error.h"
#include "tools/vaec/Calibrate.h"
#include "tools/vaec/Vaec.h"

using namespace vae::tool;
using namespace vaedata;

vae::CompileReport vae::tool::compileTo(const Arguments &own,
                                        llvm::StringRef path) {
  Arguments quiet = own;
  quiet.quiet = true;
  quiet.output = path.str();
  quiet.mlirFlags.clear();
  quiet.options.dumpStages.clear();
  quiet.options.recipe.clear();
  quiet.options.exposeLayers = false;
  CompileReport compiled;
  require(compile(quiet, [](Stage, mlir::PassManager &) {}, compiled));
  return compiled;
}

std::unique_ptr<Model> vae::tool::loadLibrary(const std::string &path) {
  try {
    return std::make_unique<Model>(path);
  } catch (const UserError &error) {
    fail(error.what(), "; these options run what is compiled: choose a CPU of "
                       "this machine with --mcpu, or decide there and use the "
                       "--quantize-layer options or the recipe that it gives");
  }
}

void vae::tool::runEntry(const Model &model, const vae_abi_entry &entry,
                         const CalibrationData &data, uint64_t stream,
                         const SeeOutputsFn &see) {
  const vae_abi_model &table = model.getTable();
  int64_t batch = chooseBatch(table, entry, data);
  Sizes sizes = data.sizes;
  sizes[0] = batch;
  Session session(model, /*threads=*/0);
  session.prepare(entry, sizes);
  for (int64_t begin = 0; begin < data.samples; begin += batch) {
    int64_t count = std::min(batch, data.samples - begin);
    std::vector<std::vector<float>> values(entry.num_inputs), results;
    std::vector<Shape> shapes;
    std::vector<vae_tensor_t> inputs, outputs;
    for (uint32_t i = 0; i < entry.num_inputs + entry.num_outputs; ++i) {
      const vae_abi_tensor &tensor = i < entry.num_inputs
                                         ? entry.inputs[i]
                                         : entry.outputs[i - entry.num_inputs];
      requireF32(tensor);
      shapes.push_back(getShape(table, tensor, data.sizes, count));
    }
    auto add = [&](std::vector<vae_tensor_t> &tensors, float *numbers,
                   Shape &shape) {
      tensors.push_back({numbers, VAE_DTYPE_F32,
                         static_cast<uint32_t>(shape.size()), shape.data()});
    };
    for (uint32_t i = 0; i < entry.num_inputs; ++i) {
      const vae_abi_tensor &tensor = entry.inputs[i];
      bool generated = tensor.role == VAE_ROLE_NOISE;
      if (!generated) {
        values[i] = sliceExamples(tensor.role == VAE_ROLE_CONDITION
                                      ? data.conditions.at(tensor.name)
                                      : data.main,
                                  begin, count);
        if (countElements(shapes[i]) != static_cast<int64_t>(values[i].size()))
          fail("'", tensor.name, "' of '", entry.name, "': expected shape ",
               formatShape(shapes[i]), ", found ", values[i].size(),
               " numbers: the decoder's images are no data of the encoder; "
               "give data with --calibration-data");
      }
      add(inputs, generated ? nullptr : values[i].data(), shapes[i]);
    }
    for (uint32_t i = 0; i < entry.num_outputs; ++i) {
      Shape &shape = shapes[entry.num_inputs + i];
      results.emplace_back(
          static_cast<size_t>(countElements(shape).value_or(0)));
      add(outputs, results.back().data(), shape);
    }
    vae_run_options_t options = VAE_RUN_OPTIONS_INIT;
    options.stream = stream;
    options.first_example = static_cast<uint64_t>(begin);
    session.run(entry, options, inputs, outputs);
    see(begin, count, results);
  }
}

/// The number of the first output that has one of the roles, the first role
/// first.
static uint32_t findOutput(const vae_abi_entry &entry,
                           std::initializer_list<int32_t> roles) {
  for (int32_t role : roles)
    for (uint32_t i = 0; i < entry.num_outputs; ++i)
      if (entry.outputs[i].role == role)
        return i;
  throw std::runtime_error(concat("'", entry.name, "' has no such output"));
}

std::vector<double> vae::tool::runMeasure(const Model &model,
                                          const Budget &budget,
                                          const CalibrationData &data) {
  const vae_abi_entry &entry = model.getEntry(budget.getEntry());
  std::vector<double> values;
  if (budget.measure == BudgetMeasure::Elbo) {
    uint32_t elbo = findOutput(entry, {VAE_ROLE_ELBO, VAE_ROLE_LOG_LIKELIHOOD});
    runEntry(model, entry, data, /*stream=*/0,
             [&](int64_t, int64_t, const auto &outputs) {
               values.insert(values.end(), outputs[elbo].begin(),
                             outputs[elbo].end());
             });
    return values;
  }
  uint32_t mean = findOutput(entry, {VAE_ROLE_MEAN, VAE_ROLE_OUTPUT});
  size_t size =
      data.main.values.size() / static_cast<size_t>(data.main.examples);
  runEntry(
      model, entry, data, /*stream=*/0,
      [&](int64_t begin, int64_t count, const auto &outputs) {
        if (outputs[mean].size() != static_cast<size_t>(count) * size)
          fail("'", entry.outputs[mean].name,
               "': the reconstruction has not the shape of the data; "
               "measure the ELBO: --max-drop=elbo:Nnat");
        for (int64_t i = 0; i < count; ++i)
          values.push_back(getMeanSquaredError(
              data.main.values.data() + static_cast<size_t>(begin + i) * size,
              outputs[mean].data() + static_cast<size_t>(i) * size, size));
      });
  return values;
}
