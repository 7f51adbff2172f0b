// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What vaec writes to standard error while it works.
#ifndef TOOLS_VAEC_CONSOLE_H
#define TOOLS_VAEC_CONSOLE_H

#include "mlir/IR/Diagnostics.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace vae::tool {

/// A bar with the name of the stage on the last line of the terminal, from the
/// moment when the work has taken two seconds; nothing if standard error is no
/// terminal. Text may be printed at any time between `hide` and the next tick.
class Progress {
public:
  Progress();
  ~Progress() { stop(); }
  void setStage(llvm::StringRef name, unsigned index, unsigned count);
  /// Removes the bar for good.
  void stop();
  /// Calls `print` while the bar is away.
  void interrupt(llvm::function_ref<void()> print);

private:
  using Clock = std::chrono::steady_clock;
  void run();
  void draw();
  void erase();

  Clock::time_point start = Clock::now();
  std::mutex mutex;
  std::condition_variable wake;
  bool done = false, visible = false;
  std::string stage;
  unsigned index = 0, count = 1;
  std::thread thread; // the last member: it uses the others
};

/// Prints "file:line:col: error: message" and the notes.
void printDiagnostic(mlir::Diagnostic &diagnostic);

} // namespace vae::tool

#endif // TOOLS_VAEC_CONSOLE_H
