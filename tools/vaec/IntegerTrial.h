// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How far a model of integers is from the f32 one, by compiling and running
// both. Errors are thrown (tools/data/Error.h).
#ifndef TOOLS_VAEC_INTEGERTRIAL_H
#define TOOLS_VAEC_INTEGERTRIAL_H

#include "tools/vaec/Arguments.h"
#include "tools/vaec/AutoRun.h"

namespace vae::tool {

class IntegerTrial {
public:
  /// Decides the pruning that is asked for, loads or generates data and runs
  /// the f32 model on them.
  explicit IntegerTrial(const Arguments &arguments);

  /// The command's arguments; images of generated data have a size.
  const Arguments &getArguments() const { return arguments; }

  /// What the stage compress does before anything is tried, and the data.
  const Recipe &getStart() const { return start; }
  const CalibrationData &getData(DataPart part) const {
    return data[static_cast<size_t>(part)];
  }
  /// The entry point that is run.
  const std::string &getEntry() const { return entry; }
  /// The same with the steps of a recipe, for a library with the entry point.
  Arguments getArguments(const Recipe &recipe) const;
  /// With ranges of the part for calibration.
  Arguments calibrate(Arguments own) const;

  /// Of each sample of a part, the squared error of the results of the library
  /// that a recipe gives, relative to the variance of what f32 gives. Their
  /// mean is the relative squared error.
  std::vector<double> measure(const Recipe &recipe, DataPart part) const;

  /// Fills in what steps say of their data.
  void describeData(StepData &step) const {
    step.data = arguments.calibration.data;
    step.dataHash = hashData(getData(DataPart::Calibration));
    step.samples = getData(DataPart::Calibration).samples;
  }

private:
  void loadData();

  Arguments arguments;
  std::string entry;
  Recipe start;
  CalibrationData data[kNumDataParts];
  /// Of f32, by part and output.
  std::vector<std::vector<float>> reference[kNumDataParts];
};

double getMean(const std::vector<double> &errors);
/// Whether the mean of errors falls by 1%.
bool isLower(const std::vector<double> &before,
             const std::vector<double> &after);
/// Whether it does so, of the same samples, by more than chance would have it:
/// two standard errors of the mean difference.
bool isBetter(const std::vector<double> &before,
              const std::vector<double> &after);
/// "0.00123 -> 0.00045".
std::string describeErrors(double before, double after);

} // namespace vae::tool

#endif // TOOLS_VAEC_INTEGERTRIAL_H
