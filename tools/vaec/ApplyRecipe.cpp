// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/ApplyRecipe.h"

#include "compiler/pipeline/Quantization.h"
#include "tools/vaec/Console.h"

#include "mlir/IR/MLIRContext.h"

using namespace vae;
using namespace vae::tool;

ExitCode vae::tool::readAppliedRecipe(Arguments &arguments) {
  CompileOptions &options = arguments.options;
  if (options.applyRecipe.empty())
    return kOk;
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  context.getDiagEngine().registerHandler([](mlir::Diagnostic &diagnostic) {
    printDiagnostic(diagnostic);
    return mlir::success();
  });
  auto recipe = readRecipe(options.applyRecipe, context);
  if (failed(recipe))
    return kInputError;
  if (recipe->steps.empty())
    llvm::errs() << options.applyRecipe
                 << ": warning: the recipe has no steps, and changes nothing\n";
  if (const auto *step = recipe->find<QuantizeStep>()) {
    if (options.quantize != Quantize::None)
      return failUsage("'" + options.applyRecipe +
                       "' says what is quantized: leave --quantize out, or "
                       "remove the step 'quantize' from the recipe");
    auto check = [&](bool given, llvm::StringRef option, llvm::StringRef value,
                     const std::string &said) {
      if (!given || value == said)
        return kOk;
      return failUsage("--" + option + "=" + value + ": '" +
                       options.applyRecipe + "' says " + said + "; leave --" +
                       option + " out, or change the recipe");
    };
    if (ExitCode code =
            check(arguments.hasPrecision, "precision",
                  getPrecisionName(options.precision), step->precision))
      return code;
    if (ExitCode code = check(arguments.hasStorage, "storage",
                              stringifyStorage(options.storage), step->storage))
      return code;
  }
  options.replay = std::move(*recipe);
  return kOk;
}

void vae::tool::dropKinds(CompileOptions &options) {
  std::optional<Recipe> &recipe = options.replay;
  if (!recipe)
    return;
  llvm::erase_if(recipe->steps, [](const RecipeStep &step) {
    return std::holds_alternative<QuantizeStep>(step);
  });
  if (!recipe->steps.empty())
    return;
  recipe.reset();
  options.applyRecipe.clear();
}
