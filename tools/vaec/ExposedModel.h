// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A library that gives what every layer with weights reads and computes: the
// model without fusion, after the stage compress.
#ifndef TOOLS_VAEC_EXPOSEDMODEL_H
#define TOOLS_VAEC_EXPOSEDMODEL_H

#include "compiler/compress/Patches.h"
#include "compiler/pipeline/Files.h"
#include "compiler/recipe/Recipe.h"
#include "dialects/vae/IR/VaeUnits.h"
#include "tools/vaec/Arguments.h"

namespace vae::tool {

/// A layer with weights of an entry point.
struct ExposedLayer {
  std::string name;
  /// Tensors of the library: an input or output that the layer reads, and the
  /// output that it computes, without what follows.
  std::string input, output;
  llvm::SmallVector<int64_t> shape; // of the weight
  std::vector<float> weight, bias;
  Patches patches;
  /// What the units on the axes of input and output are (UnitFlow::getRoot);
  /// the input's are empty if none of them can be removed.
  llvm::SmallVector<Unit> inputUnits, outputUnits;
};

class ExposedModel {
public:
  /// Compiles one entry point of the model with the steps of a recipe. What
  /// goes wrong is printed. Throws Failure where there is no place for the
  /// library.
  ExitCode compile(const Arguments &arguments, const std::string &entry,
                   const Recipe &recipe);
  /// The same of a model of integers: the arguments have ranges for a model
  /// without fusion, and say which layers multiply integers.
  ExitCode compileIntegers(const Arguments &arguments, const std::string &entry,
                           const Recipe &recipe);

  llvm::StringRef getPath() const { return library->getPath(); }
  /// In the order of execution; without those whose tensors have no output.
  const std::vector<ExposedLayer> &getLayers() const { return layers; }
  const ExposedLayer *find(llvm::StringRef name) const;

private:
  ExitCode compileExposed(Arguments own, const Arguments &arguments,
                          const std::string &entry, const Recipe &recipe);

  std::optional<TemporaryFile> library;
  std::vector<ExposedLayer> layers;
};

/// The options to compile a library that is run here and as exact as can be.
Arguments getExactArguments(const Arguments &arguments);

/// The same with what the stage compress is asked for.
Arguments getCompressedArguments(const Arguments &arguments);

/// Lets the stage compress decide what it is asked for. Throws Failure.
Recipe decideSteps(const Arguments &arguments);

} // namespace vae::tool

#endif // TOOLS_VAEC_EXPOSEDMODEL_H
