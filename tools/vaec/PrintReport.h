// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TOOLS_VAEC_PRINTREPORT_H
#define TOOLS_VAEC_PRINTREPORT_H

#include "compiler/pipeline/Report.h"
#include "tools/vaec/Arguments.h"
#include "llvm/Support/raw_ostream.h"

namespace vae::tool {

/// The report as aligned tables.
void printReport(const CompileReport &report, const Arguments &arguments,
                 llvm::raw_ostream &out);

/// The report as JSON; docs/cli.md lists the keys.
void printJsonReport(const CompileReport &report, const Arguments &arguments,
                     llvm::raw_ostream &out);

} // namespace vae::tool

#endif // TOOLS_VAEC_PRINTREPORT_H
