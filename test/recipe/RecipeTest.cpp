// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "compiler/recipe/Recipe.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace vae;

namespace {

class RecipeTest : public testing::Test {
protected:
  RecipeTest() {
    EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("recipe", folder));
    path = folder;
    llvm::sys::path::append(path, "r.json");
  }
  ~RecipeTest() override { llvm::sys::fs::remove_directories(folder); }

  static Recipe makeRecipe() {
    Recipe recipe;
    recipe.compiler = "vaec 9";
    recipe.model = "a \"model\"";
    recipe.hash = std::string(64, 'a');
    PruneChannelsStep prune;
    prune.fraction = 0.25;
    prune.fractions = {{"fc=1", 0.5}};
    prune.global = true;
    prune.importance = "activation";
    prune.layers = {{"fc=1", 10, {0, 3, 9}}, {"conv", 4, {2}}};
    recipe.steps.push_back(prune);
    PruneWeightsStep weights;
    weights.pattern = "weights:0.5";
    weights.patterns = {{"fc=1", "2:4"}};
    weights.layers = {{"conv", "weights:0.5", {1, 2, 1, 1}, {1, 0}},
                      {"fc=1", "2:4", {1, 4}, {0, 1, 1, 0}}};
    recipe.steps.push_back(weights);
    LeastSquaresStep fit;
    fit.data = {"x.npy", "y z.npy"};
    fit.dataHash = "0f";
    fit.samples = 7;
    fit.seed = 3;
    fit.ridge = 1e-3;
    fit.layers = {{"conv", {1, 2, 1, 1}, {1.5f, -0.1f}, {3}, 0.5, 0.25},
                  {"mu", {1, 1}, {7}, {}, 1, 0}};
    recipe.steps.push_back(fit);
    EqualizeStep scales;
    scales.dataHash = "1e";
    scales.samples = 8;
    using Part = EqualizeStep::Part;
    scales.groups = {{"smooth",
                      0.1,
                      0.05,
                      {{"norm", Part::Norm, {1, 0.1}},
                       {"conv", Part::Output, {2, 1}},
                       {"fc=1", Part::Input, {0.3, 1e-7}}}}};
    recipe.steps.push_back(scales);
    CorrectBiasStep shifts;
    shifts.data = {"x.npy"};
    shifts.layers = {{"conv", {-0.125, 3}, 0.5, 0.25}};
    recipe.steps.push_back(shifts);
    QuantizeStep kinds;
    kinds.method = "auto";
    kinds.budget = "elbo:0.1nat";
    kinds.objective = "size";
    kinds.precision = "mixed";
    kinds.layers = {{"fc=1", PrecisionKind::Int8}, {"conv", PrecisionKind::W4}};
    kinds.ranges.emplace();
    kinds.ranges->method = "mse";
    kinds.ranges->data = {"x.npy"};
    kinds.ranges->dataHash = "ab";
    kinds.ranges->samples = 7;
    kinds.ranges->seed = 3;
    kinds.ranges->tensors = {{"x", 0, 0.1f}, {"fc=1", -1.5f, 3e-20f}};
    recipe.steps.push_back(kinds);
    return recipe;
  }

  void write(llvm::StringRef file, llvm::StringRef text) {
    std::error_code code;
    llvm::raw_fd_ostream out(file, code);
    ASSERT_FALSE(code);
    out << text;
  }

  static std::string print(const Recipe &recipe) {
    std::string text;
    llvm::raw_string_ostream out(text);
    printRecipe(recipe, "r.safetensors", out);
    return text;
  }

  void writeAll(const Recipe &recipe, const std::string &text) {
    write(path, text);
    std::string weights;
    llvm::raw_string_ostream out(weights);
    printRecipeWeights(recipe, out);
    write(getRecipeWeightsPath(path), weights);
  }

  /// The message for a recipe in which the first `from` is replaced.
  std::string getError(llvm::StringRef from, llvm::StringRef to) {
    Recipe recipe = makeRecipe();
    std::string text = print(recipe);
    size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << text;
    text.replace(at, from.size(), to);
    writeAll(recipe, text);
    return read();
  }

  std::string read() {
    std::string message;
    mlir::ScopedDiagnosticHandler handler(
        &context, [&](mlir::Diagnostic &diagnostic) {
          llvm::raw_string_ostream out(message);
          auto place =
              mlir::cast<mlir::FileLineColLoc>(diagnostic.getLocation());
          out << llvm::sys::path::filename(place.getFilename()) << ":"
              << place.getLine() << ": " << diagnostic.str();
          return mlir::success();
        });
    result = readRecipe(path, context);
    EXPECT_EQ(llvm::failed(result), !message.empty());
    return message;
  }

  mlir::MLIRContext context;
  llvm::SmallString<128> folder, path;
  llvm::FailureOr<Recipe> result;
};

TEST_F(RecipeTest, IsReadAsItWasWritten) {
  Recipe recipe = makeRecipe();
  writeAll(recipe, print(recipe));
  ASSERT_EQ(read(), "");
  EXPECT_EQ(print(*result), print(recipe));
  const auto *prune = result->find<PruneChannelsStep>();
  ASSERT_TRUE(prune);
  EXPECT_EQ(prune->fraction, 0.25);
  EXPECT_TRUE(prune->global);
  ASSERT_EQ(prune->layers.size(), 2u);
  EXPECT_EQ(prune->layers[0].name, "fc=1");
  EXPECT_EQ(prune->layers[0].removed, (std::vector<int64_t>{0, 3, 9}));
  const auto *weights = result->find<PruneWeightsStep>();
  ASSERT_TRUE(weights);
  EXPECT_EQ(weights->pattern, "weights:0.5");
  EXPECT_FALSE(weights->global);
  ASSERT_EQ(weights->layers.size(), 2u);
  EXPECT_EQ(weights->layers[1].pattern, "2:4");
  EXPECT_EQ(weights->layers[1].shape, (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(weights->layers[1].kept, (std::vector<uint8_t>{0, 1, 1, 0}));
  const auto *fit = result->find<LeastSquaresStep>();
  ASSERT_TRUE(fit);
  ASSERT_EQ(fit->layers.size(), 2u);
  EXPECT_EQ(fit->layers[0].shape, (std::vector<int64_t>{1, 2, 1, 1}));
  EXPECT_EQ(fit->layers[0].weight, (std::vector<float>{1.5f, -0.1f}));
  EXPECT_EQ(fit->layers[0].bias, (std::vector<float>{3}));
  EXPECT_TRUE(fit->layers[1].bias.empty());
  const auto *scales = result->find<EqualizeStep>();
  ASSERT_TRUE(scales);
  ASSERT_EQ(scales->groups.size(), 1u);
  ASSERT_EQ(scales->groups[0].axes.size(), 3u);
  EXPECT_EQ(scales->groups[0].axes[2].part, EqualizeStep::Part::Input);
  EXPECT_EQ(scales->groups[0].axes[2].scales, (std::vector<double>{0.3, 1e-7}));
  const auto *shifts = result->find<CorrectBiasStep>();
  ASSERT_TRUE(shifts);
  ASSERT_EQ(shifts->layers.size(), 1u);
  EXPECT_EQ(shifts->layers[0].shift, (std::vector<double>{-0.125, 3}));
  const auto *kinds = result->find<QuantizeStep>();
  ASSERT_TRUE(kinds);
  EXPECT_EQ(kinds->layers[1].kind, PrecisionKind::W4);
  EXPECT_GT(kinds->layers[0].line, 1u);
  EXPECT_GT(kinds->layers[1].column, kinds->layers[0].column);
  ASSERT_TRUE(kinds->ranges);
  EXPECT_EQ(kinds->ranges->tensors[0].high, 0.1f);
  EXPECT_EQ(kinds->ranges->tensors[1].high, 3e-20f);
}

TEST_F(RecipeTest, RangesAreShortDecimals) {
  std::string text = print(makeRecipe());
  EXPECT_NE(text.find("\"high\": 0.1}"), std::string::npos) << text;
}

/// Ranges are of what the other steps leave of a model, whatever they say of
/// numbers.
TEST_F(RecipeTest, HashOfWhatIsLeft) {
  Recipe recipe = makeRecipe();
  std::string pruned = hashChangedModel(recipe);
  EXPECT_NE(pruned, recipe.hash);
  EXPECT_TRUE(recipe.changesLayers());
  recipe.steps.pop_back();
  EXPECT_EQ(hashChangedModel(recipe), pruned);
  std::get<LeastSquaresStep>(recipe.steps[2]).layers[0].weight[0] = 2;
  EXPECT_NE(hashChangedModel(recipe), pruned);
  recipe.steps = {makeRecipe().steps.back()};
  EXPECT_EQ(hashChangedModel(recipe), recipe.hash);
  EXPECT_FALSE(recipe.changesLayers());
}

TEST_F(RecipeTest, WithoutWeightsThereIsNoFile) {
  Recipe recipe = makeRecipe();
  recipe.steps.resize(1);
  EXPECT_FALSE(hasWeights(recipe));
  write(path, print(recipe));
  EXPECT_EQ(read(), "");
}

TEST_F(RecipeTest, ErrorsNameThePlaceAndARemedy) {
  auto expect = [&](llvm::StringRef from, llvm::StringRef to,
                    const std::string &message) {
    std::string found = getError(from, to);
    EXPECT_NE(found.find(message), std::string::npos) << found;
  };
  expect("\"vaec-recipe\"", "\"other\"",
         "r.json:2: expected a recipe of vaec, with the format 'vaec-recipe', "
         "found 'other'");
  expect("\"version\": 1", "\"version\": 2",
         "r.json:3: this vaec reads recipes of version 1, found 2; make the "
         "recipe again");
  expect("\"prune-channels\"", "\"shear\"", "unknown kind of step 'shear'");
  expect("\"units\": 10", "\"units\": 9",
         "layer 'fc=1' has units from 0 to 8, found 9");
  expect("0, 3, 9", "3, 0, 9",
         "units of layer 'fc=1' must ascend, found 0 after 3");
  expect("0, 3, 9", "0, \"x\"",
         "'removed': expected an integer, found the string 'x'");
  expect("\"hash\"", "\"hush\"", "r.json:1: expected an object with 'hash'");
  expect("\"r.safetensors\"", "\"s.safetensors\"",
         "it is written beside the recipe, keep both together");
  expect("\"weights_hash\": \"", "\"weights_hash\": \"0",
         "has other weights than those that were written with the recipe");
  expect("\"int8\"", "\"int7\"",
         "unknown kind 'int7' of layer 'fc=1'; choose one of none, f32, mixed, "
         "bf16, int8, w8, w4");
  expect("{\"layer\": \"conv\", \"kind\": \"w4\"}",
         "{\"layer\": \"fc=1\", \"kind\": \"w4\"}",
         "layer 'fc=1' is there twice; leave one of them out");
  expect("\"low\": 0,", "\"low\": 1,",
         "the range of tensor 'x' begins at 1, above its end 0.1; exchange "
         "them");
  expect("\"low\": 0,", "\"low\": -1e99,",
         "the range of tensor 'x' has an end that is no f32");
  expect("\"x\"", "\"fc=1\"", "two ranges of tensor 'fc=1'");
  expect("\"precision\": \"mixed\"", "\"precision\": \"f8\"",
         "unknown precision 'f8'; choose one of f32, bf16, mixed");
  expect("\"mu\"", "\"my\"", "has no weights of layer 'my'");
  expect("\"part\": \"output\"", "\"part\": \"middle\"",
         "unknown part 'middle'; it is output, input or norm");
  expect("0.3", "-0.3", "scales of layer 'fc=1' must be positive");
  expect("\"equalize\"", "\"correct-bias\"", "'layers'");
  expect("\"layer\": \"conv\", \"pattern\"", "\"layer\": \"c\", \"pattern\"",
         "has no mask of layer 'c'");
  expect("\"fc=1\": \"2:4\"", "\"fc=1\": 2",
         "'fc=1': expected a string, found 2");
  expect("{", "", "r.json:");
}

TEST_F(RecipeTest, NumbersAreChosenLast) {
  Recipe recipe = makeRecipe();
  std::swap(recipe.steps.front(), recipe.steps.back());
  writeAll(recipe, print(recipe));
  EXPECT_NE(read().find("the step 'prune-weights' is done before 'quantize': "
                        "move it there"),
            std::string::npos);
}

TEST_F(RecipeTest, MissingFile) {
  EXPECT_NE(read().find("cannot be read: "), std::string::npos);
}

} // namespace
