// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "tools/vaec/PrepareIntegers.h"

#include "tools/vaec/Calibrate.h"
#include "llvm/Support/raw_ostream.h"

using namespace vae;
using namespace vae::tool;

void vae::tool::note(const llvm::Twine &message) {
  llvm::errs() << "vaec: note: " << message << "\n";
}

bool vae::tool::confirm(const IntegerTrial &trial, const Recipe &before,
                        const Recipe &after, llvm::StringRef option) {
  auto old = trial.measure(before, DataPart::Check),
       own = trial.measure(after, DataPart::Check);
  bool better = getMean(own) < getMean(old);
  note(option + ": on " + llvm::Twine(old.size()) +
       " samples that decided nothing, squared error relative to f32 " +
       describeErrors(getMean(old), getMean(own)) +
       (better ? "" : ": none of it is kept"));
  return better;
}

ExitCode vae::tool::prepareIntegers(Arguments &arguments) {
  if (!arguments.preparesIntegers())
    return kOk;
  return guard([&] {
    IntegerTrial trial(arguments);
    Recipe recipe = trial.getStart();
    if (!arguments.equalize.empty())
      equalizeUnits(trial, recipe);
    if (arguments.correctsBias)
      correctBiases(trial, recipe);
    if (recipe.steps.size() == trial.getStart().steps.size())
      return kOk;
    // Ranges of all of the user's data are better than those of the half that
    // was judged; of generated data, these are more than are generated else.
    if (arguments.calibration.data.empty())
      arguments.options.rangeTable =
          trial.calibrate(trial.getArguments(recipe)).options.rangeTable;
    arguments.options.replay = std::move(recipe);
    return kOk;
  });
}
