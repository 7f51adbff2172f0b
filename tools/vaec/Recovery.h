// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Crashes, fatal errors of LLVM and signals.
#ifndef TOOLS_VAEC_RECOVERY_H
#define TOOLS_VAEC_RECOVERY_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/InitLLVM.h"

#include <string>
#include <vector>

namespace vae::tool {

/// Installs what the process needs: full disks and closed pipes are errors of
/// write(), temporary files go when a signal ends the process, and it ends with
/// a message when memory runs out. Made before anything installs handlers.
class Process {
public:
  Process(int &argc, char **&argv);

private:
  /// Signals that whoever started the process ignores: LLVM's handlers would
  /// remove temporary files without ending the process.
  struct Ignored {
    Ignored();
    std::vector<int> signals;
  };
  Ignored ignored; // before LLVM's handlers are there
  llvm::InitLLVM init;
};

/// Calls `body`. Gives what ended it, if that was a crash or a fatal error of
/// LLVM; empty if it returned. A stack trace has been printed then, and
/// temporary files are gone.
std::string runRecoverably(llvm::function_ref<void()> body);

} // namespace vae::tool

#endif // TOOLS_VAEC_RECOVERY_H
