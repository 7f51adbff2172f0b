// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A model from JSON to numbers, through every stage, by hand.
#include "compiler/pipeline/Pipeline.h"
#include "compiler/pipeline/RegisterAll.h"
#include "mlir/IR/MLIRContext.h"
#include "runtime/include/vae/vae_abi.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include "gtest/gtest.h"

#include <cmath>
#include <dlfcn.h>
#include <thread>

using namespace vae;

namespace {

// mu = [x0 + 2*x1 + 0.5], logvar = [-1]; y = relu([2z, -z]) + 0.25 as logits.
constexpr const char *kModel = R"({
  "format_version": 1,
  "name": "hand",
  "inputs": [{"name": "x", "shape": [2], "range": [0, 1]}],
  "encoder": {"layers": [
    {"name": "mu", "type": "dense", "units": 1, "inputs": ["x"],
     "weights": {"kernel": {"shape": [1, 2], "data": [1, 2]}, "bias": [0.5]}},
    {"name": "logvar", "type": "dense", "units": 1, "inputs": ["x"],
     "weights": {"kernel": {"shape": [1, 2], "data": [0, 0]}, "bias": [-1]}}]},
  "latent": {"kind": "gaussian", "mu": "mu", "logvar": "logvar"},
  "decoder": {"layers": [
    {"name": "h", "type": "dense", "units": 2, "activation": "relu",
     "weights": {"kernel": {"shape": [2, 1], "data": [2, -1]}, "bias": [0, 0]}},
    {"name": "y", "type": "dense", "units": 2,
     "weights": {"kernel": {"shape": [2, 2], "data": [1, 0, 0, 1]},
                 "bias": [0.25, 0.25]}}]},
  "likelihood": {"kind": "bernoulli", "parameterization": "logits"},
  "prior": {"kind": "standard_normal"}
})";

/// `count` numbers, as JSON.
std::string numbers(int count) {
  std::string text = "[";
  for (int i = 0; i < count; ++i)
    text += (i ? ", " : "") + std::to_string((i * 37 % 19 - 9) / 16.0);
  return text + "]";
}

std::string convLayer(const std::string &type, int inputs, int filters,
                      const std::string &more) {
  std::string shape =
      type == "conv2d"
          ? std::to_string(filters) + ", " + std::to_string(inputs)
          : std::to_string(inputs) + ", " + std::to_string(filters);
  return "\"type\": \"" + type + "\", \"filters\": " + std::to_string(filters) +
         ", \"kernel_size\": 3, " + more +
         ", \"weights\": {\"kernel\": {\"shape\": [" + shape +
         ", 3, 3], \"data\": " + numbers(inputs * filters * 9) +
         "}, \"bias\": " + numbers(filters) + "}";
}

/// Convolutions down to a code of [4, 3, 3] and back to [3, 12, 12].
std::string convModel() {
  return "{\"format_version\": 1, \"name\": \"conv\", \"inputs\": "
         "[{\"name\": \"x\", \"shape\": [3, 12, 12]}],\n\"encoder\": "
         "{\"layers\": [{\"name\": \"c0\", " +
         convLayer("conv2d", 3, 5,
                   "\"stride\": 2, \"padding\": 1, \"activation\": "
                   "\"relu\"") +
         "}, {\"name\": \"c1\", " +
         convLayer("conv2d", 5, 4, "\"stride\": 2, \"padding\": 1") +
         "}]}, \"latent\": {\"kind\": \"code\", \"code\": \"c1\"},\n"
         "\"decoder\": {\"layers\": [{\"name\": \"t0\", " +
         convLayer("conv_transpose2d", 4, 5,
                   "\"stride\": 2, \"padding\": 1, \"output_padding\": 1, "
                   "\"activation\": \"relu\"") +
         "}, {\"name\": \"t1\", " +
         convLayer("conv_transpose2d", 5, 3,
                   "\"stride\": 2, \"padding\": 1, \"output_padding\": 1") +
         "}]}, \"likelihood\": {\"kind\": \"gaussian\", \"variance\": 1}}";
}

/// A folder that goes away with the test.
struct Folder {
  Folder() {
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("vaec-test", path));
  }
  ~Folder() { llvm::sys::fs::remove_directories(path); }
  std::string file(llvm::StringRef name) const {
    return (path + "/" + name).str();
  }
  void write(llvm::StringRef name, llvm::StringRef text) const {
    std::error_code code;
    llvm::raw_fd_ostream out(file(name), code);
    ASSERT_FALSE(code);
    out << text;
  }
  llvm::SmallString<128> path;
};

bool compile(const std::string &input, const std::string &output,
             CompileOptions options = {}, CompileReport *report = nullptr) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  return succeeded(compileModel(input, output, options, context, report));
}

class Library {
public:
  explicit Library(const std::string &path)
      : handle(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    EXPECT_NE(handle, nullptr) << dlerror();
    auto query = reinterpret_cast<vae_model_query_fn>(
        dlsym(handle, VAE_MODEL_QUERY_SYMBOL));
    model = query(VAE_ABI_VERSION);
    EXPECT_EQ(query(0), nullptr);
  }
  ~Library() { dlclose(handle); }

  std::vector<std::vector<float>>
  run(const std::string &entry, const std::vector<std::vector<float>> &inputs,
      int64_t batch) {
    for (uint32_t i = 0; i < model->num_entries; ++i)
      if (model->entries[i].name == entry)
        return run(model->entries[i], inputs, batch);
    ADD_FAILURE() << "no entry " << entry;
    return {};
  }

  const vae_abi_model *model = nullptr;

private:
  static void inTurn(void *, int64_t count, int64_t, vae_abi_task task,
                     void *arg) {
    for (int64_t i = 0; i < count; ++i)
      task(arg, i, i + 1);
  }

  std::vector<std::vector<float>>
  run(const vae_abi_entry &entry, const std::vector<std::vector<float>> &inputs,
      int64_t batch) {
    EXPECT_EQ(entry.num_inputs, inputs.size());
    std::vector<const void *> in;
    for (const auto &input : inputs)
      in.push_back(input.data());
    std::vector<std::vector<float>> outputs;
    std::vector<void *> out;
    for (uint32_t i = 0; i < entry.num_outputs; ++i) {
      int64_t size = 1;
      for (uint32_t d = 0; d < entry.outputs[i].rank; ++d) {
        const vae_abi_dim &dim = entry.outputs[i].dims[d];
        size *= dim.symbol < 0 ? dim.offset : dim.scale * batch + dim.offset;
      }
      outputs.emplace_back(size, NAN);
    }
    for (auto &output : outputs)
      out.push_back(output.data());
    std::vector<char> storage(entry.arena_size(&batch) + VAE_ARENA_ALIGNMENT);
    auto address = reinterpret_cast<uintptr_t>(storage.data());
    address += -address % VAE_ARENA_ALIGNMENT;
    vae_abi_call call = {};
    call.struct_size = sizeof(call);
    call.inputs = in.data();
    call.outputs = out.data();
    call.symbols = &batch;
    call.arena = reinterpret_cast<void *>(address);
    call.parallel_for = inTurn;
    EXPECT_EQ(entry.scratch_size, 0u);
    EXPECT_EQ(entry.run(&call), 0);
    return outputs;
  }

  void *handle;
};

std::string readFile(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  return buffer ? (*buffer)->getBuffer().str() : std::string();
}

class CompileTest : public testing::TestWithParam<unsigned> {};

TEST_P(CompileTest, EveryEntryPointGivesTheNumbersWorkedOutByHand) {
  Folder folder;
  folder.write("m.json", kModel);
  CompileOptions options;
  options.optLevel = GetParam();
  ASSERT_TRUE(compile(folder.file("m.json"), folder.file("m.so"), options));
  Library library(folder.file("m.so"));
  EXPECT_STREQ(library.model->name, "hand");
  EXPECT_EQ(library.model->abi_version, VAE_ABI_VERSION);

  std::vector<float> x = {0.5f, 0.25f, 0.0f, 0.0f}; // batch of 2
  auto encoded = library.run("encode", {x}, 2);
  ASSERT_EQ(encoded.size(), 2u);
  EXPECT_FLOAT_EQ(encoded[0][0], 1.5f); // 0.5 + 2*0.25 + 0.5
  EXPECT_FLOAT_EQ(encoded[0][1], 0.5f);
  EXPECT_FLOAT_EQ(encoded[1][0], -1.0f);

  auto decoded = library.run("decode", {{1.5f, -2.0f}}, 2);
  EXPECT_FLOAT_EQ(decoded[0][0], 3.25f); // relu(2*1.5) + 0.25
  EXPECT_FLOAT_EQ(decoded[0][1], 0.25f); // relu(-1.5) + 0.25
  EXPECT_FLOAT_EQ(decoded[0][2], 0.25f);
  EXPECT_FLOAT_EQ(decoded[0][3], 2.25f);

  auto mean = library.run("reconstruct", {x}, 2);
  EXPECT_NEAR(mean[0][0], 1 / (1 + std::exp(-3.25)), 1e-6);

  // With zero noise z = mu: log p = sum of x*l - log(1 + e^l).
  auto score = library.run("score", {x, {0, 0}}, 2);
  double likelihood = 0.5 * 3.25 - std::log1p(std::exp(3.25)) + 0.25 * 0.25 -
                      std::log1p(std::exp(0.25));
  double kl = (std::exp(-1) + 1.5 * 1.5 - 1 + 1) / 2;
  EXPECT_NEAR(score[0][0], likelihood, 1e-5);
  EXPECT_NEAR(score[1][0], kl, 1e-5);
  EXPECT_NEAR(score[2][0], likelihood - kl, 1e-5);
}

INSTANTIATE_TEST_SUITE_P(Levels, CompileTest, testing::Values(0, 1, 2, 3));

TEST(Compile, PriorOfOneNumberForAllChannels) {
  Folder folder;
  folder.write("m.json", R"({"format_version": 1, "name": "prior",
    "latent": {"kind": "gaussian", "shape": [3]},
    "decoder": {"layers": [{"name": "y", "type": "relu"}]},
    "prior": {"kind": "normal", "mean": 1, "std": 2}})");
  ASSERT_TRUE(compile(folder.file("m.json"), folder.file("m.so")));
  Library library(folder.file("m.so"));
  auto sampled = library.run("sample", {{0.0f, 1.0f, -2.0f}}, 1);
  EXPECT_EQ(sampled[0], (std::vector<float>{1, 3, 0}));
}

TEST(Compile, ChannelsOfFiveAxes) {
  Folder folder;
  folder.write("m.json", R"({"format_version": 1, "name": "axes",
    "inputs": [{"name": "x", "shape": [4]}],
    "encoder": {"layers": [
      {"name": "r", "type": "reshape", "shape": [2, 1, 1, 2]},
      {"name": "p", "type": "prelu", "weights": {"weight": [0.5, 0.25]}},
      {"name": "z_", "type": "flatten"}]},
    "latent": {"kind": "code", "code": "z_"}})");
  ASSERT_TRUE(compile(folder.file("m.json"), folder.file("m.so")));
  Library library(folder.file("m.so"));
  auto encoded = library.run("encode", {{-1.0f, -2.0f, -4.0f, 3.0f}}, 1);
  EXPECT_EQ(encoded[0], (std::vector<float>{-0.5f, -1, -1, 3}));
}

TEST(Compile, NoteStatesSizesInLowestTerms) {
  Folder folder;
  folder.write("m.json", R"({"format_version": 1, "name": "sizes",
    "dynamic": {"height": {"multiple": 8}, "width": {}},
    "inputs": [{"name": "x", "shape": [1, "height", "width"]}],
    "encoder": {"layers": [
      {"name": "p", "type": "max_pool2d", "kernel_size": [4, 1]},
      {"name": "u", "type": "upsample", "scale": [1, 3]},
      {"name": "a", "type": "pad", "padding": [0, 0, 1, 0]}]},
    "latent": {"kind": "code", "code": "a"}})");
  ASSERT_TRUE(compile(folder.file("m.json"), folder.file("m.so")));
  std::string bytes = readFile(folder.file("m.so"));
  for (std::string shape : {"[\"batch\",1,\"height\",\"width\"]",
                            "[\"batch\",1,\"height/4+1\",\"3*width\"]"})
    EXPECT_NE(bytes.find("\"shape\":" + shape), std::string::npos) << shape;
}

/// Both models, at every level.
class Everywhere
    : public testing::TestWithParam<std::tuple<std::string, unsigned>> {
protected:
  Everywhere() { options.optLevel = std::get<1>(GetParam()); }
  std::string model() const {
    return std::get<0>(GetParam()) == "conv" ? convModel() : kModel;
  }
  CompileOptions options;
};

TEST_P(Everywhere, IsReproducibleAlsoFromAnotherFolder) {
  Folder first, second;
  first.write("m.json", model());
  second.write("m.json", model());
  ASSERT_TRUE(compile(first.file("m.json"), first.file("m.so"), options));
  ASSERT_TRUE(compile(first.file("m.json"), first.file("again.so"), options));
  ASSERT_TRUE(compile(second.file("m.json"), second.file("other.so"), options));
  std::string bytes = readFile(first.file("m.so"));
  EXPECT_FALSE(bytes.empty());
  EXPECT_TRUE(bytes == readFile(first.file("again.so")));
  EXPECT_TRUE(bytes == readFile(second.file("other.so")));
}

TEST_P(Everywhere, RunsInTwoThreadsOfOneProcess) {
  Folder folder;
  folder.write("m.json", model());
  ASSERT_TRUE(compile(folder.file("m.json"), folder.file("m.so"), options));
  bool good[2] = {false, false};
  std::thread threads[2];
  for (int i = 0; i < 2; ++i)
    threads[i] = std::thread([&, i] {
      good[i] = compile(folder.file("m.json"),
                        folder.file("m" + std::to_string(i) + ".so"), options);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_TRUE(good[0] && good[1]);
  std::string bytes = readFile(folder.file("m.so"));
  EXPECT_TRUE(bytes == readFile(folder.file("m0.so")));
  EXPECT_TRUE(bytes == readFile(folder.file("m1.so")));
}

TEST_P(Everywhere, ReportsWhatTheLibrarySays) {
  Folder folder;
  folder.write("m.json", model());
  CompileReport report;
  ASSERT_TRUE(
      compile(folder.file("m.json"), folder.file("m.so"), options, &report));
  EXPECT_EQ(report.failure, CompileFailure::None);
  Library library(folder.file("m.so"));
  EXPECT_EQ(report.model, library.model->name);
  EXPECT_EQ(report.parameters, library.model->num_parameters);
  EXPECT_EQ(report.cpus.front().required, library.model->cpu_features);
  ASSERT_EQ(report.entries.size(), library.model->num_entries);
  for (uint32_t i = 0; i < library.model->num_entries; ++i) {
    const vae_abi_entry &entry = library.model->entries[i];
    EXPECT_EQ(report.entries[i].name, entry.name);
    for (auto [k, batch] : llvm::enumerate(kReportBatches)) {
      EXPECT_EQ(report.entries[i].arenaBytes.values[k],
                entry.arena_size(&batch))
          << entry.name;
      EXPECT_EQ(report.entries[i].flops.values[k], entry.flops(&batch))
          << entry.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Everywhere,
                         testing::Combine(testing::Values("mlp", "conv"),
                                          testing::Values(0, 2, 3)),
                         [](const auto &info) {
                           return std::get<0>(info.param) +
                                  std::to_string(std::get<1>(info.param));
                         });

TEST(Compile, SaysWhoIsToBlame) {
  Folder folder;
  folder.write("m.json", kModel);
  folder.write("bad.json", "{}");
  auto blame = [&](const std::string &input, const std::string &output,
                   CompileOptions options = {}) {
    CompileReport report;
    EXPECT_FALSE(
        compile(folder.file(input), folder.file(output), options, &report));
    return report.failure;
  };
  EXPECT_EQ(blame("bad.json", "m.so"), CompileFailure::Input);
  EXPECT_EQ(blame("none.json", "m.so"), CompileFailure::Input);
  EXPECT_EQ(blame("m.json", "none/m.so"), CompileFailure::Input);
  CompileOptions options;
  options.entries = {"paint"};
  EXPECT_EQ(blame("m.json", "m.so", options), CompileFailure::Input);
  options = {};
  options.cpus = {"x86-64-v33"};
  EXPECT_EQ(blame("m.json", "m.so", options), CompileFailure::Usage);
}

/// Notes the stages as they begin.
struct Recorder : CompileObserver {
  void beginStage(Stage stage, mlir::ModuleOp before,
                  llvm::StringRef pipeline) override {
    EXPECT_EQ(stage == Stage::Import, !before);
    EXPECT_EQ(stage == Stage::Import, pipeline.empty());
    stages.push_back(stage);
  }
  std::vector<Stage> stages;
};

TEST(Compile, TellsAnObserverOfEveryStage) {
  Folder folder;
  folder.write("m.json", kModel);
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  Recorder recorder;
  CompileOptions options;
  options.emit = Stage::Kernels;
  ASSERT_TRUE(
      succeeded(compileModel(folder.file("m.json"), folder.file("m.mlir"),
                             options, context, nullptr, &recorder)));
  EXPECT_EQ(recorder.stages,
            (std::vector<Stage>{Stage::Import, Stage::Simplify, Stage::Compress,
                                Stage::Fuse, Stage::Kernels}));
}

// A context may serve again after its weights were dropped.
TEST(Compile, CompilesTwiceInOneContext) {
  Folder folder;
  folder.write("m.json", convModel());
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  CompileOptions options;
  options.exclusiveContext = true;
  for (const char *name : {"a.so", "b.so"})
    ASSERT_TRUE(succeeded(compileModel(folder.file("m.json"), folder.file(name),
                                       options, context)));
  EXPECT_TRUE(readFile(folder.file("a.so")) == readFile(folder.file("b.so")));
}

TEST(Compile, LeavesNothingBehindWhenItFails) {
  Folder folder;
  folder.write("m.json", "{\"format_version\": 1,");
  EXPECT_FALSE(compile(folder.file("m.json"), folder.file("m.so")));
  std::error_code code;
  int files = 0;
  for (llvm::sys::fs::directory_iterator it(folder.path, code), end;
       it != end && !code; it.increment(code))
    ++files;
  EXPECT_EQ(files, 1); // the model
}

} // namespace
