// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The options of vaec that make models smaller.
#ifndef TOOLS_VAEC_COMPRESSIONARGUMENTS_H
#define TOOLS_VAEC_COMPRESSIONARGUMENTS_H

#include "tools/vaec/Arguments.h"

namespace vae::tool {

/// What the options write into before it is checked.
struct CompressionTexts {
  std::vector<std::string> prune;
  std::string scope = "layer", recover, importance = "magnitude", schedule,
              equalize = "none";
};

void addCompressionOptions(CLI::App &app, Arguments &a,
                           CompressionTexts &texts);
/// `a.options.emit` is known.
std::optional<ExitCode> checkCompression(Arguments &a,
                                         const CompressionTexts &texts);

} // namespace vae::tool

#endif // TOOLS_VAEC_COMPRESSIONARGUMENTS_H
